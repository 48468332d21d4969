"""Lazy looking: who is left out, what is decoded, and that it says what full looking says."""

import numpy as np
import pytest
from tests.unit.sample_pictures import Camera, cuts, frames

from tap.sight import Sight, SightSettings
from tap.vocabulary import PROGRAM, Frame, ShotState, Undecoded

A, B, C = "cam-a", "cam-b", "cam-c"
FULL, LAZY = SightSettings(full_look=True), SightSettings()


class Counted:
    """A shoot whose pictures count how many of each camera are decoded."""

    def __init__(self, cameras, show, seconds):
        self.decoded = dict.fromkeys(cameras, 0)
        self.given = dict.fromkeys(cameras, 0)
        self._frames = list(frames(cameras, show, seconds))

    def __iter__(self):
        for frame in self._frames:
            if frame.feed == PROGRAM:
                yield frame
                continue
            self.given[frame.feed] += 1
            yield Frame(frame.feed, frame.index, frame.at_ms, self._late(frame), frame.size)

    def _late(self, frame):
        def decode():
            self.decoded[frame.feed] += 1
            return frame.luma

        return Undecoded(decode)

    def part(self, feed):
        """The part of a camera's pictures that were decoded."""
        return self.decoded[feed] / self.given[feed]


def watch(settings, shoot):
    sight = Sight([A, B, C], settings)
    taken = []
    for frame in shoot:
        sight.see(frame)
        taken.append(sight.take())
    sight.finish()
    taken.append(sight.take())
    return [p for pieces, _ in taken for p in pieces], [e for _, events in taken for e in events]


def told(pieces):
    """What was said of which time, joined."""
    out = []
    for shot, _ in pieces:
        key = shot.state, shot.camera, shot.cameras
        if out and out[-1][0] == key:
            out[-1] = key, out[-1][1], shot.end_ms
        else:
            out.append((key, shot.start_ms, shot.end_ms))
    return out


DISTINCT = {A: Camera(1), B: Camera(2), C: Camera(3)}
SHOWN = [(0, A), (4000, B), (8000, C), (12_000, A)]


def test_lazy_looking_says_what_full_looking_says():
    lazy, full = (watch(s, Counted(DISTINCT, cuts(DISTINCT, SHOWN), 16.0)) for s in (LAZY, FULL))
    assert told(lazy[0]) == told(full[0])
    assert [(e.type, e.at_ms, e.to_camera) for e in lazy[1]] == [
        (e.type, e.at_ms, e.to_camera) for e in full[1]
    ]
    assert len([e for e in lazy[1] if e.to_camera]) == 3


def test_most_pictures_of_cameras_that_are_not_live_are_never_decoded():
    shoot = Counted(DISTINCT, cuts(DISTINCT, [(0, A), (3000, B), (6000, C), (9000, A)]), 60.0)
    watch(LAZY, shoot)
    assert shoot.part(B) < 0.25
    assert shoot.part(C) < 0.25
    assert shoot.part(A) < 0.75


def test_of_a_camera_that_is_not_on_four_pictures_a_second_are_decoded():
    """Two for all who look now and then, and two for its longer past."""

    def show(ms):
        return cuts(DISTINCT, [(0, A), (3000, B), (6000, A)])(max(0.0, ms - 480))

    short, long = (Counted(DISTINCT, show, seconds) for seconds in (15.0, 35.0))
    watch(LAZY, short)
    watch(LAZY, long)
    assert long.decoded[C] - short.decoded[C] <= 4 * 20 + 2


def test_full_looking_decodes_everything():
    shoot = Counted(DISTINCT, cuts(DISTINCT, SHOWN), 16.0)
    watch(FULL, shoot)
    assert all(shoot.part(feed) == pytest.approx(1.0, abs=0.02) for feed in DISTINCT)


def test_a_camera_that_looks_like_the_live_one_is_always_looked_at():
    cameras = {A: Camera(1), B: Camera(1), C: Camera(3)}
    shoot = Counted(cameras, cuts(cameras, [(0, C), (4000, A)]), 20.0)
    pieces, _ = watch(LAZY, shoot)
    last = pieces[-1][0]
    assert last.state is ShotState.AMBIGUOUS
    assert set(last.cameras) == {A, B}
    assert shoot.decoded[B] == pytest.approx(shoot.decoded[A], rel=0.1)


@pytest.mark.parametrize("length", [4, 6, 9])
def test_a_short_shot_among_pictures_that_are_passed_over_is_found_to_the_frame(length):
    start = 10_000
    plan = [(0, A), (3000, B), (6000, A), (start, B), (start + 40 * length, A)]
    lazy, full = (watch(s, Counted(DISTINCT, cuts(DISTINCT, plan), 14.0)) for s in (LAZY, FULL))
    assert told(lazy[0]) == told(full[0])


def test_others_that_look_do_not_change_what_is_said():
    plain = watch(LAZY, Counted(DISTINCT, cuts(DISTINCT, SHOWN), 16.0))
    looked = Counted(DISTINCT, cuts(DISTINCT, SHOWN), 16.0)

    def seen_by_somebody():
        for frame in looked:
            assert frame.luma.dtype == np.uint8
            yield frame

    assert watch(LAZY, seen_by_somebody()) == plain
