"""Facts that the journal has no room for: held in memory, in order, until there is some again.

A disk that is full, or that can't be written for a while, is no end of a shoot. Pictures are
given up first, to make room; facts are never dropped.
"""

import logging
import time
from collections import deque
from collections.abc import Callable

from tap.ledger import BookError, Code

MOST_HELD = 100_000
"""Facts in memory before tap gives up: hours of a shoot, some hundred MB."""
ROOM_BYTES = 8 * 2**20
"""As much is freed at a time, by giving up pictures."""
_AGAIN_S = 0.5

_WAITED_FOR = frozenset({Code.NO_ROOM, Code.READ_ONLY, Code.LOCKED, Code.FAILED})

_log = logging.getLogger(__name__)

Write = Callable[[], object]


class Patience:
    """Writes in order; what can't be written now is held. One thread at a time may use it."""

    def __init__(self, make_room: Callable[[int], int]) -> None:
        """`make_room` frees about so many bytes, and says how many it could."""
        self._make_room = make_room
        self._held: deque[Write] = deque()
        self._tried_at = 0.0
        self.reason: str | None = None
        """Why facts are held, in a sentence; None while none are."""

    @property
    def held(self) -> int:
        """How many facts are in memory only."""
        return len(self._held)

    def write(self, write: Write) -> None:
        """Write a fact, or hold it. Raises `BookError` for what waiting does not mend."""
        if len(self._held) >= MOST_HELD:
            raise BookError(
                Code.NO_ROOM,
                f"Expected room in the journal, found none for {len(self._held)} facts "
                f"({self.reason}); make room and start tap again.",
            )
        self._held.append(write)
        self.catch_up()

    def catch_up(self, *, at_once: bool = False) -> bool:
        """Write what is held, as far as it goes; whether nothing is held any more."""
        now = time.monotonic()
        if self.reason is not None and not at_once and now - self._tried_at < _AGAIN_S:
            return False
        self._tried_at = now
        while self._held:
            try:
                self._held[0]()
            except BookError as error:
                if error.code not in _WAITED_FOR:
                    self._held.popleft()
                    raise
                if error.code is Code.NO_ROOM and self._make_room(ROOM_BYTES):
                    continue
                if self.reason is None:
                    _log.error("facts are held in memory: %s", error)
                self.reason = str(error)
                return False
            self._held.popleft()
        self.reason = None
        return True

    def settle(self, patience_s: float) -> None:
        """Wait for room at the end. Raises `BookError` where none comes."""
        until = time.monotonic() + patience_s
        while not self.catch_up(at_once=True):
            if time.monotonic() > until:
                raise BookError(
                    Code.NO_ROOM,
                    f"Expected room in the journal at the end, found none for {self.held} facts "
                    f"({self.reason}); they are lost with this tap. The recording, if there is "
                    "one, has them.",
                )
            time.sleep(_AGAIN_S)
