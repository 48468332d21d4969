"""What the far side's answers mean: a value, or a `BookError` whose code says what is to be done.

The rules are those of Convex's HTTP API and HTTP actions. A plain 500, or a conflict
that isn't explained, is in doubt: an overload that passes, or a row that the functions fail on each
time; `SUSPECT` leaves that to the outbox.
"""

import json
from dataclasses import dataclass
from typing import Any

from tap.ledger.convex.mapping import Errors, picked
from tap.ledger.faults import BookError, Code

_ROW_STATUS = frozenset({400, 413, 422})
_AGAIN = frozenset({408, 425, 429, 502, 503, 504, *range(520, 531)})
_DENIED = frozenset({401, 403})
_OVERLOADED = frozenset(
    {
        "OVERLOADED",
        "TooManyWrites",
        "TooManyWritesInTimePeriod",
        "TooManyConcurrentRequests",
    }
)
"""Codes that mean "later", whatever the status: Convex's write limit has come with 400."""
_ROW_CODES = frozenset({Code.KEY_REUSED, Code.BAD_VALUE, Code.NO_SESSION})
_UNFINISHED = 560
"""Some of Convex's own clients get a function's error with this status."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came: status, content type, body (already bounded)."""

    status: int
    content_type: str
    body: bytes


def of_route(answer: Answer, errors: Errors, what: str) -> Any:
    """The value in a route's answer. Raises `BookError`; `what` is what was asked for."""
    found = _json(answer)
    if 200 <= answer.status < 300 and isinstance(found, dict) and found.get("ok") is not False:
        return found
    if 200 <= answer.status < 300 and isinstance(found, list):
        return {"rows": found}
    if 200 <= answer.status < 300 and not isinstance(found, dict):
        raise _failed(what, f"an answer that is no JSON ({_first_words(answer)})")
    raise _fault(answer, found, errors, what)


def of_function(answer: Answer, errors: Errors, what: str) -> Any:
    """The value that a function gave through Convex's own API. Raises `BookError`."""
    found = _json(answer)
    ran = answer.status in (200, _UNFINISHED) and isinstance(found, dict)
    if not ran or not isinstance(found, dict):
        raise _fault(answer, found, errors, what)
    if found.get("status") == "success":
        return found.get("value")
    data = found.get("errorData")
    if isinstance(data, dict):
        raise _fault(Answer(409, "", b""), data, errors, what)
    said = _clean(str(found.get("errorMessage") or "no reason given")[:300])
    raise BookError(
        Code.SUSPECT,
        f"{what}: expected an answer, but the function failed ({said}); see the deployment's log.",
    )


def _fault(answer: Answer, found: Any, errors: Errors, what: str) -> BookError:
    code = picked(found, errors.code)
    code = code if isinstance(code, str) else ""
    said = picked(found, errors.message)
    words = _clean(said[:500]) if isinstance(said, str) and said else _first_words(answer)
    key = picked(found, errors.key)
    meant = errors.codes.get(code) or (Code(code) if code in Code.__members__ else None)
    if answer.status in _DENIED:
        return BookError(
            Code.DENIED,
            f"{what}: expected to be let in, got {answer.status} ({words}); check the token that "
            "token_env names, and the one that the deployment has.",
        )
    if code in _OVERLOADED or answer.status in _AGAIN:
        return BookError(
            Code.UNREACHABLE,
            f"{what}: expected an answer, got {answer.status} ({words}); it is tried again.",
        )
    if meant is not None and meant in _ROW_CODES:
        named = key if isinstance(key, str) else None
        return BookError(meant, f"The ledger refuses it ({meant.value}): {words}", named)
    if answer.status in _ROW_STATUS:
        return BookError(Code.BAD_VALUE, f"The ledger refuses it ({answer.status}): {words}")
    if answer.status in (404, 405, 415):
        return _failed(what, f"{answer.status} ({words})")
    if answer.status >= 500 or answer.status == 409:  # a conflict that passes, or a row's own
        return BookError(
            Code.SUSPECT,
            f"{what}: expected an answer, got {answer.status} ({words}); see the deployment's log.",
        )
    return _failed(what, f"{answer.status} ({words})")


def _failed(what: str, got: str) -> BookError:
    return BookError(
        Code.FAILED,
        f"{what}: expected a production backend's answer, got {got}; check url and mapping.",
    )


def _json(answer: Answer) -> Any:
    """The body as JSON; None for anything else, such as a page of somebody in between."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _clean(text: str) -> str:
    """Text of the far side, fit for a terminal and a log."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _first_words(answer: Answer) -> str:
    """What a person can tell it by: the first words, without a page's tags."""
    if "html" in answer.content_type or answer.body.lstrip()[:1] == b"<":
        return "a web page"
    text = " ".join(answer.body[:200].decode("utf-8", "replace").split())
    return ascii(text[:120])[1:-1] or "nothing"
