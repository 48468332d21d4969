"""From belief to probability: the curve, the table, its use."""

import json
from itertools import pairwise

import pytest
from benchmarks.accuracy.calibrate import TOGETHER, curve

from tap.errors import InputError
from tap.sight import Calibration
from tap.vocabulary import ShotState
from tap.witness.models import calibration, learnt_settings, read_calibration


def test_a_curve_rises_and_ends_where_the_truth_is():
    many = round(100 * TOGETHER)
    frames = [(0.6, n % 10 < 3) for n in range(many)]
    frames += [(0.92, n % 10 < 2) for n in range(many)]  # more believed, less often so
    frames += [(0.999, True)] * many
    knots = curve(frames)
    assert all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(knots))
    assert knots[0][1] == pytest.approx(0.25, abs=0.02)
    assert 0.99 < knots[-1][1] < 1.0


def test_few_frames_are_worth_little():
    assert curve([(0.999, True)] * round(TOGETHER))[-1][1] < 0.7


def test_between_knots_it_is_a_line_and_unknown_states_stay_as_they_are():
    table = Calibration(curves={"live": ((0.5, 0.4), (1.0, 0.9))})
    assert table.so(ShotState.LIVE, 0.75) == pytest.approx(0.65)
    assert table.so(ShotState.LIVE, 0.1) == pytest.approx(0.4)
    assert table.so(ShotState.BLACK, 0.77) == 0.77


def test_the_table_that_ships_is_read():
    assert calibration().so(ShotState.LIVE, 0.999) > 0.9
    assert learnt_settings(hold_ms=5.0).hold_ms == 5.0


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        json.dumps({"format": "tap-calibration/2", "curves": {}}),
        json.dumps({"format": "tap-calibration/1", "curves": {"live": [[0.5, 0.9], [0.6, 0.8]]}}),
        json.dumps({"format": "tap-calibration/1", "curves": {"live": [[0.5, 1.5]]}}),
        json.dumps({"format": "tap-calibration/1", "curves": {"live": []}}),
    ],
)
def test_a_damaged_table_is_an_error(tmp_path, content):
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(InputError, match="calibration"):
        read_calibration(path)
