"""Claims as lines of a recorded shoot's `director.jsonl`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO

from tap.claims.fields import time_ms
from tap.claims.parse import Parser, text_of
from tap.claims.strict_json import MAX_DEPTH, BadMessageError, decode_json, decode_text, short
from tap.errors import InputError
from tap.vocabulary import Claim

MAX_LINE = 1024 * 1024
"""Bytes of a line: a message of 64 KiB can be longer in another spelling."""
MAX_FILE = 256 * 1024 * 1024

_WRAPPED = {"raw", "recvMs"}
_UNREADABLE = {"unreadable", "problem", "recvMs"}


def to_line(claim: Claim) -> dict[str, Any]:
    """The object to record: the message as received, and `recvMs`.

    What was no message is `{"unreadable": its text, "problem": …}`; a message with keys that
    would be taken for these stands in `raw`.
    """
    raw, recv = dict(claim.raw), {"recvMs": claim.recv_ms}
    text = text_of(claim)
    if text is not None:
        return {"unreadable": text, "problem": claim.problem, **recv}
    keys = set(raw) | {"recvMs"}
    if "recvMs" in raw or keys in (_WRAPPED, _UNREADABLE):
        return {"raw": raw, **recv}
    return {**raw, **recv}


def dump_line(claim: Claim) -> str:
    """The line to write, with its end."""
    return json.dumps(to_line(claim), ensure_ascii=False, separators=(",", ":")) + "\n"


def from_line(line: Mapping[str, Any], parser: Parser, recv_ms: float) -> Claim:
    """The claim that a recorded object stands for; `recv_ms` counts where it has no time itself."""
    received = _received(line, parser)
    received = recv_ms if received is None else received
    keys = set(line)
    if keys == _UNREADABLE and isinstance(line["unreadable"], str):
        return parser.unreadable(line["unreadable"], str(line["problem"]), received)
    if keys == _WRAPPED and isinstance(line["raw"], dict):
        return parser.read(line["raw"], received)
    return parser.read({key: line[key] for key in line if key != "recvMs"}, received)


def read_claims(path: Path, parser: Parser) -> Iterator[Claim]:
    """The claims of a `director.jsonl`, by their time of receipt.

    A line without `recvMs` counts as received when it was sent, one without any time as received
    with the line before it. Bad lines are `unreadable` claims. Raises `InputError` where the file
    can't be read or is larger than 256 MiB.
    """
    try:
        with path.open("rb") as file:
            if file.seek(0, SEEK_END) > MAX_FILE:
                raise InputError(
                    f"{path}: expected at most {MAX_FILE} bytes of messages, got {file.tell()}; "
                    "split the shoot"
                )
            file.seek(0)
            entries = [_entry(line, parser) for line in _lines(file)]
    except OSError as error:
        raise InputError(
            f"{path}: expected the director's messages, one JSON object a line, got "
            f'"{error.strerror or error}"; check the file'
        ) from error
    recv_ms = next((entry.recv_ms for entry in entries if entry.recv_ms is not None), 0.0)
    claims: list[Claim] = []
    for entry in entries:
        recv_ms = recv_ms if entry.recv_ms is None else entry.recv_ms
        if entry.line is not None:
            claims.append(from_line(entry.line, parser, recv_ms))
        else:
            claims.append(parser.unreadable(entry.data, entry.problem, recv_ms))
    yield from sorted(claims, key=lambda claim: claim.recv_ms)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line: an object and its time, or bytes and what is wrong with them."""

    line: dict[str, Any] | None = None
    recv_ms: float | None = None
    data: bytes = b""
    problem: str = ""


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines that aren't blank, too long ones cut off."""
    while line := file.readline(MAX_LINE + 1):
        rest = line
        while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE + 1)
        line = line.strip(b" \t\r\n")
        if line:
            yield line


def _entry(data: bytes, parser: Parser) -> _Entry:
    try:
        text = decode_text(data, MAX_LINE)
        line = decode_json(text, MAX_DEPTH + 1)
        if not isinstance(line, dict):
            raise BadMessageError(f"expected an object, got {short(line)}")
        if "recvMs" not in line:  # not written by tap, so still to be checked
            decode_text(data)
    except BadMessageError as error:
        return _Entry(data=data, problem=str(error))
    return _Entry(line, _received(line, parser))


def _received(line: Mapping[str, Any], parser: Parser) -> float | None:
    try:
        return time_ms(line.get("recvMs"), "ms")
    except BadMessageError:
        return parser.sent_ms(line)
