"""Reads a ledger's rows of one session, and holds them against the journal, row by row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import ValidationError

from tap.errors import InputError
from tap.ledger.carry import session_after
from tap.ledger.faults import BookError, Code
from tap.ledger.journal import Journal
from tap.ledger.queue import Op, State, Waiting
from tap.ledger.rows import (
    CAMERAS,
    DIRECTOR_EVENTS,
    SESSIONS,
    STILLS,
    CameraRow,
    DirectorEventRow,
    Row,
    SessionRow,
    StillRow,
    session_key,
)
from tap.ledger.store import LedgerReader, RowFault, all_stills
from tap.report.findings import Fault, LedgerProblem
from tap.report.wording import clip
from tap.witness.compare import Document, compare_rows

_R = TypeVar("_R", bound=Row)

Kept = Callable[[Op, dict[str, Any]], dict[str, Any] | None]

_FIRST_SEQ = -(2**53)
_MOST_STEPS = 10_000
"""Rows that are no rows, before the ledger as a whole is given up."""
_MOST_NAMED = 10


@dataclass(slots=True)
class Books:
    """What a ledger holds of a session. `unreadable` are the numbers of rows that are no rows."""

    session: SessionRow
    cameras: tuple[CameraRow, ...] = ()
    events: list[DirectorEventRow] = field(default_factory=list[DirectorEventRow])
    stills: tuple[StillRow, ...] = ()
    unreadable: dict[int, str] = field(default_factory=dict[int, str])
    problems: list[LedgerProblem] = field(default_factory=list[LedgerProblem])
    unread: list[str] = field(default_factory=list[str])
    """Tables that this ledger can't be asked for: nothing is said of them."""

    @property
    def rows(self) -> int:
        """How many rows there are, the session's own included."""
        others = len(self.cameras) + len(self.events) + len(self.stills) + len(self.unreadable)
        return 1 + others


def read_books(store: LedgerReader, external_id: str) -> Books:
    """All rows of a session. Raises `InputError` if the ledger does not know it, `LedgerError`.

    A row that was altered so that it is no row any more costs only itself.
    """
    try:
        session = _session(store, external_id)
        books = Books(session)
    except BookError as error:
        if error.code is not Code.UNSUPPORTED:
            raise
        session = SessionRow(
            key=session_key(external_id), external_id=external_id, started_at_ms=0.0
        )
        books = Books(session, unread=[SESSIONS])
    books.cameras = _whole(books, CAMERAS, lambda: store.cameras(session.key))
    books.stills = _whole(books, STILLS, lambda: tuple(all_stills(store, session.key)))
    books.events = list(_events(store, books))
    books.problems += [_fault(fault) for fault in store.faults(session.key)]
    return books


def _fault(fault: RowFault) -> LedgerProblem:
    kind = Fault.ORPHANED if fault.orphan else Fault.DUPLICATE if fault.double else Fault.ALTERED
    return LedgerProblem(fault=kind, table=fault.table, key=fault.key, text=fault.text)


def check_books(
    books: Books, journal: Journal, kept: Kept = lambda _, document: document
) -> list[LedgerProblem]:
    """Every difference between the ledger and the rows that the journal sent, or has yet to.

    `kept` is `LedgerReader.kept`: what of a sent row the ledger keeps at all.
    """
    sent = list(_as_kept(journal.queue.rows(), kept))
    problems = list(books.problems)
    broken = {problem.table for problem in problems if problem.key == books.session.key}
    broken |= set(books.unread)
    named = {problem.key for problem in problems}
    session = session_after(row for row in sent if row.state is State.SENT)
    if session is not None and SESSIONS not in books.unread:
        problems += compare_rows(SESSIONS, [session], [books.session.document()])
    if CAMERAS not in broken:
        newest = {row.key: row for row in sent if row.op is Op.CAMERA and row.state is State.SENT}
        problems += compare_rows(CAMERAS, [r.body for r in newest.values()], _plain(books.cameras))
    if STILLS not in broken:
        problems += _compare(STILLS, _of(sent, Op.STILL), _plain(books.stills))
    events = _of(sent, Op.EVENT)
    for row in events:
        if row.body.get("seq") in books.unreadable:
            text = f"The row can't be read: {books.unreadable[row.body['seq']]}."
            problems.append(_altered(DIRECTOR_EVENTS, row.key, text))
    readable = [row for row in events if row.body.get("seq") not in books.unreadable]
    problems += _compare(DIRECTOR_EVENTS, readable, _plain(books.events))
    # A row that is told of already is not missing as well.
    told = len(books.problems)
    return problems[:told] + [problem for problem in problems[told:] if problem.key not in named]


def _as_kept(rows: Iterable[Waiting], kept: Kept) -> Iterator[Waiting]:
    for row in rows:
        body = kept(row.op, row.body)
        if body is not None:
            yield replace(row, body=body)


def _session(store: LedgerReader, external_id: str) -> SessionRow:
    try:
        found = store.session(external_id)
        known = () if found is not None else store.sessions()
    except BookError as error:
        if not _is_row(error):
            raise
        raise InputError(
            f"The ledger's row of the session {external_id} can't be read "
            f"({_first(error)}); restore the ledger from a copy."
        ) from error
    if found is None:
        names = ", ".join(clip(row.external_id, 60) for row in known[:_MOST_NAMED])
        more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
        raise InputError(
            f"Expected a session {clip(external_id, 60)!r} in the ledger, which has "
            f"{names + more if known else 'none'}; give the id of one of these with --session."
        )
    return found


def _whole(books: Books, table: str, read: Callable[[], tuple[_R, ...]]) -> tuple[_R, ...]:
    try:
        return read()
    except BookError as error:
        if error.code is Code.UNSUPPORTED:
            books.unread.append(table)
            return ()
        if not _is_row(error):
            raise
        text = f"A row of this session can't be read: {_first(error)}."
        books.problems.append(_altered(table, books.session.key, text))
        return ()


def _events(store: LedgerReader, books: Books) -> Iterator[DirectorEventRow]:
    """Page by page; where a page can't be read, number by number."""
    after = _FIRST_SEQ
    steps = 0
    while True:
        try:
            page = store.events(books.session.key, after)
        except BookError as error:
            if not _is_row(error):
                raise
            page = None
        if page is not None:
            if not page:
                return
            yield from page
            after = page[-1].seq
            continue
        after = max(after, 0)
        try:
            single = store.events(books.session.key, after, 1)
        except BookError as error:
            after += 1
            steps += 1
            books.unreadable[after] = _first(error)
            if steps > _MOST_STEPS or not _is_row(error):
                raise
            continue
        yield from single
        after = single[-1].seq if single else after + 1


def _compare(
    table: str, expected: Sequence[Waiting], found: Sequence[Document]
) -> list[LedgerProblem]:
    """As `compare_rows`; says of a missing row whether it was ever sent."""
    states = {row.key: row for row in expected}
    problems: list[LedgerProblem] = []
    for problem in compare_rows(table, [row.body for row in expected], found):
        row = states.get(problem.key)
        if problem.fault is Fault.MISSING and row is not None and row.state is not State.SENT:
            why = f" ({clip(row.reason, 160)})" if row.reason else ""
            waits = "still waits to be sent" if row.state is State.PENDING else "was refused"
            text = f"The ledger has no row for it: it {waits}{why}."
            problems.append(problem.model_copy(update={"text": text}))
        else:
            problems.append(problem)
    return problems


def unreadable_rows(books: Books) -> list[LedgerProblem]:
    """The rows that can't be read, by number: their keys are not known without a journal."""
    return [
        _altered(DIRECTOR_EVENTS, f"{books.session.key} seq {seq}", f"It can't be read: {why}.")
        for seq, why in books.unreadable.items()
    ]


def _of(sent: Sequence[Waiting], op: Op) -> list[Waiting]:
    return [row for row in sent if row.op is op]


def _plain(rows: Sequence[Row]) -> list[Document]:
    return [row.document() for row in rows]


def _altered(table: str, key: str, text: str) -> LedgerProblem:
    return LedgerProblem(fault=Fault.ALTERED, table=table, key=key, text=text)


def _is_row(error: BookError) -> bool:
    """Whether a row is at fault, and not the file as a whole."""
    return error.code is Code.DAMAGED and isinstance(error.__cause__, ValueError)


def _first(error: BookError) -> str:
    """What is wrong with a row, in few words."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return clip(str(cause), 200)
    first = cause.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return clip(f"{place}: {first['msg']}", 200)
