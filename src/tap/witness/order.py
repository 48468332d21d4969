"""One order for everything that is observed: by time, whatever thread it came from.

Live, a frame is stamped when its first byte arrives and is here some ms later, so frames of
different feeds come slightly out of order. They wait until every feed has moved on, or has promised
that it has nothing as old, and at most `slack_ms`: so long a feed that is slow or down holds up the
others. A far camera that has given nothing for a second holds up nobody: its frames come before the
time at which they are placed.
"""

import heapq
import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tap.vocabulary import PROGRAM, Claim, Frame

_log = logging.getLogger(__name__)

Observation = Frame | Claim


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Pictures of a feed, [from_ms, until_ms], that came and that nobody will look at."""

    feed: str
    from_ms: float
    until_ms: float


SILENT_MS = 1000.0
READING_MS = 5.0
"""A message is read some ms after it has been stamped: so long nothing is handed out."""
MOST_AT_ONCE = 200
"""Observations that are handed out at once: what waits must be known to wait."""
Place = tuple[float, int, str]


def place_of(observation: Observation | GivenUp) -> Place:
    """Where an observation stands in the one order: cameras, program, claims at equal times."""
    if isinstance(observation, Claim):
        return observation.recv_ms, 2, ""
    at_ms = observation.at_ms if isinstance(observation, Frame) else observation.from_ms
    return at_ms, int(observation.feed == PROGRAM), observation.feed


def in_order(sources: Sequence[Iterator[Observation]]) -> Iterator[Observation]:
    """Merge sources that are each in order."""
    return heapq.merge(*sources, key=place_of)


class Sequencer:
    """A bounded, thread-safe buffer that hands out live observations in the one order.

    A witness that can't keep up falls behind, and catches up where it can: nothing is lost. Where
    the buffer is full all pictures that wait are given up together, the program's too: a `GivenUp`
    of each feed stands for them. That is a gap, of which nothing is said, and the witness is
    abreast again. To leave out some pictures of cameras instead would cost more than it saves: what
    nothing explains is looked for everywhere.

    `restamp` gives a claim that comes after its turn a later time of receipt. `promised`: of feeds
    that can tell, before which time (Unix ms) they have nothing more to give.
    """

    def __init__(
        self,
        feeds: Sequence[str],
        *,
        restamp: Callable[[Claim, float], Claim],
        slack_ms: float = 120.0,
        limit: int = 2000,
        far: Collection[str] = (),
        promised: Mapping[str, Callable[[], float]] | None = None,
    ) -> None:
        self._restamp = restamp
        self._slack_ms = slack_ms
        self._limit = limit
        self._far = frozenset(far)
        self._promised = dict(promised or {})
        self._newest = dict.fromkeys(feeds, 0.0)
        self._heap: list[tuple[Place, int, Observation | GivenUp]] = []
        self._count = 0
        self._frames = 0
        """How many frames wait."""
        self._taken_ms = 0.0
        self._changed = threading.Condition()
        self.late: Counter[str] = Counter()
        """Frames that came after their time had passed, by feed: not used."""
        self.overrun: Counter[str] = Counter()
        """Frames given up because the witness could not keep up, by feed."""

    def put(self, observation: Observation) -> None:
        """Take an observation from any thread. Claims are never refused."""
        with self._changed:
            if isinstance(observation, Frame):
                feed = observation.feed
                self._newest[feed] = max(self._newest[feed], observation.at_ms)
                if observation.at_ms <= self._taken_ms:
                    self.late[feed] += 1
                    return
                if self._frames >= self._limit:
                    self._give_up()
                self._frames += 1
            elif observation.recv_ms <= self._taken_ms:
                # Its place in the order has gone by; a recording must tell the order as it was.
                observation = self._restamp(observation, self._taken_ms + 1)
            self._push(observation)
            if isinstance(observation, Claim) or observation.feed == PROGRAM:
                self._changed.notify()  # the cameras' pictures alone tell nothing

    def take(self, now_ms: float, *, wait_s: float = 0.0) -> list[Observation | GivenUp]:
        """Observations whose turn has come, at most `MOST_AT_ONCE`; waits up to `wait_s` for
        something new, if none has."""
        with self._changed:
            ready_ms = self._ready_ms(now_ms)
            if wait_s > 0 and not self._has_waited_for(ready_ms):
                self._changed.wait(wait_s)
                ready_ms = self._ready_ms(now_ms)
            out: list[Observation | GivenUp] = []
            while self._has_waited_for(ready_ms) and len(out) < MOST_AT_ONCE:
                out.append(heapq.heappop(self._heap)[2])
            self._frames -= sum(isinstance(one, Frame) for one in out)
            if out:
                self._taken_ms = max(self._taken_ms, place_of(out[-1])[0])
            return out

    def passed_ms(self, now_ms: float) -> float:
        """The time up to which nothing more will come."""
        with self._changed:
            passed_ms = self._ready_ms(now_ms)
            if self._has_waited_for(passed_ms):
                passed_ms = self._heap[0][0][0] - 1
            self._taken_ms = max(self._taken_ms, passed_ms)
            return self._taken_ms

    def rest(self) -> list[Observation | GivenUp]:
        """Everything left, in order: no more will come."""
        with self._changed:
            out = [item[2] for item in sorted(self._heap, key=lambda item: item[:2])]
            self._heap.clear()
            self._frames = 0
            return out

    def _give_up(self) -> None:
        """Let go of all frames that wait."""
        frames = [item[2] for item in self._heap if isinstance(item[2], Frame)]
        self.overrun.update(frame.feed for frame in frames)
        self._heap = [item for item in self._heap if not isinstance(item[2], Frame)]
        heapq.heapify(self._heap)
        self._frames = 0
        for feed in dict.fromkeys(frame.feed for frame in frames):
            times = [frame.at_ms for frame in frames if frame.feed == feed]
            self._push(GivenUp(feed, min(times), max(times)))
        _log.warning("tap could not keep up: %d pictures that waited are given up", len(frames))

    def _push(self, observation: Observation | GivenUp) -> None:
        self._count += 1
        heapq.heappush(self._heap, (place_of(observation), self._count, observation))

    def _has_waited_for(self, ready_ms: float) -> bool:
        """Whether something waits whose turn has come by then."""
        return bool(self._heap) and self._heap[0][0][0] <= ready_ms

    def _ready_ms(self, now_ms: float) -> float:
        there = [
            self._reached_ms(feed, newest)
            for feed, newest in self._newest.items()
            if feed not in self._far or newest > now_ms - SILENT_MS
        ]
        reached_ms = min(min(there, default=0.0) - 1, now_ms - READING_MS)
        return max(now_ms - self._slack_ms, reached_ms)

    def _reached_ms(self, feed: str, newest_ms: float) -> float:
        promised = self._promised.get(feed)
        return newest_ms if promised is None else max(newest_ms, promised())
