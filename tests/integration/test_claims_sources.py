"""Live sources against real servers that behave, misbehave and go away."""

import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.sync.server import ServerConnection, serve

from tap.claims import Backoff, LiveClaims, Parser, live_claims, load_profile
from tap.clock import SystemClock
from tap.vocabulary import Claim

FAST = Backoff(first_s=0.02, longest_s=0.1)


class Heard:
    """A running source, and what it handed on."""

    def __init__(self, url: str, profile: str = "tap", **more) -> None:
        parser = Parser(load_profile(profile), ("cam-a",), sender="cam-a")
        self.claims: queue.Queue[Claim] = queue.Queue()
        self.source: LiveClaims = live_claims(url, parser, SystemClock(), backoff=FAST, **more)

    def __enter__(self) -> Self:
        self.source.start(self.claims.put)
        return self

    def __exit__(self, *_: object) -> None:
        self.source.stop()

    def next(self, count: int) -> list[Claim]:
        return [self.claims.get(timeout=5) for _ in range(count)]

    def wait_for(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + 5
        while not true():
            assert time.monotonic() < until, self.source.health()
            time.sleep(0.005)


def said(n: int, **more) -> str:
    return json.dumps({"type": "mode", "mode": f"m{n}", "id": f"{n}", **more})


def ids(claims: list[Claim]) -> list[str]:
    return [claim.id for claim in claims]


@contextmanager
def ws_server(handler, **more) -> Iterator[str]:
    with serve(handler, "127.0.0.1", 0, **more) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/director"
        server.shutdown()


# ---------------------------------------------------------------- websocket


def test_websocket_hands_on_all_that_comes():
    got: list[object] = []
    done = threading.Event()

    def handler(connection: ServerConnection) -> None:
        connection.send(said(1))
        connection.send(said(2).encode())
        connection.send(said(3, pad="x" * 70_000))
        connection.send("rubbish")
        connection.send(b'{"type":"mode","mode":"\xff"}')
        connection.send('{"type":"unheard-of"}')
        connection.send(said(4))
        try:
            got.append(connection.recv(timeout=0.5))
        except TimeoutError:
            got.append(None)
        done.set()
        connection.close()

    with ws_server(handler) as url, Heard(url) as heard:
        before = SystemClock().now_ms()
        claims = heard.next(7)
        kinds = [claim.type.value for claim in claims]
        assert kinds == ["mode", "mode", *["unreadable"] * 3, "unknown", "mode"]
        health = heard.source.health()
        assert health.connected
        assert (health.received, health.unreadable, health.unknown) == (7, 3, 1)
        assert health.reconnects == 0
        assert health.last_recv_ms == pytest.approx(before, abs=5000)
        assert done.wait(5)
    assert got == [None]  # tap sent nothing
    assert not heard.source.health().connected


def test_websocket_comes_back_and_drops_replayed_history():
    connections = 0

    def handler(connection: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        for n in range(connections * 2):
            connection.send(said(n))
        if connections < 3:
            connection.close()
        else:
            connection.recv()

    with ws_server(handler) as url, Heard(url) as heard:
        assert ids(heard.next(6)) == [str(n) for n in range(6)]
        health = heard.source.health()
        assert health.reconnects == 2
        assert health.replayed == 2 + 4
        assert heard.claims.empty()


def test_websocket_outlives_a_message_too_large_to_receive():
    first = threading.Event()

    def handler(connection: ServerConnection) -> None:
        if not first.is_set():
            first.set()
            connection.send("x" * 3_000_000)
        connection.send(said(1))
        connection.recv()

    with ws_server(handler) as url, Heard(url) as heard:
        huge, after = heard.next(2)
        assert huge.type.value == "unreadable"
        assert "64 KiB" in (huge.problem or "")
        assert after.id == "1"


def test_websocket_waits_for_a_server_that_is_not_there_yet():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Heard(f"ws://127.0.0.1:{port}/director") as heard:
        heard.wait_for(lambda: heard.source.health().reconnects >= 2)
        health = heard.source.health()
        assert not health.connected
        assert "trying again" in health.detail

        def handler(connection: ServerConnection) -> None:
            connection.send(said(1))
            connection.recv()

        with serve(handler, "127.0.0.1", port) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            assert ids(heard.next(1)) == ["1"]
            server.shutdown()


def test_websocket_that_is_refused_shows_no_secret():
    asked: list[str] = []

    def refuse(connection: ServerConnection, request) -> Response:
        asked.append(request.path)
        return Response(403, "Forbidden s3cret", Headers({"x": "y"}), b"s3cret")

    with (
        ws_server(lambda _: None, process_request=refuse) as url,
        Heard(url, token="s3cret") as heard,
    ):
        heard.wait_for(lambda: heard.source.health().reconnects >= 1)
        detail = heard.source.health().detail
        assert "403" in detail
        assert "s3cret" not in detail
    assert asked[0] == "/director?token=s3cret"


def test_something_else_speaks_there():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    peer.recv(1000)
                    peer.sendall(b"SSH-2.0-OpenSSH_9\r\n")

        threading.Thread(target=answer, daemon=True).start()
        port = listener.getsockname()[1]
        for url in (f"ws://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/"):
            with Heard(url) as heard:
                heard.wait_for(lambda heard=heard: heard.source.health().reconnects >= 1)
                assert "expected" in heard.source.health().detail


def test_stop_is_prompt_while_all_is_quiet():
    def handler(connection: ServerConnection) -> None:
        connection.send(said(1))
        connection.recv()

    with ws_server(handler) as url, Heard(url) as heard:
        heard.next(1)
        began = time.monotonic()
        heard.source.stop()
        assert time.monotonic() - began < 2.0
        assert heard.source._thread is not None
        assert not heard.source._thread.is_alive()


# ---------------------------------------------------------------- server-sent events


@contextmanager
def sse_server(parts: list[list[bytes]], content_type: str = "text/event-stream") -> Iterator[str]:
    """Each connection gets the next list of chunks; the last one stays open."""
    over = threading.Event()
    served: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.append(dict(self.headers))
            number = len(served)
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            for chunk in parts[min(number, len(parts)) - 1]:
                self.wfile.write(chunk)
                self.wfile.flush()
                time.sleep(0.005)
            if number >= len(parts):
                over.wait(10)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.served = served  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/events"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def data(text: str) -> bytes:
    return f"data: {text}\n\n".encode()


def test_sse_hands_on_all_that_comes():
    long = said(3, pad="x" * 200_000)
    stream = b"".join(
        [
            b"\xef\xbb\xbf: hello\n\n",
            data(said(1)),
            said(2).join(["event: x\r\ndata: ", "\r\n\r\n"]).encode(),
            data(long),
            b'data: {"type":"mode",\ndata: "mode":"two lines","id":"4"}\n\n',
            b'data: {"type":"mode","mode":"\xff"}\n\n',
            b"event: nothing\n\nid: 9\n\n",
            data("rubbish"),
            data(said(5)),
        ]
    )
    pieces = [stream[n : n + 7919] for n in range(0, len(stream), 7919)]
    with sse_server([pieces]) as url, Heard(url) as heard:
        claims = heard.next(7)
        assert ids(claims)[:2] == ["1", "2"]
        assert [claim.type.value for claim in claims] == [
            "mode",
            "mode",
            "unreadable",
            "mode",
            "unreadable",
            "unreadable",
            "mode",
        ]
        assert "at most 65536 bytes" in (claims[2].problem or "")
        assert "UTF-8" in (claims[4].problem or "")
        health = heard.source.health()
        assert health.connected
        assert (health.received, health.unreadable) == (7, 3)


def test_sse_comes_back_and_drops_replayed_history():
    first = [data(said(1)), data(said(2))]
    with sse_server([first, [*first, data(said(3))]]) as url, Heard(url) as heard:
        assert ids(heard.next(3)) == ["1", "2", "3"]
        assert heard.source.health().replayed == 2
        assert heard.source.health().reconnects == 1


def test_sse_of_a_phone():
    chunks = [
        b'event: still_captured\ndata: {"n":1}\n\n',
        b"event: status\ndata: ok\n\n",
        b"event: session_changed\ndata: {}\n\n",
    ]
    with sse_server([chunks]) as url, Heard(url, "motionmix") as heard:
        claims = heard.next(3)
        assert [claim.type.value for claim in claims] == ["still", "unknown", "unknown"]
        assert claims[0].camera == "cam-a"


def test_sse_that_is_none():
    with sse_server([[b"<html>"]], "text/html") as url, Heard(url) as heard:
        heard.wait_for(lambda: heard.source.health().reconnects >= 1)
        assert "text/html" in heard.source.health().detail
        assert not heard.source.health().connected


def test_sse_that_never_ends_its_event_takes_no_memory():
    flood = [b"data: " + b"x" * 100_000] + [b"y" * 100_000] * 40 + [b"\n\n", data(said(1))]
    with sse_server([flood]) as url, Heard(url) as heard:
        huge, after = heard.next(2)
        assert huge.type.value == "unreadable"
        assert len(huge.raw["text"]) <= 65_536
        assert after.id == "1"


def test_sse_stop_is_prompt_while_all_is_quiet():
    with sse_server([[data(said(1))]]) as url, Heard(url) as heard:
        heard.next(1)
        began = time.monotonic()
        heard.source.stop()
        assert time.monotonic() - began < 2.0
        assert heard.source._thread is not None
        assert not heard.source._thread.is_alive()
