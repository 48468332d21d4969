"""The same jobs on Dask distributed: long shoots in pieces, and the same answer byte for byte.

What a replay mostly does is decode, and of that nothing depends on what was seen before. So
workers decode and reduce pieces of each feed, as many at once as there are; then one looks at the
reduced pictures in their one order, as a replay on one machine does. The first part scales with the
workers, the second with the number of shoots.

Only this process writes the job table and puts records in place. It holds nothing that a scheduler
could lose: what is decoded lies in files, and is found there when the work is given out again.
"""

import asyncio
import hashlib
import math
import os
import queue
import shutil
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from tap.archive import WORK_FOLDER
from tap.archive.course import Course, Cutting, Step
from tap.archive.extra import need
from tap.archive.identity import How
from tap.archive.jobs import Job, JobTable, State, owner_of
from tap.archive.tasks import Charge, OtherProgramError
from tap.archive.work import Look, Replayed, clean_up, in_words, put_in_place
from tap.errors import FeedError, InputError, TapError
from tap.feeds.pieces import SeamError
from tap.report.folder import WITNESS_FILE
from tap.witness.evidence import digest

PATIENCE_S = 300.0
"""How long to wait for a scheduler that is gone, or that has no workers."""
_CONNECT_S = 10.0
_LOOK_S = 0.5
_ASK_S = 10.0
_RENEW_S = 5.0
_KEPT = "What is done is kept: run the same command again to go on."


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the work is given out, and how."""

    address: str
    out: Path
    how: How
    cutting: Cutting
    patience_s: float = PATIENCE_S


@dataclass(slots=True)
class Tally:
    """What it took: pieces decoded apart, by which processes, CPU seconds of both parts."""

    pieces: int = 0
    decode_s: float = 0.0
    look_s: float = 0.0
    workers: set[str] = field(default_factory=set[str])
    unfit: int = 0
    """Feeds whose pieces did not fit, so that they were decoded in one."""
    connections: int = 0


class _LostError(Exception):
    """The scheduler is gone."""


def work_through(
    cluster: Cluster, table: JobTable, program: str, *, look: Look, told: threading.Event
) -> Tally:
    """Replay all that waits in the table; `look` sees how it stands.

    Ends when nothing waits, or soon after `told` is set. Raises `FeedError` where the scheduler
    can't be reached, or is gone for longer than patience lasts.
    """
    distributed = need("distributed", "Replaying on a cluster")
    owner = owner_of(os.getpid())
    tally = Tally()
    until: float | None = None
    try:
        while not told.is_set():
            try:
                with _connected(distributed, cluster.address) as client:
                    tally.connections += 1
                    until = None
                    giving = _Giving(client, cluster, table, tally, program=program, owner=owner)
                    giving.run(look, told)
                    break
            except _LostError as error:
                # Nobody answers at first: a wrong address. Later: it is being started again.
                if not tally.connections:
                    raise FeedError(str(error)) from error
                table.release(owner)
                until = until or time.monotonic() + cluster.patience_s
                if time.monotonic() > until:
                    raise FeedError(f"{error} {_KEPT}") from error
                told.wait(1.0)
    finally:
        table.release(owner)
        jobs = table.jobs()
        look(jobs)
        clean_up(cluster.out, jobs)
    return tally


@contextmanager
def _connected(distributed: Any, address: str) -> Generator[Any]:
    try:
        client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise _LostError(
            f"{address}: expected a Dask scheduler, but it can't be reached ({error}); check the "
            "address, and that `dask scheduler` runs there."
        ) from error
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=5)


@dataclass(slots=True)
class _Running:
    job: Job
    course: Course
    folder: Path
    """Where its reduced pictures lie."""
    number: int
    told_s: float = 0.0
    """When its lease was renewed."""
    futures: dict[int, Any] = field(default_factory=dict[int, Any])


class _Giving:
    """Gives out the steps of several shoots at once over one connection, and takes what comes."""

    def __init__(
        self,
        client: Any,
        cluster: Cluster,
        table: JobTable,
        tally: Tally,
        *,
        program: str,
        owner: str,
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._table = table
        self._program = program
        self._owner = owner
        self._tally = tally
        self._running: dict[str, _Running] = {}
        self._ended: queue.SimpleQueue[tuple[str, Step, Any]] = queue.SimpleQueue()
        self._taken = 0
        self._hands = 0
        self._asked_s = -math.inf
        self._handless_s: float | None = None

    def run(self, look: Look, told: threading.Event) -> None:
        """Until nothing waits any more, or told."""
        while not told.is_set():
            self._count_hands()
            self._table.free_lost()
            self._take_up()
            self._renew()
            jobs = self._table.jobs()
            look(jobs)
            if not self._running and not any(job.state is State.WAITING for job in jobs):
                return
            with suppress(queue.Empty):
                self._take(*self._ended.get(timeout=_LOOK_S))
                while True:
                    self._take(*self._ended.get_nowait())
        for running in self._running.values():
            self._client.cancel(list(running.futures.values()))

    # ------------------------------------------------------------------ giving

    def _count_hands(self) -> None:
        """How many tasks the workers do at once; asks now and then."""
        if self._client.status != "running":
            raise _LostError(f"{self._cluster.address}: the scheduler is gone.")
        now = time.monotonic()
        if now - self._asked_s < (_ASK_S if self._hands else _LOOK_S):
            return
        self._asked_s = now
        try:
            self._hands = sum(self._client.nthreads().values())
        except Exception as error:  # whatever a broken connection raises
            raise _LostError(f"{self._cluster.address}: the scheduler is gone.") from error
        if self._hands:
            self._handless_s = None
            return
        self._handless_s = self._handless_s or now
        if now - self._handless_s > self._cluster.patience_s:
            raise FeedError(
                f"{self._cluster.address}: expected workers, but the scheduler has none; start "
                f"some with `dask worker {self._cluster.address}`. {_KEPT}"
            )

    def _take_up(self) -> None:
        """Begin shoots, as many as keep all hands busy: reduced pictures of each take room."""
        while self._hands and len(self._running) <= self._hands:
            cut = sum(running.course.pieces > 0 for running in self._running.values())
            if cut >= max(2, self._hands // 2):
                return
            job = self._table.claim(self._owner)
            if job is None:
                return
            folder = self._cluster.out / WORK_FOLDER / "decoded" / _key(job)
            charge = Charge(job.place, self._cluster.out, self._cluster.how, self._program)
            course = Course(charge, self._cluster.cutting, folder)
            self._taken += 1
            self._running[job.place] = _Running(job, course, folder, self._taken, time.monotonic())
            self._submit(job.place, course.start())

    def _submit(self, place: str, steps: list[Step]) -> None:
        running = self._running[place]
        for step in steps:
            future = self._client.submit(
                step.task,
                *step.args,
                key=f"tap {step.name} {uuid4().hex}",
                pure=False,
                priority=-running.number,  # what was begun first ends first
            )
            running.futures[id(step)] = future
            future.add_done_callback(partial(self._has_ended, place, step))

    def _has_ended(self, place: str, step: Step, future: Any) -> None:
        self._ended.put((place, step, future))

    def _renew(self) -> None:
        now = time.monotonic()
        for running in self._running.values():
            if now - running.told_s > _RENEW_S:
                running.told_s = now
                self._table.renew(running.job, running.course.part)

    # ------------------------------------------------------------------ taking

    def _take(self, place: str, step: Step, future: Any) -> None:
        running = self._running.get(place)
        if running is None or running.futures.pop(id(step), None) is None:
            return
        try:
            if future.status == "error":
                raise future.exception()
            if future.status != "finished":
                raise _LostError(f"{self._cluster.address}: the scheduler is gone.")
            steps = step.then(self._result(future))
        except SeamError as error:
            if step.fits is None:
                self._fail(running, error)
                return
            steps = step.fits()
        except (_LostError, OtherProgramError):
            raise
        except Exception as error:  # noqa: BLE001  one bad shoot never stops the rest
            self._fail(running, error)
            return
        if running.course.replayed is not None:
            self._conclude(running, running.course.replayed)
        else:
            self._submit(place, steps)

    def _result(self, future: Any) -> Any:
        """If the worker that has it dies just now, it is made again meanwhile."""
        try:
            return future.result(timeout=self._cluster.patience_s)
        except (TimeoutError, asyncio.CancelledError, OSError) as error:
            raise _LostError(f"{self._cluster.address}: the scheduler is gone.") from error

    def _conclude(self, running: _Running, replayed: Replayed) -> None:
        job, course = running.job, running.course
        try:
            if digest(replayed.folder / WITNESS_FILE) != replayed.digest:
                raise InputError(f"{replayed.folder}: expected what a worker wrote, got other data")
            put_in_place(replayed, self._cluster.out, job.name)
        except TapError as error:
            self._fail(running, error)
            return
        tally = self._tally
        tally.pieces += course.pieces
        tally.decode_s += course.decode_s
        tally.look_s += replayed.cpu_s
        tally.workers |= course.workers
        tally.unfit += len(course.unfit)
        self._table.done(job, replayed.digest, replayed.took_s)
        self._leave(running)

    def _fail(self, running: _Running, error: Exception) -> None:
        text, exit_code = in_words(error)
        if type(error).__name__ == "KilledWorker":
            text = "the workers that had it died, one after the other; is there enough memory?"
        self._table.failed(running.job, text, exit_code)
        self._leave(running)

    def _leave(self, running: _Running) -> None:
        if running.futures:
            self._client.cancel(list(running.futures.values()))
        del self._running[running.job.place]
        shutil.rmtree(running.folder, ignore_errors=True)


def _key(job: Job) -> str:
    return hashlib.sha256(f"{job.place}\n{job.input}\n{job.program}".encode()).hexdigest()[:32]
