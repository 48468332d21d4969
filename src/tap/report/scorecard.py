"""The scorecard: how the show was switched, in numbers and small bars.

Everything is counted from the record and the findings; nothing is measured anew.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tap.report import wording
from tap.report.findings import Finding
from tap.vocabulary import (
    COMMANDED,
    Claim,
    ShotState,
    VerdictCode,
    Witness,
)

CALL_BINS_MS = (-200, 0, 100, 200, 300, 500, 750, 1000, 1500, 2000, 3000)
HOLD_BINS_S = (0, 1, 2, 3, 5, 8, 13, 21, 34, 60)
RHYTHM_BARS = 48
"""Bars of the rhythm at most: each a whole number of minutes, or the tenth of one."""
_ARRIVED = frozenset(
    {VerdictCode.AGREE, VerdictCode.LATE, VerdictCode.EARLY, VerdictCode.SOFT, VerdictCode.REVERTED}
)


@dataclass(frozen=True, slots=True)
class Bars:
    """A small bar chart: what it shows, and (label, count, share of the largest) for each bar."""

    title: str
    note: str
    bars: tuple[tuple[str, int, float], ...]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Figures as (name, value) in words, charts, and each camera's share of the program."""

    figures: tuple[tuple[str, str], ...]
    charts: tuple[Bars, ...]
    shares: tuple[tuple[str, str, str, int], ...]
    """(camera, time on program, share, times it came on)."""


def score(witness: Witness, findings: Sequence[Finding]) -> Scorecard:
    """The scorecard of a session."""
    lags = sorted(
        f.lag_ms
        for f in findings
        if f.verdict in _ARRIVED and f.lag_ms is not None and _cut(f.claim)
    )
    holds = sorted(
        (shot.end_ms - shot.start_ms) / 1000
        for shot in witness.shots
        if shot.state is ShotState.LIVE
    )
    changes = [event.at_ms for event in witness.events if event.type in COMMANDED]
    codes = Counter(finding.verdict for finding in findings)
    told = sum(1 for finding in findings if _cut(finding.claim))
    minutes = _length_ms(witness) / 60_000
    figures = [
        ("Changes announced", str(told)),
        ("Changes seen", str(len(changes))),
        ("Never happened", str(codes[VerdictCode.MISSED])),
        ("Not announced", str(codes[VerdictCode.UNANNOUNCED])),
        ("Wrong camera", str(codes[VerdictCode.WRONG_CAMERA])),
        ("Call to air, median", _ms(_at(lags, 0.5))),
        ("Call to air, 9 of 10 within", _ms(_at(lags, 0.9))),
        ("Shot length, median", _s(_at(holds, 0.5))),
        ("Shortest and longest shot", f"{_s(_at(holds, 0.0))}, {_s(_at(holds, 1.0))}"),
        ("Changes a minute", f"{len(changes) / minutes:.1f}" if minutes > 0 else wording.DASH),
    ]
    return Scorecard(
        tuple(figures), tuple(_charts(witness, lags, holds, changes)), _shares(witness)
    )


def _cut(claim: Claim | None) -> bool:
    return claim is not None and claim.type in wording.CHANGES


def _length_ms(witness: Witness) -> float:
    return witness.shots[-1].end_ms - witness.shots[0].start_ms if witness.shots else 0.0


def _at(ordered: Sequence[float], share: float) -> float | None:
    """The value that `share` of them do not exceed (nearest rank)."""
    return ordered[round(share * (len(ordered) - 1))] if ordered else None


def _ms(value: float | None) -> str:
    return wording.lag(value)


def _s(value: float | None) -> str:
    return wording.DASH if value is None else wording.length(value * 1000)


def _charts(
    witness: Witness, lags: Sequence[float], holds: Sequence[float], changes: Sequence[float]
) -> list[Bars]:
    charts: list[Bars] = []
    if lags:
        note = "from the director's message to the first picture, ms"
        charts.append(_histogram("Call to air", note, lags, CALL_BINS_MS))
    if holds:
        note = "how long one camera stayed on, s"
        charts.append(_histogram("Shot lengths", note, holds, HOLD_BINS_S))
    if changes and witness.shots:
        charts.append(_rhythm(witness.shots[0].start_ms, _length_ms(witness), changes))
    return charts


def _histogram(title: str, note: str, values: Sequence[float], edges: Sequence[int]) -> Bars:
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[sum(value >= edge for edge in edges)] += 1
    labels = [
        f"under {edges[0]}",
        *(f"{low} to {high}" for low, high in pairwise(edges)),
        f"{edges[-1]} and more",
    ]
    used = [n for n, count in enumerate(counts) if count]
    kept = range(used[0], used[-1] + 1)
    return _bars(title, note, [(labels[n], counts[n]) for n in kept])


def _rhythm(start_ms: float, length_ms: float, changes: Sequence[float]) -> Bars:
    step = next(
        (s for s in (6e3, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5) if length_ms / s <= RHYTHM_BARS), 36e5
    )
    number = min(200, max(1, math.ceil(length_ms / step)))
    counts = [0] * number
    for at_ms in changes:
        counts[min(number - 1, max(0, int((at_ms - start_ms) // step)))] += 1
    note = f"changes in each {wording.length(step)}"
    bars = [(wording.offset(n * step, 0)[:-4], count) for n, count in enumerate(counts)]
    return _bars("Rhythm", note, bars)


def _bars(title: str, note: str, bars: Sequence[tuple[str, int]]) -> Bars:
    largest = max((count for _, count in bars), default=0) or 1
    shares = tuple((label, count, round(count / largest, 4)) for label, count in bars)
    return Bars(title, note, shares)


def _shares(witness: Witness) -> tuple[tuple[str, str, str, int], ...]:
    total = _length_ms(witness)
    on: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for shot in witness.shots:
        if shot.state is ShotState.LIVE and shot.camera is not None:
            on[shot.camera] += round(shot.end_ms - shot.start_ms)
            times[shot.camera] += 1
    cameras = list(dict.fromkeys([*(seen.id for seen in witness.cameras), *on]))
    return tuple(
        (
            camera,
            wording.length(on[camera]),
            wording.percent(on[camera] / total) if total > 0 else wording.DASH,
            times[camera],
        )
        for camera in cameras
    )
