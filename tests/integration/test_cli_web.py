"""`tap watch --web` as a user starts it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from tap.rig.serve import RigServer

TOKEN = "a-token-of-some-length"


def start(home, *args: str, **environment: str) -> subprocess.Popen[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TAP_")}
    return subprocess.Popen(
        [sys.executable, "-m", "tap", "watch", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, "TAP_HOME": str(home), **environment},
        cwd=home,
    )


def told_url(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"http://\S+:\d+/", line)
    assert found is not None, line
    return found[0]


def test_the_page_is_there_while_the_session_runs_and_its_end_is_told(short_shoot, tmp_path):
    with RigServer(short_shoot, start_in_s=2.0) as rig:
        rig.write_config(tmp_path / "shoot.toml", ledger=tmp_path / "ledger.sqlite")
        process = start(tmp_path, "--json", "--web", "127.0.0.1:0")
        url = told_url(process)
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            assert "<title>tap" in client.get("/").text
            until = time.monotonic() + 30
            while client.get("/healthz").status_code != 200:
                assert time.monotonic() < until, client.get("/healthz").text
                time.sleep(0.2)
            status = client.get("/status").json()
            assert {feed["id"] for feed in status["feeds"]} == set(rig.feeds)
            kinds: list[str] = []
            with client.stream("GET", "/events") as events:
                process.send_signal(signal.SIGINT)
                kinds += [line[7:] for line in events.iter_lines() if line.startswith("event: ")]
        assert kinds[0] == "reset"
        assert kinds[-1] == "over"
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    said = [json.loads(line) for line in out.splitlines()]
    assert said[-1]["type"] == "witness"
    assert {"jitterMs", "role"} <= set(said[0]["feeds"][0])


def test_others_are_let_in_only_with_a_token(short_shoot, tmp_path):
    with RigServer(short_shoot, start_in_s=60.0) as rig:
        rig.write_config(tmp_path / "shoot.toml", ledger=tmp_path / "ledger.sqlite")
        process = start(tmp_path, "--web", "0.0.0.0:0", "--web-open", TAP_WEB_TOKEN=TOKEN)
        port = told_url(process).rstrip("/").rsplit(":", 1)[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            assert client.get("/healthz").status_code == 401
            let_in = {"Authorization": f"Bearer {TOKEN}"}
            assert client.get("/healthz", headers=let_in).status_code in (200, 503)
            assert (
                client.get("/", params={"token": TOKEN}, follow_redirects=True).status_code == 200
            )
            assert client.get("/openapi.json").json()["security"] == [{"token": []}]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert TOKEN not in out + err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--web", "nowhere"), "expected HOST:PORT"),
        (("--web", "0.0.0.0:0"), "--web-open"),
        (("--web", "0.0.0.0:0", "--web-open"), "TAP_WEB_TOKEN"),
        (("--web", "192.0.2.1:9440", "--web-open"), "TAP_WEB_TOKEN"),
    ],
)
def test_a_wrong_address_is_a_sentence(short_shoot, tmp_path, words, says):
    with RigServer(short_shoot, start_in_s=60.0) as rig:
        rig.write_config(tmp_path / "shoot.toml", ledger=tmp_path / "ledger.sqlite")
        process = start(tmp_path, *words)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith("tap: ")
    assert says in err


def test_a_port_that_is_taken_is_a_sentence(short_shoot, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken, RigServer(short_shoot) as rig:
        rig.write_config(tmp_path / "shoot.toml", ledger=tmp_path / "ledger.sqlite")
        process = start(tmp_path, "--web", str(taken.getsockname()[1]))
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "expected a free port" in err
