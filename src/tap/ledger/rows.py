"""The four tables of the production ledger, as rows, and the keys that name them.

A key follows from what the row is about, never from when or by whom it was written: whoever
writes the same fact again writes the same key, and a ledger keeps it once.
"""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from tap.vocabulary import SESSION_KIND, Claim, ClaimType, Event, ShotState, VerdictCode, Word

SESSIONS = "productionSessions"
CAMERAS = "productionCameras"
DIRECTOR_EVENTS = "productionDirectorEvents"
STILLS = "productionStills"


class SealPin(Word):
    """The checkpoint of the session's seal that stood before its completion.

    Who has this can tell later whether the local record still is the one that was sealed.
    """

    statement: int
    records: int
    digest: str
    """Of the checkpoint, in hex: what `tap verify --seal` looks for."""
    root: str
    """The Merkle root over the records, in hex."""
    key: str
    """The short name of the public key."""


class FinalState(Word):
    """How a session stood at its end. `verdicts` counts them by code."""

    program_state: str | None = None
    program_camera: str | None = None
    mode: str | None = None
    hold: bool | None = None
    verdicts: dict[VerdictCode, int] = Field(default_factory=dict[VerdictCode, int])
    shots: int | None = None
    program_frames: int | None = None
    unseen_ms: float | None = None
    evidence_digest: str | None = None
    """SHA-256 of the session's `witness.json`, in hex."""
    seal: SealPin | None = None


class Row(Word):
    """What all rows have: the key that is theirs for good."""

    key: str

    def document(self) -> dict[str, Any]:
        """The row as it is stored: camelCase names, fields without a value left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class SessionRow(Row):
    """A shoot. `runs` says how often tap has joined it; it only grows."""

    external_id: str
    kind: str = SESSION_KIND
    title: str | None = None
    notes: str | None = None
    mode: str | None = None
    status: Literal["live", "completed"] = "live"
    started_at_ms: float
    ended_at_ms: float | None = None
    runs: int = 1
    final_state: FinalState | None = None


class CameraRow(Row):
    """A camera as it is known so far. The row with the highest `rev` counts."""

    session_key: str
    camera_id: str
    role: str | None = None
    label: str | None = None
    placement: str | None = None
    source: str | None = None
    rev: int = 1


class Source(StrEnum):
    """Whose word a director event rests on."""

    DIRECTOR = "director"
    """The director announced it."""
    WITNESS = "witness"
    """Only the pictures show it: nobody announced it."""


class DirectorEventType(StrEnum):
    """What kind of thing was said or, for source `witness`, seen."""

    SESSION_START = "session.start"
    SESSION_END = "session.end"
    CUT = "cut"
    DISSOLVE = "dissolve"
    FADE = "fade"
    WIPE = "wipe"
    HOLD = "hold"
    RELEASE = "release"
    MODE = "mode"
    PROPOSAL = "proposal"
    ACCEPT = "accept"
    VETO = "veto"
    STILL_CAPTURE = "still_capture"
    STILL_MARKER = "still_marker"
    CAMERA = "camera"
    MUSIC = "music"
    MESSAGE = "message"
    """A message of a type that tap doesn't know, or that it could not read."""

    @classmethod
    def of_claim(cls, claim: Claim) -> "DirectorEventType":
        """The type of a message."""
        if claim.type is ClaimType.STILL:
            return cls.STILL_MARKER if claim.kind == "marker" else cls.STILL_CAPTURE
        if claim.type in (ClaimType.UNKNOWN, ClaimType.UNREADABLE):
            return cls.MESSAGE
        return cls(claim.type.value)

    @classmethod
    def of_event(cls, event: Event) -> "DirectorEventType":
        """The type of a change that nobody announced."""
        return cls(event.type.value)


class DirectorEventRow(Row):
    """One thing that was said, with what was seen of it; or seen, and never said.

    `seq` counts the session's rows from 1 without a gap, in the order of the verdicts. `at_ms`
    is the message's time, or the picture's where there is no message. `camera` is the one the
    message names, or the one that came on; `from_camera` the one that was seen to leave.
    """

    session_key: str
    seq: int
    type: DirectorEventType
    source: Source
    at_ms: float
    camera: str | None = None
    from_camera: str | None = None
    mode: str | None = None
    claim: Claim | None = None
    seen: Event | None = None
    verdict: VerdictCode
    confidence: float
    lag_ms: float | None = None
    text: str


class JudgingRow(DirectorEventRow):
    """A row of tap's in a ledger that another writer fills: `judges` is that one's row."""

    judges: str | None = None


class StillRow(Row):
    """A still that was taken or marked, with what the program showed at its time."""

    session_key: str
    still_id: str
    camera_id: str
    at_ms: float
    kind: Literal["capture", "marker"]
    uri: str | None = None
    sha256: str | None = None
    program_state: ShotState | None = None
    program_camera: str | None = None
    program_confidence: float | None = None


# ------------------------------------------------------------------ keys


def session_key(external_id: str) -> str:
    """`shoot-1`. All other keys are this, a slash, and one of the names below."""
    return _part(external_id)


def claim_name(claim_id: str, nth: int = 1) -> str:
    """`claim/m7`; the nth message with one id: `claim/m7#2`."""
    return f"claim/{_part(claim_id)}{_nth(nth)}"


def seen_name(event_id: str) -> str:
    """`seen/cut-1789000000000`: a change that no message announced."""
    return f"seen/{_part(event_id)}"


def camera_name(camera_id: str) -> str:
    """`camera/cam-a`"""
    return f"camera/{_part(camera_id)}"


def still_name(still_id: str, nth: int = 1) -> str:
    """`still/s3`; another message about a still of that id: `still/s3#2`."""
    return f"still/{_part(still_id)}{_nth(nth)}"


def _part(text: str) -> str:
    """Ids come from outside: without this, `a/claim/b` or `m7#2` could pass for another's key."""
    return text.replace("%", "%25").replace("/", "%2F").replace("#", "%23")


def _nth(nth: int) -> str:
    return "" if nth == 1 else f"#{nth}"
