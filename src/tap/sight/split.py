"""Two cameras side by side, pixel by pixel: what a wipe shows, wherever its edge runs.

The edge of a wipe cuts many of the 32 blocks that pictures are compared by (that of an iris or a
clock most of those that tell), and in a block that is cut neither camera fits. So each pixel votes
for the camera that is nearer, the likeliest shape of a wipe tells where the edge runs, and each
part is compared with its camera alone. Of the edge, which may be soft, nothing is asked.
"""

import numpy as np

from tap.sight.look import PIXELS, Floats, blocks
from tap.sight.match import SPLIT_TOLL, Doubles, Mix, Seen
from tap.sight.part import Part, nats_of, pixels_of
from tap.sight.tone import tone_of
from tap.sight.wipe import about, vote

_FITS, _BEST, _LEAST = 0.7, 0.9, 0.3
"""A block is a camera's that fits to the first part as well as the best do, all but a tenth, and
gains at least the last part of its nats: such tell how it is graded."""
_ENOUGH = 2 * PIXELS
"""Pixels from which a camera's own tone can be told; with fewer it is graded as the other one."""
_LIKEWISE = 0.5
"""Each camera must fit in its part to this part as well as the other does in its own: what fits
only better than the other there may be a graphic."""


def side_by_side(program: Floats, seen: Seen, one: Floats, two: Floats) -> Mix | None:
    """Explain a picture by two cameras side by side, all three as grids (h, w) of one shape.

    `seen` is the program's. The nats carry the same toll as those of a split by whole blocks. None
    where it is not to be seen that both have a part in it.
    """
    nats = nats_of(seen, blocks(one)), nats_of(seen, blocks(two))
    made = _graded(program, seen, (one, two), nats)
    if made is None:
        return None
    wipe = vote(about(program - made[0]), about(program - made[1]))
    taken = wipe.second(program.shape)
    parts = Part.both(program, taken)
    # (camera, part, block)
    gained = np.array([[part.nats(grid) for part in parts] for grid in (one, two)])
    fits = [gained[n, n].sum() / max(1e-6, parts[n].information.sum()) for n in (0, 1)]
    if not 0 < _LIKEWISE * max(fits) <= min(fits):
        return None
    both = gained[0, 0] + gained[1, 1]
    asked = parts[0].information + parts[1].information
    more = (both.sum() - gained.sum(axis=(1, 2)).max()) / asked.sum()
    whole = float(seen.information.sum())
    differ = np.abs(made[1] - made[0])
    return Mix(
        max(float(one.sum()) for one in nats) + (float(more) - SPLIT_TOLL) * whole,
        float(differ[taken].sum()) / max(1e-6, float(differ.sum())),
        split=True,
        blocks=both / np.maximum(asked, 1e-6),
        wipe=wipe,
    )


def _graded(
    program: Floats, seen: Seen, cameras: tuple[Floats, Floats], nats: tuple[Doubles, Doubles]
) -> tuple[Floats, Floats] | None:
    """What the program has where it shows each camera, as those blocks tell which are one's."""
    second = pixels_of(nats[1] > nats[0], program.shape)
    part = np.maximum(*nats) / np.maximum(seen.information, 1e-6)
    fits = pixels_of(part >= max(_LEAST, _FITS * float(np.quantile(part, _BEST))), program.shape)
    if int(fits.sum()) < _ENOUGH:
        return None
    both = tone_of(program, np.where(second, cameras[1], cameras[0]), fits)
    made: list[Floats] = []
    for camera, own in zip(cameras, (fits & ~second, fits & second), strict=True):
        tone = tone_of(program, camera, own) if int(own.sum()) >= _ENOUGH else both
        made.append(tone.of(camera))
    return made[0], made[1]
