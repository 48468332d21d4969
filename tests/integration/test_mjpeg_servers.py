"""The MJPEG feed at other people's servers: what Debian ships, run here. Skips what is missing."""

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from tap.clock import SystemClock
from tap.feeds.health import FeedState
from tap.feeds.mjpeg import MjpegFeed, MjpegSettings
from tap.vocabulary import Frame

HEADER = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n"
PATIENT = MjpegSettings(first_wait_s=0.1, longest_wait_s=0.3)


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"NOT TESTED: Debian's {program} is missing here (apt-get install {program})")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def watching(url: str) -> Iterator[tuple[MjpegFeed, list[Frame]]]:
    feed = MjpegFeed("cam-a", url, clock=SystemClock(), settings=PATIENT)
    frames: list[Frame] = []
    feed.start(frames.append)
    try:
        yield feed, frames
    finally:
        feed.stop()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def moving_video(path: Path) -> Path:
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi",
        "-i", "testsrc2=size=320x240:rate=15", "-t", "20", "-c:v", "mpeg4", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=60)
    return path


@pytest.mark.parametrize("query", ["", "?extra_headers=1", "?advance_headers=1"])
def test_ustreamer_without_a_camera_is_alive_and_gives_no_signal(query: str) -> None:
    port = free_port()
    command = [need("ustreamer"), "--device", "/dev/video99", "--host", "127.0.0.1"]
    with (
        running([*command, "--port", str(port)]),
        watching(f"http://127.0.0.1:{port}/stream{query}") as (feed, frames),
    ):
        until(lambda: len(frames) >= 3)
        health = feed.health()
    assert (health.damaged, health.connects) == (0, 1)
    assert {frame.size for frame in frames} == {(640, 480)}
    assert health.distinct_fps < 1
    if query == "?extra_headers=1":  # only then it says that the camera is not there
        assert health.state is FeedState.FROZEN
        assert "no signal" in health.detail


def test_motion_is_watched(tmp_path: Path) -> None:
    program = need("motion")
    video, port = moving_video(tmp_path / "x.mp4"), free_port()
    (tmp_path / "motion.conf").write_text(
        f"daemon off\nlog_level 3\nnetcam_url file://{video}\nwidth 320\nheight 240\n"
        f"framerate 15\nstream_port {port}\nstream_maxrate 30\nstream_localhost on\n"
        f"webcontrol_port 0\npicture_output off\nmovie_output off\ntarget_dir {tmp_path}\n",
        "utf-8",
    )
    with (
        running([program, "-n", "-c", str(tmp_path / "motion.conf")]),
        watching(f"http://127.0.0.1:{port}/") as (feed, frames),
    ):
        until(lambda: len({frame.luma.tobytes() for frame in frames[-60:]}) >= 10, 40)
        health = feed.health()
    assert health.damaged == 0
    assert frames[-1].size == (320, 240)
    assert np.all(np.diff([frame.at_ms for frame in frames]) > 0)


@contextlib.contextmanager
def with_http_header(target: int) -> Iterator[str]:
    """GStreamer's TCP sink speaks no HTTP: a header is put before what it says."""
    listener = socket.create_server(("127.0.0.1", 0))

    def relay() -> None:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, contextlib.suppress(OSError):
            client.recv(65536)
            with socket.create_connection(("127.0.0.1", target), 5) as source:
                client.sendall(
                    b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n"
                )
                while data := source.recv(65536):
                    client.sendall(data)

    threading.Thread(target=relay, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.close()


def test_gstreamers_multipart_is_watched() -> None:
    program, port = need("gst-launch-1.0"), free_port()
    pipeline = (
        "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 "
        f"! jpegenc ! multipartmux boundary=spot ! tcpserversink host=127.0.0.1 port={port}"
    )
    with running([program, "-q", *pipeline.split()]) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            if process.wait(2.0) != 0:
                pytest.skip("NOT TESTED: GStreamer's plugins base and good are missing here")
        with with_http_header(port) as url, watching(url) as (feed, frames):
            until(lambda: len(frames) >= 20)
            health = feed.health()
    assert (health.damaged, health.connects) == (0, 1)
    assert {frame.size for frame in frames} == {(320, 240)}
    assert len({frame.luma.tobytes() for frame in frames}) > 10
