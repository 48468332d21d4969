"""`tap watch`, `verify`, `replay` and `rig serve` as a user runs them, on a small shoot."""

import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tap.feeds.shoot import load_shoot
from tap.rig.serve import RigServer

T0 = 1_789_000_000_000
FPS = 25
SECONDS = 6
CUT_FRAME = 75


def scene(camera: int) -> np.ndarray:
    """A textured wall of its own for each camera, wide enough to pan over."""
    random = np.random.default_rng(camera)
    return cv2.resize(random.integers(0, 255, (12, 30, 3), dtype=np.uint8), (480, 180))


def write_media(path: Path, pictures: list[np.ndarray]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            frame.pts, frame.time_base = index * 1000 // FPS, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def shoot(tmp_path_factory):
    """Two cameras that pan; the program cuts from the one to the other, as announced."""
    folder = tmp_path_factory.mktemp("cli") / "shoot"
    folder.mkdir()
    frames = range(SECONDS * FPS)
    views = [
        [np.roll(scene(camera), 3 * index, axis=1)[:, :320] for index in frames]
        for camera in (1, 2)
    ]
    for name, pictures in (("a", views[0]), ("b", views[1])):
        write_media(folder / f"{name}.mkv", pictures)
    write_media(folder / "p.mkv", [views[index >= CUT_FRAME][index] for index in frames])
    said = [
        {"type": "session.start", "id": "m1", "atMs": T0 + 100},
        {"type": "cut", "id": "m2", "camera": "cam-b", "atMs": T0 + CUT_FRAME * 1000 // FPS - 200},
        {"type": "session.end", "id": "m3", "atMs": T0 + SECONDS * 1000 - 100},
    ]
    (folder / "director.jsonl").write_text("\n".join(map(json.dumps, said)), "utf-8")
    content = {
        "format": "tap-shoot/1",
        "session": {"externalId": "small"},
        "cameras": [
            {"id": "cam-a", "media": "a.mkv", "startedAtMs": T0},
            {"id": "cam-b", "media": "b.mkv", "startedAtMs": T0},
        ],
        "program": {"media": "p.mkv", "startedAtMs": T0 + 120},
        "director": "director.jsonl",
    }
    (folder / "shoot.json").write_text(json.dumps(content), "utf-8")
    return folder


def start(home: Path, *args: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TAP_")}
    return subprocess.Popen(
        [sys.executable, "-m", "tap", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "TAP_HOME": str(home)},
        cwd=home,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def codes_of(witness: dict) -> list[tuple[str, str | None]]:
    return [(v["code"], v["claimId"]) for v in witness["verdicts"] if v["code"] != "NOTED"]


def test_watch_record_verify_replay(shoot, tmp_path):
    with RigServer(shoot, start_in_s=3.0) as server:
        server.write_config(tmp_path / "shoot.toml")
        code, out, err = finish(start(tmp_path, "watch", "--json", "--record", "kept"))
    assert (code, err) == (0, "")
    said = [json.loads(line) for line in out.splitlines()]
    assert said[-1]["type"] == "witness"
    assert codes_of(said[-1]) == [("AGREE", "m2")]
    assert any(item["type"] == "verdict" and item["code"] == "AGREE" for item in said)
    assert {"cam-a", "cam-b", "program"} == {feed["id"] for feed in said[0]["feeds"]}
    written = json.loads((tmp_path / "sessions/small/witness.json").read_text("utf-8"))
    assert codes_of(written) == [("AGREE", "m2")]

    code, out, _ = finish(start(tmp_path, "verify", "--session", "small"))
    assert code == 0, out
    assert "1 AGREE" in out

    verify_the_seal(tmp_path)
    assert len(load_shoot(tmp_path / "kept").cameras) == 2
    code, out, _ = finish(start(tmp_path, "replay", "kept", "--out", "again", "--json"))
    assert code == 0
    assert codes_of(json.loads(out.splitlines()[-1])) == [("AGREE", "m2")]


def verify_the_seal(home):
    """`tap seal` and `tap verify --seal` on the session as it was watched, then altered."""
    code, out, err = finish(start(home, "seal", "--session", "small", "--bundle", "b", "--json"))
    assert (code, err) == (0, "")
    state = json.loads(out)
    assert (state["session"], state["closed"], state["sealedNow"]) == ("small", True, False)
    folder = str(home / "sessions/small")
    pinned = ["--key", state["key"], "--pin", state["digest"], "--config", "shoot.toml"]
    for target in (folder, "b"):
        code, out, err = finish(start(home, "verify", "--seal", target, *pinned))
        assert code == 0, out + err
        assert "AS SEALED, to its end, and as 2 pinned" in out
    code, out, _ = finish(start(home, "verify", "--seal", folder, "--key", "ab" * 32, "--json"))
    assert code == 1
    assert json.loads(out)["problems"][0]["place"] == "statement 1"
    code, _, err = finish(start(home, "verify", "--seal", folder, "--key", "none"))
    assert code == 2
    assert "expected an Ed25519 public key" in err
    document = home / "sessions/small/witness.json"
    whole = document.read_text("utf-8")
    document.write_text(whole.replace("cam-a", "cam-b", 1), "utf-8")
    code, out, _ = finish(start(home, "verify", "--seal", folder))
    assert code == 1
    assert "altered: file witness.json" in out
    document.write_text(whole, "utf-8")


def test_ctrl_c_completes_the_documents(shoot, tmp_path):
    with RigServer(shoot, start_in_s=0.5) as server:
        server.write_config(tmp_path / "shoot.toml")
        process = start(tmp_path, "watch")
        journal = tmp_path / "sessions/small/journal.sqlite"
        deadline = time.monotonic() + 30
        while not journal.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        code, out, err = finish(process)
    assert (code, err) == (0, "")
    assert "shots" in out.splitlines()[-3]
    assert (tmp_path / "sessions/small/witness.json").is_file()


def test_rig_serve_ends_by_itself_and_on_ctrl_c(shoot, tmp_path):
    code, out, _ = finish(start(tmp_path, "rig", "serve", str(shoot), "--start-in", "0", "--json"))
    assert code == 0
    assert set(json.loads(out)["feeds"]) == {"cam-a", "cam-b", "program"}
    process = start(tmp_path, "rig", "serve", str(shoot), "--start-in", "60", "--json")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    process.communicate()
