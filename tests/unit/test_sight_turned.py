"""Cameras that the program mirrors and that were never seen, and what is expected of others."""

import numpy as np
import pytest
from tests.unit.sample_pictures import DELAY_MS, START_MS, Camera, noisy, watch

from tap.sight.turned import TurnedFinder
from tap.vocabulary import Luma, ShotState

CAMERAS = {"cam-a": Camera(1), "cam-b": Camera(2), "cam-c": Camera(3)}


def live(name: str, ms: float) -> Luma:
    return CAMERAS[name].at(ms - DELAY_MS)


@pytest.mark.parametrize("down", [False, True])
def test_a_wipe_to_a_camera_never_seen_that_is_mirrored(down):
    def show(ms: float) -> Luma:
        picture, other = live("cam-a", ms).copy(), live("cam-b", ms)[:, ::-1]
        share = min(1.0, max(0.0, (ms - 3000) / 1200))
        if down:
            rows = round(share * picture.shape[0])
            picture[:rows] = other[:rows]
        else:
            columns = round(share * picture.shape[1])
            picture[:, :columns] = other[:, :columns]
        return noisy(picture, ms)

    seen = watch(CAMERAS, show, 6.0)
    [event] = seen.events
    assert (event.type, event.from_camera, event.to_camera) == ("wipe", "cam-a", "cam-b")
    assert abs(event.at_ms - START_MS - 3000) <= 160
    assert {s.state for s, _ in seen.pieces} == {ShotState.LIVE, ShotState.TRANSITION}
    assert [c.mirrored for c in seen.sight.cameras_seen()] == [False, True, False]


def test_what_hides_a_camera_and_is_none_moves_no_camera(monkeypatch):
    """A graphic that slides in is held against the cameras, and is none of them."""
    searched: list[bool] = []
    find = TurnedFinder._find
    monkeypatch.setattr(TurnedFinder, "_find", lambda *a: searched.append(True) or find(*a))
    graphic = np.random.default_rng(5).integers(0, 255, (400, 400), np.uint8)

    def show(ms: float) -> Luma:
        picture = live("cam-a", ms).copy()
        columns = round(min(0.5, max(0.0, (ms - 3000) / 2400)) * picture.shape[1])
        picture[:, :columns] = graphic[: picture.shape[0], :columns]
        return noisy(picture, ms)

    seen = watch(CAMERAS, show, 6.0)
    assert searched
    assert not [c for c in seen.sight._eyes if c.memory.placement.mirror]
    assert not seen.events


@pytest.mark.parametrize(("all_mirrored", "expected"), [(False, False), (True, True)])
def test_one_camera_that_is_mirrored_is_no_rule(all_mirrored, expected):
    def show(ms: float) -> Luma:
        mirrored = live("cam-b", ms)[:, ::-1]
        first = live("cam-a", ms)
        return noisy(mirrored if ms >= 2500 else first[:, ::-1] if all_mirrored else first, ms)

    seen = watch(CAMERAS, show, 4.0)
    assert [c.memory.placement.mirror for c in seen.sight._eyes] == [all_mirrored, True, expected]
