"""Who may look over the witness's shoulder: told of everything, asked for nothing.

An onlooker is called on the witness's own threads. Each method must return at once and never
raise: it takes note, and works on a thread of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tap.report.findings import Role
from tap.vocabulary import Claim, Event, Frame, ShotState, Verdict
from tap.witness.status import LiveStatus


@dataclass(frozen=True, slots=True)
class ProgramNow:
    """What the program seems to show, provisionally, from `at_ms` on."""

    at_ms: float
    state: ShotState
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A picture that was kept for a verdict: what it shows, whose it is, its file's name."""

    role: Role
    feed: str
    name: str


class Onlooker(Protocol):
    """Hears of what a live session sees, hears and finds."""

    def frame(self, frame: Frame) -> None:
        """A picture of any feed, on the feed's thread."""
        ...

    def claim(self, claim: Claim) -> None:
        """A message of the director; those of earlier runs come first."""
        ...

    def event(self, event: Event) -> None:
        """Something seen on the program."""
        ...

    def verdict(
        self, verdict: Verdict, claim: Claim | None, event: Event | None, proofs: Sequence[Proof]
    ) -> None:
        """A finding. The files of its pictures are there within moments."""
        ...

    def program(self, now: ProgramNow) -> None:
        """The program seems to show something else than before."""
        ...

    def status(self, status: LiveStatus) -> None:
        """The session at this moment, some times a second."""
        ...
