"""Tables of cuts: CSV with a head. One row is one change.

The time is in a column `atMs` (Unix ms), `time` (ISO 8601, or Unix seconds or ms) or `timecode`;
the source in `camera`, `source`, `input` or `scene`. tap's own export is read as the cut list that
it is.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from tap.claims.imports.times import unix_ms
from tap.claims.imports.told import Lines, Told
from tap.errors import InputError
from tap.rates import Rate

_TIMES = ("atms", "time", "timestamp", "timecode", "starttimecode")
_SOURCES = ("camera", "source", "input", "scene")
_KINDS = ("cut", "dissolve", "fade", "wipe")


def read_csv(lines: Lines, rate: Rate | None) -> Iterator[Told]:
    """The rows of a table."""
    head = lines.lines[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(lines.text, newline=""), delimiter=separator, strict=True)
    names = _head(lines, head, reader)
    is_list, first = "startframe" in names, True
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(names):
                whole = separator.join(row)
                raise lines.wrong(reader.line_num, f"{len(names)} cells as in the head", whole)
            cells = dict(zip(names, (cell.strip() for cell in row), strict=True))
            told = _told(lines, reader.line_num, cells, rate)
            if told is not None:
                yield replace(told, first=is_list and first)
            elif not is_list:  # a cut list may have black or nothing
                raise lines.wrong(reader.line_num, "a camera", "")
            first = False
    except csv.Error as error:
        raise lines.wrong(reader.line_num, "a row of a table", error) from error


def _head(lines: Lines, head: str, rows: Iterator[list[str]]) -> list[str]:
    try:
        names = [name.strip().lower() for name in next(rows, [])]
    except csv.Error as error:
        raise lines.wrong(1, "the head of a table", error) from error
    if not set(_TIMES) & set(names) or not set(_SOURCES) & set(names):
        raise lines.wrong(1, "a head with a time (atMs, time, timecode) and a camera", head)
    return names


def _told(lines: Lines, number: int, cells: Mapping[str, str], rate: Rate | None) -> Told | None:
    source = next(cells[name] for name in _SOURCES if name in cells)
    if not source:
        return None
    transition = (cells.get("transition") or cells.get("change") or "").lower() or None
    if transition is not None and transition not in _KINDS:
        raise lines.wrong(number, "cut, dissolve, fade or wipe", transition)
    column = next(name for name in _TIMES if name in cells)
    at_ms, after_s = _time(lines, number, column, cells[column], rate)
    return Told(
        line=number,
        names=(source,),
        at_ms=at_ms,
        after_s=after_s,
        transition=transition,
        duration_ms=_duration(lines, number, cells.get("durationms", "")),
    )


def _time(
    lines: Lines, number: int, column: str, value: str, rate: Rate | None
) -> tuple[float | None, Fraction | None]:
    if not column.endswith("timecode"):
        at_ms = unix_ms(value)
        if at_ms is None:
            raise lines.wrong(number, "a Unix time or an ISO 8601 time with its zone", value)
        return at_ms, None
    if rate is None:
        raise lines.wrong(number, "to know the rate of its timecode", value, "give it with --rate")
    try:
        return None, rate.seconds(rate.frames(value))
    except InputError as error:
        raise lines.wrong(number, f"a timecode at {rate.name} frames/s", value) from error


def _duration(lines: Lines, number: int, value: str) -> float | None:
    if not value:
        return None
    digits = value.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit()) or len(value) > 12:
        raise lines.wrong(number, "a duration in ms", value)
    return float(value)
