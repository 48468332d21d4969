"""The outbox: in order, one request at a time, for ever; and past a row that is refused."""

import threading

import pytest
from sample_outbox import Wire, drain, event, keys, put
from tenacity import wait_none

from tap.ledger import (
    BookError,
    CameraRow,
    Code,
    FactKind,
    Journal,
    SessionRow,
    all_events,
)
from tap.ledger.outbox import MAX_ROWS, Outbox, backoff
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
