"""What to leave out when pictures come faster than they are decoded."""

from tap.feeds.multipart import Part


class Backlog:
    """Latest wins, but only under lasting pressure.

    A burst after a hiccup of the network is decoded whole. Only when the connection was never
    found empty for `behind_ms` are all but the newest picture dropped, and one is decoded every
    `behind_ms`, so that a server without any pace can't starve its viewer.
    """

    def __init__(self, behind_ms: float, now_ms: float) -> None:
        self._behind_ms = behind_ms
        self._abreast_ms = now_ms
        self._decoded_ms = now_ms
        self._held: Part | None = None
        self.dropped = 0
        """Parts left out."""

    @property
    def held_ms(self) -> float | None:
        """When the picture arrived that is held back, if one is."""
        return self._held.at_ms if self._held is not None else None

    def due(self, parts: list[Part], now_ms: float) -> list[Part]:
        """Which parts to decode now that these have come."""
        if not parts:
            return []
        waiting = [self._held, *parts] if self._held is not None else parts
        self._held = None
        if now_ms - self._abreast_ms < self._behind_ms:
            self._decoded_ms = now_ms
            return waiting
        self.dropped += len(waiting) - 1
        if now_ms - self._decoded_ms >= self._behind_ms:
            self._decoded_ms = now_ms
            return waiting[-1:]
        self._held = waiting[-1]
        return []

    def empty(self, now_ms: float) -> list[Part]:
        """The connection holds nothing more for now; returns what was held back."""
        self._abreast_ms = self._decoded_ms = now_ms
        held, self._held = self._held, None
        return [] if held is None else [held]
