"""A session kept as tap keeps one: journal, ledger, document, for the tests of verify."""

import sqlite3
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from sample_session import START_MS

from tap.judge import Tolerances
from tap.ledger import Bookkeeper, CameraFacts, EmbeddedLedger, Journal, SessionFacts
from tap.report.findings import Fault
from tap.vocabulary import Claim, Witness
from tap.witness.evidence import digest, write_witness
from tap.witness.rejudge import rejudge
from tap.witness.verify import verify

NAME = "shoot-2026-11-22-a"
EVENTS = "productionDirectorEvents"
PLANTED = ["WRONG_CAMERA", "MISSED", "UNANNOUNCED"]


@dataclass
class Kept:
    """A session as tap leaves it: its folder and its ledger."""

    folder: Path
    ledger: Path
    out: Path

    def verify(self, session: str | None = NAME, **more):
        store = EmbeddedLedger(self.ledger, read_only=True)
        try:
            return verify(
                session, **({"ledger": store, "folder": self.folder, "out": self.out} | more)
            )
        finally:
            store.close()

    def sql(self, *statements: str) -> None:
        connection = sqlite3.connect(self.ledger)
        with connection:
            for statement in statements:
                assert connection.execute(statement).rowcount == 1
        connection.close()

    def verdicts(self) -> list[tuple[str, str]]:
        connection = sqlite3.connect(self.ledger)
        found = connection.execute(f'SELECT key, verdict FROM "{EVENTS}" ORDER BY seq').fetchall()
        connection.close()
        return found


def keep(
    tmp_path: Path,
    witness: Witness,
    claims: tuple[Claim, ...],
    *,
    end: bool = True,
    at_once: bool = False,
) -> Kept:
    """Journal and ledger a session as the live witness does; `at_once`: in one transaction."""
    folder = tmp_path / "session"
    store = EmbeddedLedger(tmp_path / "ledger.sqlite")
    books = Bookkeeper(Journal(folder / "journal.sqlite"), store, external_id=NAME)
    cameras = [CameraFacts(id=seen.id, role="angle") for seen in witness.cameras]
    books.begin(SessionFacts(external_id=NAME, title="A shoot"), cameras, START_MS)
    with books._journal.transaction() if at_once else nullcontext():
        for claim in claims:
            books.claim(claim)
        for event in witness.events:
            books.event(event)
        for shot in witness.shots:
            books.shot(shot)
        judged = rejudge(NAME, witness, claims, Tolerances())
        for one in judged:
            books.verdict(one.verdict, one.claim, one.event)
    if end:
        whole = witness.model_copy(update={"verdicts": tuple(one.verdict for one in judged)})
        write_witness(folder / "witness.json", whole)
        state = {"shots": len(witness.shots), "evidenceDigest": digest(folder / "witness.json")}
        books.complete(witness.shots[-1].end_ms, state)
    books._outbox.flush(300)
    assert books.close().pending == 0
    store.close()
    return Kept(folder, tmp_path / "ledger.sqlite", tmp_path / "out")


def problems(checked) -> list[tuple[Fault, str]]:
    return [(problem.fault, problem.key) for problem in checked.problems]


def key(claim_id: str) -> str:
    return f"{NAME}/claim/{claim_id}"
