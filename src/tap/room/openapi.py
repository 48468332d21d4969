"""The room's OpenAPI document, made of the very models that are answered."""

from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from tap.room.shapes import (
    AngleChanges,
    Cameras,
    Health,
    Refusal,
    Shape,
    StatusShape,
    Verdicts,
)

LIMIT, MOST_LIMIT = 100, 500
MOST_NUMBER = 2**53 - 1
LONGEST_ID = 100
PICTURE_NAME = r"[A-Za-z0-9._-]{1,64}-[0-9]{1,15}\.jpg"

_EVENTS = (
    "Server-Sent Events. `reset` holds the whole latest state and comes first, and again after a "
    "hole too large to be made good; `program`, `claim`, `angle-change` and `verdict` are numbered "
    "and none is left out; `status` is the latest, several a second, without a number; `over` ends "
    "the stream. A reader that comes back with Last-Event-ID goes on where it was."
)

Json = dict[str, Any]

_EVENT: Json = {
    "type": "object",
    "description": "One event; its data is JSON",
    "required": ["event", "data"],
    "properties": {
        "event": {
            "enum": ["reset", "status", "program", "claim", "angle-change", "verdict", "over"]
        },
        "id": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": "integer"},
    },
}


def document(*, asks_token: bool) -> Json:
    """The whole document; with `asks_token`, every address wants the token."""
    models: list[type[Shape]] = [StatusShape, Cameras, AngleChanges, Verdicts, Health, Refusal]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    content: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "tap's control room",
            "version": version("tap-witness"),
            "description": "What an independent witness sees of a live shoot. Read-only.",
        },
        "servers": [{"url": "/"}],
        "paths": _paths(),
        "components": {"schemas": schemas["$defs"]},
    }
    if asks_token:
        content["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        content["security"] = [{"token": []}]
    for path in content["paths"].values():
        _refusals(path["get"], asks_token=asks_token)
    return content


def _paths() -> Json:
    return {
        "/status": _get("The session at this moment", {200: _of(StatusShape), 503: _of(Refusal)}),
        "/cameras": _get("Every feed", {200: _of(Cameras), 503: _of(Refusal)}),
        "/angle-changes": _get(
            "All that was seen: cuts, soft changes; freezes, holds, feeds lost and back",
            {200: _of(AngleChanges), 400: _of(Refusal)},
            _paging(),
        ),
        "/verdicts": _get("Findings", {200: _of(Verdicts), 400: _of(Refusal)}, _paging()),
        "/events": _get(
            _EVENTS,
            {
                200: {"text/event-stream": {"schema": _EVENT}},
                400: _of(Refusal),
                503: _of(Refusal),
            },
            [
                {
                    "name": "Last-Event-ID",
                    "in": "header",
                    "schema": {"type": "string", "maxLength": LONGEST_ID},
                    "description": "The id of the last event that was read",
                }
            ],
        ),
        "/thumbnails": _get(
            "A stream of small pictures of every feed, at most 5 a second each, as "
            "multipart/mixed; X-Feed and X-At-Ms say whose and of when each is",
            {200: _binary("multipart/mixed"), 503: _of(Refusal)},
        ),
        "/thumbnails/{feed}": _get(
            "The latest small picture of a feed; `.jpg` may follow its id",
            {200: _binary("image/jpeg"), 404: _of(Refusal)},
            [_in_path("feed", r"^[A-Za-z0-9._-]{1,64}$")],
        ),
        "/evidence/{name}": _get(
            "A picture that was kept for a verdict",
            {200: _binary("image/jpeg"), 404: _of(Refusal)},
            [_in_path("name", f"^{PICTURE_NAME}$")],
        ),
        "/healthz": _get(
            "Whether every source is seen and the books are kept",
            {200: _of(Health), 503: _of(Health)},
        ),
        "/metrics": _get("The same for Prometheus", {200: _text("text/plain")}),
        "/openapi.json": _get(
            "This document", {200: {"application/json": {"schema": {"type": "object"}}}}
        ),
    }


def _get(summary: str, answers: dict[int, Json], parameters: list[Json] | None = None) -> Json:
    operation: Json = {
        "summary": summary,
        "responses": {
            str(status): {"description": _WORDS[status], "content": content}
            for status, content in answers.items()
        },
    }
    if parameters:
        operation["parameters"] = parameters
    return {"get": operation}


_WORDS = {
    200: "As asked",
    400: "A parameter is not what it should be",
    401: "The token is missing or wrong",
    403: "Another web site, or another name than this machine's",
    404: "There is none of this name",
    503: "Not now: not begun, not well, or no place left",
}


def _refusals(operation: Json, *, asks_token: bool) -> None:
    for status in (401, 403) if asks_token else (403,):
        operation["responses"][str(status)] = {
            "description": _WORDS[status],
            "content": _of(Refusal),
        }


def _of(model: type[Shape]) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


def _text(kind: str) -> Json:
    return {kind: {"schema": {"type": "string"}}}


def _binary(kind: str) -> Json:
    return {kind: {"schema": {"type": "string", "contentMediaType": kind}}}


def _in_path(name: str, pattern: str) -> Json:
    schema = {"type": "string", "pattern": pattern, "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _paging() -> list[Json]:
    return [
        {
            "name": "after",
            "in": "query",
            "schema": {"type": "integer", "minimum": 0, "maximum": MOST_NUMBER},
            "description": "Only what has a higher seq; without it, the newest",
        },
        {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": LIMIT},
            "description": "At most so many items",
        },
    ]
