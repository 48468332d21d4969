"""What goes into the books and what they answer: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tap.ledger.circuit import Way
from tap.vocabulary import SESSION_KIND, Claim, Event, Shot, Verdict


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What is known of a session when tap joins it."""

    external_id: str
    kind: str = SESSION_KIND
    title: str | None = None
    notes: str | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What is known of a camera. None is not known (yet), and takes nothing back."""

    id: str
    role: str | None = None
    label: str | None = None
    source: str | None = None
    placement: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """What the journal knew when tap joined; `run` counts the times, from 1.

    Each kind is in the order in which it was journalled; `verdicts` are by the key of the row
    that they are in. A session that goes on gives its verdicts to `Bookkeeper.verdict` again,
    all from the first, as its judge finds them again: those that have a row change nothing.
    `ended_ms` is when the director ended the session, where no run has completed it since;
    `files` are the names of the files beside the journal that it has the hashes of.
    """

    resumed: bool
    run: int
    claims: tuple[Claim, ...] = ()
    events: tuple[Event, ...] = ()
    shots: tuple[Shot, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict[str, Verdict])
    ended_ms: float | None = None
    files: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FileFact:
    """A file beside the journal, by its path from there: its SHA-256 in hex, or None: it is gone.

    `found` tells that tap found it so when it joined, and does not know who left it so.
    """

    name: str
    sha256: str | None
    found: bool = False

    def body(self) -> dict[str, Any]:
        """As it is journalled."""
        what = {"gone": True} if self.sha256 is None else {"sha256": self.sha256}
        return {"name": self.name, **what, **({"found": True} if self.found else {})}


@dataclass(frozen=True, slots=True)
class BookStatus:
    """How the books stand. Counts are of rows.

    `oldest_age_ms` is how long the oldest pending row has been waiting; `reason` a sentence on
    why rows can't be sent, None while they can; `way` is open, closed or paused (tap is not let
    in), and `way_since_ms` since when (Unix ms), None where that is from the start. `differing`
    counts facts that came again with another content: the first one stands.
    """

    pending: int = 0
    sent: int = 0
    parked: int = 0
    oldest_age_ms: float | None = None
    reason: str | None = None
    differing: int = 0
    way: Way = Way.OPEN
    way_since_ms: float | None = None
    requests: int = 0
