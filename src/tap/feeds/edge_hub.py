"""The one connection to a NATS server that all far cameras on it share."""

import asyncio
import contextlib
import logging
import secrets
import ssl
import threading
from collections.abc import Callable
from typing import Any, Protocol

from tap.clock import Clock
from tap.feeds.edge_clock import Sample
from tap.feeds.edge_extra import nats_client
from tap.feeds.edge_times import Times
from tap.feeds.edge_wire import frames_subject, picture_subject
from tap.feeds.webrtc_loop import SharedLoop

_log = logging.getLogger(__name__)

EDGE_LOOP = SharedLoop("edge loop")
WAITING_MESSAGES, WAITING_BYTES = 128, 512 * 1024
"""Of one camera, before newer ones are left out: some seconds."""
GOODBYE_S = 2.0


class Listener(Protocol):
    """A camera's feed; called on the hub's loop."""

    def take(self, message: bytes) -> None:
        """A message of fingerprints, whatever it holds."""
        ...

    def linked(self, up: bool, detail: str) -> None:
        """The connection came up or went down."""
        ...

    def passed_over(self) -> None:
        """A message was left out, as too many wait already, or it was too large."""
        ...


async def connected(
    server: str,
    token: str | None,
    name: str,
    told: Callable[[bool, str], None],
    passed_over: Callable[[str], None] = lambda subject: None,
) -> Any:
    """A client that is connected to `server`, and connects anew by itself for ever.

    `told` hears when the connection comes up or goes down, and why it doesn't come up;
    `passed_over` of messages on a subject that were left out.
    """
    client = nats_client()

    async def up() -> None:
        told(True, "")

    async def down() -> None:
        told(False, "The NATS server is gone; tap connects anew when it is back.")

    async def failed(error: Exception) -> None:
        subject = getattr(error, "subject", None)
        if isinstance(subject, str):
            passed_over(subject)
        if not client.is_connected:
            told(False, f"The NATS server can't be reached ({_why(error, token)}).")

    options: dict[str, Any] = {"tls": ssl.create_default_context()} if server[:3] == "tls" else {}
    await client.connect(
        servers=[server],
        name=name,
        token=token,
        allow_reconnect=True,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.5,
        connect_timeout=5,
        ping_interval=5,
        max_outstanding_pings=2,
        pending_size=256 * 1024,
        reconnected_cb=up,
        disconnected_cb=down,
        error_cb=failed,
        **options,
    )
    told(True, "")
    return client


def _why(error: Exception, token: str | None) -> str:
    said = str(error).replace("nats: ", "") or type(error).__name__
    return said.replace(token, "***") if token else said


class Hub:
    """Borrow one with `hub_for`, and give it back."""

    def __init__(self, server: str, token: str | None, clock: Clock) -> None:
        self.server = server
        self._token = token
        self._clock = clock
        self._listeners: dict[str, list[Listener]] = {}
        self._subscriptions: dict[str, Any] = {}
        self._client: Any = None
        self._times: Times | None = None
        self._up, self._detail = False, ""
        self._loop = EDGE_LOOP.borrow()
        self._running = asyncio.run_coroutine_threadsafe(self._run(), self._loop)

    # ------------------------------------------------------------ for feeds, on any thread

    def attach(self, name: str, listener: Listener) -> None:
        """Hand the camera's messages to `listener` from now on."""
        self._do(self._attach(name, listener))

    def detach(self, name: str, listener: Listener) -> None:
        """No more."""
        self._do(self._detach(name, listener))

    def picture(self, name: str, question: bytes, timeout_s: float) -> bytes:
        """Ask the camera's host for a picture; the answer as it came. Raises `TimeoutError`, and
        whatever the client raises."""

        async def ask() -> bytes:
            if self._client is None:
                raise TimeoutError
            message = await self._client.request(picture_subject(name), question, timeout=timeout_s)
            return bytes(message.data)

        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result(timeout_s + 1.0)

    def close(self) -> None:
        """Hang up; takes a bounded time."""
        self._running.cancel()
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._goodbye(), self._loop).result(GOODBYE_S + 1.0)
        EDGE_LOOP.give_back()

    def _do(self, what: Any) -> None:
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(what, self._loop).result(GOODBYE_S)

    # ------------------------------------------------------------ on the loop

    def offset(self, epoch: int) -> Sample | None:
        """How far that host's clock is ahead of ours, as far as it is known."""
        return self._times.want(epoch) if self._times is not None else None

    async def _run(self) -> None:
        try:
            client = await connected(
                self.server, self._token, "tap witness", self._told, self._passed_over
            )
            self._client = client
            self._times = Times(client, secrets.randbits(32) or 1, self._clock)
            await self._times.serve()
            for name in list(self._listeners):
                await self._subscribe(name)
            await self._times.run()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the task's last words: nobody else would hear of it
            _log.exception("the connection to a NATS server failed")
            self._told(False, f"tap itself failed: {type(error).__name__}.")

    async def _goodbye(self) -> None:
        if self._client is not None:
            async with asyncio.timeout(GOODBYE_S):
                await self._client.close()

    async def _attach(self, name: str, listener: Listener) -> None:
        self._listeners.setdefault(name, []).append(listener)
        if self._up or self._detail:
            listener.linked(self._up, self._detail)
        if self._client is not None:
            await self._subscribe(name)

    async def _detach(self, name: str, listener: Listener) -> None:
        left = self._listeners.get(name, [])
        if listener in left:
            left.remove(listener)
        if not left:
            self._listeners.pop(name, None)
            subscription = self._subscriptions.pop(name, None)
            if subscription is not None:
                await subscription.unsubscribe()

    async def _subscribe(self, name: str) -> None:
        if name in self._subscriptions:
            return
        listeners = self._listeners[name]

        async def take(message: Any) -> None:
            for listener in listeners:
                listener.take(message.data)

        self._subscriptions[name] = await self._client.subscribe(
            frames_subject(name),
            cb=take,
            pending_msgs_limit=WAITING_MESSAGES,
            pending_bytes_limit=WAITING_BYTES,
        )

    def _passed_over(self, subject: str) -> None:
        for listener in self._listeners.get(subject.removeprefix(frames_subject("")), []):
            listener.passed_over()

    def _told(self, up: bool, detail: str) -> None:
        self._up, self._detail = up, detail
        for listeners in list(self._listeners.values()):
            for listener in listeners:
                listener.linked(up, detail)


_hubs: dict[tuple[str, str | None, int], tuple[Hub, int]] = {}
_lock = threading.Lock()


def borrow_hub(server: str, token: str | None, clock: Clock) -> Hub:
    """The connection to this server; give it back once for every time it was borrowed."""
    key = server, token, id(clock)
    with _lock:
        hub, users = _hubs.get(key) or (Hub(server, token, clock), 0)
        _hubs[key] = hub, users + 1
        return hub


def give_back_hub(hub: Hub) -> None:
    """The last one hangs up."""
    with _lock:
        key, (_, users) = next(item for item in _hubs.items() if item[1][0] is hub)
        if users > 1:
            _hubs[key] = hub, users - 1
            return
        del _hubs[key]
    hub.close()
