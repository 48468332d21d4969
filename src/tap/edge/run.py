"""The process beside the cameras: one connection to a NATS server, a sender for each camera."""

import asyncio
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tap.clock import Clock
from tap.edge.sender import Sender
from tap.errors import InputError
from tap.feeds.edge_extra import nats_client
from tap.feeds.edge_hub import connected
from tap.feeds.edge_times import Times
from tap.feeds.edge_wire import (
    WireError,
    is_name,
    picture_subject,
    server_of,
    unpack_picture_asked,
)
from tap.feeds.feed import LiveFeed
from tap.feeds.health import FeedHealth

RING_BYTES = 256 * 1024 * 1024
"""Of pictures that wait to be asked for, all cameras together."""
FLUSH_S = 0.02
STATUS_S = 1.0
MOST_UNSENT_BYTES = 64 * 1024
"""Waiting to be sent; what is newer is left out: when it came it would be of no use any more."""
MOST_PEERS = 4
GOODBYE_S = 2.0


@dataclass(frozen=True, slots=True)
class EdgeStatus:
    """The process at one moment; counts since its start."""

    server: str
    linked: bool
    detail: str
    feeds: tuple[FeedHealth, ...]
    sent: int
    """Fingerprints."""
    messages: int
    bytes: int
    """Of messages, with NATS's own words around them, pictures included."""
    left_out: int
    """Messages that could not be sent in time."""
    pictures: int
    """Pictures sent because they were asked for."""
    kept_bytes: int


class Edge:
    """Sends cameras to a NATS server until it is told to stop.

    `cameras` are feeds by the name that they are sent under, not started. Raises `InputError` for
    a name or an address that can't be, or where the extra is not installed.
    """

    def __init__(
        self,
        cameras: Mapping[str, LiveFeed],
        to: str,
        *,
        clock: Clock,
        token: str | None = None,
        fps: float | None = None,
        epoch: int | None = None,
        ring_bytes: int = RING_BYTES,
    ) -> None:
        for name in cameras:
            if not is_name(name):
                raise InputError(
                    f"expected a camera's name of 1 to 64 letters, digits, - and _, got {name!r}; "
                    "give it another"
                )
        if not cameras:
            raise InputError("expected at least one camera to send; give --feed ID=URL")
        nats_client()
        self._server = server_of(to, "--to")
        self._token, self._clock = token, clock
        self._epoch = epoch or secrets.randbits(32) or 1
        self.senders = {
            name: Sender(
                name,
                feed,
                epoch=self._epoch,
                publish=self._publish,
                ring_bytes=ring_bytes // len(cameras),
                fps=fps,
            )
            for name, feed in cameras.items()
        }
        self._client: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._saying: set[asyncio.Task[None]] = set()
        self._linked, self._detail = False, "Connecting."
        self._messages = self._bytes = self._left_out = self._pictures = 0

    def run(
        self,
        stop: threading.Event,
        on_status: Callable[[EdgeStatus], None] | None = None,
    ) -> None:
        """Send until `stop` is set; `on_status` hears each second how it goes."""
        asyncio.run(self._run(stop, on_status))

    def status(self) -> EdgeStatus:
        """How it is now."""
        return EdgeStatus(
            server=self._server,
            linked=self._linked,
            detail=self._detail,
            feeds=tuple(sender.feed.health() for sender in self.senders.values()),
            sent=sum(sender.sent for sender in self.senders.values()),
            messages=self._messages,
            bytes=self._bytes,
            left_out=self._left_out,
            pictures=self._pictures,
            kept_bytes=sum(sender.kept_bytes for sender in self.senders.values()),
        )

    # ------------------------------------------------------------ the loop

    async def _run(
        self, stop: threading.Event, on_status: Callable[[EdgeStatus], None] | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        linking = asyncio.ensure_future(self._link())
        for sender in self.senders.values():
            sender.start()
        told_ms = 0.0
        try:
            while not stop.is_set():
                now_ms = self._clock.now_ms()
                for sender in self.senders.values():
                    sender.flush(now_ms)
                if on_status is not None and now_ms - told_ms >= STATUS_S * 1000:
                    told_ms = now_ms
                    on_status(self.status())
                if linking.done():
                    linking.result()
                await asyncio.sleep(FLUSH_S)
        finally:
            for sender in self.senders.values():
                await asyncio.to_thread(sender.feed.stop)
            linking.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await linking
            if self._client is not None:
                with suppress(Exception):
                    async with asyncio.timeout(GOODBYE_S):
                        await self._client.close()
            if on_status is not None:
                on_status(self.status())

    async def _link(self) -> None:
        client = await connected(self._server, self._token, "tap edge", self._told)
        peers: dict[int, None] = {}

        def asked(who: int) -> None:
            """A witness asked what time it is here: ask back, so as to send an estimate too."""
            peers.pop(who, None)
            peers[who] = None
            while len(peers) > MOST_PEERS:
                del peers[next(iter(peers))]
            times.want(who)

        times = Times(client, self._epoch, self._clock, asked)
        await times.serve()
        for name, sender in self.senders.items():
            await client.subscribe(
                picture_subject(name), cb=self._picture_of(sender), pending_msgs_limit=64
            )
        self._client = client
        await times.run()

    def _picture_of(self, sender: Sender) -> Any:
        async def answer(message: Any) -> None:
            with suppress(WireError):
                asked = unpack_picture_asked(message.data)
                if message.reply:
                    said = await asyncio.to_thread(sender.picture, asked)
                    self._pictures += 1
                    await self._say(message.reply, said)

        return answer

    def _told(self, up: bool, detail: str) -> None:
        self._linked, self._detail = up, detail or "Connected."

    def _publish(self, subject: str, message: bytes) -> None:
        """On any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._hand_over, subject, message)

    def _hand_over(self, subject: str, message: bytes) -> None:
        client = self._client
        unsent = client.pending_data_size if client is not None else 0
        if client is None or not client.is_connected or unsent > MOST_UNSENT_BYTES:
            self._left_out += 1
            return
        task = asyncio.ensure_future(self._say(subject, message))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def _say(self, subject: str, message: bytes) -> None:
        try:
            await self._client.publish(subject, message)
        except Exception:  # noqa: BLE001 - the connection broke: the next one is for what is new
            self._left_out += 1
            return
        self._messages += 1
        self._bytes += len(message) + len(f"PUB {subject} {len(message)}\r\n\r\n")
