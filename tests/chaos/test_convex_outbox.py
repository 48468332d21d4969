"""The outbox against the stand-in under faults: nothing lost, nothing twice, in order.

The stand-in looks through all its rows for each, so every some hundred rows it starts afresh.
"""

import random
import threading
import time
from collections import Counter

import pytest
from tenacity import wait_none
from tests import standin

from tap.ledger import BookError, ConvexLedger, FactKind, Journal, SessionRow
from tap.ledger.outbox import Outbox
from tap.ledger.queue import Op, Outgoing, State
from tap.ledger.rows import DirectorEventRow

EVENTS = "productionDirectorEvents"


def row(key, session="s", **more):
    fields = {"type": "cut", "source": "witness", "at_ms": 0.0, "verdict": "UNANNOUNCED"}
    fields |= {"confidence": 1.0, "text": "…", "seq": 0} | more
    return DirectorEventRow(key=key, session_key=session, **fields)


class Sender:
    """A journal with rows to send, and an outbox that is pushed by hand."""

    def __init__(self, folder, far, *, url=None, name="s"):
        self.far, self.name = far, name
        self.journal = Journal(folder / f"{name}.sqlite")
        self.ledger = ConvexLedger(url or far.url, token=standin.TOKEN)
        self.outbox = Outbox(self.journal.queue, self.ledger, wait=wait_none())
        self.ledger.start_session(SessionRow(key=name, external_id=name, started_at_ms=0))
        self.made = 0

    def put(self, count):
        with self.journal.transaction():
            for _ in range(count):
                self.made += 1
                made = row(f"{self.name}/seen/e{self.made}", self.name)
                out = Outgoing(Op.EVENT, made.key, made.document())
                self.journal.append(FactKind.VERDICT, f"v{self.made}", {}, [out])

    def push_until_empty(self, most=10_000):
        """Returns how many requests got no good answer."""
        failed = 0
        for _ in range(most):
            try:
                if not self.outbox.push():
                    return failed
            except BookError:
                failed += 1
        raise AssertionError("the outbox does not come to an end")

    def faults(self):
        """What is wrong with the rows there, in words."""
        rows = [found for found in self.far.tables()[EVENTS] if found["sessionKey"] == self.name]
        counts = Counter(found["key"] for found in rows)
        wanted = [f"{self.name}/seen/e{n}" for n in range(1, self.made + 1)]
        found = [f"lost {key}" for key in wanted if not counts[key]]
        found += [f"{key} {count} times" for key, count in counts.items() if count > 1]
        found += [f"invented {key}" for key in counts if key not in set(wanted)]
        if [one["key"] for one in rows] != wanted and not found:
            found.append("not in order")
        if [one["seq"] for one in rows] != list(range(1, len(rows) + 1)):
            found.append("not numbered in order")
        return found

    def close(self):
        self.ledger.close()
        self.journal.close()


@pytest.fixture
def sender(tmp_path, far):
    found = Sender(tmp_path, far)
    yield found
    found.close()


@pytest.mark.parametrize(
    "trials", [100, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
def test_an_answer_that_is_lost_after_the_write(tmp_path, far, trials):
    """Each trial is one request that is written and whose answer never comes."""
    for part in range(trials // 100):
        far.reset()
        sender = Sender(tmp_path, far, name=f"s{part}")
        lost = 0
        for _ in range(100):
            far.arm({"kind": "commit_then_drop", "match": "POST /production/events", "times": 1})
            sender.put(1)
            lost += sender.push_until_empty()
        assert lost == 100
        assert sender.faults() == []
        assert far.stats()["faults"] == {"commit_then_drop": 100}
        sender.close()


def test_without_keys_the_same_check_finds_duplicates(tmp_path, far, monkeypatch):
    """The check can fail: a client that makes a new key each time writes such a row twice."""
    send = ConvexLedger.append_events

    def keyless(ledger, rows):
        fresh = [one.model_copy(update={"key": f"{one.key}~{random.random()}"}) for one in rows]
        return send(ledger, fresh)

    monkeypatch.setattr(ConvexLedger, "append_events", keyless)
    sender = Sender(tmp_path, far)
    for _ in range(20):
        far.arm({"kind": "commit_then_drop", "match": "POST /production/events", "times": 1})
        sender.put(1)
        sender.push_until_empty()
    keys = Counter(found["key"].partition("~")[0] for found in far.tables()[EVENTS])
    assert set(keys.values()) == {2}
    sender.close()


MIXED = [
    {"kind": "occ", "probability": 0.05}, {"kind": "expired", "probability": 0.03},
    {"kind": "concurrency", "probability": 0.05}, {"kind": "toomanywrites", "probability": 0.03},
    {"kind": "internal", "probability": 0.05}, {"kind": "unavailable", "probability": 0.05},
    {"kind": "html_502", "probability": 0.05}, {"kind": "drop_before", "probability": 0.08},
    {"kind": "commit_then_drop", "probability": 0.12},
    {"kind": "occ", "inner": True, "probability": 0.08},
    {"kind": "internal", "inner": True, "probability": 0.02},
]  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("least", [25, pytest.param(100, marks=pytest.mark.slow)])
def test_faults_of_every_kind_together(tmp_path, far, seed, least):
    """At least `least` faults for each seed; inside the mutation and outside, before and after."""
    match = {True: "production:appendEvents", False: "POST /production/events"}
    far.arm(
        *({**fault, "match": match["inner" in fault], "seed": 100 * seed + place}
          for place, fault in enumerate(MIXED))
    )  # fmt: skip
    sender, dice = Sender(tmp_path, far), random.Random(seed)
    while sum(far.stats()["faults"].values()) < least:
        sender.put(dice.choice([1, 1, 1, 2, 5, 20]))
        sender.push_until_empty()
    struck = far.stats()["faults"]
    far.arm()
    sender.push_until_empty()
    assert sender.faults() == []
    assert sender.journal.queue.tally().parked == 0
    assert len(struck) >= 6
    sender.close()


class Mistaken(ConvexLedger):
    """Sends one row that the functions refuse, though tap's own rules allow it."""

    def _out(self, table, row):
        document = super()._out(table, row)
        return document | {"type": "earthquake"} if row.key == "s/seen/e31" else document


def test_a_poisoned_row_is_set_aside_and_the_rest_goes_on(sender, far):
    sender.put(60)
    sender.outbox._store = Mistaken(far.url, token=standin.TOKEN)
    sender.push_until_empty()
    [parked] = list(sender.journal.queue.rows(State.PARKED))
    assert parked.key == "s/seen/e31"
    assert "BAD_VALUE" in parked.reason
    assert len(far.tables()[EVENTS]) == 59
    sender.outbox._store = sender.ledger
    sender.journal.queue.unpark()
    sender.push_until_empty()
    assert sender.faults() == ["not in order", "not numbered in order"]  # it came last


def test_a_wrong_token_pauses_and_loses_nothing(tmp_path, far):
    sender = Sender(tmp_path, far)
    sender.put(150)
    sender.outbox._store = ConvexLedger(far.url, token="not-this-one")
    for _ in range(3):
        with pytest.raises(BookError):
            sender.outbox.push()
    status = sender.outbox.status()
    assert (status.way, status.pending, status.parked) == ("paused", 150, 0)
    assert "not-this-one" not in status.reason
    sender.outbox._store = sender.ledger
    sender.push_until_empty()
    assert sender.faults() == []
    sender.close()


def test_a_deployment_that_goes_away_and_comes_back(tmp_path, far):
    """Its process ends; rows wait; another process at the same address takes them."""
    with standin.serving() as first:
        port = int(first.url.rsplit(":", 1)[1])
        sender = Sender(tmp_path, first)
        sender.outbox._wait._usual = lambda state: 0.05
        sender.put(5)
        sender.push_until_empty()
    sender.outbox.start()
    sender.put(50)
    sender.outbox.notify()
    assert not sender.outbox.flush(0.5)
    assert sender.outbox.status().way == "closed"
    with standin.serving(port) as second:
        sender.far = second
        sender.ledger.start_session(SessionRow(key="s", external_id="s", started_at_ms=0))
        assert sender.outbox.flush(20)
        assert len(second.tables()[EVENTS]) == 50
    sender.outbox.stop()
    sender.close()


def test_one_request_is_in_flight_however_slow_it_is(sender, far):
    far.arm({"kind": "slow", "match": "POST /production/events", "times": 5, "ms": 200})
    sender.outbox.start()
    until = time.monotonic() + 1.2
    while time.monotonic() < until:
        sender.put(3)
        sender.outbox.notify()
        threading.Event().wait(0.02)
    assert sender.outbox.flush(20)
    assert far.stats()["maxInFlight"] <= 2  # the count of it is a request too
    assert far.stats()["maxInFlightOfASession"] == 1
    sender.outbox.stop()
    assert sender.faults() == []
