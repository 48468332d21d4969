"""What a rect of a picture covers of the camera behind it: told of any number of rects at once."""

import numpy as np
import numpy.typing as npt

from tap.sight.look import BLOCKS, Rect
from tap.sight.match import Doubles

Blocks = npt.NDArray[np.bool_]
"""(32,): some of a picture's blocks."""

Places = npt.NDArray[np.bool_]
"""(m, n): some of the places at which a picture may lie, down and across."""

_HALF_A_BLOCK = 0.5
_SAME_BLOCKS = 0.6
"""An inset must cover this part of what is covered, and this part of it must be."""

_Ends = npt.NDArray[np.intp]
"""(n, 2): the first block in a row or column of them, and the one after the last."""


class Covering:
    """Made from the blocks (32,) of one picture, `size` (across, down) of them: which are `hidden`,
    how much each tells of that (`tell`), and by how much it falls short of what is to be seen
    beside an inset (`lacking`, below 0 where there is more)."""

    def __init__(
        self, hidden: Blocks, tell: Doubles, lacking: Doubles, size: tuple[int, int]
    ) -> None:
        self._across, self._down = size
        self._hidden = _summed(hidden, size)
        self._tell = _summed(tell, size)
        self._told = _summed(np.where(hidden, tell, 0.0), size)
        self._lacking = _summed(lacking, size)

    def by(self, rect: Rect) -> bool:
        """Whether an inset at `rect` covers what the big camera does not explain, and only that,
        and that camera is to be seen beside it."""
        lefts, tops = np.array([rect.x0]), np.array([rect.y0])
        return bool(self.where(rect.x1 - rect.x0, rect.y1 - rect.y0, lefts, tops).all())

    def where(self, wide: float, high: float, lefts: Doubles, tops: Doubles) -> Places:
        """At which of those (n,) and (m,) places of its left and upper side an inset so wide and
        high does so, (m, n). All are parts of the picture's sides."""
        columns, column = np.unique(
            _both(lefts, lefts + wide, self._across), axis=0, return_inverse=True
        )
        rows, row = np.unique(_both(tops, tops + high, self._down), axis=0, return_inverse=True)
        (inside_x, touched_x), (inside_y, touched_y) = (
            (ends[:, :2], ends[:, 2:]) for ends in (columns, rows)
        )
        explains = _sums(self._hidden, touched_y, touched_x) >= _SAME_BLOCKS * self._hidden[-1, -1]
        beside = self._lacking[-1, -1] - _sums(self._lacking, touched_y, touched_x)
        tell = _sums(self._tell, inside_y, inside_x)
        told = _sums(self._told, inside_y, inside_x)
        is_covered = (told >= _SAME_BLOCKS * tell) & (tell > 0)
        found: Places = (explains & (beside <= 0) & is_covered)[row.ravel()][:, column.ravel()]
        return found


def blocks_in(rect: Rect, across: int, down: int) -> Blocks:
    """The blocks (32,) of the whole program picture whose middle lies in a rect."""
    (left, right), (top, bottom) = (
        _ends(np.array([start]), np.array([stop]), count, 0.0)[0]
        for start, stop, count in ((rect.x0, rect.x1, across), (rect.y0, rect.y1, down))
    )
    out = np.zeros((down, across), np.bool_)
    out[top:bottom, left:right] = True
    return out.reshape(BLOCKS)


def _both(starts: Doubles, stops: Doubles, count: int) -> _Ends:
    """(n, 4): the blocks whose middle lies between, and those that are touched."""
    inside, touched = (_ends(starts, stops, count, slack) for slack in (0.0, _HALF_A_BLOCK))
    return np.concatenate((inside, touched), axis=1)


def _ends(starts: Doubles, stops: Doubles, count: int, slack: float) -> _Ends:
    """Of `count` blocks side by side those whose middle lies between, or so many blocks outside."""
    middles, far = (np.arange(count) + 0.5) / count, slack / count
    first = np.searchsorted(middles, starts - far, side="left")
    last = np.searchsorted(middles, stops + far, side="right")
    return np.stack((first, np.maximum(first, last)), axis=1)


def _summed(values: Blocks | Doubles, size: tuple[int, int]) -> Doubles:
    """(down + 1, across + 1): what lies above and left of each corner of the blocks, in all."""
    across, down = size
    out = np.zeros((down + 1, across + 1))
    out[1:, 1:] = values.reshape(down, across).astype(np.float64).cumsum(0).cumsum(1)
    return out


def _sums(table: Doubles, rows: _Ends, columns: _Ends) -> Doubles:
    """(n, m) sums over the blocks from and to each of `rows` and `columns`."""
    below, above = table[rows[:, 1]], table[rows[:, 0]]
    strips = below - above
    out: Doubles = strips[:, columns[:, 1]] - strips[:, columns[:, 0]]
    return out
