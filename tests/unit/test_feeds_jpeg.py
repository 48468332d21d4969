"""JPEGs from strangers: sane ones are decoded small and upright, others are refused unread."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.feeds.jpeg import (
    MAX_BYTES,
    DamagedJpegError,
    check_jpeg,
    decode_colour,
    decode_luma,
    encode_colour,
)
from tap.vocabulary import Luma


def scene(width: int, height: int) -> Luma:
    """A bright top left corner on a dark slope: every turn and mirror of it looks different."""
    slope = np.linspace(20, 90, width, dtype=np.float32)[None, :].repeat(height, 0)
    slope[: height // 3, : width // 4] = 230
    return np.repeat(slope[:, :, None], 3, axis=2).astype(np.uint8)


def jpeg(width: int, height: int, *options: int) -> bytes:
    return cv2.imencode(".jpg", scene(width, height), options)[1].tobytes()


def with_exif_orientation(data: bytes, orientation: int) -> bytes:
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + bytes([0, orientation, 0, 0])
    body = b"Exif\0\0" + tiff + b"\0\0\0\0"
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


def frame_header(data: bytes) -> int:
    """Offset of the SOF0 or SOF2 marker."""
    return max(data.find(b"\xff\xc0\x00\x11"), data.find(b"\xff\xc2\x00\x11"))


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((1920, 1080), (240, 135)),
        ((1080, 1920), (135, 240)),
        ((1280, 720), (240, 135)),
        ((640, 480), (240, 180)),
        ((3840, 2160), (240, 135)),
        ((479, 359), (240, 180)),
        ((240, 135), (240, 135)),
        ((64, 48), (64, 48)),
        ((1, 1), (1, 1)),
        ((4000, 3), (240, 1)),
    ],
)
def test_luma_is_as_small_as_needed_and_never_enlarged(
    size: tuple[int, int], small: tuple[int, int]
) -> None:
    luma, full = decode_luma(jpeg(*size))
    assert full == size
    assert luma.shape == small[::-1]
    assert luma.dtype == np.uint8


def test_scaled_decoding_looks_like_the_picture() -> None:
    luma, _ = decode_luma(jpeg(1280, 720))
    whole = cv2.cvtColor(decode_colour(jpeg(1280, 720)), cv2.COLOR_BGR2GRAY)
    reference = cv2.resize(whole, (240, 135), interpolation=cv2.INTER_AREA)
    assert np.abs(luma.astype(int) - reference).mean() < 1.0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(960, 540), (200, 120)])
def test_exif_orientation_is_applied_everywhere_alike(
    orientation: int, size: tuple[int, int]
) -> None:
    data = with_exif_orientation(jpeg(*size), orientation)
    luma, full = decode_luma(data)
    colour = decode_colour(data)
    assert full == (size if orientation < 5 else size[::-1])
    assert colour.shape[:2] == full[::-1]
    grey = cv2.resize(colour[:, :, 1], luma.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(luma.astype(int) - grey).mean() < 3.0
    # where the bright corner lies now: EXIF numbers the corners so
    bottom, right = ((0, 0), (0, 1), (1, 1), (1, 0), (0, 0), (0, 1), (1, 1), (1, 0))[
        orientation - 1
    ]
    h, w = luma.shape
    assert luma[-h // 8 if bottom else h // 8, -w // 8 if right else w // 8] > 180


@pytest.mark.parametrize(
    "options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)]
)
def test_kinds_that_cameras_send(options: tuple[int, ...]) -> None:
    assert check_jpeg(jpeg(320, 200, *options)) == (320, 200)
    grey = cv2.imencode(".jpg", scene(320, 200)[:, :, 0], options)[1].tobytes()
    assert decode_luma(grey)[1] == (320, 200)
    assert decode_colour(grey).shape == (200, 320, 3)


def test_padding_behind_the_picture_does_not_matter() -> None:
    luma, _ = decode_luma(jpeg(320, 200))
    assert np.array_equal(decode_luma(jpeg(320, 200) + b"\0" * 500)[0], luma)


def forged(width: int, height: int) -> bytes:
    data = bytearray(jpeg(64, 48))
    at = frame_header(data) + 5
    data[at : at + 4] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


def patched(offset: int, value: int) -> bytes:
    data = bytearray(jpeg(64, 48))
    data[frame_header(data) + offset] = value
    return bytes(data)


WHOLE = jpeg(640, 480)

REFUSED = {
    "empty": b"",
    "a PNG": cv2.imencode(".png", scene(64, 48))[1].tobytes(),
    "30000 x 30000": forged(30000, 30000),
    "65500 x 1000": forged(65500, 1000),
    "no size": forged(0, 48),
    "12 bit": patched(4, 12),
    "four components": patched(9, 4),
    "arithmetic coded": patched(1, 0xC9),
    "lossless": patched(1, 0xC3),
    "cut in the data": WHOLE[: len(WHOLE) // 2],
    "cut before the end marker": WHOLE[:-2],
    "cut in the header": WHOLE[:100],
    "two torn pictures glued together": WHOLE[: len(WHOLE) // 2] + WHOLE,
    "two frame headers": WHOLE[: frame_header(WHOLE)]
    + WHOLE[frame_header(WHOLE) : frame_header(WHOLE) + 19]
    + WHOLE[frame_header(WHOLE) :],
    "endless segments": WHOLE[:2] + b"\xff\xfe\0\x02" * 5000 + WHOLE[2:],
    "too many scans": (many := jpeg(64, 48, cv2.IMWRITE_JPEG_PROGRESSIVE, 1))[:-2]
    + b"\xff\xda\0\x08\x01\x01\0\x01\x3f\0\0" * 1000
    + many[-2:],
    "too large": WHOLE[:-2] + b"\0" * MAX_BYTES + WHOLE[-2:],
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_anything_is_decoded(name: str) -> None:
    began = time.process_time()
    with pytest.raises(DamagedJpegError):
        decode_luma(REFUSED[name])
    assert time.process_time() - began < 0.25


@settings(max_examples=300, deadline=None)
@given(
    cuts=st.lists(
        st.tuples(
            st.floats(0, 1), st.integers(0, 255), st.sampled_from(["flip", "drop", "insert"])
        ),
        min_size=1,
        max_size=6,
    )
)
def test_mutated_jpegs_are_decoded_or_refused(cuts: list[tuple[float, int, str]]) -> None:
    data = bytearray(jpeg(320, 200))
    for place, value, kind in cuts:
        at = int(place * (len(data) - 1))
        if kind == "flip":
            data[at] ^= value
        elif kind == "drop":
            del data[at : at + value]
        else:
            data[at:at] = bytes([value])
    try:
        luma, size = decode_luma(bytes(data))
    except DamagedJpegError:
        return
    assert max(luma.shape) <= 240
    assert size[0] * size[1] <= 4096 * 4096


def test_encode_colour_fits_the_long_side() -> None:
    assert decode_colour(encode_colour(scene(1920, 1080), 640)).shape == (360, 640, 3)
    assert decode_colour(encode_colour(scene(100, 200), 640)).shape == (200, 100, 3)
