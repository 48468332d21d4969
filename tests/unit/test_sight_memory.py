"""What a camera's memory says of what moves."""

import numpy as np
import pytest
from tests.unit.sample_pictures import noisy, texture

from tap.sight.memory import Memory


def motion_of(pictures):
    memory = Memory(4000.0)
    for n, picture in enumerate(pictures):
        memory.add(40.0 * n, picture)
    part = memory.within(-np.inf, np.inf)
    memory.units(part)
    return memory.motion(part.stop - 1).reshape(4, 8)


def test_noise_on_a_plain_wall_does_not_move():
    wall = np.full((90, 160), 120, np.uint8)
    wall[:, 80:] = texture(1)[:, 80:]
    motion = motion_of([noisy(wall, 40.0 * n, sigma=1.5) for n in range(40)])
    assert motion.max() < 0.02


def test_what_walks_through_the_picture_moves():
    pictures = [texture(1) for _ in range(40)]
    for n, picture in enumerate(pictures):
        picture[:45, 3 * n : 3 * n + 30] = texture(2)[:45, :30]
    motion = motion_of(pictures)
    assert motion[0, 6] > 0.3
    assert motion[3].max() < 0.02


@pytest.mark.parametrize(
    ("times", "so"),
    [(range(0, 1000, 40), False), ([*range(0, 480, 40), *range(560, 1000, 40)], True), ([], True)],
)
def test_a_feed_whose_pictures_are_far_apart_about_a_moment_stutters(times, so):
    memory = Memory(4000.0)
    for at_ms in times:
        memory.add(float(at_ms), texture(1))
    assert memory.stutters(500.0) == so
