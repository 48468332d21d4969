"""tap's own evidence: the `tap-witness/1` document, and pictures out of recordings."""

import hashlib
import json
import math
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tap.errors import InputError, TapError
from tap.feeds.media import LOCAL_FILES, Files, timed_picture_at
from tap.feeds.shoot import Shoot
from tap.report.files import write_text
from tap.report.findings import Pick
from tap.report.folder import WITNESS_FILE
from tap.report.pictures import LONGEST_SIDE, Still
from tap.vocabulary import CAMERA_ID, PROGRAM, Shot, Witness

FORMAT = "tap-witness/1"
MAX_WITNESS_BYTES = 64 * 2**20

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


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex. Raises `InputError` where it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: could not be read ({error.strerror}).") from error


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


class ShootPictures:
    """Pictures out of a recorded shoot, found by seeking in its media files."""

    def __init__(self, shoot: Shoot, files: Files = LOCAL_FILES) -> None:
        self._files = files
        self._media = {camera.id: (camera.media, camera.started_at_ms) for camera in shoot.cameras}
        self._media[PROGRAM] = (shoot.program.media, shoot.program.started_at_ms)
        self._found = lru_cache(maxsize=64)(self._seek)

    def at(self, feed: str, at_ms: float, pick: Pick = Pick.NEAREST) -> Still | None:
        """The picture of `feed` that was on at `at_ms`, with its own time.

        For `LAST_BEFORE` the one before it, for `FIRST_FROM` the first that began then or later.
        """
        # Frames have whole ms: half a ms earlier is after every earlier frame and before this one.
        on_at = math.ceil(at_ms) - 0.5 if pick is Pick.LAST_BEFORE else at_ms
        found = self._found(feed, on_at, pick is Pick.FIRST_FROM)
        return Still(*found) if found is not None else None

    def _seek(self, feed: str, at_ms: float, first_from: bool) -> tuple[float, bytes] | None:
        if feed not in self._media:
            return None
        path, started_at_ms = self._media[feed]
        try:
            return timed_picture_at(
                path,
                started_at_ms,
                at_ms,
                LONGEST_SIDE,
                first_from=first_from,
                as_received=True,
                files=self._files,
            )
        except TapError:
            return None
