"""What the control room costs the witness: no page, a page nobody opens, 50 readers.

    python -m benchmarks.room [--rounds 2] [--readers 40] [--sleepers 10] [--shoot DIR]

Plays a shoot (default: the sample shoot) from a process of its own, over and over, in turns:
`off` without the page, `idle` with it, `read` with `readers` pages that read events and pictures as
fast as they come and `sleepers` that open both streams and read nothing. Readers are a process of
their own, at the lowest priority. Prints how old a program frame was when its provisional answer
and its verdict were given, and how much later a reader had a verdict than the witness.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.live import Probe
from tap.clock import SystemClock
from tap.config import load_config
from tap.report.folder import PICTURES_FOLDER
from tap.rig import demo
from tap.room import Address, ControlRoom
from tap.room.inbox import Inbox
from tap.vocabulary import Claim, Event, Verdict
from tap.witness.live import Watch
from tap.witness.onlooker import Proof

MODES = ("off", "idle", "read")
SMALL_WINDOW = 4096
"""Bytes of receive buffer of a reader that reads nothing: its stream is full at once."""


# ---------------------------------------------------------------- the readers, in their process


async def _read(host: str, port: int, path: str, heard: list[float] | None) -> int:
    """Read a stream to its end; returns bytes. Notes when each verdict was here, if asked."""
    reader, writer = await asyncio.open_connection(host, port, limit=2**20)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    total = 0
    while chunk := await reader.read(2**16):
        total += len(chunk)
        if heard is not None:
            heard += [time.time() * 1000] * chunk.count(b"event: verdict")
    return total


async def _sleep(host: str, port: int, path: str) -> None:
    """Ask, and read nothing."""
    _, writer = await asyncio.open_connection(host, port, limit=SMALL_WINDOW)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's own transports can
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    await asyncio.sleep(3600)


async def _clients(host: str, port: int, readers: int, sleepers: int) -> None:
    heard: list[list[float]] = [[] for _ in range(readers)]
    asleep = [
        asyncio.create_task(_sleep(host, port, path))
        for path in ("/events", "/thumbnails")
        for _ in range(sleepers)
    ]
    reading = [_read(host, port, "/events", heard[n]) for n in range(readers)]
    reading += [_read(host, port, "/thumbnails", None) for _ in range(readers)]
    totals = await asyncio.gather(*reading, return_exceptions=True)
    for task in asleep:
        task.cancel()
    read = sum(total for total in totals if isinstance(total, int))
    broken = sum(isinstance(total, BaseException) for total in totals)
    print(json.dumps({"read": read, "broken": broken, "heard": heard}))


# ---------------------------------------------------------------- the witness


class Timed(Inbox):
    """Notes when the witness gave each verdict."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[float] = []

    def verdict(
        self, verdict: Verdict, claim: Claim | None, event: Event | None, proofs: Sequence[Proof]
    ) -> None:
        """A finding."""
        self.given.append(time.time() * 1000)
        super().verdict(verdict, claim, event, proofs)


def session(mode: str, shoot: Path, readers: int, sleepers: int) -> dict[str, list[float]]:
    """One session; ages in ms by name."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        with demo.served(shoot, home / "shoot.toml", home / "ledger.sqlite"):
            config = load_config(home / "shoot.toml").model_copy(update={"home": home})
            clock = SystemClock()
            evidence, inbox = config.session_folder / PICTURES_FOLDER, Timed()
            room = ControlRoom(Address(port=0), evidence, clock=clock, inbox=inbox)
            clients: subprocess.Popen[bytes] | None = None
            if mode != "off":
                room.start()
            if mode == "read":
                words = [sys.executable, "-m", "benchmarks.room", "--clients"]
                words += [f"127.0.0.1:{room.address.port}"]
                words += ["--readers", str(readers), "--sleepers", str(sleepers)]
                clients = subprocess.Popen(words, stdout=subprocess.PIPE)
            watch = Watch(config, clock=clock, onlooker=None if mode == "off" else room.onlooker)
            probe = Probe(clock)
            probe.attach(watch._session.core)  # noqa: SLF001  a measurement may look inside
            cpu, began = time.process_time(), time.monotonic()
            watch.run()
            used = 100 * (time.process_time() - cpu) / (time.monotonic() - began)
            room.stop()
            found = {
                "provisional answer": probe.provisional,
                "verdict (pictures decide)": probe.prompt,
                "CPU of tap, % of a core": [used],
            }
            if clients is not None:
                out, _ = clients.communicate(timeout=30)
                told = json.loads(out)
                found["MB read by all readers"] = [told["read"] / 1e6]
                found["broken streams"] = [told["broken"]]
                found["reader has a verdict after the witness"] = _behind(
                    inbox.given, told["heard"]
                )
            return found


def _behind(given: list[float], heard: list[list[float]]) -> list[float]:
    """How much later each reader had each of the last verdicts, in ms; those it missed count."""
    late: list[float] = []
    for times in heard:
        # A reader that came later has the first ones in its first answer, without an event.
        pairs = zip(reversed(given), reversed(times), strict=False)
        late += [there - here for here, there in pairs]
    return late


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="benchmarks.room")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--readers", type=int, default=40)
    parser.add_argument("--sleepers", type=int, default=10)
    parser.add_argument("--shoot", type=Path)
    parser.add_argument("--clients", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.clients:
        os.nice(19)
        host, _, port = asked.clients.partition(":")
        asyncio.run(_clients(host, int(port), asked.readers, asked.sleepers))
        return 0
    shoot = asked.shoot or demo.sample_shoot()
    found: dict[str, dict[str, list[float]]] = {mode: defaultdict(list) for mode in MODES}
    for _ in range(asked.rounds):
        for mode in MODES:
            for name, values in session(mode, shoot, asked.readers, asked.sleepers).items():
                found[mode][name] += values
    load = os.getloadavg()[0]
    print(f"{asked.rounds} rounds, load {load:.1f} on {os.cpu_count()} cores")
    for mode, figures in found.items():
        for name, values in figures.items():
            p50, p95, worst = np.percentile(values, (50, 95, 100))
            print(f"{mode}: {name}: p50 {p50:.1f} p95 {p95:.1f} max {worst:.1f}, n {len(values)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
