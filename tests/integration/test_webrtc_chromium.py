"""A real browser on the other side: Chromium publishes to tap, and watches what the rig serves."""

import os
import time

import numpy as np
import pytest
from tests import chromium, lossy

from tap.clock import SystemClock
from tap.feeds.health import FeedState
from tap.feeds.webrtc import WebRtcFeed, WebRtcSettings
from tap.rig.serve import RigServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SECONDS = float(os.environ.get("CHROMIUM_SECONDS", "15"))  # a benchmark sets 60


@pytest.fixture
def browser(tmp_path):
    with chromium.Chromium(tmp_path / "profile") as found:
        yield found


def number_of(frame) -> int:
    """What the top row of a picture of `chromium.PUBLISH` says."""
    height, width = frame.luma.shape
    row = frame.luma[height // 36 : height // 8]
    blocks = [
        row[:, int(width * (b + 0.25) / 16) : int(width * (b + 0.75) / 16)] for b in range(16)
    ]
    return sum(int(np.median(block) > 128) << bit for bit, block in enumerate(blocks))


def published(browser, codec, seconds, url=None):
    """(frames, what the browser says it sent, feed) of some seconds of a published canvas."""
    frames = []
    feed = WebRtcFeed("cam-a", url, clock=SystemClock(), settings=WebRtcSettings(codecs=(codec,)))
    feed.start(frames.append)
    try:
        deadline = time.monotonic() + 20
        while len(frames) < 20 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(frames) >= 20, feed.health()
        before, first = browser.run("window.sent()"), len(frames)
        time.sleep(seconds)
        after = browser.run("window.sent()")
        time.sleep(0.3)
        assert feed.health().state is FeedState.LIVE
        sent = {key: after[key] - before[key] for key in ("frames", "drawn")}
        return frames[first:], sent
    finally:
        feed.stop()


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_what_chromium_publishes_arrives(browser, codec):
    with chromium.PublishingPage(browser) as page:
        frames, sent = published(browser, codec, SECONDS, page.url)
    print(f"{codec}: {len(frames)} of {sent} over {SECONDS} s")
    assert sent["frames"] >= 0.5 * sent["drawn"] > 100
    assert len(frames) >= 0.95 * sent["frames"]
    numbers = [number_of(frame) for frame in frames]
    assert numbers == sorted(set(numbers))
    assert frames[-1].size == (640, 360)
    sources = [f.source_ms for f in frames if f.source_ms is not None]
    assert len(sources) > 0.9 * len(frames)
    # The sender's reports are on this very host's clock.
    assert abs(np.median([f.source_ms - f.at_ms for f in frames if f.source_ms])) < 500
    assert page.deleted == 1


def test_chromium_watches_the_program_that_the_rig_serves(browser, short_shoot):
    with RigServer(short_shoot, start_in_s=4.0) as rig:
        browser.go(rig.base_url + "/status")
        browser.run("""
          (async () => {
            const pc = window.pc = new RTCPeerConnection();
            pc.addTransceiver('video', {direction: 'recvonly'});
            const video = window.video = document.createElement('video');
            video.muted = true;
            pc.ontrack = (event) => { video.srcObject = new MediaStream([event.track]);
                                      video.play(); };
            await pc.setLocalDescription(await pc.createOffer());
            await new Promise((done) => {
              if (pc.iceGatheringState === 'complete') done();
              pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done();
            });
            const answer = await fetch('/program/whep', {method: 'POST',
              headers: {'Content-Type': 'application/sdp'}, body: pc.localDescription.sdp});
            if (answer.status !== 201) throw new Error('status ' + answer.status);
            window.place = answer.headers.get('location');
            await pc.setRemoteDescription({type: 'answer', sdp: await answer.text()});
          })()
        """)
        rig.finished.wait(10.5)
        decoded, width = browser.run("""
          (async () => {
            for (const report of (await window.pc.getStats()).values())
              if (report.type === 'inbound-rtp')
                return [report.framesDecoded, window.video.videoWidth];
          })()
        """)
        sent = rig.status()["feeds"]["program"]["sent"]
        gone = browser.run("fetch(window.place, {method: 'DELETE'}).then((a) => a.status)")
    assert width == 256
    assert sent > 100
    assert decoded >= 0.95 * sent, (decoded, sent)
    assert gone in (200, 404)  # the shoot may be over by then, and the connection with it


def test_chromium_over_a_network_that_loses_packets(browser):
    with (
        chromium.PublishingPage(browser) as page,
        lossy.LossyWhep(page.url, loss=0.05, delay_ms=15.0, jitter_ms=5.0) as whep,
    ):
        frames, sent = published(browser, "VP8", SECONDS, whep.url)
        lost = whep.lost_part
    print(f"VP8, {lost:.1%} lost: {len(frames)} of {sent} over {SECONDS} s")
    assert 0.03 < lost < 0.08
    assert len(frames) >= 0.85 * sent["frames"]
    numbers = [number_of(frame) for frame in frames]
    assert numbers == sorted(set(numbers))
