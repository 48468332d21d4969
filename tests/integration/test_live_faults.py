"""Feeds die and the director's wire breaks in the middle of a session: tap says so, and goes on."""

import json
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests import made_shoot
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tap.clock import SystemClock
from tap.config import load_config
from tap.ledger import EmbeddedLedger, all_events
from tap.rig.serve import RigServer
from tap.vocabulary import EventType, ShotState, VerdictCode, Witness
from tap.witness.live import Watch


@dataclass
class Director:
    """A WebSocket that says lines at their time, hangs up at others, and on each new connection
    first says again all that it ever said."""

    lines: list[tuple[float, str]]
    """Unix ms, text; those said while nobody listens are heard late."""
    away_ms: list[tuple[float, float]]
    clock: SystemClock = field(default_factory=SystemClock)
    connections: int = 0

    def handle(self, socket: ServerConnection) -> None:
        """One connection."""
        if self._away():
            return
        self.connections += 1
        said = 0
        try:
            while not self._away():
                while said < len(self.lines) and self.lines[said][0] <= self.clock.now_ms():
                    socket.send(self.lines[said][1])
                    said += 1
                time.sleep(0.01)
        except ConnectionClosed:
            pass

    def _away(self) -> bool:
        now = self.clock.now_ms()
        return any(start <= now < end for start, end in self.away_ms)


@dataclass(frozen=True)
class Watched:
    """A session with faults, and what it left. `zero_ms` is when the program began."""

    witness: Witness
    zero_ms: float
    director: Director
    replayed: int
    ledger: Path


@pytest.fixture(scope="module")
def watched(short_shoot, tmp_path_factory):
    home = tmp_path_factory.mktemp("faults")
    truth = json.loads((short_shoot / "truth.json").read_text("utf-8"))
    with pytest.MonkeyPatch.context() as patch, RigServer(short_shoot, start_in_s=1.5) as rig:
        patch.setenv("TAP_HOME", str(home))
        zero_ms = truth["frames"][0]["atMs"] + rig.shift_ms
        director = Director(
            _lines(short_shoot, rig.shift_ms),
            [(zero_ms + 4300, zero_ms + 4700), (zero_ms + 6550, zero_ms + 6850)],
        )
        with serve(director.handle, "127.0.0.1", 0, compression=None) as wire:
            port = wire.socket.getsockname()[1]
            threading.Thread(target=wire.serve_forever, daemon=True).start()
            toml = home / "shoot.toml"
            rig.write_config(toml, ledger=home / "ledger.sqlite")
            text = toml.read_text("utf-8").replace(rig.director_url, f"ws://127.0.0.1:{port}/")
            text += f"\n[tolerances]\nwindow_ms = {made_shoot.WINDOW_MS}\n"
            toml.write_text(text, "utf-8")
            watch = Watch(load_config(toml), clock=director.clock)
            faults = threading.Thread(
                target=_play, args=(rig, director.clock, zero_ms), daemon=True
            )
            faults.start()
            witness = watch.run()
            replayed = watch._director.health().replayed
            wire.shutdown()
    return Watched(witness, zero_ms, director, replayed, home / "ledger.sqlite")


def _lines(shoot: Path, shift_ms: float) -> list[tuple[float, str]]:
    said = [json.loads(line) for line in (shoot / "director.jsonl").read_text("utf-8").splitlines()]
    moved = [{**message, "atMs": message["atMs"] + shift_ms} for message in said]
    return [(message["atMs"], json.dumps(message)) for message in moved]


def _play(rig: RigServer, clock: SystemClock, zero_ms: float) -> None:
    """cam-c dies and comes back, and is on the program meanwhile; then the program falls silent."""
    for at_ms, fault, feed in (
        (2000, rig.kill, "cam-c"),
        (3300, rig.revive, "cam-c"),
        (5520, rig.pause, "program"),
        (6680, rig.revive, "program"),
    ):
        time.sleep(max(0.0, zero_ms + at_ms - clock.now_ms()) / 1000)
        fault(feed)


def test_every_message_has_one_verdict_and_none_is_false(watched):
    verdicts = {v.claim_id: v.code for v in watched.witness.verdicts if v.claim_id}
    assert sum(v.claim_id is not None for v in watched.witness.verdicts) == len(verdicts)
    assert len(verdicts) == len(watched.director.lines)
    for name in ("m-1", "m-3"):
        assert verdicts[name] is VerdictCode.AGREE, name
    # These happened while tap was blind or just after, or may have been put right then.
    for name in ("m-2", "m-5"):
        assert verdicts[name] in (VerdictCode.AGREE, VerdictCode.UNSEEN), name
    assert verdicts[made_shoot.MISTAKE] in (VerdictCode.WRONG_CAMERA, VerdictCode.UNSEEN)


def test_nothing_is_made_of_what_tap_could_not_see(watched):
    alone = [v for v in watched.witness.verdicts if v.claim_id is None]
    # Nobody announced the wrong camera; whether the right one followed was not to be seen.
    wrong_ms = watched.zero_ms + 5200
    assert [v for v in alone if abs(v.at_ms - wrong_ms) > 150] == []


def test_each_gap_is_told_with_its_reason(watched):
    gaps = [
        (start - watched.zero_ms, end - watched.zero_ms)
        for start, end, reason in watched.witness.coverage.unseen
        if reason == "no program frames" and start < watched.zero_ms + 7000
    ]
    [(start, end)] = gaps
    assert (start, end) == (pytest.approx(5520, abs=300), pytest.approx(6680, abs=300))
    cam_c = next(camera for camera in watched.witness.cameras if camera.id == "cam-c")
    start, end, reason = cam_c.gaps[0]
    assert reason == "no frames"
    assert start - watched.zero_ms == pytest.approx(2000, abs=300)
    # It comes back when it is asked for again, which has its own pace.
    assert 3200 <= end - watched.zero_ms <= 3300 + 2500


def test_a_camera_whose_feed_is_dead_is_never_taken_for_another(watched):
    shown = {
        shot.camera or shot.state.value
        for shot in watched.witness.shots
        if shot.start_ms < watched.zero_ms + 3900 and shot.end_ms > watched.zero_ms + 2900
    }
    # It may still be known by the last pictures that came of it.
    assert shown <= {"cam-c", "unseen"}


def test_feeds_that_go_and_come_are_events(watched):
    kinds = [e.type for e in watched.witness.events]
    assert kinds.count(EventType.FEED_LOST) >= 2
    assert kinds.count(EventType.FEED_BACK) >= 2


def test_what_is_live_is_known_again_after_the_gaps(watched):
    def live_at(at_ms: float) -> str | None:
        for shot in watched.witness.shots:
            if shot.start_ms <= watched.zero_ms + at_ms < shot.end_ms:
                return shot.camera if shot.state is ShotState.LIVE else shot.state.value
        return None

    assert [live_at(t) for t in (1000, 2200, 4500, 5350, 7400)] == [
        "cam-a",
        "cam-b",
        "cam-a",
        "cam-c",
        "cam-a",
    ]
    assert live_at(6000) == "unseen"


def test_a_wire_that_breaks_repeats_and_loses_no_message(watched):
    assert watched.director.connections == 3
    assert watched.replayed >= 10, "the history came again, and was known"
    with closing(EmbeddedLedger(watched.ledger, read_only=True)) as ledger:
        rows = list(all_events(ledger, "short-shoot"))
        session = ledger.session("short-shoot")
    names = [row.claim.id for row in rows if row.claim]
    assert sorted(names) == sorted(json.loads(text)["id"] for _, text in watched.director.lines)
    assert session.status == "completed"


def test_a_history_that_was_heard_before_a_restart_is_no_news(tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_HOME", str(tmp_path))
    clock = SystemClock()
    now = clock.now_ms()
    said = [
        {"type": "session.start", "id": "m1", "atMs": now - 30},
        {"type": "mode", "id": "m2", "atMs": now - 20, "mode": "ghost"},
        {"type": "cut", "id": "m3", "atMs": now - 10, "camera": "cam-a", "odd": [1, 2.5, None]},
    ]
    director = Director([(now, json.dumps(message)) for message in said], [])
    with serve(director.handle, "127.0.0.1", 0, compression=None) as wire:
        threading.Thread(target=wire.serve_forever, daemon=True).start()
        toml = tmp_path / "shoot.toml"
        toml.write_text(
            f"""
            session = {{ external_id = "s" }}
            cameras = [{{ id = "cam-a", url = "http://127.0.0.1:9/a" }}]
            program = {{ url = "http://127.0.0.1:9/p" }}
            director = {{ url = "ws://127.0.0.1:{wire.socket.getsockname()[1]}/" }}
            """
        )
        for _ in range(2):
            watch, stop = Watch(load_config(toml), clock=clock), threading.Event()
            threading.Timer(1.0, stop.set).start()
            watch.run(stop=stop)
        wire.shutdown()
    assert watch._director.health().replayed == 3
    with closing(EmbeddedLedger(tmp_path / "ledger.sqlite", read_only=True)) as ledger:
        assert [row.claim.id for row in all_events(ledger, "s")] == ["m1", "m2", "m3"]
        assert ledger.session("s").runs == 2
