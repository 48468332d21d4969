"""A camera that comes on for the first time beside where it was thought to lie."""

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import DELAY_MS, Camera, cuts, noisy, texture, watch


class Moved(Camera):
    """Looks at somebody, and is put down a little aside at 2.5 s."""

    def at(self, ms: float) -> np.ndarray:
        ms = max(0.0, ms // 40.0 * 40.0)
        out = self.world[20:110, 20:180] if ms >= 2500 else self.world[24:114, 27:187]
        out, x = out.copy(), round(60 + 20 * np.sin(ms / 400.0)) - (7 if ms < 2500 else 0)
        out[30:60, x : x + 30] = texture(77, 30, 30)
        return out


def test_the_picture_that_is_due_is_laid_before_an_older_one_that_fits_by_chance():
    cameras = {"a": Camera(1), "b": Moved(2), "c": Camera(3)}
    show = cuts(cameras, [(0, "a"), (2000, "c")])

    def cropped(ms):
        out = cameras["b"].at(ms - DELAY_MS)[4:90, 7:160]
        return noisy(cv2.resize(out, (160, 90), interpolation=cv2.INTER_CUBIC), ms)

    seen = watch(cameras, lambda ms: cropped(ms) if ms >= 4000 else show(ms), 7.0)
    assert seen.told() == [("cut", 2000, "a", "c"), ("cut", 4000, "c", "b")]
    b = seen.sight.cameras_seen()[1]
    assert b.delay_ms == pytest.approx(DELAY_MS - 20, abs=21)
