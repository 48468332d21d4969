"""Brings the waiting rows to the ledger, in order, however long the way is closed.

One request is in flight at a time. A way that is closed is tried again for ever; a row that the
ledger refuses is narrowed down by smaller batches, parked with the reason, and passed by.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_when_event_set
from tenacity.wait import wait_base, wait_random_exponential

from tap.errors import LedgerError
from tap.ledger.faults import BookError
from tap.ledger.queue import Op, Queue, Waiting
from tap.ledger.rows import CameraRow, DirectorEventRow, FinalState, SessionRow, StillRow
from tap.ledger.store import LedgerStore

MAX_ROWS = 100
MAX_BYTES = 512 * 1024
GATHER_S = 0.1
"""After news the sender waits for this long, so that rows made together go together."""

_log = logging.getLogger(__name__)


def backoff() -> wait_base:
    """Full jitter: a random time between 0 and a limit that doubles from 0.25 s up to 30 s."""
    return wait_random_exponential(multiplier=0.25, max=30)


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """Counts of rows; `oldest_ms` is since when (Unix ms) the oldest pending one waits.

    `reason` says in a sentence why the way is closed, None while it is open.
    """

    pending: int
    sent: int
    parked: int
    oldest_ms: float | None
    reason: str | None


class Outbox:
    """Sends what is in `queue` to `store` on a thread of its own, from `start` to `stop`."""

    def __init__(self, queue: Queue, store: LedgerStore, *, wait: wait_base | None = None) -> None:
        self._queue = queue
        self._store = store
        self._wait = wait or backoff()
        self._limit = MAX_ROWS
        self._reason: str | None = None
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._hurry = threading.Event()
        self._empty = threading.Condition()
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------ from outside

    def start(self) -> None:
        """Begin to send. Rows that were parked in an earlier run get another chance."""
        self._queue.unpark()
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
        tally = self._queue.tally()
        return OutboxStatus(
            tally.pending, tally.sent, tally.parked, tally.oldest_ms, reason=self._reason
        )

    # ------------------------------------------------------------------ one request

    def push(self) -> bool:
        """Send one batch; False if there was none.

        Raises what closed the way; the batch then stays where it is, to be sent again.
        """
        batch = self._queue.head(self._limit, MAX_BYTES)
        if not batch:
            return False
        try:
            self._send(batch)
        except (BookError, ValidationError) as fault:
            if isinstance(fault, BookError) and not fault.refused:
                self._failed(batch, fault)
                raise
            self._refused(batch, fault)
        except Exception as error:
            self._failed(batch, error)
            raise
        else:
            self._queue.mark_sent(batch)
            self._limit = min(MAX_ROWS, 2 * self._limit)
        self._reason = None
        return True

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
        """One row of the batch is at fault: park it if it is alone, else look in the first half."""
        if len(batch) > 1:
            self._limit = len(batch) // 2
            return
        _log.warning("parked %s: %s", batch[0].key, fault)
        self._queue.park(batch[0], str(fault))
        self._limit = MAX_ROWS

    def _failed(self, batch: Sequence[Waiting], error: Exception) -> None:
        self._reason = str(error) or type(error).__name__
        self._queue.mark_failed(batch, self._reason)

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
            if not retrying(self.push):
                self._hurry.clear()
                with self._empty:
                    self._empty.notify_all()
                self._news.wait()
                self._rest(GATHER_S)

    def _rest(self, seconds: float) -> None:
        """Wait before the next request, unless somebody is in a hurry."""
        self._hurry.wait(seconds)
        self._hurry.clear()

    def _tell(self, state: RetryCallState) -> None:
        """A way that has just closed is worth a line; that it is closed still is not."""
        error = state.outcome.exception() if state.outcome is not None else None
        self._reason = str(error) or type(error).__name__
        if state.attempt_number == 1:
            level = logging.WARNING if isinstance(error, LedgerError) else logging.ERROR
            _log.log(level, "the ledger can't be written now, rows wait: %s", self._reason)

    def _is_empty(self) -> bool:
        return self._queue.tally().pending == 0
