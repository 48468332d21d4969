"""Dissolves whose cameras lie otherwise than thought."""

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import DELAY_MS, START_MS, Camera, noisy, watch

from tap.sight.camera import Camera as SightCamera
from tap.sight.dissolve import DissolveFinder
from tap.sight.due import index_due
from tap.sight.evidence import Match
from tap.sight.settings import SightSettings
from tap.vocabulary import Luma, ShotState

CAMERAS = {"cam-a": Camera(1), "cam-b": Camera(2), "cam-c": Camera(3)}


def live(name: str, ms: float) -> Luma:
    return CAMERAS[name].at(ms - DELAY_MS)


def share_at(ms: float, start_ms: float, lasts_ms: float) -> float:
    return min(1.0, max(0.0, (ms - start_ms) / lasts_ms))


def test_a_dissolve_to_a_camera_never_seen_that_is_mirrored():
    def show(ms: float) -> Luma:
        share = share_at(ms, 3000, 1200)
        mirrored = live("cam-b", ms)[:, ::-1]
        return noisy(np.asarray((1 - share) * live("cam-a", ms) + share * mirrored, np.uint8), ms)

    seen = watch(CAMERAS, show, 6.0)
    [event] = seen.events
    assert (event.type, event.from_camera, event.to_camera) == ("dissolve", "cam-a", "cam-b")
    # It is looked for as soon as the first camera pales: what is decided by then can't be mended.
    assert abs(event.at_ms - START_MS - 3000) <= 120
    states = [shot.state for shot, _ in seen.pieces]
    assert ShotState.OFF_CAMERA not in states
    assert [c.mirrored for c in seen.sight.cameras_seen()] == [False, True, False]


def test_a_dissolve_while_the_program_zooms():
    def zoomed(luma: Luma, ms: float) -> Luma:
        h, w = luma.shape
        by = 1 + 0.5 * share_at(ms, 2500, 2500) - 0.5 * share_at(ms, 5500, 1500)
        x, y = w * 0.55, h * 0.45
        matrix = np.array([[by, 0, x * (1 - by)], [0, by, y * (1 - by)]])
        return cv2.warpAffine(luma, matrix, (w, h), borderMode=cv2.BORDER_REPLICATE)

    def show(ms: float) -> Luma:
        share = share_at(ms, 3400, 1400)
        both = (1 - share) * live("cam-a", ms) + share * live("cam-b", ms)
        return noisy(zoomed(np.asarray(both, np.uint8), ms), ms)

    seen = watch(CAMERAS, show, 8.0)
    assert [(e.type, e.from_camera, e.to_camera) for e in seen.events] == [
        ("dissolve", "cam-a", "cam-b")
    ]
    assert ShotState.OFF_CAMERA not in [shot.state for shot, _ in seen.pieces]


def test_how_late_a_camera_is_that_was_never_on_shows_in_a_mixture(monkeypatch):
    """What fits best of it alone is no guide: as yet there is little of it to see."""
    found: list[float | None] = []
    note = DissolveFinder._is_timed_anew

    def noted(camera, late_ms):
        news = note(camera, late_ms)
        found.append(camera.mixed_ms)
        return news

    monkeypatch.setattr(DissolveFinder, "_is_timed_anew", staticmethod(noted))

    def show(ms: float) -> Luma:
        share = share_at(ms, 3000, 1200)
        mirrored = live("cam-b", ms)[:, ::-1]
        return noisy(np.asarray((1 - share) * live("cam-a", ms) + share * mirrored, np.uint8), ms)

    seen = watch(CAMERAS, show, 6.0)
    assert found
    assert all(late is not None and abs(late - DELAY_MS) <= 80 for late in found)
    assert all(camera.mixed_ms is None for camera in seen.sight._eyes)


@pytest.mark.parametrize(
    ("late_ms", "better", "index"),
    [
        pytest.param(None, 3.0, 2, id="unknown"),
        pytest.param(160.0, 3.0, 6, id="known"),
        pytest.param(160.0, 9.0, 2, id="known-but-another-fits-much-better"),
    ],
)
def test_which_frame_of_a_camera_is_due_in_a_mixture(late_ms, better, index):
    camera = SightCamera(SightSettings())
    camera.mixed_ms = late_ms
    curve = np.zeros(10)
    curve[2] = better
    match = Match(
        fit=0.2,
        toll=0.0,
        lag_ms=320.0,
        gain=1.0,
        index=2,
        blocks=np.zeros(32),
        information=np.ones(32),
        times=np.arange(10) * 40.0,
        curve=curve,
    )
    assert index_due(camera, 400.0, match) == index
