"""How commands speak: results on stdout, progress on stderr, calm where nobody watches."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

Report = Callable[[float], None]
"""Takes the part of the work that is done, 0 to 1."""

CALM_EVERY_S = 5.0
SECOND_THOUGHT_S = 0.5


def stdout() -> Console:
    """Where results go."""
    return Console(highlight=False)


def stderr() -> Console:
    """Where everything else goes."""
    return Console(stderr=True, highlight=False)


def say(what: "RenderableType") -> None:
    """Print a result."""
    with _pipe_may_close():
        stdout().print(what, soft_wrap=True)


def say_json(value: Any) -> None:
    """Print a result for a program: one line of JSON."""
    with _pipe_may_close():
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def say_text(text: str) -> None:
    """Print a text exactly as it is."""
    with _pipe_may_close():
        sys.stdout.write(text)
        sys.stdout.flush()


@contextmanager
def _pipe_may_close() -> Generator[None]:
    """A reader that has seen enough (`tap … | head`) is no fault; nothing more is written."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def until_told() -> Generator[threading.Event]:
    """An event that Ctrl-C or a polite kill sets; a second Ctrl-C ends the program at once."""
    told = threading.Event()
    told_at = 0.0

    def tell(number: int, frame: FrameType | None) -> None:
        nonlocal told_at
        now = time.monotonic()
        # The same signal may come twice at once: to the process, and to its group.
        if told.is_set() and now - told_at > SECOND_THOUGHT_S:
            raise KeyboardInterrupt
        told_at = told_at or now
        told.set()

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress(label: str) -> Generator[Report]:
    """A bar on a terminal; else a line now and then. Shown only once it takes two seconds."""
    console = stderr()
    if console.is_terminal:
        yield from _bar(console, label)
    else:
        yield from _lines(console, label)


def _bar(console: Console, label: str) -> Iterator[Report]:
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task(label, total=1.0)
        yield lambda part: bar.update(task, completed=min(1.0, max(0.0, part)))


def _lines(console: Console, label: str) -> Iterator[Report]:
    began = shown = time.monotonic()

    def report(part: float) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown >= CALM_EVERY_S:
            shown = now
            console.print(f"{label}: {part:.0%} after {now - began:.0f} s")

    yield report
