"""Sampling, blocks and placements."""

import gc
import weakref

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import Camera, texture

from tap.sight.look import BLOCKS, PIXELS, WHOLE, Rect, blocks, sample, unit
from tap.sight.memory import Memory
from tap.sight.placement import (
    Placement,
    moved,
    same_shape,
    search_placements,
    shown_in,
    usual_placements,
    zoomed,
)
from tap.sight.shift import shift
from tap.vocabulary import Undecoded


def correlation(a, b):
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_sampling_a_whole_picture_averages_it():
    picture = np.arange(72 * 128, dtype=np.uint32).reshape(72, 128) % 251
    grid = sample(picture.astype(np.uint8), WHOLE, portrait=False)
    assert grid.shape == (36, 64)
    assert grid.dtype == np.float32
    assert grid[0, 0] == pytest.approx(picture[:2, :2].mean(), abs=0.51)


def test_a_portrait_picture_gets_a_portrait_grid():
    assert sample(texture(1, 160, 90), WHOLE, portrait=True).shape == (64, 36)


def test_a_mirrored_sample_is_the_sample_flipped():
    picture = texture(2)
    plain = sample(picture, WHOLE, portrait=False)
    flipped = sample(picture, WHOLE, portrait=False, mirror=True)
    assert np.array_equal(flipped, plain[:, ::-1])


@pytest.mark.parametrize("rect", [Rect(0.25, 0.25, 0.75, 0.75), Rect(0.1, 0.2, 0.73, 0.83)])
def test_sampling_a_rect_looks_at_that_part(rect):
    picture = texture(3, 200, 320)
    part = picture[
        round(rect.y0 * 200) : round(rect.y1 * 200), round(rect.x0 * 320) : round(rect.x1 * 320)
    ]
    found = sample(picture, rect, portrait=False)
    cropped = sample(np.ascontiguousarray(part), WHOLE, portrait=False)
    assert correlation(found, cropped) > 0.99
    assert np.abs(found - cropped).mean() < 3


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 40), (40, 1), (3, 5)])
def test_tiny_pictures_can_be_sampled(size):
    for rect in (WHOLE, Rect(0.25, 0, 0.75, 1)):
        grid = sample(np.full(size, 77, np.uint8), rect, portrait=False)
        assert grid == pytest.approx(np.full((36, 64), 77.0))


def test_a_rect_beyond_the_edge_repeats_the_edge():
    grid = sample(np.full((40, 60), 90, np.uint8), Rect(-0.2, -0.2, 1.2, 1.2), portrait=False)
    assert np.abs(grid - 90).max() <= 1


@pytest.mark.parametrize("portrait", [False, True])
def test_blocks_are_neighbouring_pixels_without_their_mean(portrait):
    shape = (64, 36) if portrait else (36, 64)
    rows, columns = np.indices(shape)
    here = blocks((rows * 100 + columns).astype(np.float32))
    assert here.shape == (BLOCKS, PIXELS)
    assert np.abs(here.mean(axis=1)).max() < 1e-3
    assert np.ptp(here, axis=1).max() < 1000, "a block must not reach over the picture"


def test_units_have_length_one_and_flat_blocks_none():
    grid = sample(texture(4), WHOLE, portrait=False)
    grid[:9, :8] = 50
    units, lengths = unit(blocks(grid))
    norms = np.linalg.norm(units, axis=1)
    assert lengths[0] == 0
    assert norms[0] == 0
    assert norms[1:] == pytest.approx(np.ones(BLOCKS - 1), abs=1e-5)


# ---------------------------------------------------------------- placements


def test_one_shape_needs_no_bars():
    assert usual_placements((1920, 1080), (1280, 720)) == [Placement(), Placement(mirror=True)]


def test_a_portrait_camera_is_fitted_cropped_or_stretched():
    fitted, cropped, stretched, *flipped = usual_placements((1080, 1920), (1920, 1080))
    assert fitted.of == WHOLE
    assert fitted.on.x0 == pytest.approx(0.5 - 0.5 * (9 / 16) ** 2)
    assert cropped.on == WHOLE
    assert cropped.of.y0 == pytest.approx(0.5 - 0.5 * (9 / 16) ** 2)
    assert stretched == Placement()
    assert [p.mirror for p in flipped] == [True] * 3


def test_a_wide_camera_gets_bars_above_and_below():
    fitted, *_ = usual_placements((1920, 1080), (960, 720))
    assert (fitted.on.x0, fitted.on.y0) == (0, pytest.approx(0.125))


def test_shapes_are_equal_whatever_the_size():
    assert same_shape((1920, 1080), (640, 360))
    assert not same_shape((1920, 1080), (640, 480))


@pytest.mark.parametrize("mirror", [False, True])
def test_the_search_finds_a_zoom(mirror):
    camera = texture(5, 135, 240)
    shown = np.ascontiguousarray(camera[30:114, 40:190])
    if mirror:
        shown = np.ascontiguousarray(shown[:, ::-1])
    correlations, placements = zip(
        *search_placements(camera, shown, Placement(mirror=mirror)), strict=True
    )
    best = placements[0]
    assert correlations[0] > 0.8
    assert best.mirror is mirror
    assert (best.of.x0, best.of.x1) == pytest.approx((40 / 240, 190 / 240), abs=0.04)
    assert (best.of.y0, best.of.y1) == pytest.approx((30 / 135, 114 / 135), abs=0.04)


def test_the_search_finds_nothing_in_what_is_flat_or_foreign():
    camera = texture(6, 135, 240)
    assert search_placements(camera, np.full((90, 160), 99, np.uint8), Placement()) == []
    assert all(c < 0.6 for c, _ in search_placements(camera, texture(7), Placement()))
    assert (
        search_placements(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8), Placement()) == []
    )


@pytest.mark.parametrize("mirror", [False, True])
def test_refining_finds_a_crop_to_a_fraction_of_a_grid_cell(mirror):
    camera = texture(5, 135, 240)
    true = Rect(0.14, 0.1, 0.86, 0.82)
    grid = sample(camera, true, portrait=False, mirror=mirror)
    start = zoomed(Placement(mirror=mirror), 1.36)
    for _ in range(6):
        seen = sample(camera, start.of, portrait=False, mirror=mirror)
        start = moved(start, shift(grid, seen).common(64, 36))
    found = (start.of.x0, start.of.y0, start.of.x1, start.of.y1)
    assert found == pytest.approx((true.x0, true.y0, true.x1, true.y1), abs=0.004)


def test_a_worse_picture_lies_where_it_should_and_a_neighbour_beside_it():
    camera = texture(5, 135, 240)
    seen = sample(camera, Rect(), portrait=False)
    blurred = sample(cv2.GaussianBlur(camera, (9, 9), 2.5), Rect(), portrait=False)
    beside = sample(camera, Rect(0.02, 0.01, 1.02, 1.01), portrait=False)
    assert shift(seen, seen).size < 0.01
    assert shift(blurred, seen).size < 0.1
    assert shift(beside, seen).size > 0.4


# ---------------------------------------------------------------- memory


def test_memory_keeps_the_last_seconds_in_order():
    memory = Memory(1000.0)
    for n in range(700):
        memory.add(5000.0 + 20 * n, np.full((9, 16), n % 200, np.uint8))
    assert len(memory) == 51
    part = memory.within(5000.0 + 20 * 690, 5000.0 + 20 * 693)
    assert memory.times(part).tolist() == [5000.0 + 20 * n for n in (690, 691, 692, 693)]
    assert memory.units(part).shape == (BLOCKS, 4, PIXELS)
    assert memory.lengths(part).shape == (4, BLOCKS)
    assert int(memory.luma(part.start)[0, 0]) == 690 % 200


def test_memory_is_exact_at_unix_times():
    memory = Memory(1000.0)
    start = 1_789_000_000_000.0
    for n in range(3):
        memory.add(start + 40 * n, texture(n))
    assert memory.times(memory.within(start, start + 80)).tolist() == [
        start,
        start + 40,
        start + 80,
    ]
    assert memory.within(start + 81, start + 90) == slice(3, 3)


def test_memory_thins_a_camera_that_is_too_fast():
    memory = Memory(3200.0)
    for n in range(1000):
        memory.add(4.0 * n, texture(1, 9, 16))
    assert 260 < len(memory) <= 320
    assert memory.last_ms is not None
    assert memory.last_ms > 3980


class Late:
    """Coded pictures, each of which tells when it is decoded."""

    def __init__(self) -> None:
        self.decoded: list[int] = []
        self._coded: list[weakref.ref] = []

    @property
    def held(self) -> int:
        """How many of them somebody still has."""
        gc.collect()
        return sum(one() is not None for one in self._coded)

    def picture(self, number: int) -> Undecoded:
        def decode():
            self.decoded.append(number)
            return np.full((9, 16), number, np.uint8)

        self._coded.append(weakref.ref(decode))
        return Undecoded(decode)


def test_old_pictures_that_nobody_looked_at_are_thinned_out():
    late, memory = Late(), Memory(4000.0)
    for n in range(100):
        memory.add(33.0 * n, late.picture(n))
        if n == 7:
            memory.units(memory.within(33.0 * 5, 33.0 * 7))
        memory.thin(33.0 * (n - 45))
    kept = {int(memory.luma(n)[0, 0]) for n in range(100)}
    assert set(range(55, 100)) <= kept, "the newest are all there"
    assert {5, 6, 7} <= kept, "and what was looked at"
    assert len(kept & set(range(9, 54))) == 15, "of the others every third"
    assert [n for n in range(100) if memory.is_given_up(n)] == sorted(set(range(100)) - kept)
    assert all(0 <= n - int(memory.luma(n)[0, 0]) <= 2 for n in range(100))
    assert memory.times(slice(0, 100)).tolist() == [33.0 * n for n in range(100)]


def test_what_is_thinned_out_is_let_go_and_a_slow_camera_loses_nothing():
    late, slow, fast = (Late(), Late()), Memory(4000.0), Memory(4000.0)
    for n in range(200):
        fast.add(20.0 * n, late[0].picture(n))
        fast.thin(20.0 * n - 1500)
        if n % 5 == 0:
            slow.add(20.0 * n, late[1].picture(n))
            slow.thin(20.0 * n - 1500)
    assert late[1].held == 40
    assert late[0].held == 76 + 25
    assert late[0].decoded == late[1].decoded == []


def test_placing_looks_again_at_what_is_remembered():
    memory, camera = Memory(1000.0), Camera(8)
    memory.add(0.0, camera.at(0.0))
    before = memory.units(memory.within(0, 0)).copy()
    memory.place(Placement(mirror=True), portrait=False)
    after = memory.units(memory.within(0, 0))
    assert not np.allclose(before, after)
    assert np.allclose(after[:, 0], memory.look(camera.at(0.0), Placement(mirror=True), False)[0])


def test_rects_are_near_within_less_than_a_grid_cell():
    # Two portrait phones of 1080 and 1088 px stand a hair apart on the program: one place.
    assert Rect(0.3418, 0, 0.6582, 1).near(Rect(0.3406, 0, 0.6594, 1))
    assert not Rect(0.3418, 0, 0.6582, 1).near(Rect(0, 0, 1, 1))


@pytest.mark.parametrize(
    ("of", "possible"),
    [
        (Rect(), True),
        (Rect(0.2, 0.1, 0.9, 0.8), True),
        (Rect(-0.01, 0.0, 1.01, 1.0), True),
        (Rect(0.031, -0.031, 1.051, 0.989), False),
        (Rect(-0.03, 0.0, 0.97, 1.0), False),
    ],
)
def test_a_program_cannot_show_what_a_camera_did_not_film(of, possible):
    assert Placement(of=of).possible == possible


def test_a_camera_in_a_part_of_the_program_goes_on_beyond_it():
    inside = Placement(Rect(0.5, 0.25, 0.75, 0.5), Rect(0.4, 0.4, 0.6, 0.6), mirror=True)
    whole = shown_in(WHOLE, inside)
    assert (whole.on, whole.mirror) == (WHOLE, True)
    assert whole.of.near(Rect(0.2, 0.2, 1.0, 1.0), 1e-9)
    assert shown_in(inside.on, whole).of.near(inside.of, 1e-9)
