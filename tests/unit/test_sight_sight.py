"""Sight as a whole, on synthetic shoots."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import (
    BLACK,
    DELAY_MS,
    START_MS,
    Camera,
    cuts,
    frames,
    look_at,
    noisy,
    texture,
    watch,
)

from tap.sight import Sight
from tap.vocabulary import PROGRAM, Frame, ShotState

CAMERAS = {"cam-a": Camera(1), "cam-b": Camera(2), "cam-c": Camera(3)}
A, B, C = CAMERAS


def live(name, ms):
    return CAMERAS[name].at(ms - DELAY_MS)


def test_cuts_are_found_to_the_frame_and_delays_measured():
    seen = watch(CAMERAS, cuts(CAMERAS, [(0, A), (2000, B), (3000, C), (4000, A)]), 6.0)
    assert seen.told() == [
        ("cut", 2000, A, B),
        ("cut", 3000, B, C),
        ("cut", 4000, C, A),
    ]
    assert [seen.camera_at(ms) for ms in (500, 2500, 3500, 5500)] == [A, B, C, A]
    assert all(e.confidence > 0.9 for e in seen.events)
    assert seen.sight.program_frames == 150
    [a, *_] = seen.sight.cameras_seen()
    assert a.delay_low_ms <= DELAY_MS <= a.delay_high_ms
    assert a.frames_seen == 150
    assert not a.mirrored


def test_equal_frames_give_equal_answers():
    show = cuts(CAMERAS, [(0, A), (1500, B)])
    one, two = watch(CAMERAS, show, 3.0), watch(CAMERAS, show, 3.0)
    assert one.pieces == two.pieces
    assert one.events == two.events
    assert one.sight.cameras_seen() == two.sight.cameras_seen()


def test_it_does_not_matter_how_often_time_is_told():
    show = cuts(CAMERAS, [(0, A), (1500, B)])
    plain = watch(CAMERAS, show, 3.0)
    sight, pieces, events = Sight(list(CAMERAS)), [], []
    for frame in frames(CAMERAS, show, 3.0):
        sight.pass_time(frame.at_ms - 3)
        sight.see(frame)
        sight.pass_time(frame.at_ms)
    sight.finish()
    pieces, events = sight.take()
    assert pieces == plain.pieces
    assert events == plain.events


def test_hindsight_agrees_where_the_evidence_is_clear():
    seen = watch(CAMERAS, cuts(CAMERAS, [(0, A), (2000, B), (3000, C)]), 4.5, keep_evidence=True)
    pieces, events = seen.sight.in_hindsight()
    assert [(e.type, e.at_ms, e.to_camera) for e in events] == [
        (e.type, e.at_ms, e.to_camera) for e in seen.events
    ]
    assert pieces[0][0].start_ms == seen.pieces[0][0].start_ms
    assert pieces[-1][0].end_ms == seen.pieces[-1][0].end_ms
    assert all(a[0].end_ms == b[0].start_ms for a, b in pairwise(pieces))
    again = seen.sight.in_hindsight()
    assert again == (pieces, events)


def test_now_is_told_at_once():
    sight = Sight(list(CAMERAS))
    told = []
    for frame in frames(CAMERAS, cuts(CAMERAS, [(0, A), (1000, B)]), 2.0):
        sight.see(frame)
        if frame.feed == PROGRAM and sight.now is not None:
            told.append((sight.now.at_ms - START_MS, sight.now.camera))
    assert dict(told)[920] == A
    assert dict(told)[1080] == B


def test_a_dissolve():
    def show(ms):
        share = min(1.0, max(0.0, (ms - 2000) / 800))
        return noisy(cv2.addWeighted(live(A, ms), 1 - share, live(B, ms), share, 0), ms)

    [(kind, at, old, new)] = watch(CAMERAS, show, 4.5).told()
    assert (kind, old, new) == ("dissolve", A, B)
    assert at == pytest.approx(2000, abs=121)


def test_a_wipe():
    def show(ms):
        edge = round(160 * min(1.0, max(0.0, (ms - 2000) / 1000)))
        out = live(A, ms).copy()
        out[:, :edge] = live(B, ms)[:, :edge]
        return noisy(out, ms)

    [(kind, at, old, new)] = watch(CAMERAS, show, 4.5).told()
    assert (kind, old, new) == ("wipe", A, B)
    assert at == pytest.approx(2000, abs=250)


def test_a_fade_through_black():
    def show(ms):
        level = min(1.0, abs(ms - 2400) / 400)
        return noisy((live(A if ms < 2400 else B, ms) * level).astype(np.uint8), ms)

    [(kind, at, old, new)] = watch(CAMERAS, show, 4.5).told()
    assert (kind, old, new) == ("fade", A, B)
    assert at == pytest.approx(2000, abs=121)


def test_black_and_an_untapped_camera_are_told_as_such():
    untapped = Camera(77)

    def show(ms):
        if 2000 <= ms < 3500:
            return BLACK
        return noisy(untapped.at(ms) if 5000 <= ms < 6500 else live(A, ms), ms)

    seen = watch(CAMERAS, show, 8.0)
    assert [seen.state_at(ms) for ms in (1000, 2700, 4300, 5800, 7500)] == [
        ShotState.LIVE,
        ShotState.BLACK,
        ShotState.LIVE,
        ShotState.OFF_CAMERA,
        ShotState.LIVE,
    ]
    assert seen.told() == [
        ("cut", 2000, A, None),
        ("cut", 3520, None, A),
        ("cut", 5000, A, None),
        ("cut", 6520, None, A),
    ]


@pytest.mark.parametrize("grey", [70, 128, 250])
def test_a_plain_colour_is_nobodys_picture(grey):
    plain = np.full((90, 160), grey, np.uint8)
    show = cuts(CAMERAS, [(0, A)])
    seen = watch(CAMERAS, lambda ms: plain if 2000 <= ms < 4000 else show(ms), 5.0)
    assert seen.state_at(3000) is ShotState.OFF_CAMERA
    assert seen.state_at(4600) is ShotState.LIVE


def test_a_flash_and_a_lower_third_are_no_cuts():
    def show(ms):
        out = live(A, ms).copy()
        if 2000 <= ms < 2080:
            return np.full_like(out, 250)
        if 3000 <= ms < 4500:
            out[66:, 20:140] = texture(50)[66:, 20:140]
        return noisy(out, ms)

    seen = watch(CAMERAS, show, 6.0)
    assert seen.told() == []
    assert seen.camera_at(3800) == A


def test_one_camera_registered_twice_is_ambiguous_and_both_are_named():
    cameras = {A: Camera(1), B: Camera(1), C: Camera(3)}
    seen = watch(cameras, cuts(cameras, [(0, C), (2000, A)]), 4.0)
    shot, _ = seen.shot_at(3000)
    assert shot.state is ShotState.AMBIGUOUS
    assert shot.cameras == (A, B)
    assert shot.camera is None
    assert shot.confidence > 0.9
    assert seen.camera_at(1000) == C


def test_cameras_side_by_side_are_composed():
    def show(ms):
        out = live(A, ms).copy()
        if 2500 <= ms < 4500:
            out[:, :80] = live(A, ms)[:, 40:120]
            out[:, 80:] = live(B, ms)[:, 40:120]
        return noisy(out, ms)

    plain = cuts(CAMERAS, [(0, B), (1200, A)])
    seen = watch(CAMERAS, lambda ms: plain(ms) if ms < 2500 else show(ms), 6.0)
    shot, _ = seen.shot_at(3500)
    assert (shot.state, shot.cameras) == (ShotState.COMPOSED, (A, B))
    assert seen.told() == [("cut", 1200, B, A), ("cut", 2520, A, None), ("cut", 4520, None, A)]


def test_a_replay_of_older_pictures_is_off_camera():
    show = cuts(CAMERAS, [(0, A), (1500, B)])
    replay = lambda ms: noisy(live(A, ms - 2500), ms)  # noqa: E731 - one line, used once
    seen = watch(CAMERAS, lambda ms: replay(ms) if 4000 <= ms < 5500 else show(ms), 7.0)
    shot, _ = seen.shot_at(5000)
    assert shot.state is ShotState.OFF_CAMERA
    assert shot.cameras == (A,)


# ---------------------------------------------------------------- not seen is not "no"


@pytest.mark.parametrize("all_were_on", [False, True])
def test_off_camera_is_not_sure_while_a_camera_was_never_on(all_were_on):
    stranger = Camera(9)
    third = C if all_were_on else A
    show = cuts(CAMERAS, [(0, A), (1500, B), (3000, third)])
    seen = watch(CAMERAS, lambda ms: stranger.at(ms) if ms >= 4500 else show(ms), 7.0)
    shot, _ = seen.shot_at(6000)
    assert shot.state is ShotState.OFF_CAMERA
    assert (shot.confidence > 0.9) == all_were_on


class Tight(Camera):
    """Sees the middle of what the first camera sees."""

    def at(self, ms: float) -> np.ndarray:
        part = CAMERAS[A].at(ms)[18:72, 32:128]
        return cv2.resize(part, (160, 90), interpolation=cv2.INTER_CUBIC)


def test_a_wide_camera_is_not_bent_into_the_tight_one_that_gives_no_pictures():
    cameras = {A: CAMERAS[A], B: Tight(2, lost=(4500, 5700)), C: CAMERAS[C]}
    show = cuts(cameras, [(0, C), (1000, A), (2200, C), (3000, B)])
    seen = watch(cameras, lambda ms: noisy(show(ms), ms), 7.0)
    names = {shot.camera for shot, _ in seen.pieces if shot.start_ms > START_MS + 3400}
    assert A not in names
    assert seen.camera_at(6500) == B


def test_a_camera_that_stutters_is_not_replaced_by_one_that_shows_what_it_does():
    cameras = {A: CAMERAS[A], B: Tight(2, lost=(3200, 3280)), C: CAMERAS[C]}
    show = cuts(cameras, [(0, C), (1000, A), (2200, C), (3240, B), (5000, A)])
    seen = watch(cameras, lambda ms: noisy(show(ms), ms), 7.0)
    assert seen.told()[2:] == [("cut", 3240, C, B), ("cut", 5000, B, A)]


def test_a_program_gap_is_unseen():
    show = cuts(CAMERAS, [(0, A), (3000, B)])
    seen = watch(CAMERAS, lambda ms: None if 2000 <= ms < 4000 else show(ms), 6.0)
    shot, reason = seen.shot_at(3000)
    assert shot.state is ShotState.UNSEEN
    assert reason == "no program frames"
    assert seen.told() == []
    assert [k for k, *_ in seen.told(also=True)] == ["feed_lost", "feed_back"]
    assert (seen.camera_at(1500), seen.camera_at(5000)) == (A, B)


def test_a_program_that_ends_before_the_rest_is_unseen_to_the_end():
    show = cuts(CAMERAS, [(0, A)])
    seen = watch(CAMERAS, lambda ms: show(ms) if ms < 2000 else None, 5.0)
    assert seen.pieces[-1] == (seen.pieces[-1][0], "no program frames")
    assert seen.pieces[-1][0].end_ms == START_MS + 4960


def test_the_live_cameras_feed_lost_is_unseen_with_its_reason():
    cameras = CAMERAS | {A: Camera(1, lost=(3000, 6500))}
    seen = watch(cameras, cuts(cameras, [(0, B), (1000, A)]), 9.0)
    shot, reason = seen.shot_at(5500)
    assert shot.state is ShotState.UNSEEN
    assert reason == f"no frames from {A}"
    assert seen.camera_at(2500) == seen.camera_at(8500) == A
    assert seen.told() == [("cut", 1000, B, A)]
    [gap] = seen.sight.cameras_seen()[0].gaps
    assert gap == (pytest.approx(START_MS + 3000, abs=2), START_MS + 6520, "no frames")


def test_some_lost_frames_of_the_live_camera_change_nothing():
    cameras = CAMERAS | {A: Camera(1, lost=(3000, 3400))}
    seen = watch(cameras, cuts(cameras, [(0, B), (1000, A)]), 5.0)
    assert seen.told() == [("cut", 1000, B, A)]


def test_a_program_before_its_cameras_is_unseen():
    cameras = {name: Camera(camera.seed, lost=(0, 3000)) for name, camera in CAMERAS.items()}
    seen = watch(cameras, cuts(cameras, [(0, A)]), 6.0)
    shot, reason = seen.shot_at(1500)
    assert shot.state is ShotState.UNSEEN
    assert reason == "no frames from cam-a, cam-b, cam-c"
    assert seen.camera_at(5000) == A


def test_a_camera_that_never_comes_spoils_nothing():
    cameras = CAMERAS | {C: Camera(3, lost=(0, 1e9))}
    seen = watch(cameras, cuts(cameras, [(0, A), (1520, B)]), 3.0)
    assert seen.told() == [("cut", 1520, A, B)]
    assert seen.sight.cameras_seen()[2].frames_seen == 0
    assert seen.sight.cameras_seen()[2].delay_ms is None


# ---------------------------------------------------------------- shapes and numbers


def test_portrait_cameras_stand_between_bars():
    cameras = {A: Camera(1, 160, 90), B: Camera(2, 160, 90)}
    inside = cuts(cameras, [(0, A), (2500, B)])

    def show(ms):
        out = np.zeros((90, 160), np.uint8)
        out[:, 55:106] = cv2.resize(inside(ms), (51, 90), interpolation=cv2.INTER_AREA)
        return out

    seen = watch(cameras, show, 5.0)
    assert seen.told() == [("cut", 2520, A, B)]
    assert seen.camera_at(2000) == A


def test_a_mirrored_program_is_noticed():
    show = cuts(CAMERAS, [(0, A), (3000, B)])
    seen = watch(CAMERAS, lambda ms: np.ascontiguousarray(show(ms)[:, ::-1]), 5.0)
    assert seen.told() == [("cut", 3000, A, B)]
    assert [c.mirrored for c in seen.sight.cameras_seen()[:2]] == [True, True]


def test_a_zoomed_program_is_found():
    # Still: where a whole picture only pans, a shift and a delay are the same thing.
    cameras = {name: Camera(camera.seed, still=True) for name, camera in CAMERAS.items()}
    show = cuts(cameras, [(0, A), (4000, B)])
    seen = watch(cameras, lambda ms: cv2.resize(show(ms)[10:80, 20:144], (160, 90)), 6.0)
    assert ("cut", 4000, A, B) in seen.told()
    assert (seen.camera_at(3500), seen.camera_at(5500)) == (A, B)


@pytest.mark.parametrize("size", [(80, 45), (160, 120)])
def test_the_program_may_change_its_size(size):
    show = cuts(CAMERAS, [(0, A), (4000, B)])
    seen = watch(CAMERAS, lambda ms: show(ms) if ms < 2000 else cv2.resize(show(ms), size), 6.0)
    assert seen.camera_at(1500) == seen.camera_at(3500) == A
    assert seen.camera_at(5500) == B
    assert ("cut", 4000, A, B) in seen.told()


def test_a_single_camera():
    cameras = {A: Camera(1)}
    show = cuts(cameras, [(0, A)])
    seen = watch(cameras, lambda ms: show(ms) if ms < 2000 else noisy(texture(9), ms), 4.0)
    assert seen.told() == [("cut", 2000, A, None)]
    assert seen.shot_at(1000)[0].confidence > 0.9


def test_twelve_cameras():
    cameras = {f"cam-{n}": Camera(n + 1, fps=12.5) for n in range(12)}
    seen = watch(cameras, cuts(cameras, [(0, "cam-0"), (1500, "cam-11"), (2500, "cam-5")]), 3.5)
    assert [e[3] for e in seen.told()] == ["cam-11", "cam-5"]


def test_no_cameras_and_no_frames():
    sight = Sight([])
    sight.see(Frame(PROGRAM, 0, START_MS, texture(1), (1280, 720)))
    sight.finish()
    [(shot, _)] = sight.take()[0]
    assert shot.state in (ShotState.OFF_CAMERA, ShotState.UNSEEN)
    sight = Sight([A])
    sight.finish()
    assert sight.take() == ([], [])
    assert sight.until_ms is None


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (2, 300)])
def test_tiny_pictures_are_looked_at(size):
    rng = np.random.default_rng(1)
    sight = Sight([A, B])
    for n in range(30):
        for feed in (A, B, PROGRAM):
            luma = rng.integers(0, 255, size, np.uint8)
            sight.see(Frame(feed, n, START_MS + 40 * n, luma, (size[1], size[0])))
    sight.finish()
    assert sight.take()[0]


def test_black_cameras_and_a_black_program_are_black():
    cameras = {A: Camera(1), B: Camera(2)}
    for camera in cameras.values():
        camera.world[:] = 5
    assert watch(cameras, lambda ms: BLACK, 2.0).state_at(1000) is ShotState.BLACK


@pytest.mark.parametrize(("cameras_fps", "program_fps"), [(5.0, 5.0), (7.0, 7.0), (5.0, 25.0)])
def test_few_pictures_a_second_of_cameras_that_pan(cameras_fps, program_fps):
    """No picture is like the next: the one that the program shows must be among those tried."""
    cameras = {f"cam-{n}": Camera(n, fps=cameras_fps) for n in range(1, 4)}
    plan = [(0, "cam-1"), (4000, "cam-2"), (8000, "cam-3"), (12_000, "cam-1")]
    sight = Sight(list(cameras))
    seen = look_at(sight, frames(cameras, cuts(cameras, plan), 16.0, fps=program_fps))
    assert [(kind, old, new) for kind, _, old, new in seen.told()] == [
        ("cut", "cam-1", "cam-2"),
        ("cut", "cam-2", "cam-3"),
        ("cut", "cam-3", "cam-1"),
    ]


@pytest.mark.parametrize("stuck", [1, 3])
def test_a_picture_that_was_stuck_in_a_gap_is_no_cut_after_it(stuck):
    """The program is silent from 3000 to 5000, while it cuts; then come old pictures in a burst."""
    show = cuts(CAMERAS, [(0, A), (4000, B)])
    shown = [f for f in frames(CAMERAS, show, 8.0) if f.feed != PROGRAM or not_silent(f)]
    late = [
        Frame(PROGRAM, 0, START_MS + 5000 + 3 * n - 3 * stuck, live(A, 3000 + 40 * n), (1280, 720))
        for n in range(stuck)
    ]
    seen = look_at(Sight(list(CAMERAS)), sorted([*shown, *late], key=lambda f: f.at_ms))
    assert seen.told() == []
    assert seen.state_at(4000) is seen.state_at(4999) is ShotState.UNSEEN
    assert seen.camera_at(2900) == A
    assert seen.camera_at(5100) == B


def not_silent(frame):
    return not 3000 <= frame.at_ms - START_MS < 5000


def zoomed(luma, by, x=0.55, y=0.45):
    """A picture, zoomed into the point at these parts of its width and height."""
    h, w = luma.shape
    matrix = np.array([[by, 0, w * x * (1 - by)], [0, by, h * y * (1 - by)]])
    return cv2.warpAffine(luma, matrix, (w, h), borderMode=cv2.BORDER_REPLICATE)


def test_a_zoom_of_the_program_goes_on_across_cuts():
    plan = cuts(CAMERAS, [(0, A), (1500, B), (3000, A), (4000, B), (4600, C)])
    zoom = [(0, 1.0), (3600, 1.0), (5000, 2.0), (7000, 2.0)]

    def show(ms):
        return zoomed(plan(ms), float(np.interp(ms, *zip(*zoom, strict=True))))

    seen = watch(CAMERAS, show, 7.0)
    assert [(old, new) for _, _, old, new in seen.told()] == [(A, B), (B, A), (A, B), (B, C)]
    assert {shot.state for shot, _ in seen.pieces} == {ShotState.LIVE}


def wipe(start_ms, end_ms, old, new):
    """From left to right, in a program of cameras that are late as ever."""
    part = np.clip(np.linspace(0, 1, 160) * 1e3, 0, 1e3)

    def show(ms):
        gone = 1e3 * (ms - start_ms) / (end_ms - start_ms)
        return noisy(np.where(part < gone, live(new, ms), live(old, ms)), ms)

    return show


def test_wipes_and_fades_are_seen_in_a_program_that_zooms():
    """What a wipe uncovers was last seen where the zoom was then."""
    plan = cuts(CAMERAS, [(0, A), (1500, B), (3000, A), (5000, B)])
    zoom = [(0, 1.0), (3400, 1.0), (4600, 1.5), (5200, 1.5), (6400, 1.0), (9000, 1.0)]

    def show(ms):
        picture = wipe(4000, 5000, A, B)(ms) if 4000 <= ms < 5000 else plan(ms)
        if 5600 <= ms < 6000:
            picture = live(B, ms) * (1 - (ms - 5600) / 400) + 8
        if 6000 <= ms < 6400:
            picture = live(A, ms) * ((ms - 6000) / 400) + 8
        if ms >= 6400:
            picture = noisy(live(A, ms), ms)
        picture = np.clip(picture, 0, 255).astype(np.uint8)
        return zoomed(picture, float(np.interp(ms, *zip(*zoom, strict=True))))

    seen = watch(CAMERAS, show, 9.0)
    kinds = [(kind, old, new) for kind, _, old, new in seen.told()]
    assert kinds == [("cut", A, B), ("cut", B, A), ("wipe", A, B), ("fade", B, A)]
    assert [ms for _, ms, _, _ in seen.told()][2:] == [
        pytest.approx(4000, abs=160),
        pytest.approx(5600, abs=160),
    ]


class Beside(Camera):
    """Films what another camera does, from a little beside it."""

    def at(self, ms: float) -> np.ndarray:
        x, y = (round(20 + 18 * np.sin(n * self.seed)) for n in (1, 2))
        return np.ascontiguousarray(self.world[y + 2 : y + 92, x + 5 : x + 165])


def test_a_camera_that_nobody_tapped_is_not_taken_for_one_that_it_stands_beside():
    """It films what lies outside of that one's picture: no crop of it shows that."""
    # Still: where a whole picture only pans, a shift and a delay are the same thing.
    cameras = {name: Camera(camera.seed, still=True) for name, camera in CAMERAS.items()}
    plan = [(0, A), (2000, B), (3000, C), (4000, "beside")]
    seen = watch(cameras, cuts({**cameras, "beside": Beside(1)}, plan), 7.0)
    assert [new for _, _, _, new in seen.told()] == [B, C, None]
    assert seen.state_at(6500) is ShotState.OFF_CAMERA


def test_a_slate_that_comes_as_a_camera_lacks_a_picture_is_not_that_camera():
    slate = texture(77)
    cameras = {**CAMERAS, C: Camera(3, lost=(3790, 3890))}
    show = cuts(cameras, [(0, A), (1000, C), (2000, B), (3000, A)])
    seen = watch(cameras, lambda ms: slate if ms >= 4000 else show(ms), 7.0)
    late = [shot for shot, _ in seen.pieces if shot.start_ms >= START_MS + 4400]
    assert {shot.state for shot in late} == {ShotState.OFF_CAMERA}
