"""Gaps of a feed, and a program that stands still."""

import numpy as np
import pytest
from tests.unit.sample_pictures import Camera, cuts, texture, watch

from tap.sight.presence import GIVEN_UP, Presence
from tap.vocabulary import PROGRAM


def told(presence):
    return [(e.type.value, e.at_ms, e.from_camera, e.to_camera) for e in presence.take()]


def fed(*times, feed="cam-a"):
    presence = Presence(feed, 1000.0)
    gaps = [presence.frame(t) for t in times]
    return presence, [g for g in gaps if g]


def test_steady_frames_are_no_gap():
    presence, gaps = fed(*range(0, 4000, 40))
    assert gaps == []
    assert presence.frames == 100
    assert presence.interval_ms == pytest.approx(40, abs=0.5)
    assert told(presence) == []


def test_a_gap_begins_where_the_next_frame_was_due():
    presence, [gap] = fed(*range(0, 4000, 40), 9000)
    assert gap == (pytest.approx(4000, abs=1), 9000, "no frames")
    assert [(e[0], e[2], e[3]) for e in told(presence)] == [
        ("feed_lost", "cam-a", None),
        ("feed_back", None, "cam-a"),
    ]
    assert presence.gaps[0][1:] == (9000, "no frames")


def test_silence_is_told_once_and_before_it_ends():
    presence, _ = fed(0, 40, 80)
    for now in (500, 1081, 2000, 3000):
        presence.pass_time(now)
    assert [e[0] for e in told(presence)] == ["feed_lost"]
    presence.frame(5000)
    assert [e[0] for e in told(presence)] == ["feed_back"]


def test_a_gap_at_the_end_is_one():
    presence, _ = fed(0, 40, 80)
    assert presence.finish(5000) == presence.gaps[0]
    assert [e[0] for e in told(presence)] == ["feed_lost"]
    assert presence.finish(9000) is None
    presence, _ = fed(0, 40, 80)
    assert presence.finish(900) is None
    assert presence.gaps == []


def test_a_feed_that_never_came_was_never_lost():
    presence = Presence("cam-a", 1000.0)
    presence.pass_time(1e9)
    assert presence.finish(1e9) is None
    assert told(presence) == []


def test_the_program_has_no_camera_name():
    presence, _ = fed(0, 5000, feed=PROGRAM)
    assert [e[2:] for e in told(presence)] == [(None, None), (None, None)]


def test_frames_given_up_are_a_gap_but_the_feed_is_not_lost():
    presence, _ = fed(*range(0, 4000, 40))
    presence.give_up(4000, 8000)
    for now in (4000, 8000, 9000):
        presence.pass_time(now)
    assert presence.frame(8040) == (pytest.approx(4000, abs=1), 8040, GIVEN_UP)
    [gap] = presence.gaps
    assert (gap[:2], gap[2]) == (pytest.approx((4000, 8040), abs=1), GIVEN_UP)
    assert told(presence) == []
    assert presence.frame(8080) is None


def test_a_feed_that_falls_silent_beside_frames_given_up_is_lost():
    presence, _ = fed(*range(0, 4000, 40))
    presence.give_up(6000, 8000)
    presence.give_up(8040, 9000)
    presence.pass_time(12_000)
    assert presence.finish(12_000) == (pytest.approx(4000, abs=1), 12_000, GIVEN_UP)
    assert [why for *_, why in presence.gaps] == ["no frames", GIVEN_UP, GIVEN_UP, "no frames"]
    assert [(e[0], round(e[1])) for e in told(presence)] == [
        ("feed_lost", 4000),
        ("feed_back", 6000),
        ("feed_lost", 9040),
    ]


# ---------------------------------------------------------------- freeze

CAMERAS = {"a": Camera(1), "b": Camera(2)}


def frozen_between(start, end, *, base):
    live = cuts(CAMERAS, [(0, base)])
    return lambda ms: live(start) if start <= ms < end else live(ms)


def freezes(seen):
    return [(at, kind) for kind, at, *_ in seen.told(also=True) if kind == "freeze"]


def test_a_freeze_is_an_event_within_the_shot():
    seen = watch(CAMERAS, frozen_between(2000, 3200, base="a"), 5.0)
    assert freezes(seen) == [(2000, "freeze")]
    [event] = [e for e in seen.events if e.type.value == "freeze"]
    assert event.duration_ms == pytest.approx(1160, abs=41)
    assert seen.told() == []


def test_a_short_stall_is_no_freeze():
    assert freezes(watch(CAMERAS, frozen_between(2000, 2300, base="a"), 4.0)) == []


def test_a_still_camera_is_no_freeze():
    cameras = {"a": Camera(1, still=True), "b": Camera(2)}
    picture = cameras["a"].at(0)
    assert freezes(watch(cameras, lambda ms: picture, 4.0)) == []


def test_black_is_no_freeze():
    assert freezes(watch(CAMERAS, lambda ms: np.zeros((90, 160), np.uint8), 3.0)) == []


def test_what_was_not_seen_is_not_frozen():
    live = cuts(CAMERAS, [(0, "a")])

    def show(ms):
        if 2040 <= ms < 5000:
            return None
        return live(2000) if 5000 <= ms < 5100 else live(ms)

    assert freezes(watch(CAMERAS, show, 7.0)) == []


def test_a_long_freeze_stays_its_cameras_shot():
    seen = watch(CAMERAS, frozen_between(2000, 7000, base="a"), 8.0)
    assert freezes(seen) == [(2000, "freeze")]
    assert seen.told() == []
    assert seen.camera_at(6500) == "a"


def test_a_slate_is_no_freeze():
    live, slate = cuts(CAMERAS, [(0, "a")]), texture(60)
    assert freezes(watch(CAMERAS, lambda ms: slate if 1500 <= ms < 4000 else live(ms), 5.0)) == []
