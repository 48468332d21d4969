"""Who is in the race: which cameras are held against a program picture, and which need not be.

As long as one camera explains the program just as well as a moment ago, nothing has changed, and
only a camera that looks much like it could be live instead. All others are called up now and then,
with the one picture that is due; in between they are taken to fit as they did then. Of a program
that flows on from picture to picture, not even the leader is looked at each time. The moment that
the leader fits worse, everybody is looked at, and those pictures too that were passed over before.
"""

from collections.abc import Sequence

from tap.sight.camera import Camera
from tap.sight.evidence import Evidence, Match
from tap.sight.settings import SightSettings

_RIVAL = 0.4
"""Part of the leader's fit from which on a camera is in the race."""
_DIP, _DIMMED = 0.97, 0.9
"""The leader must fit to this part as it did of late, and the picture have this part of its nats
then."""
_JUST_AS = 0.985
"""... or this part, if only the picture that is due is looked at."""
_MATURE, _CALM = 60, 30
"""Pictures from which a camera is known where it lies, and for which nothing must have happened (a
zoom may be under way): until then it is looked at in each."""
_FOLLOWED = 4
"""At one of so many calls the leader is looked for around the picture that is due."""
_PACE = 0.2
_SKIPS = 3
"""Pictures in a row that may be passed over, ..."""
_FLOWS, _AS_BRIGHT = 0.95, 0.015
"""... each as like the one before, to this part, as it was of late, and with as much contrast, to
this part, as the last that was looked at."""


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
        self._call = False
        self._flow = 1.0
        """How like the one before each picture was of late, 0 .. 1."""
        self._presumed: int | None = None
        self._presumptions = 0
        self._skips = 0
        self._calls = 0
        self._calm = 0
        """Pictures since anything happened."""
        self._contrast = 0.0
        """Of the last picture that was looked at, in units of 64 grey levels."""
        self.gain: float | None = None
        """Its contrast over that of its camera's picture."""
        self._lead = 0.0
        """Part of all nats by which the leader was more likely than no camera."""

    @property
    def leader(self) -> int | None:
        """The camera that explains the program well; None while everybody is looked at."""
        return self._leader

    @property
    def is_lazy(self) -> bool:
        """Whether anybody may be left out at all."""
        return not self._full

    def presumed(self) -> int | None:
        """The camera that explained the last picture, but is too new to lead: it alone, and those
        like it, may be looked at, but for one picture of `_FOLLOWED`."""
        self._presumptions += 1
        return self._presumed if self._presumptions % _FOLLOWED else None

    def rivals(self, of: int | None = None) -> list[int]:
        """The cameras that look so much like the leader, or `of`, that they are always looked
        at."""
        first, best = (self._leader, self._fit) if of is None else (of, self._fits[of])
        least = _RIVAL * best
        return [i for i, fit in enumerate(self._fits) if i != first and fit >= least]

    def goes_on(self, match: Match, *, just_as: bool = False) -> bool:
        """Whether the leader matches the picture as well as it did of late, or just as well."""
        least = (_JUST_AS if just_as else _DIP) * self._fit
        information = float(match.information.sum())
        return match.fit >= least and information >= _DIMMED * self._information

    @property
    def is_followed(self) -> bool:
        """Whether it is time to look at more of the leader than the picture that is due."""
        return not self._is_mature or (self._call and self._calls % _FOLLOWED == 0)

    @property
    def _is_mature(self) -> bool:
        camera = self._cameras[self._leader] if self._leader is not None else None
        mature = camera is not None and camera.delay.locked and camera.chart.count >= _MATURE
        return mature and self._calm >= _CALM

    def may_skip(self, flow: float, contrast: float) -> bool:
        """Whether a picture that is so like the one before needs no camera to be looked at."""
        flows = flow >= _FLOWS * self._flow
        self._flow += _PACE * (flow - self._flow)
        if abs(contrast - self._contrast) > _AS_BRIGHT * self._contrast:
            return False
        if not flows or not self._is_mature or self._skips >= _SKIPS or self._call or self.rivals():
            return False
        self._skips += 1
        return True

    def off(self, information: float) -> float:
        """Nats of "no tapped camera" in a picture in which no camera was looked at."""
        leader = self._leader
        held = self.carried(leader, information) if leader is not None else 0.0
        return held - self._lead * information

    def call(self) -> None:
        """With the next picture those are to be called up that are not in the race."""
        self._call = True

    @property
    def is_call_due(self) -> bool:
        """Whether they are to be called up now."""
        return self._call

    def called(self, fits: dict[int, float]) -> bool:
        """Note how those fit that were called up; True if none of them has come into the race."""
        self._call = False
        self._calls += 1
        return not self.racers(fits, self._fit)

    def racers(self, fits: dict[int, float], best: float) -> list[int]:
        """Note how cameras fit, each with the picture that is due; those that may well be live."""
        for number, fit in fits.items():
            self._fits[number], self._tolls[number] = fit, 0.0
        return [number for number, fit in fits.items() if fit >= _RIVAL * best]

    def carried(self, number: int, information: float) -> float:
        """Nats of a camera that was left out, as of when it was last looked at."""
        return self._fits[number] * information - self._tolls[number]

    def note(self, evidence: Evidence, *, explained: bool) -> None:
        """Take the last picture's evidence, with all that was found in it."""
        if evidence.skipped:
            return
        self._skips = 0
        self._calm = self._calm + 1 if evidence.raced else 0
        self._contrast = evidence.contrast
        for number, match in enumerate(evidence.matches):
            if number not in evidence.left_out:
                self._fits[number] = match.fit if match is not None else 0.0
                self._tolls[number] = match.toll if match is not None else 0.0
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        self._presumed = None
        if best is None or match is None or not explained or not self._explains(best, evidence):
            self._leader = None
            return
        camera = self._cameras[best]
        if not (camera.confirmed and camera.chart.settled):
            self._leader, self._presumed = None, best
            return
        self.gain = match.gain
        off = float(evidence.nats[len(evidence.matches)])
        self._lead = (float(evidence.nats[best]) - off) / max(evidence.information, 1e-6)
        if best != self._leader or match.fit < _DIP * self._fit:
            self._leader, self._fit = best, match.fit
            self._information = float(match.information.sum())
            return
        self._fit += _PACE * (match.fit - self._fit)
        self._information += _PACE * (float(match.information.sum()) - self._information)

    def _explains(self, number: int, evidence: Evidence) -> bool:
        return (
            not self._full
            and not evidence.flat
            and evidence.composed is None
            and evidence.replayed is None
            and number not in (*evidence.blind, *evidence.lacking)
            and int(evidence.nats.argmax()) == number
        )
