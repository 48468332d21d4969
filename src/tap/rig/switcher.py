"""The switcher: from a plan and the cameras to the program's frames, each with what it shows."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tap.rig import look, mixes
from tap.rig.camera import Camera, blind, named
from tap.rig.plan import Delay, Kind, On, Plan, Program, Take
from tap.rig.source import Picture
from tap.vocabulary import EventType, ShotState

COMPOSED_SHARE = 0.2
"""A second camera that fills at least this much of the picture makes it composed."""
_VISIBLE = 8
"""Grey levels by which a pixel of a wipe must differ to be seen."""
STEADY_PPM = 100.0
"""Clocks that run further apart change the delay between their files by ms within minutes."""


@dataclass(frozen=True, slots=True)
class Label:
    """What one program frame truly shows. An AMBIGUOUS one that names a camera shows that one, but
    only noise tells it from the others: to say either is right."""

    state: ShotState
    camera: str | None = None
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What the switcher composes for one tick of the program: `take`, and the one before it
    while the change is under way (`progress` in 0 … 1, else None)."""

    take: int
    progress: float | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One program frame: its tick, the tick whose picture it shows (a repeat shows an older one),
    what that is, and each camera frame used in it as (camera id, file time in ms)."""

    tick: int
    source_tick: int
    at_ms: float
    step: Step
    label: Label
    used: tuple[tuple[str, float], ...]


class Switcher:
    """Cameras on one side, a program on the other. Raises ValueError for a plan without takes."""

    def __init__(
        self,
        cameras: Sequence[Camera],
        plan: Plan,
        program: Program,
        delays: dict[str, Delay] | None = None,
    ) -> None:
        if not plan.takes or plan.takes[0].at_ms > 0:
            raise ValueError("a plan's first take must be at 0 ms")
        self.plan = plan
        self.program = program
        self._cameras = named(cameras)
        self._delays = {name: (delays or {}).get(name, Delay()) for name in self._cameras}
        whole_ms = program.starts_ms + plan.duration_ms
        self.captured = {c.id: c.capture_times(whole_ms) for c in cameras}
        self.told = {c.id: c.file_times(self.captured[c.id]) for c in cameras}
        self._interval_ms = 1000.0 / program.fps
        self._mixed_ms = 1000.0 / (program.mixed_fps or program.fps)
        mixed = round(plan.duration_ms / self._mixed_ms) + 2
        self._mixed = _steps(plan.takes, mixed, 1000.0 / self._mixed_ms)
        self._count = round(plan.duration_ms / self._interval_ms)

    def delay_ms(self, name: str, program_ms: float) -> float:
        """How late the switcher has camera `name` at `program_ms`."""
        return self._delays[name].at(program_ms)

    def steady(self, name: str) -> bool:
        """Whether camera `name` stays equally late by the two files' clocks."""
        delay = self._delays[name]
        skew = abs(self._cameras[name].timing.skew_ppm)
        return not delay.jumps and not delay.drift_ms_per_minute and skew <= STEADY_PPM

    def index_shown(self, name: str, program_ms: float, age_ms: float = 0.0) -> int:
        """Which picture of camera `name` the switcher has at `program_ms`."""
        scene_ms = self.program.starts_ms + program_ms
        latest = scene_ms - self.delay_ms(name, program_ms) - age_ms
        times: npt.NDArray[np.float64] = self.captured[name]
        return max(0, int(np.searchsorted(times, latest, side="right")) - 1)

    def frames(self) -> list[Shown]:
        """The frames of the program file, in order, without those that were dropped."""
        random = np.random.default_rng((self.plan.seed, 7))
        count = self._count
        repeated = random.random(count) < self.plan.repeated
        dropped = random.random(count) < self.plan.dropped
        shown: list[Shown] = []
        source = 0
        for tick in range(count):
            at_ms = tick * self._interval_ms
            frozen = any(start < at_ms < start + length for start, length in self.plan.freezes)
            if tick == 0 or not (frozen or repeated[tick]):
                source = tick
            if tick > 0 and dropped[tick]:
                continue
            inner = self._nearer(source)
            displayed = self._mixed[inner]
            label = self._label(displayed, inner * self._mixed_ms)
            used = self._used(displayed, inner * self._mixed_ms)
            shown.append(Shown(tick, source, at_ms, displayed, label, used))
        return shown

    def pictures(self, frames: Sequence[Shown]) -> Iterator[Picture]:
        """The picture of each frame, in order."""
        last_tick, last = -1, None
        for frame in frames:
            if last is None or frame.source_tick != last_tick:
                last_tick = frame.source_tick
                last = self._converted(last_tick)
            yield last

    def _place(self, tick: int) -> tuple[int, float]:
        """Which of the switcher's pictures a tick of the program shows, and the part of the next
        one that a rate converter blends in."""
        if self.program.mixed_fps is None:
            return tick, 0.0
        at = tick * self._interval_ms / self._mixed_ms
        whole = int(at + 1e-6)
        part = at - whole
        return whole, part if part > 1e-3 else 0.0

    def _nearer(self, tick: int) -> int:
        """The switcher's picture of which a tick shows the most."""
        whole, part = self._place(tick)
        return whole + (part >= 0.5)

    def _converted(self, tick: int) -> Picture:
        whole, part = self._place(tick)
        out = self._compose(whole)
        if part:
            out = look.mixed(out, self._compose(whole + 1), part)
        return self._touched(out, tick * self._interval_ms)

    def _touched(self, picture: Picture, program_ms: float) -> Picture:
        for effect in self.program.effects:
            picture = effect(picture, program_ms)
        return picture

    def take_of(self, frame: Shown) -> Take:
        """The take that a frame shows (or goes to)."""
        return self.plan.takes[frame.step.take]

    # ------------------------------------------------------------ truth

    def _label(self, step: Step, program_ms: float) -> Label:
        on = self.plan.takes[step.take].on
        if step.progress is None:
            return self.label_of(on, program_ms)
        before = self.plan.takes[step.take - 1].on
        seen = self._sides_seen(step, program_ms)
        if seen != (True, True):
            return self.label_of(before if seen[0] else on, program_ms)
        names = tuple(dict.fromkeys((*self._tapped(before), *self._tapped(on))))
        return Label(ShotState.TRANSITION, None, names)

    def _sides_seen(self, step: Step, program_ms: float) -> tuple[bool, bool]:
        """Whether anything of what was on before, and of what comes, is to be seen: the first or
        the last of a wipe may lie behind bars, or outside of what a crop shows."""
        take = self.plan.takes[step.take]
        if take.how is not EventType.WIPE or step.progress is None:
            return True, True
        width, height = self.program.size
        black, white = (np.full((height, width, 3), grey, np.uint8) for grey in (0, 255))
        both = self._finished(mixes.changed(black, white, step.progress, take), program_ms)

        def differs(side: Picture) -> bool:
            alone = self._finished(side, program_ms).astype(np.int16)
            return bool((np.abs(both - alone) > _VISIBLE).any())

        return differs(white), differs(black)

    def _finished(self, picture: Picture, program_ms: float) -> Picture:
        """What becomes of a picture of the mixer on its way to the program."""
        return self._touched(look.dressed(picture, self.program.look, program_ms), program_ms)

    def _tapped(self, on: On) -> tuple[str, ...]:
        return on.cameras[:1] if on.kind is Kind.CAMERA and self._is_tapped(on) else ()

    def _is_tapped(self, on: On) -> bool:
        return self._cameras[on.cameras[0]].tapped

    def label_of(self, on: On, program_ms: float) -> Label:
        """What the program shows while it is settled on `on`."""
        if on.kind is Kind.BLACK:
            return Label(ShotState.BLACK)
        if on.kind in {Kind.SLATE, Kind.GRAPHIC}:
            return Label(ShotState.OFF_CAMERA)
        if on.kind is Kind.REPLAY:
            return Label(ShotState.OFF_CAMERA, None, on.cameras)
        if on.kind is Kind.SPLIT or (on.kind is Kind.INSET and on.share**2 >= COMPOSED_SHARE):
            return Label(ShotState.COMPOSED, None, on.cameras)
        name = on.cameras[0]
        camera = self._cameras[name]
        if not camera.tapped:
            return Label(ShotState.OFF_CAMERA)
        if blind(camera, float(self.captured[name][self.index_shown(name, program_ms)])):
            return Label(ShotState.UNSEEN, None, (name,))
        if camera.twins:
            told = name if camera.twins_differ else None
            return Label(ShotState.AMBIGUOUS, told, tuple(sorted((name, *camera.twins))))
        return Label(ShotState.LIVE, name, (name,))

    def _used(self, step: Step, program_ms: float) -> tuple[tuple[str, float], ...]:
        takes = self.plan.takes
        ons = [takes[step.take].on]
        if step.progress is not None:
            ons.insert(0, takes[step.take - 1].on)
        return tuple(
            (name, float(self.told[name][self.index_shown(name, program_ms, on.age_ms)]))
            for on in ons
            for name in on.cameras
        )

    # ------------------------------------------------------------ pictures

    def _compose(self, mixed: int) -> Picture:
        """The switcher's picture number `mixed`."""
        step, program_ms = self._mixed[mixed], mixed * self._mixed_ms
        take = self.plan.takes[step.take]
        out = self._picture(take.on, program_ms)
        if step.progress is not None:
            before = self._picture(self.plan.takes[step.take - 1].on, program_ms)
            out = mixes.changed(before, out, step.progress, take)
        return look.dressed(out, self.program.look, program_ms)

    def _picture(self, on: On, program_ms: float) -> Picture:
        size = self.program.size
        if on.kind is Kind.BLACK:
            return np.zeros((size[1], size[0], 3), np.uint8)
        if on.kind is Kind.SLATE:
            return look.slate(size, self.program.title)
        if on.kind is Kind.GRAPHIC:
            return mixes.graphic(size, program_ms)
        pictures = [self._camera_picture(name, on, program_ms) for name in on.cameras]
        if on.kind is Kind.SPLIT:
            return mixes.split(pictures[0], pictures[1], on.layout)
        if on.kind is Kind.INSET:
            return mixes.inset(pictures[0], pictures[1], on.share, on.layout)
        return pictures[0]

    def _camera_picture(self, name: str, on: On, program_ms: float) -> Picture:
        index = self.index_shown(name, program_ms, on.age_ms)
        picture = self._cameras[name].picture(index, float(self.captured[name][index]))
        fitted = look.fitted(picture, self.program.size, self.program.fit)
        effect = self.program.inputs.get(name)
        return fitted if effect is None else effect(fitted, program_ms)


def _steps(takes: Sequence[Take], count: int, fps: float) -> list[Step]:
    """What is composed at each tick. A take begins at the first tick at or after its time."""
    starts = [int(np.ceil(take.at_ms * fps / 1000.0 - 1e-9)) for take in takes]
    steps: list[Step] = []
    for tick in range(count):
        index = max(0, bisect_right(starts, tick) - 1)
        take = takes[index]
        mixed = max(1, round(take.duration_ms * fps / 1000.0))
        gone = tick - starts[index]
        under_way = index > 0 and take.how is not EventType.CUT and gone < mixed
        steps.append(Step(index, (gone + 1) / (mixed + 1) if under_way else None))
    return steps
