"""`tap verify`: judges a session again, and holds the ledger against what follows.

What was seen comes from tap's own evidence, or is seen again from a recording; what was said from
tap's journal, or from the ledger's own rows where tap's journal is not at hand.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tap.errors import InputError
from tap.feeds.shoot import load_shoot
from tap.judge import Tolerances
from tap.ledger import (
    DirectorEventRow,
    LedgerReader,
    Recalled,
    Source,
    read_journal,
    recall,
)
from tap.ledger.memory import no_cycles
from tap.ledger.rows import DIRECTOR_EVENTS, SESSIONS, session_key
from tap.report.files import write_text
from tap.report.findings import Fault, LedgerProblem, Verification
from tap.report.folder import (
    JOURNAL_FILE,
    PICTURES_FOLDER,
    REPORT_FILE,
    VERIFY_FILE,
    WITNESS_FILE,
    FolderPictures,
    journalled_claims,
)
from tap.report.gather import Gatherer
from tap.report.page import write_page
from tap.report.pictures import Pictures
from tap.vocabulary import (
    CameraSeen,
    Claim,
    Coverage,
    SessionName,
    ShotState,
    VerdictCode,
    Witness,
)
from tap.witness.books import Books, check_books, read_books, unreadable_rows
from tap.witness.compare import check_order
from tap.witness.evidence import ShootPictures, digest, load_witness
from tap.witness.rejudge import Judged, rejudge
from tap.witness.replay import replay as replay_shoot

SAME_CHANGE_MS = 500.0
"""A change that was seen again may have been seen some frames earlier or later."""

SEEN_AGAIN = "seen-again"
"""Where under `out` the recording's own record goes."""

SeeAgain = Callable[[Path, Path], Witness]
"""Witnesses a recorded shoot (its folder) into a folder of its own."""


def verify(
    session_id: str | None,
    *,
    ledger: LedgerReader | None,
    folder: Path | None = None,
    replay: Path | None = None,
    out: Path,
    tolerances: Tolerances | None = None,
    see_again: SeeAgain | None = None,
) -> Verification:
    """Check a session; leave `verify.json` and the page in `out`.

    `folder` holds tap's own evidence; `replay` is a recorded shoot (`tap-shoot/1`) that is
    witnessed again by `see_again`, `tap.witness.replay.replay` unless given. At least one of the
    two is needed. Without a ledger the verdicts alone are checked. Raises `InputError` and
    `LedgerError`.
    """
    # To see a recording again takes long and forgets much: the collector is needed there.
    with no_cycles() if replay is None else nullcontext():
        return _verify(
            session_id,
            ledger=ledger,
            folder=folder,
            replay=replay,
            out=out,
            tolerances=tolerances or Tolerances(),
            see_again=see_again,
        )


def _verify(
    session_id: str | None,
    *,
    ledger: LedgerReader | None,
    folder: Path | None,
    replay: Path | None,
    out: Path,
    tolerances: Tolerances,
    see_again: SeeAgain | None,
) -> Verification:
    if replay is not None:
        again = see_again or partial(replay_shoot, tolerances=tolerances)
        sight = _from_recording(replay, again, out / SEEN_AGAIN, folder)
    elif folder is not None:
        sight = _from_folder(folder)
    else:
        raise InputError(
            "Expected tap's own evidence of the session or a recording of it, got neither; "
            "give the recording with --replay."
        )
    name = session_id or sight.witness.session.external_id
    books = read_books(ledger, name) if ledger is not None else None
    if books is None and session_id not in (None, sight.witness.session.external_id):
        raise InputError(
            f"Expected evidence of the session {name!r}, got that of "
            f"{sight.witness.session.external_id!r}; give the folder of that session."
        )
    claims = sight.claims if sight.own_claims or books is None else _claims_of(books)
    judged = rejudge(session_key(name), sight.witness, claims, tolerances)
    rows = match_rows(judged, books.events) if books is not None else {}
    problems = (
        _problems(ledger, books, sight, judged, rows)
        if ledger is not None and books is not None
        else []
    )
    gatherer = Gatherer(sight.witness)
    findings = [
        gatherer.finding(j.key, j.verdict, j.claim, j.event, rows[j.key].verdict)
        if j.key in rows
        else gatherer.finding(j.key, j.verdict, j.claim, j.event)
        for j in judged
    ]
    checked = Verification(
        session=SessionName(external_id=name, kind=sight.witness.session.kind),
        basis=sight.basis,
        ledger_checked=books is not None,
        rows=books.rows if books is not None else 0,
        unread=tuple(books.unread) if books is not None else (),
        findings=tuple(sorted(findings, key=lambda finding: finding.at_ms)),
        problems=tuple(problems),
        cameras=sight.witness.cameras,
        coverage=sight.witness.coverage,
    )
    write_text(out / VERIFY_FILE, checked.to_json())
    write_page(out / REPORT_FILE, sight.witness, checked, sight.pictures)
    return checked


# ---------------------------------------------------------------- what was seen


@dataclass(frozen=True, slots=True)
class _Sight:
    """What there is to judge by. `finished` is False for a session that was cut off."""

    basis: str
    witness: Witness
    claims: Sequence[Claim]
    own_claims: bool
    """Whether `claims` are from the journal of the session itself."""
    pictures: Pictures
    folder: Path | None
    finished: bool


def _from_folder(folder: Path) -> _Sight:
    """tap's own evidence: the document, or the journal where there is none yet."""
    has_journal = (folder / JOURNAL_FILE).is_file()
    finished = (folder / WITNESS_FILE).is_file()
    if not finished and not has_journal:
        raise InputError(
            f"{folder}: expected {WITNESS_FILE} or {JOURNAL_FILE} of a session, found neither; "
            "give the folder that the session left, or a recording with --replay."
        )
    claims: list[Claim] = []
    if has_journal:
        with read_journal(folder / JOURNAL_FILE) as journal:
            known = recall(journal)
        claims = known.claims
        witness = load_witness(folder) if finished else _from_journal(folder, known)
    else:
        witness = load_witness(folder)
    pictures = FolderPictures(folder / PICTURES_FOLDER)
    return _Sight("evidence", witness, claims, has_journal, pictures, folder, finished)


def _from_journal(folder: Path, known: Recalled) -> Witness:
    """What a session saw that never came to its end."""
    if known.session is None:
        raise InputError(
            f"{folder}: the journal has no session yet; give the recording with --replay."
        )
    blind = [shot for shot in known.shots if shot.state is ShotState.UNSEEN]
    return Witness(
        session=SessionName(external_id=known.session.external_id, kind=known.session.kind),
        shots=tuple(sorted(known.shots, key=lambda shot: shot.start_ms)),
        events=tuple(known.events),
        cameras=tuple(CameraSeen(id=camera) for camera in known.cameras),
        coverage=Coverage(unseen=tuple((s.start_ms, s.end_ms, "tap was blind") for s in blind)),
    )


def _from_recording(recording: Path, see_again: SeeAgain, out: Path, folder: Path | None) -> _Sight:
    shoot = load_shoot(recording)
    witness = see_again(recording, out)
    own = folder is not None and (folder / JOURNAL_FILE).is_file()
    claims = journalled_claims(folder if own and folder is not None else out)
    return _Sight("recording", witness, claims, own, ShootPictures(shoot), folder, finished=True)


def _claims_of(books: Books) -> list[Claim]:
    """The messages as the ledger has them, in order of receipt."""
    told = [row.claim for row in books.events if row.claim is not None]
    return sorted(told, key=lambda claim: claim.recv_ms)


# ---------------------------------------------------------------- the ledger against it


def match_rows(
    judged: Sequence[Judged], rows: Sequence[DirectorEventRow]
) -> dict[str, DirectorEventRow]:
    """The ledger's row for each verdict, by the verdict's key.

    Rows of messages have the message's key. A change that nobody announced is known by its time
    and camera too, for seen again it may be some frames off.
    """
    by_key = {row.key: row for row in reversed(rows)}
    found = {j.key: by_key[j.key] for j in judged if j.key in by_key}
    taken = {row.key for row in found.values()}
    free = [row for row in rows if row.source is Source.WITNESS and row.key not in taken]
    for one in judged:
        event = one.event
        if one.claim is not None or event is None or one.key in found:
            continue
        distances = [
            (abs(row.at_ms - event.at_ms), place)
            for place, row in enumerate(free)
            if row.camera == event.to_camera
        ]
        distance, place = min(distances, default=(float("inf"), 0))
        if distance <= SAME_CHANGE_MS:
            found[one.key] = free.pop(place)
    return found


def _problems(
    ledger: LedgerReader,
    books: Books,
    sight: _Sight,
    judged: Sequence[Judged],
    rows: dict[str, DirectorEventRow],
) -> list[LedgerProblem]:
    """All that is wrong with the ledger, each row once."""
    problems: list[LedgerProblem] = []
    journal = sight.folder / JOURNAL_FILE if sight.folder is not None else None
    if journal is not None and journal.is_file():
        with read_journal(journal) as opened:
            problems += check_books(books, opened, ledger.kept)
    else:
        problems += books.problems + unreadable_rows(books)
        problems += check_order(DIRECTOR_EVENTS, [row.document() for row in books.events])
    named = {problem.key for problem in problems}
    problems += [p for p in _digest_problem(books, sight) if p.key not in named]
    problems += [p for p in _verdict_problems(books, sight, judged, rows) if p.key not in named]
    return problems


def _digest_problem(books: Books, sight: _Sight) -> list[LedgerProblem]:
    """The ledger pins the evidence: its session row has the digest of `witness.json`."""
    state, folder = books.session.final_state, sight.folder
    if state is None or state.evidence_digest is None or folder is None:
        return []
    document = folder / WITNESS_FILE
    if not document.is_file() or digest(document) == state.evidence_digest:
        return []
    text = f"Its digest of the evidence is not that of {WITNESS_FILE}: one of them was altered."
    key = books.session.key
    return [LedgerProblem(fault=Fault.ALTERED, table=SESSIONS, key=key, text=text)]


def _verdict_problems(
    books: Books, sight: _Sight, judged: Sequence[Judged], rows: dict[str, DirectorEventRow]
) -> list[LedgerProblem]:
    """Verdicts that the ledger lacks, has too many of, or has otherwise."""
    problems: list[LedgerProblem] = []
    for one in judged:
        row, code = rows.get(one.key), one.verdict.code
        if not sight.finished and (row is None or code is VerdictCode.UNSEEN):
            continue  # what the end cut off was never judged, or with more than is left
        if row is None:
            text = f"The ledger has no row for this verdict: {code.value}, {one.verdict.text}"
            problems.append(_problem(Fault.MISSING, one.key, text))
        elif row.verdict is not code:
            text = f"The ledger says {row.verdict.value}, but what was seen gives {code.value}."
            problems.append(_problem(Fault.DIFFERENT_VERDICT, row.key, text))
    taken = {row.key for row in rows.values()}
    for row in books.events:
        if row.key not in taken and sight.finished:
            text = f"Nothing that was seen or said gives this row ({row.type} {row.camera or ''})."
            problems.append(_problem(Fault.EXTRA, row.key, text))
    return problems


def _problem(fault: Fault, key: str, text: str) -> LedgerProblem:
    return LedgerProblem(fault=fault, table=DIRECTOR_EVENTS, key=key, text=text)
