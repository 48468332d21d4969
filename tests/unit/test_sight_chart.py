"""A camera held to its own record."""

import numpy as np
import pytest

from tap.sight.chart import Chart, stranger
from tap.sight.look import BLOCKS

INFORMATION = np.full(BLOCKS, 5.0)
STILL = np.zeros(BLOCKS, np.float32)
MOVING = np.where(np.arange(BLOCKS) < 8, 0.8, 0.0).astype(np.float32)


def taught(usual: float = 0.9, wobble: float = 0.01) -> Chart:
    random = np.random.default_rng(1)
    chart = Chart()
    for _ in range(60):
        chart.learn(random.normal(usual, wobble, BLOCKS), INFORMATION, MOVING)
    return chart


def test_it_is_like_itself_as_ever():
    chart = taught()
    fits = np.full(BLOCKS, 0.9)
    assert chart.unlike(fits, INFORMATION) < -0.8
    assert chart.untimely(fits, INFORMATION, MOVING) < -0.8
    assert chart.usual == pytest.approx(0.9, abs=0.02)


def test_a_neighbour_that_fits_less_everywhere_is_unlike():
    assert taught().unlike(np.full(BLOCKS, 0.75), INFORMATION) > 0.5


def test_an_overlay_over_a_third_changes_nothing():
    chart = taught()
    fits = np.where(np.arange(BLOCKS) < 11, 0.0, 0.9)
    assert chart.unlike(fits, INFORMATION) < -0.8
    assert int(chart.covered(fits, INFORMATION, 0.35).sum()) == 11


def test_an_older_picture_is_unlike_only_in_what_moves():
    chart = taught()
    fits = np.where(MOVING > 0, 0.1, 0.9)
    assert chart.unlike(fits, INFORMATION) < -0.8
    assert chart.untimely(fits, INFORMATION, MOVING) > 0.5
    assert chart.untimely(fits, INFORMATION, STILL) == -1.0
    assert chart.untimely(fits, INFORMATION, None) == -1.0


def test_a_camera_that_always_varies_is_given_more_room():
    steady, varying = taught(0.7, 0.005), Chart()
    for n in range(200):
        varying.learn(np.full(BLOCKS, 0.7 + 0.08 * (-1) ** n), INFORMATION, STILL)
    fits = np.full(BLOCKS, 0.55)
    assert steady.unlike(fits, INFORMATION) > 0.5
    assert varying.unlike(fits, INFORMATION) < 0


def test_a_camera_without_a_record_is_held_to_the_others():
    assert stranger(np.full(BLOCKS, 0.85), INFORMATION, 0.9) < 0
    assert stranger(np.full(BLOCKS, 0.5), INFORMATION, 0.9) > 0.5


def test_a_new_placement_starts_a_new_record():
    chart = taught()
    assert chart.settled
    chart.restart()
    assert not chart.settled


@pytest.mark.parametrize("covered", [4, 16, 26])
def test_a_picture_under_a_graphic_fits_as_ever_or_not_at_all(covered):
    fits = np.where(np.arange(BLOCKS) < covered, 0.02, 0.89)
    assert taught().is_under(fits, INFORMATION)


def test_neither_another_camera_nor_a_full_graphic_is_a_picture_under_one():
    chart, random = taught(), np.random.default_rng(5)
    assert not chart.is_under(random.uniform(0.3, 0.9, BLOCKS), INFORMATION)
    assert not chart.is_under(np.full(BLOCKS, 0.02), INFORMATION)


def test_plain_parts_of_a_picture_tell_of_no_graphic_over_the_rest():
    """They never fit well, and so fit as ever, whatever is there."""
    plain, chart = np.arange(BLOCKS) < 20, Chart()
    for _ in range(50):
        chart.learn(np.where(plain, 0.02, 0.9), INFORMATION, STILL)
    assert not chart.is_under(np.full(BLOCKS, 0.02), INFORMATION)
    assert chart.is_under(np.where(np.arange(BLOCKS) < 26, 0.02, 0.9), INFORMATION)


def test_where_something_always_lies_over_it_a_camera_is_never_to_be_seen():
    """Bars, say: they hold half of all nats, and are as ever, whatever is between them."""
    bars = np.arange(BLOCKS) % 4 < 2
    chart, information = Chart(), np.where(bars, 13.0, 9.0)
    for _ in range(30):
        chart.learn(np.where(bars, 0.0, 0.8), information, STILL)
    assert chart.unlike(np.where(bars, 0.0, 0.8), information) < -0.8
    assert chart.unlike(np.where(bars, 0.1, 0.1), information) > 0.5


def test_next_to_nothing_is_unlike_even_a_camera_that_fits_poorly_and_varies():
    chart = Chart()
    for n in range(200):
        chart.learn(np.full(BLOCKS, 0.32 + 0.15 * (-1) ** n), INFORMATION, STILL)
    assert chart.unlike(np.full(BLOCKS, 0.2), INFORMATION) < 0
    assert chart.unlike(np.full(BLOCKS, 0.03), INFORMATION) > 0


def test_what_moves_is_untimely_only_where_it_is_worse_than_what_stands_still():
    """A zoom of the program costs sharpness everywhere."""
    chart = taught()
    assert chart.untimely(np.full(BLOCKS, 0.6), INFORMATION, MOVING) < 0
    assert chart.untimely(np.where(MOVING > 0, 0.6, 0.9), INFORMATION, MOVING) > 0


def test_a_graphic_goes_on_though_all_that_it_covers_may_move_by_now():
    under = np.arange(BLOCKS) >= BLOCKS - 6
    fits = np.where(under, 0.02, 0.9)
    some, all_move = (np.where(np.arange(BLOCKS) >= n, 0.5, 0.0) for n in (BLOCKS - 4, BLOCKS - 6))
    chart = taught()
    assert chart.untimely(fits, INFORMATION, all_move.astype(np.float32)) > 0.5
    for _ in range(5):
        chart.learn(fits, INFORMATION, some.astype(np.float32))
    assert chart.untimely(fits, INFORMATION, all_move.astype(np.float32)) < -0.5
    chart.learn(np.full(BLOCKS, 0.9), INFORMATION, all_move.astype(np.float32))
    assert chart.untimely(fits, INFORMATION, all_move.astype(np.float32)) > 0.5
