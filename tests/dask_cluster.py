"""A Dask cluster of real processes on this machine, to be killed as one likes."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DaskCluster:
    """A scheduler and workers, each a process of its own. Use it in a `with`."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder = folder
        self._port = free_port()
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._count = workers
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """The scheduler; workers wait for it by themselves."""
        self.scheduler = self._run("scheduler", "--host", "127.0.0.1", "--port", str(self._port))
        for number in range(self._count):
            self.add_worker(number)

    def add_worker(self, number: int) -> None:
        place = self._folder / f"worker-{number}"
        alone = ("--nthreads", "1", "--no-nanny", "--local-directory", str(place))
        self.workers.append(self._run("worker", self.address, *alone))

    def kill_scheduler(self) -> None:
        """As a power cut does it."""
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait()

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        quiet = {**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error"}
        return subprocess.Popen(
            command, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        processes = [*self.workers, *([self.scheduler] if self.scheduler else [])]
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def wait_for(what: Callable[[], T], seconds: float = 60.0) -> T:
    """The first true value of `what()`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it never came to be")
