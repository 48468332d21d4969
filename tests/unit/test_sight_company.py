"""The cameras that are not on go along with a zoom of the program."""

import pytest

from tap.sight.company import Company
from tap.sight.look import WHOLE, Rect
from tap.sight.placement import Placement, shown_of

WINDOW = Rect(0.1, 0.2, 0.8, 0.9)


class Room:
    """Cameras of one shape, and where they lie."""

    def __init__(self, *lie):
        self.lie = dict(enumerate(lie))
        self.company = Company(
            len(lie),
            self.lie.get,
            lambda number: Placement(mirror=self.lie[number].mirror),
            self.put,
        )

    def put(self, number, placement):
        self.lie[number] = placement

    def on(self, number, placement, *, zooms=True):
        """A camera is on, and lies so."""
        self.lie[number] = placement
        self.company.lead(number, zooms=zooms)


def about(placement):
    of = placement.of
    return pytest.approx((of.x0, of.y0, of.x1, of.y1), abs=1e-9)


def where(room, number):
    of = room.lie[number].of
    return of.x0, of.y0, of.x1, of.y1


def test_what_zooms_takes_all_cameras_along_each_as_it_lies():
    mirrored, beside = Placement(mirror=True), Placement(of=Rect(0.01, 0.01, 0.98, 0.98))
    room = Room(Placement(), mirrored, beside)
    for number, placement in ((1, mirrored), (2, beside), (0, Placement())):
        room.on(number, placement)
    room.on(0, shown_of(Placement(), WINDOW))
    assert where(room, 1) == about(shown_of(mirrored, WINDOW))
    assert room.lie[1].mirror
    assert where(room, 2) == about(shown_of(beside, WINDOW))


def test_one_that_was_never_on_is_expected_in_the_zoom_too():
    room = Room(Placement(), Placement())
    room.on(0, Placement())
    room.on(0, shown_of(Placement(), WINDOW))
    assert where(room, 1) == about(shown_of(Placement(), WINDOW))


def test_all_go_home_once_the_zoom_is_over_however_it_went():
    room = Room(Placement(), Placement())
    room.on(1, Placement())
    room.on(0, Placement())
    for part in (0.9, 0.7, 0.5):
        room.on(0, shown_of(Placement(), Rect(0, 0, part, part)))
    room.on(1, shown_of(Placement(), Rect(0.01, 0, 0.51, 0.5)))  # a little off: it zoomed on
    room.on(1, Placement())
    assert where(room, 0) == about(Placement())


def test_a_zoom_is_known_to_go_on_before_its_camera_is_seen_in_it():
    room = Room(Placement(), Placement())
    room.on(1, Placement())
    room.on(0, shown_of(Placement(), WINDOW))
    ahead = shown_of(Placement(), Rect(0.15, 0.25, 0.75, 0.85))
    room.put(0, ahead)
    room.company.go_on(0)
    assert where(room, 1) == about(ahead)


def test_a_camera_that_is_cropped_by_itself_does_not_move_the_others_for_good():
    own = Placement(of=Rect(0.1, 0.1, 0.9, 0.9))
    room = Room(own, Placement())
    room.on(0, own)
    room.on(1, Placement())  # found where it always was: it went along with the first one
    room.on(0, own)
    assert where(room, 1) == about(Placement())
    room.on(1, Placement())
    assert where(room, 0) == about(own)


def test_what_moves_but_a_little_is_an_error_as_long_as_nothing_zooms():
    room = Room(Placement(), Placement())
    room.on(1, Placement())
    room.on(0, Placement())
    room.on(0, Placement(of=Rect(0.01, 0.01, 0.99, 0.99)), zooms=False)
    assert where(room, 1) == about(Placement())


def test_another_layout_is_no_zoom():
    room = Room(Placement(), Placement())
    room.on(1, Placement())
    room.on(0, Placement(on=Rect(0, 0.1, 1, 0.9)))
    room.on(0, Placement(on=Rect(0, 0.1, 1, 0.9), of=Rect(0.1, 0.1, 0.9, 0.9)))
    assert room.lie[1].on == WHOLE
