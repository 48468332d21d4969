"""Programs of another rate than the cameras: each of their pictures may be blended out of two."""

from dataclasses import dataclass

import numpy as np
from tests.unit.sample_pictures import DELAY_MS, Camera, noisy, texture, watch

from tap.vocabulary import Luma, ShotState


@dataclass
class Walker(Camera):
    """Films somebody who walks slowly, and fast from `fast_ms` on, in a room that stands still."""

    fast_ms: float = 4000.0

    def at(self, ms: float) -> Luma:
        ms = max(0.0, ms // 40 * 40)
        way = 0.012 * min(ms, self.fast_ms) + 0.3 * max(0.0, ms - self.fast_ms)
        x = round(55 + 54 * np.sin(way / 54))
        picture = self.world[: self.height, : self.width].copy()
        picture[10:80, x : x + 50] = texture(self.seed + 50, 70, 50)
        return picture


CAMERAS: dict[str, Camera] = {"cam-a": Walker(1), "cam-b": Camera(2)}


def blended(ms: float) -> Luma:
    """cam-a for 3 s, cam-b, then cam-a again: each picture half the one before."""
    camera = CAMERAS["cam-b" if 3000 <= ms < 4520 else "cam-a"]
    now, before = camera.at(ms - DELAY_MS), camera.at(ms - DELAY_MS - 40)
    return noisy(np.asarray(now * 0.5 + before * 0.5, np.uint8), ms)


def test_a_fast_move_blended_out_of_two_pictures_is_still_the_camera_s():
    seen = watch(CAMERAS, blended, 7.0)
    assert seen.told() == [("cut", 3000, "cam-a", "cam-b"), ("cut", 4520, "cam-b", "cam-a")]
    assert {shot.state for shot, _ in seen.pieces} == {ShotState.LIVE}
