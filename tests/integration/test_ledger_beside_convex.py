"""Role witness on the stand-in: another writer's session, and tap's verdicts linked to its rows."""

import pytest
from tests import standin
from tests.unit.sample_session import START_MS, sample

from tap.judge import Tolerances
from tap.ledger import (
    BesideLedger,
    Bookkeeper,
    CameraFacts,
    ConvexLedger,
    DirectorEventRow,
    Journal,
    SessionFacts,
    SessionRow,
    all_events,
)
from tap.ledger.convex import load_mapping
from tap.report.findings import Fault
from tap.witness.evidence import write_witness
from tap.witness.rejudge import rejudge
from tap.witness.verify import verify

NAME = "shoot-2026-11-22-a"
EVENTS = "productionDirectorEvents"


def author(far, claims):
    """What the director's own software writes."""
    ledger = ConvexLedger(far.url, token=standin.TOKEN)
    ledger.start_session(SessionRow(key=NAME, external_id=NAME, started_at_ms=START_MS))
    ledger.append_events(
        [
            DirectorEventRow(
                key=f"{NAME}/claim/{claim.id}", session_key=NAME, seq=number, type="cut",
                source="director", at_ms=claim.at_ms, camera=claim.camera, claim=claim,
                verdict="NOTED", confidence=0.0, text="as sent",
            )
            for number, claim in enumerate(claims, start=1)
        ]
    )  # fmt: skip
    ledger.close()


@pytest.fixture
def watched(far, tmp_path):
    """tap begins before the other writer, and waits for it."""
    given = sample()
    quick = load_mapping().model_copy(update={"requests_per_second": 1000.0})
    ledger = BesideLedger(far.url, quick, token=standin.TOKEN)
    folder = tmp_path / "session"
    books = Bookkeeper(Journal(folder / "journal.sqlite"), ledger, external_id=NAME)
    cameras = [CameraFacts(id=seen.id) for seen in given.witness.cameras]
    books.begin(SessionFacts(external_id=NAME), cameras, START_MS)
    for claim in given.claims:
        books.claim(claim)
    for event in given.witness.events:
        books.event(event)
    for shot in given.witness.shots:
        books.shot(shot)
    judged = rejudge(NAME, given.witness, given.claims, Tolerances())
    for one in judged:
        books.verdict(one.verdict, one.claim, one.event)
    assert not books._outbox.flush(0.5)
    assert "isn't there yet" in books.status().reason
    author(far, given.claims)
    whole = given.witness.model_copy(update={"verdicts": tuple(one.verdict for one in judged)})
    write_witness(folder / "witness.json", whole)
    books.complete(START_MS + 1e5, {"shots": 1})
    status = books.close(30)
    assert (status.pending, status.parked) == (0, 0)
    yield ledger, folder
    ledger.close()


def test_tap_adds_its_own_rows_and_links_them(watched, far):
    ledger, _ = watched
    tables = far.tables()
    ours = [row for row in tables[EVENTS] if "/claim/" not in row["key"]]
    theirs = {row["key"]: row for row in tables[EVENTS] if "/claim/" in row["key"]}
    assert {row["verdict"] for row in theirs.values()} == {"NOTED"}
    judging = [row for row in ours if "judges" in row]
    assert {row["judges"] for row in judging} == set(theirs)
    assert all(row["key"] == row["judges"].replace("/claim/", "/judged/") for row in judging)
    assert [row["verdict"] for row in ours if "judges" not in row] == ["UNANNOUNCED"]
    assert tables["productionCameras"] == []
    assert tables["productionSessions"][0]["status"] == "live"
    assert len(list(all_events(ledger, NAME))) == len(ours)


def test_verify_holds_tap_s_rows_against_its_record_and_leaves_the_others_alone(watched, tmp_path):
    ledger, folder = watched
    checked = verify(NAME, ledger=ledger, folder=folder, out=tmp_path / "out")
    assert checked.problems == ()
    assert [finding.verdict.value for finding in checked.disagreements] == [
        "WRONG_CAMERA", "MISSED", "UNANNOUNCED",
    ]  # fmt: skip


def test_a_row_that_judges_another_one_is_found(watched, tmp_path, monkeypatch):
    ledger, folder = watched
    read = ledger.convex.events

    def altered(*given):
        return tuple(
            row.model_copy(update={"judges": f"{NAME}/claim/m3"})
            if row.key.endswith("/judged/m2")
            else row
            for row in read(*given)
        )

    monkeypatch.setattr(ledger.convex, "events", altered)
    checked = verify(NAME, ledger=ledger, folder=folder, out=tmp_path / "out")
    [problem] = checked.problems
    assert (problem.fault, problem.key) == (Fault.ALTERED, f"{NAME}/claim/m2")
    assert "judges" in problem.text
