"""What one program picture says, before it is decided what it shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from tap.sight.infer import Vector
from tap.sight.match import Mix
from tap.sight.placement import Placement
from tap.vocabulary import Luma

_STANDS_OUT = 3.0
"""One that fits so many times better than all others stands out."""

REPEAT_WEIGHT = 0.2
"""A repeated picture is hardly new evidence."""


@dataclass(slots=True)
class Match:
    """How well one camera's recent past explains a program picture."""

    fit: float
    """0 unrelated .. 1 perfect to within coding noise."""
    toll: float
    """Nats lost for an unusual delay."""
    lag_ms: float
    gain: float
    """Contrast of the program picture, relative to the camera's."""
    index: int
    """Where in the camera's memory."""
    blocks: npt.NDArray[np.float64]
    """Part of each block's nats that was gained, (32,)."""
    information: npt.NDArray[np.float64]
    """Nats of each block that a perfect match would gain, (32,)."""
    times: npt.NDArray[np.float64]
    curve: npt.NDArray[np.float64]
    """Nats (n,) of every candidate frame, for the delay tracker."""
    motion: npt.NDArray[np.float32] | None = None
    """Part of each block's energy that changes within a second or two, (32,)."""


@dataclass(slots=True)
class Evidence:
    """All that one program picture says. Times in ms."""

    index: int
    at_ms: float
    luma: Luma
    nats: Vector
    """(S,) log likelihood of each state."""
    matches: list[Match | None]
    mixes: dict[int, Mix] = field(default_factory=dict[int, Mix])
    flat: str | None = None
    """"black", "plain" (white, or any colour without a trace of a picture), or None."""
    repeat: bool = False
    blind: tuple[int, ...] = ()
    """Cameras that gave no pictures for long when this one must have been taken."""
    frozen: tuple[int, ...] = ()
    """Those of the blind that gave pictures, but the same one again and again."""
    lacking: tuple[int, ...] = ()
    """Cameras whose frames around that moment are missing."""
    places: tuple[Placement, ...] = ()
    """How each camera lay then."""
    left_out: tuple[int, ...] = ()
    """Cameras that were not looked at: see `Race`."""
    raced: bool = False
    """Only those were looked at who are in the race; all is as it was a moment ago."""
    skipped: bool = False
    """It goes on so well from the picture before that no camera was looked at."""
    information: float = 0.0
    """Nats that a perfect match would gain."""
    composed: int | None = None
    """The state of the pair of cameras that stand side by side in it."""
    rivals: tuple[int, ...] = ()
    """Those of other pairs that it may be."""
    replayed: int | None = None
    """The camera whose older pictures this is one of."""
    odd: float = -1.0
    """How unlike itself the best camera looks: -1 as ever, 0 at the limit, more beyond."""
    covered: bool = False
    """A graphic has come over a part of the best camera's picture."""
    fringe: float | None = None
    """Once it is decided: see `Ruling.fringe`."""
    gain: float | None = None
    """Where it was passed over: the last one's contrast over its camera's."""
    contrast: float = 0.0
    """Standard deviation of the picture, in units of 64 grey levels."""

    def slim(self) -> "Evidence":
        """The same without pictures and curves: what a ruling needs, and little to keep."""
        nothing = np.zeros(0)
        matches = [
            replace(match, times=nothing, curve=nothing) if match is not None else None
            for match in self.matches
        ]
        return replace(self, luma=np.zeros((0, 0), np.uint8), matches=matches)

    def say_again(self, new: "Evidence") -> None:
        """Say of a repeated picture what it said when it was `new`: what the cameras show by now is
        another matter, but for one whose very picture was missing: nothing was said of that."""
        nats = REPEAT_WEIGHT * new.nats
        for i in set(new.lacking) - set(self.lacking):
            nats[i] = min(nats[i], self.nats[i])
        self.nats = nats
        self.mixes, self.composed, self.rivals = new.mixes, new.composed, new.rivals

    @property
    def missing(self) -> bool:
        """Whether pictures of some camera are missing, of which this may be one."""
        return bool(self.lacking or self.blind)

    def why_missing(self, lost: Sequence[int], names: Sequence[str]) -> str:
        """What of these cameras is missing, in words."""
        frozen = [names[i] for i in lost if i in self.frozen]
        silent = [names[i] for i in lost if i not in self.frozen]
        told = [("no frames from ", silent), ("no new pictures from ", frozen)]
        return "; ".join(why + ", ".join(of) for why, of in told if of)

    def stands_out(self, number: int) -> bool:
        """Whether a camera fits so much better than every other that it is not by chance."""
        fits = {n: match.fit for n, match in enumerate(self.matches) if match is not None}
        others = [fit for n, fit in fits.items() if n != number]
        return number in fits and bool(others) and fits[number] >= _STANDS_OUT * max(others)

    @property
    def on_camera(self) -> bool:
        """Whether some camera explains the picture better than none does."""
        best = self.best
        return best is not None and bool(self.nats[best] > self.nats[len(self.matches)])

    @property
    def best(self) -> int | None:
        """The camera with the best match."""
        if self.skipped:
            return int(self.nats[: len(self.matches)].argmax())
        known = [(self.nats[i], i) for i, m in enumerate(self.matches) if m is not None]
        return max(known)[1] if known else None
