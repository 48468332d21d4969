"""A camera under a graphic that comes over it from a side."""

import cv2
import numpy as np
import pytest

from tap.rig.dress import stinger
from tap.sight.cover import uncovered
from tap.sight.look import WHOLE, blocks, sample
from tap.sight.match import Seen

SIZE = (640, 360)
USUAL = 0.9


def scene(seed):
    noise = np.random.default_rng(seed).normal(0, 60, SIZE[::-1]).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 14)
    return np.clip(128 + smooth * (45 / smooth.std()), 0, 255).astype(np.uint8)


CAMERA = scene(1)


def grid(picture):
    return sample(np.ascontiguousarray(picture), WHOLE, portrait=False)


def swept(picture, share, side="left"):
    """A picture of which a graphic covers a share, from a side."""
    cover = cv2.cvtColor(np.asarray(stinger(*SIZE)), cv2.COLOR_BGR2GRAY)
    axis, size = (1, SIZE[0]) if side in {"left", "right"} else (0, SIZE[1])
    place = np.arange(size) / size
    covered = place < share if side in {"left", "top"} else place >= 1 - share
    mask = np.broadcast_to(covered[None] if axis else covered[:, None], picture.shape)
    return np.where(mask, cover, picture).astype(np.uint8)


def left_of(picture, camera=CAMERA):
    program = grid(picture)
    return uncovered(program, Seen.of(blocks(program)), grid(camera), USUAL)


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
@pytest.mark.parametrize("share", [0.3, 0.45, 0.55, 0.7])
def test_what_is_left_of_a_camera_fits_as_ever(side, share):
    part = left_of(swept(CAMERA, share, side))
    assert part is not None
    assert part.nats(grid(CAMERA)).sum() > 0.95 * part.information.sum()
    assert part.pixels.mean() == pytest.approx(1 - share, abs=0.14)


def test_a_camera_that_nothing_covers_is_not_under_a_cover():
    assert left_of(CAMERA) is None


@pytest.mark.parametrize("side", ["left", "bottom"])
def test_what_is_not_plain_may_be_another_camera(side):
    covered = swept(np.zeros_like(CAMERA), 0.5, side) == swept(np.full_like(CAMERA, 1), 0.5, side)
    assert left_of(np.where(covered, scene(2), CAMERA)) is None


def test_a_little_that_fits_is_no_camera_under_a_cover():
    """Nearly all there is to see is the graphic."""
    plain = np.full_like(CAMERA, 120)
    plain[:, 560:] = CAMERA[:, 560:] // 16 + 112
    assert left_of(swept(plain, 0.8), plain) is None


@pytest.mark.parametrize("share", [0.0, 0.45])
def test_another_picture_is_not_the_camera_under_a_cover(share):
    assert left_of(swept(scene(2), share)) is None


@pytest.mark.parametrize("share", [0.0, 0.45])
def test_a_look_alike_under_a_cover_fits_less_well(share):
    part = left_of(swept(np.roll(CAMERA, 10, axis=1), share, "top"))
    assert part is None or part.nats(grid(CAMERA)).sum() < 0.7 * part.information.sum()
