"""How placements move."""

import pytest

from tap.sight.look import Rect
from tap.sight.motion import kept_inside, same_way, zooms
from tap.sight.placement import Placement


def test_a_part_that_sticks_out_is_pushed_inside():
    pushed = kept_inside(Rect(0.3, -0.02, 1.05, 0.73))
    assert (pushed.x0, pushed.y0, pushed.x1, pushed.y1) == pytest.approx((0.25, 0.0, 1.0, 0.75))
    assert kept_inside(Rect(0.1, 0.2, 0.6, 0.7)) == Rect(0.1, 0.2, 0.6, 0.7)


def test_a_zoom_changes_the_size_and_a_shift_does_not():
    zoomed = Placement(of=Rect(0.01, 0.01, 0.99, 0.99))
    assert zooms(Placement(), zoomed)
    assert not zooms(Placement(), Placement(of=Rect(0.01, 0.0, 1.01, 1.0)))
    assert not zooms(zoomed, zoomed)


def test_speeds_of_one_direction():
    assert same_way((1, 1, -1, -1), (2, 1.5, -2, -1.5))
    assert not same_way((1, 1, -1, -1), (-1, -1, 1, 1))
    assert not same_way((0, 0, 0, 0), (1, 1, -1, -1))
