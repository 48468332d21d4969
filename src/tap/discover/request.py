"""One polite request to a stranger: GET or OPTIONS, no redirects, no proxies, bounded."""

import contextlib
import socket
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from tap.clock import Clock
from tap.errors import FeedError
from tap.feeds.access import Access

CONNECT_S = 1.0
ANSWER_S = 3.0


class SilentError(FeedError):
    """Nobody answered there at all."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body is still to come."""

    status: int
    content_type: str
    """In lower case, without its parameters."""
    full_type: str
    chunks: Iterator[bytes]
    takes: str = ""
    """What may be asked of the address, in lower case: its `Allow` and `Accept-Post`."""


@contextlib.contextmanager
def get(
    url: str, access: Access, *, read_s: float, method: Literal["GET", "OPTIONS"] = "GET"
) -> Generator[Reply]:
    """The answer to a GET (or OPTIONS) of `url`; its body comes for at most `read_s`, then the
    socket is shut.

    Raises `SilentError` where nobody listens, `FeedError` where what answers is no HTTP.
    """
    held: list[socket.socket] = []

    def trace(event: str, info: dict[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            found = info["return_value"].get_extra_info("socket")
            if isinstance(found, socket.socket):
                held[:] = [found]

    def hang_up() -> None:
        for one in held:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)

    # Timeouts of a read never fire while single bytes trickle in: the whole has a deadline.
    overdue = threading.Timer(CONNECT_S + ANSWER_S + read_s, hang_up)
    overdue.daemon = True
    patience = httpx.Timeout(ANSWER_S, connect=CONNECT_S).as_dict()
    try:
        request = httpx.Request(
            method,
            access.request_url(url),
            headers={**access.request_headers(url), "Connection": "close"},
            extensions={"timeout": patience, "trace": trace},
        )
        overdue.start()
        # A transport without httpx's client: that logs whole URLs, and tokens live in URLs.
        with httpx.HTTPTransport(trust_env=False, retries=0) as transport:
            response = transport.handle_request(request)
            with contextlib.closing(response):
                kind = response.headers.get("content-type", "")
                plain = kind.partition(";")[0].strip().lower()
                said = [response.headers.get(name, "") for name in ("allow", "accept-post")]
                takes = ", ".join(said)[:1000].lower()
                yield Reply(response.status_code, plain, kind, _chunks(response), takes)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise SilentError("Nobody answers there.") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
        text = access.redact(str(error), url)
        raise FeedError(f"What answers there is no proper HTTP ({text[:200]}).") from error
    finally:
        overdue.cancel()


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    """The body as it comes; where it breaks off, it has ended."""
    with contextlib.suppress(httpx.HTTPError, httpx.StreamError, OSError):
        yield from response.iter_raw()


def read_whole(reply: Reply, limit: int, clock: Clock, read_s: float) -> bytes:
    """The body, at most `limit` bytes. Raises `FeedError` where it is larger or too slow."""
    data, until_ms = bytearray(), clock.now_ms() + read_s * 1000.0
    for chunk in reply.chunks:
        data += chunk
        if len(data) > limit:
            raise FeedError(f"Expected at most {limit} bytes, got more.")
        if clock.now_ms() > until_ms:
            raise FeedError(f"The answer was not whole after {read_s:g} s.")
    return bytes(data)
