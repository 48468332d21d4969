"""Moves a placement to where one pair of pictures fits best, or two, of cameras side by side."""

import numpy as np

from tap.sight.camera import Camera
from tap.sight.eye import Eye
from tap.sight.match import gains
from tap.sight.placement import Placement, moved
from tap.sight.shift import Shift, shift
from tap.sight.views import Views, is_portrait

_COARSE_TO_FINE = (2.5, 1.5, 0.8)
"""Blurs, in grid cells, of the first steps where there are enough of them; the last goes on."""
STEP_GAIN = 0.004
"""Fit that a refined placement must gain."""
_ENOUGH = 0.002
"""Gain in fit below which refining ends."""


def refine(
    eye: Eye,
    camera: Camera,
    views: Views,
    start: Placement,
    *,
    index: int,
    rounds: int,
    even: bool = False,
) -> tuple[Placement, float]:
    """The placement near `start` under which frame `index` of the camera fits best, and its fit.
    `even`: of those that zoom as much across as down.

    The fit is that inside of the placement's rect, whatever lies outside of it.
    """
    portrait = is_portrait(start.on, views.luma.shape)
    program = views.grid(start.on, camera.memory.cells_in(start))
    height, width = program.shape
    luma = camera.memory.luma(index)
    placement = start
    fit = eye.fit_inside(camera, views, start, [index])[0]
    best = placement, fit
    blurs = _COARSE_TO_FINE if rounds > len(_COARSE_TO_FINE) else _COARSE_TO_FINE[-1:]
    for n in range(rounds):
        blur = blurs[min(n, len(blurs) - 1)]
        seen = camera.memory.grid(luma, placement, portrait)
        by = shift(program, seen, blur).common(width, height, even=even)
        placement = moved(placement, by)
        fit = eye.fit_inside(camera, views, placement, [index])[0]
        gained = fit - best[1]
        if gained > 0:
            best = placement, fit
        if n >= len(blurs) - 1 and gained < _ENOUGH:
            break
    return best


def refine_both(
    sides: tuple[tuple[Camera, int], tuple[Camera, int]], views: Views, *, rounds: int
) -> tuple[tuple[Placement, Placement], float, float]:
    """Where two cameras lie that stand side by side and are zoomed as one, so that what each block
    shows of either fits best; `sides` are cameras and frames of theirs.

    Returns their placements, and the mean of the better fits of the blocks there and before.
    """
    places = sides[0][0].memory.placement, sides[1][0].memory.placement
    portrait = is_portrait(places[0].on, views.luma.shape)
    start = fit = 0.0
    best = places
    for n in range(rounds + 1):
        seen, _ = views.through(places[0].on, sides[0][0].memory.cells_in(places[0]))
        looks = [
            camera.memory.look(camera.memory.luma(index), place, portrait)[0]
            for (camera, index), place in zip(sides, places, strict=True)
        ]
        nats = gains(seen, np.stack(looks, axis=1))[0]
        now = float(nats.max(axis=1).sum()) / max(float(seen.information.sum()), 1e-6)
        start = now if n == 0 else start
        if n and now <= fit:
            break
        fit, best = now, places
        program = views.grid(places[0].on, sides[0][0].memory.cells_in(places[0]))
        shifts = [
            shift(program, camera.memory.grid(camera.memory.luma(index), place, portrait))
            for (camera, index), place in zip(sides, places, strict=True)
        ]
        second = nats[:, 1] > nats[:, 0]
        both = Shift(
            np.where(second[:, None], shifts[1].cells, shifts[0].cells),
            np.where(second, shifts[1].weights, shifts[0].weights),
        )
        by = both.common(program.shape[1], program.shape[0], even=True)
        places = moved(places[0], by), moved(places[1], by)
    return best, fit, start
