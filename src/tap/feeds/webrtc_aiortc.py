"""The part of tap that knows aiortc from inside: its faults, and how they are dealt with.

aiortc 1.16 hands packets to a receiver by `_handle_rtp_packet` and `_handle_rtcp_packet`. tap puts
its own in their place, so that aiortc's jitter buffer, its unbounded queues, its decoder thread
(which `close()` joins on the event loop) and its bandwidth estimate (which starves) see nothing.
Every private name used is here; the lock pins aiortc to 1.16.
"""

import asyncio
import base64
import contextlib
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import aioice.ice
from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpTransceiver,
)
from aiortc.codecs import depayload, is_rtx
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
    unwrap_rtx,
)
from OpenSSL import SSL

from tap.feeds.webrtc_rtp import Codec, Packet

_log = logging.getLogger(__name__)

# aiortc offers ECDSA suites alone; GStreamer up to 1.22 and others hold RSA certificates.
_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA"
)
_CODECS: dict[str, Codec] = {"H264": "H264", "VP8": "VP8"}
_MAX_SPROP = 4096
_MAX_STREAMS = 8

# aioice leaves out 127.0.0.1, the only address that two programs of one host without a network
# share. Whoever connects within this host says so for the length of the gathering.
_LOOPBACK: ContextVar[bool] = ContextVar("loopback", default=False)
_host_addresses = aioice.ice.get_host_addresses


def _addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    found = _host_addresses(use_ipv4=use_ipv4, use_ipv6=use_ipv6)
    return ["127.0.0.1", *found] if _LOOPBACK.get() else found


aioice.ice.get_host_addresses = _addresses


def new_connection(servers: list[RTCIceServer], *, loopback: bool) -> RTCPeerConnection:
    """A peer connection; `loopback` must be set by the task that will gather its candidates.

    Without servers none is asked: aiortc's default is a public one.
    """
    _LOOPBACK.set(loopback)
    connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
    inside: Any = connection
    certificates: list[Any] = inside._RTCPeerConnection__certificates  # noqa: SLF001
    for certificate in certificates:
        _take_rsa_too(certificate)
    return connection


def _take_rsa_too(certificate: Any) -> None:
    original = certificate._create_ssl_context  # noqa: SLF001

    def create(srtp_profiles: list[Any]) -> SSL.Context:
        context: SSL.Context = original(srtp_profiles=srtp_profiles)
        context.set_cipher_list(_CIPHERS)
        return context

    certificate._create_ssl_context = create  # noqa: SLF001


class Tapped:
    """Stands in a receiver's place: gives packets to `on_packet`, and sends the feedback.

    Belongs to the event loop. Create it before the connection starts.
    """

    def __init__(
        self,
        transceiver: RTCRtpTransceiver,
        *,
        now_ms: Callable[[], float],
        on_packet: Callable[[Codec, Packet], None],
        on_report: Callable[[int, int], None],
        on_bye: Callable[[], None],
    ) -> None:
        self._transceiver = transceiver
        self._receiver: RTCRtpReceiver = transceiver.receiver
        self._now_ms = now_ms
        self._on_packet, self._on_report, self._on_bye = on_packet, on_report, on_bye
        self._codecs: dict[int, RTCRtpCodecParameters] = {}
        self._rtx: dict[int, int] = {}
        self._statistics: dict[int, StreamStatistics] = {}
        self._reports: dict[int, tuple[int, float]] = {}
        self.ssrc: int | None = None
        """The stream that pictures come from."""
        self.bytes = 0
        self.last_ms: float | None = None
        """When the last packet arrived."""
        self._receive = self._receiver.receive
        receiver: Any = self._receiver
        receiver.receive = self._begin
        receiver._handle_rtp_packet = self._rtp  # noqa: SLF001
        receiver._handle_rtcp_packet = self._rtcp  # noqa: SLF001

    async def _begin(self, parameters: RTCRtpReceiveParameters) -> None:
        self._codecs = {c.payloadType: c for c in parameters.codecs if c.payloadType is not None}
        self._rtx = {e.rtx.ssrc: e.ssrc for e in parameters.encodings if e.rtx and e.ssrc}
        await self._receive(parameters)

    def release(self) -> None:
        """Undo the reference cycle, so that nothing waits for the garbage collector."""
        receiver: Any = self._receiver
        for name in ("receive", "_handle_rtp_packet", "_handle_rtcp_packet"):
            with contextlib.suppress(AttributeError):
                delattr(receiver, name)

    def parameters(self) -> bytes:
        """H.264's parameter sets as the signalling named them, in Annex B form; often none."""
        for codec in self._codecs.values():
            said = codec.parameters.get("sprop-parameter-sets")
            if codec.name == "H264" and isinstance(said, str) and len(said) <= _MAX_SPROP:
                with contextlib.suppress(ValueError):
                    units = [base64.b64decode(part, validate=True) for part in said.split(",")]
                    return b"".join(b"\0\0\0\1" + unit for unit in units if unit)
        return b""

    # ------------------------------------------------------------ what comes in

    async def _rtp(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        at_ms = self._now_ms()
        codec = self._codecs.get(packet.payload_type)
        if codec is None:
            return
        self.last_ms = at_ms
        self.bytes += len(packet.payload)
        self._count(packet, codec)
        if is_rtx(codec):
            original = self._rtx.get(packet.ssrc, self.ssrc)
            kind = codec.parameters.get("apt")
            if original is None or not isinstance(kind, int) or kind not in self._codecs:
                return
            if len(packet.payload) < 2:
                return
            packet = unwrap_rtx(packet, payload_type=kind, ssrc=original)
            codec = self._codecs[kind]
        name = _CODECS.get(codec.name)
        if name is None:
            return
        try:
            data = depayload(codec, packet.payload) if packet.payload else b""
        except (ValueError, IndexError):
            return  # as if it were lost
        self.ssrc = packet.ssrc
        self._on_packet(
            name,
            Packet(
                packet.ssrc,
                packet.sequence_number,
                packet.timestamp,
                bool(packet.marker),
                data,
                at_ms,
            ),
        )

    def _count(self, packet: RtpPacket, codec: RTCRtpCodecParameters) -> None:
        found = self._statistics.get(packet.ssrc)
        if found is None:
            if len(self._statistics) >= _MAX_STREAMS:
                self._statistics.clear()
                self._reports.clear()
            found = self._statistics[packet.ssrc] = StreamStatistics(codec.clockRate)
        found.add(packet)

    async def _rtcp(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            if packet.ssrc in self._statistics:
                middle = (info.ntp_timestamp >> 16) & 0xFFFFFFFF
                self._reports[packet.ssrc] = (middle, self._now_ms())
            if packet.ssrc == self.ssrc:
                self._on_report(info.ntp_timestamp, info.rtp_timestamp)
        elif isinstance(packet, RtcpByePacket) and (
            not packet.sources or self.ssrc in packet.sources
        ):
            self._on_bye()

    # ------------------------------------------------------------ what goes out

    async def ask_for(self, missing: list[int]) -> None:
        """Ask the sender to send these packets again (NACK)."""
        if self.ssrc is not None and missing:
            packet = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=self._own, media_ssrc=self.ssrc)
            packet.lost = missing
            await self._send(packet)

    async def ask_for_key(self) -> None:
        """Ask for a key picture (PLI)."""
        if self.ssrc is not None:
            await self._send(
                RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=self._own, media_ssrc=self.ssrc)
            )

    async def allow(self, kbps: int) -> None:
        """Tell the sender how much may come (REMB)."""
        if self.ssrc is not None:
            fci = pack_remb_fci(kbps * 1000, [self.ssrc])
            await self._send(
                RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=self._own, media_ssrc=0, fci=fci)
            )

    async def report(self) -> None:
        """What came and what was lost, as every receiver owes its sender (RR)."""
        reports: list[RtcpReceiverInfo] = []
        for ssrc, seen in self._statistics.items():
            middle, at_ms = self._reports.get(ssrc, (0, 0.0))
            since = int((self._now_ms() - at_ms) * 65.536) if middle else 0
            reports.append(
                RtcpReceiverInfo(
                    ssrc=ssrc,
                    fraction_lost=seen.fraction_lost,
                    packets_lost=seen.packets_lost,
                    highest_sequence=(seen.cycles + (seen.max_seq or 0)) & 0xFFFFFFFF,
                    jitter=seen.jitter & 0xFFFFFFFF,
                    lsr=middle,
                    dlsr=min(max(since, 0), 0xFFFFFFFF),
                )
            )
        if reports:
            await self._send(RtcpRrPacket(ssrc=self._own, reports=reports))

    @property
    def _own(self) -> int:
        sender: Any = self._transceiver.sender
        return int(sender._ssrc)  # noqa: SLF001

    async def _send(self, packet: AnyRtcpPacket) -> None:
        receiver: Any = self._receiver
        with contextlib.suppress(ConnectionError, OSError):
            await receiver._send_rtcp(packet)  # noqa: SLF001


async def close_quietly(connection: RTCPeerConnection, seconds: float = 3.0) -> None:
    """Close a connection within bounds, whatever state it is in."""
    try:
        async with asyncio.timeout(seconds):
            await connection.close()
    except TimeoutError:
        _log.warning("a WebRTC connection did not close in %.0f s", seconds)
    except Exception as error:  # noqa: BLE001 - the library's own faults must not keep a feed down
        _log.warning("a WebRTC connection did not close well (%s)", type(error).__name__)
