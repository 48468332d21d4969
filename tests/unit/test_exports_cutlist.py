"""From the record to the cut list: soft changes, unseen stretches, recordings that end."""

import pytest
from tests.unit.cut_readers import read_edl, read_fcpxml
from tests.unit.sample_cuts import START_MS, recordings, session

from tap.errors import InputError
from tap.rates import rate_of
from tap.report.exports.cutlist import cut_list
from tap.report.exports.edl import write_edl
from tap.report.exports.fcp7 import write_fcp7
from tap.report.exports.fcpxml import write_fcpxml
from tap.report.exports.model import Change, Colour, View
from tap.report.exports.otio import write_otio
from tap.vocabulary import (
    CameraSeen,
    Claim,
    ClaimType,
    Event,
    EventType,
    SessionName,
    Shot,
    ShotState,
    Witness,
)

RATE = rate_of("25")


def shot(first, last, state, camera=None, cameras=()):
    return Shot(
        start_ms=START_MS + first * 40, end_ms=START_MS + last * 40, state=state, camera=camera,
        cameras=(camera,) if camera else cameras, confidence=0.9,
    )  # fmt: skip


def soft_session(kind=EventType.DISSOLVE):
    """cam-a, a soft change of 25 frames, cam-b, black, what can't be told apart, nothing."""
    shots = (
        shot(0, 100, ShotState.LIVE, "cam-a"),
        shot(100, 125, ShotState.TRANSITION, cameras=("cam-a", "cam-b")),
        shot(125, 200, ShotState.LIVE, "cam-b"),
        shot(200, 210, ShotState.BLACK),
        shot(210, 250, ShotState.AMBIGUOUS, cameras=("cam-a", "cam-c")),
        shot(250, 300, ShotState.UNSEEN),
    )
    event = Event(
        id="e1", type=kind, at_ms=START_MS + 4000, duration_ms=1000, from_camera="cam-a",
        to_camera="cam-b", confidence=0.9,
    )  # fmt: skip
    return Witness(
        session=SessionName(external_id="soft"), shots=shots, events=(event,),
        cameras=tuple(CameraSeen(id=c, delay_ms=200.0) for c in ("cam-a", "cam-b", "cam-c")),
    )  # fmt: skip


def test_a_soft_change_belongs_to_the_shot_it_leads_to():
    cuts = cut_list(soft_session(), (), rate=RATE)
    assert [(s.start, s.end, s.source, s.state) for s in cuts.segments] == [
        (0, 100, "cam-a", "live"),
        (100, 200, "cam-b", "live"),
        (200, 210, None, "black"),
        (210, 250, None, "ambiguous"),
        (250, 300, None, "unseen"),
    ]
    assert [s.change for s in cuts.segments] == [None, Change("dissolve", 25), None, None, None]


@pytest.mark.parametrize(
    ("kind", "code"), [(EventType.DISSOLVE, "D"), (EventType.WIPE, "W001"), (EventType.FADE, "D")]
)
def test_a_soft_change_in_an_edl_begins_with_its_first_mixed_frame(kind, code):
    [text] = write_edl(cut_list(soft_session(kind), (), rate=RATE))
    lines = list(read_edl(text, 25))
    assert lines[1] == ("CAMA", "C", 0, (100, 100, 100, 100))
    assert lines[2] == ("CAMB", code, 25, (100, 200, 100, 200))
    assert [reel for reel, *_ in lines[3:]] == ["BL", "BL", "BL"]
    assert "* TAP: ambiguous; 90.0 %; cam-a, cam-c" in text


def test_a_soft_change_in_the_other_formats_is_told():
    cuts = cut_list(soft_session(), (), rate=RATE)
    assert [(a, n) for a, _, n in read_fcpxml(write_fcpxml(cuts))] == [
        ("cam-a", 100), ("cam-b", 100), (None, 10), (None, 40), (None, 50)
    ]  # fmt: skip
    assert "dissolve over 25 frames from here" in write_fcpxml(cuts)
    assert "dissolve over 25 frames from here" in write_fcp7(cuts)
    assert '"SMPTE_Dissolve"' in write_otio(cuts)


def test_what_no_camera_shows_is_cut_from_the_programs_own_recording():
    cuts = cut_list(soft_session(), (), rate=RATE, recordings=recordings(RATE))
    assert [s.source for s in cuts.segments] == ["cam-a", "cam-b", None, "program", "program"]


def test_a_camera_lies_where_the_program_shows_it():
    cuts = cut_list(soft_session(), (), rate=RATE, recordings=recordings(RATE))
    # It began 2 s before the program, which shows it 0.2 s late: 45 frames in.
    assert [cuts.sources[c].offset for c in ("cam-a", "program")] == [45, 0]


def test_a_recording_that_begins_late_is_made_up_for_by_the_programs():
    given = session(RATE, frames=(0, 50, 100), end=200)
    files = recordings(RATE, late_ms=2000 + 120 * 40 - 200)  # cam-c is there from frame 120 on
    cuts = cut_list(given.witness, (), rate=RATE, recordings=files)
    assert [(s.start, s.end, s.source) for s in cuts.segments] == [
        (0, 50, "cam-a"), (50, 100, "cam-b"), (100, 120, "program"), (120, 200, "cam-c")
    ]  # fmt: skip
    assert cuts.sources["cam-c"].offset == -120
    assert read_fcpxml(write_fcpxml(cuts))[-1] == ("cam-c", 120, 80)
    [text] = write_edl(cuts)
    assert list(read_edl(text, 25))[-1] == ("CAMC", "C", 0, (0, 80, 120, 200))


def test_a_files_own_timecode_is_used_where_it_exists_at_the_rate():
    from dataclasses import replace

    files = recordings(RATE)
    files["cam-a"] = replace(files["cam-a"], timecode="10:00:00:00")
    files["cam-b"] = replace(files["cam-b"], timecode="10:00:00:29")
    cuts = cut_list(soft_session(), (), rate=RATE, recordings=files)
    assert cuts.sources["cam-a"].first == 36_000 * 25
    assert cuts.sources["cam-b"].first == 0
    assert any("10:00:00:29" in note for note in cuts.notes)
    [text] = write_edl(cuts)
    assert "10:00:01:20 10:00:05:20 00:00:00:00 00:00:04:00" in text


def test_without_recordings_the_files_are_named_and_that_is_said():
    cuts = cut_list(soft_session(), (), rate=RATE)
    assert all(source.path is None and source.offset == 0 for source in cuts.sources.values())
    assert "No recording is known of cam-a, cam-b, cam-c" in cuts.notes[0]


def test_markers_of_a_shoot_that_nobody_logged_say_how_sure_it_is():
    given = session(RATE, frames=(0, 50, 100), end=200, told=False)
    cuts = cut_list(given.witness, (), rate=RATE)
    assert [(m.name, m.colour, m.frame) for m in cuts.markers] == [
        ("CUT", Colour.GREEN, 50), ("CUT", Colour.GREEN, 100)
    ]  # fmt: skip
    assert cuts.markers[0].text == "cut cam-a → cam-b"


def test_shots_shorter_than_a_frame_give_way():
    slow = rate_of("24")
    given = session(rate_of("60"), frames=(0, 60, 61, 120), end=180)
    cuts = cut_list(given.witness, (), rate=slow)
    assert [s.start for s in cuts.segments] == [0, 24, 48]
    assert sum(s.length for s in cuts.segments) == cuts.length == 72


def test_as_told_takes_what_held_before_and_each_message_once():
    def cut(name, at, camera):
        at_ms = START_MS + at * 40
        return Claim(id=name, type=ClaimType.CUT, at_ms=at_ms, recv_ms=at_ms, camera=camera)

    claims = (
        cut("m1", -500, "cam-b"),
        cut("m2", 100, "cam-a"),
        cut("m2", 120, "cam-a"),
        Claim(
            id="p1", type=ClaimType.PROPOSAL, at_ms=START_MS, recv_ms=START_MS, camera="cam-c"
        ),
        Claim(
            id="m3", type=ClaimType.ACCEPT, at_ms=START_MS + 6000, recv_ms=START_MS + 6000,
            proposal="p1",
        ),
        Claim(id="p2", type=ClaimType.PROPOSAL, at_ms=START_MS, recv_ms=START_MS, camera="cam-b"),
    )  # fmt: skip
    cuts = cut_list(soft_session(), claims, rate=RATE, view=View.TOLD)
    assert [(s.start, s.end, s.source) for s in cuts.segments] == [
        (0, 100, "cam-b"), (100, 150, "cam-a"), (150, 300, "cam-c")
    ]  # fmt: skip


def test_hostile_names_do_no_harm():
    witness = soft_session().model_copy(
        update={"session": SessionName(external_id="a\x00b\n999  EVIL\x1b]0;<x>&\ud800" * 20)}
    )
    cuts = cut_list(witness, (), rate=RATE)
    [text] = write_edl(cuts)
    assert len([line for line in text.splitlines() if line[:1].isdigit()]) == 6
    read_fcpxml(write_fcpxml(cuts))
    assert "\x00" not in write_fcp7(cuts)


def test_nothing_seen_is_nothing_to_cut():
    with pytest.raises(InputError, match="there is nothing to cut"):
        cut_list(Witness(session=SessionName(external_id="x")), (), rate=RATE)
