"""The job table: which shoots are to be replayed, by whom, and what came of it.

A job is taken with a lease. Who holds it renews the lease as the work goes on; a job whose lease
has run out, or whose holder is a process of this machine that is gone, is free again. Done is what
the holder of the lease says is done: a late result of someone who lost it is refused.
"""

import hashlib
import os
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tap.archive.identity import Material
from tap.clock import Clock
from tap.ledger.database import Database, Kind

LEASE_MS = 15 * 60_000.0
MOST_ATTEMPTS = 3
"""How often a job is begun that is never ended, neither well nor badly."""

_KIND = Kind(
    name="a table of jobs",
    application_id=0x7461704A,
    version=1,
    schema="""
    CREATE TABLE jobs (
        place TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        input TEXT NOT NULL,
        program TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting',
        attempts INTEGER NOT NULL DEFAULT 0,
        owner TEXT,
        lease_ms REAL,
        part REAL NOT NULL DEFAULT 0,
        digest TEXT,
        error TEXT,
        exit_code INTEGER,
        took_s REAL,
        ended_ms REAL
    ) WITHOUT ROWID;
    CREATE INDEX jobs_by_state ON jobs (state)
    """,
)
_COLUMNS = (
    "place, name, input, program, bytes, state, attempts, owner, part, digest, error, exit_code, "
    "took_s"
)
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class State(StrEnum):
    """How a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One shoot, and how it stands. `digest` is the SHA-256 of its `witness.json`."""

    place: str
    name: str
    input: str
    program: str
    bytes: int
    state: State
    attempts: int
    owner: str | None
    part: float
    digest: str | None
    error: str | None
    exit_code: int | None
    took_s: float | None


class JobTable:
    """Jobs in one SQLite file, which processes of one machine may share. Raises `BookError`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._books = Database(path, _KIND, busy_s=30.0)
        self._clock = clock

    def close(self) -> None:
        """Close the file."""
        self._books.close()

    def enter(
        self,
        shoots: Sequence[tuple[str, Material]],
        program: str,
        is_there: Callable[[Job], bool],
    ) -> None:
        """Have these shoots replayed by this program, but those for which that is done.

        `is_there` says whether the record of a job that is done is still as it was.
        """
        with self._books.transaction():
            names = {str(row[0]).lower() for row in self._books.execute("SELECT name FROM jobs")}
            for place, found in shoots:
                old = self._one(place)
                if old is None:
                    name = _name_for(place, names)
                    names.add(name.lower())
                    self._books.execute(
                        "INSERT INTO jobs (place, name, input, program, bytes) VALUES (?,?,?,?,?)",
                        (place, name, found.digest, program, found.size),
                    )
                elif (
                    (old.input, old.program) != (found.digest, program)
                    or old.state is State.FAILED
                    or (old.state is State.DONE and not is_there(old))
                ):
                    self._books.execute(
                        "UPDATE jobs SET input = ?, program = ?, bytes = ?, state = 'waiting', "
                        "attempts = 0, owner = NULL, part = 0, digest = NULL, error = NULL, "
                        "exit_code = NULL, took_s = NULL WHERE place = ?",
                        (found.digest, program, found.size, place),
                    )

    def claim(self, owner: str) -> Job | None:
        """Take the largest job that waits: then the last ones to end are short."""
        with self._books.transaction():
            rows = self._books.execute(
                f"SELECT {_COLUMNS} FROM jobs WHERE state = 'waiting' "  # noqa: S608  own names
                "ORDER BY bytes DESC, place LIMIT 1"
            )
            if not rows:
                return None
            job = _job(rows[0])
            self._books.execute(
                "UPDATE jobs SET state = 'running', owner = ?, lease_ms = ?, part = 0, "
                "attempts = attempts + 1 WHERE place = ?",
                (owner, self._lease(), job.place),
            )
            return self._one(job.place)

    def renew(self, job: Job, part: float) -> bool:
        """Say how far it is, 0 .. 1; False where somebody else has it by now."""
        with self._books.transaction():
            self._books.execute(
                "UPDATE jobs SET lease_ms = ?, part = ? WHERE place = ? AND owner = ?",
                (self._lease(), part, job.place, job.owner),
            )
            now = self._one(job.place)
            return now is not None and now.owner == job.owner

    def done(self, job: Job, digest: str, took_s: float) -> bool:
        """It is done; False where somebody else has it by now."""
        return self._end(job, State.DONE, digest=digest, took_s=took_s)

    def failed(self, job: Job, error: str, exit_code: int) -> bool:
        """It can't be done, and why."""
        return self._end(job, State.FAILED, error=error, exit_code=exit_code)

    def release(self, owner: str) -> None:
        """Give back what this owner holds: it was told to stop, which is no failure."""
        self._books.execute(
            "UPDATE jobs SET state = 'waiting', owner = NULL, part = 0, attempts = attempts - 1 "
            "WHERE owner = ? AND state = 'running'",
            (owner,),
        )

    def free_lost(self) -> None:
        """Free the jobs whose holder is gone; give up those that were begun too often."""
        with self._books.transaction():
            for place, owner, lease_ms, attempts in self._books.execute(
                "SELECT place, owner, lease_ms, attempts FROM jobs WHERE state = 'running'"
            ):
                if lease_ms >= self._clock.now_ms() and not is_gone(owner):
                    continue
                if attempts < MOST_ATTEMPTS:
                    self._books.execute(
                        "UPDATE jobs SET state = 'waiting', owner = NULL, part = 0 WHERE place = ?",
                        (place,),
                    )
                else:
                    self._books.execute(
                        "UPDATE jobs SET state = 'failed', owner = NULL, error = ?, exit_code = 3 "
                        "WHERE place = ?",
                        (f"its worker died {attempts} times; is there enough memory?", place),
                    )

    def jobs(self) -> list[Job]:
        """All jobs, by name."""
        return list(map(_job, self._books.execute(f"SELECT {_COLUMNS} FROM jobs ORDER BY name")))  # noqa: S608

    def _one(self, place: str) -> Job | None:
        rows = self._books.execute(f"SELECT {_COLUMNS} FROM jobs WHERE place = ?", (place,))  # noqa: S608
        return _job(rows[0]) if rows else None

    def _lease(self) -> float:
        return self._clock.now_ms() + LEASE_MS

    def _end(
        self,
        job: Job,
        state: State,
        *,
        digest: str | None = None,
        error: str | None = None,
        exit_code: int | None = None,
        took_s: float | None = None,
    ) -> bool:
        with self._books.transaction():
            now = self._one(job.place)
            if now is None or now.owner != job.owner:
                return False
            self._books.execute(
                "UPDATE jobs SET state = ?, owner = NULL, part = 1, digest = ?, error = ?, "
                "exit_code = ?, took_s = ?, ended_ms = ? WHERE place = ?",
                (state, digest, error, exit_code, took_s, self._clock.now_ms(), job.place),
            )
            return True


# ---------------------------------------------------------------- owners and names


def owner_of(pid: int) -> str:
    """What a process of this machine signs its jobs with."""
    return f"{socket.gethostname()} {pid}"


def is_gone(owner: str) -> bool:
    """Whether the holder was a process of this machine that is gone. Elsewhere only time tells."""
    host, _, pid = owner.partition(" ")
    if os.name != "posix" or host != socket.gethostname():
        return False
    with suppress(ValueError, PermissionError):
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
    return False


def _name_for(place: str, taken: set[str]) -> str:
    """The folder of a shoot's record: named like its own, and like no other."""
    last = re.split(r"[/\\]", place.rstrip("/\\"))[-1]
    name = _NAME.sub("-", last).strip(".-")[:80] or "shoot"
    return next(name for name in _names(name, place) if name.lower() not in taken)


def _names(name: str, place: str) -> Iterator[str]:
    yield name
    digest = hashlib.sha256(place.encode()).hexdigest()
    for length in range(8, 65, 8):
        yield f"{name}-{digest[:length]}"


def _job(row: tuple[Any, ...]) -> Job:
    values = list(row)
    values[5] = State(values[5])
    return Job(*values)
