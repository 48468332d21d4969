"""Signalling over a WebSocket in another system's words: the server offers, addresses trickle."""

import asyncio
import json
import threading
import time

import cv2
import numpy as np
import pytest
from aiortc import RTCSessionDescription, VideoStreamTrack
from av.video.frame import VideoFrame
from tests.outlets import moving
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from tap.clock import SystemClock
from tap.feeds.access import Access
from tap.feeds.webrtc import WebRtcFeed, WebRtcSettings
from tap.feeds.webrtc_aiortc import close_quietly, new_connection
from tap.feeds.webrtc_signal import Signalling

WORDS = Signalling(
    kind="websocket",
    offers="server",
    type="op",
    sdp="data.sdp",
    offer="describe",
    answer="described",
    candidate="ice",
    candidate_sdp="data.candidate",
    candidate_mid="data.mid",
    hello={"op": "watch", "camera": "{feed}"},
    bye={"op": "leave"},
    extra={"client": "tap"},
)


class Track(VideoStreamTrack):
    """Pictures at 30 a second."""

    def __init__(self):
        super().__init__()
        self._n = 0

    async def recv(self):
        pts, base = await self.next_timestamp()
        self._n += 1
        frame = VideoFrame.from_ndarray(cv2.cvtColor(moving(self._n), cv2.COLOR_BGR2RGB))
        frame.pts, frame.time_base = pts, base
        return frame


class System:
    """Another system's server, in a thread of its own; `as_object`: addresses as browsers write."""

    def __init__(self, *, as_object=False):
        self.heard, self.paths, self.sockets = [], [], []
        self._as_object = as_object
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self._ended = asyncio.Event()
        async with serve(self._talk, "127.0.0.1", 0, compression=None) as server:
            self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/stage"
            self._up.set()
            await self._ended.wait()

    async def _talk(self, socket):
        self.sockets.append(socket)
        self.paths.append(socket.request.path)
        connection = new_connection([], loopback=True)
        try:
            async for text in socket:
                said = json.loads(text)
                self.heard.append(said)
                if said["op"] == "watch":
                    await socket.send("no JSON at all")
                    await socket.send(json.dumps({"op": "welcome"}))
                    await self._offer(socket, connection)
                elif said["op"] == "described":
                    answer = RTCSessionDescription(said["data"]["sdp"], "answer")
                    await connection.setRemoteDescription(answer)
                    for line in self._candidates:
                        await socket.send(json.dumps(self._worded(line)))
        except ConnectionClosed:
            pass
        finally:
            await close_quietly(connection)

    async def _offer(self, socket, connection):
        connection.addTrack(Track())
        await connection.setLocalDescription(await connection.createOffer())
        lines = connection.localDescription.sdp.splitlines()
        self._candidates = [line for line in lines if line.startswith("a=candidate")]
        bare = [line for line in lines if not line.startswith(("a=candidate", "a=end-of"))]
        sdp = "\r\n".join(bare) + "\r\n"
        await socket.send(json.dumps({"op": "describe", "data": {"sdp": sdp}}))

    def _worded(self, line):
        line = line.removeprefix("a=")
        if self._as_object:
            return {"op": "ice", "data": {"candidate": {"candidate": line, "sdpMid": "0"}}}
        return {"op": "ice", "data": {"candidate": line, "mid": "0"}}

    def begin_anew(self):
        """Offer once more on the last socket."""
        text = json.dumps({"op": "describe", "data": {"sdp": "v=0\r\n"}})
        asyncio.run_coroutine_threadsafe(self.sockets[-1].send(text), self._loop).result(5)

    def __enter__(self):
        self._thread.start()
        assert self._up.wait(5)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)


def until(true, seconds=15.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not true():
        time.sleep(0.02)
    return bool(true())


@pytest.mark.parametrize("as_object", [False, True])
def test_a_server_that_offers_and_sends_its_addresses_later(as_object):
    frames = []
    settings = WebRtcSettings(first_wait_s=0.1, longest_wait_s=0.2)
    with System(as_object=as_object) as system:
        feed = WebRtcFeed(
            "cam-a",
            system.url,
            clock=SystemClock(),
            words=WORDS,
            access=Access(query={"key": "s3cret"}),
            settings=settings,
        )
        feed.start(frames.append)
        try:
            assert until(lambda: len(frames) > 10), feed.health()
            assert system.heard[0] == {"op": "watch", "camera": "cam-a"}
            assert (system.heard[1]["op"], system.heard[1]["client"]) == ("described", "tap")
            assert system.paths == ["/stage?key=s3cret"]
            assert len({frame.luma.tobytes() for frame in frames}) > 5
            assert np.median([frame.luma.shape for frame in frames], axis=0).tolist() == [135, 240]
            system.begin_anew()
            seen = len(frames)
            assert until(lambda: len(system.sockets) == 2)
            assert until(lambda: len(frames) > seen + 10)
        finally:
            feed.stop()
        assert {"op": "leave"} in system.heard
        assert "s3cret" not in feed.health().detail


def test_a_server_that_never_describes_itself_is_said_with_the_words_that_were_expected():
    async def chatter(socket):
        for n in range(300):
            await socket.send(json.dumps({"op": "news", "n": n}))
        await socket.wait_closed()

    ready, done = threading.Event(), asyncio.Event()
    place = {}

    async def run():
        async with serve(chatter, "127.0.0.1", 0) as server:
            place["url"] = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            place["loop"] = asyncio.get_running_loop()
            ready.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(5)
    feed = WebRtcFeed("cam-a", place["url"], clock=SystemClock(), words=WORDS)
    feed.start(lambda _: None)
    try:
        assert until(lambda: '"describe"' in feed.health().detail), feed.health()
        assert '"data.sdp"' in feed.health().detail
    finally:
        feed.stop()
        place["loop"].call_soon_threadsafe(done.set)
        thread.join(5)
