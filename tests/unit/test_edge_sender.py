"""The process beside a camera: what is sent together, and what is kept to be asked for."""

import cv2
import numpy as np
import pytest

from tap.edge.ring import PictureRing
from tap.edge.run import Edge
from tap.edge.sender import TOGETHER, Sender
from tap.errors import FeedError, InputError
from tap.feeds.edge_wire import PictureAsked, WireError, unpack_frames, unpack_picture
from tap.feeds.jpeg import check_jpeg
from tap.vocabulary import Frame
from tap.witness.far import FarPictures


def jpeg(side: int = 64, seed: int = 1) -> bytes:
    picture = np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def frame(number: int, at_ms: float, content: bytes | None = None) -> Frame:
    luma = np.full((90, 160), number % 250, np.uint8)
    return Frame("cam", number, at_ms, luma, (1920, 1080), content)


class Sent:
    """A sender whose messages are kept."""

    def __init__(self, **more) -> None:
        self.messages = []
        self.sender = Sender(
            "cam",
            None,
            epoch=7,
            publish=lambda subject, message: self.messages.append((subject, message)),
            ring_bytes=10**6,
            **more,
        )

    @property
    def numbers(self) -> list[int]:
        batches = [unpack_frames(message) for _, message in self.messages]
        return [b.first + n for b in batches for n in range(len(b.prints))]


def test_some_go_together_and_none_waits_long():
    sent = Sent()
    for n in range(2 * TOGETHER + 1):
        sent.sender.take(frame(n, 1000.0 + 33.0 * n))
    assert sent.numbers == list(range(2 * TOGETHER))
    assert {subject for subject, _ in sent.messages} == {"tap.1.frames.cam"}
    sent.sender.flush(1000.0 + 33.0 * 2 * TOGETHER + 10.0)
    assert len(sent.messages) == 2
    sent.sender.flush(1000.0 + 33.0 * 2 * TOGETHER + 80.0)
    assert sent.numbers == list(range(2 * TOGETHER + 1))
    assert sent.sender.sent == 2 * TOGETHER + 1


def test_a_slow_camera_does_not_wait_for_company():
    sent = Sent()
    sent.sender.take(frame(0, 1000.0))
    sent.sender.take(frame(1, 1100.0))
    assert sent.numbers == [0, 1]


def test_a_picture_of_another_size_goes_by_itself():
    sent = Sent()
    sent.sender.take(frame(0, 1000.0))
    turned = Frame("cam", 1, 1033.0, np.zeros((160, 90), np.uint8), (1080, 1920))
    sent.sender.take(turned)
    assert [unpack_frames(m).size for _, m in sent.messages] == [(1920, 1080)]


@pytest.mark.parametrize(("fps", "kept"), [(None, 120), (30.0, 120), (10.0, 40), (25.0, 100)])
def test_most_pictures_a_second(fps, kept):
    sent = Sent(fps=fps)
    for n in range(120):
        sent.sender.take(frame(n, 1000.0 + n * 1000 / 30))
    sent.sender.flush(1e9)
    assert len(sent.numbers) == pytest.approx(kept, abs=2)


def test_a_picture_that_is_asked_for():
    sent, content = Sent(), jpeg(100)
    for n in range(4):
        sent.sender.take(frame(n, 1000.0 + 33 * n, content))
    assert unpack_picture(sent.sender.picture(PictureAsked(7, 2, 640))) == content
    smaller = unpack_picture(sent.sender.picture(PictureAsked(7, 2, 64)))
    assert check_jpeg(smaller) == (64, 64)
    with pytest.raises(WireError, match="no longer keeps"):
        unpack_picture(sent.sender.picture(PictureAsked(7, 99, 640)))
    with pytest.raises(WireError, match="started again"):
        unpack_picture(sent.sender.picture(PictureAsked(6, 2, 640)))


def test_what_can_not_be_decoded_is_said():
    sent = Sent()
    sent.sender.take(frame(0, 1000.0, b"\xff\xd8\xff rubbish"))
    with pytest.raises(WireError, match="could not send"):
        unpack_picture(sent.sender.picture(PictureAsked(7, 0, 640)))


def test_the_ring_is_bounded_in_bytes_and_in_time():
    ring, content = PictureRing(50_000), jpeg(40)
    for n in range(2000):
        ring.add(n, frame(n, 33.0 * n, content))
        assert ring.held_bytes <= 50_000 + len(content)
    assert ring.get(1999, 640) == content
    assert ring.get(0, 640) is None
    roomy = PictureRing(10**9)
    for n in range(2000):
        roomy.add(n, frame(n, 33.0 * n, content))
    kept = [n for n in range(2000) if roomy.get(n, 640)]
    assert kept == list(range(2000 - 12_000 // 33 - 1, 2000))


@pytest.mark.parametrize("name", ["", "a.b", "a b", "x" * 65, "a>"])
def test_names_that_are_no_part_of_a_subject_are_refused(name):
    with pytest.raises(InputError, match="expected a camera's name"):
        Edge({name: None}, "nats://127.0.0.1", clock=None)


def test_a_host_that_does_not_answer_is_not_asked_for_each_picture():
    asked = []

    def fetch(index: int) -> bytes:
        asked.append(index)
        if index < 2:
            return b"jpeg"
        raise FeedError("nobody there")

    far = FarPictures({"cam": fetch})
    assert far.get("cam", 1) == far.get("cam", 1) == b"jpeg"
    assert asked == [1]
    assert far.get("cam", 2) is None
    assert far.get("cam", 3) is None
    assert asked == [1, 2]
    assert far.failed == 2
    assert not far.has("near")
