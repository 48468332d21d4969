"""A session's seal as one text file, to hand on: each line canonical JSON (RFC 8785).

    {"bundle":"tap-seal-bundle/1","session":"shoot-1"}
    {"record":{"body":"…","key":"…","kind":"…","seq":1}}      as many as the next statement covers
    {"seal":{"n":1,"signature":"…","statement":"…"}}          and so on
    {"end":{"records":120,"statements":80}}

It has all that is sealed, and the hashes of the pictures in it; not the pictures. No letter of it
is free: whatever is altered is found.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tap.errors import InputError
from tap.ledger import read_journal
from tap.report.folder import JOURNAL_FILE
from tap.seal import PublicKey, Record, Seal, SealCheck, SealFault, SealProblem, canonical, check
from tap.seal.chain import parse

FORMAT = "tap-seal-bundle/1"
MAX_LINE = 40 * 2**20
MAX_BUNDLE = 2**30
_SEAL = b'{"seal":'
_RECORD = b'{"record":'
_MOST_TOLD = 50


def write_bundle(folder: Path, out: Path) -> tuple[int, int]:
    """Write the seal of a session's folder to the file `out`; how many records and statements.

    Raises `InputError` and `LedgerError`.
    """
    half = out.with_name(f"{out.name}.part")
    try:
        with read_journal(folder / JOURNAL_FILE) as journal, half.open("wb") as file:
            counts = _write(file.write, journal.sealed_records(), journal.seals())
            file.flush()
            os.fsync(file.fileno())
        half.replace(out)
    except (OSError, ValueError) as error:
        half.unlink(missing_ok=True)
        raise InputError(
            f"{out}: expected to write the seal of {folder} there, but {error}; give another "
            "place, or see with `tap verify --seal` what is wrong with the session"
        ) from error
    return counts


def _write(write: Any, records: Iterator[Record], seals: Iterator[Seal]) -> tuple[int, int]:
    waiting = next(records, None)
    count = statements = 0
    for seal in seals:
        statement = parse(seal.text)
        if statement.opens is not None and statements == 0:
            write(_line({"bundle": FORMAT, "session": statement.opens.session}))
        while waiting is not None and waiting.seq <= statement.size:
            write(_line({"record": _plain(waiting)}))
            count += 1
            waiting = next(records, None)
        document = {"n": seal.n, "signature": seal.signature.hex(), "statement": seal.text}
        write(_line({"seal": document}))
        statements += 1
    if not statements:
        raise ValueError("the session is not sealed")
    if waiting is not None:
        raise ValueError(f"record {waiting.seq} is covered by no statement")
    write(_line({"end": {"records": count, "statements": statements}}))
    return count, statements


def check_bundle(path: Path, keys: Sequence[PublicKey], pins: Sequence[str] = ()) -> SealCheck:
    """Hold a bundle's records against its statements.

    Raises `InputError` where the file can't be read, or begins as no bundle does.
    """
    try:
        if path.stat().st_size > MAX_BUNDLE:
            raise InputError(
                f"{path}: expected a bundle of at most {MAX_BUNDLE} bytes, got more; give a file "
                "that `tap seal --bundle` wrote"
            )
        reader = _Reader(path)
        found = check(reader.records(), reader.seals(), keys, pins=pins)
    except OSError as error:
        raise InputError(
            f"{path}: expected a bundle of `tap seal --bundle`, but {error.strerror or error}; "
            "check the path"
        ) from error
    return replace(found, problems=(*reader.told(found), *found.problems))


@dataclass(slots=True)
class _Reader:
    """Reads a bundle twice: its statements, then all the rest."""

    path: Path
    problems: list[SealProblem] = field(default_factory=list[SealProblem])
    session: str | None = None
    end: dict[str, Any] | None = None
    _records: int = 0
    _statements: int = 0
    _lines: int = 0
    _misplaced: bool = False

    def seals(self) -> Iterator[Seal]:
        records = 0
        for number, line in self._all():
            if line.startswith(_RECORD):
                records += 1
            if not line.startswith(_SEAL):
                continue
            self._statements += 1
            try:
                document = _fields(
                    _read(line), "seal", {"n": int, "signature": str, "statement": str}
                )
                seal = Seal(document["n"], document["statement"], _bytes(document["signature"]))
            except ValueError as error:
                self._tell(number, f"it can't be read as a statement: {error}")
                continue
            self._look_where(seal, records, number)
            yield seal

    def records(self) -> Iterator[Record]:
        for number, line in self._all():
            self._lines = number
            if line.startswith(_SEAL):
                continue
            try:
                if self.end is not None:
                    raise ValueError("nothing may stand behind the end")
                document = _read(line)
                if line.startswith(_RECORD):
                    self._records += 1
                    shape = {"body": str, "key": str, "kind": str, "seq": int}
                    yield Record(**_fields(document, "record", shape))
                elif number == 1:
                    self.session = _header(document)
                else:
                    self.end = _fields(document, "end", {"records": int, "statements": int})
            except ValueError as error:
                self._tell(number, f"it can't be read: {error}")

    def told(self, found: SealCheck) -> list[SealProblem]:
        """What is wrong with the file as such; after it was read."""
        if self.session is None:
            self._tell(1, "the head of the bundle is not there")
        elif found.session not in (None, self.session):
            self._tell(1, f"it names the session {self.session[:128]!r}")
        counts = {"records": self._records, "statements": self._statements}
        if self.end is None:
            text = "The line that ends it is not there: it was cut off."
            self.problems.append(SealProblem(SealFault.MISSING, "end of the bundle", text))
        elif self.end != counts:
            self._tell(self._lines, f"it counts {self.end}, and there are {counts}")
        return self.problems

    def _look_where(self, seal: Seal, records: int, number: int) -> None:
        """A statement stands right behind the records that it covers. Told of once."""
        try:
            size = parse(seal.text).size
        except ValueError:
            return
        if size != records and not self._misplaced:
            self._misplaced = True
            self._tell(
                number, f"its statement covers {size} records, and {records} stand before it"
            )

    def _all(self) -> Iterator[tuple[int, bytes]]:
        """Lines with their numbers. One without its end, or far too long, is told of."""
        with self.path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if not line.endswith(b"\n"):
                    self._tell(number, "it has no end, or is far too long")
                    return
                yield number, line[:-1]

    def _tell(self, number: int, text: str) -> None:
        problem = SealProblem(SealFault.ALTERED, f"line {number} of the bundle", f"{text}.")
        if len(self.problems) < _MOST_TOLD and problem not in self.problems:
            self.problems.append(problem)


def _line(document: dict[str, Any]) -> bytes:
    return canonical(document) + b"\n"


def _plain(record: Record) -> dict[str, Any]:
    return {"body": record.body, "key": record.key, "kind": record.kind, "seq": record.seq}


def _read(line: bytes) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(document, dict) or canonical(document) != line:
        raise ValueError("expected an object in its one spelling")
    return document


def _fields(document: dict[str, Any], name: str, shape: dict[str, type]) -> dict[str, Any]:
    inner = document.get(name)
    if len(document) != 1 or not isinstance(inner, dict) or inner.keys() != shape.keys():
        raise ValueError(f"expected {name} with {', '.join(shape)}")
    if not all(type(inner[key]) is kind for key, kind in shape.items()):
        raise ValueError(f"expected other values in {name}")
    return inner


def _header(document: dict[str, Any]) -> str:
    session = document.get("session")
    if document != {"bundle": FORMAT, "session": session} or not isinstance(session, str):
        raise ValueError(f"expected the head of a {FORMAT}")
    return session


def _bytes(text: str) -> bytes:
    found = bytes.fromhex(text)
    if found.hex() != text:
        raise ValueError("expected a signature in its one spelling")
    return found
