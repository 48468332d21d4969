"""What tap would have said had it known the whole recording, and where that differs."""

from collections.abc import Sequence
from itertools import pairwise

from tap.judge import Judge
from tap.sight import Piece
from tap.vocabulary import Claim, Event, Shot, ShotState, Verdict, Word


class Difference(Word):
    """A stretch of program time in which hindsight says something else."""

    start_ms: float
    end_ms: float
    said: str
    hindsight: str


class Hindsight(Word):
    """The `tap-hindsight/1` document; `witness.json` stays what was said at the time."""

    format: str = "tap-hindsight/1"
    differences: tuple[Difference, ...] = ()
    shots: tuple[Shot, ...] = ()
    events: tuple[Event, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


def in_hindsight(
    said: Sequence[Shot],
    pieces: Sequence[Piece],
    events: Sequence[Event],
    claims: Sequence[Claim],
    *,
    judge: Judge,
) -> Hindsight:
    """Judge `claims` against what is seen in hindsight; compare that with what was `said`.

    `judge` is a fresh one.
    """
    for claim in claims:
        judge.claim(claim)
    for event in events:
        judge.event(event)
    shots: list[Shot] = []
    for piece, reason in pieces:
        judge.shot(piece, reason)
        if shots and _what(shots[-1]) == _what(piece):
            shots[-1] = shots[-1].model_copy(update={"end_ms": piece.end_ms})
        else:
            shots.append(piece)
    return Hindsight(
        differences=tuple(_differences(said, shots)),
        shots=tuple(shots),
        events=tuple(events),
        verdicts=tuple(judge.close()),
    )


def _differences(said: Sequence[Shot], seen: Sequence[Shot]) -> list[Difference]:
    edges = sorted({t for shot in (*said, *seen) for t in (shot.start_ms, shot.end_ms)})
    found: list[Difference] = []
    before, after = iter(said), iter(seen)
    a, b = next(before, None), next(after, None)
    for start, end in pairwise(edges):
        while a is not None and a.end_ms <= start:
            a = next(before, None)
        while b is not None and b.end_ms <= start:
            b = next(after, None)
        if a is None or b is None:
            break
        if _what(a) == _what(b):
            continue
        difference = Difference(start_ms=start, end_ms=end, said=_what(a), hindsight=_what(b))
        last = found[-1] if found else None
        if last and last.end_ms == start and (last.said, last.hindsight) == (_what(a), _what(b)):
            found[-1] = last.model_copy(update={"end_ms": end})
        else:
            found.append(difference)
    return found


def _what(shot: Shot) -> str:
    """A shot in words: `cam-a`, `transition cam-a cam-b`, `black`."""
    if shot.state is ShotState.LIVE:
        return shot.camera or ""
    return " ".join((shot.state.value, *shot.cameras))
