"""The journal: facts once, in order, with the rows that follow from them."""

import threading

import pytest

from tap.ledger import BookError, FactKind, Journal, read_journal
from tap.ledger.queue import Op, Outgoing, State


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def row(n, op=Op.EVENT, **more):
    return Outgoing(op, f"k{n}", {"n": n, **more})


def test_a_fact_is_added_once(journal):
    first = journal.append(FactKind.CLAIM, "claim/m", {"a": 1}, [row(1)])
    again = journal.append(FactKind.CLAIM, "claim/m", {"a": 2}, [row(2)])
    assert first.new
    assert not again.new
    assert again.seq == first.seq
    assert [fact.body for fact in journal.records()] == [{"a": 1}]
    assert journal.queue.tally().pending == 1


def test_facts_come_back_in_order_and_by_kind(journal):
    for n in range(1200):
        journal_kind = FactKind.CLAIM if n % 2 else FactKind.EVENT
        with journal.transaction():
            journal.append(journal_kind, f"f{n}", {"n": n})
    assert [fact.body["n"] for fact in journal.records()] == list(range(1200))
    assert [fact.body["n"] for fact in journal.records(FactKind.CLAIM)] == list(range(1, 1200, 2))
    middle = journal.find("f600")
    assert next(journal.records(after=middle.seq)).key == "f601"
    assert journal.find("f9999") is None


def test_a_transaction_that_fails_leaves_nothing(journal):
    def fail_halfway():
        with journal.transaction():
            journal.append(FactKind.CLAIM, "a", {}, [row(1)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert list(journal.records()) == []
    journal.append(FactKind.CLAIM, "b", {}, [row(2)])
    assert [r.body["seq"] for r in journal.queue.rows()] == [1]


def test_director_events_are_numbered_without_a_gap(journal):
    for n in range(4):
        op = Op.STILL if n == 2 else Op.EVENT
        journal.append(FactKind.VERDICT, f"v{n}", {}, [row(n, op)])
    assert [r.body.get("seq") for r in journal.queue.rows()] == [1, 2, None, 3]


def test_it_has_one_writer_and_any_number_of_readers(journal, monkeypatch):
    monkeypatch.setattr("tap.ledger.journal._OWNER_WAIT_S", 0.01)
    journal.append(FactKind.CLAIM, "a", {})
    with pytest.raises(BookError, match="another tap") as caught:
        Journal(journal.path)
    assert caught.value.code == "IN_USE"
    with read_journal(journal.path) as reader:
        assert [fact.key for fact in reader.records()] == ["a"]
        journal.append(FactKind.CLAIM, "b", {})
        assert [fact.key for fact in reader.records()] == ["a", "b"]
    journal.close()
    Journal(journal.path).close()


def test_a_body_that_is_no_json_is_refused(journal):
    with pytest.raises(BookError, match="JSON"):
        journal.append(FactKind.CLAIM, "a", {"a": object()})
    loop = {}
    loop["a"] = loop
    with pytest.raises(BookError, match="JSON"):
        journal.append(FactKind.CLAIM, "a", loop)
    assert list(journal.records()) == []


class TestQueue:
    def put(self, journal, *rows):
        for each in rows:
            journal.append(FactKind.VERDICT, f"v/{each.key}", {}, [each], at_ms=float(each.key[1:]))

    def test_a_batch_is_of_one_kind(self, journal):
        ops = [Op.EVENT, Op.EVENT, Op.STILL, Op.EVENT, Op.SESSION, Op.SESSION]
        self.put(journal, *(row(n, op) for n, op in enumerate(ops)))
        sizes = []
        while batch := journal.queue.head(100, 10**6):
            sizes.append(len(batch))
            journal.queue.mark_sent(batch)
        assert sizes == [3, 1, 1, 1]

    def test_a_batch_is_bounded_but_never_empty(self, journal):
        self.put(journal, *(row(n, text="x" * 100) for n in range(10)))
        assert len(journal.queue.head(3, 10**6)) == 3
        assert len(journal.queue.head(100, 450)) == 3
        assert len(journal.queue.head(100, 10)) == 1

    def test_rows_are_counted_by_state(self, journal):
        self.put(journal, *(row(n) for n in range(5)))
        head = journal.queue.head(2, 10**6)
        journal.queue.mark_failed(head, "closed")
        assert [(r.attempts, r.reason) for r in journal.queue.head(2, 10**6)] == [(1, "closed")] * 2
        journal.queue.mark_sent(head[:1])
        journal.queue.park(head[1], "refused")
        tally = journal.queue.tally()
        assert (tally.pending, tally.sent, tally.parked, tally.oldest_ms) == (3, 1, 1, 2.0)
        assert [r.reason for r in journal.queue.rows(State.PARKED)] == ["refused"]
        journal.queue.unpark()
        assert journal.queue.tally().pending == 4
        assert journal.queue.head(1, 10)[0].key == "k1"

    def test_counts_hold_while_threads_change_them(self, journal):
        """A count that was cached while a row changed would keep a flush waiting for ever."""
        self.put(journal, *(row(n) for n in range(60)))
        done = threading.Event()

        def look():
            while not done.is_set():
                journal.queue.tally()

        looker = threading.Thread(target=look)
        looker.start()
        while batch := journal.queue.head(1, 10**6):
            journal.queue.mark_sent(batch)
        done.set()
        looker.join()
        tally = journal.queue.tally()
        assert (tally.pending, tally.sent) == (0, 60)

    def test_states_outlive_the_process(self, journal):
        self.put(journal, *(row(n) for n in range(3)))
        journal.queue.mark_sent(journal.queue.head(1, 10**6))
        journal.close()
        reopened = Journal(journal.path)
        assert [r.state for r in reopened.queue.rows()] == ["sent", "pending", "pending"]
        assert reopened.queue.tally().sent == 1
        reopened.close()
