"""Where a far camera's frames belong: by sequence, each once, on the witness's clock. Pure.

NATS delivers at most once: messages get lost, and come twice or out of order where connections are
made anew. What is missing is a gap; what comes late has its place, as long as nobody has gone past
it; what comes again is left out.
"""

from bisect import bisect_left, insort
from collections import deque

REMEMBERED = 256
"""Sequence numbers of the last frames taken: what is older than all of them is late for sure."""
RETIRED = 8
SILENT_MS = 2000.0
"""After so long without a frame, an epoch that was given up may come back."""


class Epochs:
    """Which run of the process beside the camera is listened to: the newest."""

    def __init__(self) -> None:
        self.current: int | None = None
        self._heard_ms = 0.0
        self._retired: deque[int] = deque(maxlen=RETIRED)

    def take(self, epoch: int, now_ms: float) -> bool:
        """Whether to listen to a message of this epoch. An older one is over; but where the newer
        has fallen silent the older was no older: two processes send one camera."""
        if epoch != self.current:
            if epoch in self._retired and now_ms - self._heard_ms < SILENT_MS:
                return False
            if self.current is not None:
                self._retired.append(self.current)
            if epoch in self._retired:
                self._retired.remove(epoch)
            self.current = epoch
        self._heard_ms = now_ms
        return True


class Sequence:
    """The frames of one epoch."""

    def __init__(self) -> None:
        self._taken: list[int] = []
        self._times: dict[int, float] = {}
        self._first = self._count = 0
        self.twice = self.late = 0
        """Frames left out: those that were here already, and those that came too late to have a
        place between their neighbours."""

    @property
    def missing(self) -> int:
        """Frames between the first and the last that never came, or have not yet."""
        return self._taken[-1] - self._first + 1 - self._count if self._taken else 0

    def take(self, number: int, at_ms: float) -> float | None:
        """The time, in whole ms, of frame `number` that belongs at `at_ms`; None: leave it out.

        Strictly increasing with the numbers, whatever order they come in.
        """
        taken, times = self._taken, self._times
        if number in times:
            self.twice += 1
            return None
        if len(taken) >= REMEMBERED and number < taken[0]:
            self.late += 1
            return None
        at = bisect_left(taken, number)
        placed = float(round(at_ms))
        if at > 0:
            placed = max(placed, times[taken[at - 1]] + 1.0)
        if at < len(taken) and placed >= times[taken[at]]:
            self.late += 1
            return None
        insort(taken, number)
        times[number] = placed
        self._first = min(self._first, number) if self._count else number
        self._count += 1
        if len(taken) > REMEMBERED:
            del times[taken.pop(0)]
        return placed


class Playout:
    """How much later than it was taken a frame is placed, so that it is there in time.

    The witness waits 120 ms for what comes late; longer ways, and frames that travel together, need
    more. It starts with what a LAN needs and goes up while frames keep coming too late; never down,
    as each change looks like a change of the camera's delay.
    """

    def __init__(self) -> None:
        self.ms = START_MS
        self._frames = self._tardy = self._bad = 0

    def note(self, lag_ms: float) -> None:
        """A frame came so long after it was taken."""
        self._frames += 1
        self._tardy += lag_ms - self.ms > IN_TIME_MS
        if self._frames < WINDOW:
            return
        bad = self._tardy > MOST_TARDY * self._frames
        self._bad = self._bad + 1 if bad else 0
        self._frames = self._tardy = 0
        if self._bad >= BAD_WINDOWS and self.ms < LONGEST_MS:
            self.ms += STEP_MS
            self._bad = 0


START_MS, STEP_MS, LONGEST_MS = 80.0, 60.0, 320.0
IN_TIME_MS = 90.0
WINDOW, BAD_WINDOWS, MOST_TARDY = 150, 2, 0.02
