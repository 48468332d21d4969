"""Recordings in pieces: joined they are the whole; what can't be cut so is not cut."""

from dataclasses import replace
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tap.feeds.pieces import WHOLE, Piece, SeamError, Seams, check_seams, cut, read_piece
from tap.feeds.resets import Kind, Resets
from tap.feeds.video import VideoFile

SIZE = (160, 96)
SECONDS = 14
FPS = 25
EVERY_MS = 4000.0


def write(path, codec="libx264", options=None, gop=25, bframes=3):
    """Blotches that drift, in a real codec; a time base of 1/1000 where the container allows."""
    random = np.random.default_rng(5)
    wall = cv2.resize(random.integers(0, 255, (12, 30, 3), np.uint8), (480, 192))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec != "mjpeg":
            stream.gop_size, stream.max_b_frames = gop, bframes
        stream.codec_context.thread_count = 1
        stream.options = options or {}
        for number in range(SECONDS * FPS):
            at = number % 300
            picture = np.ascontiguousarray(wall[at // 4 : at // 4 + 96, at : at + 160])
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def pieces_of(path, every_ms=EVERY_MS):
    with VideoFile(path) as file:
        return cut(file, every_ms)


def read(path, piece):
    seams = Seams()
    with VideoFile(path) as file:
        return list(read_piece(file, piece, seams)), seams


def plain(pictures):
    return [(p.pts_ms, p.size, p.luma.tobytes() if p.luma is not None else None) for p in pictures]


def joined(path, pieces):
    parts = [read(path, piece) for piece in pieces]
    check_seams([seams for _, seams in parts])
    return [picture for part, _ in parts for picture in part]


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("b.mp4", "libx264", {}),
        ("b.mkv", "libx264", {}),
        ("b.ts", "libx264", {}),
        ("b.flv", "libx264", {}),
        ("h.mp4", "libx265", {"x265-params": "keyint=25:open-gop=0:log-level=none"}),
        ("m.mkv", "mjpeg", {}),
    ],
)
def test_pieces_join_to_the_pictures_of_the_whole(tmp_path, name, codec, options):
    path = write(tmp_path / name, codec, options)
    pieces = pieces_of(path)
    assert len(pieces) == 4
    whole, _ = read(path, WHOLE)
    assert len(whole) == SECONDS * FPS
    assert plain(joined(path, pieces)) == plain(whole)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        # Pictures after a key picture that refer to what was before it.
        ("open.mp4", "libx264", {"x264-params": "open-gop=1"}),
        ("open-h.mp4", "libx265", {"x265-params": "keyint=25:open-gop=1:log-level=none"}),
        # No key pictures at all but the first: the picture is renewed column by column.
        ("refresh.mp4", "libx264", {"x264-params": "intra-refresh=1"}),
        # A codec of which tap can't tell where its decoder forgets everything.
        ("m.avi", "mpeg4", {}),
    ],
)
def test_what_does_not_forget_is_not_cut(tmp_path, name, codec, options):
    path = write(tmp_path / name, codec, options)
    assert pieces_of(path) == (WHOLE,)


def test_a_recording_that_breaks_off_ends_the_same_in_pieces(tmp_path):
    path = write(tmp_path / "b.mkv")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.8)])
    pieces = pieces_of(path)
    whole, _ = read(path, WHOLE)
    assert 200 < len(whole) < SECONDS * FPS
    assert len(pieces) == 3
    assert plain(joined(path, pieces)) == plain(whole)


@pytest.mark.parametrize("seed", range(12))
def test_damage_never_makes_pieces_differ_from_the_whole(tmp_path, seed):
    """They join to the same, or say that they don't fit, or the file is not cut at all."""
    path = write(tmp_path / ("b.mkv" if seed % 2 else "b.mp4"))
    content = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    for at in random.integers(2000, len(content) - 2000, 6):
        content[at : at + 3] = random.bytes(3)
    path.write_bytes(content)
    whole, _ = read(path, WHOLE)
    pieces = pieces_of(path)
    try:
        found = joined(path, pieces)
    except SeamError:
        return
    assert plain(found) == plain(whole)


def test_pieces_of_another_file_do_not_fit(tmp_path):
    path = write(tmp_path / "b.mp4")
    other = write(tmp_path / "other.mp4", options={"crf": "40"})
    pieces = pieces_of(path)
    with pytest.raises(SeamError):
        read(other, pieces[1])
    with pytest.raises(SeamError):
        read(path, replace(pieces[1], packets=pieces[1].packets - 1))
    with pytest.raises(SeamError, match="expected 101 pictures, got 100"):
        read(path, replace(pieces[1], pictures=101))
    assert isinstance(pieces[1], Piece)


def test_seams_that_differ_are_seen(tmp_path):
    path = write(tmp_path / "b.mp4")
    seams = [read(path, piece)[1] for piece in pieces_of(path)]
    check_seams(seams)
    assert all(len(one.tail) == 50 for one in seams[:-1])
    seams[1].head[7] = "other"
    with pytest.raises(SeamError, match="0 and 1 differ"):
        check_seams(seams)


AVCC = b"\x01\x64\x00\x1e\xff\xe1"
"""The beginning of MP4's H.264 parameters: lengths of 4 bytes."""


def unit(kind, body=b"\x88\x84"):
    data = bytes([kind]) + body
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    ("packet", "is_key", "kind"),
    [
        (unit(9) + unit(7) + unit(8) + unit(5), True, Kind.RESET),
        (unit(5), False, Kind.UNKNOWN),
        (unit(6) + unit(1), True, Kind.FOLLOWS),  # a key picture by its recovery point only
        (unit(8) + unit(1), False, Kind.UNKNOWN),  # parameters that a later piece would lack
        (unit(1)[:-1], False, Kind.UNKNOWN),
        (b"\x00\x00\x00\x00" + unit(5), True, Kind.UNKNOWN),
    ],
)
def test_h264_pictures_are_known_by_their_units(packet, is_key, kind):
    resets = Resets("h264", AVCC, intra_only=False)
    assert resets.kind(packet, is_key=is_key) is kind


def test_h264_with_start_codes():
    resets = Resets("h264", b"\x00\x00\x00\x01\x67", intra_only=False)
    assert resets.kind(b"\x00\x00\x00\x01\x67\x01\x00\x00\x01\x65\x88", is_key=True) is Kind.RESET
    assert resets.kind(b"\x00\x00\x00\x01\x41\x88", is_key=False) is Kind.FOLLOWS
