"""A camera's MJPEG stream over HTTP: kept alive, watched, and never believed too easily."""

import contextlib
import logging
import math
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tap.clock import Clock
from tap.errors import FeedError
from tap.feeds.access import Access, check_http_url, public_url
from tap.feeds.backlog import Backlog
from tap.feeds.connection import RefusedError, check_status, in_plain_words, next_wait_s
from tap.feeds.feed import Sink
from tap.feeds.health import FeedHealth, FeedState, Vitals
from tap.feeds.jpeg import decode_luma, decoded_late, peek
from tap.feeds.multipart import MultipartParser, Part, boundary_of
from tap.feeds.promise import Promise
from tap.vocabulary import Frame, Picture

_log = logging.getLogger(__name__)

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class MjpegSettings:
    """How patient a feed is. Seconds, but for `behind_ms`."""

    connect_s: float = 5.0
    silent_s: float = 5.0
    """Without a byte for so long, the connection is given up."""
    part_s: float = 5.0
    """Without a whole picture for so long, however many bytes trickle in, likewise."""
    first_wait_s: float = 0.5
    longest_wait_s: float = 10.0
    refused_wait_s: float = 30.0
    """Wait after an answer that trying again alone won't change."""
    steady_s: float = 10.0
    """A connection that lasted so long begins the waits anew."""
    behind_ms: float = 200.0
    """Once pictures have piled up for so long, all but the newest are left out."""


class MjpegFeed:
    """One camera, one connection, one thread. GET only, no redirects, no proxies.

    A frame's `at_ms` is when the first byte of its JPEG arrived. `url`'s query and everything
    in `access` are kept out of logs, health and errors. With `decode_late` a picture is decoded
    when somebody looks at it: most of most cameras' never are. Raises `InputError` for a URL that
    is none.
    """

    def __init__(
        self,
        feed: str,
        url: str,
        *,
        clock: Clock,
        access: Access | None = None,
        settings: MjpegSettings | None = None,
        decode_late: bool = False,
    ) -> None:
        check_http_url(url, feed)
        self._feed = feed
        self._url = url
        self._clock = clock
        self._access = access or Access()
        self._settings = settings or MjpegSettings()
        self._decode_late = decode_late
        self._vitals = Vitals(feed, clock)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"feed {feed}", daemon=True)
        self._socket: socket.socket | None = None
        self._index = 0
        self._last_at_ms = -math.inf
        self._promise = Promise(clock)

    @property
    def feed(self) -> str:
        """The feed's id."""
        return self._feed

    def health(self) -> FeedHealth:
        """How it is now."""
        return self._vitals.health()

    def promised_ms(self) -> float:
        """Frames that are still to come are no older than this, Unix ms; from any thread."""
        return self._promise.until_ms()

    def start(self, sink: Sink) -> None:
        """Connect, and hand every frame to `sink` on the feed's own thread."""
        self._sink = sink
        self._thread.start()

    def stop(self) -> None:
        """Hang up, and wait for the thread at most as long as a connection attempt takes."""
        self._ended.set()
        self._hang_up()
        if self._thread.is_alive():
            self._thread.join(self._settings.connect_s + 1.0)
        self._vitals.enter(FeedState.STOPPED, "Stopped.")

    # ------------------------------------------------------------ one connection after another

    def _run(self) -> None:
        try:
            self._keep_watching()
        except Exception as error:  # noqa: BLE001 - the thread's last words: nobody else would hear of it
            _log.exception("%s: the feed's thread failed", self._feed)
            self._vitals.enter(FeedState.FAILED, f"tap itself failed: {type(error).__name__}.")

    def _keep_watching(self) -> None:
        settings = self._settings
        lost = 0
        # A transport without httpx's client: that logs whole URLs, and tokens live in URLs.
        with httpx.HTTPTransport(trust_env=False, retries=0) as transport:
            while not self._ended.is_set():
                began_ms = self._clock.now_ms()
                state = FeedState.BACKOFF
                try:
                    self._vitals.enter(FeedState.CONNECTING, f"Connecting to {self._shown()}.")
                    self._watch(transport)
                    detail = "The server ended the stream."
                except RefusedError as error:
                    state, detail = FeedState.FAILED, str(error)
                except FeedError as error:
                    detail = str(error)
                if self._ended.is_set():
                    return
                if self._clock.now_ms() - began_ms > settings.steady_s * 1000:
                    lost = 0
                wait_s = self._wait_s(lost, state)
                lost += 1
                detail = f"{detail} Trying again in {max(1, round(wait_s))} s."
                _log.warning("%s: %s", self._feed, detail)
                self._vitals.enter(state, detail)
                self._ended.wait(wait_s)

    def _wait_s(self, lost: int, state: FeedState) -> float:
        settings = self._settings
        if state is FeedState.FAILED:
            return settings.refused_wait_s
        return next_wait_s(lost, settings.first_wait_s, settings.longest_wait_s)

    def _watch(self, transport: httpx.HTTPTransport) -> None:
        """Hold one connection until it ends. Raises `FeedError` with a sentence for people."""
        settings = self._settings
        # Read timeouts never fire while single bytes trickle in; the answer has a deadline too.
        overdue = threading.Timer(settings.connect_s + settings.silent_s, self._hang_up)
        overdue.daemon = True
        overdue.start()
        try:
            with in_plain_words(self._tell):
                response = transport.handle_request(self._request())
                overdue.cancel()
                with contextlib.closing(response):
                    self._read(response)
        finally:
            overdue.cancel()
            self._socket = None
            self._promise.waits()

    def _request(self) -> httpx.Request:
        settings = self._settings
        patience = httpx.Timeout(settings.silent_s, connect=settings.connect_s)
        return httpx.Request(
            "GET",
            self._access.request_url(self._url),
            headers=self._access.request_headers(self._url),
            extensions={"timeout": patience.as_dict(), "trace": self._trace},
        )

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Keep the socket as soon as there is one: `stop` and the deadlines hang up by it."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            found = info["return_value"].get_extra_info("socket")
            self._socket = found if isinstance(found, socket.socket) else None
            if self._ended.is_set():
                self._hang_up()

    def _hang_up(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    # ------------------------------------------------------------ one answer

    def _read(self, response: httpx.Response) -> None:
        content_type = response.headers.get("content-type", "")
        _check_answer(response.status_code, content_type)
        self._vitals.connected()
        parser = MultipartParser(boundary_of(content_type))
        whole_ms = self._clock.now_ms()
        self._backlog = Backlog(self._settings.behind_ms, whole_ms)
        with selectors.DefaultSelector() as selector:
            if self._socket is not None:
                selector.register(self._socket, selectors.EVENT_READ)
            for chunk in self._chunks(response):
                now_ms = self._promise.bytes_came()
                if self._ended.is_set():
                    return
                parts = parser.feed(chunk, now_ms)
                self._vitals.took(len(chunk), parser.skipped)
                if parts:
                    whole_ms = now_ms
                elif now_ms - whole_ms > self._settings.part_s * 1000:
                    raise FeedError(f"No whole picture came in {self._settings.part_s:.0f} s.")
                self._take(parts, empty=not selector.select(0))
                self._promise.waits(_older(self._backlog.held_ms, parser.under_way_ms))
        self._take(parser.close(), empty=True)
        self._vitals.took(0, parser.skipped)

    def _chunks(self, response: httpx.Response) -> Iterator[bytes | memoryview]:
        """The body as it comes; each chunk holds until the next is asked for.

        A stream that ends when the connection does, as most are, is read straight off the socket
        once the HTTP library has handed on what it already had: that costs half as much.
        """
        chunks = response.iter_raw()
        bounded = "transfer-encoding" in response.headers or "content-length" in response.headers
        connection = self._socket
        if bounded or connection is None or isinstance(connection, ssl.SSLSocket):
            yield from chunks
            return
        yield next(chunks, b"")
        connection.settimeout(self._settings.silent_s)
        chunk = memoryview(bytearray(_CHUNK))
        try:
            while size := connection.recv_into(chunk):
                yield chunk[:size]
        except TimeoutError as error:
            raise FeedError("The server fell silent.") from error

    def _take(self, parts: list[Part], *, empty: bool) -> None:
        """Decode what is due; `empty`: nothing more waits on the connection."""
        for part in parts:
            offline = part.headers.get("x-ustreamer-online", "").lower() == "false"
            self._vitals.received(part.at_ms, offline=offline)
        backlog, now_ms = self._backlog, self._clock.now_ms()
        before = backlog.dropped
        due = backlog.due(parts, now_ms)
        if empty:
            due = due + backlog.empty(now_ms)
        self._vitals.dropped(backlog.dropped - before)
        for part in due:
            self._emit(part)

    def _emit(self, part: Part) -> None:
        at_ms = max(self._promise.kept(part.at_ms), self._last_at_ms + 1.0)
        try:
            picture, size = self._picture(part.body, at_ms)
        except FeedError as error:
            self._vitals.damaged(str(error))
            return
        self._last_at_ms = at_ms
        frame = Frame(
            feed=self._feed,
            index=self._index,
            at_ms=at_ms,
            picture=picture,
            size=size,
            encoded=part.body,
            source_ms=part.source_ms,
        )
        self._index += 1
        self._sink(frame)

    def _picture(self, data: bytes, at_ms: float) -> tuple[Picture, tuple[int, int]]:
        """The picture and its full (width, height). Raises `DamagedJpegError`."""
        seen = peek(data) if self._decode_late else None
        if seen is None:
            luma, size = decode_luma(data)
            self._vitals.decoded(luma, size, at_ms)
            return luma, size
        self._vitals.usable(seen.mark, seen.size, at_ms)
        return decoded_late(data, seen.size, self._vitals.damaged), seen.size

    # ------------------------------------------------------------ words

    def _shown(self) -> str:
        return public_url(self._url)

    def _tell(self, text: str) -> str:
        return self._access.redact(text, self._url)


def _older(one_ms: float | None, other_ms: float | None) -> float | None:
    times = [at_ms for at_ms in (one_ms, other_ms) if at_ms is not None]
    return min(times, default=None)


def _check_answer(status: int, content_type: str) -> None:
    """Raise unless the answer may be a stream of pictures."""
    check_status(status)
    if status != 200:
        raise FeedError(f"Expected a stream, the server answered with status {status}.")
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("image/"):
        raise RefusedError(
            "Expected an MJPEG stream, got a single picture; use the server's stream URL "
            "instead of its snapshot URL."
        )
    if kind.startswith("text/") or kind in ("application/json", "application/xhtml+xml"):
        raise RefusedError(
            f"Expected an MJPEG stream, got '{kind}'; check that the URL is the stream itself."
        )
