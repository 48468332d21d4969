"""A program picture, cut to the parts that placements ask for."""

from typing import NamedTuple

import cv2
import numpy as np

from tap.sight.look import Cells, Floats, Rect, as_coarse, blocks, sample
from tap.sight.match import Seen
from tap.vocabulary import Luma

_TEXTURE_OUTSIDE = 10.0


class Light(NamedTuple):
    """How bright a picture is, in grey levels: each fourth pixel both ways tells as well as all."""

    mean: float
    deviation: float


class Views:
    """One program picture, cut to the program rects that placements ask for."""

    def __init__(self, luma: Luma) -> None:
        self.luma = luma
        self._grids: dict[Rect, Floats] = {}
        self._made: dict[tuple[Rect, Cells | None], tuple[Seen, float]] = {}
        self._light: Light | None = None

    @property
    def light(self) -> Light:
        """How bright the picture is."""
        if self._light is None:
            mean, deviation = cv2.meanStdDev(np.ascontiguousarray(self.luma[::4, ::4]))
            self._light = Light(float(mean[0, 0]), float(deviation[0, 0]))
        return self._light

    def grid(self, rect: Rect, cells: Cells | None = None) -> Floats:
        """The part inside `rect`, sampled: (36, 64), or (64, 36) if it is higher than wide; with no
        more detail than `cells` have."""
        if rect not in self._grids:
            portrait = is_portrait(rect, self.luma.shape)
            self._grids[rect] = sample(self.luma, rect, portrait=portrait)
        grid = self._grids[rect]
        return grid if cells is None else as_coarse(grid, cells)

    def through(self, rect: Rect, cells: Cells | None = None) -> tuple[Seen, float]:
        """The part inside `rect`, and a factor < 1 if the picture goes on outside of it; as it is
        held against a camera of which so many `cells` are shown there."""
        key = rect, cells
        if key not in self._made:
            seen = Seen.of(blocks(self.grid(rect, cells)))
            self._made[key] = seen, 1.0 if rect.whole else self._beyond(rect)
        return self._made[key]

    @property
    def information(self) -> float:
        """Nats that a perfect match would gain, in the view that has most."""
        return max((float(s.information.sum()) for s, _ in self._made.values()), default=0.0)

    def _beyond(self, rect: Rect) -> float:
        h, w = self.luma.shape
        x0, x1 = round(rect.x0 * w), round(rect.x1 * w)
        y0, y1 = round(rect.y0 * h), round(rect.y1 * h)
        bars = [
            self.luma[: max(0, y0 - 1)],
            self.luma[y1 + 1 :],
            self.luma[:, : max(0, x0 - 1)],
            self.luma[:, x1 + 1 :],
        ]
        worst = max((float(bar[::2, ::2].std()) for bar in bars if bar.size > 64), default=0.0)
        return 1.0 if worst < _TEXTURE_OUTSIDE else 0.6


def is_portrait(rect: Rect, shape: tuple[int, ...]) -> bool:
    """Whether a rect of an (h, w) picture is higher than wide."""
    return (rect.y1 - rect.y0) * shape[0] > (rect.x1 - rect.x0) * shape[1]
