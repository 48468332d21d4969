"""Two cameras in their boxes."""

import cv2
import numpy as np
from tests.unit.sample_pictures import DELAY_MS, START_MS, Camera, cuts, noisy, texture, watch

from tap.sight.inset import InsetFinder
from tap.vocabulary import ShotState

A, B, C = "cam-a", "cam-b", "cam-c"


def beside(seed: int) -> Camera:
    """A camera that shows a good part of what the camera with this seed does."""
    camera = Camera(seed)
    camera.world = np.asarray(camera.world / 2 + texture(seed + 20, 130, 200) / 2, np.uint8)
    return camera


def test_what_was_found_in_its_boxes_is_still_there_where_the_picture_gets_poor():
    cameras = {A: Camera(1), B: Camera(2), C: Camera(3), "cam-d": beside(2), "cam-e": beside(3)}
    alone = cuts(cameras, [(0, C), (1500, B), (3000, A)])

    def show(ms):
        if ms < 4500:
            return alone(ms)
        boxes = [cameras[name].at(ms - DELAY_MS)[:, 40:120] for name in (B, C)]
        picture = np.hstack(boxes)
        if ms < 5500:
            return noisy(picture, ms)
        small = cv2.resize(picture, (80, 45), interpolation=cv2.INTER_AREA)
        return noisy(cv2.resize(small, (160, 90), interpolation=cv2.INTER_NEAREST), ms, 24.0)

    seen = watch(cameras, show, 8.0)
    for ms in range(4600, 7900, 100):
        shot, _ = seen.shot_at(ms)
        assert (shot.state, set(shot.cameras)) == (ShotState.COMPOSED, {B, C}), ms


def test_a_layout_that_goes_on_is_not_taken_for_an_inset(monkeypatch):
    """A third camera may fit a little somewhere in it, with one of the two before it."""
    cameras = {A: Camera(1), B: Camera(2), C: Camera(3)}
    alone, looked = cuts(cameras, [(0, C), (1500, B), (3000, A)]), list[float]()
    look = InsetFinder.look

    def noted(self, evidence):
        looked.append(evidence.at_ms - START_MS)
        return look(self, evidence)

    monkeypatch.setattr(InsetFinder, "look", noted)

    def show(ms):
        if ms < 4500:
            return alone(ms)
        return noisy(np.hstack([cameras[n].at(ms - DELAY_MS)[:, 40:120] for n in (B, C)]), ms)

    seen = watch(cameras, show, 7.0)
    assert set(seen.shot_at(6000)[0].cameras) == {B, C}
    assert [ms for ms in looked if ms < 4500]
    assert not [ms for ms in looked if ms > 4700]
