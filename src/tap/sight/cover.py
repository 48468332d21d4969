"""A camera under a graphic that comes over it from a side, as a stinger does: what of it is still
to be seen is as it always is, and nothing in the rest is the camera's.

A graphic that lies still covers whole blocks, or few in part, and the chart knows it (`Chart.
is_under`). The edge of one that moves cuts blocks that hold much of what there is to see. So each
pixel votes whether the camera or a plain surface is nearer, and the likeliest shape of a wipe tells
where the edge is.
"""

import cv2
import numpy as np

from tap.sight.look import PIXELS, Floats, blocks
from tap.sight.match import Seen
from tap.sight.part import Part, nats_of, pixels_of
from tap.sight.tone import tone_of
from tap.sight.wipe import GRAIN, about, vote

_FITS = 0.7
"""A block tells how the camera is graded from this part of its usual fit on."""
_SURFACE = (5, 5)
"""Pixels over which a plain surface is even."""
_LEAST, _AGREE = 0.12, 0.9
"""Part of the picture that must be left of the camera, and that must be covered; and part of all
that tells which must agree."""
_MOST = 0.5
"""So much of a cover must be plain, as graphics are, and walls behind people mostly are not."""
_TELLS, _NOTHING = 0.1, 0.1
"""Part of all nats that must be in what is left; and how well what is covered may fit."""


def uncovered(program: Floats, seen: Seen, camera: Floats, usual: float) -> Part | None:
    """What is left to be seen of a camera under a cover; both as grids (h, w). `usual`: how well it
    fits without one, 0 .. 1. None where the picture is none of a camera under a cover."""
    fits = nats_of(seen, blocks(camera)) / np.maximum(seen.information, 1e-6)
    known = pixels_of(fits >= _FITS * usual, program.shape)
    if int(known.sum()) < PIXELS:
        return None
    made = tone_of(program, camera, known).of(camera)
    plain = about(program - np.asarray(cv2.blur(program, _SURFACE), np.float32))
    wipe = vote(plain, about(program - made))
    left = wipe.second(program.shape)
    share, agree = float(left.mean()), float(wipe.votes.max())
    if agree < _AGREE or not _LEAST <= share <= 1 - _LEAST:
        return None
    cover, part = Part.both(program, left)
    if float(np.quantile(plain[~left], _MOST)) > GRAIN:
        return None  # it may be another camera's picture
    if float(part.information.sum()) < _TELLS * float(seen.information.sum()):
        return None
    gained = float(cover.nats(camera).sum())
    return part if gained <= _NOTHING * float(cover.information.sum()) else None
