"""Moves a placement to where one pair of pictures fits best."""

from tap.sight.camera import Camera
from tap.sight.eye import Eye
from tap.sight.placement import Placement, moved
from tap.sight.shift import shift
from tap.sight.views import Views, is_portrait

_COARSE_TO_FINE = (2.5, 1.5, 0.8)
"""Blurs, in grid cells, of the first steps where there are enough of them; the last goes on."""
_ENOUGH = 0.002
"""Gain in fit below which refining ends."""


def refine(
    eye: Eye, camera: Camera, views: Views, start: Placement, *, index: int, rounds: int
) -> tuple[Placement, float]:
    """The placement near `start` under which frame `index` of the camera fits best, and its fit.

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
        placement = moved(placement, shift(program, seen, blur).common(width, height))
        fit = eye.fit_inside(camera, views, placement, [index])[0]
        gained = fit - best[1]
        if gained > 0:
            best = placement, fit
        if n >= len(blurs) - 1 and gained < _ENOUGH:
            break
    return best
