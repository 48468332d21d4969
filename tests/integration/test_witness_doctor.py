"""The doctor at a served shoot, and at everything that can be wrong around one."""

import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import cv2
import pytest
from tests.small_shoot import make_small_shoot
from tests.unit.sample_pictures import Camera

from tap.cli import main
from tap.clock import SystemClock
from tap.config import default_key_path, load_config, load_or_make_key
from tap.rig.serve import RigServer
from tap.rig.serve_http import Token
from tap.witness.doctor import examine, exit_code
from tap.witness.examine import Health


@pytest.fixture(scope="module")
def shoot(tmp_path_factory):
    return make_small_shoot(tmp_path_factory.mktemp("shoot"))


def checked(config, look_s=1.5):
    checks = examine(config, clock=SystemClock(), look_s=look_s)
    return {check.subject: check for check in checks}, exit_code(checks)


def test_what_is_well_and_what_is_not(shoot, tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_HOME", str(tmp_path))
    path = tmp_path / "shoot.toml"
    with RigServer(shoot, start_in_s=0.3) as server:
        server.write_config(path)
        found, code = checked(load_config(path))
    assert list(found) == [
        "clock",
        "cam-a",
        "cam-b",
        "cam-c",
        "program",
        "director",
        "ledger",
        "seal key",
        "disk",
    ]
    assert found["cam-a"].health is Health.OK
    assert found["cam-a"].values["size"] == [64, 48]
    assert 15 < found["cam-a"].values["distinctFps"] < 35
    assert found["cam-b"].health is Health.BAD
    assert "stands still" in found["cam-b"].text
    assert found["cam-c"].health is Health.WARNING
    assert found["director"].health is Health.OK
    assert found["director"].values["messages"] >= 2
    assert abs(found["director"].values["clockDifferenceMs"]) < 300
    assert found["clock"].health is Health.OK
    assert found["ledger"].health is Health.OK
    assert not (tmp_path / "ledger.sqlite").exists()
    key = load_or_make_key(default_key_path()).public
    assert found["seal key"].values["publicKey"] == key.hex
    assert code == 3


MIXED = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"


@contextmanager
def talker(head: bytes, more=b"", every_s: float = 0.02, burst_s: float = 0.0) -> Iterator[str]:
    """A server that answers each request with `head` and goes on with `more`; pauses in bursts."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            peer.recv(65536)
            peer.sendall(head)
            count = 0
            while head and not over.wait(every_s):
                peer.sendall(more() if callable(more) else more)
                count += 1
                if burst_s and count % 5 == 0:
                    over.wait(burst_s)

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(peer,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/stream"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def config_of(cameras: dict[str, str], program: str) -> str:
    tables = [f'[[cameras]]\nid = "{name}"\nurl = "{url}"\n' for name, url in cameras.items()]
    return f'[session]\nexternal_id = "s"\n{"".join(tables)}[program]\nurl = "{program}"\n'


def test_a_lane_that_is_alive_without_pictures_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_HOME", str(tmp_path))
    monkeypatch.setattr("tap.witness.examine.FIRST_PICTURE_S", 1.0)
    junk = b"--b\r\nContent-Length: 4\r\n\r\nnope\r\n"
    with talker(MIXED) as mute, talker(MIXED, junk) as noise, talker(b"") as deaf:
        path = tmp_path / "shoot.toml"
        path.write_text(config_of({"mute": mute, "noise": noise, "deaf": deaf}, mute), "utf-8")
        found, code = checked(load_config(path), 0.3)
    assert code == 3
    for name in ("mute", "noise"):
        assert found[name].health is Health.BAD
        assert "it answers and gives no pictures" in found[name].text
        assert found[name].values == {"pictures": 0, "distinctFps": 0.0, "connected": True}
        assert "alive without a camera" in found[name].advice
    assert found["deaf"].health is Health.BAD
    assert found["deaf"].values["connected"] is False


def test_twins_jitter_and_another_clock_over_real_sockets(tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_HOME", str(tmp_path))
    camera = Camera(5)
    clock = SystemClock()

    def part(ahead_ms: float) -> bytes:
        body = cv2.imencode(".jpg", camera.at(clock.now_ms() % 100_000))[1].tobytes()
        stamp = (clock.now_ms() + ahead_ms) / 1000
        header = f"--b\r\nContent-Length: {len(body)}\r\nX-Timestamp: {stamp:.3f}\r\n\r\n"
        return header.encode() + body + b"\r\n"

    with (
        talker(MIXED, lambda: part(300_000), 0.04) as fast,
        talker(MIXED, lambda: part(0), 0.04) as right,
        talker(MIXED, lambda: part(0), 0.04, burst_s=0.6) as bursts,
    ):
        path = tmp_path / "shoot.toml"
        path.write_text(config_of({"fast": fast, "bursts": bursts}, right), "utf-8")
        found, _ = checked(load_config(path), 2.5)
    assert "its clock +300" in found["fast"].text
    assert found["fast"].values["clockDifferenceMs"] == pytest.approx(300_000, abs=500)
    assert abs(found["program"].values["clockDifferenceMs"]) < 500
    assert found["fast"].values["samePicturesAs"] == "bursts"
    assert found["fast"].health is Health.BAD
    assert found["bursts"].values["jitterMs"] > 120
    assert found["bursts"].values["jitterMs"] > found["program"].values["jitterMs"]


def test_nobody_there_and_no_secret(shoot, tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_HOME", str(tmp_path))
    monkeypatch.setattr("tap.witness.examine.FIRST_PICTURE_S", 1.0)
    path = tmp_path / "shoot.toml"
    token = Token("hush")
    with RigServer(shoot, start_in_s=0.3, token=token) as server:
        server.write_config(path)
        monkeypatch.delenv("RIG_TOKEN", raising=False)
        found, code = checked(load_config(path), 0.5)
        assert code == 2
        assert "RIG_TOKEN" in found["cam-a"].text
        assert found["program"].health is found["director"].health is Health.WRONG
        monkeypatch.setenv("RIG_TOKEN", "wrong")
        found, code = checked(load_config(path), 0.5)
        assert code == 3
        assert "401" in found["cam-a"].text
        monkeypatch.setenv("RIG_TOKEN", "hush")
        found, _ = checked(load_config(path), 0.5)
        assert found["cam-a"].health is found["director"].health is Health.OK
    found, code = checked(load_config(path), 0.5)
    assert code == 3
    assert {found[name].health for name in ("cam-a", "program", "director")} == {Health.BAD}
    assert not any("hush" in check.text for check in found.values())


def test_files_ledgers_and_disks(shoot, tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_HOME", str(tmp_path))
    path = tmp_path / "shoot.toml"
    (tmp_path / "bad.sqlite").write_text("this is no database, " * 100, "utf-8")
    (tmp_path / "empty.mkv").write_bytes(b"")
    path.write_text(
        f"""
[session]
external_id = "s"
[[cameras]]
id = "cam-a"
file = "{shoot / "a.mkv"}"
[[cameras]]
id = "cam-b"
file = "empty.mkv"
[[cameras]]
id = "cam-c"
url = "http://127.0.0.1:9/x"
kind = "webrtc"
route = "hero"
[program]
file = "{shoot / "a.mkv"}"
[director]
file = "{shoot / "director.jsonl"}"
[ledger]
path = "bad.sqlite"
[record]
dir = "recordings"
""",
        "utf-8",
    )
    found, code = checked(load_config(path), 0.1)
    assert code == 2
    assert found["cam-a"].health is Health.OK
    assert found["cam-b"].health is Health.WRONG
    assert "it has none" in found["cam-c"].text
    assert found["director"].text == "40 messages"
    assert found["ledger"].health is Health.WRONG
    assert found["recording disk"].values["freeBytes"] > 0
    (tmp_path / "bad.sqlite").unlink()
    holder = sqlite3.connect(tmp_path / "bad.sqlite", isolation_level=None)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN EXCLUSIVE")
    found, _ = checked(load_config(path), 0.1)
    holder.close()
    assert found["ledger"].health is Health.BAD
    assert "can't be written now" in found["ledger"].text


def test_the_command_prints_a_table_or_json(shoot, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TAP_HOME", str(tmp_path))
    path = tmp_path / "shoot.toml"
    path.write_text(
        f"""
[session]
external_id = "s"
[[cameras]]
id = "cam-a"
file = "{shoot / "a.mkv"}"
[program]
file = "{shoot / "a.mkv"}"
""",
        "utf-8",
    )
    for args, words in (([], "64x48, a file"), (["--json"], '"subject": "cam-a"')):
        command = ["tap", "doctor", "--seconds", "0.3", "--config", str(path), *args]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        assert words in capsys.readouterr().out


def test_a_seal_key_that_others_can_read_is_told_of(shoot, tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_HOME", str(tmp_path))
    key = tmp_path / "key" / "seal-key.pem"
    load_or_make_key(key)
    key.chmod(0o640)
    path = tmp_path / "shoot.toml"
    with RigServer(shoot, start_in_s=0.3) as server:
        server.write_config(path)
        with path.open("a") as file:
            file.write('\n[seal]\nkey = "key/seal-key.pem"\n')
        found, code = checked(load_config(path), 0.2)
    assert code == 2
    assert found["seal key"].health is Health.WRONG
    assert found["seal key"].advice.startswith("correct it with: chmod 600")
