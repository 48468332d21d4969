"""The switcher and the truth: what the program shows, and what is said of it, without pictures."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.rig.camera import Camera, Timing
from tap.rig.dress import Zoom
from tap.rig.plan import BLACK, SLATE, Delay, Expected, Kind, On, Plan, Program, Take, camera
from tap.rig.switcher import Switcher
from tap.rig.truth import truth_of
from tap.vocabulary import EventType, ShotState, VerdictCode

START = 1_789_000_000_000


class Grey:
    """A source that shows one grey."""

    def __init__(self, level: int = 0) -> None:
        self.size = (32, 18)
        self._picture = np.full((18, 32, 3), level, np.uint8)

    def picture(self, scene_ms: float) -> np.ndarray:
        return self._picture


def cameras(**timings: Timing) -> list[Camera]:
    return [
        Camera(id=name, source=Grey(), timing=timings.get(name, Timing()))
        for name in ("a", "b", "c")
    ]


PROGRAM = Program(size=(32, 18), fps=25.0, starts_ms=1000.0)


def switcher(plan: Plan, delays: dict[str, Delay] | None = None, **timings: Timing) -> Switcher:
    return Switcher(cameras(**timings), plan, PROGRAM, delays)


def truth(made: Switcher) -> dict:
    frames = made.frames()
    times = [START + 1000 + round(frame.at_ms) for frame in frames]
    return truth_of(made, frames, times, seen_by=("a", "b", "c"), start_ms=START, session="s")


def plan(*takes: Take, **more) -> Plan:
    return Plan(duration_ms=4000.0, takes=(Take(0.0, camera("a")), *takes), **more)


def test_a_cut_is_the_first_frame_of_the_new_camera():
    found = truth(switcher(plan(Take(2010.0, camera("b")))))
    assert len(found["frames"]) == 100
    assert [frame["camera"] for frame in found["frames"]] == ["a"] * 51 + ["b"] * 49
    (event,) = found["events"]
    assert (event["type"], event["frame"], event["from"], event["to"]) == ("cut", 51, "a", "b")
    assert event["atMs"] == found["frames"][51]["atMs"] == START + 1000 + 2040


@pytest.mark.parametrize("how", [EventType.DISSOLVE, EventType.FADE, EventType.WIPE])
def test_a_soft_change_lasts_from_the_first_mixed_frame(how):
    found = truth(switcher(plan(Take(2000.0, camera("b"), how, 400.0))))
    states = [frame["state"] for frame in found["frames"]]
    assert states == ["live"] * 50 + ["transition"] * 10 + ["live"] * 40
    assert found["frames"][50]["cameras"] == ["a", "b"]
    (event,) = found["events"]
    assert (event["type"], event["frame"], event["durationMs"]) == (how.value, 50, 400)


@pytest.mark.parametrize("variant", ["down", "up"])
def test_what_a_wipe_does_outside_of_a_crop_is_not_seen(variant):
    wide = replace(PROGRAM, size=(64, 36), effects=(Zoom(((0.0, 2.0, 0.5, 0.5),)),))
    take = Take(2000.0, camera("b"), EventType.WIPE, 800.0, variant)
    found = truth(Switcher(cameras(), plan(take), wide))
    shown = [(frame["state"], frame["camera"]) for frame in found["frames"][50:70]]
    # Its edge is soft: it is there a frame before its middle.
    assert shown == [("live", "a")] * 4 + [("transition", None)] * 12 + [("live", "b")] * 4
    (event,) = found["events"]
    assert (event["type"], event["frame"], event["durationMs"]) == ("wipe", 54, 480)


def test_black_slate_and_untapped_are_no_camera():
    made = switcher(plan(Take(1000.0, SLATE), Take(2000.0, BLACK), Take(3000.0, camera("c"))))
    made._cameras["c"].tapped = False
    found = truth(made)
    assert [found["frames"][index]["state"] for index in (30, 60, 90)] == [
        "off_camera",
        "black",
        "off_camera",
    ]
    assert [event["to"] for event in found["events"]] == [None, None, None]


def test_split_is_composed_and_a_small_inset_is_an_overlay():
    split = On(Kind.SPLIT, ("a", "b"))
    small, big = (On(Kind.INSET, ("a", "b"), share=share) for share in (0.3, 0.5))
    found = truth(switcher(plan(Take(1000.0, split), Take(2000.0, small), Take(3000.0, big))))
    labels = [(found["frames"][i]["state"], found["frames"][i]["camera"]) for i in (30, 60, 90)]
    assert labels == [("composed", None), ("live", "a"), ("composed", None)]


def test_an_overlay_that_comes_is_no_event():
    found = truth(switcher(plan(Take(1000.0, On(Kind.INSET, ("a", "b"), share=0.3)))))
    assert found["events"] == []


def test_a_replay_names_the_camera_that_it_replays():
    replay = On(Kind.REPLAY, ("b",), age_ms=1500.0)
    found = truth(switcher(plan(Take(2000.0, replay))))
    assert found["frames"][60] == found["frames"][60] | {"state": "off_camera", "cameras": ["b"]}


def test_a_freeze_hides_the_cut_until_the_picture_moves():
    found = truth(switcher(plan(Take(2000.0, camera("b")), freezes=((1800.0, 600.0),))))
    cut = next(event for event in found["events"] if event["type"] == "cut")
    freeze = next(event for event in found["events"] if event["type"] == "freeze")
    assert cut["frame"] == 60
    assert found["frames"][59]["camera"] == "a"
    assert (freeze["frame"], freeze["durationMs"], freeze["to"]) == (45, 600, "a")


def test_a_dissolve_under_a_freeze_is_seen_as_a_cut():
    dissolve = Take(2000.0, camera("b"), EventType.DISSOLVE, 300.0)
    found = truth(switcher(plan(dissolve, freezes=((1800.0, 800.0),))))
    assert {event["type"] for event in found["events"]} == {"cut", "freeze"}


def test_repeats_and_drops_follow_the_pixels():
    made = switcher(plan(Take(2000.0, camera("b")), repeated=0.3, dropped=0.2, seed=4))
    frames = made.frames()
    assert len(frames) < 90
    assert any(frame.tick != frame.source_tick for frame in frames)
    for frame in frames:
        assert frame.label.camera == ("a" if frame.source_tick < 50 else "b")
    found = truth(made)
    (event,) = found["events"]
    assert found["frames"][event["frame"]]["camera"] == "b"
    assert found["frames"][event["frame"] - 1]["camera"] == "a"


def test_a_gap_in_the_feed_leaves_the_program_unseen():
    timing = Timing(gaps=((2000.0, 2800.0),))
    made = switcher(plan(Take(1500.0, camera("b"))), a=timing, b=timing)
    found = truth(made)
    assert found["events"] == [], "nobody can see a cut between two feeds that are down"
    hidden = [frame for frame in found["frames"] if frame["state"] == "unseen"]
    assert len(hidden) == 20
    assert hidden[0]["cameras"] == ["a"]


def test_twins_are_ambiguous_and_a_cut_between_them_is_none():
    made = switcher(plan(Take(2000.0, camera("b"))))
    made._cameras["a"].twins, made._cameras["b"].twins = ("b",), ("a",)
    found = truth(made)
    assert found["events"] == []
    assert {tuple(frame["cameras"]) for frame in found["frames"]} == {("a", "b")}
    assert found["frames"][0]["state"] == "ambiguous"


@settings(max_examples=40, deadline=None)
@given(
    delay=st.builds(
        Delay,
        st.floats(0.0, 900.0),
        st.floats(-600.0, 600.0),
        st.tuples(st.tuples(st.just(2000.0), st.floats(-100.0, 300.0))),
    ),
    fps=st.sampled_from((12.0, 25.0, 29.97, 60.0)),
    jitter=st.floats(0.0, 20.0),
    at=st.floats(0.0, 3999.0),
)
def test_the_program_shows_the_newest_picture_it_can_have(delay, fps, jitter, at):
    made = switcher(plan(), {"a": delay}, a=Timing(fps=fps, jitter_ms=jitter, phase_ms=3.0))
    times = made.captured["a"]
    assert all(later > earlier for earlier, later in pairwise(times))
    index = made.index_shown("a", at)
    latest = 1000.0 + at - made.delay_ms("a", at)
    assert index == 0 or times[index] <= latest
    assert index == len(times) - 1 or times[index + 1] > latest


def test_the_true_delay_is_as_the_clocks_have_it():
    made = switcher(plan(), {"a": Delay(180.0)}, a=Timing(offset_ms=50.0))
    measured = truth(made)["cameras"][0]
    assert measured["pathDelayMs"] == 180.0
    # A frame is 0 to 40 ms older than the path's delay; the camera's clock is 50 ms ahead.
    assert 130.0 <= measured["delayMs"] <= 170.0
    assert truth(made)["cameras"][1]["delayMs"] is None


def test_verdicts_carry_the_event_they_are_about():
    owed = Expected(VerdictCode.WRONG_CAMERA, "m1", take=1, planted=True)
    found = truth(switcher(plan(Take(2000.0, camera("b")), expected=(owed,))))
    (verdict,) = found["verdicts"]
    assert verdict["eventId"] == found["events"][0]["id"]
    assert verdict["atMs"] == found["events"][0]["atMs"]
    assert verdict["planted"]


def test_a_verdict_on_what_nobody_sees_is_refused():
    owed = Expected(VerdictCode.AGREE, "m1", take=1)
    with pytest.raises(ValueError, match="never reached the program"):
        truth(switcher(plan(Take(2000.0, camera("a")), expected=(owed,))))


def test_a_plan_must_begin_with_a_take():
    with pytest.raises(ValueError, match="first take"):
        switcher(Plan(duration_ms=1000.0, takes=(Take(500.0, camera("a")),)))


def test_labels_speak_the_shared_vocabulary():
    made = switcher(plan(Take(2000.0, SLATE)))
    assert {frame.label.state for frame in made.frames()} == {
        ShotState.LIVE,
        ShotState.OFF_CAMERA,
    }
