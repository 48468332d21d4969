"""The outbox: in order, one request at a time, for ever; and past a row that is refused."""

import contextlib
import threading
import time

import pytest
from tenacity import wait_none

from tap.clock import ManualClock
from tap.ledger import (
    BookError,
    CameraRow,
    Code,
    EmbeddedLedger,
    FactKind,
    Journal,
    SessionRow,
    all_events,
)
from tap.ledger.circuit import Way
from tap.ledger.outbox import MAX_ROWS, Outbox, backoff
from tap.ledger.queue import Op, Outgoing, State
from tap.ledger.rows import DirectorEventRow


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


class Wire(EmbeddedLedger):
    """A ledger whose way can be closed, and which may lose its answers."""

    def __init__(self, path):
        super().__init__(path)
        self.faults = []
        self.calls = []
        self.in_flight = 0

    def append_events(self, rows):
        assert self.in_flight == 0, "two requests at once"
        self.in_flight += 1
        try:
            self.calls.append([row.key for row in rows])
            fault = self.faults.pop(0) if self.faults else None
            if fault == "drop":
                raise BookError(Code.UNREACHABLE, "No answer.")
            if isinstance(fault, Exception):
                raise fault
            answer = super().append_events(rows)
            if fault == "commit then drop":
                raise BookError(Code.UNREACHABLE, "No answer.")
            return answer
        finally:
            self.in_flight -= 1


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


def event(key, session="s"):
    return DirectorEventRow(
        key=key,
        session_key=session,
        seq=0,
        type="cut",
        source="witness",
        at_ms=0,
        verdict="UNANNOUNCED",
        confidence=1,
        text="",
    )


def put(journal, first, last, bad=()):
    with journal.transaction():
        for n in range(first, last):
            row = event(f"k{n}", "nowhere" if n in bad else "s")
            out = Outgoing(Op.EVENT, row.key, row.document())
            journal.append(FactKind.VERDICT, f"v{n}", {}, [out])


def keys(ledger):
    return [row.key for row in all_events(ledger, "s")]


def drain(outbox):
    while True:
        try:
            if not outbox.push():
                return
        except BookError:
            continue


def test_rows_go_in_order_in_batches(journal, wire, outbox):
    put(journal, 0, 250)
    drain(outbox)
    assert [len(call) for call in wire.calls] == [MAX_ROWS, MAX_ROWS, 50]
    assert keys(wire) == [f"k{n}" for n in range(250)]
    status = outbox.status()
    assert (status.pending, status.sent, status.parked, status.reason) == (0, 250, 0, None)


def test_rows_of_another_kind_in_between_go_together_too(journal, wire, outbox):
    """A shoot's stills and cameras would else cut its events into many small requests."""
    with journal.transaction():
        for n in range(60):
            made = event(f"k{n}")
            journal.append(
                FactKind.VERDICT, f"v{n}", {}, [Outgoing(Op.EVENT, made.key, made.document())]
            )
            if n % 3 == 0:
                camera = CameraRow(key=f"c{n}", session_key="s", camera_id=f"c{n}")
                row = Outgoing(Op.CAMERA, camera.key, camera.document())
                journal.append(FactKind.CAMERA, f"w{n}", {}, [row])
    body = {"key": "s", "endedAtMs": 1.0, "finalState": {}}
    journal.append(FactKind.COMPLETION, "c", {}, [Outgoing(Op.COMPLETION, "s", body)])
    put(journal, 100, 110)
    drain(outbox)
    assert [len(call) for call in wire.calls] == [60, 10]
    assert outbox.status().requests == 4
    assert len(wire.cameras("s")) == 20
    assert wire.session("s").status == "completed"


def test_what_got_no_answer_is_sent_again_and_written_once(journal, wire, outbox):
    put(journal, 0, 30)
    wire.faults = ["drop", "commit then drop", "commit then drop", "drop"]
    with pytest.raises(BookError):
        outbox.push()
    assert outbox.status().reason == "No answer."
    assert journal.queue.head(1, 10**6)[0].attempts == 1
    put(journal, 30, 60)
    drain(outbox)
    assert keys(wire) == [f"k{n}" for n in range(60)]
    assert outbox.status().reason is None


@pytest.mark.parametrize("bad", [{0}, {99}, {37, 38, 170}, set(range(0, 200, 9))])
def test_a_refused_row_is_parked_with_its_reason_and_blocks_nothing(journal, wire, outbox, bad):
    put(journal, 0, 200, bad)
    drain(outbox)
    assert keys(wire) == [f"k{n}" for n in range(200) if n not in bad]
    parked = list(journal.queue.rows(State.PARKED))
    assert [row.key for row in parked] == [f"k{n}" for n in sorted(bad)]
    assert all("start the session first" in row.reason for row in parked)
    assert len(wire.calls) < 40 + 12 * len(bad)


def test_a_row_that_is_no_row_is_parked_too(journal, wire, outbox):
    journal.append(FactKind.VERDICT, "v", {}, [Outgoing(Op.EVENT, "k", {"key": "k"})])
    put(journal, 1, 3)
    drain(outbox)
    assert keys(wire) == ["k1", "k2"]
    assert [row.key for row in journal.queue.rows(State.PARKED)] == ["k"]


def test_waiting_grows_and_is_spread(monkeypatch):
    highest = []
    monkeypatch.setattr("random.uniform", lambda low, high: highest.append((low, high)) or 0)

    class Attempt:
        attempt_number = 1

    for Attempt.attempt_number in range(1, 12):
        backoff()(Attempt)
    assert [low for low, _ in highest] == [0] * 11
    assert [high for _, high in highest] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]


class TestThread:
    def test_sends_what_is_there_and_what_comes(self, journal, wire, outbox):
        put(journal, 0, 10)
        outbox.start()
        assert outbox.flush(20)
        put(journal, 10, 20)
        outbox.notify()
        assert outbox.flush(20)
        assert keys(wire) == [f"k{n}" for n in range(20)]

    def test_tries_again_until_the_way_is_open(self, journal, wire, outbox):
        wire.faults = ["drop"] * 20 + [TypeError("a fault of the ledger's own")] * 3
        put(journal, 0, 10)
        outbox.start()
        assert outbox.flush(20)
        assert keys(wire) == [f"k{n}" for n in range(10)]
        assert len(wire.calls) == 24

    def test_never_keeps_the_caller_waiting(self, journal, wire):
        reached, let_go = threading.Event(), threading.Event()

        def hang(rows):
            reached.set()
            let_go.wait(20)
            raise BookError(Code.UNREACHABLE, "No answer.")

        wire.append_events = hang
        outbox = Outbox(journal.queue, wire)
        put(journal, 0, 1)
        outbox.start()
        assert reached.wait(20)
        put(journal, 1, 50)  # the request hangs, the journal goes on
        outbox.notify()
        assert outbox.status().pending == 50
        assert not outbox.flush(0.01)
        let_go.set()
        outbox.stop()
        assert outbox.status().pending == 50

    def test_a_rest_is_cut_short_by_a_flush_and_by_the_end(self, journal, wire):
        failed = threading.Event()
        outbox = Outbox(journal.queue, wire, wait=lambda state: failed.set() or 3600)
        wire.faults = ["drop"]
        put(journal, 0, 1)
        outbox.start()
        assert failed.wait(20)
        assert outbox.flush(20)
        failed.clear()
        wire.faults = ["drop"] * 50
        put(journal, 1, 2)
        outbox.notify()
        assert failed.wait(20)
        outbox.stop(timeout_s=20)
        assert not outbox._thread.is_alive()

    def test_parked_rows_get_another_chance_in_the_next_run(self, journal, wire):
        put(journal, 0, 3, bad={1})
        first = Outbox(journal.queue, wire)
        drain(first)
        assert first.status().parked == 1
        wire.start_session(SessionRow(key="nowhere", external_id="nowhere", started_at_ms=0))
        second = Outbox(journal.queue, wire)
        second.start()
        assert second.flush(20)
        second.stop()
        assert second.status().parked == 0
        assert [row.key for row in all_events(wire, "nowhere")] == ["k1"]

    def test_ends_though_the_journal_is_closed_under_it(self, journal, wire, outbox):
        wire.faults = ["drop"] * 1000
        put(journal, 0, 3)
        outbox.start()
        journal.close()
        outbox.stop(timeout_s=20)
        assert not outbox._thread.is_alive()


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
