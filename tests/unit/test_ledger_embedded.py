"""The embedded ledger: create or resume, once in effect, all or nothing."""

import sqlite3
import threading

import pytest

from tap.clock import ManualClock
from tap.ledger import (
    BookError,
    CameraRow,
    DirectorEventRow,
    EmbeddedLedger,
    FinalState,
    SessionRow,
    StillRow,
    all_events,
    all_stills,
)
from tap.vocabulary import Claim, Event


@pytest.fixture
def ledger(tmp_path):
    ledger = EmbeddedLedger(tmp_path / "deep" / "ledger.sqlite", clock=ManualClock(5.0))
    yield ledger
    ledger.close()


def session(runs=1, **more):
    return SessionRow(key="s", external_id="s", started_at_ms=10.0 * runs, runs=runs, **more)


def camera(rev=1, **more):
    return CameraRow(key="s/camera/a", session_key="s", camera_id="a", rev=rev, **more)


def event(n, key=None, **more):
    fields = {"type": "cut", "source": "witness", "at_ms": 1.0 * n, "verdict": "UNANNOUNCED"}
    fields |= {"confidence": 0.5, "text": "…", "session_key": "s"} | more
    return DirectorEventRow(key=key or f"s/seen/e{n}", seq=n, **fields)


def still(n, **more):
    fields = {"session_key": "s", "camera_id": "a", "at_ms": 1.0, "kind": "capture"} | more
    return StillRow(key=f"s/still/{n:03}", still_id=f"{n:03}", **fields)


def refused(code):
    return pytest.raises(BookError, check=lambda error: error.code == code)


class TestSession:
    def test_is_created_once(self, ledger):
        assert ledger.start_session(session()).created
        again = ledger.start_session(session())
        assert (again.created, again.resumed, again.runs) == (False, False, 1)
        assert ledger.session("s") == session()
        assert len(ledger.sessions()) == 1

    def test_a_later_run_resumes_it_and_makes_it_live_again(self, ledger):
        ledger.start_session(session(title="A", notes="n"))
        ledger.complete_session("s", 99.0, FinalState(shots=3))
        assert ledger.start_session(session(runs=2, title="B")).resumed
        found = ledger.session("s")
        assert (found.status, found.ended_at_ms, found.final_state) == ("live", None, None)
        assert (found.title, found.notes, found.runs, found.started_at_ms) == ("B", "n", 2, 10.0)

    def test_an_old_start_that_comes_late_changes_nothing(self, ledger):
        ledger.start_session(session(runs=3, title="new"))
        answer = ledger.start_session(session(runs=2, title="old"))
        assert (answer.resumed, answer.runs) == (False, 3)
        assert ledger.session("s").title == "new"

    def test_a_start_sent_again_does_not_reopen_it(self, ledger):
        ledger.start_session(session())
        ledger.complete_session("s", 99.0, FinalState())
        ledger.start_session(session(title="told later"))
        assert ledger.session("s").status == "completed"
        assert ledger.session("s").title == "told later"

    def test_is_completed_once(self, ledger):
        ledger.start_session(session())
        state = FinalState(program_camera="a", verdicts={"AGREE": 3}, hold=False, unseen_ms=0.5)
        assert ledger.complete_session("s", 99.0, state)
        assert not ledger.complete_session("s", 99.0, state)
        with refused("KEY_REUSED"):
            ledger.complete_session("s", 100.0, state)
        assert ledger.session("s").final_state == state
        assert ledger.session("s").ended_at_ms == 99.0

    def test_one_that_is_not_there_is_not_completed(self, ledger):
        with refused("NO_SESSION"):
            ledger.complete_session("s", 99.0, FinalState())

    def test_a_key_stands_for_one_session(self, ledger):
        ledger.start_session(session())
        with refused("KEY_REUSED"):
            ledger.start_session(session().model_copy(update={"external_id": "other"}))

    def test_the_latest_comes_first(self, ledger):
        for n in range(3):
            ledger.start_session(
                SessionRow(key=f"s{n}", external_id=f"s{n}", started_at_ms=float(n))
            )
        assert [row.key for row in ledger.sessions()] == ["s2", "s1", "s0"]
        assert ledger.session("s9") is None


class TestCameras:
    def test_the_highest_revision_counts(self, ledger):
        ledger.start_session(session())
        assert ledger.upsert_cameras([camera()]).applied == 1
        assert ledger.upsert_cameras([camera(3, role="hero"), camera(2)]) == (1, 1)
        assert ledger.cameras("s") == (camera(3, role="hero"),)

    def test_a_revision_is_written_once(self, ledger):
        ledger.start_session(session())
        ledger.upsert_cameras([camera(2, role="hero")])
        assert ledger.upsert_cameras([camera(2, role="hero")]) == (0, 1)
        with refused("KEY_REUSED"):
            ledger.upsert_cameras([camera(2, role="wide")])

    def test_need_their_session(self, ledger):
        with refused("NO_SESSION"):
            ledger.upsert_cameras([camera()])


class TestEvents:
    def test_are_added_once(self, ledger):
        ledger.start_session(session())
        assert ledger.append_events([event(1), event(2)]) == (2, 0)
        assert ledger.append_events([event(2), event(3)]) == (1, 1)
        assert [row.seq for row in all_events(ledger, "s")] == [1, 2, 3]

    def test_come_back_as_they_were(self, ledger):
        ledger.start_session(session())
        claim = Claim(id="m", type="cut", at_ms=1, recv_ms=2, raw={"a": [None, {"b": 1}]})
        seen = Event(id="e", type="cut", at_ms=3, from_camera="a", to_camera=None, confidence=0.1)
        row = event(1, claim=claim, seen=seen, lag_ms=-0.25, camera="ä", mode="ghost")
        ledger.append_events([row])
        assert list(all_events(ledger, "s")) == [row]

    def test_one_bad_row_leaves_the_whole_batch_out(self, ledger):
        ledger.start_session(session())
        ledger.append_events([event(1)])
        with refused("KEY_REUSED"):
            ledger.append_events([event(2), event(1, text="another")])
        with refused("NO_SESSION"):
            ledger.append_events([event(2), event(3, session_key="t")])
        with refused("BAD_VALUE"):
            ledger.append_events([event(2), event(3, confidence=float("nan"))])
        assert [row.seq for row in all_events(ledger, "s")] == [1]

    def test_pages_never_part_rows_of_one_number(self, ledger):
        ledger.start_session(session())
        rows = [event(n) for n in range(1, 8)] + [
            event(3, key="s/seen/x"),
            event(3, key="s/seen/y"),
        ]
        ledger.append_events(rows)
        page = ledger.events("s", limit=3)
        assert [row.seq for row in page] == [1, 2, 3, 3, 3]
        assert [row.seq for row in ledger.events("s", after_seq=3, limit=3)] == [4, 5, 6]
        assert ledger.events("s", after_seq=7) == ()

    def test_wrong_numbers_are_read_too(self, ledger):
        ledger.start_session(session())
        ledger.append_events([event(0), event(-4, key="s/seen/n")])
        assert [row.seq for row in all_events(ledger, "s")] == [-4, 0]


def test_stills_are_added_once_and_paged_by_key(ledger):
    ledger.start_session(session())
    rows = [still(n, uri="file:x", program_camera="a", program_confidence=0.9) for n in range(7)]
    assert ledger.add_stills(rows) == (7, 0)
    assert ledger.add_stills(rows[:2]) == (0, 2)
    assert [row.key for row in ledger.stills("s", limit=2)] == [rows[0].key, rows[1].key]
    assert tuple(all_stills(ledger, "s")) == tuple(rows)
    with refused("KEY_REUSED"):
        ledger.add_stills([still(1, kind="marker")])


def test_anyone_can_read_it_with_sql(ledger):
    ledger.start_session(session())
    ledger.append_events([event(1, camera="a")])
    with sqlite3.connect(ledger.path) as plain:
        found = plain.execute(
            'SELECT _id, _creationTime, "camera", "verdict", "atMs" FROM productionDirectorEvents'
        ).fetchall()
    plain.close()
    assert [row[1:] for row in found] == [(5.0, "a", "UNANNOUNCED", 1.0)]
    assert len(found[0][0]) == 32


def test_a_row_that_was_damaged_by_hand_is_an_error_in_words(ledger):
    ledger.start_session(session())
    ledger.append_events([event(1)])
    with sqlite3.connect(ledger.path) as plain:
        plain.execute("UPDATE productionDirectorEvents SET verdict = 'NONSENSE'")
    plain.close()
    with refused("DAMAGED"):
        ledger.events("s")


def test_several_processes_may_write(tmp_path):
    """Each connection stands for a process; SQLite doesn't care."""
    path = tmp_path / "ledger.sqlite"
    failures = []

    def write(name):
        try:
            ledger = EmbeddedLedger(path)
            ledger.start_session(SessionRow(key=name, external_id=name, started_at_ms=0))
            for n in range(1, 15):
                ledger.append_events([event(n, key=f"{name}/{n}", session_key=name)])
            ledger.close()
        except BookError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"s{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    ledger = EmbeddedLedger(path, read_only=True)
    assert [len(list(all_events(ledger, f"s{n}"))) for n in range(4)] == [14] * 4
    ledger.close()
