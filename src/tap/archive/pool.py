"""Shoots replayed by processes of this machine, which share nothing but the job table.

A worker takes a job, replays it, takes the next; this process only looks on. So whatever dies, and
when, the table says what is done: a worker that dies costs one attempt at its job, and this process
may be killed and started again.
"""

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from tap.archive import JOBS_FILE
from tap.archive.identity import How
from tap.archive.jobs import MOST_ATTEMPTS, Job, JobTable, State, owner_of
from tap.archive.work import Look, clean_up, in_words, put_in_place, replay_apart
from tap.clock import SystemClock
from tap.config import default_key_path, load_or_make_key
from tap.errors import FeedError, TapError
from tap.seal import Signer

_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Crew:
    """What every worker needs to know."""

    out: Path
    how: How


def work_through(
    crew: Crew, table: JobTable, workers: int, *, look: Look, told: threading.Event
) -> None:
    """Replay all that waits in the table with so many processes; `look` sees how it stands.

    Ends when nothing waits, or soon after `told` is set: then what was under way waits again.
    """
    context = multiprocessing.get_context("spawn")
    hands: list[BaseProcess] = []
    deaths = begun = 0
    try:
        while not told.is_set():
            deaths += sum(hand.exitcode not in (None, 0) for hand in hands)
            hands = [hand for hand in hands if hand.is_alive()]
            table.free_lost()
            jobs = table.jobs()
            look(jobs)
            attempts = sum(job.attempts for job in jobs)
            if attempts != begun:
                begun, deaths = attempts, 0
            if deaths >= MOST_ATTEMPTS * workers:
                raise FeedError(
                    f"expected {workers} workers, but they end before they begin a shoot; what "
                    "they said of it is above."
                )
            if not any(job.state in (State.WAITING, State.RUNNING) for job in jobs):
                break
            ours = {owner_of(hand.pid or 0) for hand in hands}
            wanted = sum(job.state is State.WAITING or job.owner in ours for job in jobs)
            for _ in range(min(workers, wanted) - len(hands)):
                hand = context.Process(target=_work, args=(crew, os.getpid()), daemon=True)
                hand.start()
                hands.append(hand)
            told.wait(_LOOK_S)
    finally:
        _send_home(hands, table)
        jobs = table.jobs()
        look(jobs)
        clean_up(crew.out, jobs)


def _send_home(hands: list[BaseProcess], table: JobTable) -> None:
    for hand in hands:
        hand.terminate()
    for hand in hands:
        hand.join(10)
        if hand.is_alive():
            hand.kill()
            hand.join()
        table.release(owner_of(hand.pid or 0))


def _work(crew: Crew, parent: int) -> None:
    """A worker's life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        signer = load_or_make_key(default_key_path(), away_from=crew.out)
        with closing(JobTable(crew.out / JOBS_FILE, SystemClock())) as table:
            while (job := table.claim(owner_of(os.getpid()))) is not None:
                _do(job, crew, table, signer, parent)
    except TapError as error:  # of the table, not of a shoot
        sys.exit(f"tap: {error}")


def _do(job: Job, crew: Crew, table: JobTable, signer: Signer, parent: int) -> None:
    last = 0.0

    def report(part: float) -> None:
        nonlocal last
        if os.getppid() != parent:
            raise SystemExit  # whoever started this was killed: it will be started again
        if part - last >= 0.005:
            last = part
            if not table.renew(job, part):
                raise LostError

    try:
        done = replay_apart(job.place, crew.out, crew.how, signer=signer, progress=report)
        report(1.0)
        put_in_place(done, crew.out, job.name)
    except LostError:
        return
    except Exception as error:  # noqa: BLE001  one bad shoot never stops the rest
        table.failed(job, *in_words(error))
    else:
        table.done(job, done.digest, done.took_s)


class LostError(Exception):
    """Somebody else does this job by now."""
