"""How far a wipe has come, by the shapes that switchers wipe in.

A wipe's edge runs evenly and has one of few shapes. So it is known which pixels are one camera's
and which the other's from little that tells them apart; and what is seen in the middle of a wipe
tells when it set out and when it was done, also where the walls behind both cameras are alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from tap.sight.look import Floats
from tap.sight.tone import Pixels

Doubles = npt.NDArray[np.float64]

_AROUND, GRAIN = (3, 3), 4.0
"""Pixels about one that tell what it is; squared grey levels below which it tells little."""
_AGREE = 0.9
"""Votes from which on a shape explains a frame."""
_FEW, _MOST = 4, 0.6
"""Such frames, and the part of all, from which on it explains a wipe."""
_UNEVEN, _MOVES = 0.02, 0.2
"""Parts of its way: an edge that strays further from even steps is no shape's, and one that runs
less far tells no pace."""


@dataclass(frozen=True, slots=True)
class Wipe:
    """A picture read as each of the shapes, (2 n,): those that the second camera fills, then those
    that it leaves."""

    way: Doubles
    """How far the edge has run, 0 .. 1."""
    votes: Doubles
    """Part of all that tells the cameras apart which agrees with that, less that which does not:
    -1 .. 1."""

    def second(self, shape: tuple[int, ...]) -> Pixels:
        """Which pixels of a grid (h, w) are the second camera's, by the likeliest shape."""
        likeliest = int(np.argmax(self.votes))
        reach = _reaches(shape)
        n = likeliest % len(reach)
        grown = np.asarray(reach[n].reshape(shape) < self.way[likeliest])
        return grown if likeliest < len(reach) else ~grown


def about(off: Floats) -> Floats:
    """(h, w) squared grey levels, in the mean about each pixel, of how far each is off."""
    return np.asarray(cv2.boxFilter(off**2, -1, _AROUND), np.float32)


def vote(first: Floats, second: Floats) -> Wipe:
    """Read a picture that is explained in two ways, side by side: each pixel votes for the one that
    is less far off `about` it, (h, w) each."""
    votes = np.asarray((first - second) / (first + second + GRAIN), np.float32)
    return read_wipe(votes * inner(votes.shape))


def read_wipe(votes: Floats) -> Wipe:
    """Read an (h, w) picture of which each pixel votes: 1 the second camera's .. -1 the first's."""
    reach = _reaches(votes.shape)
    order, sorted_reach = _orders(votes.shape)
    gained = np.zeros((len(reach), votes.size + 1))
    np.cumsum(votes.ravel()[order], axis=1, out=gained[:, 1:])
    total, heard = gained[0, -1], max(1e-6, float(np.abs(votes).sum()))
    fill, leave = gained.argmax(axis=1), gained.argmin(axis=1)
    rows = np.arange(len(reach))
    return Wipe(
        np.concatenate([sorted_reach[rows, fill], sorted_reach[rows, leave]]),
        np.concatenate([2 * gained[rows, fill] - total, total - 2 * gained[rows, leave]]) / heard,
    )


def run_of(read: Sequence[tuple[int, Wipe]]) -> tuple[float, float] | None:
    """When a wipe sets out and when it is done, in frames: from some of its frames, each with its
    number. None where no shape that runs evenly explains them. The line through them is that of H.
    Theil (1950) and P. Sen (1968): a few that are misread do not bend it."""
    if not read:
        return None
    shape = int(np.argmax(np.mean([wipe.votes for _, wipe in read], axis=0)))
    told = [(n, wipe.way[shape]) for n, wipe in read if wipe.votes[shape] >= _AGREE]
    if len(told) < max(_FEW, _MOST * len(read)):
        return None
    frames, ways = np.array(told).T
    one, other = np.triu_indices(len(told), 1)
    pace = float(np.median((ways[other] - ways[one]) / (frames[other] - frames[one])))
    first = float(np.median(ways - pace * frames))
    uneven = float(np.median(np.abs(ways - (pace * frames + first))))
    if uneven > _UNEVEN or abs(pace) * np.ptp(frames) < _MOVES:
        return None
    ends = sorted((-first / pace, (1.0 - first) / pace))
    return float(ends[0]), float(ends[1])


@lru_cache(maxsize=2)
def inner(shape: tuple[int, ...]) -> Pixels:
    """The pixels of a grid but for its rim: beside bars it is half of them."""
    inner = np.zeros(shape, np.bool_)
    inner[1:-1, 1:-1] = True
    return inner


@lru_cache(maxsize=2)
def _reaches(shape: tuple[int, ...]) -> Doubles:
    """(n, h w): when the edge of each shape reaches a pixel of a grid, 0 .. 1 of its way."""
    height, width = shape
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    dx, dy = 2 * np.abs(x - 0.5), 2 * np.abs(y - 0.5)
    angle = np.arctan2(x - 0.5, 0.5 - y) / (2 * np.pi) % 1.0
    wide = np.hypot(dx * width, dy * height) / np.hypot(width, height)
    shapes = [
        x,
        y,
        (x + y) / 2,
        (1 - x + y) / 2,
        dx,
        dy,
        np.maximum(dx, dy),
        (dx + dy) / 2,
        np.hypot(dx, dy) / np.sqrt(2),
        wide,
        np.maximum(x, y),
        np.maximum(1 - x, y),
        np.maximum(x, 1 - y),
        np.maximum(1 - x, 1 - y),
        angle,
        1 - angle,
    ]
    return np.stack([one.ravel() for one in shapes])


@lru_cache(maxsize=2)
def _orders(shape: tuple[int, ...]) -> tuple[npt.NDArray[np.intp], Doubles]:
    """(n, h w): pixels in the order in which each shape reaches them; (n, h w + 1): how far its
    edge has run between each and the one before, and in the end."""
    reach = _reaches(shape)
    order = np.argsort(reach, axis=1, kind="stable")
    reached = np.take_along_axis(reach, order, axis=1)
    ends = np.zeros((len(reach), 1)), np.ones((len(reach), 1))
    run = np.concatenate([ends[0], reached, ends[1]], axis=1)
    return order, (run[:, 1:] + run[:, :-1]) / 2
