"""What is recorded replays to the same frames, even when the recorder was killed."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tap.errors import InputError
from tap.feeds.jpeg import decode_luma
from tap.feeds.media import MediaReader, picture_at
from tap.feeds.record import ShootRecorder
from tap.feeds.shoot import Shoot, ShootCamera, ShootSession, load_shoot
from tap.vocabulary import PROGRAM, Frame

T = 1_789_000_000_000.0


def frame(feed: str, index: int, at_ms: float, size: tuple[int, int] = (320, 180)) -> Frame:
    noise = np.random.default_rng(index).integers(0, 255, (*size[::-1], 3), dtype=np.uint8)
    coded = cv2.imencode(".jpg", noise)[1].tobytes() + b"\0" * (index % 3)
    luma, full = decode_luma(coded)
    return Frame(feed, index, at_ms, luma, full, encoded=coded)


def camera(camera_id: str) -> ShootCamera:
    return ShootCamera(id=camera_id, role="hero", media=Path("unset"), started_at_ms=0.0)


def recorder(folder: Path) -> ShootRecorder:
    session = ShootSession(external_id="s", title="t")
    return ShootRecorder(folder, session, [camera("cam-a"), camera("cam-b")], T)


def read(shoot: Shoot, feed: str) -> list[Frame]:
    track = shoot.program if feed == PROGRAM else shoot.camera(feed)
    return list(MediaReader(track.media, feed, track.started_at_ms))


def same(one: list[Frame], other: list[Frame]) -> bool:
    return len(one) == len(other) and all(
        (a.feed, a.index, a.at_ms, a.size, a.encoded)
        == (b.feed, b.index, b.at_ms, b.size, b.encoded)
        and np.array_equal(a.luma, b.luma)
        for a, b in zip(one, other, strict=True)
    )


def test_a_recording_replays_to_the_same_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    written: dict[str, list[Frame]] = {}
    with recorder(tmp_path / "shoot") as record:
        for feed, count in (("cam-a", 60), ("cam-b", 0), (PROGRAM, 40)):
            times = T + 5 + np.cumsum(rng.integers(1, 400, count))
            written[feed] = [
                frame(feed, n, float(at), (320, 180) if n < 30 else (180, 320))
                for n, at in enumerate(times)
            ]
            for one in written[feed]:
                record.frame(one)
        record.director_line({"type": "cut", "camera": "cam-a", "note": "schön"})
        record.director_line({"type": "session.end"})
    shoot = load_shoot(tmp_path / "shoot")
    assert shoot.session.title == "t"
    assert shoot.camera("cam-a").role == "hero"
    assert all(same(read(shoot, feed), frames) for feed, frames in written.items())
    assert shoot.director is not None
    lines = [json.loads(line) for line in shoot.director.read_text("utf-8").splitlines()]
    assert lines == [{"type": "cut", "camera": "cam-a", "note": "schön"}, {"type": "session.end"}]
    last = written["cam-a"][40]
    assert picture_at(shoot.camera("cam-a").media, T, last.at_ms + 0.5) is not None


def test_what_cant_be_kept_exactly_is_left_out_and_counted(tmp_path: Path) -> None:
    with recorder(tmp_path) as record:
        good = frame("cam-a", 0, T)
        record.frame(good)
        record.frame(Frame("cam-a", 1, T + 40, good.luma, good.size))
        record.frame(frame("cam-b", 0, T - 1))
        record.frame(frame("cam-z", 0, T))
        assert record.skipped == {"cam-a": 1, "cam-b": 1, "cam-z": 1}
    assert same(read(load_shoot(tmp_path), "cam-a"), [good])


def test_a_shoot_is_never_overwritten(tmp_path: Path) -> None:
    recorder(tmp_path).close()
    before = (tmp_path / "shoot.json").read_bytes()
    with pytest.raises(InputError, match="already holds a shoot"):
        recorder(tmp_path)
    assert (tmp_path / "shoot.json").read_bytes() == before


def test_a_folder_that_cant_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        recorder(tmp_path / "file" / "shoot")


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_feeds_record import T, frame, recorder
record = recorder(Path(sys.argv[1]))
for n in range(100):
    record.frame(frame("cam-a", n, T + 40.0 * n))
    record.frame(frame("program", n, T + 40.0 * n))
    record.director_line({"type": "cut", "n": n})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_recorder_leaves_a_readable_shoot(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent)]
    done = subprocess.run(command, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    shoot = load_shoot(tmp_path)
    for feed in ("cam-a", PROGRAM):
        kept = read(shoot, feed)
        assert len(kept) >= 100 - 25  # a second at most
        assert same(kept, [frame(feed, n, T + 40.0 * n) for n in range(len(kept))])
    assert read(shoot, "cam-b") == []
    assert shoot.director is not None
    assert len(shoot.director.read_text().splitlines()) == 100


def test_a_recording_cut_anywhere_is_readable(tmp_path: Path) -> None:
    with recorder(tmp_path) as record:
        frames = [frame("cam-a", n, T + 40.0 * n) for n in range(60)]
        for one in frames:
            record.frame(one)
    path = tmp_path / "media/cam-a.mkv"
    data = path.read_bytes()
    for share in (0.2, 0.5, 0.77, 0.99):
        path.write_bytes(data[: int(len(data) * share)])
        kept = list(MediaReader(path, "cam-a", T))
        assert len(kept) >= int(60 * share) - 2
        assert same(kept, frames[: len(kept)])
