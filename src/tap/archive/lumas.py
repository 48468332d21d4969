"""Reduced pictures in files, on their way from the workers that decode to the one that looks.

Not compressed: half the bytes would cost the one that looks, for whom all others wait, as much time
as looking does. A file is there whole or not at all.
"""

import json
import math
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import numpy as np

from tap.errors import FeedError
from tap.feeds.luma import LONG_SIDE
from tap.feeds.media import Reduced
from tap.vocabulary import luma_of

_MAGIC = b"tap-lumas/1\n"
_HEAD = struct.Struct("<dHHII")
"""When (ms; nan: no time given), rows and columns of the luma (0: damaged), width and height."""


def write_lumas(path: Path, pictures: Iterable[Reduced], told: Callable[[], object]) -> int:
    """Write them; when all are there, beside them what `told` says then (JSON). Their number.

    Raises `FeedError`, and what `pictures` raises: then nothing is left.
    """
    half = path.with_name(f"{path.name}.{uuid4().hex}")
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with half.open("wb") as file:
            file.write(_MAGIC)
            for picture in pictures:
                luma = luma_of(picture.luma) if picture.luma is not None else None
                rows, columns = luma.shape if luma is not None else (0, 0)
                at = math.nan if picture.pts_ms is None else picture.pts_ms
                file.write(_HEAD.pack(at, rows, columns, *picture.size))
                if luma is not None:
                    file.write(np.ascontiguousarray(luma).data)
                count += 1
        half.replace(path)
        half.write_text(json.dumps(told()), "utf-8")
        half.replace(path.with_suffix(".json"))
    except OSError as error:
        raise FeedError(
            f"{path}: expected to write reduced pictures there, but {error.strerror or error}; "
            "make room or correct the path, and run it again."
        ) from error
    finally:
        with suppress(OSError):
            half.unlink()
    return count


def told_beside(path: Path) -> object | None:
    """What was told when the pictures had been written; None where they were not."""
    try:
        return json.loads(path.with_suffix(".json").read_text("utf-8")) if path.is_file() else None
    except (OSError, ValueError):
        return None


def read_lumas(path: Path) -> Iterator[Reduced]:
    """The pictures of a file, in order. Raises `FeedError` where it is none, or not whole."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise FeedError(f"{path}: expected reduced pictures, got something else.")
            while head := file.read(_HEAD.size):
                if len(head) < _HEAD.size:
                    raise _cut_off(path)
                at, rows, columns, width, height = _HEAD.unpack(head)
                pts_ms = None if math.isnan(at) else at
                if not rows * columns:
                    yield Reduced(pts_ms, None)
                    continue
                if max(rows, columns) > LONG_SIDE:
                    raise _cut_off(path)
                content = file.read(rows * columns)
                if len(content) < rows * columns:
                    raise _cut_off(path)
                luma = np.frombuffer(content, np.uint8).reshape(rows, columns)
                yield Reduced(pts_ms, luma, (width, height))
    except OSError as error:
        raise FeedError(
            f"{path}: could not be read ({error.strerror}); is the archive's folder on storage "
            "that every worker sees under the same path?"
        ) from error


def _cut_off(path: Path) -> FeedError:
    return FeedError(f"{path}: expected whole pictures, but it is damaged; run it again.")
