"""The doctor at a served shoot, and at everything that can be wrong around one."""

import json
import sqlite3
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tap.cli import main
from tap.clock import SystemClock
from tap.config import load_config
from tap.rig.serve import RigServer
from tap.rig.serve_http import Token
from tap.witness.doctor import examine, exit_code
from tap.witness.examine import Health

T0 = 1_789_000_000_000


def write_media(path: Path, seconds: float, fps: int = 25, moving: bool = True) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(int(seconds * fps)):
            grey = 20 + (index * 7) % 200 if moving else 90
            picture = np.full((48, 64, 3), grey, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = index * 1000 // fps, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def shoot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shoot")
    write_media(folder / "a.mkv", 12)
    write_media(folder / "still.mkv", 12, moving=False)
    write_media(folder / "slow.mkv", 12, fps=4)
    messages = [{"type": "cut", "camera": "cam-a", "atMs": T0 + at} for at in range(0, 12000, 300)]
    (folder / "director.jsonl").write_text("\n".join(map(json.dumps, messages)), "utf-8")
    content = {
        "format": "tap-shoot/1",
        "session": {"externalId": "shoot-1"},
        "cameras": [
            {"id": "cam-a", "media": "a.mkv", "startedAtMs": T0},
            {"id": "cam-b", "media": "still.mkv", "startedAtMs": T0},
            {"id": "cam-c", "media": "slow.mkv", "startedAtMs": T0},
        ],
        "program": {"media": "a.mkv", "startedAtMs": T0},
        "director": "director.jsonl",
    }
    (folder / "shoot.json").write_text(json.dumps(content), "utf-8")
    return folder


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
    assert code == 3


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
