"""Who is in the race: which cameras are held against a program picture, and which need not be.

As long as one camera explains the program just as well as a moment ago, nothing has changed, and
only a camera that looks much like it could be live instead. All others are called up now and then,
with the one picture that is due; in between they are taken to fit as they did then. The moment that
the leader fits worse, everybody is looked at.
"""

from collections.abc import Sequence

from tap.sight.camera import Camera
from tap.sight.evidence import Evidence, Match
from tap.sight.settings import SightSettings

_CALL_MS = 500.0
"""How often those that are not in the race are called up."""
_RIVAL = 0.4
"""Part of the leader's fit from which on a camera is in the race."""
_DIP, _DIMMED = 0.97, 0.9
"""The leader must fit to this part as it did of late, and the picture have this part of its nats
then."""
_PACE = 0.2


class Race:
    """Follows one program's pictures in order."""

    def __init__(self, cameras: Sequence[Camera], settings: SightSettings) -> None:
        self._cameras = cameras
        self._full = settings.full_look
        self._leader: int | None = None
        self._fit, self._information = 0.0, 0.0
        """The leader's fit, and the picture's nats, of late."""
        self._fits = [0.0] * len(cameras)
        self._tolls = [0.0] * len(cameras)
        """As they were when each camera was last looked at."""
        self._called_ms = 0.0

    @property
    def leader(self) -> int | None:
        """The camera that explains the program well; None while everybody is looked at."""
        return self._leader

    @property
    def is_lazy(self) -> bool:
        """Whether anybody may be left out at all."""
        return not self._full

    def rivals(self) -> list[int]:
        """The cameras that look so much like the leader that they are always looked at."""
        least = _RIVAL * self._fit
        return [i for i, fit in enumerate(self._fits) if i != self._leader and fit >= least]

    def goes_on(self, match: Match) -> bool:
        """Whether the leader matches the picture as well as it did of late."""
        information = float(match.information.sum())
        return match.fit >= _DIP * self._fit and information >= _DIMMED * self._information

    def is_call_due(self, at_ms: float) -> bool:
        """Whether it is time to call up those that are not in the race."""
        return at_ms - self._called_ms >= _CALL_MS

    def called(self, at_ms: float, fits: dict[int, float]) -> bool:
        """Note how those fit that were called up; True if none of them has come into the race."""
        self._called_ms = at_ms
        for number, fit in fits.items():
            self._fits[number], self._tolls[number] = fit, 0.0
        return all(fit < _RIVAL * self._fit for fit in fits.values())

    def carried(self, number: int, information: float) -> float:
        """Nats of a camera that was left out, as of when it was last looked at."""
        return self._fits[number] * information - self._tolls[number]

    def note(self, evidence: Evidence, *, explained: bool) -> None:
        """Take the last picture's evidence, with all that was found in it."""
        for number, match in enumerate(evidence.matches):
            if number not in evidence.left_out:
                self._fits[number] = match.fit if match is not None else 0.0
                self._tolls[number] = match.toll if match is not None else 0.0
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None or not explained or not self._leads(best, evidence):
            self._leader = None
            return
        if best != self._leader or match.fit < _DIP * self._fit:
            self._leader, self._fit = best, match.fit
            self._information = float(match.information.sum())
            return
        self._fit += _PACE * (match.fit - self._fit)
        self._information += _PACE * (float(match.information.sum()) - self._information)

    def _leads(self, number: int, evidence: Evidence) -> bool:
        camera = self._cameras[number]
        return (
            not self._full
            and camera.confirmed
            and camera.chart.settled
            and camera.delay.locked
            and not evidence.flat
            and evidence.composed is None
            and evidence.replayed is None
            and number not in (*evidence.blind, *evidence.lacking)
            and int(evidence.nats.argmax()) == number
        )
