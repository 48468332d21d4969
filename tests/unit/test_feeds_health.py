"""Health: pictures that come and differ, not connections. And secrets that stay inside."""

import numpy as np
import pytest

from tap.clock import ManualClock
from tap.errors import InputError
from tap.feeds.access import Access, check_http_url, public_url
from tap.feeds.backlog import Backlog
from tap.feeds.health import FeedState, Vitals
from tap.feeds.mjpeg import MjpegFeed
from tap.feeds.multipart import Part
from tap.vocabulary import Luma


def picture(number: int) -> Luma:
    return np.full((4, 4), number % 256, np.uint8)


class Feeder:
    """Vitals, a clock, and a camera that sends at a steady pace."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.vitals = Vitals("cam-a", self.clock)

    def send(self, count: int, every_ms: float, *, same: bool = False) -> None:
        for number in range(count):
            self.clock.sleep(every_ms / 1000)
            at_ms = self.clock.now_ms()
            self.vitals.received(at_ms)
            self.vitals.decoded(picture(0 if same else number), (640, 480), at_ms)

    @property
    def state(self) -> FeedState:
        return self.vitals.health().state


def test_a_connection_alone_is_not_live() -> None:
    feeder = Feeder()
    assert feeder.state is FeedState.CONNECTING
    feeder.vitals.connected()
    assert feeder.state is FeedState.CONNECTING
    feeder.vitals.damaged("it is cut off.")
    assert "cut off" in feeder.vitals.health().detail
    feeder.send(1, 33)
    assert feeder.state is FeedState.LIVE


def test_rates_and_counts() -> None:
    feeder = Feeder()
    feeder.vitals.connected()
    feeder.send(300, 40)
    feeder.send(60, 40, same=True)
    feeder.vitals.took(1000)
    feeder.vitals.dropped(2)
    health = feeder.vitals.health()
    assert health.fps == pytest.approx(25, rel=0.02)
    assert health.distinct_fps < health.fps
    assert (health.frames, health.decoded, health.dropped) == (360, 360, 2)
    assert (health.size, health.connects, health.bytes) == ((640, 480), 1, 1000)
    assert health.last_frame_ms == feeder.clock.now_ms()
    feeder.clock.sleep(6)
    assert feeder.vitals.health().fps == 0.0


def test_jitter_is_how_unevenly_pictures_come() -> None:
    feeder = Feeder()
    feeder.vitals.connected()
    feeder.send(3, 40)
    assert feeder.vitals.health().jitter_ms is None, "two intervals say nothing yet"
    feeder.send(20, 40)
    assert feeder.vitals.health().jitter_ms == pytest.approx(0, abs=0.01)
    for _ in range(10):
        feeder.send(1, 30)
        feeder.send(1, 50)
    assert feeder.vitals.health().jitter_ms == pytest.approx(10, abs=1)


@pytest.mark.parametrize(("every_ms", "patience_s"), [(33, 2.0), (1000, 4.0)])
def test_stalled_after_two_seconds_or_four_intervals(every_ms: float, patience_s: float) -> None:
    feeder = Feeder()
    feeder.vitals.connected()
    feeder.send(20, every_ms)
    feeder.clock.sleep(patience_s - 0.1)
    assert feeder.state is FeedState.LIVE
    feeder.clock.sleep(0.2)
    assert feeder.state is FeedState.STALLED
    feeder.send(1, 33)
    assert feeder.state is FeedState.LIVE


def test_the_same_picture_for_ten_seconds_is_frozen_not_lost() -> None:
    feeder = Feeder()
    feeder.vitals.connected()
    feeder.send(300, 33, same=True)
    assert feeder.state is FeedState.LIVE
    feeder.send(10, 33, same=True)
    assert feeder.state is FeedState.FROZEN
    assert feeder.vitals.health().fps == pytest.approx(30, rel=0.05)
    assert feeder.vitals.health().distinct_fps == 0.0
    feeder.send(3, 33)
    assert feeder.state is FeedState.LIVE


def test_a_server_that_says_its_camera_is_off_is_believed() -> None:
    feeder = Feeder()
    feeder.vitals.connected()
    feeder.send(3, 33)
    feeder.vitals.received(feeder.clock.now_ms(), offline=True)
    assert feeder.state is FeedState.FROZEN
    assert "no signal" in feeder.vitals.health().detail


def test_torn_pictures_of_each_connection_add_up() -> None:
    feeder = Feeder()
    for torn in (1, 2, 2):
        feeder.vitals.took(10, torn)
    feeder.vitals.connected()
    feeder.vitals.took(10, 1)
    assert feeder.vitals.health().damaged == 3


# ---------------------------------------------------------------- backlog


def parts(*numbers: int) -> list[Part]:
    return [Part({}, bytes([n]), float(n)) for n in numbers]


def test_a_burst_is_decoded_whole() -> None:
    backlog = Backlog(200.0, 0.0)
    backlog.empty(1000.0)
    assert backlog.due(parts(1, 2, 3, 4, 5), 1010.0) == parts(1, 2, 3, 4, 5)
    assert backlog.dropped == 0


def test_under_lasting_pressure_the_latest_wins() -> None:
    backlog = Backlog(200.0, 0.0)
    decoded: list[Part] = []
    for n in range(100):  # ten pictures in 100 ms, never an empty connection
        decoded += backlog.due(parts(n), n * 10.0)
    assert backlog.dropped > 60
    assert len(decoded) + backlog.dropped in (99, 100)
    assert [p.at_ms for p in decoded] == sorted({p.at_ms for p in decoded})
    decoded += backlog.empty(1000.0)
    assert decoded[-1].at_ms == 99.0
    assert len(decoded) + backlog.dropped == 100
    assert backlog.due(parts(101), 1010.0) == parts(101)


# ---------------------------------------------------------------- secrets


def test_secrets_are_sent_and_hidden() -> None:
    url = "http://me:pass%20word@cam:81/s?token=abc%2F1&x=y"
    access = Access(token="t0ken", headers={"X-Key": "k3y"}, query={"auth": "q/ q"})
    assert access.request_url(url) == "http://cam:81/s?token=abc%2F1&x=y&auth=q%2F+q"
    assert access.request_headers(url)["Authorization"] == "Bearer t0ken"
    assert access.request_headers(url)["X-Key"] == "k3y"
    basic = Access().request_headers(url)["Authorization"]
    assert basic == "Basic bWU6cGFzcyB3b3Jk"
    said = access.redact(f"{access.request_url(url)} {access.request_headers(url)} {url}", url)
    for secret in ("t0ken", "k3y", "abc", "q%2F", "pass"):
        assert secret not in said
    assert public_url(url) == "http://cam:81/s?token=***&x=***"
    assert not any(secret in repr(access) for secret in ("t0ken", "k3y", "q/ q"))


@pytest.mark.parametrize(
    "url", ["", "cam:81", "ftp://cam/x", "http://", "http://[", "http://c:99999"]
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(InputError, match="cam-a"):
        check_http_url(url, "cam-a")
    with pytest.raises(InputError):
        MjpegFeed("cam-a", url, clock=ManualClock())


def test_waits_double_up_to_a_limit_and_are_spread() -> None:
    feed = MjpegFeed("cam-a", "http://cam/x", clock=ManualClock())
    for lost, expected in enumerate([0.5, 1, 2, 4, 8, 10, 10]):
        waits = [feed._wait_s(lost, FeedState.BACKOFF) for _ in range(200)]
        assert 0.8 * expected <= min(waits) < 0.9 * expected
        assert 1.1 * expected < max(waits) <= 1.2 * expected
    assert feed._wait_s(0, FeedState.FAILED) == 30
