"""The sequence model: what the program shows, frame by frame, given all the evidence around it.

A hidden Markov model over {each camera, off-camera, black, each pair of cameras (a change under way
or two composed)}. Two filters run over the same evidence: a sharp one says *where* something
changed, an honest one *how sure* that is (see `SightSettings`). A frame is decided by fixed-lag
smoothing: forward to the newest frame, backward to the one being decided. Method: L. Rabiner, "A
Tutorial on Hidden Markov Models" (1989), forward-backward in log-free scaled form.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

_LEAVE_CAMERA = 0.01
_TO_CAMERA, _TO_PAIR, _TO_OFF, _TO_BLACK = 0.6, 0.3, 0.05, 0.05
_LEAVE_PAIR = 0.08
_LEAVE_OFF = 0.02
_LEAVE_BLACK = 0.05
_TO_ANY_PAIR, _FROM_ANY_PAIR = 1e-5, 1e-3
"""Into two cameras side by side, and out of them, a program cuts from and to anywhere."""
_FLOOR = 1e-12
"""No state is ever impossible: a wrong turn must be recoverable."""
_LEAST_NATS = -60.0
"""No single frame counts for more than this against a state."""


_DENSE = 64
"""Up to so many states (ten cameras) the transitions are multiplied as they are."""
_SAME = 1e-9
"""Transitions that differ by this part only are the same."""


class States:
    """The states over n cameras: 0..n-1 cameras, then off, black, then the pairs."""

    def __init__(self, cameras: int) -> None:
        self.cameras = cameras
        self.off = cameras
        self.black = cameras + 1
        self.pairs = list(combinations(range(cameras), 2))
        self.first_pair = cameras + 2
        self.count = self.first_pair + len(self.pairs)
        self._pair_index = {pair: self.first_pair + n for n, pair in enumerate(self.pairs)}

    def pair(self, a: int, b: int) -> int:
        """The state of a pair of cameras."""
        return self._pair_index[(min(a, b), max(a, b))]

    def members(self, state: int) -> tuple[int, ...]:
        """The cameras that a state shows."""
        if state < self.cameras:
            return (state,)
        if state >= self.first_pair:
            return self.pairs[state - self.first_pair]
        return ()

    def shown(self, nats: Vector) -> float:
        """The most nats (S,) that a camera has, or a pair."""
        return float(max([*nats[: self.cameras], *nats[self.first_pair :]]))

    def transitions(self) -> npt.NDArray[np.float64]:
        """(S, S) probabilities from row to column."""
        n, s = self.cameras, self.count
        t = np.full((s, s), _FLOOR)
        for i in range(n):
            others = max(1, n - 1)
            t[i, :n] += _LEAVE_CAMERA * _TO_CAMERA / others
            for j in range(n):
                if j != i:
                    t[i, self.pair(i, j)] += _LEAVE_CAMERA * _TO_PAIR / others
            t[i, self.off] += _LEAVE_CAMERA * _TO_OFF
            t[i, self.black] += _LEAVE_CAMERA * _TO_BLACK
            t[i, i] = 1 - _LEAVE_CAMERA
        for state, (a, b) in enumerate(self.pairs, start=self.first_pair):
            t[state, [a, b]] += _LEAVE_PAIR / 2
            t[state, state] = 1 - _LEAVE_PAIR
        if self.pairs:
            t[: self.first_pair, self.first_pair :] += _TO_ANY_PAIR / len(self.pairs)
            t[self.first_pair :, : self.first_pair] += _FROM_ANY_PAIR / self.first_pair
            t[self.first_pair :, self.first_pair :] += _TO_ANY_PAIR / len(self.pairs)
        t[self.off, :n] += _LEAVE_OFF / max(1, n)
        t[self.off, self.black] += _LEAVE_OFF / 10
        t[self.off, self.off] = 1 - _LEAVE_OFF
        t[self.black, :n] += _LEAVE_BLACK / max(1, n)
        t[self.black, self.off] += _LEAVE_BLACK / 10
        t[self.black, self.black] = 1 - _LEAVE_BLACK
        out: npt.NDArray[np.float64] = t / t.sum(axis=1, keepdims=True)
        return out


@dataclass(frozen=True, slots=True)
class Decided:
    """Posterior of one frame: sharp (S,) and honest (S,) probabilities."""

    at_ms: float
    sharp: Vector
    honest: Vector


class Steps:
    """From one frame to the next: products with the transitions (S, S).

    With many cameras most of the states are pairs (of forty cameras 780 of 822), and nearly all
    transitions between two kinds of state are equally likely. Then what all of a block have in
    common and the few that differ are multiplied apart: a hundredth of the work.
    """

    def __init__(self, states: States, most_dense: int = _DENSE) -> None:
        """`most_dense`: up to so many states the transitions are multiplied as they are."""
        transitions = states.transitions()
        self.count = states.count
        self._dense = transitions if states.count <= most_dense else None
        if self._dense is not None:
            return
        bounds = (0, states.cameras, states.black, states.first_pair, states.count)
        self._starts = np.array(bounds[:-1])
        self._lengths = np.diff(bounds)
        common = np.array(
            [
                [np.median(transitions[a:b, c:d]) for c, d in pairwise(bounds)]
                for a, b in pairwise(bounds)
            ]
        )
        rest = transitions - self._spread(self._spread(common).T).T
        self._common = common
        self._rows, self._columns = np.nonzero(np.abs(rest) > _SAME * transitions)
        self._rest = rest[self._rows, self._columns]

    def ahead(self, belief: Vector) -> Vector:
        """(S,) belief a frame later."""
        if self._dense is not None:
            return np.asarray(belief @ self._dense)
        few = np.bincount(self._columns, belief[self._rows] * self._rest, self.count)
        return np.asarray(self._spread(np.add.reduceat(belief, self._starts) @ self._common) + few)

    def back(self, likely: Vector) -> Vector:
        """(S,) how likely what follows is, from each state a frame earlier."""
        if self._dense is not None:
            return np.asarray(self._dense @ likely)
        few = np.bincount(self._rows, likely[self._columns] * self._rest, self.count)
        return np.asarray(self._spread(self._common @ np.add.reduceat(likely, self._starts)) + few)

    def _spread(self, kinds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """From one for each kind of state to one for each state, along the last axis."""
        return np.repeat(kinds, self._lengths, axis=-1)


class _Filter:
    """Forward filter with the emissions it needs to look back."""

    def __init__(self, steps: Steps, temper: float) -> None:
        self._t = steps
        self._temper = temper
        self._belief: Vector = np.full(steps.count, 1.0 / steps.count)
        self._past: deque[tuple[Vector, Vector]] = deque()

        self._start = self._belief
        """Belief before the oldest frame kept."""

    @property
    def belief(self) -> Vector:
        return self._belief

    def rewind(self) -> None:
        self._belief = self._start
        self._past.clear()

    def add(self, nats: Vector) -> None:
        scaled = self._temper * nats
        emission = np.exp(np.maximum(scaled - scaled.max(), _LEAST_NATS))
        belief = self._t.ahead(self._belief) * emission
        self._belief = belief / belief.sum()
        self._past.append((self._belief, emission))

    def oldest(self) -> Vector:
        """Smoothed posterior of the oldest frame kept; drops it."""
        back = np.ones_like(self._belief)
        for n in range(len(self._past) - 1, 0, -1):
            back = self._t.back(self._past[n][1] * back)
            back /= back.sum()
        forward, _ = self._past.popleft()
        self._start = forward
        posterior = forward * back
        return np.asarray(posterior / posterior.sum())


def decide_all(
    states: States, frames: Sequence[tuple[float, Vector]], *, sharpness: float, honesty: float
) -> list[Decided]:
    """Decide frames, (at_ms, nats (S,)) each, knowing all of them: smoothing without a lag."""
    transitions = states.transitions()
    sharp = _smooth_all(transitions, [sharpness * nats for _, nats in frames])
    honest = _smooth_all(transitions, [honesty * nats for _, nats in frames])
    return [Decided(at_ms, s, h) for (at_ms, _), s, h in zip(frames, sharp, honest, strict=True)]


def _smooth_all(transitions: npt.NDArray[np.float64], nats: Sequence[Vector]) -> list[Vector]:
    belief: Vector = np.full(len(transitions), 1.0 / len(transitions))
    forward: list[tuple[Vector, Vector]] = []
    for scaled in nats:
        emission = np.exp(np.maximum(scaled - scaled.max(), _LEAST_NATS))
        belief = (belief @ transitions) * emission
        belief = belief / belief.sum()
        forward.append((belief, emission))
    out: list[Vector] = []
    back: Vector = np.ones(len(transitions))
    for ahead, emission in reversed(forward):
        posterior = ahead * back
        out.append(posterior / posterior.sum())
        back = transitions @ (emission * back)
        back /= back.sum()
    return out[::-1]


class Inference:
    """Fixed-lag smoothing of both filters over evidence given frame by frame."""

    def __init__(
        self, states: States, *, sharpness: float, honesty: float, lag_ms: float, lag_frames: int
    ) -> None:
        steps = Steps(states)
        self._sharp = _Filter(steps, sharpness)
        self._honest = _Filter(steps, honesty)
        self._lag_ms = lag_ms
        self._lag_frames = lag_frames
        self._waiting: deque[float] = deque()

    @property
    def now(self) -> Vector:
        """Honest belief (S,) about the newest frame, before anything that follows it."""
        return self._honest.belief

    def add(self, at_ms: float, nats: Vector) -> list[Decided]:
        """Add a frame's evidence, nats (S,). Returns the frames that this decides."""
        self._sharp.add(nats)
        self._honest.add(nats)
        self._waiting.append(at_ms)
        out: list[Decided] = []
        # The newest always waits: a frame ends where the next one begins.
        while len(self._waiting) > 1 and (
            len(self._waiting) > self._lag_frames or at_ms - self._waiting[0] >= self._lag_ms
        ):
            out.append(self._decide())
        return out

    def replace(self, frames: Sequence[tuple[float, Vector]]) -> list[Decided]:
        """Take new evidence for all frames that wait, and one more: (at_ms, nats (S,)) each."""
        self._sharp.rewind()
        self._honest.rewind()
        self._waiting.clear()
        return [decided for at_ms, nats in frames for decided in self.add(at_ms, nats)]

    def flush(self) -> list[Decided]:
        """Decide everything that waits: nothing follows."""
        return [self._decide() for _ in range(len(self._waiting))]

    def _decide(self) -> Decided:
        return Decided(self._waiting.popleft(), self._sharp.oldest(), self._honest.oldest())
