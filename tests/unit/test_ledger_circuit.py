"""How the way stands, and whether a row or the ledger is to blame where neither says."""

import contextlib
import time

import pytest
from sample_outbox import Wire, drain, keys, put
from tenacity import wait_none

from tap.clock import ManualClock
from tap.ledger import BookError, Code, FactKind, Journal, SessionRow
from tap.ledger.circuit import Way
from tap.ledger.outbox import Outbox
from tap.ledger.queue import Op, Outgoing, State


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def wire(tmp_path):
    wire = Wire(tmp_path / "ledger.sqlite")
    wire.start_session(SessionRow(key="s", external_id="s", started_at_ms=0))
    yield wire
    wire.close()


@pytest.fixture
def outbox(journal, wire):
    outbox = Outbox(journal.queue, wire, wait=wait_none())
    yield outbox
    outbox.stop()


def suspect():
    return BookError(Code.SUSPECT, "500 without a reason")


class Poisoned(Wire):
    """Fails without a reason on some rows, as a function does that throws."""

    bad = frozenset()
    there = True

    def append_events(self, rows):
        if any(row.key in self.bad for row in rows):
            self.calls.append([row.key for row in rows])
            raise suspect()
        return super().append_events(rows)

    def answers(self):
        return self.there


class TestDoubt:
    @pytest.fixture
    def poisoned(self, tmp_path):
        ledger = Poisoned(tmp_path / "ledger.sqlite")
        ledger.start_session(SessionRow(key="s", external_id="s", started_at_ms=0))
        yield ledger
        ledger.close()

    @pytest.mark.parametrize("bad", [{"k0"}, {"k57"}, {"k99"}, {"k3", "k60", "k61", "k150"}])
    def test_a_row_that_always_fails_is_found_and_set_aside(self, journal, poisoned, bad):
        poisoned.bad = bad
        put(journal, 0, 200)
        outbox = Outbox(journal.queue, poisoned, wait=wait_none())
        drain(outbox)
        assert keys(poisoned) == [f"k{n}" for n in range(200) if f"k{n}" not in bad]
        assert {row.key for row in journal.queue.rows(State.PARKED)} == bad
        assert outbox.status().way is Way.OPEN
        assert len(poisoned.calls) < 40 * len(bad)

    def test_a_bad_moment_is_waited_out(self, journal, wire, outbox):
        put(journal, 0, 50)
        wire.faults = [suspect()] * 5
        drain(outbox)
        assert keys(wire) == [f"k{n}" for n in range(50)]
        assert {len(call) for call in wire.calls} == {50}

    def test_nothing_is_set_aside_while_the_ledger_does_not_answer_at_all(self, journal, poisoned):
        poisoned.bad, poisoned.there = {"k3"}, False
        put(journal, 0, 5)
        outbox = Outbox(journal.queue, poisoned, wait=wait_none())
        for _ in range(50):
            with pytest.raises(BookError):
                outbox.push()
        assert outbox.status().pending == 5

    def test_where_row_after_row_fails_it_is_the_ledger(self, journal, poisoned):
        poisoned.bad = {f"k{n}" for n in range(40)}
        put(journal, 0, 40)
        outbox = Outbox(journal.queue, poisoned, wait=wait_none())
        for _ in range(500):
            with contextlib.suppress(BookError):
                outbox.push()
        assert (outbox.status().parked, outbox.status().pending) == (3, 37)
        assert outbox.status().way is Way.CLOSED
        poisoned.bad = set()
        drain(outbox)
        journal.queue.unpark()
        drain(outbox)
        assert set(keys(poisoned)) == {f"k{n}" for n in range(40)}

    def test_the_session_itself_is_never_set_aside(self, journal, wire, outbox):
        row = SessionRow(key="s2", external_id="s2", started_at_ms=0)
        journal.append(FactKind.SESSION, "x", {}, [Outgoing(Op.SESSION, "s2", row.document())])
        wire.start_session = lambda row: (_ for _ in ()).throw(suspect())
        for _ in range(50):
            with pytest.raises(BookError):
                outbox.push()
        assert outbox.status().parked == 0


class TestWay:
    def test_it_is_told_since_when_and_why(self, journal, wire):
        clock = ManualClock(1000.0)
        outbox = Outbox(journal.queue, wire, wait=wait_none(), clock=clock)
        put(journal, 0, 3)
        assert (outbox.status().way, outbox.status().way_since_ms) == (Way.OPEN, None)
        wire.faults = ["drop", "drop", BookError(Code.DENIED, "not let in"), None]
        seen = []
        for _ in range(4):
            clock.sleep(1)
            with contextlib.suppress(BookError):
                outbox.push()
            status = outbox.status()
            seen.append((status.way, status.way_since_ms, status.reason, status.pending))
        assert seen == [
            (Way.CLOSED, 2000.0, "No answer.", 3),
            (Way.CLOSED, 2000.0, "No answer.", 3),
            (Way.PAUSED, 4000.0, "not let in", 3),
            (Way.OPEN, 5000.0, None, 0),
        ]
        assert outbox.status().requests == 4

    def test_not_being_let_in_is_an_alarm_and_loses_nothing(
        self, journal, wire, monkeypatch, caplog
    ):
        monkeypatch.setattr("tap.ledger.outbox.PAUSE_S", 0.05)
        wire.faults = [BookError(Code.DENIED, "not let in")] * 3
        outbox = Outbox(journal.queue, wire, wait=wait_none())
        put(journal, 0, 250)
        outbox.start()
        end = time.monotonic() + 20
        while outbox.status().pending and time.monotonic() < end:
            time.sleep(0.01)
        outbox.stop()
        assert keys(wire) == [f"k{n}" for n in range(250)]
        alarms = [r for r in caplog.records if r.levelname == "ERROR"]
        assert len(alarms) == 1
        assert "not let in" in alarms[0].getMessage()

    def test_requests_are_spread_while_tap_catches_up(self, journal, wire):
        put(journal, 0, 500)
        outbox = Outbox(journal.queue, wire, wait=wait_none(), per_second=20)
        began = time.monotonic()
        outbox.start()
        while outbox.status().pending and time.monotonic() < began + 20:
            time.sleep(0.005)
        took = time.monotonic() - began
        outbox.stop()
        assert len(wire.calls) == 5
        assert took >= 4 / 20

    def test_parked_rows_get_another_chance_within_a_run(self, journal, wire, monkeypatch):
        monkeypatch.setattr("tap.ledger.outbox.PARKED_AGAIN_S", 0.05)
        put(journal, 0, 3, bad={1})
        outbox = Outbox(journal.queue, wire, wait=wait_none())
        outbox.start()
        end = time.monotonic() + 20
        while not outbox.status().parked and time.monotonic() < end:
            time.sleep(0.01)
        wire.start_session(SessionRow(key="nowhere", external_id="nowhere", started_at_ms=0))
        while outbox.status().sent < 3 and time.monotonic() < end:
            time.sleep(0.01)
        outbox.stop()
        assert outbox.status().sent == 3
