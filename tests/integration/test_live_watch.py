"""A whole session over real sockets, watched, recorded, replayed and verified."""

import json
import os
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests import made_shoot, standin

from tap.clock import SystemClock
from tap.config import (
    Config,
    LedgerConfig,
    default_key_path,
    load_config,
    load_or_make_key,
)
from tap.ledger import SnapshotLedger, all_events, all_stills
from tap.ledger.rows import Source
from tap.report.sealed import check_folder
from tap.rig import demo
from tap.vocabulary import COMMANDED, ShotState, VerdictCode, Witness
from tap.witness.evidence import load_witness
from tap.witness.ledgers import open_ledger
from tap.witness.live import watch
from tap.witness.looks import last_looks
from tap.witness.models import learnt_settings
from tap.witness.replay import replay
from tap.witness.status import LiveStatus
from tap.witness.verify import verify

START_IN_S = 2.5


@dataclass(frozen=True)
class Watched:
    """One live session and all that it left."""

    config: Config
    witness: Witness
    recording: Path
    shift_ms: float
    statuses: list[LiveStatus]
    ended_ms: float
    truth: dict


def on_convex(config: Config, url: str) -> Config:
    """The same shoot, its ledger on the stand-in."""
    ledger = LedgerConfig(kind="convex", url=url, token_env=standin.TOKEN_ENV)
    return config.model_copy(update={"ledger": ledger})


@pytest.fixture(scope="module", params=["embedded", "convex"])
def watched(request, short_shoot, tmp_path_factory):
    url = None
    if request.param == "convex":
        serving = request.getfixturevalue("serving")
        serving.reset()
        url = serving.url
    os.environ[standin.TOKEN_ENV] = standin.TOKEN
    home = tmp_path_factory.mktemp("watched")
    statuses: list[LiveStatus] = []
    clock = SystemClock()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TAP_")]:
            patch.delenv(name)
        patch.setenv("TAP_HOME", str(home))
        patch.setattr(demo, "START_IN_S", START_IN_S)
        toml = home / "shoot.toml"
        with demo.served(short_shoot, toml, home / "ledger.sqlite") as address:
            with toml.open("a") as file:
                file.write(f"\n[tolerances]\nwindow_ms = {made_shoot.WINDOW_MS}\n")
            config = load_config(toml)
            config = on_convex(config, url) if url else config
            witness = watch(
                config, clock=clock, record_to=home / "recording", on_status=statuses.append
            )
            ended_ms = clock.now_ms()
    truth = json.loads((short_shoot / "truth.json").read_text("utf-8"))
    return Watched(
        config, witness, home / "recording", address["shiftMs"], statuses, ended_ms, truth
    )


@pytest.fixture(scope="module")
def books(watched):
    with closing(open_ledger(watched.config, read_only=True)) as ledger:
        yield ledger


@pytest.fixture(scope="module")
def replayed(watched, tmp_path_factory):
    """The folder that a replay of the recording left."""
    out = tmp_path_factory.mktemp("replayed")
    tolerances = watched.config.tolerances
    replay(
        watched.recording,
        out,
        tolerances=tolerances.for_judge(),
        sight=learnt_settings(hold_ms=tolerances.hold_ms),
        signer=load_or_make_key(default_key_path()),
    )
    return out


# ---------------------------------------------------------------- what was seen and said


def test_the_cuts_are_those_that_were_made(watched):
    seen = [event for event in watched.witness.events if event.type in COMMANDED]
    made = watched.truth["events"]
    assert [(e.type.value, e.from_camera, e.to_camera) for e in seen] == [
        (e["type"], e["from"], e["to"]) for e in made
    ]
    frame_ms = watched.truth["program"]["frameIntervalMs"]
    for event, true in zip(seen, made, strict=True):
        # An arrival is some ms after the picture was due; half a frame more would be another one.
        assert abs(event.at_ms - watched.shift_ms - true["atMs"]) < 1.5 * frame_ms


def test_the_verdicts_are_those_owed_and_no_other(watched):
    found = {
        v.claim_id: v.code for v in watched.witness.verdicts if v.code is not VerdictCode.NOTED
    }
    owed = {v["claimId"]: v["code"] for v in watched.truth["verdicts"]}
    assert found == owed
    wrong = [claim for claim, code in found.items() if code is not VerdictCode.AGREE]
    assert wrong == [made_shoot.MISTAKE]


def test_shots_partition_the_time_that_was_watched(watched):
    shots = watched.witness.shots
    assert all(a.end_ms == b.start_ms for a, b in pairwise(shots))
    live = [shot.camera for shot in shots if shot.state is ShotState.LIVE]
    assert live == ["cam-a", "cam-b", "cam-c", "cam-a", "cam-c", "cam-a"]
    lost = watched.witness.coverage.unseen
    end_ms = watched.shift_ms + watched.truth["frames"][-1]["atMs"]
    assert all(start > end_ms for start, _, _ in lost), lost


def test_it_ends_by_itself_soon_after_the_director_did(watched):
    said_ms = watched.shift_ms + watched.truth["frames"][0]["atMs"] + made_shoot.DURATION_MS - 60
    patience = watched.config.tolerances.window_ms + watched.config.tolerances.settle_ms
    assert 0 < watched.ended_ms - said_ms - patience < 8000


def test_status_says_who_is_live_while_it_runs(watched):
    shown = {status.camera for status in watched.statuses if status.state is ShotState.LIVE}
    assert {"cam-a", "cam-b", "cam-c"} <= shown
    last = watched.statuses[-1]
    assert last.ledger.waiting == 0
    assert last.counts["WRONG_CAMERA"] == 1
    assert {feed.id for feed in last.feeds} == {*made_shoot.CAMERAS, "program"}


# ---------------------------------------------------------------- the books


def test_the_session_is_complete(watched, books):
    session = books.session(watched.config.session.external_id)
    assert session.status == "completed"
    assert session.runs == 1
    assert session.title == "Made by the rig", "the configuration's title stands"
    assert session.notes == "none", "what only the director knows is taken over"
    state = session.final_state
    assert (state.program_camera, state.mode, state.hold) == ("cam-a", "ghost", False)
    assert state.verdicts[VerdictCode.WRONG_CAMERA] == 1
    said_ms = watched.shift_ms + watched.truth["frames"][0]["atMs"] + made_shoot.DURATION_MS - 60
    assert abs(session.ended_at_ms - said_ms) < 1


def test_every_message_and_change_has_one_row(watched, books):
    rows = list(all_events(books, "short-shoot"))
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert len({row.key for row in rows}) == len(rows)
    assert {row.source for row in rows} == {Source.DIRECTOR}, "every change was announced"
    said = [json.loads(line) for line in _lines(watched.recording / "director.jsonl")]
    assert sorted(row.claim.id for row in rows) == sorted(message["id"] for message in said)
    by_verdict = {(v.claim_id, v.event_id): v for v in watched.witness.verdicts}
    for row in rows:
        verdict = by_verdict[row.claim.id, row.seen.id if row.seen else None]
        assert (row.verdict, row.text) == (verdict.code, verdict.text)


def test_cameras_and_stills_have_theirs(books):
    cameras = {row.camera_id: row for row in books.cameras("short-shoot")}
    assert set(cameras) == set(made_shoot.CAMERAS)
    assert all(row.source.startswith("http://") for row in cameras.values())
    assert all(row.role == "told" for row in cameras.values())
    (still,) = all_stills(books, "short-shoot")
    assert (still.still_id, still.camera_id, still.program_camera) == ("s1", "cam-b", "cam-c")


def test_the_mistake_is_proven_by_pictures(watched):
    folder = watched.config.session_folder
    pictures = sorted((folder / "evidence").glob("*.jpg"))
    assert pictures
    assert all(cv2.imdecode(np.fromfile(p, np.uint8), 1) is not None for p in pictures)
    page = (folder / "report.html").read_text("utf-8")
    assert "data:image/jpeg" in page
    assert load_witness(folder) == load_witness(folder / "witness.json")


def test_verify_finds_the_mistake_and_nothing_else(watched, books, tmp_path):
    checked = verify(
        "short-shoot",
        ledger=books,
        folder=watched.config.session_folder,
        out=tmp_path,
        tolerances=watched.config.tolerances.for_judge(),
    )
    assert not checked.problems, [problem.text for problem in checked.problems]
    assert [f.verdict for f in checked.disagreements] == [VerdictCode.WRONG_CAMERA]


def test_how_the_cameras_looked_is_kept_for_the_next_session(watched):
    before = last_looks(watched.config.home)
    assert before is not None
    assert before.session == watched.witness.session.external_id
    assert set(before.grids) == {camera.id for camera in watched.config.cameras}


def test_rows_are_there_as_soon_as_they_are_made(watched):
    """Seen from the status: at the end of each quarter second next to nothing waits."""
    waiting = [status.ledger.oldest_ms or 0.0 for status in watched.statuses]
    assert sorted(waiting)[int(0.99 * len(waiting))] <= 2000


def test_a_snapshot_of_the_deployment_is_as_good(watched, request, tmp_path):
    if watched.config.ledger.kind != "convex":
        pytest.skip("the embedded ledger exports no snapshot by itself")
    path = tmp_path / "snapshot.zip"
    path.write_bytes(request.getfixturevalue("serving").export())
    checked = verify(
        "short-shoot",
        ledger=SnapshotLedger(path),
        folder=watched.config.session_folder,
        out=tmp_path,
        tolerances=watched.config.tolerances.for_judge(),
    )
    assert not checked.problems, [problem.text for problem in checked.problems]
    assert [f.verdict for f in checked.disagreements] == [VerdictCode.WRONG_CAMERA]


def test_the_record_is_sealed_and_the_ledger_pins_it(watched, books):
    pin = books.session("short-shoot").final_state.seal
    key = load_or_make_key(default_key_path()).public
    found = check_folder(watched.config.session_folder, [key], [pin.digest])
    assert (found.problems, found.closed) == ((), True)
    assert [gap for gap in found.gaps if gap.end_ms - gap.start_ms > 10_000] == []
    pictures = (watched.config.session_folder / "evidence").iterdir()
    assert {f"evidence/{path.name}" for path in pictures} < set(found.files)


# ---------------------------------------------------------------- recorded and replayed


def test_a_replay_of_the_recording_gives_the_same_record(watched, replayed):
    live = _by_part(watched.config.session_folder / "witness.json")
    again = _by_part(replayed / "witness.json")
    for part in ("verdicts", "events", "shots", "coverage"):
        assert live[part] == again[part], part


def test_a_replay_is_sealed_as_well(replayed):
    found = check_folder(replayed, [load_or_make_key(default_key_path()).public])
    assert (found.problems, found.closed, found.session) == ((), True, "short-shoot")


def test_the_recording_holds_every_frame_that_was_seen(watched, replayed):
    again = load_witness(replayed)
    assert again.coverage.program_frames == watched.witness.coverage.program_frames
    seen = {camera.id: camera.frames_seen for camera in watched.witness.cameras}
    assert {camera.id: camera.frames_seen for camera in again.cameras} == seen


def _by_part(path: Path) -> dict[str, str]:
    """The text of each top-level value, byte for byte."""
    text = path.read_text("utf-8")
    parts = text.split('\n  "')
    return {part.split('"', 1)[0]: part.rstrip("},\n ") for part in parts[1:]}


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()
