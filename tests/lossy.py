"""A bad network for WebRTC: a UDP relay that loses and delays, and the way to it by WHEP."""

import heapq
import random
import re
import selectors
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx

_CANDIDATE = re.compile(
    r"^a=candidate:\S+ \d+ udp \d+ ([\d.]+) (\d+) typ host", re.MULTILINE | re.IGNORECASE
)
_ANY = re.compile(r"^a=candidate:.*\r?\n", re.MULTILINE)
_SECRET = re.compile(r"^a=ice-pwd:.*\r?\n", re.MULTILINE)
_NOBODY = "a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"


@dataclass
class Relay:
    """Carries packets between whoever calls and `target`, as a NAT would, with faults both ways."""

    target: tuple[str, int]
    loss: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    blocked: bool = False
    carried: int = 0
    lost: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._random = random.Random(7)
        self._front = self._new()
        self._front.bind(("127.0.0.1", 0))
        self.port = self._front.getsockname()[1]
        self._back: dict[tuple[str, int], socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._front, selectors.EVENT_READ, None)
        self._due: list[tuple[float, int, socket.socket, bytes, tuple[str, int]]] = []
        self._count = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _new() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        made.setblocking(False)
        return made

    def _run(self) -> None:
        while not self._ended.is_set():
            wait_s = 0.05
            if self._due:
                wait_s = min(wait_s, max(0.0, self._due[0][0] - time.monotonic()))
            for key, _ in self._selector.select(wait_s):
                self._take(key.fileobj, key.data)
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, out, data, to = heapq.heappop(self._due)
                with suppress(OSError):
                    out.sendto(data, to)

    def _take(self, readable: Any, caller: tuple[str, int] | None) -> None:
        for _ in range(64):
            try:
                data, source = readable.recvfrom(4096)
            except OSError:
                return
            if caller is None:
                if source not in self._back:
                    self._back[source] = back = self._new()
                    back.bind((source[0] if source[0].startswith("127.") else "0.0.0.0", 0))
                    self._selector.register(back, selectors.EVENT_READ, source)
                out, to = self._back[source], self.target
            else:
                out, to = self._front, caller
            if self.blocked or self._random.random() < self.loss:
                self.lost += 1
                continue
            self.carried += 1
            self._count += 1
            late_s = (self.delay_ms + self._random.uniform(0, self.jitter_ms)) / 1000
            heapq.heappush(self._due, (time.monotonic() + late_s, self._count, out, data, to))

    def close(self) -> None:
        """End, and close every socket; harmless when repeated."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join(2)
        self._selector.close()
        for one in (self._front, *self._back.values()):
            one.close()


def _addressed(sdp: str, line: str) -> str:
    """The description with this candidate alone."""
    return _SECRET.sub(lambda found: found[0] + line, _ANY.sub("", sdp), count=1)


class LossyWhep:
    """A WHEP server that passes offers on to another, and puts a `Relay` between the two.

    `loss`, `delay_ms`, `jitter_ms` hold for relays made later; `set` changes those there are too.
    `refuse` makes it answer 503, `silent` accept a request and never answer.
    """

    def __init__(self, upstream: str, **faults: float) -> None:
        self.upstream = upstream
        self.faults = faults
        self.relays: list[Relay] = []
        self.refuse = self.silent = False
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer.requests.append("POST " + self.path)
                offer = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if outer.silent:
                    time.sleep(20)
                    return
                if outer.refuse:
                    self._say(503, b"")
                    return
                offer = _addressed(offer, _NOBODY)
                answer = httpx.post(outer.upstream, content=offer, trust_env=False, timeout=10)
                if answer.status_code != 201:
                    self._say(answer.status_code, b"")
                    return
                sdp = outer._led_here(answer.text)
                self._say(201, sdp.encode(), answer.headers["location"])

            def do_DELETE(self) -> None:
                outer.requests.append("DELETE " + self.path)
                base = outer.upstream.split("/", 3)
                httpx.delete("/".join(base[:3]) + self.path, trust_env=False, timeout=10)
                self._say(200, b"")

            def _say(self, status: int, body: bytes, location: str = "") -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/sdp")
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/whep"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _led_here(self, answer: str) -> str:
        """The answer with the relay as its only address."""
        found = _CANDIDATE.findall(answer)
        host, port = next((pair for pair in found if pair[0].startswith("127.")), found[0])
        for old in self.relays:  # one viewer at a time: that one has left
            old.close()
        relay = Relay((host, int(port)))
        for name, value in self.faults.items():
            setattr(relay, name, value)
        self.relays.append(relay)
        return _addressed(
            answer, f"a=candidate:1 1 udp 2130706431 127.0.0.1 {relay.port} typ host\r\n"
        )

    def set(self, **faults: float | bool) -> None:
        """Change the faults from now on."""
        self.faults.update({name: value for name, value in faults.items() if name != "blocked"})
        for relay in self.relays:
            for name, value in faults.items():
                setattr(relay, name, value)

    @property
    def lost_part(self) -> float:
        """How much was lost, of all that came."""
        lost = sum(relay.lost for relay in self.relays)
        carried = sum(relay.carried for relay in self.relays)
        return lost / max(1, lost + carried)

    def close(self) -> None:
        """End everything."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)
        for relay in self.relays:
            relay.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
