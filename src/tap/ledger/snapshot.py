"""Snapshot ZIPs in the layout of Convex's own exports: written by tap, or read and checked.

One folder a table with a `documents.jsonl`, a document a line, and `_tables/documents.jsonl` with
their names. Reading looks for the four tables and at nothing else: no path in the file is ever
opened, sizes are counted as they are unpacked, and a row that is none costs only itself.
"""

import base64
import binascii
import json
import math
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from tap.errors import InputError
from tap.ledger.convex import Mapping as Names
from tap.ledger.convex import load_mapping
from tap.ledger.convex.ledger import kept_by
from tap.ledger.convex.mapping import ROWS, TableName, inward, outward
from tap.ledger.faults import BookError, Code
from tap.ledger.queue import Op
from tap.ledger.rows import CameraRow, DirectorEventRow, Row, SessionRow, StillRow
from tap.ledger.store import PAGE, RowFault

MAX_UNPACKED = 1024 * 2**20
"""All four tables together."""
MAX_LINE = 4 * 2**20
"""A document has at most 1 MiB; escapes make it longer."""
MAX_ROWS = 2_000_000
_CHUNK = 2**20

_R = TypeVar("_R", bound=Row)
Document = dict[str, Any]


@dataclass(slots=True)
class Tables:
    """Rows of all four tables, as documents in tap's words."""

    sessions: list[Document] = field(default_factory=list[Document])
    cameras: list[Document] = field(default_factory=list[Document])
    events: list[Document] = field(default_factory=list[Document])
    stills: list[Document] = field(default_factory=list[Document])

    def of(self, table: TableName) -> list[Document]:
        """One table."""
        found: list[Document] = getattr(self, table)
        return found


# ------------------------------------------------------------------ writing


def write_snapshot(path: Path, tables: Tables, mapping: Names | None = None) -> Path:
    """Write a ZIP that `tap verify --snapshot` and `npx convex import` read.

    It has no `_id`: an import gives the rows new ones. Raises `InputError` where it can't be
    written.
    """
    mapping = mapping or load_mapping()
    half = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.md", "# A production ledger\n\nWritten by tap.\n")
            names = [mapping.tables[table].name for table in ROWS]
            listed = [{"name": name, "id": number} for number, name in enumerate(names, 10001)]
            archive.writestr("_tables/documents.jsonl", _lines(listed))
            for table in ROWS:
                known = mapping.tables[table]
                rows = (outward(known, row) for row in tables.of(table))
                archive.writestr(f"{known.name}/documents.jsonl", _lines(map(_floats, rows)))
                archive.writestr(f"{known.name}/generated_schema.jsonl", '"uniform"\n')
        half.replace(path)
    except OSError as error:
        raise InputError(
            f'{path}: expected a place to write to, got "{error.strerror or error}"; give '
            "another path"
        ) from error
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)
    return path


def _lines(documents: Iterable[Document]) -> str:
    return "".join(
        json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
        for document in documents
    )


def _floats(value: Any) -> Any:
    """All numbers as Convex keeps them: a bare whole number would become an Int64 there."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, dict):
        return {name: _floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return value


# ------------------------------------------------------------------ reading


class SnapshotLedger:
    """A `LedgerReader` on a snapshot ZIP. All methods raise `BookError`."""

    def __init__(self, path: Path, mapping: Names | None = None) -> None:
        """Reads the whole file. Raises `InputError` for one that is no snapshot."""
        self.path = path
        self.mapping = mapping or load_mapping()
        self.tables = _read(path, self.mapping)
        self._parsed: dict[tuple[TableName, str], list[Any]] = {}
        self._broken: list[tuple[str, RowFault]] = []

    def session(self, external_id: str) -> SessionRow | None:
        """See `LedgerReader.session`."""
        found = [row for row in self.tables.sessions if row.get("externalId") == external_id]
        return self._whole("sessions", SessionRow, found[:1])[0] if found else None

    def sessions(self) -> tuple[SessionRow, ...]:
        """See `LedgerReader.sessions`."""
        rows = self._whole("sessions", SessionRow, self.tables.sessions)
        return tuple(sorted(rows, key=lambda row: (-row.started_at_ms, row.key)))

    def cameras(self, session_key: str) -> tuple[CameraRow, ...]:
        """See `LedgerReader.cameras`."""
        rows = self._of("cameras", CameraRow, session_key)
        return tuple(sorted(rows, key=lambda row: (row.camera_id, row.key)))

    def events(
        self, session_key: str, after_seq: int = 0, limit: int = PAGE
    ) -> tuple[DirectorEventRow, ...]:
        """See `LedgerReader.events`: all at once, for they are in memory."""
        rows = self._of("events", DirectorEventRow, session_key)
        if after_seq < -(2**52):
            return tuple(rows)
        behind = [row for row in rows if row.seq > after_seq]
        last = behind[: max(limit, 1)][-1].seq if behind else 0
        return tuple(row for row in behind if row.seq <= last)

    def stills(
        self, session_key: str, after_key: str = "", limit: int = PAGE
    ) -> tuple[StillRow, ...]:
        """See `LedgerReader.stills`."""
        rows = self._of("stills", StillRow, session_key)
        behind = [row for row in rows if row.key > after_key]
        return tuple(behind) if not after_key else tuple(behind[:limit])

    def kept(self, op: Op, document: Document) -> Document | None:
        """See `LedgerReader.kept`."""
        return kept_by(self.mapping, op, document)

    def faults(self, session_key: str) -> list[RowFault]:
        """Rows that are none, that are double beyond what a page shows, or that nobody owns."""
        found: list[RowFault] = []
        known = {row.get("key") for row in self.tables.sessions}
        keys = Counter(str(row.get("externalId")) for row in self.tables.sessions)
        name = self.mapping.tables["sessions"].name
        for row in self.tables.sessions:
            if row.get("key") == session_key and keys[str(row.get("externalId"))] > 1:
                text = "The ledger has more than one row of this session."
                found.append(RowFault(name, session_key, text, double=True))
                break
        for table in ("cameras", "events", "stills"):
            for row in self.tables.of(table):
                owner, key = row.get("sessionKey"), str(row.get("key", ""))
                if owner not in known and key.startswith(f"{session_key}/"):
                    text = f"It belongs to a session that isn't there ({str(owner)[:60]!r})."
                    found.append(RowFault(self.mapping.tables[table].name, key, text, orphan=True))
        self.cameras(session_key)
        self.events(session_key)
        self.stills(session_key)
        return found + [fault for owner, fault in self._broken if owner == session_key]

    def close(self) -> None:
        """Nothing is held."""

    # ------------------------------------------------------------------ rows

    def _of(self, table: TableName, model: type[_R], session_key: str) -> list[_R]:
        """The readable rows of a session, in their order; the others go to `faults`."""
        known = self._parsed.get((table, session_key))
        if known is not None:
            return known
        rows = [row for row in self.tables.of(table) if row.get("sessionKey") == session_key]
        parsed = self._one_by_one(table, model, session_key, rows)
        if table == "events":
            parsed.sort(key=lambda row: (getattr(row, "seq", 0), row.key))
        else:
            parsed.sort(key=lambda row: row.key)
        self._parsed[table, session_key] = parsed
        return parsed

    def _one_by_one(
        self, table: TableName, model: type[_R], session_key: str, rows: Sequence[Document]
    ) -> list[_R]:
        parsed: list[_R] = []
        for row in rows:
            try:
                parsed.append(model.model_validate(row))
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                place = ".".join(str(step) for step in first["loc"])
                text = f"The row can't be read: {place}: {first['msg']}."
                name = self.mapping.tables[table].name
                fault = RowFault(name, str(row.get("key", "")), text)
                self._broken.append((session_key, fault))
        return parsed

    def _whole(self, table: TableName, model: type[_R], rows: Sequence[Document]) -> list[_R]:
        try:
            return [model.model_validate(row) for row in rows]
        except ValidationError as error:
            name = self.mapping.tables[table].name
            raise BookError(
                Code.DAMAGED,
                f"{self.path}: expected a row of {name}, got one that can't be read ({error}); "
                "export it again.",
            ) from error


def _read(path: Path, mapping: Names) -> Tables:
    tables, budget = Tables(), [MAX_UNPACKED]
    try:
        with zipfile.ZipFile(path) as archive:
            names = Counter(info.filename for info in archive.infolist())
            if not any(f"{mapping.tables[table].name}/documents.jsonl" in names for table in ROWS):
                raise _no_snapshot(
                    path, f"no folder {mapping.tables['events'].name} with a documents.jsonl"
                )
            for table in ROWS:
                known = mapping.tables[table]
                member = f"{known.name}/documents.jsonl"
                if names[member] > 1:
                    raise _no_snapshot(path, f"{member} more than once")
                if names[member]:
                    rows = _documents(path, archive, member, budget)
                    tables.of(table).extend(inward(known, row) for row in rows)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _no_snapshot(path, f"a file that can't be unpacked ({error})") from error
    except OSError as error:
        raise InputError(
            f"{path}: expected a snapshot ZIP that can be read, got "
            f'"{error.strerror or error}"; check the path'
        ) from error
    return tables


def _documents(
    path: Path, archive: zipfile.ZipFile, member: str, budget: list[int]
) -> Iterator[Document]:
    """The documents of one table. `budget` is what may still be unpacked, in bytes."""
    rest, count = b"", 0
    with archive.open(member) as file:
        while True:
            chunk = file.read(_CHUNK)
            budget[0] -= len(chunk)
            if budget[0] < 0:
                raise _no_snapshot(path, f"more than {MAX_UNPACKED} bytes when unpacked")
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop() if chunk else b""
            if len(rest) > MAX_LINE:
                raise _no_snapshot(path, f"a line of more than {MAX_LINE} bytes in {member}")
            for line in lines:
                if not line.strip():
                    continue
                count += 1
                if count > MAX_ROWS:
                    raise _no_snapshot(path, f"more than {MAX_ROWS} rows in {member}")
                yield _document(path, member, count, line)
            if not chunk:
                return


def _document(path: Path, member: str, number: int, line: bytes) -> Document:
    try:
        hook = _special if b'"$' in line else None
        found = json.loads(line, object_hook=hook)
    except (ValueError, RecursionError) as error:
        raise _no_snapshot(path, f"line {number} of {member} that is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise _no_snapshot(path, f"line {number} of {member} that is no document")
    return found


def _special(value: Mapping[str, Any]) -> Any:
    """Convex's spelling of numbers that JSON doesn't have."""
    if len(value) == 1 and isinstance(text := value.get("$float"), str):
        try:
            [number] = struct.unpack("<d", base64.b64decode(text))
        except (struct.error, binascii.Error):
            return math.nan
        return number
    return dict(value)


def _no_snapshot(path: Path, found: str) -> InputError:
    return InputError(
        f"{path}: expected a snapshot ZIP of Convex, or of `tap ledger export`, got {found}; "
        "export it again."
    )
