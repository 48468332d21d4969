"""`tap discover` against announcements over real multicast DNS and servers on real sockets."""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest
from tests.small_shoot import make_small_shoot
from zeroconf import DNSOutgoing, DNSPointer, IPVersion, ServiceInfo, Zeroconf

from tap.cli import main
from tap.clock import SystemClock
from tap.config import load_config
from tap.discover import Answer, listen
from tap.discover.look import look_at
from tap.discover.signalling import greet, takes_offers
from tap.feeds.access import Access
from tap.rig.serve import RigServer
from tap.rig.serve_http import Token

LOOPBACK = "127.0.0.1"
MIXED = "multipart/x-mixed-replace; boundary=b"


@pytest.fixture(scope="module")
def shoot(tmp_path_factory):
    return make_small_shoot(tmp_path_factory.mktemp("shoot"))


@contextmanager
def announced(services: list[tuple[str, int, dict[str, str]]], address: str = LOOPBACK):
    """Speak as devices do, on the loopback alone."""
    with Zeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only) as zeroconf:
        for name, port, properties in services:
            zeroconf.register_service(
                ServiceInfo(
                    "_mmcam._tcp.local.",
                    f"{name}._mmcam._tcp.local.",
                    addresses=[socket.inet_aton(address)],
                    port=port,
                    properties=properties,
                    server=f"{name.replace(' ', '-')}.local.",
                )
            )
        yield zeroconf


@contextmanager
def server(
    answer: bytes, then: bytes = b"", every_s: float = 0.0, methods: tuple[bytes, ...] = (b"GET ",)
) -> Iterator[int]:
    """Answers every request with the same bytes, then again and again with `then`."""
    over = threading.Event()
    listener = socket.create_server((LOOPBACK, 0))
    asked: list[bytes] = []

    def serve() -> None:
        while not over.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                try:
                    asked.append(peer.recv(65536))
                    peer.sendall(answer)
                    while then and not over.is_set():
                        peer.sendall(then)
                        time.sleep(every_s)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        assert all(request.startswith(methods) for request in asked)


def run(monkeypatch, capsys, *args: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["tap", "discover", *args])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0), capsys.readouterr().out


def test_the_rig_announces_itself_and_is_found(shoot, tmp_path, monkeypatch, capsys):
    config = tmp_path / "shoot.toml"
    config.write_text(
        '# mine\n[session]\nexternal_id = "s"\n[program]\nurl = "http://10.0.0.1/p"\n', "utf-8"
    )
    with RigServer(shoot, start_in_s=0.1) as rig:
        port = int(rig.base_url.rpartition(":")[2])
        services = [
            ("Phone left", port, {"path": "/cam-a/stream"}),
            ("Phone still", port, {"path": "/cam-b/stream"}),
            ("Phone gone", port, {"path": "/cam-z/stream"}),
        ]
        with announced(services):
            code, out = run(
                monkeypatch, capsys, "--interface", LOOPBACK, "--wait", "1.5", "--seconds", "1.5",
                "--profile", "motionmix", "--thumbnails", str(tmp_path / "seen"),
                "--write", "--config", str(config), "--json",
            )  # fmt: skip
    told = json.loads(out)
    assert code == 0
    assert [one["name"] for one in told["announced"]] == ["Phone gone", "Phone left", "Phone still"]
    asked = [f"{rig.base_url}/{camera}/stream" for camera in ("cam-a", "cam-b", "cam-z")]
    assert sorted(told["requests"]) == asked
    left, still = sorted(told["found"], key=lambda one: one["url"])
    assert (left["answer"], left["size"], left["announcedAs"]) == ("stream", [64, 48], "Phone left")
    assert 12 < left["distinctFps"] < 40
    assert still["distinctFps"] < 2 < still["fps"]
    picture = cv2.imread(left["thumbnail"])
    assert picture is not None
    assert picture.shape == (48, 64, 3)
    cameras = load_config(config).cameras
    assert {camera.url for camera in cameras} == {left["url"], still["url"]}
    assert {camera.id for camera in cameras} == {"phone-left", "phone-still"}
    assert config.read_text("utf-8").startswith("# mine\n")


def test_hosts_that_are_named_are_asked_for_known_routes(shoot, tmp_path, monkeypatch, capsys):
    profile = tmp_path / "rig.toml"
    profile.write_text(
        'name = "rig"\nmessage.type = "type"\n'
        + "".join(
            f'[routes.r{n}]\nkind = "{kind}"\npath = "{path}"\ntoken_parameter = "token"\n'
            for n, (kind, path) in enumerate(
                [
                    ("mjpeg", "/cam-a/stream"), ("http", "/cam-a/snapshot"), ("http", "/status"),
                    ("sse", "/events"), ("mjpeg", "/nothing"),
                ]
            )
        ),
        "utf-8",
    )  # fmt: skip
    monkeypatch.setenv("LANE", "hush-hush")
    with RigServer(shoot, start_in_s=0.0, token=Token("hush-hush")) as rig:
        time.sleep(0.5)
        host = rig.base_url.removeprefix("http://")
        common = ("--no-bonjour", "--profile", str(profile), "--seconds", "1", host)
        code, out = run(monkeypatch, capsys, *common, "--token-env", "LANE", "--json")
        told = json.loads(out)
        assert code == 0
        assert [one["answer"] for one in told["found"]] == [
            "stream",
            "snapshot",
            "status",
            "events",
        ]
        assert "session" in told["found"][2]["detail"]
        assert "hush" not in out
        code, out = run(monkeypatch, capsys, *common)
        assert code == 0
        assert "It wants a token" in out
        assert 'token_name = "token"' in out
    code, out = run(monkeypatch, capsys, *common, "--json")
    assert code == 3
    assert json.loads(out)["found"] == []
    assert len(json.loads(out)["requests"]) == 1  # nobody there: the port is not asked again


def jpeg() -> bytes:
    return cv2.imencode(".jpg", np.full((36, 64, 3), 80, np.uint8))[1].tobytes()


def head(kind: str, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}\r\n".encode()


SCHEME = {takes_offers: "http", greet: "ws"}
SIGNALLED = """
name = "rig"
message.type = "type"
[routes.whep]
kind = "webrtc"
path = "/cam-a/whep"
[routes.offer]
kind = "webrtc"
path = "/cam-a/offer"
signalling = { kind = "http" }
[routes.signal]
kind = "webrtc"
path = "/cam-a/signal"
signalling = { kind = "websocket" }
[routes.any]
kind = "webrtc"
path = "/{feed}/whep"
[routes.director]
kind = "websocket"
path = "/director"
[routes.nobody]
kind = "websocket"
path = "/nothing"
"""


def test_webrtc_and_sockets_are_greeted_and_only_opened_where_that_is_wished(
    shoot, tmp_path, monkeypatch, capsys
):
    profile, config = tmp_path / "rig.toml", tmp_path / "shoot.toml"
    profile.write_text(SIGNALLED, "utf-8")
    config.write_text(
        '[session]\nexternal_id = "s"\n[program]\nurl = "http://10.0.0.1/p"\n', "utf-8"
    )
    with RigServer(shoot, start_in_s=0.0) as rig:
        host = rig.base_url.removeprefix("http://")
        common = ("--no-bonjour", "--profile", str(profile), "--seconds", "1.5", host, "--json")
        code, out = run(monkeypatch, capsys, *common)
        told = json.loads(out)
        assert code == 0
        assert [(one["url"].partition(host)[2], one["answer"]) for one in told["found"]] == [
            ("/cam-a/whep", "offers"),
            ("/cam-a/offer", "offers"),
            ("/cam-a/signal", "socket"),
            ("/director", "socket"),
            ("/nothing", "locked"),  # as this server says of any socket that it doesn't have
        ]
        assert len(told["requests"]) == 5  # what has a feed's name in it can't be guessed
        assert all(one["stanza"] is None for one in told["found"])
        code, out = run(
            monkeypatch, capsys, *common, "--webrtc", "--write", "--config", str(config)
        )
        told = json.loads(out)
        assert [one["answer"] for one in told["found"]] == ["stream"] * 3 + ["socket", "locked"]
        for one in told["found"][:3]:
            assert one["size"] == [64, 48]
            assert one["distinctFps"] > 8
            assert one["detail"] == "WebRTC, 64x48."
    cameras = load_config(config).cameras
    assert [(camera.kind, camera.signalling) for camera in cameras] == [
        ("webrtc", None),
        ("webrtc", "http"),
        ("webrtc", "websocket"),
    ]


@pytest.mark.parametrize(
    ("answer", "look", "expected"),
    [
        (head("x", "204 No", "Accept-Post: application/sdp\r\n"), takes_offers, Answer.OFFERS),
        (head("x", "405 No", "Allow: POST\r\n"), takes_offers, Answer.OFFERS),
        (head("x", "404 No", "Allow: POST\r\n"), takes_offers, Answer.OTHER),
        (head("x"), takes_offers, Answer.OTHER),
        (head("x", "401 No"), takes_offers, Answer.LOCKED),
        (b"SSH-2.0-OpenSSH_9\r\n", takes_offers, Answer.OTHER),
        (head("x"), greet, Answer.OTHER),
        (head("x", "403 No"), greet, Answer.LOCKED),
        (head("x", "302 Found", "Location: ws://127.0.0.1:1/\r\n"), greet, Answer.OTHER),
        (b"SSH-2.0-OpenSSH_9\r\n", greet, Answer.OTHER),
        (b"", greet, Answer.OTHER),
    ],
)
def test_a_strangers_answer_to_a_greeting(answer, look, expected):
    with server(answer, methods=(b"GET ", b"OPTIONS ")) as port:
        found = look(f"http://{LOOPBACK}:{port}/".replace("http", SCHEME[look]), Access())
    assert found.answer is expected, found


def test_where_nobody_listens_nobody_is_greeted():
    with socket.create_server((LOOPBACK, 0)) as bound:
        port = bound.getsockname()[1]
    assert takes_offers(f"http://{LOOPBACK}:{port}/", Access()).answer is Answer.SILENT
    assert greet(f"ws://{LOOPBACK}:{port}/", Access()).answer is Answer.SILENT


def test_announcements_send_tap_nowhere_else():
    clock = SystemClock()
    with announced([("Far away", 80, {})], address="93.184.216.34"):
        assert listen(["_mmcam._tcp"], clock, seconds=1.0, interfaces=[LOOPBACK]) == []
    services = ["_mmcam._tcp", "_other._udp"]
    with announced([("\u202eodd \x9b31mred", 80, {"k": "\x1b[0m"})]) as zeroconf:
        # A name that no device may have, as only a hand-made packet brings it.
        packet = DNSOutgoing(0x8400)
        alias = "bell\x07._mmcam._tcp.local."
        packet.add_answer_at_time(DNSPointer("_mmcam._tcp.local.", 12, 1, 60, alias), 0)
        sender = threading.Timer(0.4, zeroconf.send, [packet])
        sender.start()
        # A question that a busy machine let pass is asked again after a second, and again.
        [one] = listen(services, clock, seconds=4.0, interfaces=[LOOPBACK])
        sender.join()
    assert one.name == "odd 31mred"
    assert one.properties == {"k": "[0m"}


PART = b"--b\r\nContent-Length: %d\r\n\r\n" % len(jpeg()) + jpeg() + b"\r\n"


@pytest.mark.parametrize(
    ("answer", "then", "expected", "words"),
    [
        (head(MIXED), PART, Answer.STREAM, "64x36"),
        (head("application/octet-stream"), PART, Answer.STREAM, "64x36"),
        (head(MIXED), b"--b\r\n\r\nxx\r\n", Answer.NO_PICTURES, "FF D8"),
        (head(MIXED), b"", Answer.NO_PICTURES, "no whole picture"),
        (head("application/octet-stream"), b"noise " * 9999, Answer.OTHER, "boundary"),
        (head("image/jpeg") + jpeg(), b"", Answer.SNAPSHOT, "64x36"),
        (head("image/jpeg") + b"no", b"", Answer.OTHER, "JPEG"),
        (head("application/json") + b'{"a\\u001b": 1}', b"", Answer.STATUS, "a\\x1b"),
        (head("application/json") + b"{", b"", Answer.OTHER, "JSON"),
        (head("application/json"), b" " * 9000, Answer.OTHER, "at most 65536"),
        (head("text/event-stream"), b"", Answer.EVENTS, "Events"),
        (head("text/html"), b"", Answer.OTHER, "text/html"),
        (head("text/html", "401 No"), b"", Answer.LOCKED, "401"),
        (head("x", "302 Found", "Location: http://127.0.0.1:1/\r\n"), b"", Answer.OTHER, "302"),
        (b"SSH-2.0-OpenSSH_9\r\n", b"", Answer.OTHER, "no proper HTTP"),
    ],
)  # fmt: skip
def test_what_answers_is_told_from_its_bytes(answer, then, expected, words):
    with server(answer, then, 0.01) as port:
        look = look_at(f"http://{LOOPBACK}:{port}/", Access(), SystemClock(), seconds=0.5)
    assert look.answer is expected, look
    assert words in look.detail


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\n", head(MIXED)])
def test_a_server_that_trickles_is_left_in_time(answer, monkeypatch):
    monkeypatch.setattr("tap.discover.request.ANSWER_S", 0.5)
    monkeypatch.setattr("tap.discover.request.CONNECT_S", 0.5)
    began = time.monotonic()
    with server(answer, b"x", 0.05) as port:
        look = look_at(f"http://{LOOPBACK}:{port}/", Access(), SystemClock(), seconds=0.5)
    assert look.answer in (Answer.OTHER, Answer.NO_PICTURES)
    assert time.monotonic() - began < 6.0
