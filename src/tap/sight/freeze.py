"""Notices that the program stands still while its camera moves."""

import numpy as np

from tap.sight.evidence import Evidence
from tap.vocabulary import Event, EventType, Luma

_SURE = 3
"""Repeats in a row before a freeze is suspected: frame-rate conversion repeats single frames."""
_POP = 0.8
"""Mean grey levels that an encoder may change in a frozen picture (key frames)."""
_MOVING = 0.01
"""Part of all information by which a camera's frames must differ, to count as moving."""


class FreezeWatch:
    """Follows program pictures in order."""

    def __init__(self, freeze_ms: float) -> None:
        self._freeze_ms = freeze_ms
        self._anchor: Luma | None = None
        self._start: Evidence | None = None
        self._end_ms = 0.0
        self._repeats = 0
        self._moved = False
        self._events: list[Event] = []

    @property
    def frozen(self) -> bool:
        """Whether the newest picture is one of several equal ones."""
        return self._repeats >= _SURE

    def look(self, evidence: Evidence) -> None:
        """Take the next program picture."""
        if self._anchor is not None and (evidence.repeat or (self.frozen and self._same(evidence))):
            self._repeats += 1
            self._end_ms = evidence.at_ms
            self._moved = self._moved or _moves(evidence)
            return
        self._close()
        self._anchor, self._start = evidence.luma, evidence
        self._end_ms, self._repeats, self._moved = evidence.at_ms, 0, False

    def finish(self) -> None:
        """Nothing follows, or nothing did for a while: what was not seen is not frozen."""
        self._close()
        self._anchor = self._start = None
        self._repeats = 0

    def take(self) -> list[Event]:
        """Events since the last call."""
        out, self._events = self._events, []
        return out

    def _same(self, evidence: Evidence) -> bool:
        anchor = self._anchor
        if anchor is None or anchor.shape != evidence.luma.shape:
            return False
        change = np.abs(evidence.luma[::4].astype(np.int16) - anchor[::4])
        return float(change.mean()) < _POP

    def _close(self) -> None:
        start = self._start
        if start is None or not self.frozen or not self._moved:
            return
        lasted = self._end_ms - start.at_ms
        if lasted >= self._freeze_ms and start.on_camera and not start.flat:
            self._events.append(
                Event(
                    id=f"{EventType.FREEZE.value}-{start.at_ms:.0f}",
                    type=EventType.FREEZE,
                    at_ms=start.at_ms,
                    duration_ms=lasted,
                    confidence=0.9,
                    frame=start.index,
                )
            )


def _moves(evidence: Evidence) -> bool:
    """Whether the best camera's recent frames differ from each other, as this picture sees them."""
    best = evidence.best
    match = evidence.matches[best] if best is not None else None
    if match is None or len(match.curve) < 2:
        return False
    return float(match.curve.max() - match.curve.min()) > _MOVING * float(match.curve.max()) + 1.0
