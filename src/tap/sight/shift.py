"""How far the parts of a program picture lie from where the camera has them.

Per block the program's picture is explained by the camera's and its slopes, which gives the block's
displacement; a zoom or a pan of the program is what most blocks agree on. Method: B. Lucas,
T. Kanade, "An Iterative Image Registration Technique" (1981), with a gain and an offset for each
block; the common motion by reweighted least squares.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tap.sight.look import BLOCKS, PIXELS, Floats, blocks
from tap.sight.placement import Displacement

_RIDGE = 0.02
"""Part of the slope energy added to it: along an edge nothing can be measured."""
_NOISE = PIXELS * 0.25
_MOST = 2.5
"""Grid cells: one step measures no more."""
_ROUNDS, _TYPICAL = 4, 0.05


@dataclass(frozen=True, slots=True)
class Shift:
    """Displacements (32, 2) of the blocks, x and y in grid cells, and their weights (32,)."""

    cells: Floats
    weights: Floats

    @property
    def size(self) -> float:
        """Weighted median of the blocks' displacements, in grid cells."""
        length = np.hypot(self.cells[:, 0], self.cells[:, 1])
        order = np.argsort(length)
        summed = np.cumsum(self.weights[order])
        if summed[-1] <= 0:
            return _MOST
        return float(length[order[min(BLOCKS - 1, int(np.searchsorted(summed, summed[-1] / 2)))]])

    def common(self, width: int, height: int, *, even: bool = False) -> Displacement:
        """What the blocks agree on; `width` and `height` are the grid's.

        A block at (x, y) cells from the middle is displaced by about (dx + wider * x,
        dy + higher * y) cells; each axis is a weighted straight line. `even`: as wide as high, for
        where too little is to be seen to tell.
        """
        middle = _middles(width, height)
        weights = self.weights.astype(np.float64)
        if float(weights.sum()) <= 0:
            return Displacement(0.0, 0.0, 0.0, 0.0)
        lines = np.zeros((2, 2))
        for _ in range(_ROUNDS):
            off = self.cells - (lines[:, 0] + lines[:, 1] * middle)
            far = np.hypot(off[:, 0], off[:, 1])
            pull = weights / (1.0 + (far / (_TYPICAL + float(np.median(far)))) ** 2)
            lines = np.array([_line(middle[:, n], self.cells[:, n], pull) for n in (0, 1)])
            if even:
                lines[:, 1] = lines[:, 1].mean()
        return Displacement(
            lines[0, 0] / width, lines[1, 0] / height, float(lines[0, 1]), float(lines[1, 1])
        )


def _line(
    at: npt.NDArray[np.float64], value: Floats, weight: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """Offset and slope of a weighted line."""
    total = float(weight.sum()) + 1e-9
    middle, mean = float(weight @ at) / total, float(weight @ value) / total
    spread = float(weight @ (at - middle) ** 2) + 1e-6 * total
    slope = float(weight @ ((at - middle) * (value - mean))) / spread
    return mean - slope * middle, slope


def shift(program: Floats, camera: Floats, blur: float = 0.8) -> Shift:
    """How far the blocks of `program` lie from where `camera` has them; grids of one shape.

    Measures displacements up to about twice `blur`, in grid cells.
    """
    one = cv2.GaussianBlur(program, (0, 0), blur)
    two = cv2.GaussianBlur(camera, (0, 0), blur)
    slope_y, slope_x = np.gradient(two)
    p, c, x, y = (blocks(np.asarray(g, np.float32)) for g in (one, two, slope_x, slope_y))
    basis = np.stack([c, x, y], axis=2)
    normal = np.matmul(basis.transpose(0, 2, 1), basis)
    energy = normal[:, 1, 1] + normal[:, 2, 2]
    ridge = _RIDGE * energy + _NOISE * 0.1
    normal[:, 1, 1] += ridge
    normal[:, 2, 2] += ridge
    normal[:, 0, 0] += _NOISE * 0.1
    along = np.matmul(basis.transpose(0, 2, 1), p[:, :, None])
    found = np.linalg.solve(normal, along)[:, :, 0]
    gain = np.maximum(found[:, 0], 0.05)
    cells = np.clip(-found[:, 1:] / gain[:, None], -_MOST, _MOST)
    rest = p - np.matmul(basis, found[:, :, None])[:, :, 0]
    unexplained = np.einsum("bp,bp->b", rest, rest) + _NOISE
    weights = np.where(found[:, 0] > 0.05, energy * gain * gain / unexplained, 0.0)
    weights = np.sqrt(weights)
    return Shift(cells.astype(np.float32), weights.astype(np.float32))


def _middles(width: int, height: int) -> npt.NDArray[np.float64]:
    """Middles of the blocks (32, 2), in cells from the grid's middle; in the order of `look`."""
    across, down = (8, 4) if width > height else (4, 8)
    x = (np.arange(across) + 0.5) * width / across - width / 2
    y = (np.arange(down) + 0.5) * height / down - height / 2
    return np.stack([np.tile(x, down), np.repeat(y, across)], axis=1)
