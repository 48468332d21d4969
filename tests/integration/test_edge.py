"""Far cameras over a real NATS server: a whole session, and what goes wrong on the way."""

import asyncio
import json
import random
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import tomlkit
from nats.aio.client import Client
from tests import made_shoot
from tests.nats_server import NatsServer

from tap.clock import SystemClock
from tap.config import load_config
from tap.edge.run import Edge
from tap.errors import FeedError
from tap.feeds.edge import EdgeFeed
from tap.feeds.edge_wire import Batch, frames_subject, pack_frames
from tap.feeds.fingerprint import fingerprint_of
from tap.feeds.health import FeedHealth, FeedState, Vitals
from tap.report.folder import PICTURES_FOLDER
from tap.rig import demo
from tap.vocabulary import COMMANDED, Frame, Witness
from tap.witness.live import Watch
from tap.witness.models import learnt_settings
from tap.witness.replay import replay

FAR = ("cam-b", "cam-c")
START_IN_S = 2.5
WITHIN_S = 10.0


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that must come true."""
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {WITHIN_S:.0f} s"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def server():
    with NatsServer() as server:
        yield server


@pytest.fixture
def clock():
    return SystemClock()


# ---------------------------------------------------------------- a camera that a test makes


class Made:
    """A feed whose pictures a test hands over itself."""

    def __init__(self, feed: str, clock: SystemClock) -> None:
        self.feed = feed
        self._clock = clock
        self._vitals = Vitals(feed, clock)
        self._number = 0
        self._at_ms = 0.0
        self.sink = None

    def start(self, sink) -> None:
        self.sink = sink

    def stop(self) -> None:
        self.sink = None

    def health(self) -> FeedHealth:
        return self._vitals.health()

    def give(self, shade: int = 0) -> Frame:
        """One picture of 640 x 360 px, each unlike the last."""
        self._number += 1
        colour = np.full((360, 640, 3), (self._number * 37 + shade) % 200 + 20, np.uint8)
        cv2.circle(colour, (40 + self._number * 13 % 560, 180), 90, (255, 255, 255), -1)
        luma = cv2.resize(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY), (240, 135))
        self._at_ms = max(self._at_ms + 1.0, float(round(self._clock.now_ms())))
        jpeg = cv2.imencode(".jpg", colour)[1].tobytes()
        frame = Frame(self.feed, self._number, self._at_ms, luma, (640, 360), jpeg)
        self.sink(frame)
        return frame


class Running:
    """An `Edge` on a thread of its own."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self._stop = threading.Event()
        self._thread = threading.Thread(target=edge.run, args=(self._stop,), daemon=True)

    def __enter__(self):
        self._thread.start()
        until(lambda: self.edge.status().linked, "the edge's connection")
        return self.edge

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(WITHIN_S)


class Seen:
    """The witness's end of a far camera, and the frames that came."""

    def __init__(self, url: str, clock: SystemClock) -> None:
        self.frames: list[Frame] = []
        self.feed = EdgeFeed("far", url, clock=clock)

    def __enter__(self):
        self.feed.start(self.frames.append)
        return self

    def __exit__(self, *_):
        self.feed.stop()

    @property
    def state(self) -> FeedState:
        return self.feed.health().state


class Talker:
    """Publishes whatever a test likes."""

    def __init__(self, server: NatsServer) -> None:
        self._server = server
        self._loop = asyncio.new_event_loop()
        self._client = Client()

    def __enter__(self):
        self._loop.run_until_complete(self._client.connect(self._server.url))
        return self

    def __exit__(self, *_):
        self._loop.run_until_complete(self._client.close())
        self._loop.close()

    def say(self, subject: str, *messages: bytes) -> None:
        async def say() -> None:
            for message in messages:
                await self._client.publish(subject, message)
            await self._client.flush()

        self._loop.run_until_complete(say())


def fill(made: Made, seen: Seen, count: int = 3) -> None:
    """Give pictures until the witness has some: the first come before the clocks are compared."""

    def came() -> bool:
        made.give()
        time.sleep(0.01)
        return len(seen.frames) >= count

    until(came, "frames of the far camera")


# ---------------------------------------------------------------- one camera


def test_a_frame_keeps_its_time_and_its_picture_can_be_fetched(server, clock):
    made = Made("cam", clock)
    with (
        Running(Edge({"one": made}, server.url, clock=clock)),
        Seen(f"{server.url}/one", clock) as s,
    ):
        fill(made, s)
        sent = made.give()
        made.give(), made.give()
        until(lambda: any(f.source_ms == sent.at_ms for f in s.frames), "that frame")
        frame = next(f for f in s.frames if f.source_ms == sent.at_ms)
        # Both clocks are one here: what is added is what the way may take.
        assert frame.at_ms - sent.at_ms == pytest.approx(80.0, abs=5.0)
        assert np.array_equal(
            np.abs(frame.luma.astype(int) - cv2.resize(sent.luma, (18, 10), interpolation=3)) < 4,
            np.ones((10, 18), bool),
        )
        assert s.feed.picture(frame.index) == sent.encoded
        assert s.state is FeedState.LIVE
        with pytest.raises(FeedError, match="no longer keeps"):
            s.feed.picture(frame.index + 10_000)


def test_the_far_clock_may_be_hours_off(server, clock):
    class Wrong(SystemClock):
        def now_ms(self) -> float:
            return super().now_ms() - 7_200_000.0

    made = Made("cam", Wrong())
    with (
        Running(Edge({"off": made}, server.url, clock=Wrong())),
        Seen(f"{server.url}/off", clock) as s,
    ):
        before = clock.now_ms()
        fill(made, s)
        assert all(before < f.at_ms < clock.now_ms() + 200 for f in s.frames)
        assert all(f.source_ms < before - 7_000_000 for f in s.frames)


def test_a_process_that_is_started_again_goes_on(server, clock):
    made = Made("cam", clock)
    with Seen(f"{server.url}/again", clock) as s:
        with Running(Edge({"again": made}, server.url, clock=clock)):
            fill(made, s)
            old = s.frames[-1]
        with Running(Edge({"again": made}, server.url, clock=clock)):
            count = len(s.frames)
            fill(made, s, count + 3)
            indices = [f.index for f in s.frames]
            assert indices == sorted(set(indices))
            with pytest.raises(FeedError, match="started again"):
                s.feed.picture(old.index)
            assert s.feed.picture(s.frames[-1].index)


def test_the_server_may_go_and_come_back(clock):
    with NatsServer() as server:
        made = Made("cam", clock)
        edge = Edge({"one": made}, server.url, clock=clock)
        with Running(edge), Seen(f"{server.url}/one", clock) as s:
            fill(made, s)
            server.stop()
            until(lambda: s.state is FeedState.BACKOFF, "the loss of the server")
            until(lambda: not edge.status().linked, "the same at the edge")
            for _ in range(300):
                made.give()
            until(lambda: edge.status().left_out >= 90, "what can't be sent being left out")
            server.start()
            count = len(s.frames)
            fill(made, s, count + 3)
            # The first of them may come before the connection is told that it is back.
            until(lambda: made.give() and s.state is FeedState.LIVE, "being live again")


# ---------------------------------------------------------------- what comes twice, late or broken


def batch(epoch: int, first: int, clock: SystemClock, count: int = 3) -> bytes:
    taken = fingerprint_of(np.random.default_rng(first).integers(0, 255, (90, 160), np.uint8))
    now = clock.now_ms()
    return pack_frames(
        Batch(
            epoch, first, (160, 90), taken.width, taken.height,
            tuple(now + 10.0 * n for n in range(count)), (taken.data,) * count,
        )
    )  # fmt: skip


def test_what_comes_twice_or_late_harms_nothing(server, clock):
    # The host answers for its clock; what it "sends" comes from the test.
    edge = Edge({"odd": Made("cam", clock)}, server.url, clock=clock, epoch=77)
    with Running(edge), Seen(f"{server.url}/odd", clock) as s, Talker(server) as talker:
        number = 0

        def known() -> bool:
            nonlocal number
            talker.say(frames_subject("odd"), batch(77, number, clock))
            number += 3
            return bool(s.frames)

        until(known, "the clocks being compared")
        talker.say(frames_subject("odd"), batch(77, number, clock))
        until(lambda: s.frames[-1].index == number + 2, "all that was sent")
        count, dropped = len(s.frames), s.feed.health().dropped
        first = batch(77, number + 3, clock)
        time.sleep(0.04)  # their times must be apart
        second = batch(77, number + 6, clock)
        talker.say(frames_subject("odd"), second, first, second, first)
        until(lambda: s.feed.health().dropped == dropped + 6, "what came twice being left out")
        new = s.frames[count:]
        assert sorted(f.index for f in new) == list(range(number + 3, number + 9))
        by_index = sorted(new, key=lambda f: f.index)
        times = [f.at_ms for f in by_index]
        assert times == sorted(set(times))
        assert s.feed.health().damaged == 0


def test_what_is_no_message_is_counted_and_harms_nothing(server, clock):
    made, chance = Made("cam", clock), random.Random(3)
    edge = Edge({"bad": made}, server.url, clock=clock, epoch=9)
    with Running(edge), Seen(f"{server.url}/bad", clock) as s, Talker(server) as talker:
        fill(made, s)
        good = batch(9, 4_000_000_000, clock)  # a number that no camera has reached by now
        other = good[:2] + bytes([2]) + good[3:]
        far_off = batch(9, 5, SystemClock())
        far_off = far_off[:12] + struct.pack("<d", 1e300) + far_off[20:]
        bad = [
            b"", b"tF", b"\0" * 26, good[:-1], good + b"x", other, good, far_off,
            chance.randbytes(500), chance.randbytes(400_000), b"tF\x01\xff" + b"\xff" * 400,
        ]  # fmt: skip
        talker.say(frames_subject("bad"), *bad)
        dropped = s.feed.health().dropped
        talker.say(frames_subject("bad"), chance.randbytes(900_000))
        until(lambda: s.feed.health().dropped > dropped, "what is too large being counted")
        talker.say("tap.1.picture.bad", b"", b"x" * 500)
        talker.say("tap.1.time.00000009", b"", b"y" * 500)
        until(lambda: s.feed.health().damaged == len(bad), "all of it being counted")
        count = len(s.frames)
        fill(made, s, count + 3)
        assert s.feed.picture(s.frames[-1].index)
        assert edge.status().linked


PLAIN = 25.0
"""The pictures of `batch` are noise, hardly anything of which is left in a fingerprint."""


def test_an_older_process_does_not_come_between(server, clock):
    made = Made("cam", clock)
    older = Edge({"two": made}, server.url, clock=clock, epoch=21)
    newer_edge = Edge({"two": Made("cam", clock)}, server.url, clock=clock, epoch=22)
    with Running(older), Seen(f"{server.url}/two", clock) as s, Talker(server) as talker:
        fill(made, s)
        assert s.frames[-1].luma.std() > PLAIN
        with Running(newer_edge):
            number = 0

            def newer() -> bool:
                nonlocal number
                talker.say(frames_subject("two"), batch(22, number, clock))
                number += 3
                return s.frames[-1].index > made._number + 3

            until(newer, "the newer process's frames")
            count = len(s.frames)
            for _ in range(3):
                made.give()
            until(lambda: "two processes" in s.feed.health().detail, "a word about it")
            # Some of the newer one's may still have been on their way.
            assert all(frame.luma.std() < PLAIN for frame in s.frames[count:])


# ---------------------------------------------------------------- a session


@dataclass(frozen=True)
class Session:
    """What a session left."""

    witness: Witness
    folder: Path
    recording: Path
    truth: dict
    sent: dict
    shift_ms: float


@pytest.fixture(scope="module")
def session(short_shoot, server, tmp_path_factory) -> Session:
    """One near camera and two far ones, those from a process of their own."""
    home, clock = tmp_path_factory.mktemp("edge"), SystemClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAP_HOME", str(home))
        patch.setattr(demo, "START_IN_S", START_IN_S)
        toml = home / "shoot.toml"
        with demo.served(short_shoot, toml, home / "ledger.sqlite") as address:
            content = tomlkit.parse(toml.read_text("utf-8"))
            feeds: list[str] = []
            for camera in content["cameras"]:
                if camera["id"] in FAR:
                    feeds += ["--feed", f"{camera['id']}={camera['url']}"]
                    camera.update(kind="edge", url=f"{server.url}/{camera['id']}")
            content["tolerances"] = {"window_ms": made_shoot.WINDOW_MS}
            toml.write_text(tomlkit.dumps(content), "utf-8")
            command = [sys.executable, "-m", "tap", "edge", *feeds, "--to", server.url, "--json"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as edge:
                watch = Watch(load_config(toml), clock=clock, record_to=home / "recording")
                witness = watch.run()
                edge.terminate()
                said = edge.stdout.read().splitlines()
                assert edge.wait(WITHIN_S) == 0
    return Session(
        witness,
        home / "sessions" / witness.session.external_id,
        home / "recording",
        json.loads((short_shoot / "truth.json").read_text("utf-8")),
        json.loads(said[-1]),
        address["shiftMs"],
    )


def test_a_far_camera_beside_near_ones_is_named(session):
    seen = [event for event in session.witness.events if event.type in COMMANDED]
    made = session.truth["events"]
    assert [(e.type.value, e.from_camera, e.to_camera) for e in seen] == [
        (e["type"], e["from"], e["to"]) for e in made
    ]
    for event, true in zip(seen, made, strict=True):
        assert event.at_ms == pytest.approx(true["atMs"] + session.shift_ms, abs=120.0)
    codes = [verdict.code.value for verdict in session.witness.verdicts]
    told = [code for code in codes if code != "NOTED"]
    assert sorted(told) == sorted(verdict["code"] for verdict in session.truth["verdicts"])


def test_the_evidence_of_a_far_camera_is_its_real_picture(session):
    kept = [*(session.folder / PICTURES_FOLDER).glob("cam-[bc]*.jpg")]
    assert kept
    for file in kept:
        assert cv2.imread(str(file)).shape[:2] == (144, 256)


def test_little_is_sent(session):
    assert session.sent["sent"] > 200
    # All told, of two cameras at 20 pictures a second.
    assert (
        session.sent["bytes"] / session.sent["sent"]
        < 225 + 60_000 / session.sent["sent"] * (session.sent["pictures"])
    )
    assert session.sent["leftOut"] == 0


def test_the_recording_gives_the_same_record(session, tmp_path):
    again = replay(
        session.recording,
        tmp_path,
        tolerances=made_shoot_tolerances(),
        sight=learnt_settings(hold_ms=10_000.0),
    )
    assert again.shots == session.witness.shots
    assert again.events == session.witness.events
    assert again.verdicts == session.witness.verdicts
    shoot = json.loads((session.recording / "shoot.json").read_text("utf-8"))
    assert [c["id"] for c in shoot["cameras"] if c.get("reencoded")] == list(FAR)


def made_shoot_tolerances():
    from tap.judge import Tolerances

    return Tolerances(window_ms=made_shoot.WINDOW_MS)
