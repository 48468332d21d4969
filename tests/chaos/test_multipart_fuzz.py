"""Multipart streams damaged in every way, 100,000 of them: no crash, no hang, memory bounded.

Each stream is made of its number alone, so that one that fails can be had again:
`python -m tests.chaos.test_multipart_fuzz NUMBER`.
"""

import random
import resource
import sys
import time

import cv2
import numpy as np
import pytest

from tap.errors import FeedError
from tap.feeds import multipart
from tap.feeds.jpeg import DamagedJpegError, decode_luma
from tap.feeds.multipart import MultipartParser, boundary_of

QUICK, SLOW = 4_000, 100_000
MAX_BODY, MAX_HEADER = 6_000, 700
CHUNK = 900
TOO_LONG_S = 2.0
"""CPU seconds that one stream of some kB may take at most, with a collector's pause in it."""
MORE_MEMORY_KIB = 80 * 1024


def _jpeg(seed: int, progressive: bool) -> bytes:
    picture = np.random.default_rng(seed).integers(0, 255, (16, 24, 3), dtype=np.uint8)
    picture = cv2.GaussianBlur(picture, (5, 5), 2)
    how = [cv2.IMWRITE_JPEG_QUALITY, 40, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    return cv2.imencode(".jpg", picture, how)[1].tobytes()


JPEGS = [_jpeg(seed, seed % 3 == 0) for seed in range(12)]
TAGS = [b"frame", b"--frame", b"b", b"my boundary", b"boundarydonotcross", b"7b3cc56e", b"\xe9x"]
EOLS = [b"\r\n", b"\r\n", b"\n"]
EXTRA = [
    b"Content-Type: image/jpeg", b"X-Timestamp: 1795362625.651000", b"X-Pad: " + b"a" * 900,
    b"X-Timestamp: 1e999", b"content-length:    12", b"Content-Length: -4", b": :", b"\0\xff",
    b"Content-Length: 99999999999999999999", b"Content-Encoding: gzip",
]  # fmt: skip
NOISE = [b"", b"\r\n", b"--", b"--frame", b"--frame--\r\n", b"\xff\xd8\xff", b"\xff\xd9", b"\n--\n"]


def stream(number: int) -> tuple[str, bytes, random.Random]:
    """The content type and the bytes of one stream."""
    dice = random.Random(number)
    tag, eol = dice.choice(TAGS), dice.choice(EOLS)
    data = bytearray(dice.choice(NOISE) * dice.randrange(3))
    for _ in range(dice.randrange(1, 5)):
        body = dice.choice(JPEGS)
        lines = [b"--" + tag.lstrip(b"-")]
        if dice.random() < 0.7:
            length = len(body) + (dice.choice([-9, -1, 1, 2, 500]) if dice.random() < 0.3 else 0)
            lines.append(b"Content-Length: %d" % length)
        lines += dice.sample(EXTRA, dice.randrange(3))
        data += eol.join([*lines, b"", body, dice.choice(NOISE) if dice.random() < 0.2 else b""])
    for _ in range(dice.choice([0, 0, 1, 3, 12])):
        _damage(data, dice)
    parameter = tag.decode("latin-1")
    named = [f"x;boundary={parameter}", f'x; boundary="{parameter}"']
    kind = dice.choice([*named, "", "x;boundary=other", "x;boundary="])
    return kind, bytes(data), dice


def _damage(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    to = min(len(data), at + dice.choice([1, 2, 8, 90, 700]))
    how = dice.randrange(6)
    if how == 0:
        del data[at:to]
    elif how == 1:
        data[at:at] = dice.randbytes(dice.choice([1, 4, 60]))
    elif how == 2:
        data[at:at] = data[at:to]
    elif how == 3:
        data[at:at] = dice.choice(NOISE) * dice.randrange(1, 4)
    elif how == 4:
        del data[at:]
        data += dice.choice([b"", b"A" * 9000, b"\n" * 3000, b"\r\n--" * 900])
    elif at < len(data):
        data[at] ^= 1 << dice.randrange(8)


def parse(kind: str, data: bytes, sizes: list[int]) -> object:
    """All bodies and what was skipped, or the sentence of the refusal."""
    parser = MultipartParser(boundary_of(kind))
    bodies: list[bytes] = []
    at = turn = 0
    try:
        while at < len(data):
            chunk = data[at : at + sizes[turn % len(sizes)]]
            bodies += [part.body for part in parser.feed(chunk, float(at))]
            assert parser.buffered <= MAX_BODY + MAX_HEADER + CHUNK + 1000, "memory"
            at, turn = at + len(chunk), turn + 1
        bodies += [part.body for part in parser.close()]
    except FeedError as error:
        return str(error)
    assert sum(map(len, bodies)) <= len(data), "more came out than went in"
    return bodies, parser.skipped


def check(number: int) -> int:
    """Parse one stream, cut in two ways, and decode its pictures; returns how many there were."""
    kind, data, dice = stream(number)
    sizes = [dice.randrange(1, CHUNK) for _ in range(5)]
    began = time.process_time()
    result = parse(kind, data, sizes)
    assert result == parse(kind, data, [CHUNK]), f"stream {number}: the cuts matter"
    pictures = 0
    if isinstance(result, tuple):
        for body in result[0]:
            try:
                luma, size = decode_luma(body)
            except DamagedJpegError:
                continue
            assert luma.dtype == np.uint8
            assert max(luma.shape) <= 240
            assert min(size) > 0
            pictures += 1
    assert time.process_time() - began < TOO_LONG_S, f"stream {number} took too long"
    return pictures


def run(monkeypatch, numbers: range) -> int:
    monkeypatch.setattr(multipart, "MAX_BODY", MAX_BODY)
    monkeypatch.setattr(multipart, "MAX_HEADER", MAX_HEADER)
    check(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pictures = 0
    for number in numbers:
        try:
            pictures += check(number)
        except Exception as error:
            raise AssertionError(f"stream {number}: {type(error).__name__}: {error}") from error
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MORE_MEMORY_KIB
    return pictures


def test_some_thousand_damaged_streams(monkeypatch):
    pictures = run(monkeypatch, range(QUICK))
    assert pictures > QUICK // 4  # damage is not all that the streams are


@pytest.mark.campaign
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_damaged_streams(monkeypatch):
    assert run(monkeypatch, range(SLOW)) > SLOW // 4


if __name__ == "__main__":
    multipart.MAX_BODY, multipart.MAX_HEADER = MAX_BODY, MAX_HEADER
    for argument in sys.argv[1:]:
        print(argument, stream(int(argument))[:2], check(int(argument)))
