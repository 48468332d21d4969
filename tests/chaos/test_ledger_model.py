"""Journal, outbox and ledger together against a model that fits in a few lines.

Facts are put, pushed over a way that loses requests and answers, refused, and cut off by crashes
in any order; the model says what must be where.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tap.ledger import (
    BookError,
    Code,
    DirectorEventRow,
    EmbeddedLedger,
    FactKind,
    Journal,
    SessionRow,
    StillRow,
    all_events,
    all_stills,
)
from tap.ledger.outbox import Outbox
from tap.ledger.queue import Op, Outgoing, State


class Way(EmbeddedLedger):
    """A ledger at the end of a bad line."""

    fault: str | None = None

    def _over_the_line(self, send, rows):
        fault, self.fault = self.fault, None
        if fault == "request lost":
            raise BookError(Code.UNREACHABLE, "lost")
        answer = send(rows)
        if fault == "answer lost":
            raise BookError(Code.UNREACHABLE, "lost")
        return answer

    def append_events(self, rows):
        return self._over_the_line(super().append_events, rows)

    def add_stills(self, rows):
        return self._over_the_line(super().add_stills, rows)


def outgoing(number, op, poison):
    common = {"key": f"k{number}", "session_key": "nowhere" if poison else "s", "at_ms": 0.0}
    if op is Op.EVENT:
        row = DirectorEventRow(
            **common, seq=0, type="cut", source="witness", verdict="MISSED", confidence=1, text=""
        )
    else:
        row = StillRow(**common, still_id="i", camera_id="c", kind="capture")
    return Outgoing(op, row.key, row.document())


class Books(RuleBasedStateMachine):
    @initialize()
    def open(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.ledger = Way(self.path / "ledger.sqlite")
        self.ledger.start_session(SessionRow(key="s", external_id="s", started_at_ms=0))
        self.journal = Journal(self.path / "journal.sqlite")
        self.outbox = Outbox(self.journal.queue, self.ledger)
        self.put: list[tuple[int, Op, bool]] = []

    def teardown(self):
        if hasattr(self, "journal"):
            self.drain()
            self.everything_is_where_it_belongs()
            self.journal.close()
            self.ledger.close()
            self.folder.cleanup()

    # ------------------------------------------------------------------ what may happen

    @rule(count=st.integers(1, 30), op=st.sampled_from([Op.EVENT, Op.STILL]), poison=st.booleans())
    def put_facts(self, count, op, poison):
        with self.journal.transaction():
            for nth in range(count):
                number, bad = len(self.put), poison and nth == count // 2
                row = outgoing(number, op, bad)
                assert self.journal.append(FactKind.VERDICT, f"v{number}", {}, [row]).new
                self.put.append((number, op, bad))

    @precondition(lambda self: self.put)
    @rule(data=st.data())
    def put_a_fact_again(self, data):
        number, op, bad = data.draw(st.sampled_from(self.put))
        again = self.journal.append(FactKind.VERDICT, f"v{number}", {}, [outgoing(number, op, bad)])
        assert not again.new

    @rule(fault=st.sampled_from([None, None, "request lost", "answer lost"]))
    def push(self, fault):
        self.ledger.fault = fault
        try:
            self.outbox.push()
        except BookError:
            assert fault is not None
        self.ledger.fault = None

    @rule()
    def crash(self):
        """In the middle of a transaction: nothing of it may stay."""
        self.journal._database._connection.execute("BEGIN IMMEDIATE")
        self.journal._database._connection.execute(
            "INSERT INTO facts (kind, key, body) VALUES ('claim', 'half', '{}')"
        )
        self.journal.close()
        self.journal = Journal(self.path / "journal.sqlite")
        self.outbox = Outbox(self.journal.queue, self.ledger)

    @rule()
    def another_run(self):
        """Parked rows get another chance, and are refused again."""
        self.journal.queue.unpark()

    # ------------------------------------------------------------------ what must hold

    def drain(self):
        for _ in range(100_000):
            if not self.outbox.push():
                return
        raise AssertionError("the outbox does not come to an end")

    @invariant()
    def nothing_is_lost_or_invented(self):
        rows = list(self.journal.queue.rows())
        assert [row.key for row in rows] == [f"k{number}" for number, _, _ in self.put]
        assert [f.key for f in self.journal.records()] == [f"v{n}" for n, _, _ in self.put]
        numbers = [row.body["seq"] for row in rows if row.op is Op.EVENT]
        assert numbers == list(range(1, len(numbers) + 1))
        in_ledger = self.in_ledger()
        for row, (_, _, bad) in zip(rows, self.put, strict=True):
            if row.state is State.SENT:
                assert row.key in in_ledger
            if row.state is State.PARKED:
                assert bad
            assert not (bad and row.key in in_ledger)

    def in_ledger(self):
        events = [row.key for row in all_events(self.ledger, "s")]
        stills = [row.key for row in all_stills(self.ledger, "s")]
        assert events == sorted(events, key=lambda key: int(key[1:]))
        assert len(set(events + stills)) == len(events + stills)
        return set(events + stills)

    def everything_is_where_it_belongs(self):
        assert self.in_ledger() == {f"k{number}" for number, _, bad in self.put if not bad}
        parked = {row.key for row in self.journal.queue.rows(State.PARKED)}
        assert parked == {f"k{number}" for number, _, bad in self.put if bad}
        assert self.journal.queue.tally().pending == 0


def play(sessions, steps):
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=sessions,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_books_behave_like_the_model():
    play(sessions=12, steps=20)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_books_behave_like_the_model_for_ten_thousand_steps():
    play(sessions=250, steps=40)
