"""A second independent peer: libwebrtc from npm's @roamhq/wrtc publishes to tap."""

import subprocess
import time
from pathlib import Path

import httpx
import pytest
from tests.integration.test_webrtc_chromium import number_of
from tests.standin import UnbuiltError, node_packages

from tap.clock import SystemClock
from tap.feeds.webrtc import WebRtcFeed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

HOME = Path(__file__).parents[1] / "wrtc"
SECONDS = 10.0


@pytest.fixture
def publisher():
    try:
        node = node_packages(HOME)
    except UnbuiltError as error:
        pytest.skip(f"NOT RUN: {error}")
    command = [str(node), str(HOME / "server.mjs"), str(HOME)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/whep"
        finally:
            process.kill()


def test_what_libwebrtc_publishes_arrives(publisher):
    def told():
        return httpx.get(publisher, trust_env=False).json()

    frames = []
    feed = WebRtcFeed("cam-a", publisher, clock=SystemClock())
    feed.start(frames.append)
    try:
        deadline = time.monotonic() + 20
        while len(frames) < 20 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(frames) >= 20, feed.health()
        before, first = told(), len(frames)
        time.sleep(SECONDS)
        sent = told()["frames"] - before["frames"]
        time.sleep(0.3)
    finally:
        feed.stop()
    print(f"{len(frames) - first} of {sent} over {SECONDS} s")
    assert sent > 0.9 * 20 * SECONDS
    assert len(frames) - first >= 0.95 * sent
    numbers = [number_of(frame) for frame in frames]
    assert numbers == sorted(set(numbers))
