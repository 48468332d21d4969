"""A shoot behind tokens, from finding it to its report: the tokens are shown and kept nowhere."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.small_shoot import T0, make_small_shoot

from tap.rig.serve import RigServer
from tap.rig.serve_http import Token

SECRET = "hu5h/hush+9&x"
SPELT = ("hu5h/hush", "hu5h%2Fhush", "hush+9", "hush%2B9", "hu5h\\/")
WRONG = "wr0ng/and+bad"
WRONG_SPELT = ("wr0ng/and", "wr0ng%2Fand", "and+bad", "and%2Bbad")


@pytest.fixture(scope="module")
def shoot(tmp_path_factory):
    """Its director lists the cameras with the token in their addresses, as switchers do."""
    folder = make_small_shoot(tmp_path_factory.mktemp("shoot"))
    camera = {"type": "camera", "camera": "cam-a", "id": "list", "atMs": T0 + 6000}
    camera["source"] = f"http://10.0.0.1/mjpeg?token={SECRET}"
    lines = [json.dumps(camera), json.dumps({**camera, "type": "lanes", "id": "more"})]
    lines.append(f"no message, but {SECRET} in it")
    path = folder / "director.jsonl"
    cuts = path.read_text("utf-8").splitlines()
    early = [line for line in cuts if json.loads(line)["atMs"] < T0 + 6000]
    path.write_text("\n".join([*early, *lines, *cuts[len(early) :]]), "utf-8")
    return folder


def tap(home: Path, token: str | None, *args: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TAP_", "RIG_"))}
    if token is not None:
        environment["RIG_TOKEN"] = token
    return subprocess.Popen(
        [sys.executable, "-m", "tap", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "TAP_HOME": str(home), "TAP_DEBUG": "1"},
        cwd=home,
    )


def until(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)


def said(process: subprocess.Popen[str], *, interrupt: bool = False) -> str:
    """All that it printed, after it was interrupted or ended by itself; debugging is on."""
    if interrupt:
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=90)
    assert out or err
    return out + err


def holds(folder: Path, spellings: tuple[str, ...]) -> list[str]:
    """Files under `folder` that hold one of the spellings."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(one.encode() in path.read_bytes() for one in spellings)
    ]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "token",
    [
        pytest.param(Token(SECRET), id="query"),
        pytest.param(Token(SECRET, "header", "X-Lane-Key"), id="header", marks=pytest.mark.slow),
    ],
)
def test_a_token_is_shown_and_kept_nowhere(shoot, tmp_path, token):
    texts: dict[str, str] = {}
    with RigServer(shoot, start_in_s=8.0, token=token) as rig:
        rig.write_config(tmp_path / "shoot.toml")
        watching = tap(tmp_path, SECRET, "watch", "--json", "--record", "kept")
        keyed = ("--token-env", "RIG_TOKEN", "--token-in", token.where, "--token-name", token.name)
        args = ("claims", "tail", rig.director_url, "--keep", "said.jsonl", *keyed)
        tailing = tap(tmp_path, SECRET, *args)
        until(lambda: rig.status()["director"]["listeners"] >= 2)
        texts["doctor"] = said(tap(tmp_path, SECRET, "doctor", "--json", "--seconds", "1"))
        until(lambda: rig.status()["director"]["sent"] >= 30)
        time.sleep(1.0)
        texts["tail"] = said(tailing, interrupt=True)
        texts["watch"] = said(watching, interrupt=True)
    texts["verify"] = said(tap(tmp_path, SECRET, "verify", "--session", "shoot-1", "--json"))
    texts["report"] = said(tap(tmp_path, SECRET, "report", "--session", "shoot-1"))
    texts["gone"] = said(tap(tmp_path, SECRET, "doctor", "--json", "--seconds", "0.2"))

    assert "http://10.0.0.1/mjpeg?token=***" in texts["tail"]
    for name in ("witness.json", "director.jsonl"):  # it was there, and it was watched
        assert list(tmp_path.rglob(name)), name
    assert "***" in next(tmp_path.glob("kept/director.jsonl")).read_text("utf-8")
    for name, text in texts.items():
        assert not any(one in text for one in SPELT), name
    assert holds(tmp_path, SPELT) == []


def test_a_wrong_token_is_shown_nowhere_either(shoot, tmp_path):
    with RigServer(shoot, start_in_s=0.5, token=Token(SECRET)) as rig:
        rig.write_config(tmp_path / "shoot.toml")
        doctor = said(tap(tmp_path, WRONG, "doctor", "--json", "--seconds", "0.5"))
        watching = tap(tmp_path, WRONG, "watch", "--json")
        until((tmp_path / "sessions/shoot-1/journal.sqlite").exists)
        time.sleep(3.0)
        watched = said(watching, interrupt=True)
        missing = said(tap(tmp_path, None, "watch", "--json"))
    assert "401" in doctor
    assert "401" in watched
    assert "RIG_TOKEN" in missing
    for text in (doctor, watched, missing):
        assert not any(one in text for one in (*SPELT, *WRONG_SPELT))
    assert holds(tmp_path, (*SPELT, *WRONG_SPELT)) == []
