"""The words that every room shares: frames, shots, events, claims, verdicts.

Times are Unix milliseconds on the clock of the machine that tap (or the recorder) ran on.
The models serialise (`model_dump(mode="json", by_alias=True)`) to the field names of the
`tap-witness/1` format.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

PROGRAM = "program"
"""The feed id of the program output; no camera may have it."""

CAMERA_ID = r"^[A-Za-z0-9._-]{1,64}$"
"""What a camera id looks like."""

SESSION_KIND = "photoshoot_performance"

Luma = npt.NDArray[np.uint8]


class Word(BaseModel):
    """Base of the shared models: immutable, camelCase outside, snake_case inside."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore"
    )


# ---------------------------------------------------------------- pictures


class Undecoded:
    """A picture that is decoded when somebody first looks at it; most are never looked at."""

    __slots__ = ("_decode", "_luma")

    def __init__(self, decode: Callable[[], Luma]) -> None:
        """`decode` must not raise; two threads that look at once may both call it."""
        self._decode = decode
        self._luma: Luma | None = None

    @property
    def looked_at(self) -> bool:
        """Whether it is decoded by now."""
        return self._luma is not None

    @property
    def luma(self) -> Luma:
        """The picture."""
        luma = self._luma
        if luma is None:
            luma = self._decode()
            self._luma = luma
            self._decode = lambda: luma  # the coded bytes are not needed any more
        return luma


Picture = Luma | Undecoded


def is_looked_at(picture: Picture) -> bool:
    """Whether a picture has been decoded, so that to look at it costs nothing."""
    return not isinstance(picture, Undecoded) or picture.looked_at


def luma_of(picture: Picture) -> Luma:
    """The (h, w) uint8 luma of a picture, decoded now if it was not."""
    return picture.luma if isinstance(picture, Undecoded) else picture


LookAt = Callable[[Sequence[Picture]], None]
"""Decodes pictures that are about to be looked at, however it can do so soonest."""


def when_asked(pictures: Sequence[Picture]) -> None:
    """The simplest `LookAt`: each is decoded when it is asked for."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one feed, decoded only as far as sight needs it, and when it needs it.

    `luma` is (h, w) uint8, upright, scaled so that its longer side is about 240 px (never
    upscaled); `size` is the (width, height) of the full upright picture. `at_ms` is a whole
    number of ms, strictly increasing within a feed: arrival time for live feeds,
    `startedAtMs` + pts for files. `encoded` holds the JPEG exactly as it was received, where
    the feed is JPEG, or tap's own of at most 640 px where it is WebRTC (`size` is that JPEG's
    then, and `luma` what it decodes to); `source_ms` the sender's own stamp, on the sender's
    clock, where it gave one.
    """

    feed: str
    index: int
    at_ms: float
    picture: Picture
    size: tuple[int, int]
    encoded: bytes | None = None
    source_ms: float | None = None

    @property
    def luma(self) -> Luma:
        """The picture itself."""
        return luma_of(self.picture)


# ---------------------------------------------------------------- what was seen


class ShotState(StrEnum):
    """What the program showed for a while."""

    LIVE = "live"
    TRANSITION = "transition"
    COMPOSED = "composed"
    AMBIGUOUS = "ambiguous"
    OFF_CAMERA = "off_camera"
    BLACK = "black"
    UNSEEN = "unseen"


class Shot(Word):
    """A stretch of program time, [start_ms, end_ms), in one state."""

    start_ms: float
    end_ms: float
    state: ShotState
    camera: str | None = None
    cameras: tuple[str, ...] = ()
    confidence: float = 0.0
    runner_up: str | None = None
    runner_up_confidence: float = 0.0


class EventType(StrEnum):
    """Things that happen on the program or to a feed."""

    CUT = "cut"
    DISSOLVE = "dissolve"
    FADE = "fade"
    WIPE = "wipe"
    FREEZE = "freeze"
    HOLD = "hold"
    FEED_LOST = "feed_lost"
    FEED_BACK = "feed_back"


COMMANDED = frozenset({EventType.CUT, EventType.DISSOLVE, EventType.FADE, EventType.WIPE})
"""Kinds of event that a director commands; each must land in exactly one verdict."""

SOFT = frozenset({EventType.DISSOLVE, EventType.FADE, EventType.WIPE})
"""Changes that take time."""


class Event(Word):
    """Something seen at `at_ms`. `from_camera`/`to_camera` are None for off-camera and black."""

    id: str
    type: EventType
    at_ms: float
    duration_ms: float = 0.0
    from_camera: str | None = Field(
        default=None,
        serialization_alias="from",
        validation_alias=AliasChoices("from", "from_camera", "fromCamera"),
    )
    to_camera: str | None = Field(
        default=None,
        serialization_alias="to",
        validation_alias=AliasChoices("to", "to_camera", "toCamera"),
    )
    confidence: float = 0.0
    frame: int | None = None
    """Index of the program frame at `at_ms`, counted from 0."""


# ---------------------------------------------------------------- what was said


class ClaimType(StrEnum):
    """The director's messages."""

    SESSION_START = "session.start"
    SESSION_END = "session.end"
    CUT = "cut"
    HOLD = "hold"
    RELEASE = "release"
    MODE = "mode"
    PROPOSAL = "proposal"
    ACCEPT = "accept"
    VETO = "veto"
    STILL = "still"
    CAMERA = "camera"
    MUSIC = "music"
    UNKNOWN = "unknown"
    """Anything else: kept raw, counted, never guessed at."""
    UNREADABLE = "unreadable"
    """Not a message at all, or one with a wrong field: kept raw with `problem`."""


class Claim(Word):
    """One message of the director, as understood. Fields that its type lacks are None.

    `at_ms` is the time tap judges by: the sender's `atMs`, or the receive time where the sender
    gave none or where `clock_suspect`. `raw` is the message as received (an object, or
    `{"text": …}` where it was none).
    """

    id: str
    type: ClaimType
    at_ms: float
    recv_ms: float
    sent_ms: float | None = None
    seq: int | None = None
    clock_suspect: bool = False
    problem: str | None = None

    camera: str | None = None
    transition: EventType | None = None
    duration_ms: float | None = None
    mode: str | None = None
    proposal: str | None = None
    expires_ms: float | None = None
    rationale: str | None = None
    still_id: str | None = None
    kind: str | None = None
    uri: str | None = None
    sha256: str | None = None
    role: str | None = None
    placement: str | None = None
    source: str | None = None
    label: str | None = None
    bar: float | None = None
    phase: str | None = None
    session_id: str | None = None
    title: str | None = None
    notes: str | None = None
    reason: str | None = None
    raw: Mapping[str, Any] = Field(default_factory=dict[str, Any])


# ---------------------------------------------------------------- what follows


class VerdictCode(StrEnum):
    """How a claim and the pictures compare. Every claim and commanded event gets exactly one."""

    AGREE = "AGREE"
    LATE = "LATE"
    EARLY = "EARLY"
    WRONG_CAMERA = "WRONG_CAMERA"
    MISSED = "MISSED"
    UNANNOUNCED = "UNANNOUNCED"
    REVERTED = "REVERTED"
    SOFT = "SOFT"
    HOLD_KEPT = "HOLD_KEPT"
    HOLD_BROKEN = "HOLD_BROKEN"
    OFF_CAMERA = "OFF_CAMERA"
    COMPOSED = "COMPOSED"
    AMBIGUOUS = "AMBIGUOUS"
    DUPLICATE = "DUPLICATE"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    CLOCK_SUSPECT = "CLOCK_SUSPECT"
    NOTED = "NOTED"
    UNSEEN = "UNSEEN"


DISAGREEMENTS = frozenset(
    {
        VerdictCode.WRONG_CAMERA,
        VerdictCode.MISSED,
        VerdictCode.UNANNOUNCED,
        VerdictCode.HOLD_BROKEN,
        VerdictCode.OFF_CAMERA,
        VerdictCode.COMPOSED,
        VerdictCode.LATE,
        VerdictCode.EARLY,
        VerdictCode.REVERTED,
        VerdictCode.SOFT,
    }
)
"""Codes in which the pictures contradict what was said; they make `tap verify` exit with 1."""


class Verdict(Word):
    """One finding. `lag_ms` is picture minus message, signed, where there are both."""

    code: VerdictCode
    claim_id: str | None = None
    event_id: str | None = None
    at_ms: float
    lag_ms: float | None = None
    confidence: float
    text: str


# ---------------------------------------------------------------- the whole document


Gap = tuple[float, float, str]
"""[start_ms, end_ms, reason]"""

DelayAt = tuple[float, float, float, float]
"""[at_ms, delay_ms, low_ms, high_ms]: a camera's delay as it was measured at a time."""


class CameraSeen(Word):
    """What was learnt about one camera. Delay fields are None where it was never observed."""

    id: str
    delay_ms: float | None = None
    delay_low_ms: float | None = None
    delay_high_ms: float | None = None
    frames_seen: int = 0
    frames_dropped: int = 0
    gaps: tuple[Gap, ...] = ()
    mirrored: bool = False
    delays: tuple[DelayAt, ...] = ()
    """How the delay went while the camera was live, one measurement each 5 s at most."""


class Indistinguishable(Word):
    """Two cameras, and the stretches in which a cut between them would not have been seen."""

    cameras: tuple[str, str]
    intervals: tuple[tuple[float, float], ...] = ()
    """[start_ms, end_ms], in order."""
    total_ms: float = 0.0


class Coverage(Word):
    """What tap looked at, and where it was blind."""

    program_frames: int = 0
    unseen: tuple[Gap, ...] = ()
    indistinguishable: tuple[Indistinguishable, ...] = ()
    """Pairs of cameras that showed the same for a while."""


class SessionName(Word):
    """Which session a document speaks of."""

    external_id: str
    kind: str = SESSION_KIND


class Witness(Word):
    """The `tap-witness/1` document."""

    format: str = "tap-witness/1"
    session: SessionName
    shots: tuple[Shot, ...] = ()
    events: tuple[Event, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    cameras: tuple[CameraSeen, ...] = ()
    coverage: Coverage = Coverage()
