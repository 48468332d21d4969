"""The camera behind an inset or a wipe: what of it something covers, and where that may be."""

from collections.abc import Sequence

import numpy as np

from tap.sight.camera import Camera
from tap.sight.covering import Blocks, Covering
from tap.sight.doubt import usual_fit, usual_level
from tap.sight.evidence import Evidence, Match
from tap.sight.look import BLOCKS, WHOLE, Rect
from tap.vocabulary import Luma

_COVERED = 0.35
"""A block that reaches less than this part of its usual fit is covered."""
_LEAST_BLOCKS, _MOST_BLOCKS = 4, 26
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

    def covering(self, big: int, evidence: Evidence) -> Covering | None:
        """What an inset must cover in a picture: of the big camera what is hidden, and most of what
        is seen of it must be beside. Of a plain wall little is seen anyhow. None if that camera was
        not looked at."""
        match = evidence.matches[big]
        if match is None:
            return None
        chart, usual = self._cameras[big].chart, usual_level(self._cameras) or 0.0
        expected = _AS_KNOWN * chart.bare if chart.settled else np.full(BLOCKS, _BESIDE * usual)
        tell = np.where(self._telling(big, match), chart.bare * match.information, 0.0)
        lacking = (expected - match.blocks) * match.information
        return Covering(self.hidden(big, match), tell, lacking, across_of(evidence.luma))

    def around(self, big: int, evidence: Evidence) -> Rect:
        """The part of the picture in which an inset must lie: around all that is covered."""
        match = evidence.matches[big]
        if match is None:
            return WHOLE
        wide, high = across_of(evidence.luma)
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


def across_of(luma: Luma) -> tuple[int, int]:
    """How many blocks a program picture has across and down."""
    return (8, 4) if luma.shape[1] > luma.shape[0] else (4, 8)
