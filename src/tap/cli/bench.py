"""The body of `tap bench`: how many cameras this machine will carry."""

import os
from dataclasses import asdict, dataclass

import typer
from rich.table import Table

from tap.cli.terminal import progress, say, say_json
from tap.config.model import MAX_CAMERAS
from tap.rig.carry import Bare, Carried, bare, carried, milled
from tap.rig.mill import Mill

FEW, MORE = 2, 6
SECONDS = 10.0
_SHARE = 0.5
"""Part of the machine that tap may have: the director's software runs there too."""
_ROOM_MB = 1500.0
"""Memory that tap may have."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was measured, and what follows."""

    size: tuple[int, int]
    picture_bytes: int
    cores: int
    bare: Bare
    few: Carried
    more: Carried

    @property
    def cpu_each(self) -> float:
        """Parts of a core that one more camera costs."""
        return max(0.0, (self.more.cpu - self.few.cpu) / (MORE - FEW))

    @property
    def memory_each_mb(self) -> float:
        """Memory that one more camera costs."""
        return max(0.0, (self.more.memory_mb - self.few.memory_mb) / (MORE - FEW))

    @property
    def cameras(self) -> int:
        """How many cameras fit; 0 where not even few of them do."""
        cpu = (_SHARE * self.cores - self.few.cpu) / max(self.cpu_each, 1e-3)
        memory = (_ROOM_MB - self.few.memory_mb) / max(self.memory_each_mb, 1e-3)
        if self.few.program_lost or cpu < 0:
            return 0
        return min(MAX_CAMERAS, FEW + int(min(cpu, memory)))


def run_bench(size: str, picture_kb: int, *, as_json: bool) -> None:
    """Measure, and say it."""
    shape = _size_of(size)
    measured: list[tuple[Bare, Carried]] = []
    with progress("drawing pictures, then watching them") as report:
        for number, count in enumerate((FEW, MORE)):
            report(0.05 + 0.5 * number)
            with milled(Mill(count, shape, picture_kb * 1000)) as mill:
                report(0.2 + 0.5 * number)
                measured.append((bare(mill, 3.0), carried(mill, SECONDS)))
    (_, few), (least, more) = measured
    answer = Answer(shape, picture_kb * 1000, os.cpu_count() or 1, least, few, more)
    if as_json:
        figures = asdict(answer) | {
            "cpu_each": answer.cpu_each,
            "memory_each_mb": answer.memory_each_mb,
            "cameras": answer.cameras,
        }
        say_json({"type": "bench", **figures})
        return
    _show(answer)


def _show(answer: Answer) -> None:
    width, height = answer.size
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column("CPU, parts of a core", justify="right")
    table.add_column("memory", justify="right")
    table.add_row(f"tap watch, {FEW} cameras", f"{answer.few.cpu:.2f}", _mb(answer.few.memory_mb))
    table.add_row(
        f"tap watch, {MORE} cameras", f"{answer.more.cpu:.2f}", _mb(answer.more.memory_mb)
    )
    each = f"{answer.cpu_each:.3f}", _mb(answer.memory_each_mb)
    table.add_row("each camera more", *each)
    table.add_row(f"bare: reading {MORE} cameras and the program", f"{answer.bare.reading:.2f}", "")
    table.add_row("bare: decoding the program", f"{answer.bare.decoding_program:.2f}", "")
    table.add_row("bare: decoding all of them", f"{answer.bare.decoding_all:.2f}", "")
    say(table)
    lost = answer.few.program_lost + answer.more.program_lost
    if lost:
        say(f"{lost} pictures of the program came and could not be looked at: something else runs.")
    what = f"cameras of {width}x{height} at 30 pictures/s of {answer.picture_bytes // 1000} kB"
    if not answer.cameras:
        say(f"This machine ({answer.cores} cores) is too busy or too slow for {FEW} {what}.")
        return
    most = " (no more can be set up)" if answer.cameras == MAX_CAMERAS else ""
    say(
        f"With half of its {answer.cores} cores and {_mb(_ROOM_MB)} this machine carries about "
        f"{answer.cameras} {what}{most}."
    )


def _mb(megabytes: float) -> str:
    return f"{megabytes:.0f} MB"


def _size_of(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"--size: expected WIDTHxHEIGHT, like 1920x1080, got {text!r}")
    if not (64 <= int(width) <= 4096 and 64 <= int(height) <= 4096):
        raise typer.BadParameter(f"--size: expected 64 to 4096 px each way, got {text!r}")
    return int(width), int(height)
