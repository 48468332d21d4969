"""What a running session tells those who look on: plain values, no behaviour of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tap.vocabulary import ShotState, Verdict


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One feed at this moment.

    `fps` counts distinct pictures, not repeats; `size` is (width, height) of the full picture;
    `delay_ms` how late the program shows this camera; `jitter_ms` how unevenly its pictures come;
    `age_ms` the time since its last picture;
    `note` a plain sentence on what is wrong. None where it isn't known (yet).
    """

    id: str
    state: str
    fps: float | None = None
    size: tuple[int, int] | None = None
    delay_ms: float | None = None
    age_ms: float | None = None
    dropped: int = 0
    note: str | None = None
    jitter_ms: float | None = None
    role: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """How the books stand: rows written, facts that still wait, a plain sentence if it is ill.

    `way` is open, closed or paused (tap is not let in) for `way_ms` now; `oldest_ms` is how long
    the oldest row has been waiting; `parked` rows were refused.
    """

    rows: int = 0
    waiting: int = 0
    note: str | None = None
    parked: int = 0
    way: str = "open"
    way_ms: float | None = None
    oldest_ms: float | None = None


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """A session at one moment.

    `state`, `camera`, `confidence` and the runner-up are provisional: what the program shows now
    as far as can be told. `verdicts` is the tail, oldest first; `counts` says how many of each
    code there are in all. `total_ms` is None where no end is known.
    """

    session: str
    elapsed_ms: float
    title: str | None = None
    started_ms: float | None = None
    """When this run of tap began to look, Unix ms."""
    mode: str | None = None
    """As the configuration or the director said last."""
    hold: bool = False
    """Whether the director holds the camera that is on."""
    stills: int = 0
    """Stills that the director took."""
    total_ms: float | None = None
    feeds: tuple[FeedStatus, ...] = ()
    state: ShotState = ShotState.UNSEEN
    camera: str | None = None
    confidence: float = 0.0
    runner_up: str | None = None
    runner_up_confidence: float = 0.0
    director: str | None = None
    """The state of the director's wire in a word, e.g. "live"; None where there is none."""
    claims: int = 0
    verdicts: tuple[Verdict, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    ledger: LedgerStatus = field(default_factory=LedgerStatus)

    def as_json(self) -> dict[str, Any]:
        """The status for programs, in camelCase like all that tap writes."""
        return {
            "type": "status",
            "session": self.session,
            "title": self.title,
            "startedMs": None if self.started_ms is None else round(self.started_ms),
            "elapsedMs": round(self.elapsed_ms),
            "totalMs": None if self.total_ms is None else round(self.total_ms),
            "mode": self.mode,
            "hold": self.hold,
            "stills": self.stills,
            "program": {
                "state": self.state.value,
                "camera": self.camera,
                "confidence": self.confidence,
                "runnerUp": self.runner_up,
                "runnerUpConfidence": self.runner_up_confidence,
            },
            "feeds": [
                {
                    "id": feed.id,
                    "role": feed.role,
                    "label": feed.label,
                    "state": feed.state,
                    "fps": feed.fps,
                    "size": feed.size,
                    "delayMs": feed.delay_ms,
                    "jitterMs": feed.jitter_ms,
                    "ageMs": feed.age_ms,
                    "dropped": feed.dropped,
                    "note": feed.note,
                }
                for feed in self.feeds
            ],
            "director": self.director,
            "claims": self.claims,
            "counts": dict(self.counts),
            "ledger": {
                "rows": self.ledger.rows,
                "waiting": self.ledger.waiting,
                "note": self.ledger.note,
                "parked": self.ledger.parked,
                "way": self.ledger.way,
                "wayMs": self.ledger.way_ms,
                "oldestMs": self.ledger.oldest_ms,
            },
        }
