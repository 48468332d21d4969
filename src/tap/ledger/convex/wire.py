"""One kept-alive connection to a Convex deployment: requests out, bounded answers in."""

import time
from collections.abc import Mapping as Names
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx

from tap.errors import InputError
from tap.ledger.convex.answers import Answer, of_function, of_route
from tap.ledger.convex.mapping import WRITES, Auth, Call, Mapping, Operation, arguments, picked
from tap.ledger.faults import BookError, Code

CONNECT_S, READ_S = 3.0, 10.0
WHOLE_S = 60.0
"""The longest that one answer may take as a whole, however steadily it drips."""
MAX_ANSWER = 24 * 2**20
"""Convex answers with at most 20 MiB."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a deployment answers: let in (None where it doesn't say), how fast, its clock.

    `server_ms` is the Unix time of its answer, to the second; None where it has none.
    """

    authorized: bool | None
    took_ms: float
    server_ms: float | None


class Token:
    """A secret that no text shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not value.isascii() or not value.isprintable():
            raise InputError(
                "the ledger's token: expected printable ASCII, got other characters; check the "
                "environment variable that token_env names"
            )
        self._value = value

    def hide(self, text: str) -> str:
        """`text` without it, should the far side have repeated it."""
        return text.replace(self._value, "***") if self._value else text

    def header(self, auth: Auth) -> dict[str, str]:
        """The header that it goes in."""
        return {auth.header: auth.value.replace("{token}", self._value)}

    def __repr__(self) -> str:
        return "Token(***)"


class Wire:
    """Asks one deployment. Threads may share it. All methods raise `BookError`."""

    def __init__(
        self,
        url: str,
        mapping: Mapping,
        token: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        require_safe(url)
        self.url = url.rstrip("/")
        self.mapping = mapping
        self._token = Token(token) if token is not None else None
        self._client = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S, pool=CONNECT_S),
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=2),
            headers={"User-Agent": "tap", "Accept": "application/json"},
            trust_env=not is_loopback(url),
            transport=transport,
        )

    def ask(self, operation: Operation, given: dict[str, Any]) -> Any:
        """The answer to one operation; `given` are its arguments as tap calls them."""
        call = self.mapping.call(operation)
        if call is None:
            raise BookError(
                Code.UNSUPPORTED,
                f"{self.url}: the mapping {self.mapping.name} has no operation {operation}; "
                "add it to the mapping if the backend has one.",
            )
        request = arguments(call, given)
        try:
            if self.mapping.transport == "functions":
                return self._function(operation, call, request)
            method = call.method or ("POST" if operation in WRITES else "GET")
            what = f"{method} {self.url}{call.path}"
            answer = self._send(method, call.path or "/", request, what)
            return of_route(answer, self.mapping.errors, what)
        except BookError as error:
            if self._token is None:
                raise
            raise BookError(error.code, self._token.hide(str(error)), error.key) from None

    def pulse(self) -> Pulse:
        """Ask whether it is there, and lets tap in."""
        call = self.mapping.call("health")
        path = (call.path if call is not None else None) or "/"
        began = time.monotonic()
        headers: dict[str, str] = {}
        what = f"GET {self.url}{path}"
        answer = self._send("GET", path, {}, what, headers)
        took_ms = (time.monotonic() - began) * 1000
        authorized: bool | None = None
        if call is not None and call.answer:
            found = of_route(answer, self.mapping.errors, what)
            told = picked(found, call.answer.get("authorized", ""))
            authorized = told if isinstance(told, bool) else None
        return Pulse(authorized, took_ms, _stamp(headers.get("date")))

    def put_bytes(self, url: str, content: bytes, headers: Names[str, str]) -> Any:
        """Upload to an address that the deployment gave out; no secret is sent along."""
        what = "the upload of a still"
        require_safe(url)
        answer = self._exchange("POST", url, what, content=content, headers=dict(headers))
        return of_route(answer, self.mapping.errors, what)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def __repr__(self) -> str:
        return f"Wire({self.url!r}, mapping={self.mapping.name!r})"

    # ------------------------------------------------------------------ one exchange

    def _function(self, operation: Operation, call: Call, request: dict[str, Any]) -> Any:
        functions = self.mapping.functions
        path = functions.mutation if operation in WRITES else functions.query
        what = f"{call.function} at {self.url}"
        body = {"path": call.function, "args": request, "format": "json"}
        return of_function(self._send("POST", path, body, what), self.mapping.errors, what)

    def _send(
        self,
        method: str,
        path: str,
        request: dict[str, Any],
        what: str,
        told: dict[str, str] | None = None,
    ) -> Answer:
        headers = self._token.header(self.mapping.auth) if self._token is not None else {}
        if method == "GET":
            return self._exchange(method, path, what, told=told, params=request, headers=headers)
        return self._exchange(method, path, what, told=told, json=request, headers=headers)

    def _exchange(
        self, method: str, path: str, what: str, told: dict[str, str] | None = None, **request: Any
    ) -> Answer:
        """`told` takes the headers of the answer."""
        try:
            until = time.monotonic() + WHOLE_S
            with self._client.stream(method, path, **request) as response:
                body = bytearray()
                for part in response.iter_bytes(65536):
                    body += part
                    if len(body) > MAX_ANSWER or time.monotonic() > until:
                        raise _lost(what, "got one without an end")
                if told is not None:
                    told.update(response.headers)
                kind = response.headers.get("content-type", "")
                return Answer(response.status_code, kind, bytes(body))
        except httpx.TimeoutException as error:
            raise _lost(what, "got none in time") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            # Foreign texts are not passed on: one may quote a header, and so the secret.
            raise _lost(what, f"got none ({type(error).__name__})") from None
        except RuntimeError as error:
            raise BookError(Code.CLOSED, f"{what}: the ledger is closed; open it again.") from error


def is_loopback(url: str) -> bool:
    """Whether an address is this very host."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require_safe(url: str) -> None:
    """Raise `InputError` for an address that a secret must not be sent to."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)):
        return
    raise InputError(
        f"the ledger's url: expected https://, or http:// on this very host, got "
        f'"{parts.scheme}://{parts.hostname or ""}"; a token is never sent in the clear'
    )


def _stamp(date: str | None) -> float | None:
    if date is None:
        return None
    try:
        return parsedate_to_datetime(date).timestamp() * 1000
    except ValueError:
        return None


def _lost(what: str, found: str) -> BookError:
    return BookError(Code.UNREACHABLE, f"{what}: expected an answer, {found}; it is tried again.")
