"""Feeds that stand still: frozen ones tell nothing of now, and no habit is taken for a fault."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.unit.sample_pictures import (
    DELAY_MS,
    START_MS,
    Camera,
    frames,
    look_at,
    noisy,
    texture,
)

from tap.sight import Sight, SightSettings
from tap.sight.memory import Memory
from tap.sight.still import SAME_PICTURE, Stillness
from tap.vocabulary import PROGRAM, ShotState

A, B, C = "cam-a", "cam-b", "cam-c"
NEVER = (1e12, 1e12)
STEP_MS = 40.0


@dataclass
class Sensor(Camera):
    """A camera with noise of its own, whose feed repeats one picture in `frozen` (ms)."""

    frozen: tuple[float, float] = NEVER

    def sent(self, ms):
        ms = self.frozen[0] if self.frozen[0] <= ms < self.frozen[1] else ms
        return noisy(self.at(ms), ms + 1e6 * self.seed)


def shoot(plan, *, frozen, delay_ms=DELAY_MS, seconds=12.0, full=False, slate=NEVER, twice=()):
    """What sight says; `frozen` by camera; in `slate` the program shows none of them, and `twice`
    are cameras whose feed has each picture several times."""
    cameras = {
        name: Sensor(seed, fps=5.0 if name in twice else 25.0, frozen=frozen.get(name, NEVER))
        for seed, name in enumerate((A, B, C), start=1)
    }

    def show(ms):
        if slate[0] <= ms < slate[1]:
            return noisy(texture(99), ms)
        name = [name for start, name in plan if start <= ms][-1]
        return noisy(cameras[name].at(ms - delay_ms), ms)

    fast = {name: replace(camera, fps=25.0) for name, camera in cameras.items()}

    def sent(frame):
        if frame.feed == PROGRAM:
            return frame
        camera, ms = cameras[frame.feed], frame.at_ms - START_MS
        step_ms = 1000.0 / camera.fps
        return replace(frame, picture=camera.sent(ms // step_ms * step_ms))

    sight = Sight(list(cameras), SightSettings(full_look=full))
    return look_at(sight, map(sent, frames(fast, show, seconds)))


ROUND = [(0, A), (2000, B), (4000, C), (5000, A)]
CUTS = [("cut", 2000, A, B), ("cut", 4000, B, C), ("cut", 5000, C, A)]


@pytest.mark.parametrize(
    ("delay_ms", "full"), [(0.0, False), (160.0, False), (160.0, True), (500.0, False)]
)
def test_a_live_camera_whose_feed_freezes_is_unseen_and_no_change_is_told(delay_ms, full):
    seen = shoot(ROUND, frozen={A: (8000, 11000)}, delay_ms=delay_ms, full=full, seconds=13.0)
    # What the program shows at first was taken before there were pictures of any camera.
    told = [(old, new) for _, at_ms, old, new in seen.told() if at_ms > delay_ms + 40]
    assert told == [(A, B), (B, C), (C, A)]
    shot, why = seen.shot_at(9500)
    assert shot.state is ShotState.UNSEEN
    assert why == "no new pictures from cam-a"
    # As long as the frozen picture still fits it is the live one; then at once not seen.
    unseen = [shot.start_ms - START_MS for shot, _ in seen.pieces if shot.state is ShotState.UNSEEN]
    assert 8000 <= unseen[0] <= 8100 + delay_ms
    assert seen.shot_at(11200 + delay_ms)[0].camera == A
    [gap] = seen.sight.cameras_seen()[0].gaps
    assert gap[2] == SAME_PICTURE
    assert gap[0] - START_MS == 8000
    assert 10800 <= gap[1] - START_MS <= 12000


@pytest.mark.parametrize("full", [False, True])
def test_a_cut_to_a_camera_whose_feed_is_frozen_is_not_seen(full):
    plan = [*ROUND, (9500, B), (11000, C)]
    seen = shoot(plan, frozen={B: (8000, 12000)}, full=full)
    assert seen.told() == CUTS
    shot, why = seen.shot_at(10200)
    assert (shot.state, why) == (ShotState.UNSEEN, "no new pictures from cam-b")
    assert seen.shot_at(9400)[0].camera == A
    assert seen.shot_at(11100)[0].camera == C


def test_what_a_frozen_camera_explains_is_still_its_picture():
    """The camera itself stands still, and so does the program."""
    cameras = [Sensor(1, frozen=(8000, 11000)), Sensor(2), Sensor(3)]

    def show(ms):
        now = max(0.0, ms - DELAY_MS)
        return noisy(cameras[0].at(8000.0 if 8000 <= now < 11000 else now), ms)

    sight, seen = Sight([A, B, C]), []
    for frame in frames(dict(zip((A, B, C), cameras, strict=True)), show, 14.0):
        if frame.feed != PROGRAM:
            sent = cameras[[A, B, C].index(frame.feed)].sent(frame.at_ms - START_MS)
            sight.see(replace(frame, picture=sent))
        else:
            sight.see(frame)
    sight.finish()
    seen, events = sight.take()
    assert {shot.state for shot, _ in seen} == {ShotState.LIVE}
    assert [event.type.value for event in events if event.type.value == "cut"] == []


def test_off_camera_is_told_beside_a_feed_that_always_repeats_its_pictures():
    """Five pictures a second in a stream of 25: such a feed is not frozen."""
    seen = shoot(ROUND, frozen={}, slate=(8000, 11000), twice=(B,))
    assert seen.state_at(9500) is ShotState.OFF_CAMERA
    assert seen.told() == [*CUTS, ("cut", 8000, A, None), ("cut", 11000, None, A)]
    assert all(not camera.gaps for camera in seen.sight.cameras_seen())


def test_off_camera_is_told_beside_a_feed_that_is_one_graphic():
    seen = shoot(ROUND, frozen={B: (3500, 1e9)}, slate=(8000, 11000))
    # It moved until it stood still: what the program shows may be what that camera films.
    assert seen.state_at(9500) is ShotState.UNSEEN
    seen = shoot([(0, A), (4000, C), (5000, A)], frozen={B: (0, 1e9)}, slate=(8000, 11000))
    assert seen.state_at(9500) is ShotState.OFF_CAMERA


# ------------------------------------------------------------------ the habit of a feed


def followed(pictures, *, look_ms=240.0):
    """A feed's memory and stillness after pictures, one each 40 ms."""
    memory = Memory(4000.0)
    still = Stillness(memory)
    looked_ms = -1e9
    for n, picture in enumerate(pictures):
        memory.add(n * STEP_MS, picture)
        if n * STEP_MS - looked_ms >= look_ms:
            looked_ms = n * STEP_MS
            still.look(looked_ms)
    return still, (len(pictures) - 1) * STEP_MS


def picture(n):
    return np.full((4, 4), n % 251, np.uint8)


def moving(count, start=0, repeats=1):
    return [picture(start + n // repeats) for n in range(count)]


@pytest.mark.parametrize(
    ("pictures", "frozen"),
    [
        (moving(100), False),
        (moving(100) + 3 * [picture(7)], False),  # 0.08 s: a feed may hiccup
        (moving(100) + 4 * [picture(7)], True),
        ([*moving(80), *moving(20, 80, repeats=2), *(9 * [picture(200)])], False),
        ([*moving(80), *moving(20, 80, repeats=2), *(10 * [picture(200)])], True),
        (moving(100) + 150 * [picture(7)], True),  # longer than anything is remembered
        (150 * [picture(7)], False),  # a graphic
        (moving(30) + 150 * [picture(7)], False),  # too little is known of it
        (moving(150, repeats=8), False),  # three pictures a second
        (moving(150, repeats=8) + 20 * [picture(200)], True),
        (moving(900, repeats=30), False),  # a shared screen
        (moving(900, repeats=30) + 75 * [picture(200)], False),
    ],
)
def test_a_feed_is_held_to_its_own_habit(pictures, frozen):
    still, now_ms = followed(pictures)
    assert still.is_frozen(now_ms) is frozen


@pytest.mark.parametrize(("polish", "frozen"), [(1, True), (40, False)])
def test_a_codec_may_polish_a_picture_that_stands_still_but_noise_is_life(polish, frozen):
    """`polish`: pixels of 2,400 that change by a grey level from picture to picture."""
    last = np.full((40, 60), 90, np.uint8)
    shown = [np.roll(last + np.arange(60, dtype=np.uint8), n, axis=1) for n in range(100)]
    for n in range(30):
        last = shown[-1].copy()
        last.flat[np.random.default_rng(n).choice(last.size, polish, replace=False)] ^= 1
        shown.append(last)
    still, now_ms = followed(shown)
    assert still.is_frozen(now_ms) is frozen


def test_the_first_repeated_picture_is_suspected():
    still, now_ms = followed([*moving(100), picture(99)])
    assert still.repeats(now_ms)
    assert not still.is_frozen(now_ms)
    still, now_ms = followed(moving(101))
    assert not still.repeats(now_ms)


def test_a_feed_that_is_lost_is_not_frozen():
    memory = Memory(4000.0)
    still = Stillness(memory)
    for n in range(100):
        memory.add(n * STEP_MS, picture(n))
        still.look(n * STEP_MS)
    for n in range(100, 200):
        still.look(n * STEP_MS)  # time goes on without pictures
    assert still.moves
    assert not still.is_frozen(99 * STEP_MS)
    assert still.gaps() == []
