"""The accuracy suite's table of conditions: whole, repeatable, split cleanly in two."""

import json
from itertools import pairwise

import pytest
from benchmarks.accuracy import quick, reliability
from benchmarks.accuracy.conditions import CONDITIONS, scene_for, seed_for
from benchmarks.accuracy.planning import Direction, draw_plan
from benchmarks.accuracy.scenes import DEVELOP, PARTS, SCORED
from benchmarks.accuracy.table import COLUMNS, rows, text
from benchmarks.score import Match, Scores

from tap.rig.plan import Kind


def test_every_condition_has_a_scene_and_a_seed_in_both_parts():
    for name, condition in CONDITIONS.items():
        for part in PARTS:
            scene = scene_for(part, name)
            assert scene.name in PARTS[part]
            assert scene.long or not condition.long
        assert seed_for("develop", name) != seed_for("scored", name)


def test_no_scene_is_in_both_parts():
    assert not set(DEVELOP) & set(SCORED)


def test_a_plan_comes_from_its_seed():
    one, two, other = (
        draw_plan(Direction(), ("a", "b", "c"), 30_000.0, seed) for seed in (1, 1, 2)
    )
    assert one == two
    assert one != other
    assert len(one.takes) >= 12
    names = [take.on.cameras[0] for take in one.takes if take.on.kind is Kind.CAMERA]
    assert all(before != after for before, after in pairwise(names))


def test_the_table_pools_and_finds_the_worst():
    good, bad = Scores(cuts=Match(10, 0, 0)), Scores(cuts=Match(5, 5, 5))
    table = rows({"plain": good, "near": bad})
    assert table["all"]["cutF1"] == pytest.approx(0.75)
    assert table["worst"]["cutF1"] == 0.5
    # Asked of groups that are not here.
    assert table["all"]["falseChangesPerHour"] is None
    lines = text(table).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 2 + 2 + 2 + 2


def test_delays_are_not_asked_where_nothing_moves():
    table = rows(
        {"pose": Scores(delay_errors_ms=(900.0,)), "plain": Scores(delay_errors_ms=(4.0,))}
    )
    assert table["pose"]["delayErrorMedianMs"] is None
    assert table["all"]["delayErrorMedianMs"] == 4.0


def test_the_floors_name_what_there_is(monkeypatch, tmp_path):
    names, seconds = quick.plan()
    assert set(names) <= set(CONDITIONS)
    assert seconds > 8.0
    known = Scores().figures()
    floors = json.loads(quick.FLOORS.read_text("utf-8"))["figures"]
    assert all(key in known for figures in floors.values() for key in figures)
    file = tmp_path / "floors.json"
    file.write_text('{"figures": {"all": {"cutF1": [0.9, null], "brier": [null, 0.1]}}}')
    monkeypatch.setattr(quick, "FLOORS", file)
    assert quick.failures({"all": {"cutF1": 0.95, "brier": 0.0}}) == []
    assert len(quick.failures({"all": {"cutF1": 0.5, "brier": None}})) == 2


def test_the_reliability_diagram_shows_what_was_said(tmp_path):
    scores = Scores()
    scores.bins[19] = (100.0, 99.0, 98.0)
    assert "100 | 0.9900 | 0.9800" in reliability.text(scores)
    reliability.write_svg(scores, tmp_path / "r.svg")
    assert "<circle" in (tmp_path / "r.svg").read_text("utf-8")


def test_columns_are_figures():
    assert {column.key for column in COLUMNS} <= set(Scores().figures())
