"""What one program frame shows: the material that shots are made of."""

from dataclasses import dataclass, replace

from tap.sight.wipe import Wipe
from tap.vocabulary import ShotState

Key = tuple[ShotState, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Ruling:
    """One decided program frame, [at_ms, end_ms). A pair of cameras comes as TRANSITION."""

    index: int
    at_ms: float
    end_ms: float
    state: ShotState
    cameras: tuple[str, ...]
    confidence: float
    runner_up: str | None = None
    runner_up_confidence: float = 0.0
    share: float = 0.0
    """In a pair: how much of it is the second camera."""
    split: bool = False
    """In a pair: side by side rather than blended."""
    wipe: Wipe | None = None
    """Side by side: how far a wipe has come, where that was read."""
    fringe: float | None = None
    """Beside a mixture: how much of another camera there is, if that can be measured."""
    covered: bool = False
    """A graphic has come over a part of its camera's picture."""
    gain: float | None = None
    """Contrast relative to the camera's own, 0 in black: falls in a fade. None where it is not of a
    camera, or can't be measured."""
    seen: tuple[str, float] | None = None
    """The camera that stands out among all, at its own delay, and how well it fits, 0 .. 1: even
    where so little of it is seen that it is not named."""
    believed: float = 0.0
    """The confidence before calibration: what the model itself goes by."""
    reason: str = ""
    """Why it is unseen, where it is."""

    @property
    def key(self) -> Key:
        """What it has in common with its neighbours in one shot."""
        return self.state, self.cameras

    @property
    def camera(self) -> str | None:
        """The live camera, if exactly one is."""
        return self.cameras[0] if self.state is ShotState.LIVE else None

    def taken_for(self, key: Key, reason: str | None = None) -> "Ruling":
        """The same frame as part of another state's run, and why that is unseen, if it is."""
        reason = self.reason if reason is None else reason
        return replace(self, state=key[0], cameras=key[1], reason=reason)
