"""A shoot that nobody logged has its cut list, from the pictures alone."""

import json
import shutil
from itertools import groupby
from pathlib import Path

import pytest
from tests.unit.cut_readers import read_edl
from typer.testing import CliRunner

from tap.cli.app import app
from tap.errors import InputError
from tap.report.exports.model import View
from tap.witness.exporting import Wanted, export
from tap.witness.replay import replay

DEMO = Path(__file__).parents[2] / "sample_media" / "demo"
FRAME_MS = 40


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """The sample shoot without its director, and the record of it."""
    shoot = tmp_path_factory.mktemp("silent") / "shoot"
    shutil.copytree(DEMO, shoot, ignore=shutil.ignore_patterns("director.jsonl", "truth.json"))
    about = json.loads((shoot / "shoot.json").read_text())
    del about["director"]
    (shoot / "shoot.json").write_text(json.dumps(about))
    record = shoot.with_name("record")
    replay(shoot, record)
    return shoot, record


def truth() -> list[tuple[str, int]]:
    """(reel, first frame) of every shot as it was made."""
    frames = json.loads((DEMO / "truth.json").read_text())["frames"]
    runs = [(camera, next(run)) for camera, run in groupby(frames, lambda f: f["camera"])]
    first = frames[0]["atMs"]
    return [(c.upper().replace("-", ""), round((f["atMs"] - first) / FRAME_MS)) for c, f in runs]


def test_reverse_edl_equals_the_truth_to_a_frame(silent, tmp_path):
    shoot, record = silent
    cuts, [file] = export(record, Wanted(form="edl", shoot=shoot, out=tmp_path / "cuts.edl"))
    assert cuts.rate.name == "25"
    lines = list(read_edl(file.read_text(), 25))
    made = truth()
    assert len(made) == 15
    assert [reel for reel, *_ in lines] == [reel for reel, _ in made]
    assert all(
        abs(times[2] - first) <= 1 for (*_, times), (_, first) in zip(lines, made, strict=True)
    )
    # The cameras' own pictures are where the program shows them: no source runs backwards.
    assert all(0 <= times[0] < times[1] for *_, times in lines)
    assert "UNANNOUNCED" not in file.read_text()


def test_the_rate_is_found_in_the_record_alone(silent, tmp_path):
    _, record = silent
    cuts, _ = export(record, Wanted(form="csv", out=tmp_path / "cuts.csv"))
    assert cuts.rate.name == "25"
    assert len(cuts.segments) == 15
    assert "No recording is known" in cuts.notes[0]


def test_nothing_told_is_one_empty_stretch(silent, tmp_path):
    _, record = silent
    wanted = Wanted(form="jsonl", view=View.TOLD, out=tmp_path / "told.jsonl")
    cuts, _ = export(record, wanted)
    assert [(s.source, s.state) for s in cuts.segments] == [(None, "untold")]


def test_another_shoots_recording_is_refused(silent, tmp_path):
    shoot, record = silent
    other = tmp_path / "other"
    shutil.copytree(shoot, other)
    about = json.loads((other / "shoot.json").read_text())
    about["session"]["externalId"] = "another"
    (other / "shoot.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match="expected the recording of the session 'rig-demo-1'"):
        export(record, Wanted(form="edl", shoot=other, out=tmp_path / "no.edl"))


def test_the_command_writes_and_says_where(silent, tmp_path):
    shoot, record = silent
    out = tmp_path / "cuts.fcpxml"
    args = ["export", str(record), "--to", "fcpxml", "--shoot", str(shoot), "--out", str(out)]
    done = CliRunner().invoke(app, [*args, "--start", "10:00:00:00", "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert said["files"] == [str(out)]
    assert (said["segments"], said["startTimecode"]) == (15, "10:00:00:00")
    assert '<sequence format="r1" duration="45s" tcStart="36000s"' in out.read_text()
