"""The room over real sockets: what is no proper HTTP gets a clean answer, and hurts nobody."""

import socket

import httpx
import pytest

from tap.clock import SystemClock
from tap.room import Address, ControlRoom

UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sockets")
    with ControlRoom(Address(port=0), folder, clock=SystemClock()) as room:
        yield room


def say(room: ControlRoom, raw: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", room.address.port), 10) as connection:
        connection.sendall(raw)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            if b"\r\n\r\n" in answer:
                break
        return answer


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /status HTTP/1.1\r\n\r\n", 400),
        (b"GET /status HTTP/1.0\r\n\r\n", 403),
        (b"GET /status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", 400),
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 400_000, 400),
        (b"GET /%ff%00%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /verdicts?%ff=%zz&after=\x80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"BREW /status HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"GET /status HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE + b"\r\n", 503),
    ],
)  # fmt: skip
def test_malformed_requests_get_a_clean_answer(room, raw, status):
    assert say(room, raw).split()[1] == str(status).encode()
    well = httpx.get(f"{room.url}healthz", trust_env=False).json()
    assert well["problems"] == ["tap has not begun to look yet."]


def test_it_stops_with_readers_that_read_nothing(tmp_path):
    asleep = []
    with ControlRoom(Address(port=0), tmp_path, clock=SystemClock()) as room:
        for path in (b"/events", b"/thumbnails"):
            reader = socket.create_connection(("127.0.0.1", room.address.port), 10)
            reader.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            asleep.append(reader)
        assert asleep[0].recv(12) == b"HTTP/1.1 200"
        thread = room._thread
    assert not thread.is_alive()
    for reader in asleep:
        reader.close()
    room.stop()
