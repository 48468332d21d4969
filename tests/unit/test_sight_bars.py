"""Bars around the picture, and cameras inside of them."""

import numpy as np
import pytest
from tests.unit.sample_pictures import texture

from tap.sight.bars import Bars
from tap.sight.look import WHOLE, Rect
from tap.sight.placement import Placement, clipped, usual_placements


def boxed(top: int, bottom: int, left: int = 0, right: int = 0) -> np.ndarray:
    picture = texture(4, 135, 240) // 2 + 60
    picture[:top] = 16
    picture[135 - bottom :] = 16
    picture[:, :left] = 16
    picture[:, 240 - right :] = 16
    return picture.astype(np.uint8)


def seen(picture: np.ndarray, times: int = 8) -> Rect:
    bars = Bars()
    for _ in range(times):
        bars.look(picture)
    return bars.rect


def test_bars_are_found_and_their_edges_left_out():
    rect = seen(boxed(15, 15))
    assert (rect.x0, rect.x1) == (0, 1)
    assert 15 / 135 < rect.y0 < 18 / 135
    assert 117 / 135 < rect.y1 < 120 / 135


def test_one_picture_makes_no_bars_and_a_black_one_tells_nothing():
    assert seen(boxed(15, 15), times=2) == WHOLE
    bars = Bars()
    for _ in range(8):
        bars.look(boxed(0, 0))
    for _ in range(50):
        bars.look(np.full((135, 240), 3, np.uint8))
    assert bars.rect == WHOLE


def test_what_is_lit_again_is_no_bar():
    bars = Bars()
    for _ in range(10):
        bars.look(boxed(15, 15))
    for _ in range(10):
        bars.look(boxed(0, 0))
    assert bars.rect == WHOLE


def test_tiny_pictures_have_none():
    assert seen(np.full((2, 2), 99, np.uint8)) == WHOLE


@pytest.mark.parametrize("mirror", [False, True])
def test_a_camera_behind_bars_is_the_part_that_is_not_covered(mirror):
    box = Rect(0.25, 0.1, 1.0, 0.9)
    inner = clipped(Placement(mirror=mirror), box)
    assert inner.on == box
    across = (0.0, 0.75) if mirror else (0.25, 1.0)
    assert (inner.of.x0, inner.of.x1) == pytest.approx(across)
    assert (inner.of.y0, inner.of.y1) == pytest.approx((0.1, 0.9))


def test_next_to_nothing_is_not_clipped():
    place = Placement(on=Rect(0, 0, 0.3, 1))
    assert clipped(place, Rect(0.28, 0, 1, 1)) == place


def test_a_programme_squeezed_between_bars_is_among_the_usual():
    inside = Rect(0.125, 0, 0.875, 1)
    usual = usual_placements((640, 360), (640, 480), inside)
    assert Placement(on=inside) in usual
    assert any(p.on == inside and not p.of.whole for p in usual)
    assert len(usual) % 2 == 0
    assert [p.mirror for p in usual] == [False] * (len(usual) // 2) + [True] * (len(usual) // 2)


def test_bars_that_come_are_guessed_long_before_they_are_believed():
    bars, picture = Bars(), np.full((90, 160), 150, np.uint8)
    for _ in range(30):
        bars.look(picture)
    letterboxed = picture.copy()
    letterboxed[:12] = letterboxed[-12:] = 16
    for _ in range(8):
        bars.look(letterboxed)
    assert bars.rect == WHOLE
    assert 0.12 < bars.lately.y0 < 0.17
    assert 0.83 < bars.lately.y1 < 0.88
