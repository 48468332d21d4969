"""The table of conditions. `VERSION` counts its changes: shoots are kept by it."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from benchmarks.accuracy import at_cameras as cameras
from benchmarks.accuracy import at_switcher as switcher
from benchmarks.accuracy import on_program as program
from benchmarks.accuracy.scenes import PARTS, Scene
from benchmarks.accuracy.setup import Setup, Touch, angles, near
from tap.rig.write import Production

VERSION = 4

ALIKE, HELD = "untapped look-alike", "nothing happens"
"""Groups with a figure of their own."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A way in which a shoot is hard: `base` makes the ordinary shoot, `touches` change it.

    `group` is the chapter of the issue's list. `long` ones need footage in which no moment comes
    back soon; in `still` ones nothing moves, and so nobody can see a delay.
    """

    name: str
    group: str
    touches: tuple[Touch, ...] = ()
    base: Callable[[Scene, int], Setup] = angles
    long: bool = False
    seconds: float | None = None
    still: bool = False

    def production(self, scene: Scene, seed: int) -> Production:
        """The shoot under this condition."""
        setup = self.base(scene, seed)
        if self.seconds is not None:
            setup.seconds = self.seconds
        for touch in self.touches:
            touch(setup)
        return setup.production(self.name)


def _near(apart: float, count: int = 4) -> Callable[[Scene, int], Setup]:
    return lambda scene, seed: near(scene, seed, count, apart)


def _many(count: int) -> Callable[[Scene, int], Setup]:
    return lambda scene, seed: angles(scene, seed, count)


_ONE = (
    Condition("plain", "ordinary"),
    # 1, 2: look-alikes and twins
    Condition("near", "look-alikes", base=_near(0.045)),
    Condition("nearest", "look-alikes", base=_near(0.02)),
    Condition("near-moments", "look-alikes", (cameras.later,), _near(0.03)),
    Condition("seven-mono", "look-alikes", (cameras.monochrome,), _many(7)),
    Condition("handheld", "look-alikes", (cameras.handheld,)),
    Condition("twice", "twins", (cameras.registered_twice,)),
    Condition("noise-twins", "twins", (cameras.noise_twins,), still=True),
    # 3: what the program does
    Condition("letterbox", "program", (program.letterbox,)),
    Condition("pillarbox", "program", (program.pillarbox,)),
    Condition("shrunk", "program", (program.shrunk,)),
    Condition("crop", "program", (program.crop,)),
    Condition("punch-in", "program", (program.punch_in,)),
    Condition("zoom-step", "program", (program.zoom_step,)),
    Condition("mirror-one", "program", (program.mirror_one,)),
    Condition("mirror-all", "program", (program.mirror_all,)),
    Condition("grade", "program", (program.grade,)),
    Condition("grade-each", "program", (program.grade_each,)),
    Condition("black-white", "program", (program.black_and_white,)),
    Condition("graphics", "program", (program.graphics,)),
    Condition("running-text", "program", (program.running_text,)),
    Condition("90-kbit", "program", (program.starved,)),
    Condition("180p", "program", (program.tiny,)),
    # 4: what the switcher does
    Condition("fast", "switcher", (switcher.fast,)),
    Condition("dissolve", "switcher", (switcher.dissolves,)),
    Condition("fade", "switcher", (switcher.fades,)),
    Condition("wipe", "switcher", (switcher.wipes,)),
    Condition("stinger", "switcher", (switcher.stingers,)),
    Condition("inset", "switcher", (switcher.insets,)),
    Condition("split", "switcher", (switcher.splits,)),
    Condition("slate", "switcher", (switcher.slates,)),
    Condition("untapped", "switcher", (switcher.untapped,)),
    Condition("untapped-near", ALIKE, (switcher.untapped,), _near(0.045)),
    Condition("untapped-nearest", ALIKE, (switcher.untapped,), _near(0.025)),
    Condition("replay", "switcher", (switcher.replays,), long=True),
    # 5: what cameras do
    Condition("strobes", "cameras", (cameras.strobes,)),
    Condition("hunting", "cameras", (cameras.hunting,)),
    Condition("lens-switch", "cameras", (cameras.lens_switch,)),
    Condition("refocus", "cameras", (cameras.refocus,)),
    Condition("camera-zoom", "cameras", (cameras.zooms,)),
    Condition("turned", "cameras", (cameras.turned,)),
    Condition("moved", "cameras", (cameras.moved,)),
    Condition("black-frames", "cameras", (cameras.black_frames,)),
    Condition("stuck", "cameras", (cameras.stuck,)),
    Condition("gaps", "cameras", (cameras.gaps,)),
    Condition("rates", "cameras", (cameras.rates,)),
    Condition("varying-rates", "cameras", (cameras.varying,)),
    Condition("shapes", "cameras", (cameras.shapes,)),
    # 6: what time does
    Condition("delays", "time", (cameras.delays,)),
    Condition("drift", "time", (cameras.drift,)),
    Condition("jumps", "time", (cameras.jumps,)),
    Condition("clocks", "time", (cameras.clocks,)),
    Condition("losses", "time", (cameras.losses,)),
    Condition("to-24", "time", (cameras.to_24,)),
    Condition("to-50", "time", (cameras.to_50,)),
    Condition("to-60", "time", (cameras.to_60,)),
    # 7: nothing
    Condition("pose", HELD, (cameras.frozen, switcher.held), seconds=90.0, still=True),
    Condition("pose-cuts", HELD, (cameras.frozen, switcher.seldom), seconds=60.0, still=True),
    Condition("held", HELD, (switcher.held,), seconds=90.0),
    Condition("held-strobes", HELD, (cameras.strobes, switcher.held), seconds=60.0),
    Condition("held-zooms", HELD, (program.punch_in, cameras.zooms, switcher.held), seconds=60.0),
    Condition(
        "held-overlays", HELD, (program.graphics, program.running_text, switcher.held), seconds=60.0
    ),
)

_PROGRAM = (
    program.letterbox,
    program.crop,
    program.punch_in,
    program.mirror_one,
    program.grade,
    program.black_and_white,
    program.graphics,
    program.running_text,
    program.starved,
)
_SWITCHER = (
    switcher.fast,
    switcher.dissolves,
    switcher.fades,
    switcher.wipes,
    switcher.insets,
    switcher.splits,
    switcher.slates,
)
_CAMERAS = (
    cameras.strobes,
    cameras.hunting,
    cameras.lens_switch,
    cameras.refocus,
    cameras.moved,
    cameras.black_frames,
    cameras.varying,
)
_UNFIT: dict[Touch, tuple[Touch, ...]] = {
    # These would change how large a part of the picture the second camera fills.
    switcher.insets: (program.letterbox, program.crop, program.punch_in),
    switcher.splits: (program.letterbox, program.crop, program.punch_in),
    # Black with text on it is neither black nor a picture.
    switcher.slates: (program.graphics, program.running_text),
}
_TIME = (cameras.delays, cameras.drift, cameras.clocks, cameras.losses, cameras.to_24)
COMBINATIONS, MORE = 8, 72
"""Combinations in the table, and those that there are to develop on."""


def _mixed(number: int) -> Condition:
    """A combination: one or two of each kind, by chance."""
    random = np.random.default_rng((number, 79))
    touches: list[Touch] = []
    for pool, most in ((_CAMERAS, 2), (_TIME, 1), (_SWITCHER, 1), (_PROGRAM, 2)):
        unfit = {one for touch in touches for one in _UNFIT.get(touch, ())}
        fit = [touch for touch in pool if touch not in unfit]
        count = int(random.integers(1, most + 1))
        touches += [fit[index] for index in random.permutation(len(fit))[:count]]
    base = _near(0.05) if random.random() < 0.25 else angles
    return Condition(f"mixed-{number}", "combinations", tuple(touches), base)


CONDITIONS = MappingProxyType(
    {
        condition.name: condition
        for condition in (*_ONE, *(_mixed(number) for number in range(1, MORE + 1)))
    }
)
"""Every condition by name, in the order of the table."""

TABLE = tuple(CONDITIONS)[: len(_ONE) + COMBINATIONS]
"""The names of those in the table; the others run only when they are named."""


def scene_for(part: str, name: str) -> Scene:
    """The scene of a condition in a part: always the same one, each scene about equally often."""
    condition = CONDITIONS[name]
    scenes = [scene for scene in PARTS[part].values() if scene.long or not condition.long]
    # Real footage counts twice: it is what tap is for, and the stage takes long to render.
    scenes += [scene for scene in scenes if scene.footage]
    return scenes[zlib.crc32(name.encode()) % len(scenes)]


def seed_for(part: str, name: str) -> int:
    """The seed of a condition in a part."""
    return zlib.crc32(f"{part}/{name}".encode()) % 10_000
