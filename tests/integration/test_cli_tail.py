"""`tap claims tail` at a director and at a phone, over real sockets, and at what it kept."""

import json
import sys

import pytest
from tests.director_wire import sse_event, wire, ws_frame

from tap.cli import main

MESSAGES = [
    b'{"type":"cut","camera":"cam-q","id":"1","atMs":1795000000000,"why":{"mood":"calm"}}',
    b'{"type":"TAKE","to":3,"id":"2"}',
    b'{"type":"TAKE","to":4,"id":"3","bell":"\\u001b[31m"}',
    b"rubbish",
]


def tail(monkeypatch, capsys, *args: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["tap", "claims", "tail", *args])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_messages_are_shown_raw_beside_what_they_were_taken_for(monkeypatch, capsys, tmp_path):
    content = b"".join(map(ws_frame, MESSAGES))
    kept = tmp_path / "said.jsonl"
    with wire("ws", content) as url:
        code, out, err = tail(monkeypatch, capsys, url, "--count", "4", "--keep", str(kept))
    assert code == 0
    assert "cut  camera=cam-q  id=1" in out
    assert "received (its clock is more than 60 s off)" in out
    assert "not read: why.mood" in out
    assert "unknown (TAKE)" in out
    assert "expected JSON" in out
    assert '{"type": "cut", "camera": "cam-q"' in out
    assert "\x1b" not in out + err
    assert 'names = ["TAKE"]' in err
    assert "2 seen; it has: to, bell" in err

    mine = tmp_path / "mine.toml"
    mine.write_text(
        'name = "mine"\n[message]\ntype = "type"\nid = "id"\n'
        '[types.cut]\nnames = ["TAKE"]\nfields = { camera = "to" }\n[cameras]\n3 = "cam-a"\n',
        "utf-8",
    )
    code, out, _ = tail(monkeypatch, capsys, str(kept), "--profile", str(mine), "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [one["type"] for one in told] == ["unknown", "cut", "unreadable", "unreadable"]
    assert (told[1]["camera"], told[1]["readFrom"]["camera"]) == ("cam-a", "to")
    assert told[1]["timeFrom"] == "received"
    assert told[3]["raw"] == {"text": "rubbish"}


def test_a_phones_events_are_those_of_its_camera(monkeypatch, capsys):
    content = b'event: still_captured\ndata: {"n":1}\n\nevent: status\ndata: ok\n\n'
    content += b"event: session_changed\ndata: {}\n\n" + b"event: new\ndata: 1\n\n"
    with wire("http", content) as url:
        args = (url, "--profile", "motionmix", "--sender", "cam-b", "--count", "4")
        code, out, err = tail(monkeypatch, capsys, *args, "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [one["type"] for one in told] == ["still", *["unknown"] * 3]
    assert told[0]["camera"] == "cam-b"
    assert told[0]["ignored"] == ["data.n"]
    assert told[1]["raw"] == {"event": "status", "data": "ok"}
    assert "new" not in err  # JSON is for programs: the reminder is for people


def test_the_director_of_a_configuration_its_cameras_and_its_token(monkeypatch, capsys, tmp_path):
    message = b'{"type":"cut","camera":"cam-q","id":"1","u":"http://h/?token=hush-hush"}'
    with wire("http", sse_event(message)) as url:
        config = tmp_path / "shoot.toml"
        config.write_text(
            '[session]\nexternal_id = "s"\n[[cameras]]\nid = "cam-a"\nurl = "http://10.0.0.1/a"\n'
            '[program]\nurl = "http://10.0.0.1/p"\n'
            f'[director]\nurl = "{url}"\ntoken_env = "D"\n',
            "utf-8",
        )
        args = ("--config", str(config), "--count", "1", "--json")
        code, _, err = tail(monkeypatch, capsys, *args)
        assert code == 2
        assert "variable D" in err
        monkeypatch.setenv("D", "hush-hush")
        code, out, err = tail(monkeypatch, capsys, *args)
    assert code == 0
    assert "known camera" in json.loads(out)["problem"]
    assert "hush" not in out + err


def test_nobody_there_and_nothing_named(monkeypatch, capsys, tmp_path):
    code, out, err = tail(monkeypatch, capsys, "ws://127.0.0.1:9/x?k=hush", "--seconds", "0.5")
    assert (code, out) == (3, "")
    assert "trying again" in err
    assert "hush" not in err
    assert tail(monkeypatch, capsys)[0] == 2
    assert tail(monkeypatch, capsys, "ftp://x/")[0] == 2
    assert tail(monkeypatch, capsys, str(tmp_path / "none.jsonl"))[0] == 2
    there = tmp_path / "there"
    there.write_text("mine", "utf-8")
    assert tail(monkeypatch, capsys, "ws://127.0.0.1:9/", "--keep", str(there))[0] == 2
    assert there.read_text("utf-8") == "mine"
