"""Frames, times and timecode at every rate."""

from fractions import Fraction

import pytest
from tests.unit.cut_readers import labels

from tap.errors import InputError
from tap.rates import RATES, nearest_rate, rate_of
from tap.report.exports.reels import reel_names

ALL = list(RATES.values())


def test_the_rates_are_those_that_editors_know():
    assert {name: rate.fps for name, rate in RATES.items()} == {
        "23.976": Fraction(24000, 1001), "24": 24, "25": 25,
        "29.97": Fraction(30000, 1001), "29.97df": Fraction(30000, 1001), "30": 30, "50": 50,
        "59.94": Fraction(60000, 1001), "59.94df": Fraction(60000, 1001), "60": 60,
    }  # fmt: skip


@pytest.mark.parametrize("rate", ALL, ids=lambda rate: rate.name)
def test_timecode_is_what_counting_every_label_gives(rate):
    known = list(labels(rate.nominal, rate.drop).items())
    edges = {
        n
        for k in range(1, 149)
        for n in range(k * 60 * rate.nominal - 330, k * 60 * rate.nominal + 5)
    }
    for label, frame in known:
        if (
            frame % 997 == 0
            or (frame in edges and frame % 3 == 0)
            or label[6:8] == "00" == label[3:5]
        ):
            assert rate.label(frame) == label
            assert rate.frames(label) == frame


@pytest.mark.parametrize("name", ["29.97df", "59.94df"])
def test_the_labels_that_drop_frame_skips_are_refused(name):
    rate = rate_of(name)
    assert rate.label(rate.frames("00:00:59;29" if rate.nominal == 30 else "00:00:59;59") + 1) == (
        "00:01:00;02" if rate.nominal == 30 else "00:01:00;04"
    )
    assert rate.frames("00:10:00;00") == 17982 * rate.nominal // 30
    for label in ("00:01:00;00", "00:01:00;01", "01:09:00;00"):
        with pytest.raises(InputError, match="expected a timecode"):
            rate.frames(label)


@pytest.mark.parametrize("bad", ["", "1:2:3:4", "00:00:00:25", "24:00:00:00", "00:60:00:00", "x"])
def test_what_is_no_timecode_is_refused(bad):
    with pytest.raises(InputError, match="expected a timecode at 25 frames/s"):
        rate_of("25").frames(bad)


@pytest.mark.parametrize("rate", ALL, ids=lambda rate: rate.name)
def test_a_time_in_whole_ms_leads_back_to_its_frame(rate):
    for frame in [*range(200), *range(100_000, 100_200), 431_568]:
        ms = round(frame * 1000 / rate.fps)
        assert rate.nearest(Fraction(ms, 1000)) == frame
        assert rate.nearest(rate.seconds(frame)) == frame
        assert rate.nearest(-rate.seconds(frame)) == -frame


def test_a_day_begins_again_at_midnight():
    assert rate_of("25").label(25 * 86_400) == "00:00:00:00"
    assert rate_of("29.97df").label(2_589_408) == "00:00:00;00"
    assert rate_of("29.97df").label(2_589_407) == "23:59:59;29"


def test_the_nearest_rate_is_by_ratio():
    assert nearest_rate(Fraction(2997, 100)).name == "29.97"
    assert nearest_rate(Fraction(299999, 10000)).name == "30"
    assert nearest_rate(Fraction(23976, 1000)).name == "23.976"
    assert nearest_rate(Fraction(11)).name == "23.976"


def test_an_unknown_rate_is_told_with_those_that_there_are():
    with pytest.raises(InputError, match=r"expected a rate of 23\.976, 24, .*got '29\.98'"):
        rate_of("29.98")


def test_reels_have_eight_characters_and_are_unique():
    ids = [
        "cam-a",
        "camera.one.left",
        "camera.one.right",
        "CAMERA-ONE",
        "bl",
        "AX",
        "...",
        "___",
        "cam_a",
    ]
    names = reel_names(ids)
    assert len(set(names.values())) == len(ids)
    assert all(1 <= len(n) <= 8 and n.isalnum() and n == n.upper() for n in names.values())
    assert names["cam-a"] == "CAMA"
    assert not {"BL", "AX"} & set(names.values())
    many = reel_names(f"very-long-camera-{n}" for n in range(64))
    assert len(set(many.values())) == 64
    assert max(len(name) for name in many.values()) == 8
