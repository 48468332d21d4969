"""The words of a planned shoot: what the program shows when, what the director says, what follows.

Times of a plan are ms since the program's first frame.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tap.rig.source import Picture
from tap.vocabulary import EventType, VerdictCode


class Kind(StrEnum):
    """What the switcher can put on the program."""

    CAMERA = "camera"
    SLATE = "slate"
    BLACK = "black"
    REPLAY = "replay"
    SPLIT = "split"
    INSET = "inset"
    GRAPHIC = "graphic"


@dataclass(frozen=True, slots=True)
class On:
    """One thing the program can show.

    CAMERA and REPLAY name one camera (REPLAY shows it as it was `age_ms` ago); SPLIT names two,
    side by side; INSET the big one and the small one, whose sides are `share` of the big one's.
    GRAPHIC is a moving full-screen graphic. `layout` picks a SPLIT's or INSET's arrangement (see
    `mixes`); empty is the plain one.
    """

    kind: Kind
    cameras: tuple[str, ...] = ()
    age_ms: float = 0.0
    share: float = 0.5
    layout: str = ""


def camera(name: str) -> On:
    """One camera, full screen."""
    return On(Kind.CAMERA, (name,))


SLATE = On(Kind.SLATE)
BLACK = On(Kind.BLACK)


@dataclass(frozen=True, slots=True)
class Take:
    """From `at_ms` on the program goes to `on`; soft changes take `duration_ms`.

    `variant` is a wipe's direction or a fade's colour (see `mixes`); empty is the plain one.
    """

    at_ms: float
    on: On
    how: EventType = EventType.CUT
    duration_ms: float = 0.0
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """A verdict that tap owes: `take` is the index of the take it is about, if any."""

    code: VerdictCode
    claim_id: str | None = None
    take: int | None = None
    at_ms: float = 0.0
    planted: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole programme: the takes, the director's messages (`atMs` as in `Take`), the verdicts.

    `freezes` are (start, duration) during which the program repeats its picture; `repeated` and
    `dropped` the fractions of program frames shown twice and left out.
    """

    duration_ms: float
    takes: tuple[Take, ...]
    messages: tuple[dict[str, Any], ...] = ()
    expected: tuple[Expected, ...] = ()
    freezes: tuple[tuple[float, float], ...] = ()
    repeated: float = 0.0
    dropped: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Delay:
    """How late the program shows a camera: `base_ms`, drifting, and jumping at given moments.

    `jumps` are (at_ms, by_ms), on the program's time.
    """

    base_ms: float = 180.0
    drift_ms_per_minute: float = 0.0
    jumps: tuple[tuple[float, float], ...] = ()

    def at(self, program_ms: float) -> float:
        """The delay in ms at `program_ms`."""
        jumped = sum(by for at, by in self.jumps if program_ms >= at)
        return self.base_ms + self.drift_ms_per_minute * program_ms / 60_000.0 + jumped


class Fit(StrEnum):
    """How a camera's picture is put on a program of another shape."""

    FIT = "fit"
    """Whole, with black bars."""
    FILL = "fill"
    """Cropped, without bars."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the program does to its pictures after the switch.

    `grade` (0 … 1) bends the tones into an S and warms them; `crop` is the fraction cut off each
    side; `lower_thirds` and `zooms` are (start, end[, factor]) on the program's time.
    """

    grade: float = 0.0
    gamma: float = 1.0
    saturation: float = 1.0
    mirror: bool = False
    crop: float = 0.0
    bug: bool = False
    lower_thirds: tuple[tuple[float, float], ...] = ()
    zooms: tuple[tuple[float, float, float], ...] = ()
    bars: float = 0.0
    """Height of black bars at top and bottom together, as a fraction (a letterboxed programme)."""


Effect = Callable[[Picture, float], Picture]
"""What is done to a picture at a program time in ms. The input must not be written to."""


@dataclass(frozen=True, slots=True)
class Program:
    """The program output: shape, rate, look, and when it starts after the cameras did.

    `inputs` are done to single cameras before they are mixed (mirror, a grade of its own),
    `effects` to the whole after `look`. `mixed_fps` is the rate at which the switcher works where
    a converter then blends its pictures into `fps`; None: there is no converter.
    """

    size: tuple[int, int] = (1280, 720)
    fps: float = 30.0
    fit: Fit = Fit.FIT
    look: Look = field(default_factory=Look)
    starts_ms: float = 1000.0
    title: str = "PLEASE STAND BY"
    inputs: Mapping[str, Effect] = field(default_factory=dict[str, Effect])
    effects: tuple[Effect, ...] = ()
    mixed_fps: float | None = None
