"""A shoot that mixes MJPEG and WebRTC: watched, recorded, replayed; then with feeds that die."""

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import made_shoot
from tests.lossy import LossyWhep

from tap.clock import SystemClock
from tap.config import Config, load_config
from tap.feeds.shoot import load_shoot
from tap.rig import demo
from tap.rig.serve import RigServer
from tap.vocabulary import COMMANDED, EventType, ShotState, VerdictCode, Witness
from tap.witness.live import Watch
from tap.witness.models import learnt_settings
from tap.witness.replay import replay

WEBRTC = ("cam-b", "program")


@dataclass(frozen=True)
class Watched:
    """A live session over both kinds of feed."""

    config: Config
    witness: Witness
    recording: Path
    zero_ms: float
    truth: dict


@pytest.fixture(scope="module", params=["H264", pytest.param("VP8", marks=pytest.mark.slow)])
def mixed(request, short_shoot, tmp_path_factory):
    home = tmp_path_factory.mktemp("mixed")
    truth = json.loads((short_shoot / "truth.json").read_text("utf-8"))
    toml = home / "shoot.toml"
    options = ["--codec", request.param, *(f"--webrtc={feed}" for feed in WEBRTC)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAP_HOME", str(home))
        patch.setattr(demo, "START_IN_S", 3.5)
        ledger = home / "ledger.sqlite"
        with demo.served(short_shoot, toml, ledger, options=options) as address:
            toml.write_text(
                toml.read_text("utf-8") + f"\n[tolerances]\nwindow_ms = {made_shoot.WINDOW_MS}\n"
            )
            config = load_config(toml)
            watch = Watch(config, clock=SystemClock(), record_to=home / "recording")
            witness = watch.run()
    zero_ms = truth["frames"][0]["atMs"] + address["shiftMs"]
    return Watched(config, witness, home / "recording", zero_ms, truth)


def test_the_cuts_are_those_that_were_made(mixed):
    assert {f.kind for name, f in mixed.config.feeds().items() if name in WEBRTC} == {"webrtc"}
    seen = [event for event in mixed.witness.events if event.type in COMMANDED]
    made = mixed.truth["events"]
    assert [(e.type.value, e.from_camera, e.to_camera) for e in seen] == [
        (e["type"], e["from"], e["to"]) for e in made
    ]
    first_ms = mixed.truth["frames"][0]["atMs"]
    for event, true in zip(seen, made, strict=True):
        # Coding and the way to tap come on top of what MJPEG takes.
        assert -50 < event.at_ms - mixed.zero_ms - (true["atMs"] - first_ms) < 200


def test_the_verdicts_are_those_owed(mixed):
    found = {v.claim_id: v.code for v in mixed.witness.verdicts if v.code is not VerdictCode.NOTED}
    assert found == {v["claimId"]: v["code"] for v in mixed.truth["verdicts"]}


def test_a_recording_says_what_was_coded_anew_and_replays_to_the_same(mixed, tmp_path):
    shoot = load_shoot(mixed.recording)
    assert [camera.model_extra.get("reencoded", False) for camera in shoot.cameras] == [
        camera.id in WEBRTC for camera in shoot.cameras
    ]
    assert shoot.program.model_extra.get("reencoded") is True
    tolerances = mixed.config.tolerances
    replay(
        mixed.recording,
        tmp_path,
        tolerances=tolerances.for_judge(),
        sight=learnt_settings(hold_ms=tolerances.hold_ms),
    )
    live = json.loads((mixed.config.session_folder / "witness.json").read_text("utf-8"))
    again = json.loads((tmp_path / "witness.json").read_text("utf-8"))
    for part in ("verdicts", "events", "shots", "coverage"):
        assert live[part] == again[part], part
    assert live["coverage"]["programFrames"] > 100


# ---------------------------------------------------------------- with feeds that die


@pytest.fixture(scope="module")
def broken(short_shoot, tmp_path_factory):
    home = tmp_path_factory.mktemp("broken")
    truth = json.loads((short_shoot / "truth.json").read_text("utf-8"))
    with pytest.MonkeyPatch.context() as patch, RigServer(short_shoot, start_in_s=3.5) as rig:
        patch.setenv("TAP_HOME", str(home))
        with LossyWhep(rig.whep_url("program"), loss=0.05, delay_ms=15.0) as whep:
            zero_ms = truth["frames"][0]["atMs"] + rig.shift_ms
            toml = home / "shoot.toml"
            rig.write_config(toml, ledger=home / "ledger.sqlite", webrtc=WEBRTC)
            text = toml.read_text("utf-8").replace(rig.whep_url("program"), whep.url)
            toml.write_text(text + f"\n[tolerances]\nwindow_ms = {made_shoot.WINDOW_MS}\n")
            config = load_config(toml)
            clock = SystemClock()
            plan = [
                (1900, lambda: rig.kill("cam-b")),  # on program until 2800
                (2300, lambda: rig.revive("cam-b")),
                (2700, lambda: rig.pause("cam-c")),  # the MJPEG one, for a moment
                (3300, lambda: rig.revive("cam-c")),
                (5500, lambda: whep.set(blocked=True)),
                (6300, lambda: whep.set(blocked=False)),
            ]
            threading.Thread(target=_play, args=(plan, clock, zero_ms), daemon=True).start()
            witness = Watch(config, clock=clock).run()
            lost = whep.lost_part
    assert lost > 0.02
    return Watched(config, witness, home, zero_ms, truth)


def _play(plan, clock, zero_ms) -> None:
    for at_ms, fault in plan:
        time.sleep(max(0.0, zero_ms + at_ms - clock.now_ms()) / 1000)
        fault()


def test_no_false_verdict_arises_from_a_gap(broken):
    verdicts = {v.claim_id: v.code for v in broken.witness.verdicts if v.claim_id}
    for name in ("m-1", "m-3"):
        assert verdicts[name] is VerdictCode.AGREE, name
    for name in ("m-2", "m-5"):
        assert verdicts[name] in (VerdictCode.AGREE, VerdictCode.UNSEEN), name
    assert verdicts[made_shoot.MISTAKE] in (VerdictCode.WRONG_CAMERA, VerdictCode.UNSEEN)
    alone = [v for v in broken.witness.verdicts if v.claim_id is None]
    wrong_ms = broken.zero_ms + 5200
    assert [v for v in alone if abs(v.at_ms - wrong_ms) > 250] == []


def test_the_gaps_are_told_and_what_is_live_is_known_after_them(broken):
    kinds = [event.type for event in broken.witness.events]
    assert EventType.FEED_LOST in kinds or broken.witness.coverage.unseen
    assert kinds.count(EventType.FEED_BACK) <= kinds.count(EventType.FEED_LOST)

    def live_at(at_ms: float) -> str | None:
        for shot in broken.witness.shots:
            if shot.start_ms <= broken.zero_ms + at_ms < shot.end_ms:
                return shot.camera if shot.state is ShotState.LIVE else shot.state.value
        return None

    assert [live_at(t) for t in (1000, 1800, 4700, 7600)] == ["cam-a", "cam-b", "cam-a", "cam-a"]
