"""How exactly messages and pictures must meet."""

from dataclasses import dataclass, fields

from tap.errors import InputError


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Times in ms. Raises `InputError` where a number makes no sense."""

    after_ms: float = 1000.0
    """The picture may change this long after the message."""
    before_ms: float = 200.0
    """... or this long before it."""
    window_ms: float = 3000.0
    """A message and a change further apart than this have nothing to do with each other."""
    settle_ms: float = 250.0
    """Messages received so long after a change still compete for it, and so long the program may
    take to cut back. Sight is later than that with what it sees, so it costs no time as a rule."""
    revert_frames: int = 5
    """A cut that is undone within this many program frames is `REVERTED`."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value < float("inf"):
                raise InputError(
                    f"tolerance {field.name}: expected a number of 0 or more, got {value}; "
                    "correct it"
                )
        if max(self.after_ms, self.before_ms) > self.window_ms:
            raise InputError(
                f"tolerance window_ms: expected at least after_ms ({self.after_ms:g}) and "
                f"before_ms ({self.before_ms:g}), got {self.window_ms:g}; widen the window"
            )

    def agrees(self, lag_ms: float) -> bool:
        """Whether a picture that changes `lag_ms` after the message is in time."""
        return -self.before_ms <= lag_ms <= self.after_ms

    @property
    def patience_ms(self) -> float:
        """How long after its time a message or a change waits for its counterpart."""
        return self.window_ms + self.settle_ms
