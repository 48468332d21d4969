"""One receive-only WebRTC connection, from its first description to its end."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from aiortc import (
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.sdp import candidate_from_sdp

from tap.errors import FeedError
from tap.feeds.webrtc_aiortc import Tapped, close_quietly, new_connection
from tap.feeds.webrtc_rtp import Assembler, Codec, Coded, Packet, SenderClock

MAX_SDP = 64 * 1024
MAX_CANDIDATES = 32
"""Addresses of the far side that are tried; each costs packets to whoever is there."""
MAX_SECTIONS = 8
TICK_S = 0.02
_ALLOW_MS = 500.0
_REPORT_MS = 1000.0
_KEY_MS = 400.0
_KEY_SLOWLY_MS = 2000.0
_KEY_TRIES = 8


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server, `stun:HOST:PORT` or `turn:HOST:PORT`."""

    url: str
    user: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


def check_sdp(sdp: str) -> str:
    """The description, if tap takes it up. Raises `FeedError` saying what is wrong with it.

    It comes from a stranger: its size, its sections and its addresses are bounded here, before
    aiortc reads it.
    """
    if len(sdp) > MAX_SDP:
        raise FeedError(f"Expected a session description of at most {MAX_SDP} bytes, got more.")
    lines = sdp.splitlines()
    if not lines or lines[0].strip() != "v=0":
        raise FeedError("Expected a session description (v=0 …), got something else.")
    sections = [line for line in lines if line.startswith("m=")]
    if len(sections) > MAX_SECTIONS:
        raise FeedError(f"Expected at most {MAX_SECTIONS} media in the description, got more.")
    if sum(line.startswith("m=video") for line in sections) != 1:
        raise FeedError("Expected exactly one video in the description; offer tap one video.")
    if any(line.startswith("m=application") for line in sections):
        raise FeedError("Expected video alone, got a data channel too; offer tap none.")
    if sum(line.startswith("a=candidate:") for line in lines) > MAX_CANDIDATES:
        raise FeedError(f"Expected at most {MAX_CANDIDATES} addresses in the description.")
    return sdp


class Peer:
    """Receives one video. Belongs to the event loop; close it in the end.

    `on_coded(codec, picture, parameter sets, source ms)` gets every whole coded picture in order.
    `ended` is set with `why` when the connection is over.
    """

    def __init__(
        self,
        *,
        now_ms: Callable[[], float],
        on_coded: Callable[[Codec, Coded, bytes, float | None], None],
        servers: tuple[IceServer, ...] = (),
        codecs: tuple[Codec, ...] = ("H264", "VP8"),
        kbps: int = 8000,
        loopback: bool = False,
    ) -> None:
        self._now_ms, self._on_coded, self._codecs, self._kbps = now_ms, on_coded, codecs, kbps
        self.ended = asyncio.Event()
        self.why = ""
        self._connection: RTCPeerConnection = new_connection(
            [RTCIceServer(s.url, username=s.user, credential=s.secret) for s in servers],
            loopback=loopback,
        )
        self._connection.on("connectionstatechange", self._state_changed)
        self._tapped: Tapped | None = None
        self._assembler: Assembler | None = None
        self._codec: Codec | None = None
        self._sender_clock = SenderClock()
        self._candidates = 0
        self._upkeep: asyncio.Task[None] | None = None
        self._nudge = asyncio.Event()

    # ------------------------------------------------------------ descriptions

    async def offer(self) -> str:
        """tap's own description, with all its addresses in it."""
        transceiver = self._connection.addTransceiver("video", direction="recvonly")
        self._prefer(transceiver)
        self._tap(transceiver)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def accept(self, answer: str) -> None:
        """Take the far side's answer to `offer`. Raises `FeedError` for one that is none."""
        await self._take(answer, "answer")
        self._begin()

    async def answer(self, offer: str) -> str:
        """tap's description in answer to the far side's. Raises `FeedError`."""
        await self._take(offer, "offer")
        for transceiver in self._connection.getTransceivers():
            if transceiver.kind == "video":
                transceiver.direction = "recvonly"
                self._prefer(transceiver)
                self._tap(transceiver)
            else:
                transceiver.direction = "inactive"
        with _described():
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        self._begin()
        return self._connection.localDescription.sdp

    async def add_candidate(self, line: str, mid: str | None) -> None:
        """One more address of the far side. Lines that are none and too many are left out."""
        self._candidates += 1
        if self._candidates > MAX_CANDIDATES or len(line) > 400:
            return
        words = line.removeprefix("a=").removeprefix("candidate:")
        with contextlib.suppress(ValueError, IndexError, AssertionError):
            candidate = candidate_from_sdp(words)
            candidate.sdpMid = mid
            if mid is None:
                candidate.sdpMLineIndex = 0
            await self._connection.addIceCandidate(candidate)

    async def _take(self, sdp: str, kind: str) -> None:
        check_sdp(sdp)
        self._candidates = len(re.findall(r"^a=candidate:", sdp, re.MULTILINE))
        with _described():
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp, kind))

    def _prefer(self, transceiver: RTCRtpTransceiver) -> None:
        capabilities = RTCRtpReceiver.getCapabilities("video")
        known = capabilities.codecs if capabilities is not None else []
        wanted = [c for name in self._codecs for c in known if c.name == name]
        transceiver.setCodecPreferences([*wanted, *(c for c in known if c.name == "rtx")])

    def _tap(self, transceiver: RTCRtpTransceiver) -> None:
        self._tapped = Tapped(
            transceiver,
            now_ms=self._now_ms,
            on_packet=self._packet,
            on_report=self._sender_clock.report,
            on_bye=lambda: self._end("The sender said that its stream is over."),
        )

    def _begin(self) -> None:
        self._upkeep = asyncio.create_task(self._keep_up())

    # ------------------------------------------------------------ pictures

    @property
    def bytes(self) -> int:
        """Payload received so far."""
        return self._tapped.bytes if self._tapped else 0

    @property
    def last_packet_ms(self) -> float | None:
        """When the last packet came, Unix ms."""
        return self._tapped.last_ms if self._tapped else None

    @property
    def left_out(self) -> int:
        """Whole pictures that could not be used because one before them was lost."""
        return self._assembler.left_out if self._assembler else 0

    def need_key(self) -> None:
        """What was handed out could not be decoded; begin anew with a key picture."""
        if self._assembler is not None:
            self._assembler.forget()
            self._nudge.set()

    def _packet(self, codec: Codec, packet: Packet) -> None:
        if self._tapped is None:
            return
        if self._assembler is None or codec != self._codec:
            known = codec == "H264" and bool(self._tapped.parameters())
            self._assembler, self._codec = Assembler(codec, has_parameters=known), codec
        asked = self._assembler.needs_key
        self._hand_over(self._assembler.add(packet))
        if self._assembler.needs_key and not asked:
            self._nudge.set()

    def _hand_over(self, pictures: list[Coded]) -> None:
        if self._codec is None or self._tapped is None:
            return
        parameters = self._tapped.parameters() if self._codec == "H264" else b""
        for picture in pictures:
            source_ms = self._sender_clock.source_ms(picture.timestamp)
            self._on_coded(self._codec, picture, parameters, source_ms)

    async def _keep_up(self) -> None:
        """Ask again for what is missing, report, and say how much may come."""
        allowed_ms = reported_ms = key_ms = float("-inf")
        tries = 0
        while True:
            tapped, assembler, now_ms = self._tapped, self._assembler, self._now_ms()
            if tapped is not None and assembler is not None:
                self._hand_over(assembler.pass_time(now_ms))
                await tapped.ask_for(assembler.to_ask(now_ms))
                tries = tries if assembler.needs_key else 0
                wait_ms = _KEY_MS if tries < _KEY_TRIES else _KEY_SLOWLY_MS
                if assembler.needs_key and now_ms - key_ms >= wait_ms:
                    await tapped.ask_for_key()
                    key_ms, tries = now_ms, tries + 1
                if self._kbps and now_ms - allowed_ms >= _ALLOW_MS:
                    await tapped.allow(self._kbps)
                    allowed_ms = now_ms
                if now_ms - reported_ms >= _REPORT_MS:
                    await tapped.report()
                    reported_ms = now_ms
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudge.wait(), TICK_S)
            self._nudge.clear()

    # ------------------------------------------------------------ the end

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "failed":
            self._end("The connection to the sender failed; do both sides reach each other by UDP?")
        elif state == "closed":
            self._end("The sender closed the connection.")

    def _end(self, why: str) -> None:
        if not self.ended.is_set():
            self.why = why
            self.ended.set()

    async def close(self) -> None:
        """End everything that belongs to the connection. Takes a bounded time."""
        self._end("Closed.")
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.gather(self._upkeep, return_exceptions=True)
        await close_quietly(self._connection)
        if self._tapped is not None:
            self._tapped.release()


@contextlib.contextmanager
def _described() -> Generator[None]:
    """aiortc raises what it likes, `AssertionError` included, for descriptions it can't read."""
    try:
        yield
    except Exception as error:
        raise FeedError(
            f"The far side's session description can't be used ({type(error).__name__}); "
            "expected H.264 or VP8 video."
        ) from error
