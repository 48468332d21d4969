"""A shoot before it is made: the ordinary case, open for every condition to change."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmarks.accuracy.planning import Direction, draw_plan
from benchmarks.accuracy.scenes import Scene
from tap.rig.camera import Camera, Timing
from tap.rig.encode import Encoding
from tap.rig.plan import Delay, Effect, Plan, Program
from tap.rig.source import Sensor, Source
from tap.rig.write import Production

SECONDS = 33.0
FPS = 25.0


@dataclass(slots=True)
class Setup:
    """A shoot in the making. `touches` change its fields; `production` makes it."""

    scene: Scene
    seed: int
    cameras: list[Camera]
    random: np.random.Generator
    seconds: float = SECONDS
    direction: Direction = field(default_factory=Direction)
    program: Program = field(default_factory=lambda: Program(size=(640, 360), fps=FPS))
    delays: dict[str, Delay] = field(default_factory=dict[str, Delay])
    camera_encoding: Encoding = field(
        default_factory=lambda: Encoding(crf=20, preset="ultrafast", threads=1)
    )
    program_encoding: Encoding = field(default_factory=lambda: Encoding(kbps=1500, threads=1))
    plan: Callable[["Setup"], Plan] | None = None
    extras: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def duration_ms(self) -> float:
        """How long the program runs."""
        return self.seconds * 1000.0

    @property
    def names(self) -> tuple[str, ...]:
        """The cameras' ids."""
        return tuple(camera.id for camera in self.cameras)

    def moments(self, every_ms: float, since_ms: float = 3000.0) -> tuple[float, ...]:
        """Scene times about `every_ms` apart, by chance."""
        found: list[float] = []
        at = since_ms + float(self.random.uniform(0.0, every_ms))
        while at < self.duration_ms:
            found.append(at)
            at += every_ms * float(self.random.uniform(0.7, 1.3))
        return tuple(found)

    def wrap(self, wrapper: Callable[[Camera], Source]) -> None:
        """Put something around every camera's source."""
        for camera in self.cameras:
            source: Source = wrapper(camera)
            camera.source = source

    def timing(self, change: Callable[[Timing, int], Timing]) -> None:
        """Change every camera's timing, given it and the camera's number."""
        for number, camera in enumerate(self.cameras):
            camera.timing = change(camera.timing, number)

    def dress(self, *effects: Effect) -> None:
        """Do more to the program's pictures."""
        self.program = replace(self.program, effects=(*self.program.effects, *effects))

    def direct(self, **changes: Any) -> None:
        """Change how the director works."""
        self.direction = replace(self.direction, **changes)

    def production(self, name: str) -> Production:
        """The shoot."""
        silent = frozenset(camera.id for camera in self.cameras if not camera.tapped)
        if self.plan is not None:
            plan = self.plan(self)
        else:
            plan = draw_plan(
                self.direction,
                self.names,
                self.duration_ms,
                self.seed,
                silent=silent,
                **self.extras,
            )
        return Production(
            name=name,
            cameras=self.cameras,
            plan=plan,
            program=self.program,
            delays=self.delays,
            camera_encoding=self.camera_encoding,
            program_encoding=self.program_encoding,
        )


Touch = Callable[[Setup], None]


def ordinary(scene: Scene, sources: list[Source], seed: int) -> Setup:
    """A shoot with nothing special: own clocks, slightly other exposure and colour, some noise,
    constant delays."""
    random = np.random.default_rng((seed, 73))
    cameras: list[Camera] = []
    delays: dict[str, Delay] = {}
    for number, source in enumerate(sources):
        gains = random.uniform(0.95, 1.05, 4)
        name = f"cam-{chr(ord('a') + number)}"
        cameras.append(
            Camera(
                id=name,
                source=source,
                timing=Timing(
                    fps=FPS,
                    phase_ms=float(random.uniform(0.0, 1000.0 / FPS)),
                    jitter_ms=2.0,
                    skew_ppm=float(random.uniform(-50.0, 50.0)),
                    lost=0.002,
                    seed=seed * 100 + number,
                ),
                sensor=Sensor(
                    exposure=float(gains[3]),
                    balance=(float(gains[0]), float(gains[1]), float(gains[2])),
                    noise=1.5,
                    seed=seed * 100 + number,
                ),
            )
        )
        delays[name] = Delay(base_ms=float(random.uniform(80.0, 450.0)))
    setup = Setup(scene=scene, seed=seed, cameras=cameras, random=random, delays=delays)
    setup.extras = {"repeated": 0.002, "dropped": 0.001}
    return setup


def angles(scene: Scene, seed: int, count: int = 4) -> Setup:
    """Distinct cameras."""
    return ordinary(scene, scene.angles(count, seed), seed)


def near(scene: Scene, seed: int, count: int = 4, apart: float = 0.04) -> Setup:
    """Look-alikes."""
    return ordinary(scene, scene.near(count, apart, seed), seed)
