"""Wipes are read by their shapes: how far they have come, when they set out and arrive."""

import numpy as np
import pytest

from tap.rig.mixes import WIPES, wiped
from tap.sight.wipe import Wipe, read_wipe, run_of

GRID = (36, 64)


def votes_of(variant, progress, shape=GRID):
    """What each pixel votes in a wipe of the rig: 1 what comes, -1 what was."""
    height, width = shape
    black, white = (np.full((10 * height, 10 * width, 3), grey, np.uint8) for grey in (0, 255))
    picture = wiped(black, white, progress, variant)[..., 0].astype(np.float32)
    small = picture.reshape(height, 10, width, 10).mean(axis=(1, 3))
    return (small / 127.5 - 1.0).astype(np.float32)


def some(seed):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("variant", WIPES)
@pytest.mark.parametrize("progress", [0.1, 0.5, 0.9])
def test_a_shape_is_told_and_filled(variant, progress):
    votes = votes_of(variant, progress)
    wipe = read_wipe(votes)
    assert wipe.votes.max() > 0.97
    assert (wipe.second(GRID) == (votes > 0)).mean() > 0.98


def test_a_portrait_picture_is_read_as_well():
    votes = votes_of("iris", 0.5, (64, 36))
    assert (read_wipe(votes).second((64, 36)) == (votes > 0)).mean() > 0.98


def test_pixels_that_do_not_tell_do_not_vote():
    votes = votes_of("down", 0.6)
    alike = some(1).random(GRID) < 0.8
    wipe = read_wipe(np.where(alike, 0.0, votes).astype(np.float32))
    assert (wipe.second(GRID) == (votes > 0)).mean() > 0.96


def test_no_shape_explains_what_is_scattered():
    wipe = read_wipe(some(2).choice([-1.0, 1.0], GRID).astype(np.float32))
    assert wipe.votes.max() < 0.3


@pytest.mark.parametrize("variant", WIPES)
def test_the_middle_of_a_wipe_tells_its_ends(variant):
    progress = (np.arange(20) + 1) / 21
    read = [(n, read_wipe(votes_of(variant, p))) for n, p in enumerate(progress.tolist())]
    run = run_of(read[6:14])
    assert run == (pytest.approx(-1, abs=1), pytest.approx(20, abs=1))


def test_a_wipe_to_the_first_camera_runs_the_other_way():
    progress = (np.arange(20) + 1) / 21
    read = [(n, read_wipe(-votes_of("clock", p))) for n, p in enumerate(progress.tolist())]
    assert run_of(read[6:14]) == (pytest.approx(-1, abs=1), pytest.approx(20, abs=1))


def test_one_frame_that_is_misread_does_not_bend_the_line():
    progress = (np.arange(20) + 1) / 21
    read = [(n, read_wipe(votes_of("up", p))) for n, p in enumerate(progress.tolist())][5:15]
    read[4] = read[4][0], read_wipe(votes_of("up", 0.1))
    assert run_of(read) == (pytest.approx(-1, abs=1), pytest.approx(20, abs=1))


def wipe_at(way, votes=1.0):
    return Wipe(np.array([way]), np.array([votes]))


@pytest.mark.parametrize(
    "read",
    [
        [],
        [(n, wipe_at(0.1 * n)) for n in range(3)],  # too few
        [(n, wipe_at(0.5)) for n in range(9)],  # two cameras side by side
        [(n, wipe_at(way)) for n, way in enumerate((0.1, 0.6, 0.2, 0.9, 0.3, 0.8))],  # uneven
        [(n, wipe_at(0.1 * n, 0.6)) for n in range(9)],  # no shape
    ],
)
def test_what_is_no_even_run_has_no_ends(read):
    assert run_of(read) is None
