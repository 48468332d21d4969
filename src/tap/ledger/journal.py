"""The journal: what tap knows of a session, on disk before anything else hears of it.

Facts are only ever added. A fact and the rows that follow from it are one transaction, so after
any kind of end the rows still to be sent are known exactly.
"""

import json
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from tap.ledger import queue, sealing
from tap.ledger.database import Database, Kind
from tap.ledger.faults import BookError, Code
from tap.ledger.queue import Outgoing, Queue
from tap.ledger.sealing import Pinned, Sealer, Sealing
from tap.seal import Record, Seal

JOURNAL = Kind(
    name="a tap journal",
    application_id=0x7461706A,  # "tapj"
    version=2,  # 2: with the seal's table
    schema=f"""
CREATE TABLE facts (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
) STRICT;
{queue.SCHEMA}
{sealing.SCHEMA}
""",
    upgrades={1: sealing.SCHEMA},
)

_PAGE = 2000
_OWNER_WAIT_S = 2.0
"""A tap that was killed may take a moment to be gone."""


class FactKind(StrEnum):
    """What a fact is about."""

    RUN = "run"
    """tap joined the session."""
    SESSION = "session"
    CAMERA = "camera"
    CLAIM = "claim"
    EVENT = "event"
    SHOT = "shot"
    VERDICT = "verdict"
    STILL = "still"
    COMPLETION = "completion"
    FILE = "file"
    """A file beside the journal has this content, or is no more."""
    BEAT = "beat"
    """tap was there, and what it had seen by then."""
    CLOSE = "close"
    """tap left the session in order."""


_KINDS = {kind.value: kind for kind in FactKind}


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry. `seq` is its place in the journal, `text` its body as JSON."""

    seq: int
    kind: FactKind
    key: str
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """What it says."""
        found: dict[str, Any] = json.loads(self.text)
        return found


class Appended(NamedTuple):
    """Where a fact stands, and whether it was added just now."""

    seq: int
    new: bool


class Journal:
    """The journal of one session. One process at a time writes it; threads may share it.

    With `sealing`, what a transaction adds is signed within it: see `tap.ledger.sealing`. All
    methods raise `BookError` (a `LedgerError`).
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, sealing: Sealing | None = None
    ) -> None:
        self.path = path
        self._owner = None if read_only else _own(path)
        self._depth = 0
        try:
            self._database = Database(path, JOURNAL, read_only=read_only)
            self._sealer = Sealer(self._database, sealing) if sealing is not None else None
        except BaseException:
            self._disown()
            raise
        self.queue = Queue(self._database)

    def append(
        self,
        kind: FactKind,
        key: str,
        body: dict[str, Any],
        rows: Sequence[Outgoing] = (),
        *,
        at_ms: float = 0.0,
    ) -> Appended:
        """Add a fact and the rows that follow from it; durable when this returns.

        Where the key is known already, nothing is added: see `find` for what stands there.
        `at_ms` is from when on the rows count as waiting.
        """
        text = _json(body, key)
        with self.transaction():
            known = self._database.execute("SELECT seq FROM facts WHERE key = ?", (key,))
            if known:
                return Appended(known[0][0], new=False)
            self._database.execute(
                "INSERT INTO facts (kind, key, body) VALUES (?, ?, ?)", (kind.value, key, text)
            )
            [(seq,)] = self._database.execute("SELECT last_insert_rowid()")
            if self._sealer is not None:
                self._sealer.add(Record(seq, kind.value, key, text))
            for row in rows:
                self.queue.put(row, at_ms)
        return Appended(seq, new=True)

    @contextmanager
    def transaction(self) -> Generator[None]:
        """What is appended within becomes durable at its end, together or not at all."""
        with self._database.alone():
            self._depth += 1
            try:
                with self._database.transaction():
                    yield
                    if self._depth == 1 and self._sealer is not None:
                        self._sealer.seal()
            except BaseException:
                if self._depth == 1 and self._sealer is not None:
                    self._sealer.forget()
                raise
            else:
                if self._depth == 1 and self._sealer is not None:
                    self._sealer.commit()
            finally:
                self._depth -= 1

    def pin(self) -> Pinned | None:
        """Sign a checkpoint over all that was added so far, to be told elsewhere; None where
        the journal isn't sealed."""
        if self._sealer is None:
            return None
        with self.transaction():
            self._sealer.seal(checkpoint=True)
            return self._sealer.pinned()

    def sealed_records(self, after: int = 0) -> Iterator[Record]:
        """The facts behind place `after` letter by letter, whatever they have become."""
        return sealing.records(self._database, after)

    def seals(self, after: int = 0) -> Iterator[Seal]:
        """The statements behind number `after` that cover them; none where it isn't sealed."""
        return sealing.seals(self._database, after)

    def find(self, key: str) -> Fact | None:
        """The fact of that key."""
        found = self._database.execute(
            "SELECT seq, kind, key, body FROM facts WHERE key = ?", (key,)
        )
        return _fact(found[0]) if found else None

    def records(self, kind: FactKind | None = None, after: int = 0) -> Iterator[Fact]:
        """All facts (of one kind) behind place `after`, in order."""
        for page in self.pages(kind, after):
            yield from page

    def pages(self, kind: FactKind | None = None, after: int = 0) -> Iterator[list[Fact]]:
        """As `records`, many at a time."""
        only = kind.value if kind else None
        while True:
            page = self._database.execute(
                "SELECT seq, kind, key, body FROM facts"
                " WHERE seq > ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY seq LIMIT ?3",
                (after, only, _PAGE),
            )
            yield [_fact(values) for values in page]
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def close(self) -> None:
        """Close the file and let another process have it."""
        self._database.close()
        self._disown()

    def _disown(self) -> None:
        if self._owner is not None:
            self._owner.close()


def _own(path: Path) -> sqlite3.Connection:
    """Hold a lock beside the journal for as long as this process lives, however it ends.

    It is SQLite's own lock on an empty database, for the journal itself has to stay readable.
    """
    beside = path.with_name(f"{path.name}-owner")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(
            beside, timeout=_OWNER_WAIT_S, isolation_level=None, check_same_thread=False
        )
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except BaseException:
            lock.close()
            raise
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            raise BookError(
                Code.IN_USE,
                f"{path}: expected a journal that nobody else writes, but another tap witnesses "
                "this session now; end that one first.",
            ) from error
        raise _no_place(path, str(error)) from error
    except OSError as error:
        raise _no_place(path, error.strerror or str(error)) from error
    return lock


def _no_place(path: Path, found: str) -> BookError:
    return BookError(
        Code.READ_ONLY,
        f"{path}: expected a place for a journal, but its folder can't be written ({found}); "
        "give another folder or make it writable.",
    )


def read_journal(path: Path) -> "closing[Journal]":
    """A journal to read, while its session may be going on; use it in a `with`."""
    return closing(Journal(path, read_only=True))


def spelled(body: dict[str, Any]) -> str:
    """A fact's body as it stands in the journal."""
    return json.dumps(body, separators=(",", ":"))


def _fact(values: tuple[Any, ...]) -> Fact:
    seq, kind, key, body = values
    return Fact(seq, _KINDS[kind], key, body)


def _json(body: dict[str, Any], key: str) -> str:
    try:
        return spelled(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise BookError(
            Code.BAD_VALUE, f"{key}: expected JSON values, got others ({error}); correct them.", key
        ) from error
