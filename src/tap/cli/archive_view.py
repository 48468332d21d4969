"""How the replay of many shoots goes: a bar with the rate and the time left, or a line at times."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from tap.archive.jobs import Job, State
from tap.archive.work import Look
from tap.cli.terminal import CALM_EVERY_S, stderr

_ENDED = (State.DONE, State.FAILED)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far all jobs are, in shoots and in bytes of their files."""

    shoots: int
    ended: int
    failed: int
    bytes: float
    bytes_done: float

    @classmethod
    def of(cls, jobs: Sequence[Job]) -> "Standing":
        """Count."""
        return cls(
            len(jobs),
            sum(job.state in _ENDED for job in jobs),
            sum(job.state is State.FAILED for job in jobs),
            sum(job.bytes for job in jobs),
            sum(job.bytes * (1.0 if job.state in _ENDED else job.part) for job in jobs),
        )

    def __str__(self) -> str:
        bad = f", {self.failed} of them failed" if self.failed else ""
        return f"{self.ended} of {self.shoots} shoots{bad}"


@contextmanager
def archive_view() -> Generator[Look]:
    """Shows how it stands, on stderr."""
    console = stderr()
    if console.is_terminal:
        with _bar(console) as progress:
            task = progress.add_task("replaying", total=None)
            first: list[float] = []

            def show(jobs: Sequence[Job]) -> None:
                now = Standing.of(jobs)
                first[:] = first or [now.bytes_done]  # what an earlier run did has no rate here
                progress.update(
                    task,
                    description=str(now),
                    total=now.bytes - first[0],
                    completed=now.bytes_done - first[0],
                )

            yield show
        return
    yield _Lines(console).show


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


class _Lines:
    """Where nobody watches: a line now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_s = time.monotonic()
        self._first: tuple[float, float] | None = None

    def show(self, jobs: Sequence[Job]) -> None:
        now_s, now = time.monotonic(), Standing.of(jobs)
        began_s, before = self._first = self._first or (now_s, now.bytes_done)
        if now_s - self._shown_s < CALM_EVERY_S:
            return
        self._shown_s = now_s
        rate = (now.bytes_done - before) / max(now_s - began_s, 1e-9)
        left = f", {(now.bytes - now.bytes_done) / rate:.0f} s left" if rate > 0 else ""
        self._console.print(f"{now}, {decimal(int(rate))}/s{left}")
