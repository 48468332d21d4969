"""A second independent peer: libwebrtc from npm's @roamhq/wrtc publishes to tap."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from tests.integration.test_webrtc_chromium import number_of

from tap.clock import SystemClock
from tap.feeds.webrtc import WebRtcFeed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
SECONDS = 10.0


@pytest.fixture
def publisher():
    home = Path(os.environ.get("WRTC_HOME", ROOT))
    node = shutil.which("node")
    if node is None or not (home / "node_modules" / "@roamhq" / "wrtc").is_dir():
        pytest.skip(
            "NOT RUN: needs Node and, in the folder that WRTC_HOME names, "
            "npm install @roamhq/wrtc@0.10.0"
        )
    command = [node, str(ROOT / "tests" / "wrtc.mjs"), str(home)]
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
