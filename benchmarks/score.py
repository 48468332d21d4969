"""Scores what tap said (`tap-witness/1`) against what was so (`tap-truth/1`).

    python -m benchmarks.score WITNESS TRUTH [WITNESS TRUTH ...] [--json]

`score` compares one pair, `merge` pools several: all figures come from counts, so a pooled figure
weighs each frame and each cut alike. What each figure means: benchmarks/README.md.
"""

import json
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.documents import (
    BadDocumentError,
    Change,
    Document,
    Finding,
    Span,
    load,
    read_truth,
    read_witness,
)
from tap.vocabulary import DISAGREEMENTS, SOFT, VerdictCode

EDGE_FRAMES = 1
CUT_FRAMES = 1
SOFT_FRAMES = 4
CONFIDENT = 0.95
BINS = 20
SOFT_TYPES = frozenset(kind.value for kind in SOFT)
FAULT_CODES = frozenset(code.value for code in DISAGREEMENTS)
JUDGED = FAULT_CODES | {VerdictCode.AGREE.value}
"""Verdicts that are always held to account; others only on claims of which the truth speaks."""

Counts = npt.NDArray[np.float64]


def _bins() -> Counts:
    return np.zeros((BINS, 3))


@dataclass(slots=True)
class Match:
    """How two lists of things compare."""

    hits: int = 0
    false: int = 0
    missed: int = 0

    @property
    def precision(self) -> float | None:
        """Of what was said, how much is so; None where nothing was said."""
        return _ratio(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float | None:
        """Of what is so, how much was said; None where there was nothing to say."""
        return _ratio(self.hits, self.hits + self.missed)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None where there was nothing to say and nothing was said."""
        return _ratio(2 * self.hits, 2 * self.hits + self.false + self.missed)

    def __add__(self, other: "Match") -> "Match":
        """Both together."""
        return Match(self.hits + other.hits, self.false + other.false, self.missed + other.missed)


@dataclass(slots=True)
class Scores:
    """The counts of one comparison or of several; figures are None where nothing was counted.

    `bins` holds per bin of confidence: frames, sum of confidence, frames that were right.
    """

    frames: int = 0
    frames_right: int = 0
    frames_asserted: int = 0
    confident: int = 0
    confident_wrong: int = 0
    squared_error: float = 0.0
    bins: Counts = field(default_factory=_bins)
    cuts: Match = field(default_factory=Match)
    soft: Match = field(default_factory=Match)
    soft_kind_right: int = 0
    verdicts: Match = field(default_factory=Match)
    faults: Match = field(default_factory=Match)
    hours: float = 0.0
    delay_errors_ms: tuple[float, ...] = ()
    off_camera: int = 0
    off_camera_said: int = 0
    off_camera_blamed: int = 0
    ambiguous: Match = field(default_factory=Match)

    def figures(self) -> dict[str, float | int | None]:
        """All figures by name, ready for JSON."""
        delays = self.delay_errors_ms
        return {
            "frames": self.frames,
            "frameAccuracy": _ratio(self.frames_right, self.frames),
            "coverage": _ratio(self.frames_asserted, self.frames),
            "confidentWrongFrames": self.confident_wrong,
            "confidentWrongRate": _ratio(self.confident_wrong, self.confident),
            "confidentWrongShare": _ratio(self.confident_wrong, self.frames),
            "brier": _ratio(self.squared_error, self.frames_asserted),
            "calibrationError": self._calibration_error(),
            "cutF1": self.cuts.f1,
            "cutPrecision": self.cuts.precision,
            "cutRecall": self.cuts.recall,
            "falseCutsPerHour": _ratio(self.cuts.false, self.hours),
            "falseChangesPerHour": _ratio(self.cuts.false + self.soft.false, self.hours),
            "softF1": self.soft.f1,
            "softKindAccuracy": _ratio(self.soft_kind_right, self.soft.hits),
            "verdictPrecision": self.verdicts.precision,
            "verdictRecall": self.verdicts.recall,
            "faultPrecision": self.faults.precision,
            "faultRecall": self.faults.recall,
            "delayErrorMedianMs": float(np.median(delays)) if delays else None,
            "delayErrorMaxMs": max(delays) if delays else None,
            "offCameraSaid": _ratio(self.off_camera_said, self.off_camera),
            "offCameraBlamed": _ratio(self.off_camera_blamed, self.off_camera),
            "ambiguousPrecision": self.ambiguous.precision,
            "ambiguousRecall": self.ambiguous.recall,
        }

    def _calibration_error(self) -> float | None:
        """Expected calibration error: said against so, bin by bin of confidence."""
        said_and_so = np.abs(self.bins[:, 1] - self.bins[:, 2]).sum()
        return _ratio(float(said_and_so), self.frames_asserted)


def score(witness: Mapping[str, Any], truth: Mapping[str, Any]) -> Scores:
    """Compare a `tap-witness/1` with a `tap-truth/1` document. Raises BadDocumentError."""
    said, so = read_witness(witness), read_truth(truth)
    scores = Scores(hours=len(so.spans) * so.frame_interval_ms / 3_600_000.0)
    _score_frames(said, so, scores)
    times = [frame.start_ms for frame in so.spans]
    _score_changes(said, so, times, scores)
    _score_verdicts(said, so, times, scores)
    scores.delay_errors_ms = tuple(
        _delay_error_ms(said_ms, known, so.delay_ranges.get(name))
        for name, known in so.delays.items()
        if known is not None and (said_ms := said.delays.get(name)) is not None
    )
    return scores


def _delay_error_ms(said: float, known: float, spread: tuple[float, float] | None) -> float:
    """How far off; of a delay that changed over the shoot any value it had is right."""
    if spread is None:
        return abs(known - said)
    return max(spread[0] - said, said - spread[1], 0.0)


def merge(parts: Iterable[Scores]) -> Scores:
    """The scores of several comparisons, pooled."""
    pooled = Scores()
    for part in parts:
        for item in fields(Scores):
            setattr(pooled, item.name, getattr(pooled, item.name) + getattr(part, item.name))
    return pooled


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


# ---------------------------------------------------------------- frames


def _score_frames(said: Document, so: Document, scores: Scores) -> None:
    starts = [shot.start_ms for shot in said.spans]
    for index in away_from_edges(so.spans):
        frame = so.spans[index]
        shot = shot_at(said.spans, starts, frame.start_ms)
        right = shot is not None and is_right(shot, frame)
        if frame.state == "unseen" and (right or shot is None):
            continue  # nothing to see, and nothing wrong was said about it
        scores.frames += 1
        scores.frames_right += right
        _score_doubts(shot, frame, right, scores)
        if shot is None or abstains(shot, frame):
            continue
        scores.frames_asserted += 1
        scores.squared_error += (shot.confidence - right) ** 2
        row = scores.bins[min(BINS - 1, int(shot.confidence * BINS))]
        row += (1.0, shot.confidence, float(right))
        scores.confident += shot.confidence >= CONFIDENT
        scores.confident_wrong += shot.confidence >= CONFIDENT and not right


def _score_doubts(shot: Span | None, frame: Span, right: bool, scores: Scores) -> None:
    """Count what is said where no camera can be named."""
    said = None if shot is None else shot.state
    if frame.state == "off_camera":
        scores.off_camera += 1
        scores.off_camera_said += said == "off_camera"
        scores.off_camera_blamed += said == "live"
    if frame.state == "ambiguous":
        scores.ambiguous += Match(int(right), 0, int(not right))
    elif said == "ambiguous":
        scores.ambiguous += Match(0, 1, 0)


def away_from_edges(frames: Sequence[Span]) -> list[int]:
    """Frames without a change of the truth within `EDGE_FRAMES` of them."""
    labels = [(frame.state, frame.camera, frame.cameras) for frame in frames]
    edges = [index for index in range(1, len(labels)) if labels[index] != labels[index - 1]]
    near = {index for edge in edges for index in range(edge - EDGE_FRAMES, edge + EDGE_FRAMES)}
    return [index for index in range(len(frames)) if index not in near]


def shot_at(shots: Sequence[Span], starts: Sequence[float], at_ms: float) -> Span | None:
    index = bisect_right(starts, at_ms) - 1
    if index < 0:
        return None
    shot = shots[index]
    # The last frame may end the last shot.
    last = index == len(shots) - 1 and at_ms == shot.end_ms
    return shot if at_ms < shot.end_ms or last else None


def is_right(shot: Span, frame: Span) -> bool:
    if frame.state == "unseen":
        return shot.state == "unseen" or shot.camera in frame.cameras
    if frame.state == "ambiguous" and frame.camera is not None and shot.state == "live":
        return shot.camera == frame.camera  # told from its twins by noise alone: good eyes
    if shot.state != frame.state:
        return False
    if frame.state == "live":
        return shot.camera == frame.camera
    if frame.state in {"black", "off_camera"}:
        return True
    return shot.cameras == frame.cameras


def abstains(shot: Span, frame: Span) -> bool:
    """Whether the shot leaves open what the frame shows; that is not right, and not wrong."""
    if shot.state == "unseen":
        return True
    return shot.state == "ambiguous" and frame.state == "live" and frame.camera in shot.cameras


# ---------------------------------------------------------------- changes


def _score_changes(said: Document, so: Document, times: Sequence[float], scores: Scores) -> None:
    blind = [frame.state == "unseen" for frame in so.spans]

    def seen(change: Change) -> bool:
        at = _frame_at(times, change.at_ms)
        return not any(blind[max(0, at - 2) : at + 3])

    told = [change for change in said.changes if seen(change)]
    cuts = _pairs(
        [change for change in told if change.type == "cut"],
        [change for change in so.changes if change.type == "cut"],
        lambda one, other: _apart(times, one.at_ms, other.at_ms) <= CUT_FRAMES,
    )
    soft = _pairs(
        [change for change in told if change.type in SOFT_TYPES],
        [change for change in so.changes if change.type in SOFT_TYPES],
        lambda one, other: _soft_alike(times, one, other),
    )
    scores.cuts = cuts[0]
    scores.soft = soft[0]
    scores.soft_kind_right = sum(one.type == other.type for one, other in soft[1])


def _pairs(
    told: Sequence[Change], so: Sequence[Change], alike: Callable[[Change, Change], bool]
) -> tuple[Match, list[tuple[Change, Change]]]:
    """Pair each true change with the first unpaired told one that is alike and has its target.

    Both lists are in order of time and likeness is a window of time, so taking the first gives
    the most pairs.
    """
    free = list(told)
    pairs: list[tuple[Change, Change]] = []
    for change in so:
        found = next(
            (one for one in free if _same_target(one, change) and alike(one, change)), None
        )
        if found is not None:
            free.remove(found)
            pairs.append((found, change))
    return Match(len(pairs), len(free), len(so) - len(pairs)), pairs


def _same_target(told: Change, so: Change) -> bool:
    return told.to == so.to or (told.to is not None and told.to == so.or_to)


def _soft_alike(times: Sequence[float], one: Change, other: Change) -> bool:
    overlap = min(one.at_ms + one.duration_ms, other.at_ms + other.duration_ms) > max(
        one.at_ms, other.at_ms
    )
    return overlap or _apart(times, one.at_ms, other.at_ms) <= SOFT_FRAMES


def _frame_at(times: Sequence[float], at_ms: float) -> int:
    """Index of the program frame nearest to `at_ms`."""
    after = min(bisect_left(times, at_ms), len(times) - 1)
    before = max(0, after - 1)
    return before if abs(times[before] - at_ms) <= abs(times[after] - at_ms) else after


def _apart(times: Sequence[float], one_ms: float, other_ms: float) -> int:
    return abs(_frame_at(times, one_ms) - _frame_at(times, other_ms))


# ---------------------------------------------------------------- verdicts


def _score_verdicts(said: Document, so: Document, times: Sequence[float], scores: Scores) -> None:
    spoken_of = {finding.claim_id for finding in so.findings if finding.claim_id}
    told = [one for one in said.findings if one.code in JUDGED or one.claim_id in spoken_of]
    told = [one for one in told if one.code != VerdictCode.UNSEEN.value]
    soft = {change.id for change in so.changes if change.type in SOFT_TYPES}
    hits = _verdict_hits(told, so.findings, soft, times)
    scores.verdicts = Match(len(hits), len(told) - len(hits), len(so.findings) - len(hits))
    faults = [one for one in so.findings if one.planted or one.code in FAULT_CODES]
    faults_told = [one for one in told if one.code in FAULT_CODES]
    found = sum(one.planted or one.code in FAULT_CODES for one in hits)
    scores.faults = Match(found, len(faults_told) - found, len(faults) - found)


def _verdict_hits(
    told: Sequence[Finding],
    so: Sequence[Finding],
    soft: set[str],
    times: Sequence[float],
) -> list[Finding]:
    """The true verdicts that were told. A verdict on a claim is known by the claim, another by the
    moment of its event."""
    free = list(told)
    hits: list[Finding] = []
    for finding in so:
        frames = SOFT_FRAMES if finding.event_id in soft else CUT_FRAMES
        for one in free:
            if (one.code, one.claim_id) != (finding.code, finding.claim_id):
                continue
            if finding.claim_id or _apart(times, one.at_ms, finding.at_ms) <= frames:
                free.remove(one)
                hits.append(finding)
                break
    return hits


# ---------------------------------------------------------------- command


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code: 0, or 2 for documents that can't be compared."""
    words = [word for word in arguments if word != "--json"]
    if not words or len(words) % 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        scores = merge(
            score(load(Path(witness)), load(Path(truth)))
            for witness, truth in zip(words[::2], words[1::2], strict=True)
        )
    except BadDocumentError as error:
        print(f"Can't score: {error}.", file=sys.stderr)
        return 2
    figures = scores.figures()
    if "--json" in arguments:
        print(json.dumps(figures, indent=2))
        return 0
    for name, value in figures.items():
        text = "—" if value is None else f"{value:.5g}"
        print(f"{name:22} {text:>10}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
