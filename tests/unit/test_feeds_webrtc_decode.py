"""Coded pictures to frames: bounded, the latest first, and never more than sight can bear."""

import random
import threading
from fractions import Fraction

import av
import numpy as np
import pytest

from tap.feeds import webrtc_decode
from tap.feeds.jpeg import decode_luma
from tap.feeds.webrtc_decode import Decoder, Job, seen
from tap.feeds.webrtc_rtp import Coded

ENCODERS = {"H264": "libx264", "VP8": "libvpx"}


def coded(codec, count, size=(64, 48)):
    """So many coded pictures, each greyer than the one before."""
    context = av.CodecContext.create(ENCODERS[codec], "w")
    context.width, context.height = size
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 20)
    context.options = (
        {"tune": "zerolatency", "preset": "ultrafast"}
        if codec == "H264"
        else {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    )
    out = []
    for n in range(count):
        picture = np.full((size[1], size[0], 3), 20 + 10 * (n % 20), np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
        frame.pts = n
        out += [bytes(packet) for packet in context.encode(frame)]
    return out


def jobs(codec, datas, connection=1):
    return [
        Job(connection, codec, Coded(data, 4500 * n, 50.0 * n, key=n == 0))
        for n, data in enumerate(datas)
    ]


class Desk:
    """Collects what a decoder says; `gate` holds up whoever is given a picture."""

    def __init__(self):
        self.pictures, self.skipped, self.lost = [], 0, []
        self.gate = threading.Event()
        self.gate.set()
        self.changed = threading.Condition()
        self.decoder = Decoder("x", self.picture, self.skip, self.lose)
        self.decoder.start()

    def picture(self, job, picture):
        self.gate.wait(10)
        with self.changed:
            self.pictures.append((job, picture))
            self.changed.notify_all()

    def skip(self, count):
        with self.changed:
            self.skipped += count
            self.changed.notify_all()

    def lose(self, connection, why):
        with self.changed:
            self.lost.append((connection, why))
            self.changed.notify_all()

    def until(self, true):
        with self.changed:
            assert self.changed.wait_for(true, 10)


@pytest.fixture
def desk():
    found = Desk()
    yield found
    found.gate.set()
    found.decoder.stop()
    assert not found.decoder._thread.is_alive()


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_every_picture_comes_at_once_and_in_its_order(desk, codec):
    for n, job in enumerate(jobs(codec, coded(codec, 6)), start=1):
        assert desk.decoder.put(job)
        desk.until(lambda n=n: len(desk.pictures) == n)
    levels = [float(picture.luma.mean()) for _, picture in desk.pictures]
    assert levels == sorted(levels)
    assert [job.coded.timestamp for job, _ in desk.pictures] == [4500 * n for n in range(6)]
    assert desk.lost == []


def test_what_sight_sees_is_what_the_jpeg_holds():
    picture = np.random.default_rng(3).integers(0, 255, (720, 1280, 3), np.uint8)
    found = seen(av.VideoFrame.from_ndarray(picture, format="bgr24"))
    luma, size = decode_luma(found.jpeg)
    assert np.array_equal(luma, found.luma)
    assert (size, found.size, found.whole) == ((640, 360), (640, 360), (1280, 720))
    assert found.luma.shape == (135, 240)


def test_too_much_is_left_out_whole_and_some_is_decoded_unseen(desk):
    desk.gate.clear()
    made = jobs("VP8", coded("VP8", 40))
    taken = [desk.decoder.put(job) for job in made]
    assert taken.count(False) >= 1
    assert len(desk.decoder._jobs) <= webrtc_decode.MAX_WAITING
    desk.gate.set()
    desk.until(lambda: not desk.decoder._jobs)
    assert desk.skipped > webrtc_decode.MAX_WAITING
    assert len(desk.pictures) + desk.skipped <= len(made)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_noise_is_said_to_be_lost_and_the_next_connection_starts_clean(desk, codec):
    noise = random.Random(4)
    for _ in range(30):
        data = b"\0\0\0\1\x67" + noise.randbytes(200)
        desk.decoder.put(Job(1, codec, Coded(data, 0, 0.0, key=True)))
        desk.until(lambda: not desk.decoder._jobs)
    for job in jobs(codec, coded(codec, 2), connection=2):
        desk.decoder.put(job)
    desk.until(lambda: len(desk.pictures) >= 2)
    assert {job.connection for job, _ in desk.pictures} == {2}
    assert desk.lost
    assert {connection for connection, _ in desk.lost} == {1}


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_a_picture_that_is_too_large_is_not_decoded(desk, codec):
    for job in jobs(codec, coded(codec, 1, (4208, 4096))):
        desk.decoder.put(job)
    desk.until(lambda: desk.lost)
    assert desk.pictures == []


def test_parameter_sets_of_the_signalling_go_before_a_key_picture(desk):
    data = coded("H264", 1)[0]
    idr = data.rfind(b"\0\0\1\x65")
    assert idr > 0
    bare = Job(1, "H264", Coded(b"\0" + data[idr:], 0, 0.0, key=True), data[:idr])
    desk.decoder.put(bare)
    desk.until(lambda: desk.pictures)
