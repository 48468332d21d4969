"""Asks others on a NATS server what time they have, and tells them our own. Lives on its loop."""

import asyncio
import contextlib
import logging
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tap.clock import Clock
from tap.feeds.edge_clock import Offset, Sample, sample
from tap.feeds.edge_wire import TimeAsked as Asked
from tap.feeds.edge_wire import (
    TimeSaid,
    WireError,
    pack_time_asked,
    pack_time_said,
    time_subject,
    unpack_time_asked,
    unpack_time_said,
)

_log = logging.getLogger(__name__)

MOST_OTHERS = 64
FORGET_MS = 30_000.0
FAST_MS, USUAL_MS, FAST_FOR = 100.0, 1000.0, 8
"""The first samples come fast: without any, no frame can be placed."""
TICK_S = 0.05
ANSWER_S = 1.0


@dataclass(slots=True)
class _Other:
    offset: Offset = field(default_factory=Offset)
    wanted_ms: float = 0.0
    due_ms: float = 0.0
    asked: int = 0
    asking: bool = False


class Times:
    """`who`: our own number, by which others ask us. `on_asked`: hears who asked."""

    def __init__(
        self, client: Any, who: int, clock: Clock, on_asked: Callable[[int], None] | None = None
    ) -> None:
        self.who = who
        self._client = client
        self._clock = clock
        self._on_asked = on_asked
        self._others: OrderedDict[int, _Other] = OrderedDict()
        self._asking: set[asyncio.Task[None]] = set()

    def want(self, whose: int) -> Sample | None:
        """Keep asking this one for some while; the best that is known now, if anything is."""
        now_ms = self._clock.now_ms()
        other = self._others.get(whose)
        if other is None:
            other = self._others[whose] = _Other()
            while len(self._others) > MOST_OTHERS:
                self._others.popitem(last=False)
        other.wanted_ms = now_ms
        return other.offset.best(now_ms)

    def steps(self, whose: int) -> int:
        """How often that clock was found to have been set."""
        other = self._others.get(whose)
        return other.offset.steps if other is not None else 0

    async def serve(self) -> None:
        """Answer those who ask."""
        await self._client.subscribe(time_subject(self.who), cb=self._answer, pending_msgs_limit=64)

    async def run(self) -> None:
        """Ask whoever is wanted, until cancelled."""
        while True:
            now_ms = self._clock.now_ms()
            for whose, other in list(self._others.items()):
                if now_ms - other.wanted_ms > FORGET_MS:
                    del self._others[whose]
                elif now_ms >= other.due_ms and not other.asking and self._client.is_connected:
                    other.asked += 1
                    other.due_ms = now_ms + (FAST_MS if other.asked < FAST_FOR else USUAL_MS)
                    other.asking = True
                    task = asyncio.ensure_future(self._ask(whose, other))
                    self._asking.add(task)
                    task.add_done_callback(self._asking.discard)
            await asyncio.sleep(TICK_S)

    async def _ask(self, whose: int, other: _Other) -> None:
        sent_ms = self._clock.now_ms()
        try:
            message = await self._client.request(
                time_subject(whose), pack_time_asked(Asked(self.who, sent_ms)), timeout=ANSWER_S
            )
            back_ms = self._clock.now_ms()
            said = unpack_time_said(message.data)
            # Our own stamp, not what it says that was.
            found = sample(sent_ms, said.came_ms, said.left_ms, back_ms)
            if found is not None and said.sent_ms == sent_ms:
                other.offset.add(found)
                self._hear(other, said, back_ms)
        except Exception as error:  # noqa: BLE001 - no answer, nonsense: the next one will do
            _log.debug("no time from %08x: %s", whose, error)
        finally:
            other.asking = False

    @staticmethod
    def _hear(other: _Other, said: TimeSaid, now_ms: float) -> None:
        """The far side's own estimate counts as one more sample, where it has one."""
        if math.isfinite(said.ahead_ms) and 0.0 < said.trip_ms < math.inf:
            other.offset.add(Sample(now_ms, -said.ahead_ms, said.trip_ms))

    async def _answer(self, message: Any) -> None:
        came_ms = self._clock.now_ms()
        with contextlib.suppress(WireError):
            asked = unpack_time_asked(message.data)
            if self._on_asked is not None:
                self._on_asked(asked.who)
            other = self._others.get(asked.who)
            best = other.offset.best(came_ms) if other is not None else None
            ahead_ms, trip_ms = (best.ahead_ms, best.trip_ms) if best else (math.nan, math.nan)
            said = TimeSaid(
                self.who, asked.sent_ms, came_ms, self._clock.now_ms(), ahead_ms, trip_ms
            )
            if message.reply:
                await self._client.publish(message.reply, pack_time_said(said))
