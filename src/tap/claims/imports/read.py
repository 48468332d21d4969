"""Foreign changes become tap's claims: on the shoot's clock, with the shoot's cameras."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from tap.claims.imports.drp import read_drp
from tap.claims.imports.edl import read_edl
from tap.claims.imports.obs import read_obs
from tap.claims.imports.table import read_csv
from tap.claims.imports.told import Lines, Told
from tap.errors import InputError
from tap.rates import Rate
from tap.vocabulary import CAMERA_ID


@dataclass(frozen=True, slots=True)
class Instructions:
    """How a file is to be read.

    `zero_ms` is the Unix ms at which the file's own clock says `zero` (a timecode; None: what it
    says first); `names` leads from the file's names to cameras; `cameras` are those there are
    (empty: not known).
    """

    form: str
    rate: Rate | None = None
    zero_ms: float | None = None
    zero_s: Fraction | None = None
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    cameras: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """The director's messages that follow from a file, and sentences on what was left out."""

    messages: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()


def import_claims(path: Path, how: Instructions) -> Imported:
    """Read a file of cuts. Raises `InputError` with file and line for what can't be read."""
    lines = Lines(path)
    told = list(_read(lines, how))
    changes = [change for change in told if not change.first]
    if not changes:
        raise InputError(f"{path}: expected at least one change of the program, got none.")
    digest = hashlib.sha256(lines.text.encode()).hexdigest()[:8]
    own = [change.after_s for change in told if change.after_s is not None]
    zero_s = how.zero_s if how.zero_s is not None else min(own, default=Fraction(0))
    messages: list[dict[str, Any]] = []
    for number, change in enumerate(changes, start=1):
        message: dict[str, Any] = {
            "type": "cut",
            "id": f"{how.form}-{digest}-{number}",
            "atMs": round(_at_ms(lines, change, how.zero_ms, zero_s), 3),
            "seq": number,
            "camera": _camera(lines, change, how),
        }
        if change.transition is not None:
            message["transition"] = change.transition
        if change.duration_ms is not None:
            message["durationMs"] = round(change.duration_ms, 3)
        messages.append(message)
    notes = (
        f"Line {change.line} says what was on at the start, which is no change: it makes no claim."
        for change in told
        if change.first
    )
    return Imported(tuple(messages), tuple(notes))


def _read(lines: Lines, how: Instructions) -> Iterator[Told]:
    match how.form:
        case "edl":
            return read_edl(lines, how.rate)
        case "drp":
            return read_drp(lines)
        case "csv":
            return read_csv(lines, how.rate)
        case _:
            return read_obs(lines)


def _at_ms(lines: Lines, change: Told, zero_ms: float | None, zero_s: Fraction) -> float:
    """The change's time on the shoot's clock."""
    if change.after_s is None:
        return change.at_ms or 0.0
    if zero_ms is None:
        raise InputError(
            f"{lines.path}: expected to know when its timecode began, which it does not say; "
            "give that moment with --at, or the recorded shoot with --shoot."
        )
    return float(Fraction(zero_ms) + 1000 * (change.after_s - zero_s))


def _camera(lines: Lines, change: Told, how: Instructions) -> str:
    """The camera that the file means."""
    for name in change.names:
        if name in how.names:
            return how.names[name]
    plain = {_plain(camera): camera for camera in how.cameras}
    for name in change.names:
        if _plain(name) in plain:
            return plain[_plain(name)]
        if not how.cameras and re.match(CAMERA_ID, name):
            return name
    raise lines.wrong(
        change.line,
        f"a source that is one of the cameras ({', '.join(how.cameras) or 'none is known'})",
        change.names[0],
        f"say which camera it is: --camera '{change.names[0][:40]}=CAMERA'",
    )


def _plain(name: str) -> str:
    """A name as reels spell it: letters and digits, whatever their case."""
    return "".join(c for c in name.upper() if c.isalnum())
