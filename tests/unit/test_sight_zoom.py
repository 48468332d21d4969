"""Zooms of the program that begin while something else goes on."""

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import DELAY_MS, Camera, Show, cuts, noisy, texture, watch

from tap.sight import camera as sight_camera
from tap.sight.eye import Eye
from tap.sight.infer import States
from tap.sight.look import Rect, render
from tap.sight.placement import Placement
from tap.sight.refine import refine
from tap.sight.settings import SightSettings
from tap.sight.views import Views
from tap.sight.zoom import ROUNDS, ZoomTracker
from tap.vocabulary import Luma, ShotState

CAMERAS = {"cam-a": Camera(1), "cam-b": Camera(2), "cam-c": Camera(3)}


def live(name: str, ms: float) -> Luma:
    return CAMERAS[name].at(ms - DELAY_MS)


def part_of(ms: float, start_ms: float, lasts_ms: float) -> float:
    """How much of something that begins then is over, 0 .. 1."""
    return min(1.0, max(0.0, (ms - start_ms) / lasts_ms))


def zoomed(luma: Luma, by: float) -> Luma:
    h, w = luma.shape
    x, y = w * 0.55, h * 0.45
    matrix = np.array([[by, 0, x * (1 - by)], [0, by, y * (1 - by)]])
    return cv2.warpAffine(luma, matrix, (w, h), borderMode=cv2.BORDER_REPLICATE)


def after_cuts(show: Show, *, until_ms: float) -> Show:
    """First all cameras are seen in turn, then `show`."""
    first = cuts(CAMERAS, [(0, "cam-c"), (1500, "cam-b"), (3000, "cam-a")])
    return lambda ms: first(ms) if ms < until_ms else show(ms)


@pytest.mark.parametrize(
    ("covered", "later_ms"),
    [
        pytest.param(False, 0.0, id="plain"),
        pytest.param(True, 0.0, id="under-a-title"),
        pytest.param(False, 160.0, id="delay-has-drifted"),
    ],
)
def test_a_zoom_that_begins_with_a_fade_goes_on_with_the_next_camera(covered, later_ms):
    """`covered`: a title came over the picture before, which fits less well since then. `later_ms`:
    so much later is the next camera than it was."""

    def show(ms: float) -> Luma:
        out, into = part_of(ms, 6000, 400), part_of(ms, 6400, 400)
        camera = "cam-a" if ms < 6400 else "cam-b"
        late_ms = 0.0 if ms < 6400 else later_ms
        luma = live(camera, ms - late_ms) * (1 - out if ms < 6400 else into)
        luma += 16 * (ms < 6400) * out
        if covered:
            luma[60:82, 8:130] = 30
        return noisy(zoomed(np.asarray(luma, np.uint8), 1 + 0.5 * part_of(ms, 6000, 2400)), ms)

    seen = watch(CAMERAS, after_cuts(show, until_ms=4500), 9.0)
    last = seen.events[-1]
    assert (last.type, last.from_camera, last.to_camera) == ("fade", "cam-a", "cam-b")
    assert ShotState.OFF_CAMERA not in [shot.state for shot, _ in seen.pieces]


def test_a_zoom_that_begins_in_a_flash_is_followed_from_after_it():
    def show(ms: float) -> Luma:
        luma = live("cam-a", ms).astype(np.float32)
        if 6000 <= ms < 6120:
            luma = np.minimum(255, 3 * luma)
        return noisy(zoomed(np.asarray(luma, np.uint8), 1 + 0.9 * part_of(ms, 6000, 1800)), ms)

    seen = watch(CAMERAS, after_cuts(show, until_ms=4500), 9.0)
    assert [event[2:] for event in seen.told() if event[1] > 4500] == []
    assert all(seen.camera_at(ms) == "cam-a" for ms in range(4600, 8900, 100))


def test_a_zoom_that_begins_in_a_wipe_is_followed_on_both_sides():
    def show(ms: float) -> Luma:
        edge = round(160 * part_of(ms, 5000, 1600))
        luma = live("cam-a", ms).copy()
        luma[:, :edge] = live("cam-b", ms)[:, :edge]
        return noisy(zoomed(luma, 1 + 0.5 * part_of(ms, 5400, 2400)), ms)

    seen = watch(CAMERAS, after_cuts(show, until_ms=4500), 9.0)
    last = seen.events[-1]
    assert (last.type, last.from_camera, last.to_camera) == ("wipe", "cam-a", "cam-b")
    assert ShotState.OFF_CAMERA not in [shot.state for shot, _ in seen.pieces]


def test_where_a_camera_pans_it_is_placed_by_the_frame_that_fits():
    """By one too early or too late it would be placed beside where it lies, or lost."""
    wide = texture(11, 90, 900)
    camera = sight_camera.Camera(SightSettings())
    for n in range(40):
        camera.memory.add(40.0 * n, np.ascontiguousarray(wide[:, 20 * n : 20 * n + 160]))
    now, there = Placement(of=Rect(0.12, 0.06, 1.0, 0.94)), Rect(0.13, 0.065, 1.0, 0.935)
    camera.memory.place(now, portrait=False)
    views = Views(noisy(render(camera.memory.luma(20), there, (160, 90)).astype(np.uint8), 1))
    eye = Eye(States(1), [camera], SightSettings())
    tracker = ZoomTracker(eye, [camera], lambda *_: None)
    right, could = tracker._refined(camera, views, 20, 0.1)
    assert right.of.near(there, 0.005)
    for beside in (19, 21):
        alone, fit = refine(eye, camera, views, now, index=beside, rounds=ROUNDS, even=True)
        assert fit < 0.9 * could
        assert not alone.of.near(there, 0.01)
        found, fit = tracker._refined(camera, views, beside, could)
        assert found.of.near(there, 0.005)
        assert fit == pytest.approx(could, abs=0.02)
