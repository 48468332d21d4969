"""The big camera of a picture in a picture: what of it something covers, and where that may be."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tap.sight.camera import Camera
from tap.sight.doubt import usual_fit, usual_level
from tap.sight.evidence import Evidence, Match
from tap.sight.look import BLOCKS, WHOLE, Rect
from tap.vocabulary import Luma

Blocks = npt.NDArray[np.bool_]
"""(32,): some of a picture's blocks."""

_COVERED = 0.35
"""A block that reaches less than this part of its usual fit is covered."""
_LEAST_BLOCKS, _MOST_BLOCKS = 4, 26
_HALF_A_BLOCK = 0.5
_SAME_BLOCKS = 0.6
"""An inset must cover this part of what is covered, and this part of it must be."""
_AS_KNOWN, _BESIDE = 0.5, 0.25
"""Beside the inset the big camera must fit to this part as it usually does, or, where that is not
known, as cameras usually do."""


class Behind:
    """Tells of each camera, by number, what of it is hidden where it is the big one."""

    def __init__(self, cameras: Sequence[Camera]) -> None:
        self._cameras = cameras

    def hidden(self, big: int, match: Match) -> Blocks:
        """The blocks (32,) in which a camera is not seen, though it usually is, or, of one that was
        not seen before, though cameras usually are."""
        chart, usual = self._cameras[big].chart, usual_fit(self._cameras)
        if chart.settled:
            return chart.covered(match.blocks, match.information, _COVERED)
        if usual is None:
            return np.zeros(BLOCKS, np.bool_)
        return np.asarray((match.blocks < _COVERED * usual) & self._telling(big, match))

    def covers(self, big: int, evidence: Evidence, rect: Rect) -> bool:
        """Whether an inset at `rect` covers what the big camera does not explain, and only that,
        and that camera is to be seen beside it."""
        match = evidence.matches[big]
        if match is None:
            return False
        covered = self.hidden(big, match)
        touched = blocks_in(rect, evidence.luma, _HALF_A_BLOCK)
        explains = float((covered & touched).sum()) >= _SAME_BLOCKS * float(covered.sum())
        chart, usual = self._cameras[big].chart, usual_level(self._cameras) or 0.0
        expected = _AS_KNOWN * chart.bare if chart.settled else np.full(BLOCKS, _BESIDE * usual)
        shown = float((match.blocks * match.information)[~touched].sum())
        if shown < float((expected * match.information)[~touched].sum()):
            return False  # it is not in the picture at all
        return explains and self._is_covered(big, match, blocks_in(rect, evidence.luma))

    def around(self, big: int, evidence: Evidence) -> Rect:
        """The part of the picture in which an inset must lie: around all that is covered."""
        match = evidence.matches[big]
        if match is None:
            return WHOLE
        wide, high = _across(evidence.luma)
        covered = self.hidden(big, match).reshape(high, wide)
        rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
        if not len(rows):
            return WHOLE
        return Rect(
            max(0.0, (columns[0] - 1) / wide),
            max(0.0, (rows[0] - 1) / high),
            min(1.0, (columns[-1] + 2) / wide),
            min(1.0, (rows[-1] + 2) / high),
        )

    def _is_covered(self, big: int, match: Match, blocks: Blocks) -> bool:
        """Whether something covers most of what is seen of a camera in some blocks: of a plain wall
        little is seen anyhow."""
        told = blocks & self._telling(big, match)
        weights = self._cameras[big].chart.bare * match.information
        covered = float(weights[self.hidden(big, match) & told].sum())
        return covered >= _SAME_BLOCKS * float(weights[told].sum()) > 0

    def _telling(self, big: int, match: Match) -> Blocks:
        """The blocks (32,) that hold a picture, and in which a camera is usually seen: what lies
        over every camera that is known lies over one that was not seen before, too."""
        held = match.information > 1.0
        chart, usual = self._cameras[big].chart, usual_fit(self._cameras) or 0.0
        charts = [camera.chart for camera in self._cameras if camera.chart.settled]
        bare = [one.bare for one in ([chart] if chart.settled else charts)]
        return np.asarray(held & (np.max(bare, axis=0) >= _COVERED * usual) if bare else held)


def is_partly(hidden: Blocks) -> bool:
    """Whether a camera explains the picture in some blocks, and in others not at all."""
    return _LEAST_BLOCKS <= int(hidden.sum()) <= _MOST_BLOCKS


def comes_over(hidden: Blocks, before: Blocks) -> bool:
    """Whether something has come over what was not hidden before."""
    return int((hidden & ~before).sum()) >= _LEAST_BLOCKS


def blocks_in(rect: Rect, luma: Luma, slack: float = 0.0) -> Blocks:
    """The blocks (32,) of the whole program picture whose middle lies in a rect.

    `slack`: as far as this outside of it too, in blocks.
    """
    across, down = _across(luma)
    x = (np.arange(across) + 0.5) / across
    y = (np.arange(down) + 0.5) / down
    dx, dy = slack / across, slack / down
    down_in = (y >= rect.y0 - dy) & (y <= rect.y1 + dy)
    across_in = (x >= rect.x0 - dx) & (x <= rect.x1 + dx)
    out: Blocks = (down_in[:, None] & across_in[None]).reshape(BLOCKS)
    return out


def _across(luma: Luma) -> tuple[int, int]:
    """How many blocks a program picture has across and down."""
    return (8, 4) if luma.shape[1] > luma.shape[0] else (4, 8)
