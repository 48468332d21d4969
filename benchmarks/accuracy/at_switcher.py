"""What the switcher does (the issue's list, 4): one touch for each."""

from dataclasses import replace

import numpy as np

from benchmarks.accuracy.planning import Way, draw_plan
from benchmarks.accuracy.setup import Setup
from tap.rig.dress import Stingers
from tap.rig.mixes import CORNERS, SPLITS, WHITE, WIPES
from tap.rig.plan import BLACK, SLATE, Kind, On, Plan, Take
from tap.vocabulary import EventType

CUT = Way()


def fast(setup: Setup) -> None:
    """Shots of 4 to 20 frames."""
    frame_ms = 1000.0 / setup.program.fps
    setup.direct(gap_ms=(4.0 * frame_ms, 20.0 * frame_ms))
    setup.seconds = min(setup.seconds, 24.0)


def dissolves(setup: Setup) -> None:
    """Dissolves of 0.2 to 2 s among cuts."""
    way = Way(EventType.DISSOLVE, 3.0, "", (200.0, 2000.0))
    setup.direct(ways=(CUT, way), gap_ms=(900.0, 1900.0))


def fades(setup: Setup) -> None:
    """Fades through black and white among cuts."""
    black = Way(EventType.FADE, 1.5, "", (400.0, 1600.0))
    white = Way(EventType.FADE, 1.5, WHITE, (400.0, 1400.0))
    setup.direct(ways=(CUT, black, white), gap_ms=(900.0, 1900.0))


def wipes(setup: Setup) -> None:
    """Wipes of eight kinds among cuts."""
    every = tuple(Way(EventType.WIPE, 0.4, variant, (300.0, 1200.0)) for variant in WIPES)
    setup.direct(ways=(CUT, *every), gap_ms=(900.0, 1900.0))


def stingers(setup: Setup) -> None:
    """Cuts under a sweeping graphic that covers all for two frames, or for ten, and plain cuts."""
    setup.plan = _stung


def _stung(setup: Setup) -> Plan:
    tick = 1000.0 / setup.program.fps
    # A stinger needs room before and behind its cut.
    direction = replace(setup.direction, gap_ms=(1500.0, 2600.0))
    plan = draw_plan(direction, setup.names, setup.duration_ms, setup.seed, **setup.extras)
    takes: list[Take] = [plan.takes[0]]
    quick: list[float] = []
    slow: list[float] = []
    for number, take in enumerate(plan.takes[1:]):
        # On a frame's own moment, so that cover and cut agree to the frame.
        at_ms = round(take.at_ms / tick) * tick
        if number % 3 == 0:
            quick.append(at_ms - tick)
        elif number % 3 == 1:
            slow.append(at_ms - tick)
            # Covered for so long, the program shows no camera.
            takes.append(Take(at_ms - 10 * tick, On(Kind.GRAPHIC)))
        takes.append(replace(take, at_ms=at_ms))
    # In five ticks on or off: of the frames that show a camera at all, none is covered by more
    # than 80 %, and the first to show the new one is the take's first.
    setup.dress(
        Stingers(tuple(quick), covered_ms=tick, sweep_ms=5 * tick),
        Stingers(tuple(slow), covered_ms=9 * tick, sweep_ms=5 * tick),
    )
    return replace(plan, takes=tuple(takes))


def _other(random: np.random.Generator, names: tuple[str, ...], *but: str) -> str:
    choice = [name for name in names if name not in but]
    return choice[int(random.integers(len(choice)))]


def insets(setup: Setup) -> None:
    """Picture in picture: small ones, which are overlays, and big ones, which are not."""

    def inset(random: np.random.Generator, _: float, names: tuple[str, ...], live: str) -> On:
        share = float(random.choice((0.25, 0.3, 0.5, 0.55)))
        # A small inset comes over the live picture, as on a real switcher.
        big = live if share < 0.4 else _other(random, names)
        corner = CORNERS[int(random.integers(len(CORNERS)))]
        return On(Kind.INSET, (big, _other(random, names, big)), share=share, layout=corner)

    setup.direct(excursions=(inset,), often=0.6)


def splits(setup: Setup) -> None:
    """Split screens: halves, whole pictures side by side, one above the other."""

    def split(random: np.random.Generator, _: float, names: tuple[str, ...], live: str) -> On:
        first = live if random.random() < 0.5 else _other(random, names)
        layout = SPLITS[int(random.integers(len(SPLITS)))]
        return On(Kind.SPLIT, (first, _other(random, names, first)), layout=layout)

    setup.direct(excursions=(split,), often=0.6)


def slates(setup: Setup) -> None:
    """Slates, moving graphics and black."""
    picks = (SLATE, BLACK, On(Kind.GRAPHIC))
    setup.direct(excursions=tuple((lambda *_, on=on: on) for on in picks), often=0.5)


def untapped(setup: Setup) -> None:
    """The last camera is on the switcher, but not on tap."""
    setup.cameras[-1].tapped = False


def replays(setup: Setup) -> None:
    """Instant replays: a camera as it was 3 to 12 s ago."""

    def replay(random: np.random.Generator, at_ms: float, names: tuple[str, ...], live: str) -> On:
        who = live if random.random() < 0.4 else _other(random, names)
        oldest = min(12_000.0, at_ms)
        return On(Kind.REPLAY, (who,), age_ms=float(random.uniform(3300.0, max(oldest, 3400.0))))

    setup.direct(excursions=(replay,), often=0.5, lead_ms=5000.0, stay_ms=(1500.0, 3000.0))


def held(setup: Setup) -> None:
    """One camera, and nothing happens."""
    setup.direct(stop_after=1)


def seldom(setup: Setup) -> None:
    """A cut every 8 to 14 s."""
    setup.direct(gap_ms=(8000.0, 14_000.0), lead_ms=6000.0)
