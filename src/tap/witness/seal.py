"""`tap seal`: how a session's seal stands, and sealing the end that a killed tap left open."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tap.clock import Clock
from tap.errors import InputError
from tap.ledger import FactKind, FileFact, Journal, LedgerReader, Sealing, read_journal, recall
from tap.report.folder import JOURNAL_FILE
from tap.report.sealed import write_public_key
from tap.seal import Signer
from tap.seal.chain import parse
from tap.witness.vouching import stock


@dataclass(frozen=True, slots=True)
class SealState:
    """How far a session is sealed, as it says itself; whether that is so is for a check."""

    session: str | None
    records: int
    statements: int
    digest: str | None
    key: str | None
    """The public key in hex that the last run was opened with."""
    sealed_at: int | None
    closed: bool

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "session": self.session,
            "records": self.records,
            "statements": self.statements,
            "digest": self.digest,
            "key": self.key,
            "sealedAt": self.sealed_at,
            "closed": self.closed,
        }


def seal_state(folder: Path) -> SealState:
    """Raises `InputError` where there is no journal, or its statements can't be read."""
    path = _journal(folder)
    session = key = digest = at = None
    statements = 0
    with read_journal(path) as journal:
        for seal in journal.seals():
            try:
                statement = parse(seal.text)
            except ValueError as error:
                raise InputError(
                    f"{path}: expected statement {seal.n} of the seal, but {error}; see with "
                    f"`tap verify --seal {folder}` what else is wrong"
                ) from error
            statements, digest, at = statements + 1, seal.digest, statement.at
            if statement.opens is not None:
                session, key = statement.opens.session, statement.opens.key
        records, last = 0, ""
        for record in journal.sealed_records():
            records, last = records + 1, record.kind
    closed = last == FactKind.CLOSE.value
    return SealState(session, records, statements, digest, key, at, closed)


def seal_now(folder: Path, session: str, signer: Signer, clock: Clock) -> bool:
    """Seal the end of a session that nobody witnesses any more; False where that is done.

    What stands there without a statement is taken in, and said to have stood there so. Raises
    `InputError` and `LedgerError` (another tap witnesses it now, say).
    """
    path = _journal(folder)
    if seal_state(folder).closed:
        return False
    journal = Journal(path, sealing=Sealing(signer, session, clock))
    try:
        known = recall(journal)
        changes = stock(folder, frozenset(known.files))
        with journal.transaction():
            for change in changes:
                _add(journal, FactKind.FILE, known.runs, change)
            body = {"run": known.runs, "atMs": clock.now_ms(), "by": "tap seal"}
            journal.append(FactKind.CLOSE, _key(journal, FactKind.CLOSE), body)
        write_public_key(folder, signer.public)
    finally:
        journal.close()
    return True


def pinned_digest(ledger: LedgerReader, session: str) -> str | None:
    """The digest that the ledger pins the session's record by, where it has one."""
    row = ledger.session(session)
    state = row.final_state if row is not None else None
    return state.seal.digest if state is not None and state.seal is not None else None


def _add(journal: Journal, kind: FactKind, run: int, change: FileFact) -> None:
    journal.append(kind, _key(journal, kind), {"run": run, **change.body()})


def _key(journal: Journal, kind: FactKind) -> str:
    """One that no run has used: they number theirs."""
    nth = 1
    while journal.find(f"{kind.value}/sealed/{nth}") is not None:
        nth += 1
    return f"{kind.value}/sealed/{nth}"


def _journal(folder: Path) -> Path:
    path = folder / JOURNAL_FILE
    if not path.is_file():
        raise InputError(
            f"{folder}: expected a session's folder with {JOURNAL_FILE}, found none; give the "
            "session's id with --session, or its folder"
        )
    return path
