"""How a camera's greys become the program's: a grade bends them, a vignette darkens what is far
from the middle."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tap.sight.look import Floats

Pixels = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]

FEW = 4
"""Pixels from which on a second camera's tone may differ from the first one's."""
_SPREADS, _GREYS = 4.0, 6.0
"""A pixel differs if it is off by so many spreads of the noise, and by so many grey levels."""
_ABOUT = 3.0
"""So many times those greys away a pixel may still be the same camera's, graded otherwise."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Tone:
    """A camera's tone, and the greys by which a pixel must be off to be another's."""

    curve: Doubles
    """(5,) coefficients of `_terms`."""
    gain: float
    offset: float
    """A second camera's, beside those of the program."""
    limit: float

    def of(self, camera: Floats) -> Floats:
        """What the program has where it shows the camera, a grid (h, w)."""
        made = np.tensordot(_terms(camera), self.curve, axes=1)
        return np.asarray(self.gain * made + self.offset, np.float32)

    def holds(self, program: Floats, camera: Floats) -> Pixels:
        """(h, w) where the program may show the camera."""
        return np.asarray(np.abs(program - self.of(camera)) <= self.limit)

    def like(self, program: Floats, camera: Floats, where: Pixels) -> "Tone":
        """That of a second camera, `where` the program is not the first one's: a program is mostly
        graded as a whole; what lies over both may fill more of those pixels than the camera."""
        made, there = self.of(camera)[where], program[where]
        away = np.abs(there - made)
        able = [self]
        for keep in (np.ones(made.shape, np.bool_), away <= _ABOUT * self.limit):
            if int(keep.sum()) >= FEW and np.ptp(made[keep]) > 1:
                line = np.stack([made[keep], np.ones(int(keep.sum()))], axis=-1)
                gain, offset = _robust(line.astype(np.float64), there[keep])[0]
                able.append(replace(self, gain=float(gain), offset=float(offset)))
        return max(able, key=lambda one: int(one.holds(program, camera)[where].sum()))


def tone_of(program: Floats, camera: Floats, where: Pixels | None = None) -> Tone:
    """That of a camera to be seen in most of the program's picture, or of what it has `where`."""
    terms = _terms(camera)
    part = np.ones(program.shape, np.bool_) if where is None else where
    curve, spread = _robust(terms[part], program[part])
    return Tone(curve, 1.0, 0.0, max(_GREYS, _SPREADS * 1.48 * spread))


@lru_cache(maxsize=4)
def _far(shape: tuple[int, ...]) -> Doubles:
    """How far each pixel is from the middle, squared; 1 in the corners."""
    y, x = (np.linspace(-1, 1, n) ** 2 / 2 for n in shape)
    return np.asarray(y[:, None] + x[None], np.float64)


def _terms(camera: Floats) -> Doubles:
    """(h, w, 5): what a tone is made of."""
    x, far = camera.astype(np.float64) / 255, _far(camera.shape)
    return np.stack([x, np.ones_like(x), x * x, far * x, far], axis=-1)


def _robust(terms: Doubles, program: Floats) -> tuple[Doubles, float]:
    """Least squares over most of n pixels, from (n, k) terms: (k,) coefficients, and the median of
    what is left."""
    y = program.astype(np.float64)
    keep = np.ones(len(y), np.bool_)
    found: Doubles = np.zeros(terms.shape[1])
    spread = 0.0
    for _ in range(_ROUNDS):
        x = terms[keep]
        found = np.linalg.lstsq(x.T @ x, x.T @ y[keep])[0].astype(np.float64)
        rest = np.abs(y - terms @ found)
        spread = float(np.median(rest))
        keep = rest <= 2.5 * spread + 1.0
    return found, spread
