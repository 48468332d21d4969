"""Media files: honest times, upright pictures, damage skipped and counted."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.packet import Packet

from tap.errors import InputError
from tap.feeds.jpeg import decode_colour
from tap.feeds.media import MediaReader, Timeline, check_media, picture_at
from tap.vocabulary import Luma

T = 1_789_000_000_000.0


def scene(number: int, width: int = 320, height: int = 180) -> Luma:
    """Bright top left corner; the level of the rest tells the picture's number."""
    picture = np.full((height, width, 3), 20 + 4 * number, np.uint8)
    picture[: height // 3, : width // 4] = 230
    return picture


def write(
    path: Path,
    pts_ms: list[float],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    size: tuple[int, int] = (320, 180),
    rotation: tuple[float, bool] | None = None,
    options: dict[str, str] | None = None,
    audio: bool = False,
) -> Path:
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=30, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, 90_000)
        if rotation is not None:
            stream.set_display_rotation(rotation[0], hflip=rotation[1])
        sound: Any = file.add_stream("aac", rate=48_000) if audio else None
        for number, ms in enumerate(pts_ms):
            frame = av.VideoFrame.from_ndarray(scene(number, *size), format="bgr24")
            frame.pts, frame.time_base = round(ms * 90), Fraction(1, 90_000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(
                np.zeros((1, 48_000), np.float32), format="fltp", layout="mono"
            )
            silence.sample_rate = 48_000
            file.mux(sound.encode(silence))
            file.mux(sound.encode())
    return path


def level(luma: Luma) -> float:
    return float(np.median(luma[luma.shape[0] // 2 :, luma.shape[1] // 2 :]))


UNEVEN = [0, 33, 67, 100, 450, 460, 500, 1400, 1433]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts"])
def test_times_are_the_files_own(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", [float(ms) for ms in UNEVEN], audio=suffix == "mp4")
    reader = MediaReader(path, "cam-a", T + 0.25)
    frames = list(reader)
    start = frames[0].at_ms - T  # a transport stream begins at a time of its own
    assert [f.at_ms - T - start for f in frames] == pytest.approx(UNEVEN, abs=1)
    assert [f.index for f in frames] == list(range(len(UNEVEN)))
    assert all(f.at_ms == round(f.at_ms) and f.feed == "cam-a" for f in frames)
    assert {f.size for f in frames} == {(320, 180)}
    assert (reader.frames, reader.damaged, reader.guessed) == (len(UNEVEN), 0, 0)
    assert np.all(np.diff([level(f.luma) for f in frames]) > 0)


def test_times_are_strictly_increasing_whole_milliseconds() -> None:
    timeline = Timeline(1000.4)
    placed = [timeline.place(pts) for pts in (0.0, 0.2, 0.4, 40.0, None, None, 30.0, 200.0)]
    assert placed == [1000, 1001, 1002, 1040, 1080, 1120, 1121, 1200]
    assert timeline.guessed == 2


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuv444p", "yuvj420p", "nv12", "yuv420p10le", "gray"]
)
def test_luma_of_every_layout(tmp_path: Path, pix_fmt: str) -> None:
    path = write(tmp_path / "a.mkv", [0, 40], pix_fmt=pix_fmt, size=(960, 540))
    first = next(iter(MediaReader(path, "a", T)))
    assert first.luma.shape == (135, 240)
    assert first.luma.flags["C_CONTIGUOUS"]
    assert first.luma[20, 20] > 200
    assert 15 <= level(first.luma) <= 40


@pytest.mark.parametrize(("codec", "pix_fmt"), [("ffv1", "bgr0"), ("rawvideo", "yuyv422")])
def test_luma_of_packed_and_rgb_pictures(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    path = write(tmp_path / "a.nut", [0, 40], codec=codec, pix_fmt=pix_fmt)
    first = next(iter(MediaReader(path, "a", T)))
    assert first.luma[20, 20] > 200
    assert 15 <= level(first.luma) <= 40


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_rotated_video_is_upright(tmp_path: Path, degrees: int, mirrored: bool) -> None:
    path = write(tmp_path / "a.mp4", [0, 40], rotation=(degrees, mirrored), size=(320, 180))
    frame = next(iter(MediaReader(path, "a", T)))
    assert frame.size == ((320, 180) if degrees % 180 == 0 else (180, 320))
    coded = picture_at(path, T, T)
    assert coded is not None
    colour = decode_colour(coded)
    assert colour.shape[:2] == frame.size[::-1]
    expected = np.rot90(scene(0), degrees // 90)  # counter-clockwise, then mirrored
    if mirrored:
        expected = expected[:, ::-1]
    small = cv2.resize(np.ascontiguousarray(expected[:, :, 0]), frame.luma.shape[::-1])
    assert np.abs(frame.luma.astype(int) - small).mean() < 15
    assert np.abs(colour[:, :, 0].astype(int) - expected[:, :, 0]).mean() < 15


def damage(path: Path, at: float, count: int) -> None:
    data = bytearray(path.read_bytes())
    start = int(len(data) * at)
    data[start : start + count] = np.random.default_rng(5).bytes(count)
    path.write_bytes(data)


def test_damaged_pictures_are_skipped_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", [40.0 * n for n in range(40)], options={"g": "1", "crf": "1"})
    with av.open(str(path)) as file:
        packets = [p for p in file.demux(video=0) if p.size]
        place = (packets[10].pos or 0, packets[10].size)
    data = bytearray(path.read_bytes())
    at = data.find(bytes(packets[10])[:64], place[0])
    data[at + 60 : at + place[1]] = b"\x55" * (place[1] - 60)
    path.write_bytes(data)
    reader = MediaReader(path, "a", T)
    frames = list(reader)
    assert reader.damaged >= 1
    assert reader.frames + reader.damaged == 40
    assert len(frames) == reader.frames
    times = {f.at_ms - T for f in frames}
    assert 400.0 not in times
    assert 440.0 in times


@pytest.mark.parametrize("seed", range(12))
def test_any_damage_ends_in_fewer_pictures_never_in_a_crash(tmp_path: Path, seed: int) -> None:
    path = write(
        tmp_path / "a.mkv",
        [40.0 * n for n in range(30)],
        codec=("mjpeg", "libx264")[seed % 2],
        pix_fmt=("yuvj420p", "yuv420p")[seed % 2],
    )
    rng = np.random.default_rng(seed)
    for _ in range(5):
        damage(path, float(rng.uniform(0.1, 0.95)), int(rng.integers(1, 60)))
    try:
        reader = MediaReader(path, "a", T)
    except InputError:
        return  # the container's own header was hit
    frames = list(reader)
    assert len(frames) <= 30
    assert np.all(np.diff([f.at_ms for f in frames]) > 0)


def test_a_file_cut_short_gives_what_it_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", [40.0 * n for n in range(50)], options={"g": "5", "crf": "1"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    assert 10 < len(list(MediaReader(path, "a", T))) < 50


def test_jpegs_keep_their_bytes_and_go_through_the_live_decoder(tmp_path: Path) -> None:
    sizes = [(320, 180)] * 3 + [(180, 320)] * 2  # the size may change inside a file
    coded = [cv2.imencode(".jpg", scene(n, *size))[1].tobytes() for n, size in enumerate(sizes)]
    coded[1] = coded[1][:-40]
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w", format="matroska") as file:
        stream = file.add_mux_stream("mjpeg", width=320, height=180)
        stream.time_base = Fraction(1, 1000)
        for n, data in enumerate(coded):
            packet = Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = 7 + 31 * n
            file.mux(packet)
    reader = MediaReader(path, "a", T)
    frames = list(reader)
    assert [f.at_ms - T for f in frames] == [7, 69, 100, 131]
    assert [f.encoded for f in frames] == [coded[0], *coded[2:]]
    assert [f.size for f in frames] == [sizes[0], *sizes[2:]]
    assert reader.damaged == 1


def test_pictures_without_times_follow_the_last_spacing(tmp_path: Path) -> None:
    path = tmp_path / "a.mjpeg"
    path.write_bytes(b"".join(cv2.imencode(".jpg", scene(n))[1].tobytes() for n in range(5)))
    frames = list(MediaReader(path, "a", T))
    assert len(frames) == 5
    assert len(set(np.diff([f.at_ms for f in frames]))) == 1


def test_duration(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [40.0 * n for n in range(25)])
    assert MediaReader(path, "a", T).duration_ms == pytest.approx(1000, abs=60)


@pytest.mark.parametrize("suffix", ["mp4", "ts", "mkv"])
def test_picture_at_shows_what_was_on_screen(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", [40.0 * n for n in range(50)], options={"g": "12"})
    frames = list(MediaReader(path, "a", T))
    for at_ms, number in [
        (frames[0].at_ms, 0),
        (frames[11].at_ms, 11),
        (frames[12].at_ms, 12),
        (frames[30].at_ms + 39, 30),
        (frames[-1].at_ms + 60_000, 49),
    ]:
        coded = picture_at(path, T, at_ms)
        assert coded is not None
        shown = decode_colour(coded)[150, 300, 1]
        assert abs(int(shown) - (20 + 4 * number)) <= 2
    assert picture_at(path, T, frames[0].at_ms - 1) is None


def test_picture_at_fits_the_long_side(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [0, 40], size=(360, 640))
    coded = picture_at(path, T, T, long_side=320)
    assert coded is not None
    assert decode_colour(coded).shape == (320, 180, 3)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mp4", b""),
        ("a.mp4", b"not a video at all" * 100),
        ("a.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nb.ts\n#EXT-X-ENDLIST\n"),
        ("a.txt", b"ffconcat version 1.0\nfile b.ts\n"),
        ("a.mkv", b"ffconcat version 1.0\nfile b.ts\n"),
    ],
)
def test_what_is_no_media_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    write(tmp_path / "b.ts", [0, 40, 80])
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        check_media(tmp_path / name)


def test_missing_files_and_sound_only_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such media file"):
        check_media(tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.wav"), "w") as file:
        stream: Any = file.add_stream("pcm_s16le", rate=48_000)
        sound = av.AudioFrame.from_ndarray(
            np.zeros((1, 4800), np.int16), format="s16", layout="mono"
        )
        sound.sample_rate = 48_000
        file.mux(stream.encode(sound))
    with pytest.raises(InputError, match="no video"):
        check_media(tmp_path / "a.wav")
