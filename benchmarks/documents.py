"""The two documents a score compares, read strictly: what is not as the formats say is an error."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

WITNESS = "tap-witness/1"
TRUTH = "tap-truth/1"
STATES = frozenset({"live", "transition", "composed", "ambiguous", "off_camera", "black", "unseen"})
SIZE_LIMIT = 512 * 1024 * 1024
"""Bytes of a document; a day of truth is a quarter of it."""


class BadDocumentError(ValueError):
    """A witness or truth document is not what its format says."""


@dataclass(frozen=True, slots=True)
class Span:
    """A shot of the witness, or (with `start_ms` alone) a frame of the truth."""

    start_ms: float
    end_ms: float
    state: str
    camera: str | None
    cameras: frozenset[str]
    confidence: float


@dataclass(frozen=True, slots=True)
class Change:
    """An event. `or_to` is another target that is as right (twins that only noise tells apart)."""

    id: str
    type: str
    at_ms: float
    duration_ms: float
    to: str | None
    or_to: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict."""

    code: str
    claim_id: str | None
    event_id: str | None
    at_ms: float
    planted: bool


@dataclass(frozen=True, slots=True)
class Document:
    """Either document, as far as the score needs it. `delays` are in ms, by camera; of a truth,
    `delay_ranges` holds those that change over the shoot, as (low, high)."""

    spans: tuple[Span, ...]
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    delays: Mapping[str, float | None]
    frame_interval_ms: float
    delay_ranges: Mapping[str, tuple[float, float]] = field(
        default_factory=dict[str, tuple[float, float]]
    )


def load(path: Path) -> Any:
    """The JSON in a file. Raises BadDocumentError where it can't be read."""
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise BadDocumentError(f"{path} is larger than {SIZE_LIMIT} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadDocumentError(f"expected JSON in {path}, but it can't be read: {error}") from error


def read_witness(document: Any) -> Document:
    """A `tap-witness/1` document. Raises BadDocumentError."""
    whole = _object(document, "witness")
    _format(whole, WITNESS)
    spans = tuple(
        _span(item, f"shots[{index}]", frame=False)
        for index, item in enumerate(_list(whole, "shots"))
    )
    for before, after in pairwise(spans):
        if after.start_ms < before.end_ms:
            raise BadDocumentError(f"shots overlap at {after.start_ms} ms")
    return Document(spans, _changes(whole), _findings(whole), _delays(whole), 0.0)


def read_truth(document: Any) -> Document:
    """A `tap-truth/1` document. Raises BadDocumentError."""
    whole = _object(document, "truth")
    _format(whole, TRUTH)
    frames = tuple(
        _span(item, f"frames[{index}]", frame=True)
        for index, item in enumerate(_list(whole, "frames"))
    )
    if not frames:
        raise BadDocumentError("the truth has no frames")
    for before, after in pairwise(frames):
        if after.start_ms <= before.start_ms:
            raise BadDocumentError(f"frame times do not increase at {after.start_ms} ms")
    program = _object(whole.get("program"), "program")
    interval = _number(program, "frameIntervalMs", "program")
    if interval <= 0.0:
        raise BadDocumentError(f"program.frameIntervalMs must be positive, not {interval}")
    return Document(
        frames, _changes(whole), _findings(whole), _delays(whole), interval, _delay_ranges(whole)
    )


# ---------------------------------------------------------------- parts


def _span(item: Any, where: str, *, frame: bool) -> Span:
    record = _object(item, where)
    state = _text(record, "state", where)
    if state not in STATES:
        raise BadDocumentError(f"{where}.state is '{state}', which is none of the states")
    camera = _text_or_none(record, "camera", where)
    if state == "live" and camera is None:
        raise BadDocumentError(f"{where} is live but names no camera")
    cameras = record.get("cameras", [])
    if not isinstance(cameras, list) or not all(isinstance(name, str) for name in cameras):
        raise BadDocumentError(f"{where}.cameras must be a list of camera ids")
    if frame:
        at_ms = _number(record, "atMs", where)
        return Span(at_ms, at_ms, state, camera, frozenset(cameras), 1.0)
    start, end = _number(record, "startMs", where), _number(record, "endMs", where)
    confidence = _number(record, "confidence", where)
    if end < start:
        raise BadDocumentError(f"{where} ends before it starts")
    if not 0.0 <= confidence <= 1.0:
        raise BadDocumentError(f"{where}.confidence is {confidence}, not a probability")
    return Span(start, end, state, camera, frozenset(cameras), confidence)


def _changes(whole: Mapping[str, Any]) -> tuple[Change, ...]:
    changes: list[Change] = []
    for index, item in enumerate(_list(whole, "events")):
        where = f"events[{index}]"
        record = _object(item, where)
        length = record.get("durationMs", 0.0)
        duration = 0.0 if length is None else _number({"durationMs": length}, "durationMs", where)
        changes.append(
            Change(
                id=_text(record, "id", where),
                type=_text(record, "type", where),
                at_ms=_number(record, "atMs", where),
                duration_ms=duration,
                to=_text_or_none(record, "to", where),
                or_to=_text_or_none(record, "orTo", where),
            )
        )
    if len({change.id for change in changes}) != len(changes):
        raise BadDocumentError("two events have one id")
    return tuple(sorted(changes, key=lambda change: change.at_ms))


def _findings(whole: Mapping[str, Any]) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    for index, item in enumerate(_list(whole, "verdicts")):
        where = f"verdicts[{index}]"
        record = _object(item, where)
        findings.append(
            Finding(
                code=_text(record, "code", where),
                claim_id=_text_or_none(record, "claimId", where),
                event_id=_text_or_none(record, "eventId", where),
                at_ms=_number(record, "atMs", where),
                planted=record.get("planted") is True,
            )
        )
    return tuple(findings)


def _delays(whole: Mapping[str, Any]) -> dict[str, float | None]:
    delays: dict[str, float | None] = {}
    for index, item in enumerate(_list(whole, "cameras")):
        where = f"cameras[{index}]"
        record = _object(item, where)
        # Of a truth: what the path was set to, where it says so, rather than what could be seen.
        key = "pathDelayMs" if record.get("pathDelayMs") is not None else "delayMs"
        name = _text(record, "id", where)
        delays[name] = None if record.get(key) is None else _number(record, key, where)
    return delays


def _delay_ranges(whole: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Of cameras whose path's delay is told to have none, because it changes."""
    ranges: dict[str, tuple[float, float]] = {}
    for index, item in enumerate(_list(whole, "cameras")):
        where = f"cameras[{index}]"
        record = _object(item, where)
        if "pathDelayMs" in record and record["pathDelayMs"] is None:
            if record.get("delayLowMs") is None or record.get("delayHighMs") is None:
                continue
            low, high = (_number(record, key, where) for key in ("delayLowMs", "delayHighMs"))
            ranges[_text(record, "id", where)] = (low, high)
    return ranges


# ---------------------------------------------------------------- words


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadDocumentError(f"expected an object at {where}, not {type(value).__name__}")
    return value


def _format(whole: Mapping[str, Any], expected: str) -> None:
    if whole.get("format") != expected:
        raise BadDocumentError(f"expected the format {expected}, not {whole.get('format')!r}")


def _list(whole: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = whole.get(key)
    if not isinstance(value, list):
        raise BadDocumentError(f"expected a list at {key}, not {type(value).__name__}")
    return value


def _number(record: Mapping[str, Any], key: str, where: str) -> float:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadDocumentError(f"expected a number at {where}.{key}, not {value!r}")
    return float(value)


def _text(record: Mapping[str, Any], key: str, where: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise BadDocumentError(f"expected text at {where}.{key}, not {value!r}")
    return value


def _text_or_none(record: Mapping[str, Any], key: str, where: str) -> str | None:
    return None if record.get(key) is None else _text(record, key, where)
