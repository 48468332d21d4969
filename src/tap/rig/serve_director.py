"""The director's wire of a served shoot: recorded messages, said again at their time."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tap.errors import InputError

MAX_BYTES = 64 * 1024 * 1024
QUEUE = 1000
"""Messages that may wait for one listener; one that lags further is let go."""

_JUMP_MS = 60_000.0


@dataclass(frozen=True, slots=True)
class Line:
    """One message as recorded, and the shoot time (Unix ms) at which it went over the wire."""

    at_ms: float
    text: str


def read_director(path: Path) -> list[Line]:
    """The messages of a `director.jsonl`, in its order, each no earlier than the one before.

    A message goes out when it was received (`recvMs`), else when it was stamped (`atMs`), else
    right after the one before. Lines that are no messages are kept: tap must bear them too.
    Raises `InputError` where the file can't be read or is too large.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"{path}: expected the director's messages, one JSON object a line, got "
            f'"{error.strerror or error}"; check the file'
        ) from error
    if len(raw) > MAX_BYTES:
        raise InputError(
            f"{path}: expected at most {MAX_BYTES} bytes of messages, got more; split the shoot"
        )
    texts = [text for text in raw.decode("utf-8", "replace").split("\n") if text.strip()]
    return _in_order(texts, [_wire_time(_parse(text)) for text in texts])


def _in_order(texts: list[str], times: list[float | None]) -> list[Line]:
    lines: list[Line] = []
    now_ms = next((time for time in times if time is not None), 0.0)
    afters: list[float | None] = []  # for each line, the next time that a line after it states
    after: float | None = None
    for time in reversed(times):
        afters.append(after)
        after = time if time is not None else after
    for text, time, after in zip(texts, times, reversed(afters), strict=True):
        # A stamp far ahead of all around it is a fault of the sender's clock: it must not
        # hold up what follows.
        astray = (
            time is not None and time - now_ms > _JUMP_MS and after is not None and after < time
        )
        if time is not None and not astray:
            now_ms = max(now_ms, time)
        lines.append(Line(now_ms, text.rstrip("\r")))
    return lines


def restamped(text: str, shift_ms: float) -> str:
    """The message as a sender would word it now: `atMs` moved, what the recorder added removed."""
    message = _parse(text)
    if message is None or not ("recvMs" in message or _is_time(message.get("atMs"))):
        return text
    # What `tap.claims.record` wraps: text that is no message, messages with keys of its own.
    if set(message) == {"unreadable", "problem", "recvMs"} and isinstance(
        message["unreadable"], str
    ):
        return str(message["unreadable"])
    if set(message) == {"raw", "recvMs"} and isinstance(message["raw"], dict):
        message = dict[str, Any](message["raw"])
    else:
        message.pop("recvMs", None)
    if _is_time(message.get("atMs")):
        message["atMs"] += int(shift_ms) if shift_ms == int(shift_ms) else shift_ms
    return json.dumps(message, ensure_ascii=False)


def _parse(text: str) -> dict[str, Any] | None:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _wire_time(message: dict[str, Any] | None) -> float | None:
    for key in ("recvMs", "atMs"):
        if message is not None and _is_time(message.get(key)):
            return float(message[key])
    return None


def _is_time(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and 0 <= value <= 1e14
    )


class DirectorWire:
    """Says the messages at their time to all who listen then. Belongs to the event loop."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.sent = 0
        self.ended = False
        self.listeners: set[asyncio.Queue[str | None]] = set()

    async def play(self, now_ms: Callable[[], float], shift_ms: float) -> None:
        """Send every line when it is due, then end."""
        for line in self.lines:
            await asyncio.sleep(max(0.0, line.at_ms + shift_ms - now_ms()) / 1000)
            self.sent += 1
            self._say(restamped(line.text, shift_ms))
        self.end()

    def end(self) -> None:
        """Let all listeners go, after what still waits for them."""
        self.ended = True
        self._say(None)

    async def listen(self, quiet_s: float | None = None) -> AsyncIterator[str | None]:
        """The messages from now on, to the end; None whenever `quiet_s` pass without one."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUE)
        if self.ended:
            return
        self.listeners.add(queue)
        try:
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), quiet_s)
                except TimeoutError:
                    yield None
                    continue
                if text is None:
                    return
                yield text
        finally:
            self.listeners.discard(queue)

    def _say(self, text: str | None) -> None:
        for queue in list(self.listeners):
            try:
                queue.put_nowait(text)
            except asyncio.QueueFull:
                self.listeners.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)
