"""The WebRTC feed against the rig's server, real sockets all the way, and what goes wrong there."""

import asyncio
import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from aiortc import RTCCertificate
from aiortc import rtcdtlstransport as dtls
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.lossy import LossyWhep
from tests.outlets import Outlets, moving

from tap.clock import SystemClock
from tap.feeds import webrtc_decode
from tap.feeds.access import Access
from tap.feeds.health import FeedState
from tap.feeds.jpeg import decode_luma
from tap.feeds.webrtc import WebRtcFeed, WebRtcSettings
from tap.feeds.webrtc_loop import SHARED
from tap.feeds.webrtc_signal import Signalling
from tap.rig.serve_http import Token

QUICK = WebRtcSettings(
    signal_s=3, connect_s=5, silent_s=1.2, blind_s=3, first_wait_s=0.1, longest_wait_s=0.3
)
SECRET = "s3cret-t0ken"


def until(true, seconds=15.0):
    """Wait for something; whether it came."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())


@contextmanager
def watching(url, kind="whep", *, access=None, sink=None):
    frames = []
    feed = WebRtcFeed(
        "cam-a",
        url,
        clock=SystemClock(),
        words=Signalling(kind=kind),
        access=access,
        settings=QUICK,
    )
    feed.start(sink or frames.append)
    try:
        yield feed, frames
    finally:
        began = time.monotonic()
        feed.stop()
        assert time.monotonic() - began < 6
        assert feed.health().state is FeedState.STOPPED


@pytest.mark.parametrize("codec", ["H264", "VP8"])
@pytest.mark.parametrize("kind", ["whep", "http", "websocket"])
def test_pictures_come_by_every_way_of_asking(kind, codec):
    with Outlets("cam-a", codec=codec) as server:
        way = {"whep": "/cam-a/whep", "http": "/cam-a/offer", "websocket": "/cam-a/signal"}[kind]
        base = server.base.replace("http", "ws") if kind == "websocket" else server.base
        with watching(base + way, kind) as (feed, frames):
            assert until(lambda: len(frames) > 25)
            health = feed.health()
            assert (health.state, health.size, health.connects) == (FeedState.LIVE, (320, 180), 1)
            assert server.outlets["cam-a"].viewers
        if kind != "http":  # there nobody tells the server that the viewer has left
            assert until(lambda: not server.outlets["cam-a"].viewers)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert all(a.at_ms < b.at_ms and b.at_ms == round(b.at_ms) for a, b in pairwise(frames))
    for frame in frames[:5]:
        luma, size = decode_luma(frame.encoded)
        # What a recording keeps gives the very same to sight.
        assert np.array_equal(luma, frame.luma)
        assert size == frame.size
    middle = np.median([b.at_ms - a.at_ms for a, b in pairwise(frames)])
    assert 35 < middle < 75


@pytest.mark.parametrize("where", ["query", "header"])
def test_a_token_opens_the_way_and_is_told_to_nobody(where, caplog):
    caplog.set_level(logging.DEBUG)
    with Outlets("cam-a", token=Token(SECRET, where, "token")) as server:
        sent = {"query": {"token": SECRET}} if where == "query" else {"headers": {"token": SECRET}}
        with watching(server.base + "/cam-a/whep", access=Access(**sent)) as (feed, frames):
            assert until(lambda: len(frames) > 2)
        with watching(server.base + "/cam-a/whep?token=wr0ng") as (feed, frames):
            assert until(lambda: feed.health().state is FeedState.FAILED)
            assert "401" in feed.health().detail
            assert "wr0ng" not in feed.health().detail
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("tap")]
    assert ours
    assert not [text for text in ours if SECRET in text or "wr0ng" in text]


def test_a_feed_that_is_killed_comes_back():
    with Outlets("cam-a") as server, watching(server.base + "/cam-a/whep") as (feed, frames):
        assert until(lambda: len(frames) > 5)
        for _ in range(2):
            server.turn("cam-a", "killed")
            assert until(lambda: feed.health().state is FeedState.BACKOFF, 5)
            server.turn("cam-a", "playing")
            seen = len(frames)
            assert until(lambda: len(frames) > seen + 5)  # noqa: B023
        assert feed.health().connects >= 3


def test_a_way_that_goes_dead_is_noticed_long_before_ice_does():
    with Outlets("cam-a") as server, LossyWhep(server.base + "/cam-a/whep") as whep:
        with watching(whep.url + "?token=s3cret") as (feed, frames):
            assert until(lambda: len(frames) > 5)
            whep.set(blocked=True)
            began = time.monotonic()
            assert until(lambda: feed.health().state is not FeedState.LIVE, 5)
            assert time.monotonic() - began < 3
            whep.refuse = True
            whep.set(blocked=False)
            assert until(lambda: "503" in feed.health().detail, 5)
            whep.refuse = False
            seen = len(frames)
            assert until(lambda: len(frames) > seen + 5)
        assert "token=s3cret" not in feed.health().detail
        assert [r for r in whep.requests if r.startswith("DELETE")]


def test_lost_packets_are_asked_for_again_and_the_rest_is_begun_anew():
    with (
        Outlets("cam-a") as server,
        LossyWhep(server.base + "/cam-a/whep") as whep,
        watching(whep.url) as (feed, frames),
    ):
        assert until(lambda: len(frames) > 5)
        whep.set(loss=0.05, delay_ms=15.0)
        seen, sent = len(frames), server.outlets["cam-a"].sent
        time.sleep(5)
        assert whep.lost_part > 0.02
        got = len(frames) - seen
        assert got >= 0.85 * (server.outlets["cam-a"].sent - sent)
        whep.set(loss=1.0)
        time.sleep(0.6)  # a hole that no asking again can fill
        whep.set(loss=0.0, delay_ms=0.0)
        seen = len(frames)
        assert until(lambda: len(frames) > seen + 20, 5)
        assert feed.health().connects == 1


def test_black_frozen_and_resized_pictures_are_just_pictures():
    black = np.zeros((180, 320, 3), np.uint8)
    with (
        Outlets("cam-a", codec="H264") as server,
        watching(server.base + "/cam-a/whep") as (feed, frames),
    ):
        assert until(lambda: len(frames) > 5)
        server.make["cam-a"] = lambda _: black
        assert until(lambda: frames[-1].luma.max() < 30)
        assert until(lambda: feed.health().distinct_fps < 3 < feed.health().fps)
        server.make["cam-a"] = lambda n: moving(n, (480, 640))
        assert until(lambda: frames[-1].size == (480, 640))
        assert frames[-1].luma.shape == (240, 180)
        assert feed.health().size == (480, 640)
        assert feed.health().connects == 1


def test_whoever_is_slow_gets_the_latest_and_holds_up_nothing(monkeypatch):
    ages = []
    clock = SystemClock()

    def slow(frame):
        ages.append(clock.now_ms() - frame.at_ms)
        time.sleep(0.4)

    with Outlets("cam-a") as server, watching(server.base + "/cam-a/whep", sink=slow) as (feed, _):
        assert until(lambda: len(ages) > 12, 20)
        health = feed.health()
        assert health.dropped > 3 * health.decoded
        assert max(ages) < 1000 * 0.05 * (webrtc_decode.MAX_WAITING + 8) + 800
        assert feed.health().connects == 1


def test_a_peer_with_an_rsa_certificate_is_taken(monkeypatch):
    def generate(cls):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return cls(key=key, cert=dtls.generate_certificate(key))

    monkeypatch.setattr(RTCCertificate, "generateCertificate", classmethod(generate))
    with Outlets("cam-a") as server, watching(server.base + "/cam-a/whep") as (_, frames):
        assert until(lambda: len(frames) > 5)


# ---------------------------------------------------------------- hostile servers

SDP = b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"


@contextmanager
def answering(status, body, kind="application/sdp", slowly=False):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Location", "http://elsewhere.invalid/take/my/token")
            self.end_headers()
            try:
                if slowly:
                    for byte in body:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(0.2)
                self.wfile.write(body)
            except OSError:
                pass

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/whep"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "kind", "word"),
    [
        (201, b"", "application/sdp", "session description"),
        (201, b"\xff\xfe\x00" * 100, "application/sdp", "no text"),
        (201, SDP, "application/sdp", "can't be used"),
        (201, SDP + b"a=rtpmap:999999 X/0\r\na=fmtp:\r\n", "application/sdp", "can't be used"),
        (201, SDP * 3, "application/sdp", "exactly one video"),
        (201, b"v=0\r\n" + b"a=x\r\n" * 60_000, "application/sdp", "at most"),
        (200, b"<html>hello</html>", "text/html", "check the feed's URL"),
        (302, b"", "text/plain", "redirects"),
        (404, b"", "text/plain", "404"),
        (500, b"", "text/plain", "status 500"),
    ],
)
def test_whatever_a_server_answers_the_feed_says_it_in_a_sentence(status, body, kind, word):
    with answering(status, body, kind) as url, watching(url) as (feed, frames):
        assert until(lambda: word in feed.health().detail, 10), feed.health().detail
        assert feed.health().state in (FeedState.BACKOFF, FeedState.FAILED, FeedState.CONNECTING)
    assert frames == []


def test_a_server_that_trickles_is_given_up():
    with answering(201, SDP * 20, slowly=True) as url, watching(url) as (feed, _):
        assert until(lambda: "in time" in feed.health().detail, 10)


def test_nobody_there():
    with watching("http://127.0.0.1:9/whep") as (feed, _):
        assert until(lambda: "could not be reached" in feed.health().detail)


# ---------------------------------------------------------------- nothing stays behind


def descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def threads():
    """Of this process, without the pools of the server's loop, which grow as they like."""
    return sorted(t.name for t in threading.enumerate() if not t.name.startswith("asyncio_"))


async def tasks():
    return len(asyncio.all_tasks())


def test_connections_that_never_come_up_leave_nothing_behind():
    with (
        Outlets("cam-a", "cam-b") as server,
        LossyWhep(server.base + "/cam-a/whep", loss=1.0) as whep,
        watching(server.base + "/cam-b/whep") as (_, frames),
    ):
        assert until(lambda: len(frames) > 3)
        loop = SHARED.borrow()

        def count():
            return asyncio.run_coroutine_threadsafe(tasks(), loop).result(5)

        before = count()
        hurried = replace(QUICK, connect_s=0.8)
        feed = WebRtcFeed("cam-a", whep.url, clock=SystemClock(), settings=hurried)
        feed.start(lambda _: None)
        assert until(lambda: feed.health().connects >= 5, 20)
        feed.stop()
        assert sum(request.startswith("DELETE") for request in whep.requests) == 5
        assert until(lambda: count() == before, 10), count()
        assert until(lambda: server.desk.viewers == 1)
        SHARED.give_back()


def test_no_task_no_thread_and_no_descriptor_stays_behind():
    before = threads()
    with (
        Outlets("cam-a", "cam-b") as server,
        watching(server.base + "/cam-b/whep"),  # keeps the shared loop alive
    ):
        counts = []
        loop = SHARED.borrow()
        for n in range(6):
            with watching(server.base + "/cam-a/whep") as (_, frames):
                assert until(lambda: len(frames) > 3)
            assert until(lambda: server.desk.viewers == 1)
            time.sleep(0.3)
            left = asyncio.run_coroutine_threadsafe(tasks(), loop).result(5)
            if n:  # the first time loads codecs and the like
                counts.append((left, threads(), descriptors()))
        SHARED.give_back()
    assert all(count == counts[0] for count in counts)
    assert threads() == before
