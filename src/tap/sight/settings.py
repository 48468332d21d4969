"""The numbers sight works with, each with its unit and its reason."""

from dataclasses import dataclass

from tap.sight.calibrate import PLAIN, Calibration

JUMP_MS = 1000.0
"""How far a known delay is believed to jump by itself; older pictures are a replay."""


@dataclass(frozen=True, slots=True)
class SightSettings:
    """Settings of `Sight`. Times in ms unless the name says frames."""

    max_delay_ms: float = 3200.0
    """The program shows a camera at most this late (the format allows 3 s)."""
    max_lookahead_ms: float = 350.0
    """Camera clocks may drift ahead of the program's: so far tap is willing to wait for them."""
    decision_lag_ms: float = 250.0
    """A frame is decided when this much of what follows it has been seen."""
    decision_lag_frames: int = 8
    """... or this many frames, whichever comes first."""
    gap_ms: float = 1000.0
    """No frame for so long is a gap: tap is blind there."""
    hold_ms: float = 10_000.0
    """The program staying on one camera for so long is a `hold` event."""
    freeze_ms: float = 500.0
    """The program repeating one picture for so long, while its camera moves, is a `freeze`."""
    fade_through_ms: float = 1200.0
    """Black for no longer than this between two fades is one fade through black."""
    sharpness: float = 0.35
    """Tempering of the evidence when asking *where* something changed."""
    honesty: float = 0.05
    """Tempering when asking *how sure*: pixels, blocks and frames are far from independent."""
    tell_ms: float = 500.0
    """Two cameras can be told apart if the evidence of so much time says which of them it is: about
    what the decision lag and a director's patience with a doubt allow."""
    tell_nats: float = 1.75
    """... by so many honest nats: ln(0.85 / 0.15), as sight names one camera from 0.85 on."""
    full_look: bool = False
    """Look at every picture of every camera. Without, those are left out that can't be live."""
    calibration: Calibration = PLAIN
    """How often what is believed so much is so."""
