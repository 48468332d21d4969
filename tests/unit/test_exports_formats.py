"""Every format at every rate, read again by others: each cut on its frame."""

import csv
import io
import json
import os
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import opentimelineio as otio
import pytest
from tests.unit.cut_readers import fcpxml_frames, read_edl, read_fcpxml
from tests.unit.sample_cuts import CAMERAS, CUTS, END, recordings, session

from tap.rates import RATES, rate_of
from tap.report.exports.cutlist import cut_list
from tap.report.exports.edl import write_edl
from tap.report.exports.fcp7 import write_fcp7
from tap.report.exports.fcpxml import write_fcpxml
from tap.report.exports.model import View
from tap.report.exports.otio import write_otio
from tap.report.exports.plain import write_csv, write_jsonl, write_webvtt
from tap.report.exports.reels import reel_names

GOLDEN = Path(__file__).parent / "golden"
EVERY = pytest.mark.parametrize("rate", RATES.values(), ids=lambda rate: rate.name)
START = {True: "01:00:00;00", False: "01:00:00:00"}


def made(rate, *, jitter=lambda _: 0.0, view=View.SEEN, start=True, **more):
    given = session(rate, jitter=jitter, **more)
    cuts = cut_list(
        given.witness, given.claims, rate=rate, view=view, recordings=recordings(rate),
        start=START[rate.drop] if start else None,
    )  # fmt: skip
    return cuts, given.plan


def spans(plan, end=END):
    """(camera, first frame, length) of each shot of a plan."""
    ends = [*(frame for frame, _ in plan[1:]), end]
    return [(camera, frame, last - frame) for (frame, camera), last in zip(plan, ends, strict=True)]


@EVERY
@pytest.mark.parametrize("variable", [False, True], ids=["steady", "variable"])
def test_every_cut_is_on_its_frame(rate, variable):
    wobble = float(Fraction(450) / rate.fps)  # ms; VFR sources stray by up to 0.45 of a frame
    cuts, plan = made(rate, jitter=lambda f: wobble * (1 if f % 2 else -1) if variable else 0.0)
    assert [(s.source, s.start, s.length) for s in cuts.segments] == spans(plan)
    assert cuts.length == END
    assert cuts.snap <= Fraction(1, 2) / rate.fps
    assert (cuts.snap > Fraction(2, 5) / rate.fps) is variable


@EVERY
def test_as_told_is_what_was_said(rate):
    cuts, plan = made(rate, view=View.TOLD)
    told = spans(plan)
    told[0] = (None, *told[0][1:])  # nobody said what was on at first
    assert [(s.source, s.start, s.length) for s in cuts.segments] == told
    assert cuts.segments[0].state == "untold"


@EVERY
def test_otio_keeps_every_cut(rate):
    cuts, plan = made(rate)
    timeline = otio.adapters.read_from_string(write_otio(cuts), "otio_json")
    fps = float(rate.fps)
    assert timeline.global_start_time == otio.opentime.RationalTime(cuts.start_frame, fps)
    program, *angles = timeline.tracks
    found = [
        (clip.metadata["tap"]["camera"], at.start_time.value, at.duration.value)
        for clip in program.find_clips()
        for at in [clip.range_in_parent()]
    ]
    assert found == spans(plan)
    for clip in program.find_clips():
        at = clip.range_in_parent().start_time.value
        camera = clip.metadata["tap"]["camera"]
        assert clip.source_range.start_time.value == at + cuts.sources[camera].offset
        assert clip.metadata["tap"]["confidence"] == 0.99
        assert clip.source_range.duration.rate == fps
    assert [len(list(track.find_clips())) for track in angles] == [1, 1, 1]
    assert not any(clip.enabled for track in angles for clip in track.find_clips())
    marks = [(m.marked_range.start_time.value, m.name, m.color) for m in program.markers]
    assert marks == [(frame, "AGREE", "GREEN") for frame in CUTS[1:]]


@EVERY
def test_edl_keeps_every_cut(rate):
    cuts, plan = made(rate)
    [text] = write_edl(cuts)
    assert text.splitlines()[1] == f"FCM: {'DROP' if rate.drop else 'NON-DROP'} FRAME"
    reels = reel_names(CAMERAS)
    hour = rate.frames(START[rate.drop])
    lines = list(read_edl(text, rate.nominal))
    assert [(reel, kind) for reel, kind, *_ in lines] == [(reels[c], "C") for _, c in plan]
    for (camera, first, length), (_, _, _, times) in zip(spans(plan), lines, strict=True):
        offset = cuts.sources[camera].offset
        assert times == (
            first + offset, first + offset + length, hour + first, hour + first + length
        )  # fmt: skip
    assert text.isascii()


@EVERY
def test_edl_is_read_the_same_by_opentimelineio(rate):
    cuts, plan = made(rate)
    fps = float(rate.fps)
    timeline = otio.adapters.read_from_string(write_edl(cuts)[0], "cmx_3600", rate=fps)
    [track] = timeline.tracks
    found = [
        (round(at.start_time.value), round(at.duration.value))
        for clip in track.find_clips()
        for at in [clip.range_in_parent()]
    ]
    assert found == [(first, length) for _, first, length in spans(plan)]
    assert [c.metadata["cmx_3600"]["reel"] for c in track.find_clips()] == [
        reel_names(CAMERAS)[camera] for _, camera in plan
    ]


@EVERY
def test_fcp7_is_read_the_same_by_opentimelineio(rate):
    cuts, plan = made(rate)
    timeline = otio.adapters.read_from_string(write_fcp7(cuts), "fcp_xml")
    program, *angles = timeline.video_tracks()
    found = [
        (
            clip.source_range.start_time.value - at.start_time.value,
            at.start_time.value,
            at.duration.value,
        )
        for clip in program.find_clips()
        for at in [clip.range_in_parent()]
    ]  # fmt: skip
    assert found == [(cuts.sources[c].offset, first, length) for c, first, length in spans(plan)]
    assert all(abs(c.source_range.duration.rate - rate.fps) < 1e-9 for c in program.find_clips())
    assert [len(list(track.find_clips())) for track in angles] == [1, 1, 1]
    assert [m.marked_range.start_time.value for m in timeline.tracks.markers] == list(CUTS[1:])


@EVERY
def test_fcp7_says_rate_and_timecode_as_final_cut_does(rate):
    cuts, _ = made(rate)
    root = ET.fromstring(write_fcp7(cuts))
    sequence = root.find("sequence")
    timecode = sequence.find("timecode")
    assert timecode.findtext("string") == START[rate.drop]
    assert timecode.findtext("displayformat") == ("DF" if rate.drop else "NDF")
    assert int(timecode.findtext("frame")) == rate.frames(START[rate.drop])
    for box in root.iter("rate"):
        assert box.findtext("timebase") == str(rate.nominal)
        assert box.findtext("ntsc") == ("TRUE" if rate.fps.denominator == 1001 else "FALSE")
    enabled = [[c.findtext("enabled") for c in t.iter("clipitem")] for t in root.iter("track")]
    assert enabled == [["TRUE"] * len(CUTS), ["FALSE"], ["FALSE"], ["FALSE"]]
    described = [f.get("id") for f in root.iter("file") if len(f)]
    referred = [f.get("id") for f in root.iter("file")]
    assert sorted(described) == sorted(set(referred))
    assert root.find(".//pathurl").text == "file:///shoot/media/cam-a%20%C3%A4.mov"


@EVERY
def test_fcpxml_keeps_every_cut_and_its_grammar(rate):
    cuts, plan = made(rate)
    text = write_fcpxml(cuts)
    assert read_fcpxml(text) == spans(plan)
    root = ET.fromstring(text)
    frame = 1 / rate.fps
    assert root.find(".//multicam") is not None
    assert [a.get("angleID") for a in root.iter("mc-angle")] == [*CAMERAS, "program"]
    for angle in root.iter("mc-angle"):
        [clip] = angle.findall("asset-clip")
        offset = cuts.sources[angle.get("angleID")].offset
        assert fcpxml_frames(clip.get("start"), frame) == offset
    for md in root.iter("md"):
        assert md.get("key").startswith("tap.")
    completed = {m.get("completed") for m in root.iter("marker")}
    assert completed == {"1"}


@EVERY
def test_the_tables_say_the_same(rate):
    cuts, plan = made(rate)
    rows = list(csv.DictReader(io.StringIO(write_csv(cuts))))
    assert [(r["source"], int(r["startFrame"])) for r in rows] == [(c, f) for f, c in plan]
    assert [r["startTimecode"] for r in rows] == [cuts.label(f) for f, _ in plan]
    head, *lines = [json.loads(line) for line in write_jsonl(cuts).splitlines()]
    assert Fraction(head["rate"]) == rate.fps
    segments = [line for line in lines if line["type"] == "segment"]
    assert [
        (s["source"], s["startFrame"], s["endFrame"] - s["startFrame"]) for s in segments
    ] == spans(plan)
    assert sum(line["type"] == "marker" for line in lines) == len(CUTS) - 1
    captions = write_webvtt(cuts)
    assert captions.startswith("WEBVTT\n")
    assert captions.count(" --> ") == len(CUTS)
    assert "&lt;at once&gt; &amp; as said" in captions


def test_more_than_999_events_become_more_than_one_file():
    rate = rate_of("30")
    frames = tuple(range(0, 2100 * 10, 10))
    given = session(rate, frames=frames, end=21_000)
    cuts = cut_list(given.witness, given.claims, rate=rate)
    texts = write_edl(cuts)
    assert [sum(1 for _ in read_edl(text, 30)) for text in texts] == [999, 999, 102]
    for number, text in enumerate(texts, start=1):
        assert text.splitlines()[0] == f"TITLE: shoot-of-cuts ({number} of 3)"
        events = [line[:3] for line in text.splitlines() if line[:1].isdigit()]
        assert events == [f"{n:03d}" for n in range(1, len(events) + 1)]
    lines = [line for text in texts for line in read_edl(text, 30)]
    assert [line[3][2] for line in lines] == list(frames)
    assert "".join(texts).count("* LOC: ") == 2099


def _golden(name: str, text: str) -> None:
    file = GOLDEN / name
    if os.environ.get("TAP_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode())
    assert text.encode() == file.read_bytes(), f"{name} differs; TAP_GOLDEN=write writes it anew"


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("cuts.edl", lambda cuts: write_edl(cuts)[0]),
        ("cuts.fcp7.xml", write_fcp7),
        ("cuts.fcpxml", write_fcpxml),
        ("cuts.otio", write_otio),
        ("cuts.csv", write_csv),
        ("cuts.jsonl", write_jsonl),
        ("cuts.vtt", write_webvtt),
    ],
)
def test_the_files_are_byte_for_byte_as_agreed(name, write):
    cuts, _ = made(rate_of("29.97df"))
    _golden(name, write(cuts))
