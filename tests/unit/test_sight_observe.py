"""Which cameras can't be told apart, and what is claimed of holds because of it."""

from dataclasses import dataclass
from dataclasses import replace as changed

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import DELAY_MS, START_MS, Camera, cuts, frames, noisy, watch

from tap.sight import Sight, SightSettings
from tap.sight.camera import Camera as Known
from tap.sight.look import Rect
from tap.sight.observe import Observer
from tap.sight.placement import Placement
from tap.vocabulary import Event, EventType, Luma

A, B, C = "cam-a", "cam-b", "cam-c"
HOLDS = SightSettings(hold_ms=3000)
FULL = SightSettings(full_look=True)


@dataclass
class Stopping(Camera):
    """Stands still from one moment to another; before and after it moves at a pace of its own."""

    stop_ms: float = 0.0
    go_ms: float = 1e12
    pace: float = 1.0
    phase_ms: float = 0.0
    """How long before the usual moment its pictures are taken."""
    noise: int = 0

    def at(self, ms: float) -> Luma:
        ms = max(0.0, ms // 40 * 40)
        since = min(0.0, ms - self.stop_ms) + max(0.0, ms - self.go_ms)
        taken = (3000 + self.pace * since - (self.phase_ms if since else 0.0)) / 1000
        x, y = 20 + 18 * np.sin(4.2 * taken), 20 + 18 * np.sin(2.6 * taken)
        move = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        luma = cv2.warpAffine(self.world, move, (self.width, self.height), flags=flags)
        return noisy(np.asarray(luma, np.uint8), 16 * ms + self.noise, 1.5)


def spans(seen, *pair):
    [found] = [p for p in seen.sight.indistinguishable() if p.cameras == pair]
    assert found.total_ms == pytest.approx(sum(end - start for start, end in found.intervals))
    return [(start - START_MS, end - START_MS) for start, end in found.intervals]


def holds(seen):
    found = [e for e in seen.events if e.type is EventType.HOLD]
    assert all(e.id == f"hold-{e.at_ms:.0f}" and e.from_camera == e.to_camera for e in found)
    return [(e.from_camera, e.at_ms - START_MS, e.duration_ms) for e in found]


# ---------------------------------------------------------------- telling cameras apart


def test_different_cameras_are_never_reported():
    cameras = {A: Camera(1), B: Camera(2, still=True), C: Camera(3, still=True)}
    seen = watch(cameras, cuts(cameras, [(0, A), (1500, B)]), 3.0)
    assert seen.sight.indistinguishable() == ()
    now = seen.sight.separations
    assert now.cameras == (A, B, C)
    assert np.isnan(np.diag(now.nats)).all()
    apart = now.nats[~np.eye(3, dtype=bool)]
    assert (apart > 30).all()
    assert (now.nats == now.nats.T)[~np.eye(3, dtype=bool)].all()
    assert not now.alike.any()


@pytest.mark.parametrize("still", [True, False])
def test_one_feed_twice_is_reported_all_along(still):
    cameras = {A: Camera(1, still=still), B: Camera(1, still=still), C: Camera(3)}
    seen = watch(cameras, cuts(cameras, [(0, C), (1000, A)]), 3.0)
    assert spans(seen, A, B) == [(0, 3000)]
    assert [p.cameras for p in seen.sight.indistinguishable()] == [(A, B)]
    assert seen.sight.separations.alike[0, 1]


def test_one_feed_that_comes_twice_at_different_times_is_one():
    late = Camera(1)
    plain, late.at = late.at, lambda ms: plain(ms - 120)
    cameras = {A: Camera(1), B: late, C: Camera(3)}
    seen = watch(cameras, cuts(cameras, [(0, C), (1000, A)]), 4.0)
    [(start, end)] = spans(seen, A, B)
    assert start < 2000
    assert end == 4000


def test_noise_of_its_own_does_not_tell_a_camera_from_its_twin():
    cameras = {A: Stopping(1), B: Stopping(1, noise=5)}
    show = cuts({A: Stopping(1, noise=9)}, [(0, A)])
    assert spans(watch(cameras, show, 2.0), A, B) == [(0, pytest.approx(2000, abs=1))]


@pytest.mark.parametrize("apart", [{"phase_ms": 20}, {"pace": 1.7}])
def test_two_cameras_on_one_scene_are_reported_only_while_it_is_still(apart):
    cameras = {
        A: Stopping(1, stop_ms=2000, go_ms=4500),
        B: Stopping(1, stop_ms=2000, go_ms=4500, noise=5, **apart),
    }
    # The program shows the feeds late, and a look comes every quarter of a second, or half.
    for settings, within in ((FULL, 300), (None, 550)):
        seen = watch(cameras, cuts(cameras, [(0, A)]), 6.0, settings=settings)
        [(start, end)] = spans(seen, A, B)
        assert start == pytest.approx(2000 + DELAY_MS, abs=within)
        assert end == pytest.approx(4500 + DELAY_MS, abs=within)


def test_a_twin_without_pictures_is_not_reported():
    cameras = {A: Camera(1), B: Camera(1, lost=(1000, 4000))}
    seen = watch(cameras, cuts(cameras, [(0, A)]), 6.0)
    [(start, lost), (back, end)] = spans(seen, A, B)
    assert (start, end) == (0, 6000)
    assert 1000 < lost < 2500
    assert 3000 < back < 4750


def test_a_program_without_pictures_is_no_time_in_which_a_cut_goes_unseen():
    cameras = {A: Camera(1), B: Camera(1)}
    show = cuts(cameras, [(0, A)])
    seen = watch(cameras, lambda ms: None if 2000 <= ms < 4000 else show(ms), 6.0)
    assert spans(seen, A, B) == [
        (0, pytest.approx(2000, abs=1)),
        (4000, 6000),
    ]


def observer(*worlds: Luma, settings=HOLDS):
    """An observer of cameras that stand still before these pictures."""
    known = [Known(settings) for _ in worlds]
    for camera, world in zip(known, worlds, strict=True):
        for n in range(100):
            camera.memory.add(START_MS + 40 * n, world)
    return known, Observer([A, B, C][: len(worlds)], known, settings)


def look(watching, until_ms, from_ms=0):
    for ms in range(from_ms, until_ms, 40):
        watching.look(START_MS + ms, 40.0)


def test_a_black_camera_is_told_from_a_picture_but_not_from_a_black_one():
    black, dark = np.full((90, 160), 8, np.uint8), np.full((90, 160), 16, np.uint8)
    _, watching = observer(Camera(1).at(0), noisy(black, 1), noisy(dark, 2))
    look(watching, 1000)
    assert [p.cameras for p in watching.indistinguishable()] == [(B, C)]
    assert watching.separations.nats[0, 1] == np.inf


def test_cameras_in_other_places_of_the_program_are_told_apart():
    same = Camera(1).at(0)
    known, watching = observer(same, same)
    beside = Placement(on=Rect(0, 0.1, 1, 0.9))
    known[1].memory.place(beside, portrait=False)
    look(watching, 1000)
    assert watching.separations.alike[0, 1]  # it may be a wrong guess as long as none was seen
    for camera in known:
        camera.confirmed = True
    look(watching, 2000, 1000)
    assert not watching.separations.alike[0, 1]


def test_what_is_left_of_a_difference_depends_on_the_programme():
    one, other = Camera(1).at(0), Camera(2).at(0)
    known, watching = observer(one, cv2.addWeighted(one, 0.94, other, 0.06, 0))

    def fit(usual):
        for camera in known:
            camera.chart.restart()
            for _ in range(20):
                camera.chart.learn(np.full(32, usual), np.full(32, 8.0), None)

    fit(0.9)
    look(watching, 1000)
    clean = watching.separations
    fit(0.3)
    look(watching, 2000, 1000)
    graded = watching.separations
    assert not clean.alike[0, 1]
    assert graded.nats[0, 1] < 0.5 * clean.nats[0, 1]
    assert graded.alike[0, 1]


def test_one_camera_or_none():
    for count in (0, 1):
        _, watching = observer(*[Camera(1).at(0)] * count)
        look(watching, 1000)
        assert watching.indistinguishable() == ()
        assert watching.separations.nats.shape == (count, count)


def test_flicker_is_one_stretch_and_a_moment_is_none():
    a = Camera(1).at(0)
    b = Camera(2).at(0)
    known, watching = observer(a, a, settings=FULL)
    for camera in known:
        camera.delay.learn(START_MS, np.array([START_MS]), np.zeros(1))
    step = 0

    def show(luma, looks):
        nonlocal step
        for _ in range(looks):
            for _ in range(10):
                known[0].memory.add(START_MS + 4000 + 40 * step, a)
                known[1].memory.add(START_MS + 4000 + 40 * step, luma)
                step += 1
            watching.look(START_MS + 3880 + 40 * step, 40.0)

    for luma, looks in [(b, 4), (a, 1), (b, 4), (a, 3), (b, 1), (a, 3), (b, 4)]:
        show(luma, looks)
    [found] = watching.indistinguishable()
    assert [end - start for start, end in found.intervals] == [7 * 400]


# ---------------------------------------------------------------- holds


def hold(from_ms, to_ms, camera=A):
    return Event(
        id=f"hold-{START_MS + from_ms:.0f}",
        type=EventType.HOLD,
        at_ms=START_MS + from_ms,
        duration_ms=to_ms - from_ms,
        from_camera=camera,
        to_camera=camera,
        confidence=0.99,
    )


def test_a_hold_beside_other_cameras_is_claimed():
    cameras = {A: Camera(1), B: Camera(2), C: Camera(3)}
    seen = watch(cameras, cuts(cameras, [(0, C), (1000, A)]), 6.0, settings=HOLDS)
    assert holds(seen) == [(A, 1000, 5000)]


def test_a_hold_beside_a_twin_is_not():
    cameras = {A: Camera(1), B: Camera(1), C: Camera(3)}
    settings = changed(HOLDS, hold_ms=1500)
    seen = watch(cameras, cuts(cameras, [(0, C), (2000, A)]), 6.0, settings=settings)
    assert holds(seen) == [(C, 0, 2000)]


def still_for_a_while():
    """A moves, stands still beside its twin for 2 s, and moves on."""
    cameras = {
        A: Stopping(1, stop_ms=4000, go_ms=6000),
        B: Stopping(1, stop_ms=4000, go_ms=6000, pace=1.7, noise=5),
    }
    return cameras, cuts(cameras, [(0, A)])


def test_a_hold_is_claimed_around_the_time_in_which_a_cut_would_not_have_been_seen():
    cameras, show = still_for_a_while()
    seen = watch(cameras, show, 10.0, settings=HOLDS, keep_evidence=True)
    [(start, end)] = spans(seen, A, B)
    assert holds(seen) == [(A, 0, start), (A, end, 10_000 - end)]
    _, events = seen.sight.in_hindsight()
    assert [e for e in events if e.type is EventType.HOLD] == [
        e for e in seen.events if e.type is EventType.HOLD
    ]


def test_holds_and_coverage_do_not_depend_on_when_they_are_asked_for():
    cameras, show = still_for_a_while()
    often = watch(cameras, show, 10.0, settings=HOLDS)
    sight = Sight(list(cameras), HOLDS)
    for frame in frames(cameras, show, 10.0):
        sight.pass_time(frame.at_ms - 3)
        sight.see(frame)
    sight.finish()
    assert sight.indistinguishable() == often.sight.indistinguishable()
    assert sight.take()[1] == often.events


def test_what_remains_of_a_hold_must_be_long_enough():
    same, other = Camera(1).at(0), Camera(2).at(0)
    _, watching = observer(same, same, other)
    look(watching, 1000)
    watching.pause(START_MS + 1000)
    told = [hold(0, 5000), hold(0, 3900, A), hold(0, 5000, C), hold(2000, 5000, B)]
    cut = told[0].model_copy(update={"type": EventType.CUT})
    assert watching.claimable([*told, cut]) == [
        hold(1000, 5000),
        hold(0, 5000, C),
        hold(2000, 5000, B),
        cut,
    ]
