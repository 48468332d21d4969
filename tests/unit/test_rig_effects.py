"""What rig cameras and programs can do to pictures: each does what it says, and only that."""

import numpy as np
import pytest

from tap.rig import mixes
from tap.rig.dress import Graphics, Placed, Stingers, Tones, Zoom, colourless, mirrored
from tap.rig.effects import Blanked, Grey, Hunting, Later, Refocusing, Still, Turned
from tap.rig.moves import Frame, Framed, Held, Keys
from tap.rig.plan import Take, camera
from tap.vocabulary import EventType

SIZE = (96, 54)


class Scene:
    """A textured picture that brightens with time."""

    size = SIZE

    def __init__(self) -> None:
        random = np.random.default_rng(1)
        self._base = np.repeat(
            np.repeat(random.integers(20, 180, (9, 16, 3), dtype=np.uint8), 6, 0), 6, 1
        )

    def picture(self, scene_ms: float) -> np.ndarray:
        return self._base + np.uint8(min(60, max(0, scene_ms / 100.0)))


def flat(level: int) -> np.ndarray:
    return np.full((54, 96, 3), level, np.uint8)


def test_a_still_never_changes_and_later_is_later():
    scene = Scene()
    assert np.array_equal(Still(scene, 500.0).picture(4000.0), scene.picture(500.0))
    assert np.array_equal(Later(scene, 700.0).picture(300.0), scene.picture(1000.0))


def test_grey_has_no_colour():
    picture = Grey(Scene()).picture(0.0)
    assert np.array_equal(picture[..., 0], picture[..., 2])


def test_blanked_is_black_for_its_moment_alone():
    blanked = Blanked(Scene(), at_ms=(1000.0,), length_ms=34.0)
    black = [not blanked.picture(at).any() for at in (999.0, 1000.0, 1033.0, 1034.0)]
    assert black == [False, True, True, False]


def test_refocusing_blurs_in_the_middle_and_ends_sharp():
    scene = Scene()
    lens = Refocusing(scene, at_ms=(1000.0,), length_ms=800.0, blur=4.0)

    def detail(at: float) -> float:
        return float(np.abs(np.diff(lens.picture(at).astype(float), axis=1)).mean())

    assert detail(1400.0) < detail(900.0) / 2
    assert np.array_equal(lens.picture(1801.0), scene.picture(1801.0))


def test_hunting_settles_between_its_steps_and_is_repeatable():
    hunting = Hunting(Scene(), period_ms=4000.0, depth=0.35, seed=3)
    levels = [hunting.picture(at).mean() / Scene().picture(at).mean() for at in (3800.0, 3990.0)]
    assert levels[0] == pytest.approx(levels[1], abs=0.01)
    moving = [hunting.picture(at).mean() / Scene().picture(at).mean() for at in (3990.0, 4500.0)]
    assert moving[0] != pytest.approx(moving[1], abs=0.02)
    assert np.array_equal(hunting.picture(4500.0), hunting.picture(4500.0))


def test_a_turned_phone_keeps_its_size():
    scene = Scene()
    phone = Turned(scene, turns=((1000.0, 1), (2000.0, 2), (3000.0, 0)))
    assert np.array_equal(phone.picture(999.0), scene.picture(999.0))
    lying = phone.picture(1500.0)
    assert lying.shape == (54, 96, 3)
    assert not lying[:, :10].any()
    assert np.array_equal(phone.picture(2500.0), scene.picture(2500.0)[::-1, ::-1])
    assert np.array_equal(phone.picture(3000.0), scene.picture(3000.0))


def test_framed_shows_the_part_it_looks_at():
    scene = Scene()
    whole = Framed(scene, SIZE, lambda _: Frame())
    difference = np.abs(whole.picture(0.0).astype(int) - scene.picture(0.0))
    assert difference.max() <= 1
    half = Framed(scene, (48, 27), lambda _: Frame(0.25, 0.25, 0.5))
    corner = scene.picture(0.0)[:27, :48].astype(int)
    assert np.abs(half.picture(0.0).astype(int) - corner).mean() < 2.0


def test_a_lens_bends_and_mirrors_as_told():
    scene = Scene()
    bent = Framed(scene, SIZE, lambda _: Frame(), bend=0.05)
    assert np.abs(bent.picture(0.0).astype(int) - scene.picture(0.0)).mean() > 1.0
    turned = Framed(scene, SIZE, lambda _: Frame(), mirror=True).picture(0.0).astype(int)
    # The mirror may lie a pixel aside; a blocky picture then differs at the blocks' edges alone.
    assert np.median(np.abs(turned - scene.picture(0.0)[:, ::-1])) == 0


def test_keys_go_straight_and_jump():
    path = Keys(((0.0, Frame(wide=1.0)), (1000.0, Frame(wide=0.5)), (1000.0, Frame(wide=0.8))))
    assert path(-5.0).wide == 1.0
    assert path(500.0).wide == pytest.approx(0.75)
    assert path(999.9).wide == pytest.approx(0.5, abs=0.001)
    assert path(1000.0).wide == 0.8
    assert path(9000.0).wide == 0.8


def test_hands_differ_but_pan_together():
    one, two = (Held(Frame(), pan=(0.1, 0.0), sway=0.01, seed=seed) for seed in (1, 2))
    at = np.arange(0.0, 8000.0, 250.0)
    first = np.array([one(moment).x for moment in at])
    second = np.array([two(moment).x for moment in at])
    assert not np.allclose(first, second)
    assert np.corrcoef(first, second)[0, 1] > 0.95


def test_zoom_is_none_before_its_first_key_and_steps_at_two():
    picture = Scene().picture(0.0)
    zoom = Zoom(((0.0, 1.0, 0.5, 0.5), (1000.0, 1.0, 0.5, 0.5), (1000.0, 2.0, 0.5, 0.5)))
    assert zoom(picture, 990.0) is picture
    middle = picture[13:41, 24:72].mean()
    assert zoom(picture, 1000.0).mean() == pytest.approx(middle, rel=0.05)


def test_placed_leaves_black_around():
    out = Placed(0.5)(flat(200), 0.0)
    assert (out == 200).all(axis=-1).sum() == 48 * 27
    assert not out[0].any()


def test_tones_and_colour():
    picture = Scene().picture(0.0)
    graded = Tones(1.0, 0.5, 2)(picture, 0.0)
    assert np.abs(graded.astype(int) - picture).mean() > 3.0
    grey = colourless(picture, 0.0)
    assert np.array_equal(grey[..., 0], grey[..., 1])
    assert np.array_equal(mirrored(picture, 0.0), picture[:, ::-1])


def test_graphics_cover_their_places_only():
    picture = flat(100)
    out = Graphics(timecode=True, ticker=True)(picture, 1000.0)
    assert (picture == 100).all(), "the input is not written to"
    assert (out[8:46] == 100).all()
    assert not (out[50:] == 100).all()


def test_a_stinger_covers_all_at_its_time():
    stung = Stingers((1000.0,), covered_ms=100.0, sweep_ms=200.0)

    def covered(at: float) -> float:
        return float((stung(flat(255), at) != 255).any(axis=-1).mean())

    assert covered(690.0) == 0.0
    assert covered(950.0) > 0.85  # its own drawing has near-white parts
    assert covered(1000.0) > 0.85
    assert 0.2 < covered(1100.0) < 0.6
    assert covered(1200.0) == 0.0


@pytest.mark.parametrize("variant", mixes.WIPES)
def test_every_wipe_goes_from_one_to_the_other(variant):
    take = Take(0.0, camera("b"), EventType.WIPE, 500.0, variant)
    shares = [
        float((mixes.changed(flat(20), flat(220), progress, take) > 120).mean())
        for progress in (0.02, 0.5, 0.98)
    ]
    assert shares[0] < 0.1
    assert 0.3 < shares[1] < 0.8
    assert shares[2] > 0.9


def test_a_fade_through_white_is_white_in_the_middle():
    take = Take(0.0, camera("b"), EventType.FADE, 500.0, mixes.WHITE)
    assert mixes.changed(flat(20), flat(60), 0.5, take).min() >= 250
    assert mixes.changed(flat(20), flat(60), 0.05, take).mean() < 60


@pytest.mark.parametrize("layout", mixes.SPLITS)
def test_every_split_shows_both(layout):
    out = mixes.split(flat(50), flat(200), layout)
    assert (out == 50).mean() > 0.2
    assert (out == 200).mean() > 0.2


@pytest.mark.parametrize("corner", mixes.CORNERS)
def test_an_inset_lies_in_its_corner(corner):
    out = mixes.inset(flat(50), flat(200), 0.4, corner)
    small = (out == 200).all(axis=-1)
    rows, columns = np.nonzero(small)
    assert (rows.mean() < 27) == corner.startswith("top")
    assert (columns.mean() < 48) == corner.endswith("left")
    assert 0.1 < small.mean() < 0.17


def test_unknown_variants_are_refused():
    for call in (
        lambda: mixes.split(flat(1), flat(2), "none"),
        lambda: mixes.inset(flat(1), flat(2), 0.3, "none"),
        lambda: mixes.wiped(flat(1), flat(2), 0.5, "none"),
    ):
        with pytest.raises(ValueError, match="there is no"):
            call()
