"""Reading soft changes: how long a dissolve, wipe or fade took, and whether it was one at all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from tap.sight.ruling import Ruling
from tap.sight.wipe import run_of
from tap.vocabulary import EventType

SHORTEST_SOFT = 4
"""Frames: a shorter mixture is a cut smeared by the encoder."""
_REACH, _REACH_PART = 4, 6
"""Frames that the line through a dissolve's shares may reach beyond what was seen as mixed, at
least; and the part of those seen that it may."""
_TINY = 1e-6
"""Frames: the line's arithmetic is no more exact, and differs from machine to machine."""
_MOVES = 0.35
"""A transition's share must move at least this much; else the pair is composed."""
_AT_ONCE = 0.6
"""A dissolve of which only what comes after this share is seen is a cut."""
_GRAIN, _STEPS = 0.06, 1.5
"""Shares are measured in such steps (see `match.mix`); one that lasts so many times longer than the
others do has come to rest."""
_STEADY = 0.03
"""Relative change of contrast between frames below which a fade is over."""
_FADED, _NEARLY = 0.96, 0.75
_GONE, _DIMMED = 0.5, 0.75
"""A fade takes away at least half of the contrast before the picture is lost, or, of a picture that
is lost and followed by one that comes as slowly, a quarter."""
LONGEST_FADE_MS = 2500.0
_REST, _FALLS, _RESTS, _TRACE = 3, 0.5, 0.12, 0.06
"""Of what is measured beside a mixture: the last so many frames tell what is no part of it; it must
fall to this part; if they differ by more than this part, it was still falling; and what is left is
a trace of it down to this part."""

_FADES = 0.75
"""Part of a trace that a blend leaves at most a frame later, where its line has ended."""
_UNREAD = 3
"""Frames between a wipe that was read and its fringe that could not be: they are of it, too."""
_STRAY = 2
"""Frames by which a wipe may last longer than its shape tells."""
_RESTING, _WHILE, _HARDLY = 0.5, 4, 0.8
"""Of what is measured of a wipe: from this part of the most on, it has come to rest where it keeps
the last part for so many frames."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the program: its kind, and the frames before, during and after it.

    `after` is never empty; together they are the frames it was read from, in order.
    """

    kind: EventType
    before: Sequence[Ruling]
    during: Sequence[Ruling]
    after: Sequence[Ruling]


def read_pair(
    head: Sequence[Ruling], pair: Sequence[Ruling], target: Sequence[Ruling], origin: Ruling
) -> Change | None:
    """What the frames `pair`, seen as two cameras, are between `origin` and `target`.

    `head` are the open frames of the shot that `origin` ends. None: no change of camera, the pair
    is a composition (or an aborted transition) within one shot.
    """
    old, new = origin.key, target[0].key
    if old == new:
        return None if pair else Change(EventType.CUT, head, [], target)
    a, b = origin.camera, target[0].camera
    shares = [_share_of(r, b) for r in pair]
    hard = _length(head, pair, target) < SHORTEST_SOFT or _leaps(head, shares)
    if a is None or b is None or hard or {a, b} - _named(pair):
        cut = next((n for n, share in enumerate(shares) if share >= 0.5), len(pair))
        return Change(
            EventType.CUT,
            [*head, *(r.taken_for(old) for r in pair[:cut])],
            [],
            [*(r.taken_for(new) for r in pair[cut:]), *target],
        )
    moving = len(shares) if pair[-1].split else _until_it_stops(shares)
    target = [*(r.taken_for(new) for r in pair[moving:]), *target]
    pair, shares = pair[:moving], shares[:moving]
    slope, start = _line(shares)
    lasted = pair[-1].end_ms - pair[0].at_ms
    if slope * len(pair) < _MOVES and lasted > 1000.0:
        return None
    # The line meets share 0 before the first frame that was recognised as mixed, and share 1 after
    # the last.
    reach = max(_REACH, len(pair) // _REACH_PART) if slope > 0 else 0
    early = min(reach, max(0, -math.floor(start + _TINY) - 1), len(head)) if slope > 0 else 0
    split = _is_split(pair)
    early = _fringe(head[::-1], early, split=split)
    late = max(0, math.ceil(start + 1 / slope - _TINY) - len(pair)) if slope > 0 else 0
    traced = _fringe(target, min(reach, late), split=split)
    if split:
        run = _hidden(pair)
        if run is not None:
            early, traced = min(_about(early, run[0]), len(head)), _about(traced, run[1])
    else:
        traced = _while_it_fades(target[:traced], late, 1.0 - shares[-1])
    late = min(traced, len(target) - 1)
    during = [*head[len(head) - early :], *pair, *target[:late]]
    kind = EventType.WIPE if split else EventType.DISSOLVE
    return Change(kind, head[: len(head) - early], during, target[late:])


def _length(head: Sequence[Ruling], pair: Sequence[Ruling], target: Sequence[Ruling]) -> int:
    """Frames of a mixture; of a wipe with those in which it shows but a little: an encoder smears
    pictures over each other, never side by side."""
    if not _is_split(pair):
        return len(pair)
    return len(pair) + sum(_fringe(side, 0, split=True) for side in (head[::-1], target))


def _is_split(pair: Sequence[Ruling]) -> bool:
    """Whether most of a mixture was seen side by side: where its edges run, neither camera fits."""
    return 2 * sum(r.split for r in pair) >= len(pair)


def _leaps(head: Sequence[Ruling], shares: Sequence[float]) -> bool:
    """Whether the new camera was there at once: what is mixed is what the encoder left of the one
    before, which may take a second to go where bits are few."""
    traced = bool(head) and bool(head[-1].fringe)
    return min(shares, default=0.0) >= _AT_ONCE and not traced


def _until_it_stops(shares: Sequence[float]) -> int:
    """Frames until the new camera's share no longer grows: from there on what is left of the other
    is the encoder's."""
    last = shares[-1]
    before = next((n for n, share in enumerate(reversed(shares)) if abs(share - last) > 1e-6), 0)
    count = len(shares) - before
    grown = last - shares[0]
    if not before or last < _AT_ONCE or grown <= 0 or count < SHORTEST_SOFT:
        return len(shares)
    step = _GRAIN * count / grown
    return len(shares) if before <= _STEPS * step + 2 else count + math.ceil(step)


def fade_out_length(old: Sequence[Ruling], usual_gain: float, *, dimmed: bool = False) -> int:
    """Frames at the end of `old` in which the contrast fell away, or, `dimmed`, fell."""
    gains = known_gains(old[::-1])
    if not usual_gain or not gains or gains[0][1] > (_DIMMED if dimmed else _GONE) * usual_gain:
        return 0
    before = 0.0
    for k, (n, gain) in enumerate(gains):
        # One frame may be off: where all is dim, a strobe is most of what there is to see.
        falls = gain < before - _STEADY and all(g < before for _, g in gains[k + 1 : k + 3])
        if gain >= _FADED * usual_gain or falls:
            return n
        steady = k >= 3 and gain - gains[k - 3][1] <= _STEADY * gain
        if steady and gain >= _NEARLY * usual_gain:
            return gains[k - 3][0]  # the camera itself was a little paler
        before = gain
    return len(old)


def fade_in_length(new: Sequence[Ruling], usual_gain: float, *, from_black: bool) -> int | None:
    """Frames at the start of `new` whose contrast still rose; None if it can't be told yet.

    `usual_gain` is that of the new camera, or of others where it was not seen before; 0: unknown.
    `from_black`: what was before was black, or has faded away.
    """
    gains = known_gains(new)
    strongest = max((gain for _, gain in gains), default=0.0)
    there = not from_black and len(gains) >= SHORTEST_SOFT
    waits = from_black and new[0].camera is not None
    if (not gains and not waits) or (there and gains[0][1] > _GONE * max(usual_gain, strongest)):
        return 0  # the picture was there at once
    for k in range(len(gains) - 3):
        later = [gain for _, gain in gains[k : k + 4]]
        if max(later) - min(later) <= _STEADY * max(later):
            full = _FADED * sum(later) / 4
            return next((n for n, gain in gains[:k] if gain >= full), gains[k][0])
    if new[-1].end_ms - new[0].at_ms > LONGEST_FADE_MS:
        return 0
    return None


def comes_slowly(new: Sequence[Ruling]) -> bool:
    """Whether the first of `new` that is known has much less contrast than the rest comes to."""
    gains = [gain for _, gain in known_gains(new)]
    return bool(gains) and gains[0] <= _DIMMED * max(gains)


def known_gains(rulings: Sequence[Ruling]) -> list[tuple[int, float]]:
    """The gains that are known, each with its place."""
    return [(n, ruling.gain) for n, ruling in enumerate(rulings) if ruling.gain is not None]


def _fringe(beside: Sequence[Ruling], guess: int, *, split: bool) -> int:
    """How many of the frames beside a mixture, the nearest first, still belong to it: measured
    where that can be done, else `guess`.

    Side by side, each frame tells what of it is the other camera's. In a blend, what does not fall
    away, further from the mixture, is something else: a camera that is a little off.
    """
    unread = next((n for n, r in enumerate(beside) if r.fringe is not None), len(beside))
    traces = list(takewhile(lambda trace: trace is not None, (r.fringe for r in beside[unread:])))
    shares = [share for share in traces if share is not None]
    if not shares or unread > (_UNREAD if split and shares[0] else 0):
        return guess
    if split:
        most = _RESTING * max(shares)
        return unread + next(
            (n for n, s in enumerate(shares) if not s or (s <= most and _rests(shares[n:]))),
            len(shares),
        )
    last = shares[-_REST:]
    rest, spread = min(last), max(last) - min(last)
    if rest > _FALLS * shares[0]:
        return guess
    if spread > _RESTS * shares[0]:  # it was still falling where the measuring ended
        return shares.index(0.0) if 0.0 in shares else len(shares)
    limit = rest + max(spread, _TRACE * (shares[0] - rest))
    return next((n for n, share in enumerate(shares) if share <= limit), len(shares))


def _hidden(pair: Sequence[Ruling]) -> tuple[int, int] | None:
    """How many frames before and after those in which a wipe was seen it set out and was done, as
    its shape tells: what is alike behind both cameras hides the first and the last of it. No more
    than were seen; None where no shape explains those."""
    run = run_of([(n, ruling.wipe) for n, ruling in enumerate(pair) if ruling.wipe is not None])
    if run is None:
        return None
    set_out, arrived = run
    count = len(pair)
    early, late = -math.floor(set_out + _TINY) - 1, math.ceil(arrived - _TINY) - count
    return min(max(0, early), count), min(max(0, late), count)


def goes_on(pair: Sequence[Ruling], target: Sequence[Ruling]) -> bool:
    """Whether a soft change may last longer than the frames so far, `target`: while there is a
    trace of the first camera, and as long as its shape tells."""
    run, traced = _hidden(pair), bool(target[-1].fringe)
    return traced if run is None else len(target) <= run[1] + (_STRAY if traced else 0)


def _about(measured: int, told: int) -> int:
    """How many frames beside a wipe are of it: as many as were measured, but no fewer than its
    shape tells, and hardly more."""
    return max(told, min(measured, told + _STRAY))


def _while_it_fades(traced: Sequence[Ruling], late: int, left: float) -> int:
    """How many of the frames after a blend that show a trace of the first camera are still of it:
    those that the line through its shares reaches, and further ones while the trace falls as that
    of a blend does. Where bits are few, an encoder leaves one for much longer. `left`: how much of
    that camera the blend's last frame shows.
    """
    shares = [left, *(ruling.fringe or 0.0 for ruling in traced)]
    far = min(late, len(traced))
    while far < len(traced) and shares[far + 1] <= _FADES * shares[far]:
        far += 1
    return far


def _rests(shares: Sequence[float]) -> bool:
    """Whether what is measured stays as it is: then it is of what lies over both."""
    first, following = shares[0], shares[1 : _WHILE + 1]
    level = all(_HARDLY * first <= share <= first / _HARDLY for share in following)
    return level and len(following) == _WHILE


def _named(pair: Sequence[Ruling]) -> set[str]:
    return {c for r in pair for c in r.cameras}


def _share_of(ruling: Ruling, camera: str | None) -> float:
    """How much of a mixed frame is `camera`; a pair without it counts as none."""
    if camera is None or camera not in ruling.cameras:
        return 0.0
    return ruling.share if ruling.cameras[1] == camera else 1.0 - ruling.share


def _line(shares: Sequence[float]) -> tuple[float, float]:
    """Least squares over the frame number: slope per frame, and the frame at which it is 0."""
    if len(shares) < 2:
        return 0.0, 0.0
    x = np.arange(len(shares), dtype=np.float64)
    slope, offset = (float(v) for v in np.polyfit(x, np.asarray(shares), 1))
    if slope <= 1e-6:
        return 0.0, 0.0
    return slope, -offset / slope
