"""What the room knows: the latest status, and the last of everything that happened.

Lives on the room's thread alone. Readers hold a number into the one backlog of messages; nothing
is kept for any of them, so a reader that sleeps costs nothing.
"""

import asyncio
import json
import logging
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tap.report.wording import CHANGES, TITLES, clip
from tap.room.backlog import Backlog
from tap.room.inbox import Found, Note
from tap.room.shapes import (
    AngleChangeShape,
    ClaimShape,
    FeedShape,
    PictureShape,
    ProgramChangeShape,
    Shape,
    StatusShape,
    VerdictShape,
)
from tap.vocabulary import DISAGREEMENTS, Claim, Event
from tap.witness.onlooker import ProgramNow
from tap.witness.status import LiveStatus

MOST_MESSAGES = 2_000
"""How long a hole in a stream can be made good: messages since it was lost."""
MOST_LISTED = 5_000
SHOWN_AFRESH = 300
"""Of each list, how much a page is given that begins afresh."""
MOST_PICTURES = 20_000
LONGEST_CAMERA = 64

_LISTS = {
    "claim": "claims",
    "angle-change": "angleChanges",
    "verdict": "verdicts",
    "program": "program",
}
"""Each kind of numbered message, and the list of a `reset` that holds the last of them."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One numbered message of the stream, written once for all readers."""

    id: str
    kind: str
    data: str


class Board:
    """Takes notes in, and has the answers."""

    def __init__(self, now_ms: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self.run = secrets.token_hex(4)
        """Which run of tap this is: numbers of another run mean nothing here."""
        self.status: LiveStatus | None = None
        self.status_ms: float | None = None
        self.over = False
        self.messages: Backlog[Message] = Backlog(MOST_MESSAGES)
        self.claims: Backlog[ClaimShape] = Backlog(MOST_LISTED)
        self.changes: Backlog[AngleChangeShape] = Backlog(MOST_LISTED)
        self.verdicts: Backlog[VerdictShape] = Backlog(MOST_LISTED)
        self.program: Backlog[ProgramChangeShape] = Backlog(MOST_LISTED)
        self._pictures: OrderedDict[str, None] = OrderedDict()
        self.began_afresh = 0
        """How often a reader was given the latest state instead of what it missed."""
        self._recent = {kind: deque[str](maxlen=SHOWN_AFRESH) for kind in _LISTS}
        """The last of each kind as it was written, for pages that begin afresh all at once."""
        self._news = asyncio.Event()
        self._written: tuple[LiveStatus | None, str] = (None, "")

    # ------------------------------------------------------------ in

    def take(self, notes: list[Note], *, lost: bool = False) -> None:
        """Notes of the witness; `lost`: some are missing, so no reader's number holds any more."""
        for note in notes:
            try:
                self._take(note)
            except ValueError:
                _log.exception("a note can't be shown")
                lost = True
        if lost:
            self.run = secrets.token_hex(4)
        if notes or lost:
            self._ring()

    def close(self) -> None:
        """The session is over: every stream ends."""
        self.over = True
        self._ring()

    @property
    def news(self) -> asyncio.Event:
        """Set when something is new. Take it first, then look, then wait: nothing is missed."""
        return self._news

    def _ring(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _take(self, note: Note) -> None:
        if isinstance(note, LiveStatus):
            self.status, self.status_ms = note, self._now_ms()
        elif isinstance(note, ProgramNow):
            change = ProgramChangeShape(
                seq=self.program.last + 1, at_ms=note.at_ms, state=note.state, camera=note.camera
            )
            self.program.add(change)
            self._say("program", change)
        elif isinstance(note, Event):
            seen = _change(self.changes.last + 1, note)
            self.changes.add(seen)
            self._say("angle-change", seen)
        elif isinstance(note, Claim):
            said = _claim(self.claims.last + 1, note)
            self.claims.add(said)
            self._say("claim", said)
        else:
            found = _verdict(self.verdicts.last + 1, note)
            self.verdicts.add(found)
            for proof in note.proofs:
                self._pictures[proof.name] = None
            while len(self._pictures) > MOST_PICTURES:
                self._pictures.popitem(last=False)
            self._say("verdict", found)

    def _say(self, kind: str, shape: Shape) -> None:
        number, text = self.messages.last + 1, _json(shape.content())
        self.messages.add(Message(f"{self.run}-{number}", kind, text))
        self._recent[kind].append(text)

    # ------------------------------------------------------------ out

    def status_shape(self) -> StatusShape | None:
        """The latest status, as data; None before the first."""
        if self.status is None:
            return None
        return status_shape(self.status, self._now_ms())

    def status_text(self) -> str:
        """The latest status as JSON, written once for all readers; empty before the first."""
        if self._written[0] is not self.status and self.status is not None:
            shape = status_shape(self.status, self._now_ms())
            self._written = (self.status, _json(shape.content()))
        return self._written[1]

    def shows(self, picture: str) -> bool:
        """Whether a verdict told of a picture of this name."""
        return picture in self._pictures

    def cameras(self) -> list[FeedShape]:
        """Every feed."""
        return _feeds(self.status) if self.status is not None else []

    def resume(self, last_id: str | None) -> int | None:
        """After which number a reader that had `last_id` goes on; None: it must begin afresh."""
        run, _, number = (last_id or "").rpartition("-")
        if run != self.run or not number.isascii() or not number.isdigit() or len(number) > 15:
            return None
        return int(number) if self.messages.holds_after(int(number)) else None

    def afresh(self, why: str) -> Message:
        """Everything that a page needs to begin: `why` is new, hole or restart."""
        if why != "new":
            self.began_afresh += 1
        lists = ",".join(
            f'"{name}":[{",".join(self._recent[kind])}]' for kind, name in _LISTS.items()
        )
        status = self.status_text() or "null"
        text = f'{{"why":"{why}","nowMs":{self._now_ms():.0f},"status":{status},{lists}}}'
        return Message(f"{self.run}-{self.messages.last}", "reset", text)


def status_shape(status: LiveStatus, now_ms: float) -> StatusShape:
    """A status as data."""
    content = status.as_json()
    content["feeds"] = [feed.content() for feed in _feeds(status)]
    return StatusShape.model_validate({**content, "nowMs": round(now_ms)})


def _feeds(status: LiveStatus) -> list[FeedShape]:
    return [
        FeedShape(
            id=feed.id,
            role=feed.role,
            label=feed.label,
            state=feed.state,
            fps=_rounded(feed.fps, 2),
            size=feed.size,
            delay_ms=_rounded(feed.delay_ms, 1),
            jitter_ms=_rounded(feed.jitter_ms, 1),
            age_ms=_rounded(feed.age_ms),
            dropped=feed.dropped,
            note=feed.note,
        )
        for feed in status.feeds
    ]


def _claim(seq: int, claim: Claim) -> ClaimShape:
    return ClaimShape(
        seq=seq,
        id=clip(claim.id, 200),
        type=claim.type,
        at_ms=claim.at_ms,
        camera=claim.camera and clip(claim.camera, LONGEST_CAMERA),
        transition=claim.transition,
    )


def _change(seq: int, event: Event) -> AngleChangeShape:
    content = event.model_dump(by_alias=True)
    return AngleChangeShape.model_validate({**content, "seq": seq})


def _verdict(seq: int, found: Found) -> VerdictShape:
    verdict, claim, event = found.verdict, found.claim, found.event
    told = claim.camera if claim is not None and claim.type in CHANGES else None
    return VerdictShape(
        seq=seq,
        code=verdict.code,
        title=TITLES[verdict.code],
        disagrees=verdict.code in DISAGREEMENTS,
        claim_id=verdict.claim_id and clip(verdict.claim_id, 200),
        event_id=verdict.event_id,
        at_ms=verdict.at_ms,
        lag_ms=verdict.lag_ms,
        confidence=verdict.confidence,
        text=clip(verdict.text),
        told=told and clip(told, LONGEST_CAMERA),
        seen=event.to_camera if event is not None else None,
        pictures=[
            PictureShape(role=proof.role, feed=proof.feed, url=f"/evidence/{proof.name}")
            for proof in found.proofs
        ],
    )


def _rounded(value: float | None, digits: int | None = None) -> float | None:
    return None if value is None else round(value, digits)


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
