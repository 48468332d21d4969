"""Pictures of two cameras side by side, compared pixel by pixel."""

import cv2
import numpy as np
import pytest

from tap.rig.mixes import WIPES, wiped
from tap.sight.look import WHOLE, blocks, sample, unit
from tap.sight.match import Seen, gains, mix
from tap.sight.split import side_by_side

SIZE = (640, 360)


def scene(seed):
    noise = np.random.default_rng(seed).normal(0, 60, SIZE[::-1]).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 14)
    return np.clip(128 + smooth * (45 / smooth.std()), 0, 255).astype(np.uint8)


ONE, TWO = scene(1), scene(2)


def grid(picture):
    return sample(np.ascontiguousarray(picture), WHOLE, portrait=False)


def seen_in(picture):
    program = grid(picture)
    return program, Seen.of(blocks(program))


def wipe(variant, progress, grade=lambda picture: picture):
    colour = [np.repeat(picture[..., None], 3, axis=2) for picture in (ONE, TWO)]
    return grade(wiped(*colour, progress, variant)[..., 0])


def alone(seen, camera):
    return float(gains(seen, unit(blocks(grid(camera)))[0][:, None])[0].sum())


def by_blocks(seen):
    looks = [unit(blocks(grid(picture))) for picture in (ONE, TWO)]
    return mix(seen, *looks, np.ones(32, np.bool_))


def bent(picture):
    """A grade that bends the greys, and a vignette."""
    y, x = np.mgrid[-1:1:360j, -1:1:640j]
    out = 255 * (picture / 255.0) ** 0.9 * (1 - 0.05 * (x * x + y * y))
    return np.clip(out, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("variant", WIPES)
@pytest.mark.parametrize("grade", [lambda picture: picture, bent])
def test_an_edge_that_cuts_blocks_costs_little(variant, grade):
    program, seen = seen_in(wipe(variant, 0.5, grade))
    found = side_by_side(program, seen, grid(ONE), grid(TWO))
    assert found is not None
    assert found.split
    assert found.nats > 0.6 * seen.information.sum()
    assert found.nats > by_blocks(seen).nats
    assert np.median(found.blocks) > 0.75


@pytest.mark.parametrize("variant", WIPES)
def test_the_share_is_of_the_second_camera_and_grows(variant):
    shares = []
    for progress in (0.2, 0.5, 0.8):
        found = side_by_side(*seen_in(wipe(variant, progress)), grid(ONE), grid(TWO))
        assert found is not None
        shares.append(found.share)
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[2] < 1


@pytest.mark.parametrize("grade", [lambda picture: picture, bent])
def test_one_camera_is_no_wipe(grade):
    program, seen = seen_in(grade(ONE))
    found = side_by_side(program, seen, grid(ONE), grid(TWO))
    assert found is None or found.nats < alone(seen, ONE)


def test_what_lies_over_one_camera_is_no_wipe():
    covered = ONE.copy()
    covered[250:330, 60:520] = 235
    cv2.putText(covered, "LOWER THIRD", (80, 310), cv2.FONT_HERSHEY_DUPLEX, 1.8, (20,), 3)
    program, seen = seen_in(covered)
    found = side_by_side(program, seen, grid(ONE), grid(TWO))
    assert found is None or found.nats < alone(seen, ONE)


def test_of_what_neither_camera_shows_nothing_is_said():
    assert side_by_side(*seen_in(scene(3)), grid(ONE), grid(TWO)) is None
