"""A feed over WebRTC: received only, kept alive, watched, and never believed too easily."""

import asyncio
import ipaddress
import logging
import math
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from urllib.parse import urlsplit

from tap.clock import Clock
from tap.errors import FeedError, InputError
from tap.feeds.access import Access, public_url
from tap.feeds.connection import RefusedError, next_wait_s
from tap.feeds.feed import Sink
from tap.feeds.health import FeedHealth, FeedState, Vitals
from tap.feeds.webrtc_decode import Decoder, Job, Seen
from tap.feeds.webrtc_loop import SHARED, SharedLoop
from tap.feeds.webrtc_peer import IceServer, Peer
from tap.feeds.webrtc_rtp import Codec
from tap.feeds.webrtc_signal import Session, Signalling, new_session
from tap.vocabulary import Frame

_log = logging.getLogger(__name__)

_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class WebRtcSettings:
    """How a feed connects and how patient it is. Seconds, but for `kbps`."""

    servers: tuple[IceServer, ...] = ()
    codecs: tuple[Codec, ...] = ("H264", "VP8")
    """What tap offers to take, the preferred first."""
    kbps: int = 8000
    """What the sender is told it may send (REMB), 0: nothing is told. It stands in for a
    bandwidth estimate: right on a LAN, too bold on a way that others share."""
    signal_s: float = 8.0
    connect_s: float = 10.0
    """From the descriptions to the first packet."""
    silent_s: float = 5.0
    """Without a packet for so long, the connection is given up."""
    blind_s: float = 10.0
    """Without a whole picture for so long, however many packets come, likewise."""
    first_wait_s: float = 0.5
    longest_wait_s: float = 10.0
    refused_wait_s: float = 30.0
    steady_s: float = 10.0


class WebRtcFeed:
    """One feed, one connection, on the event loop that all WebRTC feeds share.

    A frame's `at_ms` is when its first packet was there with nothing missing before it: what the
    first byte of a picture is over TCP. `encoded` is a JPEG of tap's own making (at most 640 px):
    WebRTC has none as received. `source_ms` comes from the sender's RTCP reports. Raises
    `InputError` for a URL that doesn't fit the signalling.
    """

    def __init__(
        self,
        feed: str,
        url: str,
        *,
        clock: Clock,
        access: Access | None = None,
        words: Signalling | None = None,
        settings: WebRtcSettings | None = None,
        shared: SharedLoop = SHARED,
    ) -> None:
        self._words = words or Signalling()
        _check_url(feed, url, self._words)
        self._feed, self._url, self._clock = feed, url, clock
        self._access = access or Access()
        self._settings = settings or WebRtcSettings()
        self._vitals = Vitals(feed, clock)
        self._shared = shared
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: Future[None] | None = None
        self._ended = threading.Event()
        self._leave = asyncio.Event()
        self._decoder = Decoder(feed, self._emit, self._vitals.dropped, self._undecodable)
        self._connection = 0
        self._peer: Peer | None = None
        self._took = self._left_out = 0
        self._index = 0
        self._last_at_ms = -math.inf
        self._whole_ms = 0.0

    @property
    def feed(self) -> str:
        """The feed's id."""
        return self._feed

    def health(self) -> FeedHealth:
        """How it is now."""
        return self._vitals.health()

    def start(self, sink: Sink) -> None:
        """Connect, and hand every decoded frame to `sink` on the feed's decoding thread."""
        self._sink = sink
        self._decoder.start()
        self._loop = self._shared.borrow()
        self._running = asyncio.run_coroutine_threadsafe(self._run(), self._loop)

    def stop(self) -> None:
        """Say goodbye to the server and end; takes a bounded time."""
        self._ended.set()
        if self._loop is not None and self._running is not None:
            self._loop.call_soon_threadsafe(self._leave.set)
            try:
                self._running.result(10.0)
            except (FutureTimeoutError, asyncio.CancelledError):
                self._running.cancel()
            self._shared.give_back()
            self._loop = self._running = None
            self._decoder.stop()
        self._vitals.enter(FeedState.STOPPED, "Stopped.")

    # ------------------------------------------------------------ one connection after another

    async def _run(self) -> None:
        try:
            await self._keep_watching()
        except Exception as error:  # noqa: BLE001 - the task's last words: nobody else would hear of it
            _log.exception("%s: the feed's task failed", self._feed)
            self._vitals.enter(FeedState.FAILED, f"tap itself failed: {type(error).__name__}.")

    async def _keep_watching(self) -> None:
        settings, lost = self._settings, 0
        while not self._ended.is_set():
            began_ms, state = self._clock.now_ms(), FeedState.BACKOFF
            try:
                self._vitals.enter(FeedState.CONNECTING, f"Connecting to {public_url(self._url)}.")
                detail = await self._watch()
            except RefusedError as error:
                state, detail = FeedState.FAILED, str(error)
            except FeedError as error:
                detail = str(error)
            if self._ended.is_set():
                return
            if self._clock.now_ms() - began_ms > settings.steady_s * 1000:
                lost = 0
            wait_s = settings.refused_wait_s
            if state is not FeedState.FAILED:
                wait_s = next_wait_s(lost, settings.first_wait_s, settings.longest_wait_s)
            lost += 1
            detail = f"{detail} Trying again in {max(1, round(wait_s))} s."
            _log.warning("%s: %s", self._feed, detail)
            self._vitals.enter(state, detail)
            await self._leaving(wait_s)

    async def _leaving(self, seconds: float) -> bool:
        """Wait; True as soon as the feed is to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._leave.wait()
        except TimeoutError:
            return False
        return True

    async def _watch(self) -> str:
        """Hold one connection until it ends; returns why. Raises `FeedError` likewise."""
        self._connection += 1
        number = self._connection
        peer = Peer(
            now_ms=self._clock.now_ms,
            on_coded=lambda codec, coded, parameters, source_ms: self._take(
                Job(number, codec, coded, parameters, source_ms)
            ),
            servers=self._settings.servers,
            codecs=self._settings.codecs,
            kbps=self._settings.kbps,
            loopback=_is_here(self._url),
        )
        renewed = asyncio.Event()
        session = new_session(self._feed, self._url, self._access, self._words, renewed.set)
        self._peer, self._took, self._left_out = peer, 0, 0
        try:
            await self._open(session, peer)
            return await self._hold(peer, renewed)
        finally:
            self._peer = None
            # Both must end, even if this task is being cancelled.
            await asyncio.shield(asyncio.gather(session.close(), peer.close()))

    async def _open(self, session: Session, peer: Peer) -> None:
        opening = asyncio.ensure_future(session.open(peer))
        leaving = asyncio.ensure_future(self._leave.wait())
        try:
            await asyncio.wait(
                (opening, leaving),
                timeout=self._settings.signal_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not opening.done():
                raise FeedError("The server did not answer the offer in time; is it on?")
            opening.result()
        finally:
            for task in (opening, leaving):
                task.cancel()
            await asyncio.gather(opening, leaving, return_exceptions=True)

    async def _hold(self, peer: Peer, renewed: asyncio.Event) -> str:
        """Watch over a connection whose descriptions are exchanged."""
        settings = self._settings
        self._vitals.connected()
        began_ms = self._whole_ms = self._clock.now_ms()
        while not await self._leaving(_LOOK_S):
            now_ms = self._clock.now_ms()
            self._vitals.took(peer.bytes - self._took)
            self._vitals.dropped(peer.left_out - self._left_out)
            self._took, self._left_out = peer.bytes, max(peer.left_out, self._left_out)
            if peer.ended.is_set():
                return peer.why
            if renewed.is_set():
                return "The server wants to connect anew."
            heard_ms = peer.last_packet_ms
            if heard_ms is None:
                if now_ms - began_ms > settings.connect_s * 1000:
                    return (
                        f"No packet came in {settings.connect_s:.0f} s; do both sides reach each "
                        "other by UDP, and does the sender send?"
                    )
            elif now_ms - heard_ms > settings.silent_s * 1000:
                return "The sender fell silent."
            elif now_ms - self._whole_ms > settings.blind_s * 1000:
                return f"No whole picture came in {settings.blind_s:.0f} s."
        return "Stopped."

    # ------------------------------------------------------------ pictures

    def _take(self, job: Job) -> None:
        """On the loop: a coded picture is whole."""
        self._whole_ms = self._clock.now_ms()
        self._vitals.received(job.coded.at_ms)
        if not self._decoder.put(job) and self._peer is not None:
            self._peer.need_key()

    def _emit(self, job: Job, seen: Seen) -> None:
        """On the decoding thread."""
        if self._ended.is_set():
            return
        at_ms = max(float(round(job.coded.at_ms)), self._last_at_ms + 1.0)
        self._last_at_ms = at_ms
        self._vitals.decoded(seen.luma, seen.whole, at_ms)
        frame = Frame(
            feed=self._feed,
            index=self._index,
            at_ms=at_ms,
            picture=seen.luma,
            size=seen.size,
            encoded=seen.jpeg,
            source_ms=job.source_ms,
        )
        self._index += 1
        self._sink(frame)

    def _undecodable(self, connection: int, why: str) -> None:
        """On the decoding thread: begin that connection anew with a key picture."""
        self._vitals.damaged(why)

        def ask() -> None:
            if connection == self._connection and self._peer is not None:
                self._peer.need_key()

        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(ask)


def _check_url(feed: str, url: str, words: Signalling) -> None:
    try:
        parts = urlsplit(url)
        host, scheme, _ = parts.hostname, parts.scheme, parts.port
    except ValueError as error:
        raise InputError(
            f"{feed}: the URL can't be read; expected http://HOST:PORT/PATH."
        ) from error
    wanted = ("ws", "wss") if words.kind == "websocket" else ("http", "https")
    if scheme not in wanted or not host:
        raise InputError(
            f"{feed}: expected an address {wanted[0]}:// or {wanted[1]}:// for {words.kind} "
            f"signalling, got '{public_url(url)}'; change the address or the signalling."
        )


def _is_here(url: str) -> bool:
    """Whether the server is on this very host."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
