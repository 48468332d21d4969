"""The first and last frames of soft changes, measured."""

import cv2
import numpy as np
import pytest

from tap.sight.camera import Camera
from tap.sight.eye import Eye
from tap.sight.fringe import Fringes
from tap.sight.infer import States
from tap.sight.look import Rect
from tap.sight.placement import Placement
from tap.sight.settings import SightSettings

STEP_MS = 40.0


def scene(seed):
    noise = np.random.default_rng(seed).normal(0, 60, (135, 240)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 5)
    return np.clip(128 + smooth * (45 / smooth.std()), 0, 255).astype(np.uint8)


@pytest.fixture
def setting():
    """Two cameras that stand still, an eye that knows them, and how to show it a picture."""
    settings, states = SightSettings(), States(2)
    cameras = [Camera(settings) for _ in range(2)]
    pictures = [scene(1), scene(2)]
    for camera, picture in zip(cameras, pictures, strict=True):
        for n in range(20):
            camera.memory.add(n * STEP_MS, picture)
    eye = Eye(states, cameras, settings)
    number = iter(range(20, 100))

    def show(picture):
        at = next(number)
        for camera, own in zip(cameras, pictures, strict=True):
            camera.memory.add(at * STEP_MS, own)
        return eye.look(at, at * STEP_MS, np.clip(np.rint(picture), 0, 255).astype(np.uint8))

    return Fringes(states, cameras), states, [p.astype(np.float32) for p in pictures], show


def test_nothing_is_measured_where_no_mixture_is_near(setting):
    fringes, _, (a, _), show = setting
    assert fringes.look(show(a), 0, []) is None


@pytest.mark.parametrize("share", [0.05, 0.15, 0.3])
def test_a_blend_is_measured_before_it_is_seen(setting, share):
    fringes, states, (a, b), show = setting
    trace, mixed = show((1 - share) * a + share * b), show(0.5 * (a + b))
    assert mixed.nats.argmax() == states.pair(0, 1)
    assert fringes.look(trace, 0, [mixed]) == pytest.approx(share, abs=0.03)


def test_a_zoom_that_has_gone_on_since_changes_nothing(setting):
    fringes, _, (a, b), show = setting
    trace, mixed = show(0.85 * a + 0.15 * b), show(0.5 * (a + b))
    for camera in fringes._cameras:
        camera.memory.place(Placement(of=Rect(0.1, 0.1, 0.9, 0.9)), portrait=False)
    assert fringes.look(trace, 0, [mixed]) == pytest.approx(0.15, abs=0.03)


def test_a_camera_alone_has_no_trace_of_another(setting):
    fringes, states, (a, b), show = setting
    mixed, alone = show(0.5 * (a + b)), show(b)
    assert fringes.look(mixed, states.pair(0, 1), []) is None
    assert fringes.look(alone, 1, []) == 0.0


@pytest.mark.parametrize("logo", [False, True])
def test_the_last_of_a_wipe_is_measured_whatever_lies_over_it(setting, logo):
    fringes, states, (a, b), show = setting
    half, corner, whole = b.copy(), b.copy(), b.copy()
    half[:, 120:] = a[:, 120:]
    corner[:12, 225:] = a[:12, 225:]
    for picture in (half, corner, whole) if logo else ():
        picture[100:130, 10:60] = 230
    wiped = show(half)
    assert wiped.mixes[states.pair(0, 1)].split
    fringes.look(wiped, states.pair(0, 1), [])
    left, nothing = (fringes.look(show(picture), 1, []) for picture in (corner, whole))
    assert left - nothing == pytest.approx(12 * 15 / (135 * 240), abs=0.004)
    assert logo or nothing == 0.0
