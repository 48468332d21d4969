"""Holds what the witness said against what the soak's shoot did."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.soak.shoot import CAMERAS, DARK
from tap.vocabulary import PROGRAM, Verdict, VerdictCode, Witness

BEFORE_MS, AFTER_MS = 4000.0, 2000.0
"""A fault hurts until so long after its end (a cut may wait for its message, a feed for its next
attempt), and what is seen that long before it."""
TOLD_MS = 1300.0
"""A feed that gives nothing (new) for longer than this must have a gap in the record."""
_LOSES = {"kill", "pause", "blocked", "refused", "half-open", "restart", "frozen", "stuck"}
_TRUE = {VerdictCode.AGREE, VerdictCode.UNSEEN, VerdictCode.AMBIGUOUS}
"""Of a cut that was told and came: that it came, that nobody could see it, that nobody can tell."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of Unix ms in which something was wrong with a feed."""

    start_ms: float
    end_ms: float
    feed: str
    what: str

    def near(self, at_ms: float) -> bool:
        """Whether it may matter to what happens at that time."""
        return self.start_ms - AFTER_MS < at_ms < self.end_ms + BEFORE_MS


def score(witness: Witness, told: dict[str, Any], ended_ms: float) -> dict[str, Any]:
    """Cuts outside faults and near them, verdicts that are false, gaps with their reasons."""
    faults = [Span(*fault) for fault in told["faults"]]
    gaps = gaps_of(witness)
    return {**_cuts(witness, told, ended_ms, faults, gaps), **_gaps(faults, gaps, ended_ms)}


def gaps_of(witness: Witness) -> list[Span]:
    """Where the record says that tap saw nothing of a feed, and why."""
    cameras = [Span(s, e, seen.id, why) for seen in witness.cameras for s, e, why in seen.gaps]
    return cameras + [Span(s, e, PROGRAM, why) for s, e, why in witness.coverage.unseen]


def _cuts(
    witness: Witness,
    told: dict[str, Any],
    ended_ms: float,
    faults: list[Span],
    gaps: list[Span],
) -> dict[str, Any]:
    verdicts = {v.claim_id: v for v in witness.verdicts if v.claim_id}
    outside: Counter[str] = Counter()
    near: Counter[str] = Counter()
    false: list[str] = []
    live = CAMERAS[0]
    course: list[tuple[float, str]] = [(0.0, live)]
    for at_ms, camera, name in told["cuts"]:
        if at_ms > ended_ms - 5000:
            break
        concerned = {PROGRAM, live, camera}
        hurt = [s for s in (*faults, *gaps) if s.feed in concerned and s.near(at_ms)]
        verdict = verdicts.get(name)
        code = verdict.code.value if verdict is not None else "never heard"
        (near if hurt else outside)[code] += 1
        dark = any(s.what == DARK for s in hurt)
        if verdict is None or (verdict.code not in _TRUE and not dark):
            text = verdict.text if verdict is not None else ""
            false.append(f"{at_ms:.0f} {name} {live} to {camera}: {code}. {text} {_words(hurt)}")
        live = camera
        course.append((at_ms, live))
    alone = [v for v in witness.verdicts if v.claim_id is None]
    dark_ones = [v for v in alone if _is_dark(v, course, faults)]
    for verdict in alone:
        if verdict.code is not VerdictCode.UNSEEN and verdict not in dark_ones:
            hurt = [s for s in (*faults, *gaps) if s.near(verdict.at_ms)]
            false.append(f"{verdict.at_ms:.0f} {verdict.code.value}. {verdict.text} {_words(hurt)}")
    return {
        "cuts_outside": dict(outside),
        "cuts_near": dict(near),
        "dark_unannounced": len(dark_ones),
        "false_verdicts": false,
    }


def _is_dark(verdict: Verdict, course: list[tuple[float, str]], faults: list[Span]) -> bool:
    """Whether the camera that was live went black or came back, which nobody tells."""
    around = verdict.at_ms - BEFORE_MS, verdict.at_ms + AFTER_MS
    live = {
        camera
        for n, (start, camera) in enumerate(course)
        if start < around[1] and (n + 1 == len(course) or course[n + 1][0] > around[0])
    }
    edges = [
        edge for s in faults if s.what == DARK and s.feed in live for edge in (s.start_ms, s.end_ms)
    ]
    # A cut to a camera that is black, or away from it, is a cut to black, or from it.
    edges += [
        start
        for (_, before), (start, after) in pairwise(course)
        for s in faults
        if s.what == DARK and s.feed in (before, after) and s.start_ms < start < s.end_ms + 500
    ]
    return any(-500 < verdict.at_ms - edge < 1500 for edge in edges)


def _words(hurt: list[Span]) -> str:
    return f"({', '.join(f'{s.feed} {s.what}' for s in hurt) or 'no fault near'})"


def _gaps(faults: list[Span], gaps: list[Span], ended_ms: float) -> dict[str, Any]:
    """Each gap by feed and reason; gaps that no fault explains, faults that no gap tells of."""
    reasons = Counter(f"{gap.feed}: {gap.what}" for gap in gaps)
    causes = {
        id(gap): [s for s in faults if s.feed in (gap.feed, *_named(gap)) and s.near(gap.start_ms)]
        for gap in gaps
    }
    odd = [gap for gap in gaps if not causes[id(gap)] and gap.end_ms < ended_ms - 3000]
    untold = [
        f"{s.start_ms:.0f} {s.feed} {s.what} for {s.end_ms - s.start_ms:.0f} ms"
        for s in faults
        if s.what in _LOSES
        and s.end_ms - s.start_ms > TOLD_MS
        and not any(
            g.feed == s.feed and g.start_ms < s.end_ms and s.start_ms < g.end_ms for g in gaps
        )
    ]
    return {
        "gaps": dict(sorted(reasons.items())),
        "gaps_without_fault": [
            f"{g.start_ms:.0f} {g.feed} for {g.end_ms - g.start_ms:.0f} ms: {g.what}" for g in odd
        ],
        "faults_without_gap": untold,
    }


def _named(gap: Span) -> list[str]:
    """The cameras that the reason of an unseen stretch of the program names."""
    return [camera for camera in CAMERAS if camera in gap.what]
