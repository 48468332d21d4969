"""Where in the program the picture is: what stays black at the edges are bars around it."""

import numpy as np
import numpy.typing as npt

from tap.sight.look import WHOLE, Rect
from tap.vocabulary import Luma

_BLACK = 26
"""Grey level up to which a row or column is bar: 16 in video levels, and what coding adds."""
_LIT = 12.0
"""Mean grey level below which a picture tells nothing of bars: it is black itself."""
_SMALLEST_PX = 16
_CLEAR_PX = 1.5
_LEAST = 0.01
"""Thinner bars, as a part of the picture, are the codec's edge."""
_SMALLEST = 0.3
"""A picture has at least this part of the program's width and height."""
_STEADY = 5
_FADE, _FADE_LATELY = 0.98, 0.7
"""Pace at which what was lit is forgotten, so that new bars are noticed: a dark picture must not be
taken for bars; and pace for what is but a guess."""


class Bars:
    """Follows program pictures; `rect` is the part of them that is not bars."""

    def __init__(self) -> None:
        self._rows: npt.NDArray[np.float32] | None = None
        self._columns: npt.NDArray[np.float32] | None = None
        self.rect = WHOLE
        """What is not bars; changes only when that has stayed so for some pictures."""
        self.lately = WHOLE
        """What was not bars in the last few pictures: bars, or something dark."""
        self._lately_rows: npt.NDArray[np.float32] | None = None
        self._lately_columns: npt.NDArray[np.float32] | None = None
        self._next, self._seen = WHOLE, 0

    def look(self, luma: Luma) -> None:
        """Take an (h, w) program picture."""
        if min(luma.shape) < _SMALLEST_PX or float(luma[::4, ::4].mean()) < _LIT:
            return
        # One odd pixel must not count.
        rows = np.partition(luma[:, ::2], -2, axis=1)[:, -2].astype(np.float32)
        columns = np.partition(luma[::2], -2, axis=0)[-2].astype(np.float32)
        self._lately_rows = _brightest(self._lately_rows, rows, _FADE_LATELY)
        self._lately_columns = _brightest(self._lately_columns, columns, _FADE_LATELY)
        self.lately = _lit(self._lately_rows, self._lately_columns)
        self._rows = _brightest(self._rows, rows, _FADE)
        self._columns = _brightest(self._columns, columns, _FADE)
        found = _lit(self._rows, self._columns)
        self._seen = self._seen + 1 if found.near(self._next) else 0
        self._next = found
        if self._seen >= _STEADY and not found.near(self.rect):
            self.rect = found


def _brightest(
    before: npt.NDArray[np.float32] | None, now: npt.NDArray[np.float32], fade: float
) -> npt.NDArray[np.float32]:
    """The brightest of each row or column, of late."""
    if before is None or before.shape != now.shape:
        return now
    return np.asarray(np.maximum(fade * before, now), np.float32)


def _lit(rows: npt.NDArray[np.float32], columns: npt.NDArray[np.float32]) -> Rect:
    """The part of the picture with anything lit in it."""
    (y0, y1), (x0, x1) = _span(rows), _span(columns)
    big_enough = x1 - x0 > _SMALLEST and y1 - y0 > _SMALLEST
    return Rect(x0, y0, x1, y1) if big_enough else WHOLE


def _span(brightest: npt.NDArray[np.float32]) -> tuple[float, float]:
    lit = np.flatnonzero(brightest > _BLACK)
    if not len(lit):
        return 0.0, 1.0
    count = len(brightest)
    start, end = int(lit[0]) / count, (int(lit[-1]) + 1) / count
    # The edge itself is half bar, and brighter than all that is in the picture: stay clear of it.
    return (
        start + _CLEAR_PX / count if start > _LEAST else 0.0,
        end - _CLEAR_PX / count if end < 1 - _LEAST else 1.0,
    )
