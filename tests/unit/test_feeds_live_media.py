"""A file played as if live: paced by the clock, stamped when handed over."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.packet import Packet

from tap.clock import ManualClock
from tap.errors import InputError
from tap.feeds.feed import LiveFeed
from tap.feeds.health import FeedState
from tap.feeds.live_media import LiveMedia
from tap.vocabulary import Frame

PTS = [500, 540, 580, 1580, 1581]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with av.open(str(tmp_path / "a.mkv"), "w", format="matroska") as file:
        stream = file.add_mux_stream("mjpeg", width=48, height=32)
        stream.time_base = Fraction(1, 1000)
        for n, pts in enumerate(PTS):
            coded = cv2.imencode(".jpg", np.full((32, 48), 20 * n, np.uint8))[1].tobytes()
            packet = Packet(coded)
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = pts
            file.mux(packet)
    return tmp_path / "a.mkv"


def play(feed: LiveMedia, frames: list[Frame]) -> None:
    feed.start(frames.append)
    feed._thread.join(20)
    assert not feed._thread.is_alive()


def test_the_clock_sets_the_pace_and_the_times(path: Path) -> None:
    clock = ManualClock(1_000_000.0)
    feed: LiveFeed = LiveMedia("cam-a", path, clock=clock)
    frames: list[Frame] = []
    assert isinstance(feed, LiveMedia)
    play(feed, frames)
    assert [f.at_ms - 1_000_000 for f in frames] == [0, 40, 80, 1080, 1081]
    assert [f.index for f in frames] == list(range(5))
    assert all(f.feed == "cam-a" and f.encoded for f in frames)
    health = feed.health()
    assert health.state is FeedState.STOPPED
    assert health.detail == "The file has ended."
    assert (health.frames, health.decoded, health.dropped) == (5, 5, 0)
    feed.stop()


def test_a_slow_viewer_loses_pictures_but_not_the_pace(path: Path) -> None:
    clock = ManualClock(0.0)
    frames: list[Frame] = []

    def slow(frame: Frame) -> None:
        frames.append(frame)
        clock.sleep(0.6)

    feed = LiveMedia("cam-a", path, clock=clock)
    feed.start(slow)
    feed._thread.join(20)
    assert [f.at_ms for f in frames] == [0, 1080]
    assert feed.health().dropped == 3


def test_it_loops_until_it_is_stopped(path: Path) -> None:
    clock = ManualClock(0.0)
    frames: list[Frame] = []
    feed = LiveMedia("cam-a", path, clock=clock, loop=True)

    def sink(frame: Frame) -> None:
        frames.append(frame)
        if len(frames) == 12:
            feed._ended.set()

    feed.start(sink)
    feed._thread.join(20)
    feed.stop()
    assert len(frames) == 12
    assert np.all(np.diff([f.at_ms for f in frames]) > 0)
    assert feed.health().state is FeedState.STOPPED


def test_a_sink_that_fails_is_told_not_swallowed(path: Path) -> None:
    def broken(_: Frame) -> None:
        raise ZeroDivisionError

    feed = LiveMedia("cam-a", path, clock=ManualClock())
    feed.start(broken)
    feed._thread.join(20)
    assert feed.health().state is FeedState.FAILED
    assert "ZeroDivisionError" in feed.health().detail


def test_a_missing_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        LiveMedia("cam-a", tmp_path / "a.mp4", clock=ManualClock())
