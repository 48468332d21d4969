"""What cameras do (the issue's list, 5), and what they have in common (1, 2): a touch for each."""

from dataclasses import replace

from benchmarks.accuracy.scenes import portrait
from benchmarks.accuracy.setup import Setup
from tap.rig.effects import Blanked, Grey, Hunting, Later, Refocusing, Still, Turned
from tap.rig.moves import Frame, Framed, Held, Keys
from tap.rig.plan import Delay
from tap.rig.source import Flashed, Sensor, View

WHOLE = Frame(0.5, 0.5, 1.0)


def monochrome(setup: Setup) -> None:
    """Every camera without colour."""
    setup.wrap(lambda camera: Grey(camera.source))


def handheld(setup: Setup) -> None:
    """Phones side by side in hands, panning over one thing together."""
    scene = setup.scene
    base = replace(scene.base, wide=scene.base.wide * 0.8)
    for number, camera in enumerate(setup.cameras):
        aside = replace(base, x=base.x + 0.025 * (number - 1.5) * base.wide)
        path = Held(aside, pan=(0.09, 0.02), sway=0.010, seed=setup.seed * 10 + number)
        camera.source = scene.framed(path)


def strobes(setup: Setup) -> None:
    """A photographer's flash lights all cameras."""
    flashes = setup.moments(2600.0, 1500.0)
    setup.wrap(lambda camera: Flashed(camera.source, flashes))


def hunting(setup: Setup) -> None:
    """Auto exposure and white balance that hunt, each camera for itself."""
    for number, camera in enumerate(setup.cameras):
        seed = setup.seed * 10 + number
        camera.source = Hunting(camera.source, period_ms=3100.0 + 700.0 * number, seed=seed)


def lens_switch(setup: Setup) -> None:
    """Phones that jump between their lenses, back and forth."""
    for camera in setup.cameras[:3]:
        keys = [(0.0, WHOLE)]
        for at in setup.moments(6500.0):
            now = keys[-1][1]
            after = WHOLE if now.wide < 1.0 else Frame(0.5, 0.5, 1.0 / 1.6)
            keys += [(at, now), (at, after)]
        camera.source = Framed(camera.source, camera.source.size, Keys(tuple(keys)))


def refocus(setup: Setup) -> None:
    """Lenses that seek focus."""
    setup.wrap(lambda camera: Refocusing(camera.source, setup.moments(4000.0), blur=4.0))


def zooms(setup: Setup) -> None:
    """Cameras that zoom in and out, optically."""
    for camera in setup.cameras[:3]:
        keys = [(0.0, WHOLE)]
        for at in setup.moments(7000.0):
            now = keys[-1][1]
            after = WHOLE if now.wide < 1.0 else Frame(0.5, 0.5, 0.62)
            keys += [(max(at, keys[-1][0]), now), (max(at, keys[-1][0]) + 2200.0, after)]
        camera.source = Framed(camera.source, camera.source.size, Keys(tuple(keys)))


def turned(setup: Setup) -> None:
    """Phones that are turned on their side and back."""
    for camera in setup.cameras[:2]:
        moments = setup.moments(9000.0)
        turns = tuple((at, 1 if number % 2 == 0 else 0) for number, at in enumerate(moments))
        camera.source = Turned(camera.source, turns)


def moved(setup: Setup) -> None:
    """Cameras that are picked up and put down elsewhere."""
    for camera in setup.cameras[:3]:
        tight = Frame(0.5, 0.5, 0.72)
        keys = [(0.0, tight)]
        for at in setup.moments(8000.0):
            start = max(at, keys[-1][0])
            x, y = (float(value) for value in setup.random.uniform(0.37, 0.63, 2))
            tilt = float(setup.random.uniform(-4.0, 4.0))
            keys += [(start, keys[-1][1]), (start + 900.0, Frame(x, y, 0.72, tilt))]
        camera.source = Framed(camera.source, camera.source.size, Keys(tuple(keys)))


def black_frames(setup: Setup) -> None:
    """Feeds with single black frames."""
    setup.wrap(lambda camera: Blanked(camera.source, setup.moments(2500.0, 1000.0)))


def stuck(setup: Setup) -> None:
    """Cameras that hang for half a second to two, feed and program alike."""
    for camera in setup.cameras:
        camera.stuck = tuple(
            (at, at + float(setup.random.uniform(500.0, 2000.0))) for at in setup.moments(6000.0)
        )


def gaps(setup: Setup) -> None:
    """Feeds with gaps of 1.2 to 2.5 s."""
    for camera in setup.cameras:
        lost = tuple(
            (at, at + float(setup.random.uniform(1200.0, 2500.0))) for at in setup.moments(12_000.0)
        )
        camera.timing = replace(camera.timing, gaps=lost)


def rates(setup: Setup) -> None:
    """5, 12, 24 and 60 pictures a second."""
    for camera, fps in zip(setup.cameras, (24.0, 12.0, 60.0, 5.0), strict=False):
        camera.timing = replace(camera.timing, fps=fps)


def varying(setup: Setup) -> None:
    """Rates that vary: unsteady intervals, and stretches of half and a third of the rate."""
    for camera in setup.cameras:
        thin = tuple(
            (at, at + 2500.0, int(setup.random.integers(2, 4))) for at in setup.moments(6000.0)
        )
        timing = replace(camera.timing, jitter_ms=9.0, lost=0.03, thinned=thin)
        camera.timing = timing


def shapes(setup: Setup) -> None:
    """Other sizes and shapes: small, 4:3, upright."""
    one, two, three = setup.cameras[1], setup.cameras[2], setup.cameras[3]
    one.source = View(one.source, (320, 180))
    two.source = View(two.source, (360, 270), crop=(0.125, 0.0, 0.875, 1.0))
    three.source = portrait(three.source)


def frozen(setup: Setup) -> None:
    """A pose: nothing moves but the noise."""
    setup.wrap(lambda camera: Still(camera.source, 1500.0))


def later(setup: Setup) -> None:
    """Look-alikes that differ in the moment as well: each looks at its own time of the clip."""
    for number, camera in enumerate(setup.cameras):
        camera.source = Later(camera.source, 700.0 * number)


def registered_twice(setup: Setup) -> None:
    """Camera c is camera b again, frame for frame."""
    one, two = setup.cameras[1], setup.cameras[2]
    two.source, two.timing, two.sensor = one.source, one.timing, one.sensor
    one.twins, two.twins = (two.id,), (one.id,)
    setup.delays[two.id] = setup.delays[one.id]


def noise_twins(setup: Setup) -> None:
    """A pose seen by two cameras that differ in nothing but their noise."""
    frozen(setup)
    one, two = setup.cameras[1], setup.cameras[2]
    two.source = one.source
    seed = setup.seed * 100
    one.sensor, two.sensor = Sensor(noise=1.5, seed=seed + 41), Sensor(noise=1.5, seed=seed + 42)
    one.twins, two.twins = (two.id,), (one.id,)
    one.twins_differ = two.twins_differ = True
    # A cut between them is one that nobody need see.
    setup.direct(never=frozenset({frozenset({one.id, two.id})}))


def delays(setup: Setup) -> None:
    """Delays from 0 to 3 s, each camera's its own."""
    for name, base in zip(setup.names, (40.0, 900.0, 1900.0, 2900.0), strict=False):
        setup.delays[name] = Delay(base + float(setup.random.uniform(-40.0, 60.0)))


def drift(setup: Setup) -> None:
    """Delays that drift."""
    for name, rate in zip(setup.names, (300.0, -150.0, 120.0, 400.0), strict=False):
        setup.delays[name] = replace(setup.delays[name], base_ms=300.0, drift_ms_per_minute=rate)


def jumps(setup: Setup) -> None:
    """Delays that jump, as on a reconnect."""
    for name in setup.names:
        steps = tuple(
            (at, float(setup.random.choice((-1.0, 1.0)) * setup.random.uniform(90.0, 350.0)))
            for at in setup.moments(11_000.0, 5000.0)
        )
        setup.delays[name] = Delay(900.0, 0.0, steps)


def clocks(setup: Setup) -> None:
    """Clocks 500 ppm fast and slow."""
    for number, camera in enumerate(setup.cameras):
        skew = (500.0, -500.0, 400.0, -450.0)[number % 4]
        camera.timing = replace(camera.timing, skew_ppm=skew)


def losses(setup: Setup) -> None:
    """Frames lost by cameras, dropped and repeated by the program."""
    for camera in setup.cameras:
        camera.timing = replace(camera.timing, lost=0.06)
    setup.extras = {"repeated": 0.05, "dropped": 0.04}


def _at_30(setup: Setup, fps: float, mixed_fps: float | None) -> None:
    """Cameras of 30 pictures a second on a program of `fps`."""
    setup.timing(lambda timing, _: replace(timing, fps=30.0))
    setup.program = replace(setup.program, fps=fps, mixed_fps=mixed_fps)


def to_24(setup: Setup) -> None:
    """A program of 24 frames a second, blended out of 30."""
    _at_30(setup, 24.0, 30.0)


def to_50(setup: Setup) -> None:
    """A program of 50 frames a second, blended out of 30."""
    _at_30(setup, 50.0, 30.0)
    setup.seconds = min(setup.seconds, 28.0)


def to_60(setup: Setup) -> None:
    """A program of 60 frames a second, unblended: it shows every picture twice."""
    _at_30(setup, 60.0, None)
    setup.seconds = min(setup.seconds, 28.0)
