"""How well a camera usually fits, block by block: what tells its picture from one much like it.

A picture that another camera took from nearly the same place fits well too, only not as well as
the camera's own pictures always do. So each camera is held to its own record. The *deficit* of a
block is how much less of its nats a picture gains than the camera's pictures usually gain there.
What counts is the weighted median over blocks: an overlay makes large deficits in the blocks that
it covers and none elsewhere, another camera makes them everywhere. A second figure counts only what
moves: an older picture of the same camera fits in all that stands still, and only there.
"""

import numpy as np
import numpy.typing as npt

from tap.sight.look import BLOCKS, Floats
from tap.sight.match import Doubles

_PACE = 0.03
"""Weight of a new picture once the chart is settled; before that, 1 / pictures seen."""
_WIDEN, _NARROW = 0.1, 0.02
"""Pace of the spread, once settled: what was bad once may be so again."""
_LEAST_SPREAD = 0.008
_SPREADS, _MARGIN = 6.0, 0.03
_LEAST_LIMIT, _LEAST_MOVING_LIMIT, _MOST_LIMIT = 0.07, 0.15, 0.45
_MOST_PART = 0.7
"""A deficit of so many spreads, and a margin, is not this camera's any more; nor is one of so much
of all that it ever fits, however much that varies."""
_STRANGER = 0.18
"""A camera that was never seen may fit so much worse than those that were: its focus and noise
differ."""
_MOVED = 0.02
"""Part of a block's energy that coding noise changes from frame to frame."""
_BEST_PART = 0.3
"""If this part of what moves fits as ever, the picture is of this moment: a lower third may well
cover the rest, but nothing makes an older picture move in step."""
_HIDDEN, _HIDDEN_STILL = 0.6, 2
"""Part of its usual fit below which a block may be covered, and how many such blocks in which
nothing moves tell that something does cover the picture."""
_AS_EVER, _COVERED = 0.93, 0.35
_BARE, _EDGE = 0.15, 0.25
"""Parts of its usual fit from which a block fits as ever, and below which it is covered; and parts
of what there is to see that must do the one, and may do neither, for a graphic to lie over it."""
_WORTH = 4.0
"""Nats in what moves, below which it says nothing."""
_SETTLED = 8
"""Pictures after which the chart can be held against a picture."""


class Chart:
    """One camera's record: usual fit of each block (0 .. 1), and how much that varies."""

    def __init__(self) -> None:
        self.count = 0
        self._usual: Doubles = np.zeros(BLOCKS)
        self._overall = 0.0
        self._known = False
        self._spread = 0.05
        self._moving_spread = 0.08
        self._graphic = np.zeros(BLOCKS, np.bool_)
        """Where a graphic lay over the last picture."""

    @property
    def settled(self) -> bool:
        """Whether enough pictures were seen to hold others to them."""
        return self.count >= _SETTLED

    @property
    def known(self) -> bool:
        """Whether the camera was ever settled: how well it fits is known, wherever it lies now."""
        return self._known

    @property
    def usual(self) -> float:
        """How well the camera usually fits in most of the picture, 0 .. 1."""
        return self._overall

    @property
    def bare(self) -> Doubles:
        """How far each block (32,) can be relied on to show the camera: little where something
        always lies over it; 1 everywhere as long as that is not known."""
        return np.maximum(self._usual, 0.0) if self.settled else np.ones(BLOCKS)

    def restart(self) -> None:
        """The camera lies differently in the program now: learn the blocks anew."""
        self.count = 0
        self._graphic[:] = False

    def learn(self, fits: Doubles, information: Doubles, motion: Floats | None) -> None:
        """Add a picture that was surely this camera's. Arrays as for `untimely`, (32,) each."""
        if self.settled:
            deficits = self._usual - fits
            narrow = max(_NARROW, 1.0 / self.count)
            odd = _median(deficits, self._telling(information))
            self._spread = _spread(self._spread, odd, narrow)
            moving = self.moving(fits, information, motion)
            if moving is not None:
                odd = _quantile(deficits, moving, _BEST_PART)
                self._moving_spread = _spread(self._moving_spread, odd, narrow)
        if motion is not None:
            self._graphic = self._under_graphic(fits, information, motion)
        self.count += 1
        self._known = self._known or self.settled
        pace = max(_PACE, 1.0 / self.count)
        self._usual += pace * (fits - self._usual)
        self._overall += (pace if not self._known else _PACE) * (
            _median(fits, information) - self._overall
        )

    def covered(self, fits: Doubles, information: Doubles, part: float) -> npt.NDArray[np.bool_]:
        """The blocks (32,) that hold a picture, but reach less than `part` of their usual fit."""
        out: npt.NDArray[np.bool_] = (fits < part * self._usual) & (information > 1.0)
        return out

    def is_under(self, fits: Doubles, information: Doubles) -> bool:
        """Whether a graphic lies over this camera's picture: every block either fits as ever or is
        covered. Another camera's picture fits a little worse everywhere."""
        held = information > 1.0
        bare = held & (fits >= _AS_EVER * self._usual)
        between = held & ~bare & (fits >= _COVERED * self._usual)
        # A block in which there is little to see fits as ever by chance.
        tells = np.where(held, self._telling(information), 0.0)
        whole = float(tells.sum())
        return bool(tells[bare].sum() >= _BARE * whole and tells[between].sum() <= _EDGE * whole)

    def unlike(self, fits: Doubles, information: Doubles) -> float:
        """How unlike this camera's pictures one is: -1 as ever, 0 at the limit, 1 or more beyond.

        `fits` (32,) the part of each block's nats that was gained, `information` (32,) those nats.
        """
        most = max(_LEAST_SPREAD, _MOST_PART * self._overall)
        limit = min(_limit(self._spread, _LEAST_LIMIT), most)
        odd = _median(self._usual - fits, self._telling(information))
        return _bounded((odd - limit) / limit)

    def untimely(self, fits: Doubles, information: Doubles, motion: Floats | None) -> float:
        """The same for what moves: an older picture of this camera is unlike it only there.

        `motion` (32,) the part of each block's energy that changes within a second or two.
        """
        moving = self.moving(fits, information, motion)
        if moving is None:
            return -1.0
        limit = _limit(self._moving_spread, _LEAST_MOVING_LIMIT)
        deficits = self._usual - fits
        odd = _quantile(deficits, moving, _BEST_PART) - self._worse(deficits, information, motion)
        return _bounded((odd - limit) / limit)

    def _telling(self, information: Doubles) -> Doubles:
        """Weights (32,) of the blocks: in what is always covered the camera is never to be seen."""
        return np.asarray(np.maximum(self._usual, 0.0) * information)

    def _under_graphic(
        self, fits: Doubles, information: Doubles, motion: Floats
    ) -> npt.NDArray[np.bool_]:
        """The blocks (32,) over which a graphic lies: one that lies there goes on where it still
        covers, though by now all that it covers may move."""
        covered = self.covered(fits, information, _HIDDEN)
        if int((covered & (motion < _MOVED)).sum()) >= _HIDDEN_STILL:
            return covered
        return covered & self._graphic

    def _worse(self, deficits: Doubles, information: Doubles, motion: Floats | None) -> float:
        """How much worse than ever what stands still fits: a zoom costs sharpness everywhere."""
        if motion is None:
            return 0.0
        still = self._telling(information) * (motion < _MOVED)
        return max(0.0, _median(deficits, still)) if float(still.sum()) >= _WORTH else 0.0

    def moving(self, fits: Doubles, information: Doubles, motion: Floats | None) -> Doubles | None:
        """Weights (32,) of what moves and is not covered; None if hardly anything does.

        An overlay covers what stands still as well, which no older picture of the camera does.
        """
        moving = _moving(information, motion)
        if moving is None or motion is None:
            return None
        moving[self._under_graphic(fits, information, motion)] = 0.0
        return moving if float(moving.sum()) >= _WORTH else None


def stranger(fits: Doubles, information: Doubles, usual: float) -> float:
    """`Chart.unlike` for a camera without a record, held to how well other cameras fit: `usual`."""
    limit = _STRANGER * usual
    return _bounded((usual - _median(fits, information) - limit) / limit)


def _bounded(odd: float) -> float:
    return min(1.5, max(-1.0, odd))


def _spread(spread: float, deficit: float, narrow: float) -> float:
    far = abs(deficit)
    return spread + (_WIDEN if far > spread else narrow) * (far - spread)


def _limit(spread: float, least: float) -> float:
    limit = _SPREADS * max(_LEAST_SPREAD, spread) + _MARGIN
    return min(_MOST_LIMIT, max(least, limit))


def _moving(information: Doubles, motion: Floats | None) -> Doubles | None:
    """Weights (32,) of what moves; None if hardly anything does."""
    if motion is None:
        return None
    weights: Doubles = information * np.maximum(0.0, motion - _MOVED)
    return weights if float(weights.sum()) >= _WORTH else None


def _median(values: Doubles, weights: Doubles) -> float:
    return _quantile(values, weights, 0.5)


def _quantile(values: Doubles, weights: Doubles, part: float) -> float:
    order = np.argsort(values)
    summed = np.cumsum(weights[order])
    at = int(np.searchsorted(summed, part * summed[-1]))
    return float(values[order[min(at, len(order) - 1)]])
