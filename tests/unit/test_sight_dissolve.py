"""Dissolves whose cameras lie otherwise than thought."""

import cv2
import numpy as np
from tests.unit.sample_pictures import DELAY_MS, START_MS, Camera, noisy, watch

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
