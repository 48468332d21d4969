"""Times as other programs write them."""

import math
from datetime import datetime

_SECONDS, _MS, _END = 1e9, 1e11, 1e14


def unix_ms(value: object) -> float | None:
    """Unix ms of a number (s from 2001 on, or ms) or an ISO 8601 time with its zone; else None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return _iso_ms(value)
        return unix_ms(number)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if _MS <= value < _END:
        return float(value)
    return float(value) * 1000.0 if _SECONDS <= value < _MS else None


def _iso_ms(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text.strip()[:64])
    except ValueError:
        return None
    return moment.timestamp() * 1000.0 if moment.tzinfo is not None else None
