"""The job table: leases, attempts, and what is done again."""

import socket
import subprocess
import sys

import pytest

from tap.archive.identity import Material
from tap.archive.jobs import LEASE_MS, MOST_ATTEMPTS, JobTable, State, is_gone, owner_of
from tap.clock import ManualClock
from tap.errors import LedgerError

PROGRAM = "p1"
ELSEWHERE, OTHER = "far-host 1", "far-host 2"


def always(job):
    return True


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def table(tmp_path, clock):
    table = JobTable(tmp_path / "jobs.sqlite", clock)
    yield table
    table.close()


def enter(table, *places, digest="d1", program=PROGRAM, is_there=always):
    table.enter([(place, Material(digest, len(place))) for place in places], program, is_there)


def states(table):
    return {job.place: job.state for job in table.jobs()}


def test_each_job_is_taken_once_the_largest_first(table):
    enter(table, "/a/b", "/a/long", "/a/c")
    taken = [table.claim(ELSEWHERE) for _ in range(4)]
    assert [job.place if job else None for job in taken] == ["/a/long", "/a/b", "/a/c", None]
    assert all(job is None or (job.state, job.attempts) == (State.RUNNING, 1) for job in taken)


def test_what_is_done_stays_done_unless_input_or_program_changes(table):
    enter(table, "/a", "/b", "/c")
    for _ in range(3):
        assert table.done(table.claim(ELSEWHERE), "digest", 1.5)
    enter(table, "/a", "/b", "/c")
    assert set(states(table).values()) == {State.DONE}
    enter(table, "/a", digest="d2")
    assert states(table) == {"/a": State.WAITING, "/b": State.DONE, "/c": State.DONE}
    enter(table, "/b", program="p2")
    assert states(table)["/b"] is State.WAITING
    enter(table, "/c", is_there=lambda job: False)
    assert states(table)["/c"] is State.WAITING


def test_what_failed_is_tried_again_by_the_next_command(table):
    enter(table, "/a")
    table.failed(table.claim(ELSEWHERE), "no shoot", 2)
    assert table.claim(ELSEWHERE) is None
    (job,) = table.jobs()
    assert (job.state, job.error, job.exit_code) == (State.FAILED, "no shoot", 2)
    enter(table, "/a")
    assert table.claim(ELSEWHERE).attempts == 1


def test_a_lease_that_ran_out_is_free_and_its_late_holder_is_refused(table, clock):
    enter(table, "/a")
    first = table.claim(ELSEWHERE)
    clock.sleep(LEASE_MS / 1000 - 1)
    assert table.renew(first, 0.5)
    clock.sleep(LEASE_MS / 1000 - 1)
    table.free_lost()
    assert table.claim(OTHER) is None
    clock.sleep(2)
    table.free_lost()
    second = table.claim(OTHER)
    assert second.attempts == 2
    assert not table.renew(first, 0.9)
    assert not table.done(first, "late", 1)
    assert not table.failed(first, "late", 3)
    assert table.done(second, "right", 1)
    assert table.jobs()[0].digest == "right"


def test_a_job_that_kills_its_workers_is_given_up(table, clock):
    enter(table, "/a", "/b")
    for _ in range(MOST_ATTEMPTS):
        while table.claim(ELSEWHERE):
            pass
        clock.sleep(LEASE_MS / 1000 + 1)
        table.free_lost()
    assert set(states(table).values()) == {State.FAILED}
    assert "died 3 times" in table.jobs()[0].error


def test_being_told_to_stop_is_no_failure(table):
    enter(table, "/a", "/b")
    mine, other = table.claim(ELSEWHERE), table.claim(OTHER)
    table.release(ELSEWHERE)
    assert states(table) == {mine.place: State.WAITING, other.place: State.RUNNING}
    assert table.claim(ELSEWHERE).attempts == 1


def test_a_dead_process_of_this_machine_holds_nothing(table):
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    dead = owner_of(int(child.stdout))
    assert is_gone(dead)
    assert not is_gone(owner_of(1))
    assert not is_gone(f"not-{socket.gethostname()} {child.stdout.strip()}")
    enter(table, "/a")
    table.claim(dead)
    table.free_lost()
    assert table.claim(ELSEWHERE).attempts == 2


def test_records_have_names_of_their_own(table):
    enter(table, "/a/monday", "/b/Monday", "s3://bucket/day 1/", "/c/..", "/d/\u00e9")
    names = {job.place: job.name for job in table.jobs()}
    assert names["/a/monday"] == "monday"
    assert names["/b/Monday"].startswith("Monday-")
    assert names["s3://bucket/day 1/"] == "day-1"
    assert names["/c/.."] == "shoot"
    assert names["/d/\u00e9"].startswith("shoot-")
    enter(table, "/b/Monday", digest="d2")
    assert {job.place: job.name for job in table.jobs()} == names


def test_another_database_is_no_job_table(tmp_path, clock):
    (tmp_path / "jobs.sqlite").write_text("no database at all, but long enough to be one" * 20)
    with pytest.raises(LedgerError, match="no SQLite database"):
        JobTable(tmp_path / "jobs.sqlite", clock)
