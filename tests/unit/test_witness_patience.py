"""A full disk: pictures are given up first, facts never; tap goes on when there is room."""

import numpy as np
import pytest
from sample_session import START_MS, jpeg, sample

from tap.judge import Tolerances
from tap.ledger import BookError, CameraFacts, Code, EmbeddedLedger, SessionFacts, all_events
from tap.report.sealed import check_folder
from tap.seal import Signer
from tap.sight import SightSettings
from tap.vocabulary import Frame
from tap.witness import patience
from tap.witness.keeper import EvidenceKeeper
from tap.witness.patience import Patience
from tap.witness.session import Plan, Session


class Disk:
    """Takes facts while it has room."""

    def __init__(self, room):
        self.room = room
        self.facts = []

    def write(self, fact):
        def now():
            if not self.room:
                raise BookError(Code.NO_ROOM, "the disk is full")
            self.room -= 1
            self.facts.append(fact)

        return now


def test_facts_are_held_in_order_until_there_is_room(monkeypatch):
    monkeypatch.setattr(patience, "_AGAIN_S", 0.0)
    disk = Disk(3)
    waits = Patience(lambda size: 0)
    for n in range(10):
        waits.write(disk.write(n))
    assert (disk.facts, waits.held, waits.reason) == ([0, 1, 2], 7, "the disk is full")
    disk.room = 4
    assert not waits.catch_up()
    assert (disk.facts, waits.held) == ([*range(7)], 3)
    disk.room = 99
    waits.write(disk.write(10))
    assert (disk.facts, waits.held, waits.reason) == ([*range(11)], 0, None)


def test_pictures_make_room_first():
    disk, pictures = Disk(0), [1, 1]

    def make_room(size):
        if not pictures:
            return 0
        pictures.pop()
        disk.room += 2
        return size

    waits = Patience(make_room)
    for n in range(5):
        waits.write(disk.write(n))
    assert (disk.facts, waits.held, pictures) == ([0, 1, 2, 3], 1, [])


def test_what_waiting_does_not_mend_is_raised():
    def write():
        raise BookError(Code.BAD_VALUE, "no fact")

    waits = Patience(lambda size: 0)
    with pytest.raises(BookError, match="no fact"):
        waits.write(write)
    assert waits.held == 0


def test_it_has_an_end(monkeypatch):
    monkeypatch.setattr(patience, "MOST_HELD", 5)
    disk, waits = Disk(0), Patience(lambda size: 0)
    for n in range(5):
        waits.write(disk.write(n))
    with pytest.raises(BookError, match="make room"):
        waits.write(disk.write(5))
    with pytest.raises(BookError, match="lost with this tap"):
        waits.settle(0.0)


def test_the_keeper_gives_up_pictures_of_agreements_first(tmp_path):
    given = sample(cuts=16)
    keeper = EvidenceKeeper(tmp_path)
    at = given.witness.events[0].at_ms
    for feed in ("program", "cam-a", "cam-b"):
        for step in range(-2, 3):
            when = at + 40 * step
            frame = Frame(feed, step, when, np.zeros((4, 4), np.uint8), (4, 4), jpeg(feed, when))
            keeper.frame(frame)
    verdict, claim = given.witness.verdicts[0], given.claims[0]
    keeper.keep(verdict, claim, given.witness.events[0], {})
    kept = keeper.close()
    assert kept.saved > 0
    assert keeper.free(1) > 1000
    assert keeper.kept.evicted == 1
    keeper.free(10**9)
    assert list(tmp_path.glob("*.jpg")) == []
    assert keeper.free(10**9) == 0


@pytest.mark.parametrize("code", ["full", "read-only"])
def test_a_session_outlives_a_disk_that_takes_nothing_for_a_while(tmp_path, monkeypatch, code):
    monkeypatch.setattr(patience, "_AGAIN_S", 0.0)
    given = sample(cuts=60, faults=False)
    store, signer = EmbeddedLedger(tmp_path / "ledger.sqlite"), Signer.make()
    plan = Plan(
        session=SessionFacts(external_id="shoot-2026-11-22-a"),
        cameras=[CameraFacts(id=seen.id) for seen in given.witness.cameras],
        folder=tmp_path / "session", store=store, sight=SightSettings(), tolerances=Tolerances(),
        signer=signer,
    )  # fmt: skip
    session = Session(plan, START_MS)
    database = session.books._journal._database
    most = 0
    for number, claim in enumerate(given.claims):
        if number == 2:
            [(pages,)] = database.execute("PRAGMA page_count")
            limit = f"max_page_count = {pages}" if code == "full" else "query_only = ON"
            database.execute(f"PRAGMA {limit}")
        most = max(most, session.in_memory[0])
        if number == 55:
            assert "full" in session.in_memory[1] or "read-only" in session.in_memory[1]
            database.execute("PRAGMA query_only = OFF")
            database.execute("PRAGMA max_page_count = 1000000")
        session.observe(claim)
    assert most > 10
    assert session.in_memory == (0, None)
    session.finish(START_MS + 600_000, complete=True, dropped={})
    rows = list(all_events(store, "shoot-2026-11-22-a"))
    assert [row.claim.id for row in rows] == [claim.id for claim in given.claims]
    store.close()
    found = check_folder(tmp_path / "session", [signer.public])
    assert (found.problems, found.closed) == ((), True)
