"""The truth of what the accuracy suite adds: rate converters, twins, hanging cameras, delays."""

from dataclasses import replace

import numpy as np
from benchmarks.perfect import perfect_witness
from benchmarks.score import score

from tap.rig.camera import Camera, Timing
from tap.rig.plan import Delay, Kind, On, Plan, Program, Take, camera
from tap.rig.switcher import Switcher
from tap.rig.truth import truth_of

START = 1_789_000_000_000
PROGRAM = Program(size=(32, 18), fps=25.0, starts_ms=1000.0)


class Clocked:
    """A source whose grey tells whose it is and when: `level` plus a step each 40 ms."""

    def __init__(self, level: int) -> None:
        self.size = (32, 18)
        self._level = level

    def picture(self, scene_ms: float) -> np.ndarray:
        return np.full((18, 32, 3), self._level + int(scene_ms / 40.0) % 50, np.uint8)


def cameras() -> list[Camera]:
    return [
        Camera(id=name, source=Clocked(level), timing=Timing(fps=25.0))
        for name, level in (("a", 0), ("b", 100), ("c", 200))
    ]


def truth(made: Switcher) -> dict:
    frames = made.frames()
    times = [START + 1000 + round(frame.at_ms) for frame in frames]
    return truth_of(made, frames, times, seen_by=("a", "b", "c"), start_ms=START, session="s")


def plan(*takes: Take) -> Plan:
    return Plan(duration_ms=4000.0, takes=(Take(0.0, camera("a")), *takes))


def test_a_converter_blends_and_its_label_is_the_greater_part():
    program = replace(PROGRAM, fps=50.0, mixed_fps=30.0)
    made = Switcher(cameras(), plan(Take(2000.0, camera("b"))), program)
    frames = made.frames()
    assert len(frames) == 200
    levels = [float(picture.mean()) for picture in made.pictures(frames)]
    names = [frame.label.camera for frame in frames]
    for level, name in zip(levels, names, strict=True):
        assert (level >= 75.0) == (name == "b")
    mixed = [level for level in levels if 50.0 < level < 100.0]
    assert len(mixed) <= 2, "at most two frames lie astride the cut"
    (event,) = truth(made)["events"]
    assert abs(event["frame"] - 100) <= 1


def test_without_a_converter_pictures_are_as_they_were():
    one = Switcher(cameras(), plan(Take(2000.0, camera("b"))), PROGRAM)
    two = Switcher(cameras(), plan(Take(2000.0, camera("b"))), replace(PROGRAM, mixed_fps=25.0))
    for first, second in zip(one.pictures(one.frames()), two.pictures(two.frames()), strict=True):
        assert np.array_equal(first, second)


def test_twins_that_only_noise_tells_apart_may_be_named_or_not():
    them = cameras()
    them[1].twins, them[2].twins = ("c",), ("b",)
    them[1].twins_differ = them[2].twins_differ = True
    found = truth(Switcher(them, plan(Take(2000.0, camera("b"))), PROGRAM))
    assert found["frames"][60] == {
        "atMs": found["frames"][60]["atMs"],
        "state": "ambiguous",
        "camera": "b",
        "cameras": ["b", "c"],
    }
    (event,) = found["events"]
    assert (event["to"], event["orTo"]) == (None, "b")
    doubtful = perfect_witness(found)
    sure = perfect_witness(found)
    for shot in sure["shots"]:
        if shot["state"] == "ambiguous":
            shot.update(state="live", cameras=["b"])
    sure["events"][0]["to"] = "b"
    wrong = perfect_witness(found)
    for shot in wrong["shots"]:
        if shot["state"] == "ambiguous":
            shot.update(state="live", camera="c", cameras=["c"])
    for witness, right in ((doubtful, 1.0), (sure, 1.0), (wrong, 0.5)):
        figures = score(witness, found).figures()
        assert abs(figures["frameAccuracy"] - right) < 0.03
        assert abs(figures["ambiguousRecall"] - (right == 1.0)) < 0.01
    assert score(sure, found).figures()["cutF1"] == 1.0


def test_a_hanging_camera_sends_one_picture_to_all():
    them = cameras()
    them[0].stuck = ((2000.0, 3000.0),)
    times = them[0].capture_times(5000.0)
    levels = {
        int(them[0].picture(index, float(at)).mean())
        for index, at in enumerate(times)
        if 2000.0 < at < 3000.0
    }
    assert len(levels) == 1


def test_thinned_stretches_take_fewer_pictures():
    timing = Timing(fps=25.0, thinned=((1000.0, 2000.0, 2),))
    times = Camera(id="a", source=Clocked(0), timing=timing).capture_times(3000.0)
    inside = times[(times >= 1000.0) & (times < 2000.0)]
    assert 12 <= len(inside) <= 13
    assert np.all(np.diff(times) > 0)


def test_a_graphic_is_no_camera():
    found = truth(Switcher(cameras(), plan(Take(2000.0, On(Kind.GRAPHIC))), PROGRAM))
    assert found["frames"][60]["state"] == "off_camera"
    assert found["events"][0]["to"] is None


def test_a_changing_delay_has_no_single_value_and_is_scored_by_its_range():
    delays = {"a": Delay(200.0, 600.0), "b": Delay(200.0)}
    found = truth(Switcher(cameras(), plan(Take(3500.0, camera("b"))), PROGRAM, delays))
    changing, steady, _ = found["cameras"]
    assert changing["pathDelayMs"] is None
    assert steady["pathDelayMs"] == 200.0
    said = perfect_witness(found)
    said["cameras"][0]["delayMs"] = changing["delayHighMs"] + 7.0
    said["cameras"][2]["delayMs"] = None
    assert sorted(score(said, found).delay_errors_ms) == [0.0, 7.0]
