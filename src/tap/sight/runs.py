"""Runs of rulings that show the same, and which of them are too short to stand for themselves.

A flash, a dropped or a black picture, a graphic that hides all for a moment: what is said of them
is no shot of its own, but a part of the one before or after.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np

from tap.sight.ruling import Key, Ruling
from tap.vocabulary import ShotState

Run = list[Ruling]

_SHORTEST = {
    ShotState.LIVE: 2,
    ShotState.AMBIGUOUS: 2,
    ShotState.COMPOSED: 3,
    ShotState.OFF_CAMERA: 4,
    ShotState.BLACK: 3,
}
"""Frames below which a state is taken for its neighbour."""
_UNDER_COVER = 6
"""Frames below which no camera is on, between two that a graphic covers more and more, and less and
less: where a wall is plain, it is lost from sight before the graphic has come over all of it."""
UNCLEAN = 12
"""The same between a mixture and one of its cameras, or more of the mixture: where bits are few,
traces of the other one hide it, and a black picture or another lens of one of them hides both. And
where a camera ebbs away and comes back: it moves, and the program has no bits for that."""
_EBBS = 2.0
"""From picture to picture a camera that ebbs away fits at most so many times worse, or better: with
a cut it is gone at once."""


def joined(rulings: Sequence[Ruling], anchor: Ruling | None, *, final: bool) -> list[Run]:
    """Rulings as runs; those too short join a neighbour, once it can be told which.

    `anchor` is the ruling before them, `final`: none follows.
    """
    runs = _runs_of(rulings)
    n = 0
    while n < len(runs):
        goes_on = n == 0 and anchor is not None and runs[0][0].key == anchor.key
        if not goes_on and _is_short(runs, n, anchor):
            n += _is_broken(runs, n, anchor)
            key = _neighbour(runs, n, anchor, final=final)
            if key is not None:
                near = [*runs[max(0, n - 1) : n + 2], [] if anchor is None else [anchor]]
                why = _why(key, near)
                taken = [ruling.taken_for(key, why) for ruling in runs[n]]
                runs[n] = _mixed_between(*_around(runs, n, anchor), taken)
                runs = _runs_of([ruling for run in runs for ruling in run])
                n = 0
                continue
        n += 1
    return runs


def is_over(run: Run, runs: Sequence[Run]) -> bool:
    """Whether another run follows that is there to stay: then no frame comes to this one."""
    place = next(n for n, one in enumerate(runs) if one is run)
    following = runs[place + 1 :]
    shortest = _SHORTEST.get(following[0][0].state, 1) if following else 0
    return bool(following) and (len(following) > 1 or len(following[0]) >= shortest)


def ebbs(rulings: Sequence[Ruling]) -> bool:
    """Whether the camera that is live in the first of them is never gone, nor much less at once."""
    seen = [ruling.seen for ruling in rulings if ruling.seen is not None]
    if len(seen) < len(rulings) or {camera for camera, _ in seen} != {rulings[0].camera}:
        return False
    return all(1 / _EBBS <= after / before <= _EBBS for (_, before), (_, after) in pairwise(seen))


def _around(
    runs: Sequence[Run], n: int, anchor: Ruling | None
) -> tuple[Ruling | None, Ruling | None]:
    """The rulings just before and just after a run."""
    before = runs[n - 1][-1] if n else anchor
    return before, runs[n + 1][0] if n + 1 < len(runs) else None


def _is_short(runs: Sequence[Run], n: int, anchor: Ruling | None) -> bool:
    """Whether a run is to be taken for its neighbour."""
    before, after = _around(runs, n, anchor)
    run = runs[n]
    shortest = _SHORTEST.get(run[0].state, 1)
    if run[0].state is ShotState.OFF_CAMERA and before is not None and after is not None:
        if before.covered and after.covered:
            shortest = _UNDER_COVER
        elif _is_unclean(before, after) or _comes_back([before, *run, after]):
            shortest = UNCLEAN
    return len(run) < shortest


def _is_unclean(before: Ruling, after: Ruling) -> bool:
    """Whether what lies between is of a mixture that goes on, or of which one camera stays."""
    stays = after.key == before.key or after.camera in before.cameras
    return stays and before.state is ShotState.TRANSITION


def _comes_back(rulings: Sequence[Ruling]) -> bool:
    """Whether a camera that ebbs away is live again in the last of them."""
    return rulings[0].key == rulings[-1].key and ebbs(rulings)


def _is_broken(runs: Sequence[Run], n: int, anchor: Ruling | None) -> bool:
    """Whether a run is short only because a few pictures of no camera fall into it."""
    if n + 2 >= len(runs) or runs[n + 1][0].camera is not None:
        return False
    return runs[n][0].key == runs[n + 2][0].key and _is_short(runs, n + 1, anchor)


def _may_be_broken(runs: Sequence[Run], n: int, anchor: Ruling | None) -> bool:
    """Whether black may yet turn out to fall into a camera's run."""
    last = n + 2 == len(runs) and runs[n][0].camera is not None
    return last and runs[-1][0].state is ShotState.BLACK and _is_short(runs, n + 1, anchor)


def _neighbour(runs: Sequence[Run], n: int, anchor: Ruling | None, *, final: bool) -> Key | None:
    """What a too short run belongs to; None while that is open."""
    last, following = _around(runs, n, anchor)
    before = last.key if last is not None else None
    if following is None:
        return before if final else None
    if not final and _may_be_broken(runs, n, anchor):
        return None
    after = following.key
    off = runs[n][0].state is ShotState.OFF_CAMERA
    if off and last is not None and _is_unclean(last, following):
        return after
    # A flash inside a transition belongs to it, and a graphic that has covered a camera to the
    # end lies over that as long as nothing else is seen; elsewhere the new picture has begun.
    if before == after or (last and (last.covered or last.state is ShotState.TRANSITION)):
        return before
    return after if after[0] is not ShotState.TRANSITION else (before or after)


def _mixed_between(before: Ruling | None, after: Ruling | None, taken: Run) -> Run:
    """Rulings that were taken for a mixture which goes on after them, each with its share."""
    if before is None or after is None or not before.key == after.key == taken[0].key:
        return taken
    if before.state is not ShotState.TRANSITION:
        return taken
    shares = np.linspace(before.share, after.share, len(taken) + 2)[1:-1]
    return [
        replace(ruling, share=float(share)) for ruling, share in zip(taken, shares, strict=True)
    ]


def _why(key: Key, around: Sequence[Run]) -> str:
    """Why the neighbour with this key is unseen, if it is."""
    near = (ruling for run in around for ruling in run if ruling.key == key)
    return next((ruling.reason for ruling in near if ruling.reason), "")


def _runs_of(rulings: Sequence[Ruling]) -> list[Run]:
    return [list(run) for _, run in groupby(rulings, key=lambda ruling: ruling.key)]
