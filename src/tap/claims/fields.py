"""The canonical vocabulary: which message has which fields, and what each may hold."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tap.claims.strict_json import BadMessageError, canonical, short
from tap.vocabulary import CAMERA_ID, PROGRAM, ClaimType

Unit = Literal["ms", "s", "iso"]
"""How a profile says that a system writes a time: Unix ms or s (or a length in them), ISO 8601."""

MAX_TEXT = 4096
MAX_ID = 200


def text(value: Any) -> str:
    """A text of sensible length."""
    if not isinstance(value, str):
        raise BadMessageError(f"expected a text, got {short(value)}")
    if len(value) > MAX_TEXT:
        raise BadMessageError(f"expected at most {MAX_TEXT} characters, got {len(value)}")
    return value


def identifier(value: Any) -> str:
    """An id: a text that isn't empty, or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(whole(value))
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID:
        raise BadMessageError(f"expected an id of 1 to {MAX_ID} characters, got {short(value)}")
    return value


def camera_id(value: Any) -> str:
    """The id of a camera, known or not."""
    if not isinstance(value, str) or not re.fullmatch(CAMERA_ID, value) or value == PROGRAM:
        raise BadMessageError(f"expected a camera id, got {short(value)}")
    return value


def number(value: Any) -> float:
    """A number that is finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadMessageError(f"expected a number, got {short(value)}")
    try:
        result = float(value)
    except OverflowError as error:
        raise BadMessageError("expected a number that fits, got one that is too large") from error
    if not math.isfinite(result):
        raise BadMessageError(f"expected a number, got {short(value)}")
    return result


def whole(value: Any) -> int:
    """A whole number of at most 63 bits."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadMessageError(f"expected a whole number, got {short(value)}")
    if not -(2**63) <= value < 2**63:
        raise BadMessageError("expected a whole number that fits, got one that is too large")
    return value


def sha256(value: Any) -> str:
    """A digest in hex."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Fa-f]{64}", value):
        raise BadMessageError(f"expected 64 hex digits, got {short(value)}")
    return value.lower()


def still_kind(value: Any) -> str:
    """How a still came about."""
    if value not in ("capture", "marker"):
        raise BadMessageError(f'expected "capture" or "marker", got {short(value)}')
    return str(value)


def placement(value: Any) -> str:
    """Where a camera stands: a text, or whatever structure the sender keeps, as JSON."""
    return text(value if isinstance(value, str) else canonical(value).decode())


def time_ms(value: Any, unit: Unit) -> float:
    """A time or a length in ms."""
    if unit == "iso":
        return _iso_ms(value)
    result = number(value) * (1000.0 if unit == "s" else 1.0)
    if not 0 <= result < 1e15:
        raise BadMessageError(f"expected a time or a length of 0 or more, got {short(value)}")
    return result


def _iso_ms(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return moment.timestamp() * 1000.0
    except (TypeError, ValueError, OverflowError) as error:
        raise BadMessageError(
            f"expected a date and time with its zone, got {short(value)}"
        ) from error


def camera_list(value: Any) -> tuple[str, ...]:
    """Cameras by their ids, or as objects that have one."""
    if not isinstance(value, list):
        raise BadMessageError(f"expected a list of cameras, got {short(value)}")
    ids = [one.get("id") if isinstance(one, dict) else one for one in value]
    return tuple(dict.fromkeys(camera_id(one) for one in ids))


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its attribute in a `Claim`, and what reads it. `read` None: a time.

    `attribute` None: it is checked, and stays in the raw message.
    """

    attribute: str | None
    read: Callable[[Any], Any] | None = text
    required: bool = False


_CAMERA = Field("camera", camera_id)
_CAMERA_NEEDED = Field("camera", camera_id, required=True)

FIELDS: dict[ClaimType, dict[str, Field]] = {
    ClaimType.SESSION_START: {
        "sessionId": Field("session_id"),
        "title": Field("title"),
        "notes": Field("notes"),
        "mode": Field("mode"),
        "cameras": Field(None, camera_list),
    },
    ClaimType.SESSION_END: {"reason": Field("reason")},
    ClaimType.CUT: {
        "camera": _CAMERA_NEEDED,
        "transition": Field("transition"),
        "durationMs": Field("duration_ms", None),
    },
    ClaimType.HOLD: {"camera": _CAMERA},
    ClaimType.RELEASE: {},
    ClaimType.MODE: {"mode": Field("mode", required=True)},
    ClaimType.PROPOSAL: {
        "camera": _CAMERA_NEEDED,
        "expiresMs": Field("expires_ms", None),
        "rationale": Field("rationale"),
    },
    ClaimType.ACCEPT: {"proposal": Field("proposal", identifier, required=True)},
    ClaimType.VETO: {"proposal": Field("proposal", identifier, required=True)},
    ClaimType.STILL: {
        "camera": _CAMERA_NEEDED,
        "stillId": Field("still_id", identifier),
        "kind": Field("kind", still_kind),
        "uri": Field("uri"),
        "sha256": Field("sha256", sha256),
    },
    ClaimType.CAMERA: {
        "camera": _CAMERA_NEEDED,
        "role": Field("role"),
        "placement": Field("placement", placement),
        "source": Field("source"),
    },
    ClaimType.MUSIC: {
        "label": Field("label", required=True),
        "bar": Field("bar", number),
        "phase": Field("phase"),
    },
}
"""By the names of the canonical messages."""
