"""Mappings: how a production backend on Convex is asked, and how it names things. Data, not code.

A mapping is a TOML file, one of those that come with tap or the user's own. Whatever a backend
calls its routes, functions, tables, fields and event types, and however it wants to be
authorised, stands there; the code knows no route by itself.
"""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tap.errors import InputError
from tap.ledger.faults import Code
from tap.ledger.rows import CameraRow, JudgingRow, Row, SessionRow, StillRow
from tap.toml_lines import key_lines

REFERENCE = "reference"
"""The mapping that is taken where none is named."""

_MAX_FILE = 256 * 1024
_SHIPPED = "mappings"

Operation = Literal[
    "health",
    "start_session",
    "upsert_cameras",
    "append_events",
    "add_stills",
    "still_upload_url",
    "attach_still",
    "complete_session",
    "session",
    "sessions",
    "cameras",
    "events",
    "stills",
    "head",
]
TableName = Literal["sessions", "cameras", "events", "stills"]

ROWS: dict[TableName, type[Row]] = {
    "sessions": SessionRow,
    "cameras": CameraRow,
    "events": JudgingRow,
    "stills": StillRow,
}
_ARGUMENTS: dict[str, frozenset[str]] = {
    "health": frozenset(),
    "start_session": frozenset({"row"}),
    "upsert_cameras": frozenset({"rows", "row"}),
    "append_events": frozenset({"rows", "row"}),
    "add_stills": frozenset({"rows", "row"}),
    "still_upload_url": frozenset({"key"}),
    "attach_still": frozenset({"key", "storage_id", "sha256", "size"}),
    "complete_session": frozenset({"key", "ended_at_ms", "final_state"}),
    "session": frozenset({"external_id"}),
    "sessions": frozenset({"cursor", "limit"}),
    "cameras": frozenset({"session"}),
    "events": frozenset({"session", "after_seq", "limit"}),
    "stills": frozenset({"session", "after_key", "limit"}),
    "head": frozenset({"session"}),
}
WRITES = frozenset(
    {
        "start_session",
        "upsert_cameras",
        "append_events",
        "add_stills",
        "still_upload_url",
        "attach_still",
        "complete_session",
    }
)
_FLAT = "."
"""As the name of `row`: its fields lie in the request itself."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Auth(_Part):
    """The header that lets tap in; `{token}` stands for the secret."""

    header: str = Field(default="Authorization", pattern=r"^[A-Za-z0-9-]{1,64}$")
    value: str = Field(default="Bearer {token}", max_length=200)

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if "{token}" not in self.value:
            raise ValueError("expected {token} in it, where the secret goes")
        return self


class Errors(_Part):
    """Where an error's answer has what (names joined by dots), and what its codes mean."""

    code: str = "code"
    message: str = "message"
    key: str = "key"
    codes: dict[str, Code] = {}
    """The backend's codes that mean one of tap's, where they aren't called the same."""


class Functions(_Part):
    """Where calls of functions go, for transport `functions`."""

    mutation: str = Field(default="", pattern=r"^(/[!-~]*)?$")
    query: str = Field(default="", pattern=r"^(/[!-~]*)?$")


class Call(_Part):
    """How one operation is asked for: a route or a function, its arguments, its answer."""

    path: str | None = Field(default=None, pattern=r"^/[!-~]*$", max_length=500)
    method: Literal["GET", "POST", "PUT", "PATCH"] | None = None
    function: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_./-]+:[A-Za-z0-9_]+$")
    arguments: dict[str, str] = {}
    """The backend's name of each of tap's arguments."""
    constants: dict[str, str | float | bool] = {}
    """Arguments that are always the same."""
    answer: dict[str, str] = {}
    """Where the answer has each of tap's values: names joined by dots."""
    most_rows: int = Field(default=100, ge=1, le=100)
    """How many rows one request may carry."""


class Table(_Part):
    """What a table is called, and its fields where they aren't called as tap's."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")
    fields: dict[str, str] = {}
    omit: tuple[str, ...] = ()
    """Fields that the backend doesn't take. Verify doesn't look at them."""
    constants: dict[str, str | float | bool] = {}
    """Fields that the backend wants and tap doesn't know: always the same."""
    types: dict[str, str] = {}
    """The backend's names of event types, where they aren't tap's (events only)."""


class Mapping(_Part):
    """One backend."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    about: str = ""
    transport: Literal["http", "functions"] = "http"
    requests_per_second: float = Field(default=8.0, gt=0, le=1000)
    auth: Auth = Auth()
    errors: Errors = Errors()
    functions: Functions = Functions()
    judged_row: str = "{session}/claim/{claim}"
    """The key of another writer's row about a message (role `witness`): `{session}` and `{claim}`
    stand for the ids, `{raw.NAME}` for a field of the message as received."""
    operations: dict[Operation, Call]
    tables: dict[TableName, Table]

    def call(self, operation: Operation) -> Call | None:
        """How an operation is asked for; None where the backend doesn't have it."""
        return self.operations.get(operation)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for table in ROWS:
            if table not in self.tables:
                raise ValueError(f"tables.{table} is missing; name the table that holds them")
        if "append_events" not in self.operations:
            raise ValueError("operations.append_events is missing; a ledger needs at least that")
        for name, call in self.operations.items():
            _check_call(name, call, self.transport)
        if self.transport == "functions" and not (self.functions.mutation and self.functions.query):
            raise ValueError("functions.mutation and functions.query are needed; add [functions]")
        for place, known in self.tables.items():
            _check_table(place, known)
        return self


def _check_call(name: str, call: Call, transport: str) -> None:
    by_route = transport == "http" or name == "health"
    if by_route and call.path is None:
        raise ValueError(f"operations.{name} has no path, which this transport needs; add it")
    if not by_route and call.function is None:
        raise ValueError(f"operations.{name} has no function, which this transport needs; add it")
    allowed = _ARGUMENTS[name]
    for argument in call.arguments:
        if argument not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise ValueError(
                f"operations.{name} has an argument {argument!r} that tap doesn't know; "
                f"it gives {known}"
            )
    if {"row", "rows"} & allowed and len({"row", "rows"} & set(call.arguments)) != 1:
        raise ValueError(f"operations.{name} needs one argument, row or rows; name it")


def _check_table(name: TableName, table: Table) -> None:
    fields = {f.alias or n: f.is_required() for n, f in ROWS[name].model_fields.items()}
    for field in (*table.fields, *table.omit):
        if field not in fields:
            raise ValueError(
                f"tables.{name} speaks of a field {field!r}, but rows have {', '.join(fields)}"
            )
    for field in table.omit:
        if fields[field]:
            raise ValueError(f"tables.{name} omits {field!r}, which every row needs; map it")
    names = [table.fields.get(field, field) for field in fields if field not in table.omit]
    for taken in (*names, *table.constants):
        if names.count(taken) + (taken in table.constants) > 1:
            raise ValueError(f"tables.{name} gives the name {taken!r} to two fields; change one")


# ------------------------------------------------------------------ files


def shipped_mappings() -> list[str]:
    """The names of the mappings that come with tap."""
    folder = resources.files("tap.ledger.convex") / _SHIPPED
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def load_mapping(name_or_path: str | Path = REFERENCE) -> Mapping:
    """A mapping by its name, or from a `.toml` file. Raises `InputError` that names the line."""
    name = str(name_or_path)
    if name in shipped_mappings():
        entry = resources.files("tap.ledger.convex") / _SHIPPED / f"{name}.toml"
        return _parse(entry.read_bytes(), f"mapping {name}")
    if not name.endswith(".toml"):
        raise InputError(
            f'mapping "{name}": expected one of {", ".join(shipped_mappings())}, or the path of a '
            ".toml file; correct the name"
        )
    try:
        with Path(name_or_path).open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise InputError(
            f"mapping {name}: expected a file that can be read, got "
            f'"{error.strerror or error}"; check the path'
        ) from error
    return _parse(data, f"mapping {name}")


def _parse(data: bytes, what: str) -> Mapping:
    if len(data) > _MAX_FILE:
        raise InputError(f"{what}: expected at most {_MAX_FILE} bytes, got more; is it a mapping?")
    try:
        text = data.decode("utf-8")
        content = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{what}: expected TOML, got: {error}; correct the file") from error
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        raise InputError(_sentence(what, text, error)) from error


def _sentence(what: str, text: str, invalid: ValidationError) -> str:
    first = invalid.errors(include_url=False)[0]
    message = str(first.get("ctx", {}).get("error", first["msg"]))
    where: tuple[str | int, ...] = tuple(p for p in first["loc"] if p != "[key]")
    if not where:  # the whole's own checks say the place in their first word
        place = message.split(maxsplit=1)[0].split(".")
        where = tuple(place) if place[0] in Mapping.model_fields else ()
    lines = key_lines(text)
    found = (lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in lines)
    line = next(found, 1)
    said = message if not first["loc"] else f"{'.'.join(str(p) for p in where)}: {_got(first)}"
    return f"{what}, line {line}: {said}; correct the file"


def _got(first: Any) -> str:
    if first["type"] == "missing":
        return "expected this key, got nothing"
    if first["type"] == "extra_forbidden":
        return "expected no such key"
    message = str(first.get("ctx", {}).get("error", first["msg"]))
    return f"{message[:1].lower()}{message[1:]}, got {str(first['input'])[:80]!r}"


# ------------------------------------------------------------------ rows, out and in


def outward(table: Table, document: dict[str, Any]) -> dict[str, Any]:
    """A row as the backend has it."""
    omitted = set(table.omit)
    row = {
        table.fields.get(name, name): value
        for name, value in document.items()
        if name not in omitted
    }
    if "type" in document and table.types:
        place = table.fields.get("type", "type")
        row[place] = table.types.get(document["type"], document["type"])
    return row | table.constants


def inward(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """The backend's row as tap has it. What tap doesn't know stays as it is."""
    back = {theirs: ours for ours, theirs in table.fields.items()}
    document = {
        back.get(name, name): value for name, value in row.items() if name not in table.constants
    }
    if "type" in document and table.types:
        kinds = {theirs: ours for ours, theirs in table.types.items()}
        document["type"] = kinds.get(document["type"], document["type"])
    return document


def arguments(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    """A request as the backend has it; what it has no name for, and what is None, is left out."""
    request: dict[str, Any] = dict(call.constants)
    for name, value in given.items():
        theirs = call.arguments.get(name)
        if theirs is None or value is None:
            continue
        if name == "row" and theirs == _FLAT:
            request |= value
        else:
            request[theirs] = value
    return request


def picked(answer: Any, path: str) -> Any:
    """What lies at `path` (names joined by dots) in an answer; None where nothing does."""
    for name in path.split("."):
        if not isinstance(answer, dict):
            return None
        answer = answer.get(name)
    return answer
