"""Many cameras, and cameras of few pixels."""

from itertools import combinations

import cv2
import numpy as np
import pytest

from tap.sight.crowd import FEW, groups, step_of
from tap.sight.infer import Inference, States, Steps
from tap.sight.look import WHOLE, Rect, as_coarse, blocks, cells_of, is_coarse, sample, unit
from tap.sight.match import Seen, gains
from tap.sight.memory import Memory
from tap.sight.placement import Placement

# ---------------------------------------------------------------- taking turns


def test_few_cameras_are_searched_every_time():
    for cameras in range(1, FEW + 1):
        assert groups(cameras) == 1
        assert [step_of(n, cameras) for n in range(5)] == [0, 1, 2, 3, 4]


def test_many_take_turns():
    assert groups(40) == 5
    assert [step_of(n, 40) for n in range(11)] == [0, *[None] * 4, 1, *[None] * 4, 2]


# ---------------------------------------------------------------- transitions


@pytest.mark.parametrize("cameras", [2, 3, 9, 12, 40])
def test_sparse_transitions_are_the_transitions(cameras):
    states = States(cameras)
    dense, steps = states.transitions(), Steps(states, most_dense=0)
    random = np.random.default_rng(cameras)
    for _ in range(5):
        vector = random.random(states.count) ** 8
        assert np.allclose(steps.ahead(vector), vector @ dense, rtol=1e-7, atol=1e-12)
        assert np.allclose(steps.back(vector), dense @ vector, rtol=1e-7, atol=1e-12)


def test_forty_cameras_are_decided_as_four_are():
    """The camera that has the evidence is the one that is decided for."""
    states = States(40)
    inference = Inference(states, sharpness=0.35, honesty=0.05, lag_ms=250.0, lag_frames=8)
    decided = []
    for n in range(60):
        nats = np.full(states.count, -60.0)
        nats[: states.cameras] = 5.0
        nats[7 if n < 30 else 31] = 200.0
        nats[states.off] = 60.0
        decided += inference.add(33.0 * n, nats)
    decided += inference.flush()
    assert [int(d.sharp.argmax()) for d in decided] == [7] * 30 + [31] * 30


def test_every_pair_is_a_state():
    states = States(12)
    assert {states.pair(a, b) for a, b in combinations(range(12), 2)} == set(
        range(states.first_pair, states.count)
    )


# ---------------------------------------------------------------- few pixels


def picture(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    coarse = cv2.resize(random.integers(20, 235, (12, 20), np.uint8), (240, 135), interpolation=2)
    return np.clip(coarse + random.normal(0, 12, coarse.shape), 0, 255).astype(np.uint8)


def few(luma: np.ndarray) -> np.ndarray:
    return cv2.resize(luma, (18, 10), interpolation=cv2.INTER_AREA)


def fit(program: np.ndarray, camera: np.ndarray) -> float:
    seen = Seen.of(blocks(program))
    return float(gains(seen, unit(blocks(camera))[0][:, None])[0].sum() / seen.information.sum())


def test_only_small_pictures_are_coarse():
    assert is_coarse((18, 10))
    assert is_coarse((10, 18))
    assert not is_coarse((64, 48))
    assert cells_of((240, 135), WHOLE) is None
    assert cells_of(None, WHOLE) is None
    assert cells_of((18, 10), WHOLE) == (18, 10)
    assert cells_of((18, 10), Rect(0.0, 0.0, 0.5, 0.5)) == (9, 5)


def test_a_camera_of_few_pixels_explains_a_program_that_is_as_coarse():
    luma = picture(1)
    camera = sample(few(luma), WHOLE, portrait=False)
    program = sample(luma, WHOLE, portrait=False)
    assert fit(program, camera) < 0.6
    assert fit(as_coarse(program, (18, 10)), camera) > 0.9
    other = sample(few(picture(2)), WHOLE, portrait=False)
    assert fit(as_coarse(program, (18, 10)), other) < 0.3


def test_a_near_camera_beside_it_is_compared_as_coarsely():
    luma, memory = picture(3), Memory(1000.0)
    memory.coarsest = (18, 10)
    near = memory.grid(luma, Placement(), portrait=False)
    far = memory.grid(few(luma), Placement(), portrait=False)
    assert np.abs(near - far).mean() < 1.0
