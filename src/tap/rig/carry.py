"""What looking costs on this machine: bare, and as `tap watch` does it, over the same feeds."""

import json
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tap.clock import SystemClock
from tap.config import load_config
from tap.errors import TapError
from tap.feeds.jpeg import decode_luma
from tap.feeds.multipart import MultipartParser
from tap.rig.mill import FPS, Mill
from tap.vocabulary import PROGRAM, Claim, Event, Frame, ShotState, Verdict, VerdictCode
from tap.witness.live import Watch
from tap.witness.onlooker import ProgramNow, Proof
from tap.witness.status import LiveStatus

_CHUNK = 256 * 1024
_UP_S = 600.0
"""How long the mill may take to draw its pictures."""
SETTLE_S = 20.0
"""From the start, which costs more, as nothing is known of any camera yet."""
_PROMPT = {VerdictCode.AGREE, VerdictCode.EARLY, VerdictCode.LATE, VerdictCode.SOFT}
"""Verdicts that wait for nothing but the picture."""


@dataclass(frozen=True, slots=True)
class Milled:
    """A mill that runs: its ports, and its cameras' ids."""

    mill: Mill
    port: int
    director: int

    @property
    def feeds(self) -> list[str]:
        """All feeds' ids, the program's last."""
        return [*self.mill.names, PROGRAM]


@contextmanager
def milled(mill: Mill) -> Generator[Milled]:
    """Run a mill in a process of its own. Raises `TapError` where it doesn't come up."""
    width, height = mill.size
    command = [sys.executable, "-m", "tap.rig.mill", "--cameras", str(mill.cameras)]
    command += ["--size", f"{width}x{height}", "--bytes", str(mill.picture_bytes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603  ours
        overdue = threading.Timer(_UP_S, process.kill)
        overdue.start()
        try:
            said = process.stdout.readline() if process.stdout else b""
            overdue.cancel()
            if not said:
                raise TapError("the mill did not come up; is there enough memory for its pictures?")
            ports = json.loads(said)
            yield Milled(mill, ports["port"], ports["director"])
        finally:
            overdue.cancel()
            process.terminate()


# ---------------------------------------------------------------- the bare cost


@dataclass(frozen=True, slots=True)
class Bare:
    """Parts of a core. All for 30 pictures a second of every feed."""

    reading: float
    """Reading every feed's bytes off its socket, and nothing else."""
    decoding_all: float
    """Decoding every picture to the small grey one that sight works on."""
    decoding_program: float
    """The same of the program alone."""

    @property
    def least(self) -> float:
        """What no witness can do without."""
        return self.reading + self.decoding_program


def bare(milled: Milled, seconds: float = 5.0) -> Bare:
    """Measure the bare costs in this process."""
    samples = {feed: _first_pictures(milled, feed) for feed in milled.feeds}
    decoding = {feed: _cost_of_decoding(pictures) * FPS for feed, pictures in samples.items()}
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for feed in milled.feeds:
            selector.register(stack.enter_context(_asked(milled, feed)), selectors.EVENT_READ)
        buffer = bytearray(_CHUNK)
        cpu, began = time.process_time(), time.monotonic()
        while time.monotonic() - began < seconds:
            for key, _ in selector.select(1.0):
                if isinstance(key.fileobj, socket.socket):
                    key.fileobj.recv_into(buffer)
        reading = (time.process_time() - cpu) / (time.monotonic() - began)
    return Bare(reading, sum(decoding.values()), decoding[PROGRAM])


def _asked(milled: Milled, feed: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", milled.port), 5)
    connection.sendall(f"GET /{feed}/stream HTTP/1.1\r\nHost: mill\r\n\r\n".encode())
    return connection


def _first_pictures(milled: Milled, feed: str, count: int = 5) -> list[bytes]:
    parser, pictures = MultipartParser("mill"), list[bytes]()
    with _asked(milled, feed) as connection:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        chunk = head.partition(b"\r\n\r\n")[2]
        while len(pictures) < count:
            pictures += [part.body for part in parser.feed(chunk, 0.0)]
            chunk = connection.recv(_CHUNK)
    return pictures


def _cost_of_decoding(pictures: Sequence[bytes]) -> float:
    """CPU seconds a picture."""
    for picture in pictures[:1]:
        decode_luma(picture)
    began = time.process_time()
    for picture in pictures:
        decode_luma(picture)
    return (time.process_time() - began) / len(pictures)


# ---------------------------------------------------------------- as tap watches


@dataclass(slots=True)
class Carried:
    """How a witness got on. Ages in ms: from a program picture's arrival to what is said of it."""

    cpu: float
    """Parts of a core."""
    memory_mb: float
    """The most that was resident."""
    program_frames: int
    program_lost: int
    """Pictures of the program that came and were not looked at."""
    camera_lost: int
    provisional_ms: list[float] = field(default_factory=list[float])
    """Of each change of the provisional live camera."""
    verdict_ms: list[float] = field(default_factory=list[float])
    """Of each verdict that the pictures decide."""
    codes: dict[str, int] = field(default_factory=dict[str, int])


def carried(
    milled: Milled, seconds: float, *, settle_s: float = SETTLE_S, full_look: bool = False
) -> Carried:
    """Let a witness of its own process watch a mill, and measure after it has settled.

    Raises `TapError` where it fails.
    """
    with tempfile.TemporaryDirectory() as home:
        config = Path(home) / "shoot.toml"
        config.write_text(_config(milled), "utf-8")
        command = [sys.executable, "-m", "tap.rig.carry", home, str(seconds), str(settle_s)]
        command += ["full"] if full_look else []
        done = subprocess.run(  # noqa: S603  every word of the command is ours
            command, stdout=subprocess.PIPE, timeout=seconds + settle_s + 120, check=False
        )
        if done.returncode:
            raise TapError(f"the witness ended with {done.returncode}; see what it said above")
        return Carried(**json.loads(done.stdout.splitlines()[-1]))


def _config(milled: Milled) -> str:
    address = f"http://127.0.0.1:{milled.port}"
    lines = ["[session]", 'external_id = "mill"', "[director]"]
    lines += [f'url = "ws://127.0.0.1:{milled.director}"']
    lines += ["[program]", f'url = "{address}/{PROGRAM}/stream"']
    for name in milled.mill.names:
        lines += ["[[cameras]]", f'id = "{name}"', f'url = "{address}/{name}/stream"']
    return "\n".join(lines) + "\n"


class _Stopwatch:
    """An onlooker that notes when things were said."""

    def __init__(self, clock: SystemClock, from_ms: float) -> None:
        self._clock = clock
        self._from_ms = from_ms
        self.provisional: list[float] = []
        self.verdicts: list[float] = []
        self.codes: dict[str, int] = {}

    def frame(self, frame: Frame) -> None:
        """Not noted."""

    def claim(self, claim: Claim) -> None:
        """Not noted."""

    def event(self, event: Event) -> None:
        """Not noted."""

    def status(self, status: LiveStatus) -> None:
        """Not noted."""

    def verdict(
        self, verdict: Verdict, claim: Claim | None, event: Event | None, proofs: Sequence[Proof]
    ) -> None:
        """A finding."""
        self.codes[verdict.code] = self.codes.get(verdict.code, 0) + 1
        if event is not None and verdict.code in _PROMPT and event.at_ms >= self._from_ms:
            self.verdicts.append(self._clock.now_ms() - event.at_ms)

    def program(self, now: ProgramNow) -> None:
        """The provisional answer has changed."""
        if now.state is ShotState.LIVE and now.at_ms >= self._from_ms:
            self.provisional.append(self._clock.now_ms() - now.at_ms)


def _watch(home: Path, seconds: float, settle_s: float, *, full_look: bool) -> dict[str, Any]:
    """The witness's process: watch, and measure from when it has found its feet."""
    clock = SystemClock()
    config = load_config(home / "shoot.toml").model_copy(update={"home": home})
    stopwatch = _Stopwatch(clock, clock.now_ms() + settle_s * 1000)
    watch = Watch(config, clock=clock, onlooker=stopwatch, full_look=full_look)
    ended = threading.Event()
    figures: dict[str, Any] = {}

    def measure() -> None:
        time.sleep(settle_s)
        before = {feed.id: feed.dropped for feed in watch.status().feeds}
        cpu, began = time.process_time(), time.monotonic()
        time.sleep(seconds)
        figures["cpu"] = (time.process_time() - cpu) / (time.monotonic() - began)
        lost = {feed.id: feed.dropped - before[feed.id] for feed in watch.status().feeds}
        figures["program_lost"] = lost.pop(PROGRAM)
        figures["camera_lost"] = sum(lost.values())
        ended.set()

    threading.Thread(target=measure, daemon=True).start()
    witness = watch.run(stop=ended)
    figures["program_frames"] = witness.coverage.program_frames
    figures["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures["provisional_ms"] = stopwatch.provisional
    figures["verdict_ms"] = stopwatch.verdicts
    figures["codes"] = stopwatch.codes
    return figures


if __name__ == "__main__":
    _home, _seconds, _settle_s, *_full = sys.argv[1:]
    _figures = _watch(Path(_home), float(_seconds), float(_settle_s), full_look=bool(_full))
    sys.stdout.write(json.dumps(_figures) + "\n")
