"""Ready-made shoots: `build("pose2sim", folder)` writes one; `RECIPES` says what there is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tap.errors import InputError
from tap.rig.camera import Camera, Timing
from tap.rig.clip import Clip
from tap.rig.encode import Codec, Encoding
from tap.rig.footage import fetch
from tap.rig.lens import Lens
from tap.rig.plan import BLACK, SLATE, Fit, Kind, Look, On, Program, camera
from tap.rig.script import Style, write_plan
from tap.rig.source import Flashed, Sensor, Source, View
from tap.rig.stage import StageView, dance_studio
from tap.rig.write import Production, Progress, write_shoot
from tap.vocabulary import EventType, VerdictCode

THREE_MISTAKES = (VerdictCode.MISSED, VerdictCode.UNANNOUNCED, VerdictCode.WRONG_CAMERA)
EVERY_CHANGE = (
    (EventType.CUT, 0.3),
    (EventType.DISSOLVE, 0.3),
    (EventType.FADE, 0.2),
    (EventType.WIPE, 0.2),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose; None leaves it to the recipe.

    `seconds` of program; `longer` is the longer side of the camera pictures in pixels; `size` the
    program's; `codec` that of the camera files.
    """

    seconds: float | None = None
    seed: int = 1
    longer: int | None = None
    size: tuple[int, int] | None = None
    codec: Codec = Codec.H264
    cache: Path | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named shoot."""

    name: str
    about: str
    seconds: float
    make: Callable[[Options], Production]
    downloads: bool = True


def build(
    name: str, folder: Path, options: Options | None = None, progress: Progress | None = None
) -> Path:
    """Write the shoot of recipe `name` to `folder`, which must be new or empty.

    Raises InputError for an unknown recipe or an unusable folder, FeedError where footage can't be
    downloaded.
    """
    recipe = RECIPES.get(name)
    if recipe is None:
        raise InputError(f"There is no recipe '{name}'; the rig has {', '.join(sorted(RECIPES))}.")
    chosen = options or Options()
    seconds = chosen.seconds or recipe.seconds
    try:
        production = recipe.make(replace(chosen, seconds=seconds))
    except ValueError as error:
        raise InputError(f"The recipe '{name}' can't be made so: {error}.") from error
    return write_shoot(production, folder, progress)


# ---------------------------------------------------------------- cameras


def _timings(count: int, fps: float, seed: int) -> list[Timing]:
    """Clocks as real cameras have them: own phase, a few ms of jitter, tens of ppm of skew."""
    random = np.random.default_rng((seed, 3))
    return [
        Timing(
            fps=fps,
            phase_ms=float(random.uniform(0.0, 1000.0 / fps)),
            jitter_ms=2.0,
            skew_ppm=float(random.uniform(-50.0, 50.0)),
            lost=0.002,
            seed=seed * 100 + index,
        )
        for index in range(count)
    ]


def _pose2sim_cameras(options: Options, fps: float = 30.0) -> list[Camera]:
    """The four real synchronised cameras."""
    timings = _timings(4, fps, options.seed)
    roles = ("hero", "left", "right", "back")
    clips = fetch("pose2sim", options.cache)
    return [
        Camera(
            id=f"cam-{'abcd'[index]}",
            source=Clip(path, longer=options.longer or 960),
            timing=timings[index],
            role=roles[index],
            label=f"Pose2Sim {path.stem}",
        )
        for index, path in enumerate(clips)
    ]


def _lookalike_cameras(options: Options) -> list[Camera]:
    """Virtual cameras cut out of one clip, a few per cent apart: hard to tell from each other."""
    clip = Clip(fetch("sports2d", options.cache)[0], longer=1280)
    size = (options.longer or 640, (options.longer or 640) * 9 // 32 * 2)
    timings = _timings(4, 30.0, options.seed)
    random = np.random.default_rng((options.seed, 5))
    cameras: list[Camera] = []
    for index, (x, y) in enumerate(((0.10, 0.10), (0.13, 0.10), (0.10, 0.14), (0.14, 0.13))):
        wide = 0.70 + 0.01 * index
        gains = random.uniform(0.95, 1.05, 4)
        sensor = Sensor(
            exposure=float(gains[3]),
            balance=(float(gains[0]), float(gains[1]), float(gains[2])),
            noise=2.5,
            seed=options.seed * 10 + index,
        )
        view = View(clip, size, crop=(x, y, x + wide, y + wide))
        cameras.append(
            Camera(id=f"cam-{'abcd'[index]}", source=view, timing=timings[index], sensor=sensor)
        )
    return cameras


def _stage_cameras(options: Options) -> list[Camera]:
    """Four cameras around the rendered stage, the last one hand-held."""
    stage = dance_studio(options.seed)
    longer = (options.longer or 640) // 32 * 32
    size = (longer, longer * 9 // 16)
    lenses = (
        Lens((0.0, -6.5, 1.9), (0.2, 1.5, 1.1), 0.95, size),
        Lens((-4.8, -3.5, 1.5), (0.3, 1.2, 1.0), 1.15, size),
        Lens((4.6, -2.8, 2.6), (-0.3, 1.4, 0.7), 1.10, size),
        Lens((1.2, -4.6, 0.9), (0.4, 1.6, 1.25), 1.60, size),
    )
    roles = ("wide", "left", "high", "close")
    timings = _timings(4, 25.0, options.seed)
    random = np.random.default_rng((options.seed, 5))
    cameras: list[Camera] = []
    for index, lens in enumerate(lenses):
        gains = random.uniform(0.92, 1.08, 4)
        sensor = Sensor(
            exposure=float(gains[3]),
            balance=(float(gains[0]), float(gains[1]), float(gains[2])),
            noise=1.0,
            seed=options.seed * 10 + index,
        )
        view = StageView(stage, lens, sway=2.0 * longer / 640 if index == 3 else 0.0)
        name = f"cam-{'abcd'[index]}"
        cameras.append(
            Camera(
                id=name,
                source=view,
                timing=timings[index],
                sensor=sensor,
                role=roles[index],
                label=f"Stage, {roles[index]}",
            )
        )
    return cameras


# ---------------------------------------------------------------- recipes


def _production(
    name: str, cameras: list[Camera], options: Options, style: Style, program: Program
) -> Production:
    seconds = options.seconds or 60.0
    on_tap = [item.id for item in cameras if item.tapped]
    plan = write_plan(on_tap, seconds * 1000.0, options.seed, style, repeated=0.004, dropped=0.002)
    if options.size is not None:
        program = replace(program, size=options.size)
    return Production(
        name=f"rig-{name}-{options.seed}",
        cameras=cameras,
        plan=plan,
        program=program,
        camera_encoding=Encoding(codec=options.codec, preset="ultrafast"),
    )


def _demo(options: Options) -> Production:
    cameras = _stage_cameras(options)
    style = Style(gap_ms=(1700.0, 2600.0), lead_ms=3000.0, faults=THREE_MISTAKES)
    program = Program(size=cameras[0].source.size, fps=25.0)
    production = _production("demo", cameras, options, style, program)
    # Small enough to lie in the repository; the slower preset makes up for the few bits.
    small = Encoding(codec=options.codec, kbps=230, gop=125, preset="medium")
    return replace(
        production,
        camera_encoding=small,
        program_encoding=Encoding(kbps=330, gop=125, preset="medium"),
    )


def _pose2sim(options: Options) -> Production:
    style = Style(faults=THREE_MISTAKES)
    return _production("pose2sim", _pose2sim_cameras(options), options, style, Program())


def _soft(options: Options) -> Production:
    cameras = _pose2sim_cameras(options)
    cameras[3].tapped = False
    excursions = (
        SLATE,
        BLACK,
        camera("cam-d"),
        On(Kind.SPLIT, ("cam-a", "cam-b")),
        On(Kind.REPLAY, ("cam-b",), age_ms=9500.0),
    )
    style = Style(
        gap_ms=(2000.0, 3500.0), mix=EVERY_CHANGE, soft_ms=(300.0, 1500.0), excursions=excursions
    )
    production = _production("soft", cameras, options, style, Program())
    return replace(production, program=replace(production.program, fit=Fit.FILL))


def _lookalike(options: Options) -> Production:
    program = Program(look=Look(grade=0.3))
    style = Style(faults=THREE_MISTAKES)
    return _production("lookalike", _lookalike_cameras(options), options, style, program)


def _overlay(options: Options) -> Production:
    seconds = options.seconds or 60.0
    thirds = tuple(
        (start * 1000.0, start * 1000.0 + 6000.0) for start in range(4, int(seconds) - 7, 13)
    )
    zooms = ((seconds * 400.0, seconds * 400.0 + 3000.0, 1.15),)
    look = Look(grade=0.8, gamma=1.1, bug=True, lower_thirds=thirds, zooms=zooms, crop=0.02)
    cameras = _pose2sim_cameras(options)
    flashes = tuple(7300.0 + 9100.0 * index for index in range(int(seconds / 9.1)))
    for item in cameras:
        lit: Source = Flashed(item.source, flashes)
        item.source = lit
    style = Style(faults=THREE_MISTAKES)
    return _production("overlay", cameras, options, style, Program(look=look, fit=Fit.FILL))


def _letterbox(options: Options) -> Production:
    cameras = _pose2sim_cameras(options)
    for index, item in enumerate(cameras):
        wide = 0.62 + 0.06 * index
        # Landscape cut-outs of the portrait cameras, as a film of another shape would use them.
        view = View(item.source, (640, 360), crop=(0.0, wide - 0.3, 1.0, wide))
        item.source = view
    program = Program(size=(960, 720), fit=Fit.FIT, look=Look(mirror=True))
    return _production("letterbox", cameras, options, Style(faults=THREE_MISTAKES), program)


def _faults(options: Options) -> Production:
    faults = (
        VerdictCode.MISSED,
        VerdictCode.LATE,
        VerdictCode.HOLD_KEPT,
        VerdictCode.EARLY,
        VerdictCode.SOFT,
        VerdictCode.UNANNOUNCED,
        VerdictCode.OFF_CAMERA,
        VerdictCode.WRONG_CAMERA,
        VerdictCode.HOLD_BROKEN,
        VerdictCode.REVERTED,
    )
    cameras = _pose2sim_cameras(options)
    return _production("faults", cameras, options, Style(faults=faults), Program())


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "demo", "A rendered stage, small enough to lie in the repository.", 45.0, _demo, False
        ),
        Recipe("pose2sim", "Four real cameras, hard cuts, three mistakes.", 75.0, _pose2sim),
        Recipe("soft", "Dissolves, fades, wipes, slate, black, a camera tap has not.", 90.0, _soft),
        Recipe("lookalike", "Four cameras that see nearly the same.", 75.0, _lookalike),
        Recipe("overlay", "Graded, with graphics, flashes and a zoom.", 75.0, _overlay),
        Recipe("letterbox", "Mirrored, with bars, four by three.", 75.0, _letterbox),
        Recipe("faults", "Every mistake a director can make.", 120.0, _faults),
    )
}
"""Every recipe by name."""
