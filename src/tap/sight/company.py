"""A program is zoomed as a whole: the cameras that are not on go along with the one that is.

One that stayed where it was last seen would be looked for there while a wipe or a dissolve to it
begins: too little of it is to be seen then to be found elsewhere. Where a program zooms each
camera in its own way, one that went along is found again once it is on.
"""

from collections.abc import Callable

from tap.sight.look import WHOLE, Rect
from tap.sight.motion import is_zoom_of, laid_alike, same_place, step
from tap.sight.placement import Placement, shown_of, window_of

_SAME, _LITTLE = 0.002, 0.03
"""Edges that differ by the first part of the picture lie alike; up to the second, they may."""


class Company:
    """Keeps the cameras that were seen in the places that they would have by now.

    `where` tells how a camera lies, by number; `base` how it would in a program without a zoom, as
    far as its shape tells; `place` gives it another placement.
    """

    def __init__(
        self,
        count: int,
        where: Callable[[int], Placement | None],
        base: Callable[[int], Placement | None],
        place: Callable[[int, Placement], None],
    ) -> None:
        self._count = count
        self._where = where
        self._base = base
        self._place = place
        self._homes: dict[int, Placement] = {}
        """How each camera that was seen lies in the program without a zoom."""
        self._last: dict[int, Placement] = {}
        """How it lay when it was last on."""
        self._window = WHOLE
        """The part of the program that is shown."""
        self._leader: int | None = None

    def forget(self, number: int) -> None:
        """A camera's picture has a new shape, or the program's."""
        self._homes.pop(number, None)
        self._last.pop(number, None)

    def lead(self, number: int, *, zooms: bool) -> None:
        """A camera is on beyond doubt where it lies: what has changed, has for all of them.

        `zooms`: the program was seen to, for some frames. Else what moves but a little does so by
        the errors of the measuring, unless it comes home.
        """
        now = self._where(number)
        if now is None:
            return
        comes, self._leader = number != self._leader, number
        if number not in self._homes:
            self._homes[number] = self._first_home(number, now)
        home, last = self._homes[number], self._last.get(number)
        self._last[number] = now
        if not is_zoom_of(home, now):
            self._homes[number], self._window = now, WHOLE
            return
        expected = shown_of(home, self._window)
        moved, homewards = step(expected, now), step(home, now) < step(home, expected)
        if moved > (_SAME if zooms or homewards else _LITTLE):
            self._explain(number, now, last if comes else None)
            self._bring_along(number)

    def _explain(self, number: int, now: Placement, last: Placement | None) -> None:
        """A camera lies otherwise than thought: the program has zoomed, or it is cropped by itself.
        `last`: how it lay when it was last on, if it has just come on."""
        home, own = self._homes[number], _unzoomed(now, self._window)
        if last is not None and same_place(last, now) and own.possible:
            self._homes[number] = own
        else:
            window = window_of(home, now)
            self._window = WHOLE if window.near(WHOLE, _SAME) else window

    def go_on(self, number: int) -> None:
        """A zoom of the program will have gone on: a camera was placed where it must lie by now."""
        now, home = self._where(number), self._homes.get(number)
        if now is not None and home is not None and is_zoom_of(home, now):
            self._window = window_of(home, now)
            self._bring_along(number)

    def _first_home(self, number: int, now: Placement) -> Placement:
        """For a camera that is seen for the first time: as the others, unless it lies elsewhere."""
        as_others = next((self._as(other, number) for other in self._homes), None)
        if as_others is None or not is_zoom_of(as_others, now):
            return now
        at_rest = self._window == WHOLE and step(as_others, now) <= _LITTLE
        return now if at_rest else as_others

    def _as(self, other: int, number: int) -> Placement | None:
        """Where a camera is at home if it is laid out as another one is, for its shape."""
        home, base, own = self._homes[other], self._base(other), self._base(number)
        if base is None or own is None or not laid_alike(base, home):
            return None
        return shown_of(own, window_of(base, home))

    def _bring_along(self, leader: int) -> None:
        for number in range(self._count):
            home, now = self._homes.get(number) or self._as(leader, number), self._where(number)
            if number == leader or home is None or now is None:
                continue
            placement = shown_of(home, self._window)
            there = laid_alike(now, placement) and step(now, placement) <= _SAME
            if placement.possible and not there:
                self._place(number, placement)


def _unzoomed(placement: Placement, window: Rect) -> Placement:
    """How a camera lies in the whole program that lies so in a window of it."""
    w, h = window.x1 - window.x0, window.y1 - window.y0
    whole = Rect(-window.x0 / w, -window.y0 / h, (1 - window.x0) / w, (1 - window.y0) / h)
    return shown_of(placement, whole)
