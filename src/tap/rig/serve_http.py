"""The addresses of a served shoot: MJPEG streams, snapshots, the director's wire, the status."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tap.errors import FeedError
from tap.rig.serve_director import DirectorWire
from tap.rig.serve_feed import Outlet, Part
from tap.rig.serve_webrtc import BusyError, Desk

BOUNDARY = "tap-rig"
QUIET_S = 15.0
_MAX_OFFER = 128 * 1024
_NO_STORE = {"Cache-Control": "no-store", "Connection": "close"}


Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Token:
    """The secret that every address asks for, as a query parameter or a header."""

    value: str
    where: Literal["query", "header"] = "query"
    name: str = "token"

    def fits(self, connection: HTTPConnection) -> bool:
        """Whether the caller brought the secret; a header may say `Bearer` before it."""
        held: Mapping[str, str] = (
            connection.query_params if self.where == "query" else connection.headers
        )
        given = held.get(self.name, "").removeprefix("Bearer ")
        return secrets.compare_digest(given.encode(), self.value.encode())


def build_app(
    outlets: Mapping[str, Outlet],
    wire: DirectorWire,
    desk: Desk,
    *,
    status: Callable[[], dict[str, Any]],
    on_loop: Callable[[asyncio.AbstractEventLoop], None],
    token: Token | None = None,
) -> Starlette:
    """The application; `on_loop` is called once, on the loop that everything runs on."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        on_loop(asyncio.get_running_loop())
        yield
        await desk.end()

    def guarded(answer: Answer) -> Answer:
        async def check(request: Request) -> Response:
            if token is not None and not token.fits(request):
                return PlainTextResponse("the token is missing or wrong", 401)
            return await answer(request)

        return check

    async def stream(request: Request) -> Response:
        outlet = outlets.get(request.path_params["feed"])
        refusal = _refusal(outlet)
        if outlet is None or refusal is not None:
            return refusal or PlainTextResponse("", 404)
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return StreamingResponse(_multipart(outlet), media_type=kind, headers=_NO_STORE)

    async def snapshot(request: Request) -> Response:
        outlet = outlets.get(request.path_params["feed"])
        refusal = _refusal(outlet)
        if outlet is None or refusal is not None:
            return refusal or PlainTextResponse("", 404)
        if outlet.last is None:
            return PlainTextResponse("no picture yet", 503)
        return Response(outlet.last.jpeg, media_type="image/jpeg", headers=_NO_STORE)

    async def events(_: Request) -> Response:
        return StreamingResponse(_sse(wire), media_type="text/event-stream", headers=_NO_STORE)

    async def tell_status(_: Request) -> Response:
        return JSONResponse(status())

    async def director(socket: WebSocket) -> None:
        if token is not None and not token.fits(socket):
            await socket.close(1008)
            return
        await socket.accept()
        await _speak(socket, wire)

    return Starlette(
        routes=[
            Route("/status", guarded(tell_status)),
            Route("/events", guarded(events)),
            Route("/{feed}/stream", guarded(stream)),
            Route("/{feed}/snapshot", guarded(snapshot)),
            *_webrtc_routes(outlets, desk, guarded, token),
            WebSocketRoute("/director", director),
        ],
        lifespan=lifespan,
    )


def _webrtc_routes(
    outlets: Mapping[str, Outlet],
    desk: Desk,
    guarded: Callable[[Answer], Answer],
    token: Token | None,
) -> list[BaseRoute]:
    """Three ways to the same pictures: WHEP, a JSON offer, messages on a WebSocket."""

    async def whep(request: Request) -> Response:
        feed = request.path_params["feed"]
        refusal = _refusal(outlets.get(feed))
        if refusal is not None:
            return refusal
        try:
            name, answer = await desk.answer(feed, (await _body(request)).decode())
        except (FeedError, UnicodeDecodeError) as error:
            return _unanswered(error)
        headers = {"Location": f"/{feed}/whep/{name}", **_NO_STORE}
        return Response(answer, 201, headers, "application/sdp")

    async def leave(request: Request) -> Response:
        found = desk.close(request.path_params["name"])
        return PlainTextResponse("", 200 if found else 404)

    async def offer(request: Request) -> Response:
        feed = request.path_params["feed"]
        refusal = _refusal(outlets.get(feed))
        if refusal is not None:
            return refusal
        try:
            asked = json.loads(await _body(request))
            _, answer = await desk.answer(feed, str(asked["sdp"]))
        except (FeedError, ValueError, TypeError, KeyError) as error:
            return _unanswered(error)
        return JSONResponse({"type": "answer", "sdp": answer}, headers=_NO_STORE)

    async def signal(socket: WebSocket) -> None:
        feed = socket.path_params["feed"]
        if feed not in outlets or (token is not None and not token.fits(socket)):
            await socket.close(1008)
            return
        await socket.accept()
        name = ""
        try:
            while True:
                asked = json.loads(await socket.receive_text())
                if asked.get("type") == "offer":
                    name, answer = await desk.answer(feed, str(asked["sdp"]))
                    await socket.send_json({"type": "answer", "sdp": answer})
        except WebSocketDisconnect:
            desk.close(name)
        except (FeedError, ValueError, TypeError, KeyError, AttributeError):
            await socket.close(1003)

    return [
        Route("/{feed}/whep", guarded(whep), methods=["POST"]),
        Route("/{feed}/whep/{name}", guarded(leave), methods=["DELETE"]),
        Route("/{feed}/offer", guarded(offer), methods=["POST"]),
        WebSocketRoute("/{feed}/signal", signal),
    ]


async def _body(request: Request) -> bytes:
    held = b""
    async for chunk in request.stream():
        held += chunk
        if len(held) > _MAX_OFFER:
            raise FeedError(f"expected an offer of at most {_MAX_OFFER} bytes, got more")
    return held


def _unanswered(error: Exception) -> Response:
    return PlainTextResponse(str(error), 503 if isinstance(error, BusyError) else 400)


def _refusal(outlet: Outlet | None) -> Response | None:
    if outlet is None:
        return PlainTextResponse("no such feed", 404)
    if outlet.state == "killed":
        return PlainTextResponse("the feed is down", 503)
    if outlet.state == "ended":
        return PlainTextResponse("the shoot is over", 410)
    return None


async def _multipart(outlet: Outlet) -> AsyncIterator[bytes]:
    async for part in outlet.watch():
        yield _framed(part)
    yield f"--{BOUNDARY}--\r\n".encode()


def _framed(part: Part) -> bytes:
    head = (
        f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(part.jpeg)}\r\n"
        f"X-Timestamp: {part.due_ms / 1000:.6f}\r\n\r\n"
    )
    return head.encode() + part.jpeg + b"\r\n"


async def _sse(wire: DirectorWire) -> AsyncIterator[str]:
    yield ": the director's messages\n\n"
    async for text in wire.listen(QUIET_S):
        # Whoever listens must be able to tell a quiet director from a dead one.
        yield (
            ": still here\n\n"
            if text is None
            else "".join(f"data: {line}\n" for line in text.splitlines()) + "\n"
        )


async def _speak(socket: WebSocket, wire: DirectorWire) -> None:
    """Messages out until the wire or the caller ends; what the caller says is not heeded."""

    async def out() -> None:
        async for text in wire.listen():
            if text is not None:
                await socket.send_text(text)
        await socket.close()

    async def heed_goodbye() -> None:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    tasks = [asyncio.create_task(out()), asyncio.create_task(heed_goodbye())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(
                result, WebSocketDisconnect | RuntimeError | OSError
            ):
                raise result
