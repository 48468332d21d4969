"""What the program does to its pictures (the issue's list, 3): one touch for each."""

from dataclasses import replace

from benchmarks.accuracy.setup import Setup
from tap.rig.dress import Graphics, Placed, Tones, Zoom, colourless, mirrored
from tap.rig.encode import Encoding
from tap.rig.plan import Fit, Look


def _look(setup: Setup, **changes: object) -> None:
    look: Look = replace(setup.program.look, **changes)  # type: ignore[arg-type]
    setup.program = replace(setup.program, look=look)


def letterbox(setup: Setup) -> None:
    """Black bars over the picture, at top and bottom."""
    _look(setup, bars=0.24)


def shrunk(setup: Setup) -> None:
    """The whole picture smaller and off the middle, black around it."""
    setup.dress(Placed(0.82, (0.12, -0.2)))


def pillarbox(setup: Setup) -> None:
    """A 4:3 programme: pictures cropped to it, in a 16:9 frame between bars."""
    setup.program = replace(setup.program, size=(480, 360), fit=Fit.FILL)
    size = (480, 360)
    setup.program = replace(setup.program, size=size)
    setup.dress(Placed(0.94, (0.0, 0.0), 0.8))


def crop(setup: Setup) -> None:
    """A tenth cut off each side."""
    _look(setup, crop=0.10)


def punch_in(setup: Setup) -> None:
    """Slow digital zooms in to 1.3 … 1.8 and out again."""
    keys = [(0.0, 1.0, 0.5, 0.5)]
    for start in setup.moments(8000.0, 2500.0):
        factor = float(setup.random.uniform(1.3, 1.8))
        x, y = (float(value) for value in setup.random.uniform(0.4, 0.6, 2))
        keys += [
            (start, 1.0, x, y),
            (start + 2800.0, factor, x, y),
            (start + 3600.0, factor, x, y),
            (start + 5200.0, 1.0, x, y),
        ]
    # Zooms that overlap would step: what begins before the last one's end is left out.
    kept = keys[:1]
    for index in range(1, len(keys), 4):
        if keys[index][0] >= kept[-1][0]:
            kept += keys[index : index + 4]
    setup.dress(Zoom(tuple(kept)))


def zoom_step(setup: Setup) -> None:
    """Hard digital zoom steps: no cut."""
    keys = [(0.0, 1.0, 0.5, 0.5)]
    factor = 1.0
    for at in setup.moments(4500.0):
        after = 1.0 if factor > 1.0 else float(setup.random.uniform(1.12, 1.6))
        keys += [(at, factor, 0.5, 0.5), (at, after, 0.5, 0.5)]
        factor = after
    setup.dress(Zoom(tuple(keys)))


def mirror_one(setup: Setup) -> None:
    """One camera mirrored, the others not."""
    chosen = setup.cameras[1].id
    setup.program = replace(setup.program, inputs={**setup.program.inputs, chosen: mirrored})


def mirror_all(setup: Setup) -> None:
    """The whole program mirrored."""
    _look(setup, mirror=True)


def grade(setup: Setup) -> None:
    """A strong grade, a LUT, a vignette and another gamma."""
    _look(setup, grade=0.8, gamma=1.25, saturation=0.8)
    setup.dress(Tones(1.0, 0.5, setup.seed))


def grade_each(setup: Setup) -> None:
    """Every camera graded its own way."""
    inputs = {
        name: Tones(0.9, 0.0, setup.seed * 10 + number) for number, name in enumerate(setup.names)
    }
    setup.program = replace(setup.program, inputs=inputs)


def black_and_white(setup: Setup) -> None:
    """Without colour, harder."""
    _look(setup, gamma=1.15)
    setup.dress(colourless)


def graphics(setup: Setup) -> None:
    """A bug, and lower thirds that come and go."""
    thirds = tuple((at, at + 3500.0) for at in setup.moments(6000.0))
    _look(setup, bug=True, lower_thirds=thirds)


def running_text(setup: Setup) -> None:
    """Burnt-in timecode, a ticker and subtitles."""
    setup.dress(Graphics(timecode=True, ticker=True, subtitles=True))


def starved(setup: Setup) -> None:
    """90 kbit/s."""
    setup.program_encoding = Encoding(kbps=90, preset="veryfast")


def tiny(setup: Setup) -> None:
    """180 lines."""
    setup.program = replace(setup.program, size=(320, 180))
    setup.program_encoding = Encoding(kbps=400)
