"""The witness's side of the room: notes are dropped in, and nobody is waited for."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tap.vocabulary import Claim, Event, Frame, Verdict
from tap.witness.onlooker import ProgramNow, Proof
from tap.witness.status import LiveStatus

MOST_NOTES = 20_000
"""Notes that wait for the room's thread; after that the oldest go, and pages begin anew."""


@dataclass(frozen=True, slots=True)
class Found:
    """A verdict with what it is on."""

    verdict: Verdict
    claim: Claim | None
    event: Event | None
    proofs: tuple[Proof, ...]


Note = Claim | Event | Found | ProgramNow | LiveStatus


class Inbox:
    """An `Onlooker` that never blocks: each call appends to a bounded deque and rings once.

    All threads may call it. `open` is called on the room's thread, which then is told of notes by
    `on_notes` and takes them with `take`.
    """

    def __init__(self, most: int = MOST_NOTES) -> None:
        self._notes: deque[Note] = deque(maxlen=most)
        self._put = 0
        self._taken = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_notes: Callable[[], object] | None = None
        self._rung = False
        self.frames: dict[str, Frame] = {}
        """The latest picture of each feed; the one before it is forgotten."""

    def open(self, loop: asyncio.AbstractEventLoop, on_notes: Callable[[], object]) -> None:
        """From now on ring `on_notes` on `loop`. Called on the loop's thread."""
        self._loop, self._on_notes = loop, on_notes
        loop.call_soon(self._answer)

    def close(self) -> None:
        """Ring no more; notes are still taken, and forgotten when there are too many."""
        self._loop = None

    def take(self) -> tuple[list[Note], bool]:
        """All notes that wait, and whether some were lost for want of room."""
        notes: list[Note] = []
        while self._notes:
            notes.append(self._notes.popleft())
        self._taken += len(notes)
        lost = self._put - self._taken - len(self._notes)
        if lost > 0:
            self._taken += lost
        return notes, lost > 0

    # ------------------------------------------------------------ called by the witness

    def frame(self, frame: Frame) -> None:
        """Remember the latest picture; whether anybody looks at it is the room's affair."""
        self.frames[frame.feed] = frame

    def claim(self, claim: Claim) -> None:
        """A message of the director."""
        self._drop(claim)

    def event(self, event: Event) -> None:
        """Something seen on the program."""
        self._drop(event)

    def verdict(
        self, verdict: Verdict, claim: Claim | None, event: Event | None, proofs: Sequence[Proof]
    ) -> None:
        """A finding."""
        self._drop(Found(verdict, claim, event, tuple(proofs)))

    def program(self, now: ProgramNow) -> None:
        """What the program seems to show."""
        self._drop(now)

    def status(self, status: LiveStatus) -> None:
        """The session at this moment."""
        self._drop(status)

    # ------------------------------------------------------------ inside

    def _drop(self, note: Note) -> None:
        self._notes.append(note)
        self._put += 1
        loop = self._loop
        if loop is None or self._rung:
            return
        self._rung = True
        try:
            loop.call_soon_threadsafe(self._answer)
        except RuntimeError:  # the room has just closed
            self._loop = None

    def _answer(self) -> None:
        # Lowered before anything is taken: a note that comes meanwhile rings again.
        self._rung = False
        if self._on_notes is not None:
            self._on_notes()
