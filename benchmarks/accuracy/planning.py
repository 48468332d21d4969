"""What the program shows when: a plan out of a direction and a seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tap.rig.plan import Kind, On, Plan, Take, camera
from tap.vocabulary import EventType

Excursion = Callable[[np.random.Generator, float, tuple[str, ...], str], On]
"""Something that isn't a camera, full screen: from a generator, the program time in ms, the
cameras and the live one."""


@dataclass(frozen=True, slots=True)
class Way:
    """A kind of change, how likely it is against the others, and how long it takes."""

    how: EventType = EventType.CUT
    weight: float = 1.0
    variant: str = ""
    length_ms: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Direction:
    """How a director works: `gap_ms` between changes, the `ways` of changing, `excursions` taken
    with probability `often` and left after `stay_ms`. `never` are pairs between which no change
    goes directly; `on_air` the cameras that are ever taken (empty: all)."""

    gap_ms: tuple[float, float] = (1200.0, 2400.0)
    ways: tuple[Way, ...] = (Way(),)
    excursions: tuple[Excursion, ...] = ()
    often: float = 0.4
    stay_ms: tuple[float, float] = (1200.0, 2200.0)
    lead_ms: float = 2200.0
    never: frozenset[frozenset[str]] = frozenset()
    on_air: tuple[str, ...] = ()
    stop_after: int | None = None


def draw_plan(
    direction: Direction,
    cameras: Sequence[str],
    duration_ms: float,
    seed: int,
    *,
    silent: frozenset[str] = frozenset(),
    **extras: Any,
) -> Plan:
    """A plan for `cameras`; cuts to the `silent` ones (untapped) are announced by nobody.

    `extras` are other fields of `Plan`.
    """
    random = np.random.default_rng((seed, 71))
    names = direction.on_air or tuple(cameras)
    live, away = names[0], False
    takes = [Take(0.0, camera(live))]
    at_ms = direction.lead_ms
    while at_ms < duration_ms - 1200.0 and len(takes) != direction.stop_after:
        excursion = not away and direction.excursions and random.random() < direction.often
        if excursion:
            pick = direction.excursions[int(random.integers(len(direction.excursions)))]
            takes.append(Take(at_ms, pick(random, at_ms, tuple(cameras), live)))
            at_ms += float(random.uniform(*direction.stay_ms))
            away = True
            continue
        open_to = [
            name
            for name in names
            # Back from an excursion to the same camera is as good as to another.
            if (away or name != live) and frozenset((name, live)) not in direction.never
        ]
        live, away = open_to[int(random.integers(len(open_to)))], False
        way = _way(direction.ways, random)
        length_ms = float(random.uniform(*way.length_ms))
        takes.append(Take(at_ms, camera(live), way.how, length_ms, way.variant))
        at_ms += length_ms + float(random.uniform(*direction.gap_ms))
    return Plan(
        duration_ms=duration_ms,
        takes=tuple(takes),
        messages=_messages(takes, silent, duration_ms),
        seed=seed,
        **extras,
    )


def _way(ways: Sequence[Way], random: np.random.Generator) -> Way:
    weights = np.array([way.weight for way in ways])
    return ways[int(random.choice(len(ways), p=weights / weights.sum()))]


def _messages(
    takes: Sequence[Take], silent: frozenset[str], duration_ms: float
) -> tuple[dict[str, Any], ...]:
    """A director who says it all 150 ms before, and errs never."""
    messages: list[dict[str, Any]] = [
        {"type": "session.start", "id": "m0", "atMs": 0.0, "title": "Benchmark", "mode": "manual"}
    ]
    for number, take in enumerate(takes[1:], start=1):
        if take.on.kind is Kind.CAMERA and take.on.cameras[0] not in silent:
            cue = {"camera": take.on.cameras[0], "transition": take.how.value}
            at_ms = take.at_ms - 150.0
            messages.append({"type": "cut", "id": f"m{number}", "atMs": at_ms, **cue})
    messages.append(
        {"type": "session.end", "id": "m-end", "atMs": duration_ms - 100.0, "reason": "done"}
    )
    return tuple(messages)
