"""What discovery may ask, and what it would write: without a socket."""

import pytest

from tap.claims import load_profile
from tap.clock import ManualClock
from tap.config import MAX_CAMERAS, load_config
from tap.discover import (
    Announced,
    Answer,
    Found,
    Look,
    Target,
    parse_targets,
    stanzas,
    write_stanzas,
)
from tap.discover import survey as survey_of
from tap.discover.asking import Probe
from tap.errors import InputError

SHOOT = """\
# The shoot of Monday. Don't touch the order.
[session]
external_id = "monday"   # as on the call sheet

[[cameras]]
id = "cam-a"             # left
url = "http://192.168.1.21:8081/stream"

# What goes out.
[program]
url = "http://192.168.1.10:8087/mjpeg"
"""


def probe(url_host: str = "192.168.1.22", port: int = 8081, path: str = "/stream", **more) -> Probe:
    return Probe(Target(url_host), port, path, more.pop("kind", "mjpeg"), **more)


def stream(**more) -> Found:
    return Found(probe(**more), Look(Answer.STREAM, "MJPEG.", (640, 360), 30.0, 30.0))


def test_hosts_and_subnets_are_those_that_were_named() -> None:
    hosts = parse_targets(["192.168.1.21", "phone.local:8090", "10.0.0.8/30", "[fe80::1]:80"])
    assert hosts == [
        Target("192.168.1.21"),
        Target("phone.local", 8090),
        Target("10.0.0.9", alone=False),
        Target("10.0.0.10", alone=False),
        Target("fe80::1", 80),
    ]
    assert hosts[-1].netloc_host == "[fe80::1]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("8.8.8.0/28", "private network"),
        ("10.0.0.0/8", "at most 256 hosts"),
        ("::/0", "private network"),
        ("user:secret@10.0.0.1", "HOST:PORT"),
        ("10.0.0.1:0", "HOST:PORT"),
        ("10.0.0.1:99999", "HOST:PORT"),
        ("http://10.0.0.1", "subnet such as"),
        ("-v", "HOST:PORT"),
        ("a b", "HOST:PORT"),
        ("", "HOST:PORT"),
    ],
)
def test_what_is_no_host_is_refused_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_targets([text])


def test_many_single_hosts_are_bounded_too() -> None:
    with pytest.raises(InputError, match="--max-hosts"):
        parse_targets([f"10.0.0.{n}" for n in range(5)], max_hosts=4)


def asked(monkeypatch, targets, announced, token=None) -> dict[str, dict[str, str]]:
    seen: dict[str, dict[str, str]] = {}

    def look(url, access, clock, *, seconds):
        seen[url] = dict(access.query)
        return Look(Answer.OTHER)

    monkeypatch.setattr("tap.discover.asking.look_at", look)
    survey_of(targets, announced, [load_profile("motionmix")], ManualClock(), token=token)
    return seen


def test_only_known_routes_of_named_and_announced_hosts_are_asked(monkeypatch) -> None:
    announced = [
        Announced("Left", "_mmcam._tcp", ("192.168.1.30", "192.168.1.31"), 9000),
        Announced("Right", "_mmcam._tcp", ("192.168.1.32",), 9001, {"path": "/cam/live"}),
        Announced("Odd", "_mmcam._tcp", ("192.168.1.33",), 9002, {"path": "@evil/x"}),
    ]
    seen = asked(monkeypatch, [Target("192.168.1.21")], announced)
    lanes = {
        f"http://192.168.1.21:{port}{path}"
        for port in (8087, 8088, 8089)
        for path in ("/mjpeg", "/snapshot", "/status")
    }
    phone = {f"http://192.168.1.21:8081{path}" for path in ("/stream", "/events")}
    paths = ("/stream", "/events", "/mjpeg", "/snapshot", "/status")
    left = {f"http://192.168.1.30:9000{path}" for path in paths}
    odd = {f"http://192.168.1.33:9002{path}" for path in paths}
    assert set(seen) == lanes | phone | left | odd | {"http://192.168.1.32:9001/cam/live"}


def test_a_token_goes_to_no_host_that_was_not_named_by_itself(monkeypatch, tmp_path) -> None:
    file = tmp_path / "lanes.toml"
    file.write_text(
        'name = "lanes"\nmessage.type = "type"\n[routes.lane]\nkind = "mjpeg"\npath = "/mjpeg"\n'
        'ports = [8087]\ntoken_parameter = "key"\n[routes.open]\nkind = "mjpeg"\npath = "/open"\n'
        "ports = [8087]\n",
        "utf-8",
    )
    seen: dict[str, dict[str, str]] = {}

    def look(url, access, clock, *, seconds):
        seen[url] = dict(access.query)
        return Look(Answer.OTHER)

    monkeypatch.setattr("tap.discover.asking.look_at", look)
    targets = parse_targets(["192.168.1.21", "192.168.1.40/31"])
    announced = [Announced("Left", "_x._tcp", ("192.168.1.50",), 8087)]
    survey_of(targets, announced, [load_profile(file)], ManualClock(), token="hush")
    assert {url: query for url, query in seen.items() if query} == {
        "http://192.168.1.21:8087/mjpeg": {"key": "hush"}
    }
    assert len(seen) == 8


def test_time_that_is_up_is_said(monkeypatch) -> None:
    clock = ManualClock()

    def look(url, access, clock, *, seconds):
        clock.sleep(40.0)
        return Look(Answer.SNAPSHOT)

    monkeypatch.setattr("tap.discover.asking.look_at", look)
    targets = [Target("192.168.1.21", 8081)]
    seen = survey_of(targets, [], [load_profile("motionmix")], clock)
    assert (len(seen.found), len(seen.requests), seen.unasked) == (2, 2, 3)


def test_stanzas_say_what_a_person_would_write() -> None:
    locked = Found(
        probe(port=8087, path="/mjpeg", token_parameter="key"), Look(Answer.LOCKED, "401")
    )
    picture = Found(probe(port=8087, path="/snapshot", kind="http"), Look(Answer.SNAPSHOT))
    named = stream(announced='Ana\'s "iPhone"')
    made = stanzas([named, locked, picture, stream(), stream(url_host="10.0.0.3")])
    assert [stanza.values["id"] for stanza in made.values()] == [
        "ana-s-iphone",
        "cam-192-168-1-22-8087",
        "cam-10-0-0-3-8081",
    ]
    second = list(made.values())[1].values
    assert second["token_env"] == "CAM_192_168_1_22_8087_TOKEN"
    assert (second["token_in"], second["token_name"]) == ("query", "key")


def test_writing_keeps_every_character_that_is_there(tmp_path) -> None:
    file = tmp_path / "shoot.toml"
    file.write_text(SHOOT, "utf-8")
    wanted = stanzas([stream(url_host="192.168.1.21"), stream(announced="cam a"), stream()])
    added = write_stanzas(file, wanted.values())
    assert [stanza.values["id"] for stanza in added] == ["cam-a-2"]
    lines = file.read_text("utf-8").splitlines()
    assert [line for line in SHOOT.splitlines() if line not in lines] == []
    config = load_config(file)
    assert [camera.id for camera in config.cameras] == ["cam-a", "cam-a-2"]
    assert config.cameras[1].label == "cam a"
    before = file.read_bytes()
    assert write_stanzas(file, wanted.values()) == []
    assert file.read_bytes() == before


def test_writing_into_inline_cameras_and_with_windows_line_ends(tmp_path) -> None:
    file = tmp_path / "shoot.toml"
    text = '[session]\r\nexternal_id = "s"\r\n[program]\r\nurl = "http://10.0.0.1/p"\r\n'
    inline = 'cameras = [{ id = "a", url = "http://10.0.0.2/a" }]  # one\r\n'
    file.write_bytes((inline + text).encode())
    assert len(write_stanzas(file, stanzas([stream()]).values())) == 1
    assert b"# one\r\n[session]\r\n" in file.read_bytes()
    assert len(load_config(file).cameras) == 2
    file.write_bytes(text.encode())
    assert len(write_stanzas(file, stanzas([stream()]).values())) == 1
    assert len(load_config(file).cameras) == 1


def test_a_file_that_is_none_is_left_alone(tmp_path) -> None:
    wanted = stanzas([stream()]).values()
    with pytest.raises(InputError, match="tap init"):
        write_stanzas(tmp_path / "none.toml", wanted)
    file = tmp_path / "bad.toml"
    for content in ('cameras = "x"', "[[cameras"):
        file.write_text(content, "utf-8")
        with pytest.raises(InputError, match="correct"):
            write_stanzas(file, wanted)
        assert file.read_text("utf-8") == content


def test_more_cameras_than_tap_takes_are_not_written(tmp_path) -> None:
    file = tmp_path / "shoot.toml"
    file.write_text(SHOOT, "utf-8")
    wanted = stanzas([stream(url_host=f"10.0.0.{n}") for n in range(1, MAX_CAMERAS + 8)])
    with pytest.raises(InputError, match=f"at most {MAX_CAMERAS} cameras"):
        write_stanzas(file, wanted.values())
    assert file.read_text("utf-8") == SHOOT
