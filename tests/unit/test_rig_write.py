"""Whole made-up shoots on disk: the pictures, the times and the truth belong together."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tap.errors import InputError
from tap.feeds.shoot import load_shoot
from tap.rig import recipes
from tap.rig.camera import Camera, Timing
from tap.rig.clip import Clip
from tap.rig.encode import Codec, Encoding, Recorder
from tap.rig.plan import Program
from tap.rig.recipes import RECIPES, Options, build
from tap.rig.script import Style, write_plan
from tap.rig.write import Production, write_shoot
from tap.vocabulary import EventType

LEVELS = {"cam-a": 60, "cam-b": 120, "cam-c": 180}


class Clock:
    """A camera's grey, and on it a bar whose length tells the scene time within 4 s."""

    size = (64, 36)

    def __init__(self, level: int) -> None:
        self._level = level

    def picture(self, scene_ms: float) -> np.ndarray:
        picture = np.full((36, 64, 3), self._level, np.uint8)
        picture[24:, : int(scene_ms % 4000.0 / 62.5) + 1] = 240
        return picture


def production(codec: Codec = Codec.H264, **style) -> Production:
    cameras = [
        Camera(
            id=name,
            source=Clock(level),
            timing=Timing(fps=20.0, phase_ms=7.0 * index, jitter_ms=4.0, lost=0.05, seed=index),
            role="hero" if index == 0 else None,
        )
        for index, (name, level) in enumerate(LEVELS.items())
    ]
    plan = write_plan(
        list(LEVELS),
        12_000.0,
        5,
        Style(**style),
        repeated=0.05,
        dropped=0.05,
        freezes=((7e3, 500),),
    )
    return Production(
        name="test",
        cameras=cameras,
        plan=plan,
        program=Program(size=(64, 36), fps=20.0),
        camera_encoding=Encoding(codec=codec, crf=10),
        program_encoding=Encoding(crf=10),
    )


def read(path) -> tuple[list[float], list[np.ndarray]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    times = [float(Fraction(frame.pts) * frame.time_base) * 1000.0 for frame in frames]
    return times, [frame.to_ndarray(format="bgr24") for frame in frames]


@pytest.fixture(scope="module", params=list(Codec))
def shoot(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shoot") / request.param.value
    done: list[float] = []
    mix = ((EventType.CUT, 0.6), (EventType.DISSOLVE, 0.4))
    assert write_shoot(production(request.param, mix=mix), folder, done.append) == folder
    assert done == sorted(done)
    assert done[-1] == 1.0
    return folder


def truth_of(folder) -> dict:
    return json.loads((folder / "truth.json").read_text())


def test_tap_itself_reads_the_folder(shoot):
    loaded = load_shoot(shoot)
    assert [camera.id for camera in loaded.cameras] == list(LEVELS)
    assert loaded.cameras[0].role == "hero"
    assert (shoot / "director.jsonl").read_text().count("\n") > 5


def test_frame_times_are_those_of_the_file(shoot):
    described = json.loads((shoot / "shoot.json").read_text())["program"]
    times, _ = read(shoot / described["media"])
    told = [frame["atMs"] for frame in truth_of(shoot)["frames"]]
    assert [described["startedAtMs"] + time for time in times] == told


def test_the_truth_follows_the_pixels(shoot):
    frames = truth_of(shoot)["frames"]
    _, pictures = read(shoot / "media/program.mkv")
    assert len(pictures) == len(frames)
    for frame, picture in zip(frames, pictures, strict=True):
        level = float(np.median(picture[:20]))
        if frame["state"] == "live":
            assert abs(level - LEVELS[frame["camera"]]) < 8
        else:
            low, high = sorted(LEVELS[name] for name in frame["cameras"])
            assert low - 5 < level < high + 5


def test_the_program_is_as_late_as_the_truth_says(shoot):
    described = json.loads((shoot / "shoot.json").read_text())
    found = truth_of(shoot)
    starts = {camera["id"]: camera["startedAtMs"] for camera in described["cameras"]}
    for camera in found["cameras"]:
        times, pictures = read(shoot / f"media/{camera['id']}.mkv")
        shown = any(frame["camera"] == camera["id"] for frame in found["frames"])
        assert (camera["delayMs"] is not None) == shown
        if shown:
            assert 180.0 <= camera["delayMs"] <= 180.0 + 60.0
        # The bar in a camera's own file tells its own time.
        for time, picture in list(zip(times, pictures, strict=True))[10:40:10]:
            bar = int((picture[30].mean(axis=-1) > 215).sum())
            scene = (starts[camera["id"]] + time - 1_789_000_000_000) % 4000.0
            assert abs(bar - 1 - scene / 62.5) < 2.0


def test_camera_files_miss_what_was_lost(shoot):
    times, _ = read(shoot / "media/cam-a.mkv")
    steps = np.diff(times)
    assert (steps > 75).any(), "lost frames leave holes"
    assert (steps > 0).all()
    assert len(set(np.round(steps))) > 3, "the rate varies"


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="new or empty"):
        write_shoot(production(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(InputError, match="can't"):
        write_shoot(production(), tmp_path / "mine.txt" / "shoot")


def test_time_never_steps_back_in_a_recording(tmp_path):
    with Recorder(tmp_path / "a.mkv", (64, 36), 25.0, Encoding()) as recorder:
        recorder.write(Clock(9).picture(0.0), 10)
        with pytest.raises(ValueError, match="does not follow"):
            recorder.write(Clock(9).picture(0.0), 10)
        recorder.write(Clock(9).picture(40.0), 50)
    with pytest.raises(InputError, match="Expected to write"):
        Recorder(tmp_path / "none" / "a.mkv", (64, 36), 25.0, Encoding())


# ---------------------------------------------------------------- clips and recipes


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    with Recorder(path, (64, 36), 25.0, Encoding(crf=5)) as recorder:
        for index in range(10):
            recorder.write(np.full((36, 64, 3), 20 + 20 * index, np.uint8), index * 40)
    return path


def test_a_clip_plays_forwards_and_back(clip_path):
    clip = Clip(clip_path)
    levels = [round(float(clip.picture(index * 40.0).mean()) / 20) - 1 for index in range(28)]
    there = list(range(10))
    assert levels == [*there, *there[-2:0:-1], *there]
    assert clip.size == (64, 36)
    assert clip.fps == 25.0


def test_a_clip_is_made_smaller_and_never_larger(clip_path):
    assert Clip(clip_path, longer=32).size == (32, 18)
    assert Clip(clip_path, longer=640).size == (64, 36)
    assert Clip(clip_path, longer=32).picture(0.0).shape == (18, 32, 3)


def test_what_is_no_clip_is_refused(tmp_path, clip_path, monkeypatch):
    text = tmp_path / "a.mp4"
    text.write_text("not a video")
    for path in (text, tmp_path / "none.mp4"):
        with pytest.raises(InputError, match="Expected a video"):
            Clip(path)
    monkeypatch.setattr("tap.rig.clip.FRAME_LIMIT", 5)
    with pytest.raises(InputError, match="too long"):
        Clip(clip_path)


def test_an_unknown_recipe_names_the_known(tmp_path):
    with pytest.raises(InputError, match=r"demo.*pose2sim"):
        build("nonsense", tmp_path / "x")


def test_a_recipe_that_has_no_room_says_so(tmp_path):
    with pytest.raises(InputError, match="too short"):
        build("demo", tmp_path / "x", Options(seconds=8.0, longer=64))


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "demo"])
def test_recipes_on_footage_can_be_planned(name, clip_path, monkeypatch):
    monkeypatch.setattr(recipes, "fetch", lambda *_: (clip_path,) * 4)
    recipe = RECIPES[name]
    made = recipe.make(Options(seconds=recipe.seconds))
    assert len(made.plan.takes) > 20
    assert made.plan.duration_ms == recipe.seconds * 1000.0


@pytest.mark.slow
def test_the_demo_is_small_and_has_three_mistakes(tmp_path):
    folder = build("demo", tmp_path / "demo", Options(seconds=34.0, longer=160))
    planted = [verdict["code"] for verdict in truth_of(folder)["verdicts"] if verdict["planted"]]
    assert planted == ["MISSED", "UNANNOUNCED", "WRONG_CAMERA"]
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 8_000_000
    _, pictures = read(folder / "media/program.mkv")
    assert cv2.Laplacian(pictures[100], cv2.CV_64F).std() > 5
