"""How well pictures explain a program picture, and how late they are."""

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import texture

from tap.sight.delay import Delay
from tap.sight.look import WHOLE, blocks, sample, unit
from tap.sight.match import Seen, gains, mix


def look(picture):
    return unit(blocks(sample(picture, WHOLE, portrait=False)))


def see(picture):
    return Seen.of(blocks(sample(picture, WHOLE, portrait=False)))


def fits(program, *cameras):
    """Share of all information that each camera explains."""
    seen = see(program)
    units = np.stack([look(c)[0] for c in cameras], axis=1)
    return gains(seen, units)[0].sum(axis=0) / seen.information.sum()


def test_the_right_camera_explains_all_and_others_next_to_nothing():
    right, *wrong = fits(texture(1), texture(1), texture(2), texture(3))
    assert right > 0.99
    assert max(wrong) < 0.15


@pytest.mark.parametrize("gain", [0.3, 0.8, 1.2])
@pytest.mark.parametrize("lift", [0, 20])
def test_grade_does_not_matter(gain, lift):
    graded = np.clip(texture(1) * gain + lift, 0, 255).astype(np.uint8)
    right, wrong = fits(graded, texture(1), texture(2))
    assert right > (0.6 if gain < 1 else 0.85)
    assert wrong < 0.15


def test_a_smooth_vignette_does_not_matter():
    rows, columns = np.mgrid[-1:1:90j, -1:1:160j]
    dark = (texture(1) * (1 - 0.15 * (rows**2 + columns**2))).astype(np.uint8)
    right, wrong = fits(dark, texture(1), texture(2))
    assert right > 0.5
    assert wrong < 0.15


def test_covered_blocks_do_not_vote():
    covered = texture(1).copy()
    covered[60:] = texture(9)[60:]
    seen = see(covered)
    nats = gains(seen, np.stack([look(texture(n))[0] for n in (1, 2)], axis=1))[0]
    below = nats.reshape(4, 8, 2)[3]
    assert below.max() < 0.35 * seen.information.max(), "an overlay is nobody's picture"
    right, wrong = fits(covered, texture(1), texture(2))
    assert 0.5 < right < 0.85
    assert wrong < 0.15


def test_a_negative_is_no_match():
    assert fits(255 - texture(1), texture(1))[0] < 0.15


def test_flat_pictures_hold_no_information():
    flat = np.full((90, 160), 120, np.uint8)
    assert see(flat).information.sum() == pytest.approx(0)
    assert fits(texture(1), flat)[0] == pytest.approx(0)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_blend_tells_its_share(share):
    a, b = texture(1), texture(2)
    blend = cv2.addWeighted(a, 1 - share, b, share, 0)
    found = mix(see(blend), look(a), look(b), np.ones(32, np.bool_))
    assert not found.split
    assert found.share == pytest.approx(share, abs=0.04)
    assert found.nats > 0.8 * see(blend).information.sum()


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_split_tells_its_share(share):
    a, b = texture(1), texture(2)
    edge = round(160 * share)
    split = a.copy()
    split[:, :edge] = b[:, :edge]
    found = mix(see(split), look(a), look(b), np.ones(32, np.bool_))
    assert found.split
    assert found.share == pytest.approx(share, abs=0.07)


def test_two_cameras_do_not_explain_one_any_better():
    seen = see(texture(1))
    found = mix(seen, look(texture(1)), look(texture(2)), np.ones(32, np.bool_))
    alone = gains(seen, look(texture(1))[0][:, None])[0].sum()
    assert found.nats < alone


# ---------------------------------------------------------------- delay


def learn(delay, *, true_ms, seconds=6.0, still=False, drift=0.0, start_ms=0.0, most=200.0):
    """Let a tracker see a live camera for a while; `drift` in ms per second; `most`: nats that the
    very picture has beyond all others."""
    rng = np.random.default_rng(1)
    for n in range(int(seconds * 25)):
        at = start_ms + 40.0 * n + 3500
        times = np.arange(at // 33 * 33 - 3300, at + 300, 33.0)
        shown = at - true_ms - drift * (at - start_ms) / 1000
        live = int(np.searchsorted(times, shown, side="right")) - 1
        nats = np.full(len(times), 50.0)
        if not still:
            nats = most * np.exp(-np.abs(np.arange(len(times)) - live) / 2.0)
        delay.learn(at, times, nats + rng.normal(scale=0.1, size=len(times)))


@pytest.mark.parametrize("true_ms", [-120.0, 40.0, 180.0, 2400.0])
def test_a_constant_delay_is_found(true_ms):
    delay = Delay(-350.0, 3200.0)
    assert delay.ms is None
    learn(delay, true_ms=true_ms)
    low, high = delay.interval_ms
    assert delay.locked
    assert delay.ms == pytest.approx(true_ms, abs=15)
    assert low <= true_ms <= high
    assert high - low < 80


def test_a_drifting_delay_is_followed():
    delay = Delay(-350.0, 3200.0)
    learn(delay, true_ms=150.0, seconds=30.0, drift=4.0)
    assert delay.ms == pytest.approx(150 + 120, abs=40)


@pytest.mark.parametrize("later_ms", [-90.0, 30.0, 110.0])
def test_a_delay_that_was_the_same_for_long_has_drifted_until_it_is_seen_again(later_ms):
    delay = Delay(-350.0, 3200.0)
    learn(delay, true_ms=345.0, seconds=20.0)
    learn(delay, true_ms=345.0 + later_ms, seconds=0.6, start_ms=30_000.0)
    low, high = delay.interval_ms
    assert low <= 345.0 + later_ms <= high
    assert delay.ms == pytest.approx(345.0 + later_ms, abs=20)


def test_a_delay_is_still_known_after_an_hour_in_which_the_camera_was_not_on():
    delay = Delay(-350.0, 3200.0)
    learn(delay, true_ms=345.0)
    learn(delay, true_ms=345.0, seconds=0.04, start_ms=3_600_000.0, most=20.0)
    assert delay.locked
    assert delay.ms == pytest.approx(345.0, abs=30)


def test_after_one_picture_the_delay_is_among_those_that_it_does_not_exclude():
    delay = Delay(-350.0, 3200.0)
    learn(delay, true_ms=180.0, seconds=0.04)
    low, high = delay.interval_ms
    assert low < delay.ms < high
    assert delay.ms == pytest.approx(180.0, abs=35)


def test_a_still_scene_says_nothing_about_delay():
    delay = Delay(-350.0, 3200.0)
    learn(delay, true_ms=180.0, still=True)
    low, high = delay.interval_ms
    assert not delay.locked
    assert high - low > 3000


def test_an_unusual_delay_costs_but_never_more_than_a_bound():
    delay = Delay(-350.0, 3200.0)
    assert delay.toll(np.array([0.0, 3000.0])).tolist() == [0, 0]
    learn(delay, true_ms=180.0)
    near, off, far = delay.toll(np.array([180.0, 400.0, 3000.0]))
    assert near < 0.2 < off < far <= 20


def test_still_after_moving_keeps_what_was_learnt():
    delay = Delay(-350.0, 3200.0)
    learn(delay, true_ms=180.0)
    before = delay.interval_ms
    learn(delay, true_ms=180.0, still=True, start_ms=6000)
    assert delay.interval_ms == before
