"""What a ledger can hold: Convex's rules for values, kept by every ledger alike.

They are checked before a fact is journalled, so that nothing is accepted here that would be
refused there hours later.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from tap.ledger.faults import BookError, Code

MAX_INT = 2**53
"""Whole numbers up to this are exact in the 64-bit floats that Convex keeps numbers in."""
MAX_DEPTH = 16
MAX_FIELDS = 1024
MAX_ITEMS = 8192
MAX_NAME = 64
MAX_BYTES = 1024 * 1024 - 1024
"""1 MiB a document, less some room for the fields that a ledger adds itself."""

RAW_DEPTH = MAX_DEPTH - 2
"""Levels left for a message: it lies in the claim, which lies in the row."""
_RAW_BYTES = 512 * 1024
_WRAPPED: frozenset[str] = frozenset({"json"})


def check(document: Mapping[str, Any]) -> None:
    """Raises `BookError` (`BAD_VALUE`) that names the place of what a ledger can't hold."""
    size = _check(document, "", MAX_DEPTH)
    if size > MAX_BYTES:
        raise _bad("", f"a document of at most {MAX_BYTES} bytes", f"one of {size}")


def fits(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether a value may stand in a document, with `depth` levels left."""
    try:
        _check(value, "", depth)
    except BookError:
        return False
    return True


def canonical(value: Any) -> str:
    """One spelling for each JSON value, NaN and half characters included: sorted keys, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def storable(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A message as a row can hold it: as it is, or whole as `{"json": its canonical text}`.

    `restored` is the way back.
    """
    plain = dict(raw)
    if frozenset(plain) != _WRAPPED:
        try:
            if _check(plain, "", RAW_DEPTH) <= _RAW_BYTES:
                return plain
        except BookError:
            pass
    return {"json": canonical(plain)}


def restored(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The message that `storable` made storable."""
    if frozenset(stored) == _WRAPPED and isinstance(stored["json"], str):
        raw: dict[str, Any] = json.loads(stored["json"])
        return raw
    return dict(stored)


def _check(value: Any, path: str, depth: int) -> int:
    """The size of a value in bytes, as Convex counts it."""
    match value:
        case None | bool():
            return 1
        case int():
            if abs(value) > MAX_INT:
                raise _bad(path, "a whole number within 2^53", "a larger one")
            return 9
        case float():
            if not math.isfinite(value):
                raise _bad(path, "a finite number", str(value))
            return 9
        case str():
            return _text(value, path)
        case Mapping():
            return _object(value, path, depth)
        case list() | tuple():
            if depth < 1:
                raise _bad(path, f"at most {MAX_DEPTH} levels", "a deeper list")
            if len(value) > MAX_ITEMS:
                raise _bad(path, f"at most {MAX_ITEMS} items", str(len(value)))
            return 2 + sum(
                _check(item, f"{path}[{index}]", depth - 1) for index, item in enumerate(value)
            )
        case _:
            raise _bad(path, "a JSON value", type(value).__name__)


def _object(value: Mapping[Any, Any], path: str, depth: int) -> int:
    if depth < 1:
        raise _bad(path, f"at most {MAX_DEPTH} levels", "a deeper object")
    if len(value) > MAX_FIELDS:
        raise _bad(path, f"at most {MAX_FIELDS} fields", str(len(value)))
    size = 2
    for name, item in value.items():
        inner = f"{path}.{name}" if path else str(name)
        if not isinstance(name, str) or not _is_name(name):
            raise _bad(
                ascii(inner)[1:-1],
                f"a field name of 1 to {MAX_NAME} printable ASCII characters "
                "that starts with neither $ nor _",
                ascii(name),
            )
        size += len(name) + 1 + _check(item, inner, depth - 1)
    return size


def _is_name(name: str) -> bool:
    return (
        0 < len(name) <= MAX_NAME and name[0] not in "$_" and name.isascii() and name.isprintable()
    )


def _text(value: str, path: str) -> int:
    try:
        return len(value.encode("utf-8")) + 2
    except UnicodeEncodeError as error:
        raise _bad(path, "whole characters", "half a surrogate pair") from error


def _bad(path: str, expected: str, got: str) -> BookError:
    place = path if len(path) <= 200 else f"{path[:197]}..."
    return BookError(
        Code.BAD_VALUE,
        f"A ledger can't hold this row: at {place or 'the row itself'} expected {expected}, "
        f"got {got[:80]}; correct the value.",
    )
