"""How two sides of a WebRTC connection exchange their descriptions: WHEP, a plain HTTP route, or
messages on a WebSocket. What a message is called stands in `Signalling`: data, not code."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urljoin, urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from tap.errors import FeedError
from tap.feeds.access import Access, check_http_url
from tap.feeds.connection import RefusedError, check_status, in_plain_words
from tap.feeds.webrtc_peer import MAX_SDP, Peer

_log = logging.getLogger(__name__)

MAX_ANSWER = 2 * MAX_SDP
MAX_MESSAGES = 200
"""Messages of a WebSocket that are looked at before the other side's description must be there."""
GOODBYE_S = 2.0
_FEED = "{feed}"


@dataclass(frozen=True, slots=True)
class Signalling:
    """How the far side wants to be spoken to.

    `whep`: POST of `application/sdp`, DELETE of what `Location` names. `http`: POST of a JSON
    object with `type` and `sdp`. `websocket`: JSON messages, `hello` first. `type`, `sdp`,
    `candidate_sdp` and `candidate_mid` are paths in a message, keys joined by dots; `offer`,
    `answer` and `candidate` are what stands at `type`. `extra` goes along with every message.
    `{feed}` in a value stands for the feed's id.
    """

    kind: Literal["whep", "http", "websocket"] = "whep"
    offers: Literal["tap", "server"] = "tap"
    """Who describes itself first; only on a WebSocket can that be the server."""
    type: str = "type"
    sdp: str = "sdp"
    offer: str = "offer"
    answer: str = "answer"
    candidate: str = "candidate"
    candidate_sdp: str = "candidate"
    candidate_mid: str = "sdpMid"
    hello: Mapping[str, Any] = field(default_factory=dict[str, Any])
    bye: Mapping[str, Any] = field(default_factory=dict[str, Any])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Session(Protocol):
    """One exchange of descriptions, and what must be said at its end."""

    async def open(self, peer: Peer) -> None:
        """Exchange descriptions. Raises `FeedError`, `RefusedError` where a person is needed."""
        ...

    async def close(self) -> None:
        """Say goodbye, within a bounded time; never raises."""
        ...


def new_session(
    feed: str, url: str, access: Access, words: Signalling, renegotiate: Callable[[], None]
) -> Session:
    """The session that `words` ask for; `renegotiate` is called when the far side begins anew."""
    if words.kind == "websocket":
        return SocketSession(feed, url, access, words, renegotiate)
    return HttpSession(feed, url, access, words)


# ---------------------------------------------------------------- messages


def message(words: Signalling, feed: str, kind: str, sdp: str) -> dict[str, Any]:
    """A description as a message."""
    out: dict[str, Any] = filled(words.extra, feed)
    _put(out, words.type, kind)
    _put(out, words.sdp, sdp)
    return out


def filled(value: Mapping[str, Any], feed: str) -> dict[str, Any]:
    """A copy with the feed's id in the place of `{feed}`."""
    return {key: _fill(item, feed) for key, item in value.items()}


def _fill(value: Any, feed: str) -> Any:
    if isinstance(value, str):
        return value.replace(_FEED, feed)
    if isinstance(value, Mapping):
        return filled(value, feed)
    return [_fill(item, feed) for item in value] if isinstance(value, list) else value


def _put(out: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split(".")
    for key in way:
        out = out.setdefault(key, {})
    out[last] = value


def at(value: Any, path: str) -> Any:
    """What stands at a path of keys, or None."""
    found: Any = value
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def read_json(raw: bytes | str) -> dict[str, Any]:
    """A JSON object from a stranger. Raises `FeedError`."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise FeedError("Expected a JSON object in answer to the offer, got something else.") from (
            error
        )
    if not isinstance(found, dict):
        raise FeedError("Expected a JSON object in answer to the offer, got something else.")
    return found


# ---------------------------------------------------------------- WHEP and plain HTTP


class HttpSession:
    """One POST with tap's offer, the answer in its response; with WHEP a DELETE at the end."""

    def __init__(self, feed: str, url: str, access: Access, words: Signalling) -> None:
        check_http_url(url, feed)
        self._feed, self._url, self._access, self._words = feed, url, access, words
        self._resource: str | None = None

    async def open(self, peer: Peer) -> None:
        """Offer, and take the answer."""
        offer = await peer.offer()
        words = self._words
        if words.kind == "whep":
            body, kind = offer.encode(), "application/sdp"
        else:
            made = message(words, self._feed, words.offer, offer)
            body, kind = json.dumps(made).encode(), "application/json"
        answer = await self._post(body, kind)
        if words.kind == "http":
            found: Any = at(read_json(answer), words.sdp)
            if not isinstance(found, str):
                raise RefusedError(
                    f'Expected the answer\'s description at "{words.sdp}", found none there; '
                    "correct the signalling in the profile."
                )
            answer = found
        await peer.accept(answer)

    async def close(self) -> None:
        """DELETE what the server made, if it named it."""
        resource, self._resource = self._resource, None
        if resource is None:
            return
        with contextlib.suppress(FeedError, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._request("DELETE", resource, b"", None)

    async def _post(self, body: bytes, kind: str) -> str:
        response, answer = await self._request("POST", self._url, body, kind)
        self._check(response)
        location = response.headers.get("location")
        if self._words.kind == "whep" and location:
            resource = urljoin(self._url, location)
            # Tokens go along with the goodbye: never to another host than the user named.
            if _origin(resource) == _origin(self._url):
                self._resource = resource
        try:
            return answer.decode()
        except UnicodeDecodeError as error:
            raise FeedError("Expected a session description, got bytes that are no text.") from (
                error
            )

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        check_status(status)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if status in (405, 406, 415) or (200 <= status < 300 and kind.startswith("text/html")):
            raise RefusedError(
                f"Expected a WebRTC {self._words.kind} address, the server answered with status "
                f"{status} and '{kind}'; check the feed's URL and its signalling."
            )
        if status not in (200, 201):
            raise FeedError(f"Expected an answer to the offer, the server sent status {status}.")

    async def _request(
        self, method: str, url: str, body: bytes, kind: str | None
    ) -> tuple[httpx.Response, bytes]:
        headers = self._access.request_headers(url)
        if kind is not None:
            headers["Content-Type"] = kind
        request = httpx.Request(
            method, self._access.request_url(url), headers=headers, content=body
        )
        request.extensions["timeout"] = httpx.Timeout(5.0).as_dict()
        with in_plain_words(lambda text: self._access.redact(text, self._url)):
            # A transport without httpx's client: that logs whole URLs.
            async with httpx.AsyncHTTPTransport(trust_env=False, retries=0) as transport:
                response = await transport.handle_async_request(request)
                try:
                    return response, await _bounded(response)
                finally:
                    await response.aclose()


async def _bounded(response: httpx.Response) -> bytes:
    held = b""
    async for chunk in response.aiter_raw():
        held += chunk
        if len(held) > MAX_ANSWER:
            raise FeedError(f"Expected an answer of at most {MAX_ANSWER} bytes, got more.")
    return held


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port


# ---------------------------------------------------------------- WebSocket


class SocketSession:
    """Descriptions as messages on a WebSocket, which stays open as long as the feed does."""

    def __init__(
        self,
        feed: str,
        url: str,
        access: Access,
        words: Signalling,
        renegotiate: Callable[[], None],
    ) -> None:
        self._feed, self._url, self._access, self._words = feed, url, access, words
        self._renegotiate = renegotiate
        self._socket: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None

    async def open(self, peer: Peer) -> None:
        """Say hello, and exchange descriptions in the order that the words say."""
        words = self._words
        try:
            headers = self._access.request_headers(self._url)
            agent = headers.pop("User-Agent", "tap")
            for name in ("Accept", "Accept-Encoding"):
                headers.pop(name, None)
            self._socket = socket = await connect(
                self._access.request_url(self._url),
                additional_headers=headers,
                user_agent_header=agent,
                open_timeout=5.0,
                close_timeout=1.0,
                ping_interval=10.0,
                ping_timeout=10.0,
                max_size=MAX_ANSWER,
                max_queue=16,
                compression=None,
                proxy=None,
            )
            if words.hello:
                await socket.send(json.dumps(filled(words.hello, self._feed)))
            if words.offers == "tap":
                made = message(words, self._feed, words.offer, await peer.offer())
                await socket.send(json.dumps(made))
                early = await self._exchange(socket, words.answer)
                await peer.accept(early.sdp)
            else:
                early = await self._exchange(socket, words.offer)
                answer = await peer.answer(early.sdp)
                await socket.send(json.dumps(message(words, self._feed, words.answer, answer)))
            for found in early.candidates:
                await self._add(peer, found)
        except InvalidStatus as error:
            check_status(error.response.status_code)
            raise FeedError(
                f"Expected a WebSocket, the server sent status {error.response.status_code}."
            ) from error
        except (OSError, WebSocketException, ValueError) as error:
            told = self._access.redact(str(error) or type(error).__name__, self._url)
            raise FeedError(f"The WebSocket for signalling failed ({told}).") from error
        self._listening = asyncio.create_task(self._listen(socket, peer))

    async def _exchange(self, socket: ClientConnection, wanted: str) -> "_Description":
        """The first message of the type `wanted`, and the candidates that came before it."""
        words = self._words
        early: list[dict[str, Any]] = []
        for _ in range(MAX_MESSAGES):
            found = _object(await socket.recv())
            kind = at(found, words.type)
            if kind == words.candidate:
                early.append(found)
            elif kind == wanted and isinstance(sdp := at(found, words.sdp), str):
                return _Description(sdp, early)
        raise FeedError(
            f'Expected a message of type "{wanted}" with a description at "{words.sdp}", got '
            f"{MAX_MESSAGES} others; correct the signalling in the profile."
        )

    async def _listen(self, socket: ClientConnection, peer: Peer) -> None:
        """Late candidates, and the wish to begin anew; the pictures don't need the socket."""
        words = self._words
        with contextlib.suppress(WebSocketException, OSError):
            while True:
                found = _object(await socket.recv())
                kind = at(found, words.type)
                if kind == words.candidate:
                    await self._add(peer, found)
                elif kind == words.offer and isinstance(at(found, words.sdp), str):
                    self._renegotiate()

    async def _add(self, peer: Peer, found: dict[str, Any]) -> None:
        line: Any = at(found, self._words.candidate_sdp)
        mid: Any = at(found, self._words.candidate_mid)
        if isinstance(line, dict):  # as browsers write a candidate
            line, mid = line.get("candidate"), line.get("sdpMid", mid)
        if isinstance(line, str) and line:
            await peer.add_candidate(line, mid if isinstance(mid, str) else None)

    async def close(self) -> None:
        """Say goodbye and close the socket."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        socket, self._socket = self._socket, None
        if socket is None:
            return
        with contextlib.suppress(WebSocketException, OSError, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                if self._words.bye:
                    await socket.send(json.dumps(filled(self._words.bye, self._feed)))
                await socket.close()


@dataclass(frozen=True, slots=True)
class _Description:
    sdp: str
    candidates: list[dict[str, Any]]


def _object(raw: str | bytes) -> dict[str, Any]:
    """A message, or an empty one for what is none: other talk on the socket is not tap's."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
