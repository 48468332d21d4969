"""Older pictures of a camera are told from a camera that has become later."""

import pytest
from tests.unit.sample_pictures import DELAY_MS, Camera, cuts, noisy, watch

from tap.sight.elsewhen import ELSEWHEN_MS, Elsewhen
from tap.sight.settings import JUMP_MS
from tap.vocabulary import ShotState

HIGH_MS, STEP_MS = 200.0, 40.0


def looks(*lags_ms, as_ever=True):
    camera = Elsewhen()
    return [camera.look(n, lag, HIGH_MS, STEP_MS, as_ever=as_ever) for n, lag in enumerate(lags_ms)]


def test_what_is_as_late_in_each_picture_and_fits_as_ever_has_become_so_late():
    assert looks(800, 760, 800, 790, 780) == [None, None, None, False, False]


def test_one_picture_that_is_shown_on_and_on_is_an_older_one():
    assert looks(800, 840, 880, 920, 960) == [None, None, None, True, True]


@pytest.mark.parametrize(
    ("lag_ms", "as_ever"), [(800, False), (HIGH_MS + JUMP_MS + 1, True)], ids=["worse", "far"]
)
def test_what_fits_less_or_is_too_late_is_older_at_once(lag_ms, as_ever):
    assert looks(lag_ms, lag_ms, as_ever=as_ever) == [True, True]


def test_what_is_but_a_little_late_is_of_now():
    assert looks(*[HIGH_MS + ELSEWHEN_MS] * 5) == [False] * 5


def test_a_picture_that_is_looked_at_again_counts_once():
    camera = Elsewhen()
    told = [camera.look(n, 800, HIGH_MS, STEP_MS, as_ever=True) for n in (0, 1, 0, 1, 0, 1)]
    assert told == [None] * 6
    assert camera.lag_ms == 800


@pytest.mark.parametrize("later_ms", [200.0, 500.0, 900.0])
def test_a_camera_whose_delay_jumps_while_another_is_on_is_live(later_ms):
    cameras = {"a": Camera(1), "b": Camera(2), "c": Camera(3)}
    show = cuts(cameras, [(0, "b"), (1000, "a"), (3000, "b")])

    def jumped(ms):
        return noisy(cameras["a"].at(ms - DELAY_MS - later_ms), ms) if ms >= 5000 else show(ms)

    seen = watch(cameras, jumped, 8.0)
    assert seen.told() == [
        ("cut", 1000, "b", "a"),
        ("cut", 3000, "a", "b"),
        ("cut", 5000, "b", "a"),
    ]
    assert all(shot.state is ShotState.LIVE for shot, _ in seen.pieces)
    [a, *_] = seen.sight.cameras_seen()
    assert a.delay_ms == pytest.approx(DELAY_MS + later_ms - 20, abs=40)
