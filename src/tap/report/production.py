"""The session report for the production file: what was written where, and what it remembers.

The model is `tap-session-report/1`; `to_markdown` is the same for people.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from pydantic import Field

from tap.report import wording
from tap.vocabulary import Word

LONGEST_WALK = 400
"""Steps of the walk; a longer session is told by its first and last ones."""


class Endpoint(Word):
    """How one operation was asked for: a route or a function, where and why."""

    operation: str
    address: str
    purpose: str


class Example(Word):
    """One row of each type, as it stands in the ledger."""

    type: str
    id: str
    payload: dict[str, Any]


class Step(Word):
    """One thing that happened, in order."""

    at_ms: float
    seq: int | None = None
    key: str
    what: str
    text: str


class Run(Word):
    """One time that tap joined the session."""

    id: str
    at_ms: float | None = None


class SessionReport(Word):
    """All that the production file needs to know of one session in the ledger."""

    format: str = "tap-session-report/1"
    session_id: str
    title: str | None = None
    kind: str
    status: str
    started_at_ms: float
    ended_at_ms: float | None = None
    ledger: str
    transport: str
    mapping: str | None = None
    role: str
    endpoints: tuple[Endpoint, ...] = ()
    runs: tuple[Run, ...] = ()
    event_ids: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    remembers: tuple[str, ...] = ()
    walk: tuple[Step, ...] = ()
    unlisted_steps: int = 0
    metrics: Mapping[str, float | int | str] = Field(default_factory=dict[str, float | int | str])
    commands: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The text of the report for programs, newline at the end."""
        document = self.model_dump(mode="json", by_alias=True)
        return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """The report for people."""
        return _template().render(report=self, w=wording, show=_show, cell=_cell)


def _show(payload: Mapping[str, Any]) -> str:
    """A payload as indented JSON that can't end the block of code it stands in."""
    return json.dumps(payload, ensure_ascii=True, indent=2).replace("`", "\\u0060")


def _cell(text: object) -> str:
    """Text from outside in a line or a cell of Markdown: nothing in it is markup."""
    clean = wording.clip(str(text))
    for mark in "\\`*_[]<>|#":
        clean = clean.replace(mark, f"\\{mark}")
    return clean


def _source(name: str) -> str:
    return files("tap.report").joinpath("templates", name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _template() -> Template:
    # Markdown knows other marks than HTML: every text from outside goes through `cell`.
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("session.md.j2")
