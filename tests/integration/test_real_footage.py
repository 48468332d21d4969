"""Four real synchronized cameras, switched by the rig: clear cases must simply be right."""

from pathlib import Path

import pytest
from benchmarks.documents import load
from benchmarks.score import score
from benchmarks.shoots import shoot

from tap.witness.replay import replay


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_replay_of_real_footage_is_right(tmp_path: Path):
    folder = shoot("pose2sim")
    replay(folder, tmp_path / "out", hindsight=True)
    truth = load(folder / "truth.json")
    span_ms = truth["frames"][-1]["atMs"] - truth["frames"][0]["atMs"]
    assert span_ms >= 60_000
    assert sum(event["type"] == "cut" for event in truth["events"]) >= 20
    figures = score(load(tmp_path / "out" / "witness.json"), truth).figures()
    assert figures["frameAccuracy"] >= 0.999
    assert figures["cutF1"] == 1.0
    assert figures["confidentWrongFrames"] == 0
    assert figures["faultPrecision"] == 1.0
    assert figures["faultRecall"] == 1.0
    assert figures["verdictRecall"] == 1.0
