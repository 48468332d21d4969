# ruff: noqa: E501
"""Claims of other systems: each format, and what is wrong with a file, by its line."""

import json
import math
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.sample_cuts import START_MS, at_ms, recordings, session

from tap.claims.imports import Instructions, import_claims
from tap.claims.imports.times import unix_ms
from tap.errors import InputError
from tap.rates import RATES, rate_of
from tap.report.exports.cutlist import cut_list
from tap.report.exports.edl import write_edl
from tap.report.exports.plain import write_csv

CAMERAS = ("cam-a", "cam-b", "cam-c")


def taken(tmp_path, text, form, **more):
    """The messages of a file as (ms after the start, camera)."""
    file = tmp_path / f"told.{form}"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    how = {"zero_ms": START_MS, "cameras": CAMERAS, **more}
    return import_claims(file, Instructions(form, **how)).messages


def brief(messages):
    return [(round(m["atMs"] - START_MS, 3), m["camera"]) for m in messages]


# ---------------------------------------------------------------- EDL

# As Premiere, Resolve and an ATEM logger write them: other columns, tracks, comments.
EDL = """TITLE:   Monday shoot
FCM: NON-DROP FRAME

001  CAM_A    V     C        10:00:00:00 10:00:04:00 01:00:00:00 01:00:04:00
* FROM CLIP NAME:  left.mov
M2   CAM_A       025.0                10:00:00:00
002  CAM_A    A     C        10:00:04:00 10:00:05:00 01:00:04:00 01:00:05:00
002  Cam-B    V     C        10:00:04:00 10:00:08:12 01:00:04:00 01:00:08:12
003  Cam-B    V     C        10:00:08:12 10:00:08:12 01:00:08:12 01:00:08:12
003  AX       V     D    025 00:00:00:00 00:00:05:00 01:00:08:12 01:00:13:12
* FROM CLIP NAME: cam-b.mov
* TO CLIP NAME: cam-c.mov
004  AX       V     C        00:00:05:00 00:00:06:00 01:00:13:12 01:00:14:12
005  BL       V     C        00:00:00:00 00:00:01:00 01:00:14:12 01:00:15:12
006  CAM_A    B     W001 012 10:00:15:12 10:00:20:00 01:00:15:12 01:00:20:00
"""


def test_an_edl_tells_of_its_changes(tmp_path):
    messages = taken(tmp_path, EDL, "edl", rate=rate_of("25"))
    assert brief(messages) == [(4000, "cam-b"), (8480, "cam-c"), (15480, "cam-a")]
    assert [m.get("transition") for m in messages] == [None, "dissolve", "wipe"]
    assert [m.get("durationMs") for m in messages] == [None, 1000, 480]
    assert len({m["id"] for m in messages}) == 3
    assert [m["seq"] for m in messages] == [1, 2, 3]


@pytest.mark.parametrize("rate", RATES.values(), ids=lambda rate: rate.name)
def test_taps_own_edl_comes_back_to_the_frame(tmp_path, rate):
    made = session(rate)
    start = rate.label(rate.frames("01:00:00;00" if rate.drop else "01:00:00:00"))
    cuts = cut_list(made.witness, (), rate=rate, recordings=recordings(rate), start=start)
    messages = taken(tmp_path, write_edl(cuts)[0], "edl", rate=rate)
    assert len(messages) == len(made.plan) - 1
    for message, (frame, camera) in zip(messages, made.plan[1:], strict=True):
        assert message["camera"] == camera
        assert abs(message["atMs"] - at_ms(rate, frame)) <= 0.5


def test_taps_own_csv_comes_back(tmp_path):
    rate = rate_of("50")
    made = session(rate)
    cuts = cut_list(made.witness, (), rate=rate)
    messages = taken(tmp_path, write_csv(cuts), "csv")
    told = [(at_ms(rate, frame) - START_MS, camera) for frame, camera in made.plan[1:]]
    assert brief(messages) == told


def test_drop_frame_is_taken_from_the_list(tmp_path):
    edl = "\n".join(
        (
            "TITLE: x",
            "FCM: DROP FRAME",
            "001  CAMA V C 00:00:00;00 00:01:00;02 00:00:00;00 00:01:00;02",
            "002  CAMB V C 00:00:00;00 00:01:00;02 00:01:00;02 00:02:00;02",
        )
    )
    messages = taken(tmp_path, edl, "edl")
    assert messages[0]["atMs"] == round(START_MS + float(1800 * Fraction(1001, 30)), 3)


# ---------------------------------------------------------------- ATEM

DRP = "\n".join(
    json.dumps(line)
    for line in (
        {
            "version": 1, "masterTimecode": "18:23:45:10", "videoMode": "1080p25",
            "sources": [
                {"name": "Camera 1", "type": "Video", "_index_": 1, "file": "CAM 1 01.mp4"},
                {"name": "cam-b", "type": "Video", "_index_": 2},
                {"name": "Color Bars", "type": "Video", "_index_": 1000},
            ],
            "mixEffectBlocks": [{"source": 1, "_index_": 0}], "downstreamKeys": [],
        },
        {"masterTimecode": "18:23:47:10", "mixEffectBlocks": [{"source": 2, "_index_": 0}]},
        {"masterTimecode": "18:23:48:00", "mixEffectBlocks": [{"source": 1, "_index_": 1}]},
        {"masterTimecode": "18:23:48:00", "downstreamKeys": [{"onAir": True, "_index_": 0}]},
        {
            "masterTimecode": "18:23:49:10",
            "mixEffectBlocks": [{"transitionType": "Mix", "transitionActive": True, "_index_": 0}],
        },
        {
            "masterTimecode": "18:23:50:10",
            "mixEffectBlocks": [{"transitionActive": False, "source": 3, "_index_": 0}],
        },
        {"masterTimecode": "18:23:52:10", "mixEffectBlocks": [{"onAir": False, "_index_": 0}]},
    )
)  # fmt: skip


def test_an_atems_recording_tells_of_its_changes(tmp_path):
    messages = taken(tmp_path, DRP, "drp", names={"Camera 1": "cam-a", "3": "cam-c"})
    assert brief(messages) == [(2000, "cam-b"), (4000, "cam-c")]
    assert messages[1]["transition"] == "dissolve"
    assert messages[1]["durationMs"] == 1000


@pytest.mark.parametrize(
    ("mode", "label", "ms"),
    [
        ("1080p29.97", "00:00:01:00", 1001.0),
        ("1080p23.98", "00:00:01:00", 1001.0),
        ("1080p59.94", "00:00:01:00", 1001.0),
        ("1080i59.94", "00:00:01:00", 1001.0),
        ("1080i50", "00:00:01:00", 1000.0),
        ("2160p60", "00:00:01:30", 1500.0),
        ("1080p29.97", "00:01:00;02", 60060.0),
    ],
)
def test_an_atems_rates_are_exact(tmp_path, mode, label, ms):
    zero = "00:00:00;00" if ";" in label else "00:00:00:00"
    head = {
        "masterTimecode": zero, "videoMode": mode,
        "mixEffectBlocks": [{"source": 1, "_index_": 0}],
    }  # fmt: skip
    cut = {"masterTimecode": label, "mixEffectBlocks": [{"source": 2, "_index_": 0}]}
    text = f"{json.dumps(head)}\n{json.dumps(cut)}\n"
    assert brief(taken(tmp_path, text, "drp", names={"2": "cam-b"})) == [(ms, "cam-b")]


# ---------------------------------------------------------------- tables and OBS


@pytest.mark.parametrize(
    "text",
    [
        "atMs,camera\n1789000001000,cam-a\n1789000002500,cam-b\n",
        "time;source;transition\n1789000001;CAM A;cut\n1789000002.5;Cam_B;\n",
        "\ufefftimestamp\tinput\r\n2026-09-10T01:06:41Z\tcam-a\r\n2026-09-10T02:06:42.500+01:00\tcam-b\r\n",
        'camera,note,time\ncam-a,"two\nlines, quoted",1789000001000\n\ncam-b,,1789000002500\n',
    ],
    ids=["commas", "semicolons", "tabs", "quotes"],
)
def test_tables_as_spreadsheets_write_them(tmp_path, text):
    start = unix_ms("2026-09-10T00:26:40Z")
    assert start == START_MS
    text = text.replace("T01:06:41Z", "T00:26:41Z").replace("T02:06:42.500", "T01:26:42.500")
    assert brief(taken(tmp_path, text, "csv")) == [(1000, "cam-a"), (2500, "cam-b")]


def test_a_table_may_count_in_timecode(tmp_path):
    text = "timecode,scene,transition,durationMs\n01:00:00:00,cam-a,,\n01:00:02:12,cam-b,fade,400\n"
    messages = taken(tmp_path, text, "csv", rate=rate_of("25"))
    assert brief(messages) == [(0, "cam-a"), (2480, "cam-b")]
    assert (messages[1]["transition"], messages[1]["durationMs"]) == ("fade", 400)


OBS = "\n".join(
    json.dumps(line)
    for line in (
        {"op": 0, "d": {"obsWebSocketVersion": "5.5.2", "rpcVersion": 1}, "recvMs": START_MS},
        {
            "op": 5, "recvMs": START_MS + 900,
            "d": {"eventType": "SceneTransitionStarted", "eventIntent": 16,
                  "eventData": {"transitionName": "Cut", "transitionUuid": "a"}},
        },
        {
            "op": 5, "recvMs": START_MS + 1000,
            "d": {"eventType": "CurrentProgramSceneChanged", "eventIntent": 4,
                  "eventData": {"sceneName": "Close up", "sceneUuid": "b"}},
        },
        {
            "timestamp": "2026-09-10T00:26:43.250Z", "eventType": "CurrentProgramSceneChanged",
            "eventData": {"sceneName": "cam-a"},
        },
    )
)  # fmt: skip


def test_a_log_of_obs_tells_of_its_scenes(tmp_path):
    messages = taken(tmp_path, OBS, "obs", names={"Close up": "cam-c"})
    assert brief(messages) == [(1000, "cam-c"), (3250, "cam-a")]


# ---------------------------------------------------------------- what is wrong, and where

HEAD = '{"masterTimecode": "00:00:00:00", "videoMode": "1080p25"}\n'
SCENE = '{"eventType": "CurrentProgramSceneChanged", "eventData": {"sceneName": "cam-a"}'


@pytest.mark.parametrize(
    ("form", "text", "complaint"),
    [
        ("edl", "TITLE: x\n", "expected the events of a CMX 3600 list, got none"),
        ("edl", EDL.replace("10:00:08:12 01:00:04:00", "10:00:08 01:00:04:00"), "line 8: expected an event"),
        ("edl", EDL.replace("01:00:04:00 01:00:08:12", "01:00:04:25 01:00:08:12"), "line 8: expected a timecode at 25"),
        ("edl", EDL.replace("01:00:04:00 01:00:08:12", "01:00:04:00 01:00:03:12"), "line 8: expected an event that ends"),
        ("edl", EDL.replace("Cam-B ", "Cam-X "), "line 8: expected a source .*got 'Cam-X'; .*--camera 'Cam-X=CAMERA'"),
        ("edl", b"PK\x03\x04zip", "expected lines of text, got a ZIP archive"),
        ("edl", b"TITLE: x\n\xff\xfe", "line 2: expected UTF-8"),
        ("drp", "", "got an empty file"),
        ("drp", "<xml/>", "line 1: expected a JSON object"),
        ("drp", "[]", "line 1: expected a JSON object"),
        ("drp", '{"version": 1}', "line 1: expected the head of an ATEM"),
        ("drp", HEAD.replace("1080p25", "1080p26"), "line 1: expected a videoMode"),
        ("drp", HEAD, "at least one change"),
        ("drp", HEAD + "{", "line 2: expected a JSON object"),
        ("drp", HEAD + '{"masterTimecode": "00:00:00:25"}', "line 2: expected a masterTimecode at 25"),
        ("drp", HEAD + '{"masterTimecode": NaN}', "line 2: expected a JSON object"),
        ("drp", HEAD.replace("00:00:00", "00:00:09") + HEAD, "line 2: expected times in order"),
        ("drp", HEAD + '{"masterTimecode": "00:00:01:00", "mixEffectBlocks": [{"source": "1"}]}', "line 2: expected the number of a source"),
        ("drp", HEAD + '{"masterTimecode": "00:00:01:00", "mixEffectBlocks": 4}', "line 2: expected a list"),
        ("csv", "", "line 1: expected a head"),
        ("csv", "a,b\n1,2\n", "line 1: expected a head"),
        ("csv", "atMs,camera\n1789000001000\n", "line 2: expected 2 cells"),
        ("csv", "atMs,camera\n1789000001000,cam-a\nsoon,cam-b\n", "line 3: expected a Unix time"),
        ("csv", "atMs,camera\n12,cam-a\n", "line 2: expected a Unix time"),
        ("csv", "time,camera\n2026-09-10T00:26:41,cam-a\n", "line 2: expected a Unix time or an ISO 8601 time with its zone"),
        ("csv", "atMs,camera\n1789000001000,\n", "line 2: expected a camera"),
        ("csv", "atMs,camera,transition\n1789000001000,cam-a,swirl\n", "line 2: expected cut, dissolve"),
        ("csv", "atMs,camera,durationMs\n1789000001000,cam-a,-1\n", "line 2: expected a duration"),
        ("csv", 'atMs,camera\n1789000001000,"cam-a\n', "line 2: expected a row of a table"),
        ("csv", "timecode,camera\n00:00:00:00,cam-a\n", "line 2: expected to know the rate"),
        ("obs", "{}\n", "expected events of obs-websocket, got none"),
        ("obs", SCENE + "}\n", "line 1: expected a time"),
        ("obs", SCENE + ', "time": "noon"}\n', "line 1: expected a Unix or ISO 8601 time in time"),
        ("obs", '{"eventType": "CurrentProgramSceneChanged", "time": 1789000001}', "line 1: expected the sceneName"),
        ("obs", "[" * 100_000, "line 1: expected a JSON object"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path, form, text, complaint):
    with pytest.raises(InputError, match=complaint):
        taken(tmp_path, text, form, rate=rate_of("25") if form == "edl" else None)


def test_without_a_moment_timecode_has_no_place(tmp_path):
    with pytest.raises(InputError, match="expected to know when its timecode began"):
        taken(tmp_path, EDL, "edl", rate=rate_of("25"), zero_ms=None)


def test_an_edl_without_its_rate_is_refused(tmp_path):
    with pytest.raises(InputError, match="give it with --rate"):
        taken(tmp_path, EDL, "edl")


def test_the_start_can_be_another_timecode(tmp_path):
    messages = taken(tmp_path, EDL, "edl", rate=rate_of("25"), zero_s=Fraction(3599))
    assert brief(messages)[0] == (5000, "cam-b")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="could not be read"):
        import_claims(tmp_path / "none.edl", Instructions("edl"))


@pytest.mark.parametrize("form", ["edl", "drp", "csv", "obs"])
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_a_file_holds_it_gives_claims_or_one_sentence(tmp_path, form, data):
    good = {"edl": EDL, "drp": DRP, "csv": "atMs,camera\n1789000001000,cam-a\n", "obs": OBS}[form]
    content = bytearray(good.encode())
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(0, len(content)))
        content[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    names = {"Camera 1": "cam-a", "3": "cam-c", "Close up": "cam-c"}
    messages, sentence = (), ""
    try:
        messages = taken(tmp_path, bytes(content), form, rate=rate_of("25"), names=names)
    except InputError as error:
        sentence = str(error)
    assert bool(messages) != (": expected " in sentence)
    assert all(m["camera"] in CAMERAS and math.isfinite(m["atMs"]) for m in messages)
