"""A pinhole lens: where points of the stage fall in a picture, and where its pixels look.

Stage coordinates are metres: x to the right of the audience's view, y away from it, z up.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lens:
    """A lens at `position` that looks at `target`; `focal` is in picture widths (1.0: about 53°).

    `size` is the picture's width and height in pixels.
    """

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    focal: float = 1.0
    size: tuple[int, int] = (640, 360)
    _axes: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out the axes: right, down, forward."""
        forward = np.subtract(self.target, self.position).astype(np.float64)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        object.__setattr__(self, "_axes", np.stack([right, np.cross(forward, right), forward]))

    @property
    def scale(self) -> float:
        """Pixels per metre at a distance of one metre."""
        return self.focal * max(self.size)

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Pixel positions (n, 2) and depths in metres (n,) of `points` (n, 3).

        A depth below 0.1 is behind the lens, or too near to be drawn; its pixel means nothing.
        """
        seen = (points - np.asarray(self.position)) @ self._axes.T
        depth = seen[:, 2]
        over = np.where(depth > 0.1, depth, 0.1)
        centre = (np.asarray(self.size, dtype=np.float64) - 1.0) / 2.0
        return centre + self.scale * seen[:, :2] / over[:, None], depth

    def rays(self, finer: int = 1) -> Floats:
        """Directions (h * finer, w * finer, 3), not of unit length, of the pixels' middles."""
        width, height = self.size
        x = (np.arange(width * finer) + 0.5) / finer - width / 2.0
        y = (np.arange(height * finer) + 0.5) / finer - height / 2.0
        grid_x, grid_y = np.meshgrid(x / self.scale, y / self.scale)
        seen = np.stack([grid_x, grid_y, np.ones_like(grid_x)], axis=-1)
        return np.asarray(seen @ self._axes, dtype=np.float64)
