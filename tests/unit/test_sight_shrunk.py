"""Where another camera's picture lies, shrunk, though graphics lie over a part of it."""

import cv2
import pytest
from tests.unit.sample_pictures import noisy, texture

from tap.sight.look import WHOLE
from tap.sight.shrunk import find_shrunk, near_the_best, shapes

BIG, SMALL = texture(9, 90, 160), texture(5, 270, 480)
HIGH, WIDE, TOP, LEFT = 46, 82, 6, 9


def program():
    picture = BIG.copy()
    small = cv2.resize(SMALL, (WIDE, HIGH), interpolation=cv2.INTER_AREA)
    picture[TOP : TOP + HIGH, LEFT : LEFT + WIDE] = small
    return picture


def find(picture):
    return near_the_best(
        find_shrunk(picture, SMALL, WHOLE, dict.fromkeys(shapes(picture, SMALL), ()))
    )


@pytest.mark.parametrize(
    "rows", [slice(0, 0), slice(0, TOP + 12), slice(TOP + HIGH - 12, 90)], ids=["", "head", "foot"]
)
def test_it_is_found_to_a_pixel_or_two_under_graphics(rows):
    picture = program()
    picture[rows] = 20
    cv2.putText(picture[rows], "10:00", (14, 14), cv2.FONT_HERSHEY_DUPLEX, 0.5, 250)
    found = find(noisy(picture, 1))
    assert found
    peak, rect = found[0]
    assert peak > 0.8
    edges = (rect.x0 * 160, rect.y0 * 90, rect.x1 * 160, rect.y1 * 90)
    assert edges == pytest.approx((LEFT, TOP, LEFT + WIDE, TOP + HIGH), abs=2.5)


def test_another_picture_is_not_found():
    found = find(noisy(BIG, 1))
    assert all(peak < 0.8 for peak, _ in found)
