"""Live claims: one thread that listens to the director, for as long as the shoot lasts.

What the feed speaks is in `websocket` and `sse`; here is what they have in common: reconnecting,
health, telling a sender's replayed history from news, and keeping secrets out of every text.
"""

import json
import random
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

from tap.claims.profile import Profile
from tap.claims.strict_json import digest
from tap.clock import Clock
from tap.errors import FeedError, InputError
from tap.vocabulary import Claim, ClaimType

Sink = Callable[[Claim], None]


class Reader(Protocol):
    """Makes claims of what comes over a wire, whatever it is."""

    profile: Profile

    def parse(self, data: str | bytes, recv_ms: float, event: str | None = None) -> Claim:
        """One message."""
        ...

    def unreadable(self, data: str | bytes, problem: str, recv_ms: float) -> Claim:
        """What can't be a message."""
        ...


OPEN_TIMEOUT_S = 10.0
_STEADY_S = 5.0
"""A connection that lasted this long was a good one: the next attempt follows soon."""
_REMEMBERED = 50_000
_LONG_SECRET = 8
"""Characters from which on a secret is looked for in messages: a short one may be a plain word."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between attempts, in seconds; each is shortened by up to half, at random."""

    first_s: float = 0.25
    longest_s: float = 10.0

    def pause_s(self, attempt: int) -> float:
        """How long to wait before the `attempt`th try in a row, counted from 0."""
        longest = min(self.longest_s, self.first_s * 2.0 ** min(attempt, 30))
        return longest * random.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class ClaimsHealth:
    """How a source is doing, and what it has counted."""

    connected: bool = False
    received: int = 0
    """Messages handed on, unreadable and unknown ones included."""
    unreadable: int = 0
    unknown: int = 0
    replayed: int = 0
    """Messages that a sender sent again after a reconnect; dropped."""
    reconnects: int = 0
    last_recv_ms: float | None = None
    detail: str = "not started"


class History:
    """Tells news from what a sender had already sent before the connection was lost."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._seen: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._remembered = remembered
        self._connection = 0

    def reconnected(self) -> None:
        """A new connection begins."""
        self._connection += 1

    def is_replay(self, claim: Claim) -> bool:
        """Whether this very message came on an earlier connection. Remembers it if not."""
        if claim.type is ClaimType.UNREADABLE:
            return False
        content = digest(claim.raw)
        before = self._seen.get(claim.id)
        if before is not None and before[0] == content:
            return before[1] < self._connection
        self._seen[claim.id] = (content, self._connection)
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        return False


class LiveClaims(ABC):
    """A source that listens on a thread of its own until it is stopped.

    `headers` and `query` are sent along; all their values are kept out of every text. `hide` are
    the secrets of the whole shoot: a director may list its feeds with their tokens, so those of
    eight characters or more are blotted out of messages too, before anything is kept.
    """

    schemes: tuple[str, ...] = ()

    def __init__(
        self,
        url: str,
        parser: Reader,
        clock: Clock,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        hide: Collection[str] = (),
        backoff: Backoff | None = None,
    ) -> None:
        """Raises `InputError` if the address is none that this source can listen to."""
        self._address = _address(url, query or {}, self.schemes)
        self._headers = dict(headers or {})
        self._hidden = [*_spellings(hide), *_secrets(self._address, self._headers)]
        self._blotted = [one.encode() for one in _spellings(hide) if len(one) >= _LONG_SECRET]
        self._parser = parser
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._history = History()
        self._health = ClaimsHealth()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._sink: Sink = _nowhere

    # ------------------------------------------------------------------ for the caller

    def remember(self, claims: Iterable[Claim]) -> None:
        """Take note of what an earlier run of tap was told: said again, it is no news."""
        for claim in claims:
            self._history.is_replay(claim)

    def start(self, sink: Sink) -> None:
        """Listen from now on; `sink` is called on the source's thread, with each claim in turn."""
        if self._thread is not None:
            raise RuntimeError("a source of claims starts once")
        self._sink = sink
        self._note(detail="connecting")
        self._thread = threading.Thread(target=self._run, name="tap-claims", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Hang up; no claim is handed on after this returns (within `timeout_s`)."""
        self._stopping.set()
        self._hang_up()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def health(self) -> ClaimsHealth:
        """How it is doing now."""
        with self._lock:
            return self._health

    # ------------------------------------------------------------------ for the protocols

    @abstractmethod
    def _listen(self) -> None:
        """Connect, hand each message to `_take`, return when the other side hangs up.

        Raises `FeedError`, with a sentence that may still hold secrets.
        """

    @abstractmethod
    def _hang_up(self) -> None:
        """Unblock `_listen`; called from another thread."""

    def _connected(self) -> None:
        self._history.reconnected()
        self._note(connected=True, detail="connected")

    def _take(self, data: str | bytes, event: str | None = None) -> None:
        """A message came in."""
        self._hand_on(self._parser.parse(self._blot(data), self._clock.now_ms(), event))

    def _take_unreadable(self, data: str | bytes, problem: str) -> None:
        """Something came in that can't be a message."""
        self._hand_on(self._parser.unreadable(self._blot(data), problem, self._clock.now_ms()))

    def _hand_on(self, claim: Claim) -> None:
        if self._stopping.is_set():
            return
        replayed = self._history.is_replay(claim)
        with self._lock:
            health = self._health
            self._health = replace(
                health,
                received=health.received + (not replayed),
                replayed=health.replayed + replayed,
                unreadable=health.unreadable + (claim.type is ClaimType.UNREADABLE),
                unknown=health.unknown + (claim.type is ClaimType.UNKNOWN and not replayed),
                last_recv_ms=claim.recv_ms,
            )
        if not replayed:
            self._sink(claim)

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            began_ms = self._clock.now_ms()
            try:
                self._listen()
                ended = "the director's side hung up"
            except FeedError as error:
                ended = self._redacted(str(error))
            except Exception as error:
                self._note(connected=False, detail=self._redacted(f"gave up: {error!r}"))
                raise
            connected = self.health().connected
            steady = connected and self._clock.now_ms() - began_ms >= _STEADY_S * 1000.0
            attempt = 0 if steady else attempt + 1
            pause_s = self._backoff.pause_s(max(0, attempt - 1))
            self._note(connected=False, detail=f"{ended}; trying again")
            if self._stopping.wait(pause_s):
                break
            with self._lock:
                self._health = replace(self._health, reconnects=self._health.reconnects + 1)
        self._note(connected=False, detail="stopped")

    def _note(self, *, connected: bool | None = None, detail: str) -> None:
        with self._lock:
            now = self._health.connected if connected is None else connected
            self._health = replace(self._health, connected=now, detail=detail)

    def _blot(self, data: str | bytes) -> bytes:
        """A message without what tap keeps secret; whoever sent it may be listing its feeds."""
        content = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
        for secret in self._blotted:
            content = content.replace(secret, b"***")
        return content

    def _redacted(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, "***")
        return text[:500]


def _nowhere(_: Claim) -> None:
    pass


def _address(url: str, query: Mapping[str, str], schemes: tuple[str, ...]) -> str:
    """The address with the query added. Raises `InputError` if it is none."""
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)
    wrong = InputError(
        f"director: expected an address that begins with {wanted}, got "
        f'"{url.partition("?")[0].rpartition("@")[2][:100]}"; correct it'
    )
    try:
        parts = urlsplit(url)
        valid = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise wrong from error
    if not valid:
        raise wrong
    joined = "&".join(part for part in (parts.query, urlencode(query)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, joined, ""))


def _secrets(address: str, headers: Mapping[str, str]) -> list[str]:
    """All spellings of what must not be shown, the longest first."""
    parts = urlsplit(address)
    plain = [value for _, value in parse_qsl(parts.query)]
    plain += [part.partition("=")[2] for part in parts.query.split("&")]
    plain += [parts.query, parts.username or "", parts.password or ""]
    for value in headers.values():
        plain += [value, *value.split()[1:]]
    return _spellings(plain)


def _spellings(values: Iterable[str]) -> list[str]:
    """Each value as it may stand in an address or in JSON, the longest first."""
    found: set[str] = set()
    for value in values:
        in_json = json.dumps(value)[1:-1]
        found |= {value, quote(value, ""), quote_plus(value), in_json, in_json.replace("/", "\\/")}
    return sorted((form for form in found if len(form) > 1), key=len, reverse=True)
