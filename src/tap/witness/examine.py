"""What the doctor finds out about one feed, and about the director's wire."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any

from tap.claims import (
    ClaimsHealth,
    DeviceParser,
    Parser,
    Reader,
    live_claims,
    load_profile,
    read_claims,
)
from tap.clock import Clock
from tap.config import (
    Address,
    CameraConfig,
    Config,
    DirectorConfig,
    address_of,
    events_address_of,
    secrets_of,
)
from tap.errors import InputError, TapError
from tap.feeds.feed import LiveFeed
from tap.feeds.health import FeedHealth
from tap.feeds.media import MediaReader
from tap.vocabulary import Claim, ClaimType, Frame

MEDIA_FRAMES = 60
"""Pictures of a file that are decoded before it counts as good."""

FIRST_PICTURE_S = 6.0
"""How long a feed may take to show its first picture."""

KEPT_FRAMES = 240
"""Frames of a feed that are kept to be held against the others."""

_SETTLING_MS = 750.0
"""A WebRTC sender waits for its key picture to be taken, or finds out what the way carries: its
first pictures tell nothing of its rate."""
_FEW_FPS = 10.0
_FEW_STEPS = 8
_JITTER_MS = 120.0
"""Beyond this, by docs/time.md, jitter costs matches."""
_FAR_MS = 500.0
"""A director's clock that is further off makes tolerances meaningless."""


class Health(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"
    """Not there, or not as it must be: a shoot could not be witnessed now."""
    WRONG = "wrong"
    """The configuration is at fault."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding, in plain words; `values` are its numbers, for programs."""

    subject: str
    health: Health
    text: str
    advice: str = ""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """The check for programs."""
        return {
            "subject": self.subject,
            "health": self.health.value,
            "text": self.text,
            "advice": self.advice,
            "values": dict(self.values),
        }


# ---------------------------------------------------------------- feeds


class _Watcher:
    """Keeps and counts what a feed shows; its own thread calls `see`."""

    def __init__(self) -> None:
        self.frames: deque[Frame] = deque(maxlen=KEPT_FRAMES)
        self.first = threading.Event()
        self.pictures = 0
        self.distinct = 0
        self.size = (0, 0)
        self._last: bytes = b""
        self._times: deque[float] = deque(maxlen=10_000)
        self._new_times: deque[float] = deque(maxlen=10_000)
        self._ahead: deque[float] = deque(maxlen=10_000)

    def see(self, frame: Frame) -> None:
        self.pictures += 1
        self.size = frame.size
        self._times.append(frame.at_ms)
        if frame.source_ms is not None:
            self._ahead.append(frame.source_ms - frame.at_ms)
        self.frames.append(replace(frame, encoded=None))
        content = frame.luma.tobytes()
        if content != self._last:
            self.distinct += 1
            self._new_times.append(frame.at_ms)
        self._last = content
        self.first.set()

    def rates(self) -> tuple[float, float]:
        """Pictures, and different pictures, a second: once it has settled, if it has."""
        settled_ms = self._times[0] + _SETTLING_MS
        times = [at_ms for at_ms in self._times if at_ms >= settled_ms]
        if len(times) < _FEW_STEPS:
            times = list(self._times)
        span_ms = times[-1] - times[0]
        # Each step ends with a picture: a new one, or one that was there before.
        new = sum(at_ms > times[0] for at_ms in self._new_times)
        a_second = 1000.0 / span_ms if span_ms > 0 else 0.0
        return (len(times) - 1) * a_second, new * a_second

    @property
    def jitter_ms(self) -> float | None:
        """By how much 19 of 20 steps between pictures differ from the usual one at most."""
        steps = [b - a for a, b in pairwise(self._times)]
        if len(steps) < _FEW_STEPS:
            return None
        off = sorted(abs(step - median(steps)) for step in steps)
        return off[int(0.95 * (len(off) - 1))]

    @property
    def clock_ms(self) -> float | None:
        """By how much the sender's clock is ahead, less the time on the way; None: no stamps."""
        return max(self._ahead) if self._ahead else None


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A live feed's check, and what was seen of it: at most the last `KEPT_FRAMES` frames."""

    check: Check
    frames: Sequence[Frame] = ()


def examine_live(name: str, feed: LiveFeed, clock: Clock, seconds: float) -> LookedAt:
    """Look at a live feed for `seconds` from its first picture on: moving, how often, how large."""
    seen = _Watcher()
    feed.start(seen.see)
    try:
        if seen.first.wait(FIRST_PICTURE_S):
            clock.sleep(seconds)
        health = feed.health()
    finally:
        feed.stop()
    return LookedAt(_judge(name, seen, health), list(seen.frames))


def _judge(name: str, seen: _Watcher, health: FeedHealth) -> Check:
    if not seen.pictures:
        connected = health.connects > 0
        text = health.detail or f"no picture within {FIRST_PICTURE_S:g} s ({health.state.value})"
        advice = "check the address, that the device is on, and that this host reaches it"
        if connected:
            text = f"it answers and gives no pictures: {text}"
            advice = "a lane that is alive without a camera looks so: check the camera behind it"
        none = {"pictures": 0, "distinctFps": 0.0, "connected": connected}
        return Check(name, Health.BAD, text, advice, none)
    rate, distinct = seen.rates()
    width, height = seen.size
    values: dict[str, Any] = {
        "connected": True,
        "pictures": seen.pictures,
        "fps": round(rate, 2),
        "distinctFps": round(distinct, 2),
        "size": [width, height],
    }
    text = f"{width}x{height}, {distinct:.1f} pictures a second"
    jitter, ahead = seen.jitter_ms, seen.clock_ms
    if jitter is not None:
        values["jitterMs"] = round(jitter, 1)
        text += f", jitter {jitter:.0f} ms"
    if ahead is not None:
        values["clockDifferenceMs"] = round(ahead, 1)
        text += f", its clock {ahead / 1000:+.1f} s" if abs(ahead) > _FAR_MS else ""
    if seen.distinct < 2:
        text = f"{width}x{height}, but the picture stands still in {seen.pictures} frames"
        advice = "a dead camera behind a live server looks so: check the camera"
        return Check(name, Health.BAD, text, advice, values)
    if distinct < _FEW_FPS:
        advice = "cuts are found to the frame: set the camera to more pictures a second"
        return Check(name, Health.WARNING, text, advice, values)
    if jitter is not None and jitter > _JITTER_MS:
        advice = "pictures that come in bursts cost matches: mend the network, or bring it nearer"
        return Check(name, Health.WARNING, text, advice, values)
    return Check(name, Health.OK, text, values=values)


def examine_file(name: str, path: Path) -> Check:
    """Whether a file's pictures can be decoded."""
    try:
        reader = MediaReader(path, name, 0.0)
        frames = list(islice(reader, MEDIA_FRAMES))
        reader.close()
    except InputError as error:
        return Check(name, Health.WRONG, str(error), "give the path of a media file")
    if not frames:
        return Check(name, Health.WRONG, f"{path}: no picture can be decoded", "give another file")
    width, height = frames[0].size
    values = {"size": [width, height], "damaged": reader.damaged}
    text = f"{width}x{height}, a file"
    if reader.damaged:
        text += f"; {reader.damaged} of its first pictures are damaged"
        return Check(name, Health.WARNING, text, "they will be left out", values)
    return Check(name, Health.OK, text, values=values)


# ---------------------------------------------------------------- the director


def examine_director(
    director: DirectorConfig, config: Config, clock: Clock, seconds: float
) -> Check:
    """Whether the director can be heard and understood, and whether the clocks agree."""
    profile = load_profile(director.profile)
    parser = Parser(profile, [camera.id for camera in config.cameras])
    if director.file is not None:
        return _recorded(director.file, parser)
    address = address_of(director, profile)
    try:
        claims, health = _listen(address, parser, config, clock, seconds)
    except TapError as error:
        return Check("director", Health.WRONG, str(error), "correct url in [director]")
    if not health.connected and not health.received:
        advice = "check the address, the token, and that the switcher is on"
        return Check("director", Health.BAD, health.detail, advice)
    check = _understood(claims)
    if profile.partial and check.health is Health.OK:
        text = f"{check.text}; profile {profile.name} knows this system only in part"
        return Check("director", Health.WARNING, text, "what it lacks is kept as it came")
    return check


def examine_events(camera: CameraConfig, config: Config, clock: Clock, seconds: float) -> Check:
    """Whether a camera's own events can be heard; a shoot can be witnessed without them."""
    subject = f"{camera.id} events"
    profile = load_profile(camera.events_profile)
    parser = DeviceParser(profile, [one.id for one in config.cameras], camera.id)
    try:
        address = events_address_of(camera, profile)
        claims, health = _listen(address, parser, config, clock, seconds)
    except TapError as error:
        return Check(subject, Health.WRONG, str(error), "correct events_url")
    if not health.connected and not health.received:
        advice = "check events_url and the token; without them, stills come from the director alone"
        return Check(subject, Health.WARNING, health.detail, advice)
    return replace(_understood(claims), subject=subject)


def _listen(
    address: Address, parser: Reader, config: Config, clock: Clock, seconds: float
) -> tuple[list[Claim], ClaimsHealth]:
    """What comes in `seconds`, and how the wire is then. Raises `InputError` for a bad address."""
    claims: list[Claim] = []
    hide = secrets_of(config)
    source = live_claims(address.whole, parser, clock, headers=address.headers, hide=hide)
    source.start(claims.append)
    try:
        clock.sleep(seconds)
        return claims, source.health()
    finally:
        source.stop()


def _recorded(path: Path, parser: Parser) -> Check:
    try:
        return _understood(list(read_claims(path, parser)), live=False)
    except InputError as error:
        return Check("director", Health.WRONG, str(error), "give the path of a director.jsonl")


def _understood(claims: list[Claim], *, live: bool = True) -> Check:
    """What the messages tell about their sender."""
    unreadable = [claim for claim in claims if claim.type is ClaimType.UNREADABLE]
    unknown = sum(claim.type is ClaimType.UNKNOWN for claim in claims)
    values: dict[str, Any] = {
        "messages": len(claims),
        "unreadable": len(unreadable),
        "unknown": unknown,
    }
    text = f"{len(claims)} messages" if claims else "connected; no message yet"
    if unreadable:
        text += f", {len(unreadable)} of them unreadable ({unreadable[0].problem})"
        return Check("director", Health.WARNING, text, "check the profile", values)
    if claims and unknown == len(claims):
        text += ", none of a type that the profile knows"
        return Check("director", Health.WARNING, text, "check the profile", values)
    ahead = [claim.sent_ms - claim.recv_ms for claim in claims if claim.sent_ms is not None]
    if live and ahead:
        values["clockDifferenceMs"] = round(median(ahead), 1)
        if abs(median(ahead)) > _FAR_MS:
            text += f"; its clock is {median(ahead):+.0f} ms off this host's"
            return Check(
                "director", Health.WARNING, text, "set both clocks by the same time server", values
            )
        text += f"; clocks agree within {abs(median(ahead)):.0f} ms"
    return Check("director", Health.OK, text, values=values)
