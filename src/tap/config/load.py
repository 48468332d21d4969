"""Reads `shoot.toml`, puts the environment above it, and says in sentences what is wrong."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from tap.config.model import Config
from tap.config.sentences import Problems
from tap.errors import InputError
from tap.toml_lines import key_lines

MAX_BYTES = 1_000_000
_PATHS = {"file", "path", "dir", "home", "key"}
_NAMES_OR_PATHS = {"profile", "events_profile", "mapping"}


def load_config(path: Path) -> Config:
    """The configuration in `path`, with environment variables above it.

    Raises `InputError` with one sentence for each problem, naming file and line.
    """
    text = _read(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(_syntax(path, text, str(error))) from error
    problems = Problems(path.name, key_lines(text), _environment())
    _refuse_unknown_variables(problems)
    try:
        return Config(**_anchored(data, path.parent))
    except ValidationError as error:
        raise InputError("\n".join(problems.sentences(error))) from error
    except SettingsError as error:
        raise InputError(
            f"an environment variable of tap's can't be read ({error}): expected plain text for "
            "one key, such as TAP_SESSION__TITLE, or JSON for a whole section; correct or unset it"
        ) from error


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise InputError(
                f"{path}: expected a configuration of at most {MAX_BYTES} bytes, got more; "
                "give the path of a shoot.toml"
            )
        return raw.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: expected a configuration file, found none; write one with "
            f"`tap init {path}`, or name another with --config"
        ) from error
    except OSError as error:
        raise InputError(
            f"{path}: expected a readable configuration file, got "
            f'"{error.strerror or error}"; check the path and its permissions'
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected UTF-8 text, got byte 0x{error.object[error.start]:02x} at offset "
            f"{error.start}; save the file as UTF-8"
        ) from error


def _syntax(path: Path, text: str, message: str) -> str:
    found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    what = message[: found.start()] if found else message
    line = found[1] if found and found[1] else len(text.splitlines())
    return f"{path.name}, line {line}: expected TOML, got a fault ({what}); correct that line"


def _anchored(value: Any, folder: Path) -> Any:
    """The same data, with relative paths taken from the file's folder."""
    if isinstance(value, list):
        return [_anchored(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: str(folder / Path(item).expanduser())
        if isinstance(item, str) and item and _is_path(key, item)
        else _anchored(item, folder)
        for key, item in value.items()
    }


def _is_path(key: str, value: str) -> bool:
    return key in _PATHS or (key in _NAMES_OR_PATHS and value.endswith(".toml"))


def _environment() -> dict[str, str]:
    """tap's own variables by upper-case name."""
    return {
        name.upper(): value for name, value in os.environ.items() if name.upper().startswith("TAP_")
    }


def _refuse_unknown_variables(problems: Problems) -> None:
    """A misspelt section in a variable's name would otherwise be ignored in silence."""
    for name in problems.environment:
        section, nested, _ = name.removeprefix("TAP_").partition("__")
        if nested and section.lower() not in Config.model_fields:
            raise InputError(
                f"environment variable {name}: expected TAP_SECTION__KEY with a section of "
                f"{', '.join(Config.model_fields)}, got section {section.lower()!r}; "
                "correct or unset it"
            )
