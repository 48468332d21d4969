"""What tap keeps of a session: a folder with the witness document, the journal and pictures.

witness.json      the `tap-witness/1` document
journal.sqlite    claims, events, shots and verdicts as they came
evidence/         pictures, named by source and time: `cam-a-1789000000123.jpg`
verify.json       what the last check found
report.html       the page
"""

import json
import math
import re
from bisect import bisect_left
from collections import defaultdict
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tap.errors import InputError, TapError
from tap.feeds.jpeg import MAX_BYTES as MAX_PICTURE_BYTES
from tap.feeds.media import picture_at
from tap.feeds.shoot import Shoot
from tap.report.files import write_text
from tap.report.findings import Pick
from tap.report.pictures import LONGEST_SIDE, Still
from tap.vocabulary import CAMERA_ID, PROGRAM, Shot, Witness

WITNESS_FILE = "witness.json"
JOURNAL_FILE = "journal.sqlite"
PICTURES_FOLDER = "evidence"
VERIFY_FILE = "verify.json"
REPORT_FILE = "report.html"

FORMAT = "tap-witness/1"
MAX_WITNESS_BYTES = 64 * 2**20

TOLERANCE_MS = 500.0
"""How far a stored picture may be from the time asked for."""

_PICTURE_NAME = re.compile(r"^(?P<feed>[A-Za-z0-9._-]{1,64})-(?P<at_ms>\d{1,15})\.jpg$")


# ---------------------------------------------------------------- the document


def load_witness(path: Path) -> Witness:
    """Read and check a `tap-witness/1` document, or the `witness.json` of a folder.

    Raises `InputError` with one sentence: file, what was expected, what came.
    """
    file = path / WITNESS_FILE if path.is_dir() else path
    text = _read(file)
    try:
        content = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{file}: expected JSON, but {error}; write it again with replay."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        came = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise InputError(
            f"{file}: expected a document of format {FORMAT}, got {str(came)[:80]!r}; "
            "give the witness.json of a session."
        )
    try:
        witness = Witness.model_validate_json(text, strict=True)
        _check(witness)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(step) for step in first["loc"])
        raise InputError(f"{file}: {key}: {first['msg']}; write it again with replay.") from error
    except ValueError as error:
        raise InputError(f"{file}: {error}; write it again with replay.") from error
    return witness


def witness_text(witness: Witness) -> str:
    """The document's one true text: fields in the format's order, one item a line.

    Numbers are rounded to 3 decimals and whole ones written without a point, so that equal
    sessions give equal bytes. Raises `ValueError` for a number that is not finite.
    """
    document = _plain(witness.model_dump(mode="json", by_alias=True))
    parts: list[str] = []
    for key, value in document.items():
        if isinstance(value, list):
            items = ",\n".join(f"    {_line(item)}" for item in value)
            text = f"[\n{items}\n  ]" if items else "[]"
        else:
            text = _line(value)
        parts.append(f'  "{key}": {text}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write_witness(path: Path, witness: Witness) -> Path:
    """Write `witness_text` to `path` in one step. Raises `InputError` where that fails."""
    return write_text(path, witness_text(witness))


def _read(file: Path) -> str:
    try:
        if not file.is_file():
            raise InputError(f"{file}: there is no such file; give the folder of a session.")
        if file.stat().st_size > MAX_WITNESS_BYTES:
            raise InputError(
                f"{file}: expected at most {MAX_WITNESS_BYTES} bytes, got {file.stat().st_size}; "
                "give the witness.json of a session."
            )
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: could not be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: expected UTF-8 text, got other bytes.") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _check(witness: Witness) -> None:
    """What the shapes alone don't say. Raises `ValueError`."""
    _plain(witness.model_dump(mode="json", by_alias=True))
    cameras = [seen.id for seen in witness.cameras]
    for camera in cameras:
        if not re.match(CAMERA_ID, camera) or camera == PROGRAM:
            raise ValueError(f"cameras: expected a camera id, got {camera[:80]!r}")
    for what, ids in (("camera", cameras), ("event", [event.id for event in witness.events])):
        if len(ids) != len(set(ids)):
            twice = next(i for i in ids if ids.count(i) > 1)
            raise ValueError(f"{what}s: expected one {what} of id {twice[:80]!r}, got more")
    previous: Shot | None = None
    for shot in witness.shots:
        if shot.end_ms < shot.start_ms:
            raise ValueError(f"shots: the shot at {shot.start_ms:.0f} ends before it starts")
        if previous is not None and shot.start_ms < previous.end_ms:
            raise ValueError(f"shots: the shot at {shot.start_ms:.0f} overlaps the one before")
        previous = shot


def _plain(value: Any) -> Any:
    """The same JSON value with canonical numbers. Raises `ValueError` for NaN and infinity."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"expected finite numbers, got {value}")
        rounded = round(value, 3)
        return int(rounded) if rounded == int(rounded) else rounded
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


# ---------------------------------------------------------------- the pictures


def picture_name(feed: str, at_ms: float) -> str:
    """The file name of the picture that `feed` made at `at_ms`."""
    return f"{feed}-{at_ms:.0f}.jpg"


class FolderPictures:
    """The pictures that a session kept. Listed once, when first asked."""

    def __init__(self, folder: Path, tolerance_ms: float = TOLERANCE_MS) -> None:
        self._folder = folder
        self._tolerance_ms = tolerance_ms

    def at(self, feed: str, at_ms: float, pick: Pick = Pick.NEAREST) -> Still | None:
        """The stored picture nearest to `at_ms` as `pick` means it; None if none is near."""
        times = self._times.get(feed, [])
        index = bisect_left(times, at_ms)
        earlier, later = times[max(0, index - 1) : index], times[index : index + 1]
        candidates = {
            Pick.LAST_BEFORE: earlier,
            Pick.FIRST_FROM: later,
            Pick.NEAREST: earlier + later,
        }[pick]
        near = [t for t in candidates if abs(t - at_ms) <= self._tolerance_ms]
        if not near:
            return None
        found = min(near, key=lambda t: abs(t - at_ms))
        file = self._folder / picture_name(feed, found)
        try:
            if file.stat().st_size > MAX_PICTURE_BYTES:
                return None
            return Still(found, file.read_bytes())
        except OSError:
            return None

    @cached_property
    def _times(self) -> dict[str, list[int]]:
        """When each feed has a picture, ascending."""
        found: dict[str, list[int]] = defaultdict(list)
        if self._folder.is_dir():
            for file in self._folder.iterdir():
                name = _PICTURE_NAME.match(file.name)
                if name is not None and file.is_file():
                    found[name["feed"]].append(int(name["at_ms"]))
        for times in found.values():
            times.sort()
        return found


class ShootPictures:
    """Pictures out of a recorded shoot, found by seeking in its media files."""

    def __init__(self, shoot: Shoot) -> None:
        self._media = {camera.id: (camera.media, camera.started_at_ms) for camera in shoot.cameras}
        self._media[PROGRAM] = (shoot.program.media, shoot.program.started_at_ms)
        self._found = lru_cache(maxsize=64)(self._seek)

    def at(self, feed: str, at_ms: float, pick: Pick = Pick.NEAREST) -> Still | None:
        """The picture of `feed` that was on at `at_ms`; the one before it for `LAST_BEFORE`."""
        # Frames have whole ms: half a ms earlier is after every earlier frame and before this one.
        on_at = math.ceil(at_ms) - 0.5 if pick is Pick.LAST_BEFORE else at_ms
        jpeg = self._found(feed, on_at)
        return Still(at_ms, jpeg) if jpeg is not None else None

    def _seek(self, feed: str, at_ms: float) -> bytes | None:
        if feed not in self._media:
            return None
        path, started_at_ms = self._media[feed]
        try:
            return picture_at(path, started_at_ms, at_ms, LONGEST_SIDE)
        except TapError:
            return None
