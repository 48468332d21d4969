"""Where an inset ends tells whose it is."""

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import noisy, texture

from tap.sight.look import Rect
from tap.sight.outline import likely
from tap.sight.placement import Placement, whole_of

BOX = Rect(0.425, 0.4, 0.925, 0.9)
WORLD = texture(5, 200, 340)


def program(big, *, graded=False):
    """The big camera's picture with part of the world in a box."""
    shown = big.copy()
    small = cv2.resize(WORLD[40:175, 60:300], (120, 68), interpolation=cv2.INTER_AREA)
    shown[54:122, 102:222] = small
    return noisy(shown * 0.8 + 20 if graded else shown, 1)


def beside(part):
    """The place of a camera that shows the same, but films it from so far aside."""
    w = BOX.x1 - BOX.x0
    return Placement(on=Rect(BOX.x0 + part * w, BOX.y0, BOX.x1 + part * w, BOX.y1))


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("graded", [False, True])
def test_the_one_that_ends_where_the_box_does_is_the_likeliest(mirror, graded):
    big = texture(9, 135, 240)
    picture = program(big[:, ::-1] if mirror else big, graded=graded)
    right, wrong = likely(picture, big, Placement(mirror=mirror), [beside(0.0), beside(0.06)])
    assert right > 0.6
    assert wrong < 0.3 * right


@pytest.mark.parametrize("aside", [-0.03, 0.03])
def test_a_frame_around_an_inset_is_no_other_place(aside):
    big = texture(9, 135, 240)
    picture = program(big)
    cv2.rectangle(picture, (101, 53), (222, 122), 235, 1)
    right, wrong = likely(picture, big, Placement(), [beside(0.0), beside(aside)])
    assert right > 0.9
    assert wrong < 0.7 * right


@pytest.mark.parametrize("aside", [-0.06, 0.06])
def test_a_frame_is_seen_though_the_wall_goes_on_in_it(aside):
    """Heads before one wall: the grade differs from what is behind by more than the inset does."""
    big = np.full((135, 240), 120, np.uint8)
    big[30:, 90:130] = texture(9, 105, 40)
    picture = big.copy()
    picture[40:, 85:] += 15
    picture[54:122, 102:222] = 124
    picture[80:122, 150:180] = texture(5, 42, 30)
    cv2.rectangle(picture, (101, 53), (222, 122), 150, 1)
    right, wrong = likely(noisy(picture, 1), big, Placement(), [beside(0.0), beside(aside)])
    assert right > 0.9
    assert wrong < 0.3


def test_another_edge_near_one_of_them_leaves_what_the_others_tell():
    big = texture(9, 135, 240)
    picture = program(big)
    picture[54:122, 206:222] = noisy(big, 1)[54:122, 206:222]  # the right end of it is covered
    right, wrong = likely(picture, big, Placement(), [beside(0.0), beside(0.06)])
    assert right > 0.6
    assert wrong < 0.3 * right


@pytest.mark.parametrize("from_edge", [3, 9])
def test_an_inset_that_stands_near_the_edge_of_the_picture(from_edge):
    big = texture(9, 135, 240)
    picture = big.copy()
    small = cv2.resize(WORLD[40:175, 60:300], (120, 68), interpolation=cv2.INTER_AREA)
    picture[40:108, from_edge : from_edge + 120] = small
    picture[:, from_edge + 60 :] = big[:, from_edge + 60 :]  # only its left edge is to be seen
    x0, w, y = from_edge / 240, 120 / 240, (40 / 135, 108 / 135)
    places = [
        Placement(on=Rect(x0 + aside * w, y[0], x0 + (1 + aside) * w, y[1]))
        for aside in (0.0, 0.05)
    ]
    right, wrong = likely(noisy(picture, 1), big, Placement(), places)
    assert right > 0.9
    assert wrong < 0.7 * right


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rect", [Rect(0.3, -0.5, 0.8, -0.01), Rect(1.2, 0.2, 1.7, 0.7)])
def test_an_inset_outside_of_the_picture_is_not_likely(rect):
    big = texture(9, 135, 240)
    right, wrong = likely(program(big), big, Placement(), [beside(0.0), Placement(on=rect)])
    assert right == 1.0
    assert wrong < 0.3


def test_nothing_is_told_where_no_edge_is_seen():
    big = texture(9, 135, 240)
    assert likely(noisy(big, 1), big, Placement(), [beside(0.0), beside(0.06)]) == [1.0, 1.0]


@pytest.mark.parametrize("mirror", [False, True])
def test_a_part_of_a_camera_lies_where_the_whole_says(mirror):
    seen = Placement(on=Rect(0.2, 0.3, 0.6, 0.7), of=Rect(0.1, 0.1, 0.9, 0.9), mirror=mirror)
    whole = whole_of(seen, Rect(0, 0.1, 0.5, 0.9))
    x = (0.4, 0.65) if mirror else (0.15, 0.4)
    assert (whole.on.x0, whole.on.x1) == pytest.approx(x)
    assert (whole.on.y0, whole.on.y1) == pytest.approx((0.3, 0.7))
