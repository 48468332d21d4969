"""Sources, sensors, looks and the rendered stage."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.rig import look
from tap.rig.camera import KEPT_PICTURES, Camera, Timing
from tap.rig.lens import Lens
from tap.rig.plan import Fit, Look
from tap.rig.source import Flashed, Sensor, View
from tap.rig.stage import StageView, dance_studio


class Painting:
    """A still with detail everywhere, that brightens with time."""

    def __init__(self, size: tuple[int, int] = (160, 90)) -> None:
        self.size = size
        self.looked = 0
        noise = np.random.default_rng(1).uniform(40, 200, (size[1], size[0], 3))
        self._still = cv2.GaussianBlur(noise, (0, 0), 2).astype(np.uint8)

    def picture(self, scene_ms: float) -> np.ndarray:
        self.looked += 1
        return cv2.convertScaleAbs(self._still, beta=scene_ms / 100.0)


def far(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


# ---------------------------------------------------------------- sources


def test_the_whole_view_is_the_source():
    source = Painting()
    assert far(View(source, source.size).picture(0.0), source.picture(0.0)) < 0.5


def test_a_crop_shows_its_part():
    source = Painting()
    left = View(source, (80, 90), crop=(0.0, 0.0, 0.5, 1.0)).picture(0.0)
    assert far(left, source.picture(0.0)[:, :80]) < 0.5


def test_mirror_turn_and_shift():
    source = Painting()
    plain = source.picture(0.0)
    assert far(View(source, source.size, mirror=True).picture(0.0), plain[:, ::-1]) < 0.5
    turned = View(source, (90, 160), turn=1).picture(0.0)
    assert far(turned, cv2.rotate(plain, cv2.ROTATE_90_CLOCKWISE)) < 0.5
    assert far(View(source, source.size, shift_ms=1000.0).picture(0.0), plain) == pytest.approx(
        10.0, abs=0.5
    )


def test_a_small_view_does_not_alias():
    source = Painting((640, 360))
    small = View(source, (64, 36)).picture(0.0)
    proper = cv2.resize(source.picture(0.0), (64, 36), interpolation=cv2.INTER_AREA)
    assert far(small, proper) < 3.0


def test_a_flash_burns_and_dies():
    lit = Flashed(Painting(), at_ms=(1000.0,), length_ms=100.0)
    dark = far(lit.picture(900.0), lit.picture(990.0))
    assert far(lit.picture(1000.0), lit.picture(990.0)) > 50.0 > dark
    assert far(lit.picture(1100.0), lit.picture(990.0)) < 3.0
    assert lit.size == (160, 90)


def test_a_sensor_gives_the_same_frame_the_same_noise():
    picture = Painting().picture(0.0)
    sensor = Sensor(noise=3.0, seed=5)
    assert np.array_equal(sensor.expose(picture, 7), sensor.expose(picture, 7))
    difference = sensor.expose(picture, 7).astype(int) - sensor.expose(picture, 8)
    assert difference.std() == pytest.approx(3.0 * np.sqrt(2), rel=0.1)


def test_exposure_gamma_and_balance_change_the_picture():
    picture = np.full((4, 4, 3), 128, np.uint8)
    assert np.array_equal(Sensor().expose(picture, 0), picture)
    assert Sensor(exposure=0.5).expose(picture, 0)[0, 0, 0] == 64
    assert Sensor(gamma=0.5).expose(picture, 0)[0, 0, 0] > 128
    blue, green, red = Sensor(balance=(1.2, 1.0, 0.8)).expose(picture, 0)[0, 0]
    assert blue > green > red


def test_a_camera_looks_once_and_forgets_in_time():
    source = Painting()
    camera = Camera(id="a", source=source)
    camera.picture(0, 0.0)
    camera.picture(0, 0.0)
    assert source.looked == 1
    for index in range(1, KEPT_PICTURES + 1):
        camera.picture(index, index * 40.0)
    camera.picture(0, 0.0)
    assert source.looked == KEPT_PICTURES + 2


def test_clocks_run_apart():
    camera = Camera(id="a", source=Painting(), timing=Timing(skew_ppm=500.0, offset_ms=20.0))
    times = camera.file_times(np.array([0.0, 60_000.0]))
    assert list(times) == [20, 60_050]


def test_frames_get_lost_at_the_rate_asked_for():
    camera = Camera(id="a", source=Painting(), timing=Timing(lost=0.1, gaps=((0.0, 1000.0),)))
    captured = camera.capture_times(400_000.0)
    kept = camera.recorded(captured)
    assert not kept[captured < 1000.0].any()
    assert kept[captured >= 1000.0].mean() == pytest.approx(0.9, abs=0.01)


# ---------------------------------------------------------------- looks


def test_fitting_keeps_all_and_filling_leaves_no_bars():
    portrait = np.full((160, 90, 3), 200, np.uint8)
    fit = look.fitted(portrait, (160, 90), Fit.FIT)
    assert fit.shape == (90, 160, 3)
    assert (fit > 0).mean() == pytest.approx(51 / 160, abs=0.01)
    fill = look.fitted(portrait, (160, 90), Fit.FILL)
    assert fill.shape == (90, 160, 3)
    assert fill.min() == 200


@pytest.mark.parametrize("mix", [look.mixed, look.wiped])
def test_mixes_go_from_one_to_the_other(mix):
    one, other = np.full((9, 160, 3), 40, np.uint8), np.full((9, 160, 3), 240, np.uint8)
    levels = [float(mix(one, other, progress).mean()) for progress in (0.1, 0.5, 0.9)]
    assert levels == sorted(levels)
    assert levels[1] == pytest.approx(140.0, abs=3.0)


def test_a_fade_goes_through_black():
    one, other = np.full((9, 16, 3), 40, np.uint8), np.full((9, 16, 3), 240, np.uint8)
    assert look.faded(one, other, 0.5).max() == 0
    assert look.faded(one, other, 0.25).mean() == 20
    assert look.faded(one, other, 0.75).mean() == 120


def test_composed_pictures():
    one, other = np.full((90, 160, 3), 40, np.uint8), np.full((90, 160, 3), 240, np.uint8)
    split = look.side_by_side(one, other)
    assert split[45, 10, 0] == 40
    assert split[45, 150, 0] == 240
    small = look.inset(one, other, 0.5)
    assert small[10, 10, 0] == 40
    assert (small == 240).mean() == pytest.approx(0.25, abs=0.03)


def test_no_look_changes_nothing_and_looks_never_write_into_the_input():
    picture = Painting((320, 180)).picture(0.0)
    before = picture.copy()
    assert np.array_equal(look.dressed(picture, Look(), 0.0), picture)
    everything = Look(
        grade=0.8,
        gamma=1.2,
        saturation=0.5,
        mirror=True,
        crop=0.03,
        bug=True,
        lower_thirds=((0.0, 5000.0),),
        zooms=((0.0, 5000.0, 1.2),),
        bars=0.2,
    )
    dressed = look.dressed(picture, everything, 2000.0)
    assert np.array_equal(picture, before)
    assert far(dressed, picture) > 10.0
    assert dressed[:17].max() == 0
    for part in (Look(bug=True), Look(lower_thirds=((0.0, 5000.0),)), Look(bars=0.2)):
        look.dressed(picture, part, 2000.0)
        assert np.array_equal(picture, before)


def test_a_lower_third_slides_in_and_goes():
    picture = np.full((180, 320, 3), 200, np.uint8)
    third = Look(lower_thirds=((1000.0, 5000.0),))
    covered = [
        float((look.dressed(picture, third, at) != picture).any(axis=-1).mean())
        for at in (0.0, 1200.0, 3000.0, 5000.0)
    ]
    assert covered[0] == covered[3] == 0.0
    assert 0.0 < covered[1] < covered[2] < 0.3


# ---------------------------------------------------------------- the stage


@settings(max_examples=50, deadline=None)
@given(
    place=st.tuples(st.floats(-4, 4), st.floats(-7, -3), st.floats(0.5, 3)),
    focal=st.floats(0.5, 2.0),
    pixel=st.tuples(st.integers(0, 63), st.integers(0, 35)),
)
def test_rays_and_projection_agree(place, focal, pixel):
    lens = Lens(place, (0.0, 1.0, 1.0), focal, (64, 36))
    point = np.asarray(place) + 3.7 * lens.rays()[pixel[1], pixel[0]]
    (found,), (depth,) = lens.project(point[None])
    assert found == pytest.approx(np.asarray(pixel, dtype=float), abs=1e-6)
    assert depth == pytest.approx(3.7)


@pytest.fixture(scope="module")
def views() -> list[StageView]:
    stage = dance_studio(3)
    places = ((0.0, -6.5, 1.9), (-4.8, -3.5, 1.5))
    return [StageView(stage, Lens(place, (0.2, 1.5, 1.1), 1.0, (160, 90))) for place in places]


def test_the_stage_is_a_pure_function_of_time(views):
    assert np.array_equal(views[0].picture(1234.0), views[0].picture(1234.0))
    assert views[0].size == (160, 90)
    assert views[0].picture(0.0).dtype == np.uint8


def test_people_move_and_cameras_differ(views):
    still = far(views[0].picture(1000.0), views[0].picture(1001.0))
    moved = far(views[0].picture(1000.0), views[0].picture(1500.0))
    assert moved > 1.0 > still
    assert far(views[0].picture(1000.0), views[1].picture(1000.0)) > 5 * moved


def test_the_stage_is_lit_and_not_blown_out(views):
    for view in views:
        picture = view.picture(5000.0)
        assert 40 < picture.mean() < 160
        assert (picture == 255).mean() < 0.01


def test_feet_stay_on_the_floor():
    for scene_ms in range(0, 20_000, 700):
        for body in dance_studio(2).bodies(float(scene_ms)):
            lowest = (body.ends[..., 2] - body.radii).min()
            assert -0.1 < lowest < 0.08
            assert 1.2 < body.ends[..., 2].max() < 2.6


def test_a_hand_held_camera_sways():
    stage = dance_studio(3)
    lens = Lens((0.0, -6.5, 1.9), (0.2, 1.5, 1.1), 1.0, (160, 90))
    held, fixed = StageView(stage, lens, sway=3.0), StageView(stage, lens)
    assert far(held.picture(700.0), fixed.picture(700.0)) > 1.0
