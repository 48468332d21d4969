"""The room's addresses. Everything is read-only: GET and HEAD, nothing else."""

import asyncio
import logging
import mimetypes
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tap.feeds.jpeg import MAX_BYTES as MAX_PICTURE_BYTES
from tap.room.address import Address
from tap.room.board import Board
from tap.room.guard import Guard
from tap.room.health import health
from tap.room.metrics import MEDIA_TYPE as METRICS_TYPE
from tap.room.metrics import Metrics
from tap.room.openapi import LIMIT, LONGEST_ID, MOST_LIMIT, MOST_NUMBER, PICTURE_NAME, document
from tap.room.shapes import AngleChanges, Cameras, Shape, Verdicts
from tap.room.streams import PictureStream, Places, event_stream
from tap.room.thumbnails import Thumbnails

WRITTEN_WITHIN_S = 2.0
"""The picture of a verdict is written within moments after the verdict is told."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the addresses answer from."""

    board: Board
    thumbnails: Thumbnails
    places: Places
    evidence: Path
    """The folder of the pictures of verdicts."""
    now_ms: Callable[[], float]


Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def build_app(
    desk: Desk, *, address: Address, token: str | None, lifespan: Lifespan | None = None
) -> Starlette:
    """The application."""
    answers = _Answers(desk, document(asks_token=token is not None))
    return Starlette(
        routes=[
            Route("/", _page_file("index.html")),
            *(Route(f"/page/{name}", _page_file(name)) for name in sorted(page_files())),
            Route("/status", answers.status),
            Route("/cameras", answers.cameras),
            Route("/angle-changes", answers.angle_changes),
            Route("/verdicts", answers.verdicts),
            Route("/events", answers.events),
            Route("/thumbnails", answers.thumbnails),
            Route("/thumbnails/{feed}", answers.thumbnail),
            Route("/evidence/{name}", answers.evidence),
            Route("/healthz", answers.healthz),
            Route("/metrics", answers.metrics),
            Route("/openapi.json", answers.openapi),
        ],
        middleware=[Middleware(Guard, address=address, token=token)],
        exception_handlers={HTTPException: _refused, Exception: _failed},
        lifespan=lifespan,
    )


class _Answers:
    """One method an address; all on the room's loop."""

    def __init__(self, desk: Desk, openapi: dict[str, Any]) -> None:
        self._desk = desk
        self._openapi = openapi
        self._metrics = Metrics(desk.board, desk.places, desk.thumbnails)

    async def status(self, _: Request) -> Response:
        shape = self._desk.board.status_shape()
        return _json(shape) if shape is not None else _not_yet()

    async def cameras(self, _: Request) -> Response:
        if self._desk.board.status is None:
            return _not_yet()
        return _json(Cameras(items=self._desk.board.cameras()))

    async def angle_changes(self, request: Request) -> Response:
        part = self._desk.board.changes.page(*_page(request))
        return _json(AngleChanges(items=part.items, next=part.next, oldest=part.oldest))

    async def verdicts(self, request: Request) -> Response:
        part = self._desk.board.verdicts.page(*_page(request))
        return _json(Verdicts(items=part.items, next=part.next, oldest=part.oldest))

    async def events(self, request: Request) -> Response:
        if self._desk.places.full:
            return _no_place()
        last_id = request.headers.get("last-event-id")
        if last_id is not None and len(last_id) > LONGEST_ID:
            raise HTTPException(
                400, f"Last-Event-ID: expected at most {LONGEST_ID} characters, got {len(last_id)}"
            )
        return self._desk.places.seated(event_stream(self._desk.board, last_id))

    async def thumbnails(self, _: Request) -> Response:
        if self._desk.places.full:
            return _no_place()
        return self._desk.places.seated(PictureStream(self._desk.thumbnails))

    async def thumbnail(self, request: Request) -> Response:
        feed = request.path_params["feed"].removesuffix(".jpg")
        found = await self._desk.thumbnails.latest(feed)
        if found is None:
            raise HTTPException(404, "expected a feed that has shown a picture, got another name")
        headers = {"X-At-Ms": f"{found.at_ms:.0f}"}
        return Response(found.jpeg, media_type="image/jpeg", headers=headers)

    async def evidence(self, request: Request) -> Response:
        name: str = request.path_params["name"]
        if not re.fullmatch(PICTURE_NAME, name):
            raise HTTPException(
                404, "expected the name of a picture, such as cam-a-1789000000123.jpg"
            )
        content = await asyncio.to_thread(_read, self._desk.evidence / name)
        waited = 0.0
        while content is None and waited < WRITTEN_WITHIN_S and self._desk.board.shows(name):
            await asyncio.sleep(0.05)
            waited += 0.05
            content = await asyncio.to_thread(_read, self._desk.evidence / name)
        if content is None:
            raise HTTPException(404, "expected a picture that was kept, found none of this name")
        kept = {"Cache-Control": "private, max-age=3600"}
        return Response(content, media_type="image/jpeg", headers=kept)

    async def healthz(self, _: Request) -> Response:
        board = self._desk.board
        found = health(board.status, board.status_ms, self._desk.now_ms())
        return JSONResponse(found.content(), 200 if found.ok else 503)

    async def metrics(self, _: Request) -> Response:
        text = self._metrics.text(self._desk.now_ms())
        return Response(text, headers={"Content-Type": METRICS_TYPE})

    async def openapi(self, _: Request) -> Response:
        return JSONResponse(self._openapi)


# ---------------------------------------------------------------- what is asked for


def _page(request: Request) -> tuple[int | None, int]:
    """`after` and `limit` of a list. Raises `HTTPException`."""
    after = _number(request, "after", 0, MOST_NUMBER)
    limit = _number(request, "limit", 1, MOST_LIMIT)
    return after, LIMIT if limit is None else limit


def _number(request: Request, name: str, least: int, most: int) -> int | None:
    given = request.query_params.getlist(name)
    if not given:
        return None
    text = given[0]
    fits = len(given) == 1 and re.fullmatch(r"[0-9]{1,16}", text) is not None
    if not fits or not least <= int(text) <= most:
        raise HTTPException(
            400, f"{name}: expected one whole number from {least} to {most}, got {text[:40]!r}"
        )
    return int(text)


# ---------------------------------------------------------------- how it is answered


def _json(shape: Shape) -> Response:
    return JSONResponse(shape.content())


def _refusal(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": text}, status, headers=headers)


def _not_yet() -> Response:
    return _refusal(
        503,
        "expected a session that is being looked at, got one that only begins; ask again",
        {"Retry-After": "1"},
    )


def _no_place() -> Response:
    return _refusal(
        503,
        "expected room for one more reader, got as many as tap serves; close a page",
        {"Retry-After": "10"},
    )


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):  # Starlette asks for the wider type
        raise error
    text = error.detail
    if error.status_code == 404 and text == "Not Found":
        text = "expected an address of this page, got another; /openapi.json lists them"
    elif error.status_code == 405:
        text = "expected GET, got another method; tap only ever tells"
    headers = dict(error.headers) if error.headers else None
    return _refusal(error.status_code, text, headers)


async def _failed(_: Request, error: Exception) -> Response:
    _log.error("the page failed", exc_info=error)
    return _refusal(500, f"tap's page failed ({type(error).__name__}); the witness goes on")


def _read(file: Path) -> bytes | None:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_PICTURE_BYTES + 1)
    except OSError:
        return None
    return content if len(content) <= MAX_PICTURE_BYTES else None


# ---------------------------------------------------------------- the page itself


@cache
def page_files() -> dict[str, bytes]:
    """The page's own files, by name."""
    folder = files("tap.room") / "page"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def _page_file(name: str) -> Callable[[Request], Any]:
    content = page_files()[name]
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if name.endswith(".js"):
        kind = "text/javascript"

    async def answer(_: Request) -> Response:
        return Response(content, media_type=kind)

    return answer
