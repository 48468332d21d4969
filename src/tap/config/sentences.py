"""One plain sentence for each thing that is wrong with a configuration."""

import difflib
import json
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tap.config.model import Config
from tap.toml_lines import Path as KeyPath


@dataclass(frozen=True)
class Problems:
    """Where the keys of one file stand, and which variables were put above it."""

    file: str
    lines: dict[KeyPath, int]
    environment: dict[str, str]

    def sentences(self, invalid: ValidationError) -> list[str]:
        """A sentence each, in the order of the file, then those of the environment."""
        errors = invalid.errors(include_url=False)
        found: list[tuple[int, str]] = []
        for error in errors:
            # A list is also reported as too short when its elements are what is wrong.
            inner = len(error["loc"]) + 1
            if error["type"] == "too_short" and any(
                len(other["loc"]) >= inner and other["loc"][: inner - 1] == error["loc"]
                for other in errors
            ):
                continue
            loc = (*error["loc"], *error.get("ctx", {}).get("at", ()))
            line, where = self._where(loc)
            found.append((line, f"{where}: {_what(loc, error)}"))
        return list(dict.fromkeys(text for _, text in sorted(found, key=lambda item: item[0])))

    def _where(self, loc: KeyPath) -> tuple[int, str]:
        variable = self._variable(loc)
        if variable:
            return sys.maxsize, f"environment variable {variable}"
        line = next(
            (self.lines[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in self.lines), 1
        )
        return line, f"{self.file}, line {line}"

    def _variable(self, loc: KeyPath) -> str | None:
        """The variable that gave this value, if one did."""
        for depth in range(len(loc), 0, -1):
            name = "TAP_" + "__".join(str(part) for part in loc[:depth]).upper()
            if name in self.environment:
                return name
        return None


def _what(loc: KeyPath, error: ErrorDetails) -> str:
    key = loc[-1] if loc else ""
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown(loc)
    if kind == "value_error":
        return str(error.get("ctx", {}).get("error", error["msg"]))
    field = _field(loc)
    expected = field.description if field and field.description else "another value"
    example = f"{key} = {_example(field)}" if field and field.examples else None
    if kind == "missing":
        hint = f", for example {example}" if example else ""
        return f'key "{key}" is missing in {_table(loc[:-1])}: expected {expected}; add it{hint}'
    if kind == "taken_id":
        expected = 'an id that no other camera has and that isn\'t "program"'
    got = _shown(error.get("ctx", {}).get("got", error["input"]))
    hint = f"write for example {example}" if example else "correct it"
    name = f'element {key + 1} of "{loc[-2]}"' if isinstance(key, int) else f'key "{key}"'
    return f"{name} in {_table(loc[:-1])}: expected {expected}, got {got}; {hint}"


def _unknown(loc: KeyPath) -> str:
    model = _model(loc[:-1])
    known = list(model.model_fields) if model else []
    near = difflib.get_close_matches(str(loc[-1]), known, n=1)
    advice = f'did you mean "{near[0]}"?' if near else "remove it"
    return (
        f'unknown key "{loc[-1]}" in {_table(loc[:-1])}: expected one of {", ".join(known)}; '
        f"{advice}"
    )


def _table(loc: KeyPath) -> str:
    """How people call the table at `loc`."""
    if not loc:
        return "the file"
    if isinstance(loc[-1], int):
        return f"[[{'.'.join(str(part) for part in loc[:-1])}]] number {loc[-1] + 1}"
    return f"[{'.'.join(str(part) for part in loc)}]"


def _shown(value: Any) -> str:
    if isinstance(value, Path):
        value = str(value)
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _example(field: FieldInfo) -> str:
    example = (field.examples or [""])[0]
    plain = isinstance(example, str) and not example.startswith(("{", "["))
    return json.dumps(example, ensure_ascii=False) if plain else str(example)


def _field(loc: KeyPath) -> FieldInfo | None:
    names = [part for part in loc if isinstance(part, str)]
    model = _model(loc[:-1]) if loc and isinstance(loc[-1], str) else None
    return model.model_fields.get(names[-1]) if model and names else None


def _model(loc: KeyPath) -> type[BaseModel] | None:
    """The model of the table at `loc`."""
    model: type[BaseModel] | None = Config
    for part in loc:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part) if model else None
        model = _model_in(field.annotation) if field else None
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType, tuple, list):
        return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)
    return None
