"""Claims from other systems, brought into a recorded shoot, are judged like a director's."""

import json
import shutil
from pathlib import Path

import pytest
from tests.made_shoot import make
from typer.testing import CliRunner

from tap.cli.app import app
from tap.errors import InputError
from tap.feeds.shoot import load_shoot
from tap.vocabulary import ClaimType, VerdictCode
from tap.witness.importing import Request, bring_in
from tap.witness.replay import replay


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("made") / "shoot")


@pytest.fixture
def silent(made, tmp_path):
    """The shoot without its director."""
    shoot = tmp_path / "shoot"
    shutil.copytree(made, shoot)
    about = json.loads((shoot / "shoot.json").read_text())
    (shoot / about.pop("director")).rename(tmp_path / "told.jsonl")
    (shoot / "shoot.json").write_text(json.dumps(about))
    return shoot


def cuts_told(shoot: Path) -> list[dict]:
    lines = (shoot.parent / "told.jsonl").read_text().splitlines()
    return [m for m in map(json.loads, lines) if m["type"] == ClaimType.CUT.value]


def obs_log(shoot: Path, file: Path) -> Path:
    """The director's cuts as OBS would have logged them."""
    with file.open("w") as log:
        for said in cuts_told(shoot):
            data = {"sceneName": f"Scene {said['camera']}"}
            event = {"eventType": "CurrentProgramSceneChanged", "eventData": data}
            log.write(json.dumps({"op": 5, "recvMs": said["atMs"], "d": event}) + "\n")
    return file


NAMES = tuple(f"Scene cam-{x}=cam-{x}" for x in "abc")


def test_a_log_of_obs_is_judged_from_the_pictures(silent, tmp_path):
    log = obs_log(silent, tmp_path / "obs.jsonl")
    arguments = ["import", str(log), "--from", "obs", "--shoot", str(silent), "--json"]
    for name in NAMES:
        arguments += ["--camera", name]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["claims"] == len(cuts_told(silent)) == 5
    assert load_shoot(silent).director is not None
    witness = replay(silent, tmp_path / "seen")
    codes = [v.code for v in witness.verdicts]
    assert codes.count(VerdictCode.WRONG_CAMERA) == 1
    assert codes.count(VerdictCode.AGREE) == 4
    assert all(v.claim_id is not None and v.claim_id.startswith("obs-") for v in witness.verdicts)


def test_claims_can_be_added_to_those_there_are_but_once(made, silent, tmp_path):
    log = obs_log(silent, tmp_path / "obs.jsonl")
    whole = tmp_path / "whole"
    shutil.copytree(made, whole)
    request = Request(log, "obs", shoot=whole, cameras=NAMES)
    before = load_shoot(whole).director.read_bytes()
    with pytest.raises(InputError, match="has messages already; add these with --merge"):
        bring_in(request)
    merging = Request(log, "obs", shoot=whole, cameras=NAMES, merge=True)
    _, file = bring_in(merging)
    assert file.read_bytes().startswith(before)
    assert len(file.read_bytes().splitlines()) == len(before.splitlines()) + 5
    with pytest.raises(InputError, match="in it already"):
        bring_in(merging)


def test_a_bad_file_leaves_the_shoot_as_it_was(silent, tmp_path):
    log = tmp_path / "bad.jsonl"
    log.write_text(obs_log(silent, tmp_path / "obs.jsonl").read_text() + '{"eventType": 3')
    before = (silent / "shoot.json").read_bytes()
    with pytest.raises(InputError, match="line 6"):
        bring_in(Request(log, "obs", shoot=silent, cameras=NAMES))
    assert (silent / "shoot.json").read_bytes() == before
    assert not (silent / "director.jsonl").exists()


def test_an_unknown_camera_is_told_with_what_to_do(silent, tmp_path, capsys):
    log = obs_log(silent, tmp_path / "obs.jsonl")
    with pytest.raises(InputError, match=r"line 1: .*cam-a, cam-b, cam-c.*--camera 'Scene cam-b="):
        bring_in(Request(log, "obs", shoot=silent))
    with pytest.raises(InputError, match="expected NAME=CAMERA"):
        bring_in(Request(log, "obs", shoot=silent, cameras=("Scene",)))
    with pytest.raises(InputError, match="expected one of cam-a, cam-b, cam-c, got 'cam-x'"):
        bring_in(Request(log, "obs", shoot=silent, cameras=("Scene=cam-x",)))


def test_an_edl_is_placed_by_the_program_and_read_at_its_rate(silent, tmp_path):
    edl = tmp_path / "cuts.edl"
    edl.write_text(
        "TITLE: x\nFCM: NON-DROP FRAME\n"
        "001  CAMA     V     C        00:00:00:00 00:00:01:00 10:00:00:00 10:00:01:00\n"
        "002  CAMB     V     C        00:00:01:00 00:00:02:00 10:00:01:00 10:00:02:12\n"
    )
    out = tmp_path / "claims.jsonl"
    started = load_shoot(silent).program.started_at_ms
    imported, _ = bring_in(
        Request(edl, "edl", out=out, rate="25", at=str(round(started)), start="10:00:00:00")
    )
    assert imported.messages[0]["atMs"] == started + 1000
    assert imported.messages[0]["camera"] == "CAMB"
    imported, _ = bring_in(Request(edl, "edl", shoot=silent, rate="25"))
    assert imported.messages[0]["camera"] == "cam-b"
    with pytest.raises(InputError, match="one place for the claims"):
        bring_in(Request(edl, "edl"))
