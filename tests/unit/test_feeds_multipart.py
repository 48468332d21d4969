"""The multipart parser against every framing seen in the wild, however the network cuts it."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.errors import FeedError
from tap.feeds import multipart
from tap.feeds.multipart import MultipartParser, boundary_of


def jpeg(seed: int, width: int = 48, height: int = 32) -> bytes:
    picture = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


A, B = jpeg(1), jpeg(2)


def with_segment(picture: bytes, marker: int, content: bytes) -> bytes:
    segment = bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content
    return picture[:2] + segment + picture[2:]


def part(body: bytes, *headers: bytes, tag: bytes = b"frame", eol: bytes = b"\r\n") -> bytes:
    return eol.join([b"--" + tag, *headers, b"", body, b""])


def sized(body: bytes, size: int | bytes | None = None, tag: bytes = b"frame") -> bytes:
    length = b"%d" % len(body) if size is None else b"%d" % size if isinstance(size, int) else size
    return part(body, b"Content-Type: image/jpeg", b"Content-Length: " + length, tag=tag)


END = b"--frame\r\n"

# name: (Content-Type, bytes of the answer's body, bodies expected, parts given up)
CASES: dict[str, tuple[str, bytes, list[bytes], int]] = {
    # as eight servers frame it
    "ffmpeg": (
        "application/octet-stream",
        b"--ffmpeg\r\n"
        + b"".join(
            b"Content-type: image/jpeg\r\nContent-length: %d\r\n\r\n%b\r\n--ffmpeg\r\n"
            % (len(j), j)
            for j in (A, B)
        ),
        [A, B],
        0,
    ),
    "ffmpeg quoted": (
        'multipart/x-mixed-replace; boundary="tapcam"',
        sized(A, tag=b"tapcam") + sized(B, tag=b"tapcam"),
        [A, B],
        0,
    ),
    "ustreamer": (
        "multipart/x-mixed-replace;boundary=boundarydonotcross",
        b"".join(
            part(
                j,
                b"Content-Type: image/jpeg",
                b"Content-Length: %d" % len(j),
                b"X-Timestamp: 1795362625.651000",
                b"X-UStreamer-Online: false",
                tag=b"boundarydonotcross",
            )
            for j in (A, B)
        ),
        [A, B],
        0,
    ),
    "ustreamer, boundary in advance": (
        "multipart/x-mixed-replace;boundary=frame",
        part(A, b"Content-Type: image/jpeg") + part(B, b"Content-Type: image/jpeg") + END,
        [A, B],
        0,
    ),
    "mjpg-streamer": (
        "multipart/x-mixed-replace;boundary=boundarydonotcross",
        b"\r\n" + sized(A, tag=b"boundarydonotcross") + sized(B, tag=b"boundarydonotcross"),
        [A, B],
        0,
    ),
    "motion": (
        "multipart/x-mixed-replace; boundary=BoundaryString",
        b"".join(
            b"--BoundaryString\r\nContent-type: image/jpeg\r\n"
            b"Content-Length: %9d\r\n\r\n%b\r\n\r\n" % (len(j), j)
            for j in (A, B)
        ),
        [A, B],
        0,
    ),
    "vlc, first length wrong": (
        "multipart/x-mixed-replace;boundary=7b3cc56e",
        b"\r\n" + sized(A, len(A) + 437, tag=b"7b3cc56e") + sized(B, tag=b"7b3cc56e"),
        [A, B],
        0,
    ),
    "gstreamer": ("", sized(A, tag=b"spionisto") + sized(B, tag=b"spionisto"), [A, B], 0),
    "aiohttp, doubled line ends": (
        "multipart/x-mixed-replace;boundary=image-boundary",
        b"".join(b"--image-boundary\r\n" + sized(j)[9:] + b"\r\n\r\n" for j in (A, B)),
        [A, B],
        0,
    ),
    # what else was reported
    "dashes in the parameter": (
        "multipart/x-mixed-replace; boundary=--frame",
        sized(A) + sized(B),
        [A, B],
        0,
    ),
    "boundary with a space": (
        'multipart/x-mixed-replace;boundary="my boundary"',
        sized(A, tag=b"my boundary") + sized(B, tag=b"my boundary"),
        [A, B],
        0,
    ),
    "another boundary than declared": (
        "multipart/x-mixed-replace;boundary=foo",
        sized(A, tag=b"bar") + sized(B, tag=b"bar"),
        [A, B],
        0,
    ),
    "line feeds only": (
        "multipart/x-mixed-replace; boundary=frame",
        b"".join(part(j, b"Content-Length: %d" % len(j), eol=b"\n") for j in (A, B)),
        [A, B],
        0,
    ),
    "no first boundary": (
        "multipart/x-mixed-replace;boundary=frame",
        sized(A)[len(b"--frame\r\n") :] + sized(B),
        [A, B],
        0,
    ),
    "boundary twice": (
        "multipart/x-mixed-replace;boundary=frame",
        END + sized(A) + END + sized(B),
        [A, B],
        0,
    ),
    "no header at all": ("", part(A) + part(B) + END, [A, B], 0),
    "no line break before the boundary": (
        "multipart/x-mixed-replace;boundary=frame",
        sized(A)[:-2] + sized(B),
        [A, B],
        0,
    ),
    "preamble and epilogue": (
        "multipart/x-mixed-replace;boundary=frame",
        b"hello there\r\n\r\n" + sized(A) + b"garbage\r\nbetween\r\n" + sized(B) + b"--frame--\r\n",
        [A, B],
        0,
    ),
    "length counts the line break": (
        "multipart/x-mixed-replace;boundary=frame",
        sized(A, len(A) + 2) + sized(B, len(B) + 2),
        [A, B],
        0,
    ),
    "length too short": (
        "multipart/x-mixed-replace;boundary=frame",
        sized(A, len(A) - 9) + sized(B, 3) + END,
        [A, B],
        0,
    ),
    "length absurd": (
        "multipart/x-mixed-replace;boundary=frame",
        sized(A, b"4294967295") + sized(B, b"99999999999999999999999") + END,
        [A, B],
        0,
    ),
    "length negative or no number": (
        "multipart/x-mixed-replace;boundary=frame",
        sized(A, b"-1") + sized(B, "٣٣".encode()) + END,
        [A, B],
        0,
    ),
    "empty part": ("multipart/x;boundary=frame", sized(b"") + sized(B), [B], 0),
    "text part": ("multipart/x;boundary=frame", sized(b"hello") + sized(B), [b"hello", B], 0),
    "blank line before the picture": (
        "multipart/x;boundary=frame",
        sized(b"\r\n" + A, len(A)) + sized(b"\r\n" + B),
        [A, B],
        0,
    ),
    "boundary inside a comment": (
        "multipart/x;boundary=frame",
        sized(commented := with_segment(A, 0xFE, b"\r\n--frame\r\n\r\nxx")) + sized(B),
        [commented, B],
        0,
    ),
    "thumbnail with its own end": (
        "multipart/x;boundary=frame",
        part(nested := with_segment(A, 0xE1, b"Exif\0\0" + B)) + sized(B),
        [nested, B],
        0,
    ),
    "endless header": (
        "multipart/x;boundary=frame",
        part(A, b"X-Pad: " + b"a" * 65536) + sized(B),
        [B],
        1,
    ),
    "picture cut off, next follows": (
        "multipart/x;boundary=frame",
        sized(A[:-200]) + sized(B),
        [A[:-200], B],
        0,
    ),
    "stream ends inside a picture": (
        "multipart/x;boundary=frame",
        sized(A) + sized(B)[:-200],
        [A],
        1,
    ),
    "stream ends behind the last picture": (
        "multipart/x;boundary=frame",
        sized(A) + part(B)[:-2],
        [A, B],
        0,
    ),
    "nothing": ("multipart/x;boundary=frame", b"", [], 0),
}


def parse(content_type: str, data: bytes, sizes: list[int]) -> tuple[list[bytes], int]:
    """Bodies and skipped parts of `data`, cut into pieces of `sizes`, over and over."""
    parser = MultipartParser(boundary_of(content_type))
    bodies: list[bytes] = []
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        bodies += [p.body for p in parser.feed(data[at : at + size], float(at))]
        at, turn = at + size, turn + 1
    bodies += [p.body for p in parser.close()]
    return bodies, parser.skipped


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("sizes", [[1 << 20], [1], [1460], [36, 75, 2, 700]], ids=str)
def test_every_framing_gives_its_pictures(name: str, sizes: list[int]) -> None:
    content_type, data, bodies, skipped = CASES[name]
    assert parse(content_type, data, sizes) == (bodies, skipped)


def test_at_ms_is_the_arrival_of_the_pictures_first_byte() -> None:
    parser = MultipartParser("frame")
    head, body = sized(A).split(b"\xff\xd8", 1)
    assert parser.feed(head, 1000.0) == []  # a server that sends the next header in advance
    assert parser.feed(b"\xff", 5000.0) == []
    [got] = parser.feed(b"\xd8" + body, 5030.0)
    assert got.at_ms == 5000.0
    assert got.body == A


def test_a_picture_with_a_length_is_not_kept_waiting_for_the_next_boundary() -> None:
    parser = MultipartParser("frame")
    assert [p.body for p in parser.feed(sized(A)[:-2], 0.0)] == [A]


def test_a_late_boundary_still_tells_when_the_next_picture_arrived() -> None:
    """A wrong length holds a picture back; the one behind it keeps its own arrival."""
    parser = MultipartParser("frame")
    assert parser.feed(sized(A, len(A) + 5000), 100.0) == []
    filler = [parser.feed(sized(B), 200.0 + n) for n in range(8)]
    parts = [p for step in filler for p in step]
    assert [p.body for p in parts] == [A] + [B] * (len(parts) - 1)
    assert [p.at_ms for p in parts][:3] == [100.0, 200.0, 201.0]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("1795362625.651000", 1795362625651.0),
        ("12.5", 12500.0),
        ("nan", None),
        ("-1", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_the_senders_stamp(stamp: str | None, expected: float | None) -> None:
    headers = [b"Content-Length: %d" % len(A)]
    if stamp is not None:
        headers.append(b"X-TimeStamp: " + stamp.encode())
    [got] = MultipartParser("frame").feed(part(A, *headers), 0.0)
    assert got.source_ms == (pytest.approx(expected) if expected else None)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("multipart/x-mixed-replace;boundary=a", "a"),
        ('multipart/x-mixed-replace; Boundary = "a b" ; charset=x', "a b"),
        ("multipart/x-mixed-replace; boundary=--a; x=y", "--a"),
        ("multipart/x-mixed-replace; boundary=", None),
        ("application/octet-stream", None),
        ("", None),
    ],
)
def test_boundary_parameter(content_type: str, expected: str | None) -> None:
    assert boundary_of(content_type) == expected


def test_something_else_than_multipart_is_said_so_early() -> None:
    parser = MultipartParser(None)
    with pytest.raises(FeedError, match="multipart stream"):
        parser.feed(A * 100, 0.0)


TOKENS = [
    b"--frame", b"\r\n", b"\n", b"--", b"-", b"Content-Length: 10\r\n", b"Content-Length: 40",
    b"\r\n\r\n", b"\xff\xd8\xff", b"\xff\xd9", b"--frame--", b"x: y", b"\0\0", b"A" * 700,
    b"--other", b"\r\n--frame\r\n", b"B" * 3500, sized(b"\xff\xd8a\xff\xd9"),
]  # fmt: skip
streams = st.lists(st.sampled_from(TOKENS) | st.binary(max_size=9), max_size=30).map(b"".join)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "MAX_BODY", 3000)
    monkeypatch.setattr(multipart, "MAX_HEADER", 600)


@pytest.mark.usefixtures("small_limits")
@settings(max_examples=1000, deadline=None)
@given(
    data=streams,
    tag=st.sampled_from(["", "x;boundary=frame", "x;boundary=--frame"]),
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=8),
)
def test_the_cuts_never_matter_and_memory_is_bounded(
    data: bytes, tag: str, sizes: list[int]
) -> None:
    def outcome(cuts: list[int]) -> object:
        try:
            return parse(tag, data, cuts)
        except FeedError as error:
            return str(error)

    assert outcome(sizes) == outcome([1 << 20])
    parser = MultipartParser(boundary_of(tag))
    for at in range(0, len(data), 100):
        parser.feed(data[at : at + 100], 0.0)
        assert parser.buffered <= 3000 + 700 + 100


@settings(max_examples=1000, deadline=None)
@given(data=st.binary(max_size=400), sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5))
def test_noise_never_crashes(data: bytes, sizes: list[int]) -> None:
    parse("multipart/x;boundary=frame", data, sizes)


@pytest.mark.parametrize("noise", [b"\n", b"\n--", b"a", b"--frame\r\n", b"\r\n--fram"])
def test_time_is_linear_in_hostile_streams(noise: bytes) -> None:
    """2 MB in pieces of 1 kB; quadratic work would take minutes."""
    parser = MultipartParser("frame")
    parser.feed(part(A), 0.0)
    data = noise * (2_000_000 // len(noise))
    began = time.process_time()
    for at in range(0, len(data), 1000):
        parser.feed(data[at : at + 1000], 0.0)
    assert time.process_time() - began < 10.0
    assert parser.buffered <= multipart.MAX_BODY + 2000
