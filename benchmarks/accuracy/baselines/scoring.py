"""Scores of baselines, those that can't name cameras included."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.documents import Change, Document, read_truth, read_witness
from benchmarks.score import CUT_FRAMES, SOFT_FRAMES, SOFT_TYPES, Match, Scores, score

_BLIND_FRAMES = 2


def scores_of(document: Mapping[str, Any], truth: Mapping[str, Any]) -> Scores:
    """The scores of a baseline's document; of one without shots only the cuts are scored."""
    if document["shots"]:
        return score(document, truth)
    times_ms = [change.at_ms for change in read_witness(document).changes]
    so = read_truth(truth)
    hours = len(so.spans) * so.frame_interval_ms / 3_600_000.0
    return Scores(cuts=score_cuts(times_ms, truth), hours=hours)


def score_cuts(times_ms: Sequence[float], truth: Mapping[str, Any]) -> Match:
    """Cuts told by time alone against those of a `tap-truth/1` document, one to one, ±1 frame.

    In favour of those who tell: the target does not matter, and what they tell during a dissolve,
    fade or wipe (±4 frames), or near time that could not be seen, is not held against them.
    """
    so = read_truth(truth)
    seen = _Seen(so)
    cuts = [seen.frame(one.at_ms) for one in so.changes if one.type == "cut" and seen(one.at_ms)]
    soft = [one for one in so.changes if one.type in SOFT_TYPES]
    free = sorted(seen.frame(at_ms) for at_ms in times_ms if seen(at_ms))
    hits = 0
    for cut in cuts:
        found = next((at for at in free if abs(at - cut) <= CUT_FRAMES), None)
        if found is not None:
            free.remove(found)
            hits += 1
    false = sum(not any(seen.during(at, change) for change in soft) for at in free)
    return Match(hits, false, len(cuts) - hits)


class _Seen:
    """The truth's frames by time."""

    def __init__(self, so: Document) -> None:
        self._times = [frame.start_ms for frame in so.spans]
        self._blind = [frame.state == "unseen" for frame in so.spans]

    def frame(self, at_ms: float) -> int:
        """The number of the frame nearest to a time."""
        after = min(bisect_left(self._times, at_ms), len(self._times) - 1)
        before = max(0, after - 1)
        earlier = abs(self._times[before] - at_ms) <= abs(self._times[after] - at_ms)
        return before if earlier else after

    def __call__(self, at_ms: float) -> bool:
        """Whether all was seen around a time."""
        at = self.frame(at_ms)
        return not any(self._blind[max(0, at - _BLIND_FRAMES) : at + _BLIND_FRAMES + 1])

    def during(self, frame: int, change: Change) -> bool:
        """Whether a frame lies within a soft change, or just beside it."""
        first = self.frame(change.at_ms) - SOFT_FRAMES
        return first <= frame <= self.frame(change.at_ms + change.duration_ms) + SOFT_FRAMES
