"""Two cameras side by side that are zoomed as one: a wipe in a program that zooms."""

from collections.abc import Sequence

from tap.sight.camera import Camera
from tap.sight.due import index_due
from tap.sight.evidence import Evidence
from tap.sight.infer import States
from tap.sight.motion import step
from tap.sight.placement import Placement
from tap.sight.refine import STEP_GAIN, refine_both
from tap.sight.views import Views

_ROUNDS = 2
"""Refining steps at most."""
_SLIPS, _DECAY, _LATELY = 0.93, 0.98, 2
"""Two cameras that explain less than this part of what was explained may have begun to zoom; what
is left of that a frame later; and frames for which it counts."""
_BEGINS_WITH, _FURTHEST = 0.02, 0.1
"""Fit that a zoom must gain to have begun, and how far it may move an edge at once, as a part of
the picture."""

Sides = tuple[int, int]
"""The numbers of the camera that is followed, and of the one beside it."""


class Abreast:
    """Follows program pictures in their order."""

    def __init__(self, cameras: Sequence[Camera]) -> None:
        self._cameras = cameras
        self._states = States(len(cameras))
        self._before = (0, 0.0)
        """The last picture, and most of what cameras explained of it and of those before."""
        self._seen = (0, -1)
        """The last picture that showed two side by side, and their state."""

    def sides(self, evidence: Evidence, number: int) -> Sides | None:
        """A camera and another, if they explain the picture side by side, or did the one before."""
        if not evidence.mixes or evidence.composed is not None or evidence.best is None:
            return None
        state = max(evidence.mixes, key=lambda one: float(evidence.nats[one]))
        members = self._states.members(state)
        better = evidence.nats[state] > evidence.nats[evidence.best]
        goes_on = self._seen == (evidence.index - 1, state)
        if not (better or goes_on) or not evidence.mixes[state].split or number not in members:
            return None
        self._seen = evidence.index, state
        one, two = members
        return (one, two) if one == number else (two, one)

    def slips(self, evidence: Evidence) -> bool:
        """Whether cameras explain less than they did a moment ago: a zoom may have begun. Ask it of
        every picture."""
        part = self._states.shown(evidence.nats) / max(evidence.information, 1.0)
        index, most = self._before
        most = most if evidence.index - index <= _LATELY else 0.0
        self._before = evidence.index, max(_DECAY * most, part)
        return part < _SLIPS * most

    def moved(
        self, evidence: Evidence, sides: Sides, *, begins: bool
    ) -> tuple[Placement, Placement] | None:
        """Where both lie now; None if that is where they are thought to. `begins`: no zoom has been
        under way."""
        one, two = (self._cameras[number] for number in sides)
        first, second = (
            index_due(self._cameras[number], evidence.at_ms, evidence.matches[number])
            for number in sides
        )
        if first is None or second is None:
            return None
        (here, there), fit, before = refine_both(
            ((one, first), (two, second)), Views(evidence.luma), rounds=_ROUNDS
        )
        near = step(one.memory.placement, here) <= _FURTHEST
        able = near and here.possible and there.possible and here != one.memory.placement
        least = before + (_BEGINS_WITH if begins else STEP_GAIN)
        return (here, there) if able and fit >= least else None
