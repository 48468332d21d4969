"""The director's messages as Server-Sent Events. Listens only: all tap sends is the request."""

import codecs
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator
from functools import cached_property

import httpx
from httpx_sse import EventSource, SSEError

from tap.claims.strict_json import MAX_BYTES
from tap.claims.wire import OPEN_TIMEOUT_S, LiveClaims
from tap.errors import FeedError

_QUIET_S = 60.0
"""A feed that says nothing at all for so long, not even a comment, is asked again."""
_MAX_EVENT = MAX_BYTES + 4096
"""Characters of an event that are kept: enough to see that it is too long."""


logging.getLogger("httpx").setLevel(logging.WARNING)  # its line for each request shows the token


class SseClaims(LiveClaims):
    """Claims from an `http://` or `https://` address."""

    schemes = ("http", "https")
    _response: httpx.Response | None = None
    _last_id = ""

    def _listen(self) -> None:
        headers = {
            **self._headers,
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            "Cache-Control": "no-store",
        }
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        timeout = httpx.Timeout(OPEN_TIMEOUT_S, read=_QUIET_S)
        try:
            with (
                httpx.Client(timeout=timeout, trust_env=False, verify=self._trust) as client,
                client.stream("GET", self._address, headers=headers) as response,
            ):
                self._response = response
                self._events(response)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, SSEError) as error:
            if not self._stopping.is_set():
                raise FeedError(f"expected an event stream, got: {_words(error)}") from error
        finally:
            self._response = None

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """Made once, as reading the host's certificates is slow; empty where none are needed."""
        if self._address.startswith("https"):
            return ssl.create_default_context()
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def _events(self, response: httpx.Response) -> None:
        kind = response.headers.get("content-type", "none").partition(";")[0]
        if response.status_code != 200 or kind.strip() != "text/event-stream":
            raise FeedError(
                f"expected an event stream, got status {response.status_code} and content type "
                f"{kind[:100]!a}"
            )
        if response.headers.get("content-encoding", "identity") != "identity":
            raise FeedError("expected an event stream as it is, got a compressed one")
        self._connected()
        if self._stopping.is_set():
            return
        for event in EventSource(_Bounded(response)).iter_sse():
            if self._stopping.is_set():
                return
            if event.id.isascii() and event.id.isprintable() and len(event.id) <= 256:
                self._last_id = event.id
            if event.data:
                data = event.data.encode("utf-8", "surrogateescape")
                self._take(data, event.event or "message")

    def _hang_up(self) -> None:
        response = self._response
        stream = response.extensions.get("network_stream") if response is not None else None
        sock = stream.get_extra_info("socket") if stream is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Bounded(httpx.Response):
    """A response whose text holds no event longer than can be used.

    An event stream is UTF-8, whatever the header says; stray bytes stay recognisable.
    """

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code, headers=response.headers, request=response.request)
        self._whole = response

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """The text, with what is beyond the limit cut out of each event."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        cap = EventCap(_MAX_EVENT)
        for chunk in self._whole.iter_raw(chunk_size):
            text = cap.cut(decoder.decode(chunk))
            if text:
                yield text


class EventCap:
    """Cuts each event of a stream to `limit` characters, so that none can fill the memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = 0
        self._in_line = False
        self._after_cr = False

    def cut(self, text: str) -> str:
        """The next part of the stream, shortened, its line ends made one kind."""
        if self._after_cr and text.startswith("\n"):
            text = text[1:]
            self._after_cr = False
        if text:
            self._after_cr = text.endswith("\r")
        first, *others = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return self._line(first) + "".join(self._end_line() + self._line(one) for one in others)

    def _line(self, part: str) -> str:
        part_kept = part[: self._limit - self._kept]
        self._kept += len(part_kept)
        self._in_line = self._in_line or bool(part)
        return part_kept

    def _end_line(self) -> str:
        full = self._kept >= self._limit
        if not self._in_line:  # a blank line: the event is over
            self._kept = 0
            return "\n\n" if full else "\n"
        self._in_line = False
        if full:
            return ""
        self._kept += 1
        return "\n"


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
