"""JSON from strangers: strict, and bounded in size and depth."""

import hashlib
import json
import math
from typing import Any, NoReturn

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32


class BadMessageError(ValueError):
    """What is wrong with a message; never leaves this room."""


def decode_text(data: str | bytes, limit: int = MAX_BYTES) -> str:
    """Text of at most `limit` bytes in UTF-8. Raises `BadMessageError`."""
    size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))
    if size > limit:
        raise BadMessageError(f"expected at most {limit} bytes, got {size}")
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadMessageError(f"expected UTF-8, got a stray byte at {error.start}") from error


def decode_json(text: str, depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text.

    Raises `BadMessageError` for what is no JSON, for numbers that are none (NaN, infinity) or
    that are too long, for nesting deeper than `depth` and for halves of surrogate pairs.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except BadMessageError:
        raise
    except RecursionError as error:
        raise BadMessageError(f"expected nesting of at most {depth} levels") from error
    except ValueError as error:
        raise BadMessageError(f"expected JSON, got {short(text)}") from error
    check_tree(value, depth)
    return value


def check_tree(value: Any, depth: int = MAX_DEPTH) -> None:
    """Raises `BadMessageError` if a decoded value is nested too deep or holds broken text."""
    level = [value]
    for _ in range(depth + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.keys()
                inner += item.values()
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, str) and not _encodes(item):
                raise BadMessageError("expected whole characters, got half a surrogate pair")
        if not inner:
            return
        level = inner
    raise BadMessageError(f"expected nesting of at most {depth} levels, got more")


def canonical(value: Any) -> bytes:
    """One spelling for each decoded value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical spelling, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def short(value: Any) -> str:
    """A value for an error's sentence, on one line and not too long."""
    text = repr(value) if not isinstance(value, str) else ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _no_constant(name: str) -> NoReturn:
    raise BadMessageError(f"expected numbers, got {name}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadMessageError(f"expected a number that fits, got {short(text)}")
    return number


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
