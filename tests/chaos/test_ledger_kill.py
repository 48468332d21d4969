"""tap is killed at random moments: no acknowledged row is lost, none comes twice."""

import multiprocessing
import os
import random
import select
import signal
import sqlite3
import time
from collections import Counter

import ledger_writer
import pytest

from tap.ledger import ConvexLedger, EmbeddedLedger, all_events, all_stills, read_journal
from tap.report.sealed import check_folder

# Processes are forked from one that has tap imported, so that a life is short.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tap.ledger"])


class Shoot:
    """One session whose tap does not live long."""

    def __init__(self, folder, seed, *, keys=True, url=None):
        self.url = url
        self.folder = folder
        self.random = random.Random(seed)
        self.keys = keys
        self.acknowledged: list[str] = []
        self.step = 0

    def live_and_die(self):
        """A run of tap that ends with SIGKILL, some 50 to 150 ms after its first fact."""
        reader, writer = _FORKS.Pipe(duplex=False)
        # A tap that comes back hands in again what it can't be sure of, and more.
        start = max(0, self.step - self.random.randrange(4))
        arguments = (str(self.folder), start, writer, self.keys, self.url)
        tap = _FORKS.Process(target=ledger_writer.write, args=arguments, daemon=True)
        tap.start()
        writer.close()
        try:
            ready, _, _ = select.select([reader.fileno()], [], [], 60)
            assert ready, "tap did not start"
            time.sleep(self.random.uniform(0.05, 0.15))
        finally:
            os.kill(tap.pid, signal.SIGKILL)
        tap.join(60)
        assert tap.exitcode == -signal.SIGKILL, "tap died by itself"
        said = b"".join(iter(lambda: os.read(reader.fileno(), 65536), b""))
        reader.close()
        for line in said.decode().splitlines(keepends=True):
            if line.endswith("\n"):
                step, name = line.strip().split(" ", 1)
                self.step = int(step)
                self.acknowledged.append(name)

    def faults(self):
        """What is wrong with the books, in words. Looks at content, not at keys."""
        with read_journal(self.folder / "journal.sqlite") as journal:
            facts = {fact.key.partition("~")[0] for fact in journal.records()}
            order = [fact.body["row"] for fact in journal.records() if fact.kind == "verdict"]
        if self.url:
            ledger = ConvexLedger(self.url, token=ledger_writer.TOKEN)
        else:
            ledger = EmbeddedLedger(self.folder / "ledger.sqlite", read_only=True)
        events = list(all_events(ledger, ledger_writer.SESSION))
        stills = list(all_stills(ledger, ledger_writer.SESSION))
        [session], cameras = ledger.sessions(), ledger.cameras(ledger_writer.SESSION)
        ledger.close()
        names = {row.key.partition("/")[2].partition("~")[0] for row in (*events, *stills)}
        labels = {f"label {n}" for n in range(self.step + 1)}
        found = []
        for name in self.acknowledged:
            row = name.removeprefix("verdict/")
            is_row = row != name or name.startswith("still/")
            if name not in labels and (name not in facts or (is_row and row not in names)):
                found.append(f"lost: {name}")
        found += _twice("event", [_identity(row) for row in events])
        found += _twice("still", [row.still_id for row in stills])
        if [row.seq for row in events] != list(range(1, len(events) + 1)):
            found.append("the numbers have a gap")
        if self.keys and [row.key for row in events] != order:
            found.append("the ledger's order is not the journal's")
        told = [name for name in self.acknowledged if name in labels]
        if told and cameras[1].label not in (told[-1], _next_label(told[-1])):
            found.append(f"camera: {cameras[1].label} after {told[-1]}")
        if session.status != "completed":
            found.append("not completed")
        key = ledger_writer.seal_key(self.folder).public
        sealed = check_folder(self.folder, [key], [session.final_state.seal.digest])
        found += [f"seal: {problem.place}: {problem.text}" for problem in sealed.problems]
        if not sealed.closed:
            found.append("seal: its end is open")
        return found


def _identity(row):
    if row.claim is None:
        return row.seen.id
    return row.claim.id, row.claim.recv_ms


def _twice(what, identities):
    return [f"{what} twice: {one}" for one, count in Counter(identities).items() if count > 1]


def _next_label(label):
    """One more may have been written than was acknowledged."""
    return f"label {int(label.split()[1]) + 7}"


def _live_and_die(tmp_path, times, **options):
    shoot = Shoot(tmp_path, seed=times, **options)
    for _ in range(times):
        shoot.live_and_die()
    status = ledger_writer.finish(tmp_path, shoot.keys)
    assert len(shoot.acknowledged) > 10 * times
    return shoot, status


@pytest.mark.parametrize(
    "times", [15, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
def test_nothing_acknowledged_is_lost_and_nothing_comes_twice(tmp_path, times):
    shoot, status = _live_and_die(tmp_path, times)
    assert shoot.faults() == []
    assert (status.parked, status.differing) == (0, 0)


def test_without_keys_the_same_check_finds_duplicates(tmp_path):
    """The check can fail: this is what it is there to find."""
    shoot, _ = _live_and_die(tmp_path, 5, keys=False)
    assert any("twice" in fault for fault in shoot.faults())


def test_a_fact_altered_between_two_lives_is_found_and_located(tmp_path):
    shoot = Shoot(tmp_path, seed=5)
    shoot.live_and_die()
    journal = sqlite3.connect(tmp_path / "journal.sqlite")
    with journal:
        journal.execute("UPDATE facts SET body = replace(body, 'cam-a', 'cam-b') WHERE seq = 6")
    journal.close()
    shoot.live_and_die()
    ledger_writer.finish(tmp_path, keys=True)
    [fault] = [fault for fault in shoot.faults() if fault.startswith("seal")]
    assert fault.startswith("seal: record 6: It is not what was sealed")


def test_a_lost_row_would_be_found(tmp_path):
    shoot, _ = _live_and_die(tmp_path, 2)
    shoot.acknowledged.append("verdict/claim/m99999999")
    assert shoot.faults() == ["lost: verdict/claim/m99999999"]


@pytest.mark.parametrize(
    "times", [4, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_nor_on_convex_when_tap_is_killed_while_it_sends(tmp_path, far, times):
    """As above against the stand-in, which slows down with its rows: a new shoot each 20 lives."""
    killed = 0
    while killed < times:
        far.reset()
        lives = min(20, times - killed)
        folder = tmp_path / str(killed)
        folder.mkdir()
        shoot = Shoot(folder, seed=killed + 1, url=far.url)
        for _ in range(lives):
            shoot.live_and_die()
        status = ledger_writer.finish(folder, shoot.keys, far.url)
        assert shoot.faults() == []
        assert (status.pending, status.parked, status.differing) == (0, 0, 0)
        keys = [row["key"] for rows in far.tables().values() for row in rows if "key" in row]
        assert len(keys) == len(set(keys))
        killed += lives
