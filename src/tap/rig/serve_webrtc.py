"""The feeds of a served shoot over WebRTC: the server's side of WHEP, and two other ways to ask."""

import asyncio
import contextlib
import secrets
from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

import cv2
import numpy as np
from aiortc import (
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError
from av.video.frame import VideoFrame

from tap.errors import FeedError
from tap.feeds.webrtc_aiortc import close_quietly, new_connection
from tap.feeds.webrtc_peer import check_sdp
from tap.rig.serve_feed import FeedCutError, Outlet

WebRtcCodec = Literal["H264", "VP8"]

MAX_VIEWERS = 16
"""WebRTC connections at a time; each codes its pictures anew."""
CONNECT_S = 20.0
"""A connection that is not up by then is let go."""

_BASE = Fraction(1, 90_000)


class BusyError(FeedError):
    """Too many watch already."""


class OutletTrack(VideoStreamTrack):
    """An outlet's pictures as a track: each at its own time."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self._parts = outlet.watch()
        self._closing: asyncio.Task[None] | None = None

    async def recv(self) -> VideoFrame:
        """The next picture; the track ends with the feed, however that ends."""
        while True:
            try:
                part = await anext(self._parts)
            except (StopAsyncIteration, FeedCutError) as error:
                self.stop()
                raise MediaStreamError from error
            picture = await asyncio.get_running_loop().run_in_executor(None, _decoded, part.jpeg)
            if picture is not None:
                picture.pts = round(part.due_ms * 90)
                picture.time_base = _BASE
                return picture

    def stop(self) -> None:
        """End the track, and no longer count as a viewer."""
        super().stop()
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._leave())

    async def _leave(self) -> None:
        # A generator that is waited for ends by the cancelling of whoever waits.
        with contextlib.suppress(RuntimeError):
            await self._parts.aclose()


def _decoded(jpeg: bytes) -> VideoFrame | None:
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if found is None:
        return None
    height, width = found.shape[:2]
    even = np.ascontiguousarray(found[: height & ~1, : width & ~1], dtype=np.uint8)
    return VideoFrame.from_ndarray(even, format="bgr24").reformat(format="yuv420p")


class Desk:
    """Answers offers, and keeps the connections. Belongs to the server's event loop."""

    def __init__(
        self, outlets: Mapping[str, Outlet], codec: WebRtcCodec, *, loopback: bool
    ) -> None:
        self._outlets = outlets
        self._codec = codec
        self._loopback = loopback
        self._open: dict[str, RTCPeerConnection] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def viewers(self) -> int:
        """Connections now."""
        return len(self._open)

    async def answer(self, feed: str, offer: str) -> tuple[str, str]:
        """(id of the connection, the answer) to a viewer's offer.

        Raises `BusyError`, and `FeedError` for a description that is none.
        """
        if len(self._open) >= MAX_VIEWERS:
            raise BusyError(f"expected at most {MAX_VIEWERS} viewers over WebRTC, got one more")
        check_sdp(offer)
        name = secrets.token_hex(8)
        connection = self._open[name] = new_connection([], loopback=self._loopback)
        track = OutletTrack(self._outlets[feed])

        def changed() -> None:
            if connection.connectionState in ("failed", "closed"):
                self.close(name)

        connection.on("connectionstatechange", changed)
        track.on("ended", lambda: self.close(name))
        try:
            connection.addTrack(track)
            await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            for transceiver in connection.getTransceivers():
                self._prefer(transceiver)
            await connection.setLocalDescription(await connection.createAnswer())
        except Exception as error:
            self.close(name)
            raise FeedError(
                f"the offer can't be used ({type(error).__name__}): expected one video, "
                f"received only, {self._codec} among its codecs"
            ) from error
        asyncio.get_running_loop().call_later(CONNECT_S, self._check_up, name)
        return name, connection.localDescription.sdp

    def _prefer(self, transceiver: RTCRtpTransceiver) -> None:
        if transceiver.kind != "video":
            transceiver.direction = "inactive"
            return
        known = RTCRtpSender.getCapabilities("video").codecs
        wanted = [codec for codec in known if codec.name in (self._codec, "rtx")]
        transceiver.setCodecPreferences(wanted)

    def _check_up(self, name: str) -> None:
        connection = self._open.get(name)
        if connection is not None and connection.connectionState != "connected":
            self.close(name)

    def close(self, name: str) -> bool:
        """Let one connection go; False where there is none of that name."""
        connection = self._open.pop(name, None)
        if connection is None:
            return False
        task = asyncio.create_task(close_quietly(connection))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return True

    async def end(self) -> None:
        """Let all go, and wait until they are gone."""
        for name in tuple(self._open):
            self.close(name)
        await asyncio.gather(*self._closing, return_exceptions=True)
