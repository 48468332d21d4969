"""The MJPEG feed against real sockets: a real FFmpeg, and servers that misbehave on purpose."""

import contextlib
import logging
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from tap.clock import SystemClock
from tap.feeds.access import Access
from tap.feeds.health import FeedHealth, FeedState
from tap.feeds.jpeg import decode_luma
from tap.feeds.mjpeg import MjpegFeed, MjpegSettings
from tap.vocabulary import Frame

QUICK = MjpegSettings(
    connect_s=1.0, silent_s=0.6, part_s=0.6, first_wait_s=0.05, longest_wait_s=0.2,
    refused_wait_s=0.2,
)  # fmt: skip
PATIENT = MjpegSettings(first_wait_s=0.1, longest_wait_s=0.3)
MULTIPART = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"

Handler = Callable[[socket.socket], None]


def jpeg(number: int, width: int = 320, height: int = 180) -> bytes:
    picture = np.full((height, width, 3), 20 + number % 200, np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def part(body: bytes) -> bytes:
    head = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head + body + b"\r\n"


class Server:
    """Accepts connections one after another and hands each, its request read, to `handler`."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/stream"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.settimeout(10)
                self.requests.append(client.recv(65536))
                self.handler(client)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def watching(
    handler: Handler, settings: MjpegSettings = QUICK, **options: Access
) -> Iterator[tuple[MjpegFeed, list[Frame], Server]]:
    server = Server(handler)
    feed = MjpegFeed("cam-a", server.url, clock=SystemClock(), settings=settings, **options)
    frames: list[Frame] = []
    feed.start(frames.append)
    try:
        yield feed, frames, server
    finally:
        began = time.monotonic()
        feed.stop()
        assert time.monotonic() - began < 3
        server.close()
    assert feed.health().state is FeedState.STOPPED


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def send(client: socket.socket, count: int, fps: float = 50.0) -> None:
    for number in range(count):
        client.sendall(part(jpeg(number)))
        time.sleep(1 / fps)


def hold(client: socket.socket) -> None:
    """Keep the connection open until the other side leaves."""
    with contextlib.suppress(OSError):
        while client.recv(4096):
            pass


def test_frames_carry_their_bytes_their_times_and_nothing_else() -> None:
    def serve(client: socket.socket) -> None:
        client.sendall(MULTIPART)
        send(client, 30)
        hold(client)

    with watching(serve) as (feed, frames, server):
        until(lambda: len(frames) == 30)
        health = feed.health()
        now_ms = SystemClock().now_ms()
    assert [f.encoded for f in frames] == [jpeg(n) for n in range(30)]
    assert [f.index for f in frames] == list(range(30))
    steps = np.diff([f.at_ms for f in frames])
    assert np.all(steps >= 1)
    assert 15 < np.median(steps) < 40
    assert abs(frames[-1].at_ms - now_ms) < 1000
    for one in frames:
        assert one.encoded is not None
        assert np.array_equal(one.luma, decode_luma(one.encoded)[0])
    assert health.state is FeedState.LIVE
    assert (health.frames, health.decoded, health.dropped, health.damaged) == (30, 30, 0, 0)
    assert health.distinct_fps > 10
    assert server.requests[0].startswith(b"GET /stream HTTP/1.1\r\n")
    assert len(server.requests) == 1


@contextlib.contextmanager
def ffmpeg(port: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-re", "-f", "lavfi",
        "-i", "testsrc2=size=640x360:rate=25", "-c:v", "mjpeg", "-q:v", "5", "-f", "mpjpeg",
        *options, "-listen", "1", f"http://127.0.0.1:{port}/cam.mjpg",
    ]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_real_ffmpeg_is_watched_and_found_again_after_it_was_killed() -> None:
    port = free_port()
    feed = MjpegFeed(
        "cam-a", f"http://127.0.0.1:{port}/cam.mjpg", clock=SystemClock(), settings=PATIENT
    )
    frames: list[Frame] = []
    feed.start(frames.append)
    try:
        with ffmpeg(port):
            until(lambda: len(frames) > 20)
            assert feed.health().state is FeedState.LIVE
        until(lambda: feed.health().state is FeedState.BACKOFF)
        before = len(frames)
        quoted = 'multipart/x-mixed-replace; boundary="tapcam"'
        with ffmpeg(port, "-boundary_tag", "tapcam", "-content_type", quoted) as process:
            until(lambda: len(frames) > before + 20)
            process.send_signal(signal.SIGSTOP)
            until(lambda: feed.health().state is FeedState.STALLED, 4)
            process.send_signal(signal.SIGCONT)
            until(lambda: feed.health().state is FeedState.LIVE, 4)
    finally:
        feed.stop()
    health = feed.health()
    assert health.connects == 2
    assert health.damaged <= 2  # those that were cut by the kill
    assert np.all(np.diff([f.at_ms for f in frames]) > 0)
    assert [f.index for f in frames] == list(range(len(frames)))
    assert {f.size for f in frames} == {(640, 360)}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (b"401 Unauthorized", "token or password"),
        (b"403 Forbidden", "token or password"),
        (b"404 Not Found", "check the feed's URL"),
        (b"302 Found\r\nLocation: http://elsewhere/", "redirects"),
    ],
)
def test_refusals_are_told_and_tried_again(status: bytes, said: str) -> None:
    def serve(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")

    with watching(serve) as (feed, _, server):
        until(lambda: feed.health().state is FeedState.FAILED)
        assert said in feed.health().detail
        until(lambda: len(server.requests) > 1)


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", FeedState.BACKOFF, "503"),
        (
            b"HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg(1),
            FeedState.FAILED,
            "single picture",
        ),
        (
            b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>",
            FeedState.FAILED,
            "text/html",
        ),
        (
            b"HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"
            + jpeg(1, 900, 900) * 30,
            FeedState.BACKOFF,
            "no boundary",
        ),
        (b"--spionisto\r\nContent-Type: image/jpeg\r\n\r\n", FeedState.BACKOFF, "proper HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Pad: " + b"a" * 500_000, FeedState.BACKOFF, "HTTP"),
        (b"", FeedState.BACKOFF, "hung up"),
    ],
)
def test_answers_that_are_no_stream(answer: bytes, state: FeedState, said: str) -> None:
    seen: list[FeedHealth] = []
    with watching(lambda client: client.sendall(answer)) as (feed, frames, _):

        def told() -> bool:
            seen.append(feed.health())
            return seen[-1].state is state and said in seen[-1].detail

        until(told)
    assert frames == []


def test_nobody_there() -> None:
    feed = MjpegFeed(
        "cam-a", f"http://127.0.0.1:{free_port()}/", clock=SystemClock(), settings=QUICK
    )
    feed.start(lambda _: None)
    until(lambda: feed.health().state is FeedState.BACKOFF)
    assert "could not be reached" in feed.health().detail
    feed.stop()


def trickle(client: socket.socket, data: bytes, every_s: float) -> None:
    for at in range(len(data)):
        client.sendall(data[at : at + 1])
        time.sleep(every_s)


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(hold, id="silent before the answer"),
        pytest.param(lambda c: trickle(c, MULTIPART * 9, 0.05), id="trickling answer"),
        pytest.param(lambda c: (c.sendall(MULTIPART), hold(c)), id="silent behind the header"),
        pytest.param(
            lambda c: (c.sendall(MULTIPART), trickle(c, part(jpeg(1)), 0.05)),
            id="trickling picture",
        ),
        pytest.param(
            lambda c: (c.sendall(MULTIPART), send(c, 3), hold(c)), id="silent in the middle"
        ),
    ],
)
def test_silence_and_trickles_end_a_connection(handler: Handler) -> None:
    with watching(handler) as (feed, _, server):
        until(lambda: len(server.requests) >= 2, 8)
        assert feed.health().state is not FeedState.FAILED


def test_stop_does_not_wait_for_a_silent_server() -> None:
    settings = MjpegSettings(silent_s=30, connect_s=30)
    with watching(lambda c: (c.sendall(MULTIPART), hold(c)), settings) as (feed, _, _server):
        until(lambda: feed.health().connects == 1)
        began = time.monotonic()
        feed.stop()
        assert time.monotonic() - began < 1


def test_damage_is_counted_and_passed_over() -> None:
    bodies = [jpeg(1), jpeg(2)[:-300], b"hello", jpeg(3), b"\xff\xd8\xff\xd9", jpeg(4)]

    def serve(client: socket.socket) -> None:
        client.sendall(MULTIPART + b"".join(map(part, bodies)) + b"--b\r\n")
        hold(client)

    with watching(serve) as (feed, frames, _):
        until(lambda: feed.health().frames == 6 and len(frames) == 3)
        assert feed.health().damaged == 3
    assert [f.encoded for f in frames] == [jpeg(1), jpeg(3), jpeg(4)]
    assert [f.index for f in frames] == [0, 1, 2]


def test_a_flood_is_thinned_not_piled_up() -> None:
    """A server without any pace, and a viewer that can't keep up: the newest picture wins."""
    body = jpeg(7, 1280, 720)

    def serve(client: socket.socket) -> None:
        client.sendall(MULTIPART)
        while True:
            client.sendall(part(body) * 20)

    server = Server(serve)
    feed = MjpegFeed("cam-a", server.url, clock=SystemClock(), settings=QUICK)
    seen: list[Frame] = []

    def slow(frame: Frame) -> None:
        seen.append(frame)
        time.sleep(0.02)

    feed.start(slow)
    until(lambda: feed.health().dropped > 100 and len(seen) > 20)
    feed.stop()
    server.close()
    assert feed.health().frames > 5 * len(seen)


def test_secrets_reach_the_server_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    access = Access(token="t0ken", query={"key": "qu3ry"})
    seen: list[FeedHealth] = []

    def serve(client: socket.socket) -> None:
        client.sendall(MULTIPART)
        send(client, 3)

    with watching(serve, access=access) as (feed, _, server):
        until(lambda: seen.append(feed.health()) is None and len(server.requests) > 2)
    assert b"key=qu3ry" in server.requests[0]
    assert b"authorization: bearer t0ken" in server.requests[0].lower()
    told = caplog.text + repr(seen) + repr(access)
    assert "t0ken" not in told
    assert "qu3ry" not in told


def test_a_hundred_reconnects_keep_indices_and_times_in_order() -> None:
    def serve(client: socket.socket) -> None:
        client.sendall(MULTIPART + part(jpeg(1)) + part(jpeg(2))[:100])

    settings = MjpegSettings(first_wait_s=0.001, longest_wait_s=0.001)
    with watching(serve, settings) as (feed, frames, _):
        until(lambda: feed.health().connects >= 100, 20)
        health = feed.health()
    assert [f.index for f in frames] == list(range(len(frames)))
    assert np.all(np.diff([f.at_ms for f in frames]) >= 1)
    assert health.damaged >= 90
    assert threading.active_count() < 20


def test_no_frame_is_older_than_what_the_feed_had_promised() -> None:
    quiet = threading.Event()

    def serve(client: socket.socket) -> None:
        client.sendall(MULTIPART)
        for number in range(60):
            whole = part(jpeg(number, 640, 360))
            for at in range(0, len(whole), 1500):  # its reader waits in the midst of pictures
                client.sendall(whole[at : at + 1500])
                time.sleep(0.0005)
        quiet.wait(10)
        client.sendall(part(jpeg(60)))
        hold(client)

    promised = [0.0]
    broken: list[tuple[float, float]] = []

    def sink(frame: Frame) -> None:
        if frame.at_ms < promised[0]:
            broken.append((frame.at_ms, promised[0]))
        frames.append(frame)

    frames: list[Frame] = []
    server = Server(serve)
    feed = MjpegFeed("cam-a", server.url, clock=SystemClock(), settings=PATIENT, decode_late=True)
    feed.start(sink)
    try:
        deadline = time.monotonic() + 20
        while len(frames) < 60:
            assert time.monotonic() < deadline
            promised[0] = feed.promised_ms()
        # Its next picture may be long in coming: whoever waits for it is told not to.
        until(lambda: feed.promised_ms() > frames[-1].at_ms + 200)
        promised[0] = feed.promised_ms()
        quiet.set()
        until(lambda: len(frames) == 61)
    finally:
        feed.stop()
        server.close()
    assert broken == []
