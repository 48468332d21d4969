"""Brings the waiting rows to the ledger, in order, however long the way is closed.

One request is in flight at a time. A way that is closed is tried again for ever; a row that the
ledger refuses is narrowed down by smaller batches, parked with the reason, and passed by.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_when_event_set
from tenacity.wait import wait_base, wait_random_exponential

from tap.clock import Clock, SystemClock
from tap.errors import LedgerError
from tap.ledger.circuit import Circuit, Doubt, Way
from tap.ledger.faults import BookError, Code
from tap.ledger.queue import Op, Queue, Waiting
from tap.ledger.rows import CameraRow, DirectorEventRow, FinalState, SessionRow, StillRow
from tap.ledger.store import LedgerStore

MAX_ROWS = 100
MAX_BYTES = 512 * 1024
GATHER_S = 0.1
"""After news the sender waits for this long, so that rows made together go together."""

PAUSE_S = 15.0
"""Where tap is not let in, trying more often changes nothing until somebody has seen to it."""
PARKED_AGAIN_S = 600.0
"""Parked rows get another chance so often, within a run too."""

_log = logging.getLogger(__name__)


def backoff() -> wait_base:
    """Full jitter: a random time between 0 and a limit that doubles from 0.25 s up to 30 s."""
    return wait_random_exponential(multiplier=0.25, max=30)


class _Waits(wait_base):
    """As `usual`; but where tap is not let in, only now and then."""

    def __init__(self, usual: wait_base) -> None:
        self._usual = usual

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome is not None else None
        usual = self._usual(retry_state)
        denied = isinstance(error, BookError) and error.code is Code.DENIED
        return max(usual, PAUSE_S) if denied else usual


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """Counts of rows; `oldest_ms` is since when (Unix ms) the oldest pending one waits.

    `reason` says in a sentence why the way is closed, None while it is open; `way_since_ms` is
    since when (Unix ms) it stands as it does, None where that is from the start. `requests`
    counts those made.
    """

    pending: int
    sent: int
    parked: int
    oldest_ms: float | None
    reason: str | None
    way: Way = Way.OPEN
    way_since_ms: float | None = None
    requests: int = 0


class Outbox:
    """Sends what is in `queue` to `store` on a thread of its own, from `start` to `stop`."""

    def __init__(
        self,
        queue: Queue,
        store: LedgerStore,
        *,
        wait: wait_base | None = None,
        clock: Clock | None = None,
        per_second: float | None = None,
    ) -> None:
        """`per_second` bounds the requests made while catching up; the store's own bound, if it
        has one, where None."""
        self._queue = queue
        self._store = store
        self._clock = clock or SystemClock()
        self._wait = _Waits(wait or backoff())
        per_second = per_second or getattr(store, "requests_per_second", None)
        self._apart_s = 1.0 / per_second if per_second else 0.0
        self._limit = MAX_ROWS
        self._circuit = Circuit()
        self._doubt = Doubt()
        self._told = Way.OPEN
        self._requests = 0
        self._parked_at = 0.0
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._hurry = threading.Event()
        self._empty = threading.Condition()
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------ from outside

    def start(self) -> None:
        """Begin to send. Rows that were parked in an earlier run get another chance."""
        self._queue.unpark()
        self._parked_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="tap-outbox", daemon=True)
        self._thread.start()

    def notify(self) -> None:
        """There are new rows. Returns at once."""
        self._news.set()

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing is pending, at most `timeout_s`; tries at once if it was resting."""
        if self._thread is None:
            return self._is_empty()
        with self._empty:
            self._hurry.set()
            self._news.set()
            return self._empty.wait_for(self._is_empty, timeout_s)

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the thread after the request in flight. What is pending stays pending."""
        self._stopping.set()
        self._hurry.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def status(self) -> OutboxStatus:
        """How things stand."""
        tally, circuit = self._queue.tally(), self._circuit
        return OutboxStatus(
            tally.pending,
            tally.sent,
            tally.parked,
            tally.oldest_ms,
            reason=circuit.reason,
            way=circuit.way,
            way_since_ms=circuit.since_ms,
            requests=self._requests,
        )

    # ------------------------------------------------------------------ one request

    def push(self) -> bool:
        """Send one batch; False if there was none.

        Raises what closed the way; the batch then stays where it is, to be sent again.
        """
        batch = self._queue.head(self._limit, MAX_BYTES)
        if not batch:
            return False
        self._requests += 1
        try:
            self._send(batch)
        except Exception as error:
            if not self._is_row(error, batch):
                self._failed(batch, error)
                raise
            self._refused(batch, error)
        else:
            self._queue.mark_sent(batch)
            self._doubt.passed(whole=self._limit == MAX_ROWS)
            self._limit = min(MAX_ROWS, 2 * self._limit)
        self._circuit = self._circuit.opened(self._clock.now_ms())
        self._told = Way.OPEN
        return True

    def _is_row(self, error: Exception, batch: Sequence[Waiting]) -> bool:
        """Whether the batch is at fault, and not the way."""
        if isinstance(error, ValidationError):
            return True
        if not isinstance(error, BookError):
            return False
        if error.code is not Code.SUSPECT:
            return error.refused
        if batch[0].op is Op.SESSION:
            return False  # without it every other row would be refused
        doubted = self._doubt.failed() and self._store.answers()
        if doubted:
            self._doubt.narrowed(alone=len(batch) == 1)
        return doubted

    def _send(self, batch: Sequence[Waiting]) -> None:
        bodies = [row.body for row in batch]
        match batch[0].op:
            case Op.SESSION:
                self._store.start_session(SessionRow.model_validate(bodies[0]))
            case Op.CAMERA:
                self._store.upsert_cameras([CameraRow.model_validate(b) for b in bodies])
            case Op.EVENT:
                self._store.append_events([DirectorEventRow.model_validate(b) for b in bodies])
            case Op.STILL:
                self._store.add_stills([StillRow.model_validate(b) for b in bodies])
            case Op.COMPLETION:
                self._complete(bodies[0])

    def _complete(self, body: dict[str, Any]) -> None:
        state = FinalState.model_validate(body["finalState"])
        self._store.complete_session(body["key"], body["endedAtMs"], state)

    def _refused(self, batch: Sequence[Waiting], fault: Exception) -> None:
        """Look in the first half."""
        if len(batch) > 1:
            self._limit = len(batch) // 2
            return
        _log.warning("parked %s: %s", batch[0].key, fault)
        self._queue.park(batch[0], str(fault))
        self._parked_at = time.monotonic()
        self._limit = MAX_ROWS

    def _failed(self, batch: Sequence[Waiting], error: Exception) -> None:
        self._circuit = self._circuit.failed(error, self._clock.now_ms())
        self._queue.mark_failed(batch, self._circuit.reason or "")

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        retrying = Retrying(
            retry=retry_if_exception_type(Exception),
            wait=self._wait,
            stop=stop_when_event_set(self._stopping),
            sleep=self._rest,
            before_sleep=self._tell,
            retry_error_callback=lambda state: False,
        )
        while not self._stopping.is_set():
            self._news.clear()
            # Looked at after `clear`, so that rows which come now are news for the next round.
            if retrying(self.push):
                self._stopping.wait(self._apart_s)
                continue
            self._hurry.clear()
            with self._empty:
                self._empty.notify_all()
            if not self._news.wait(PARKED_AGAIN_S) or self._is_time_again():
                self._unpark()
            self._rest(GATHER_S)

    def _is_time_again(self) -> bool:
        return time.monotonic() - self._parked_at > PARKED_AGAIN_S

    def _unpark(self) -> None:
        """Whatever was wrong with the parked rows may be mended by now."""
        self._parked_at = time.monotonic()
        if not self._stopping.is_set() and self._queue.tally().parked:
            self._queue.unpark()

    def _rest(self, seconds: float) -> None:
        """Wait before the next request, unless somebody is in a hurry."""
        self._hurry.wait(seconds)
        self._hurry.clear()

    def _tell(self, state: RetryCallState) -> None:
        """A way that has just closed is worth a line; that it is closed still is not."""
        error = state.outcome.exception() if state.outcome is not None else None
        if error is None:
            return
        if isinstance(error, Exception):
            self._circuit = self._circuit.failed(error, self._clock.now_ms())
        if self._circuit.way is Way.PAUSED and self._told is not Way.PAUSED:
            _log.error("tap is not let in, rows wait: %s", self._circuit.reason)
        elif state.attempt_number == 1:
            level = logging.WARNING if isinstance(error, LedgerError) else logging.ERROR
            _log.log(level, "the ledger can't be written now, rows wait: %s", self._circuit.reason)
        self._told = self._circuit.way

    def _is_empty(self) -> bool:
        return self._queue.tally().pending == 0
