"""What the soak's cameras see: walls of their own, and people who walk, for ever."""

import cv2
import numpy as np

from tap.rig.source import Picture

SIZE = (320, 180)
SMALLER = (240, 136)


class Stage:
    """The scene before one camera."""

    def __init__(self, seed: int) -> None:
        generator = np.random.default_rng(seed)
        coarse = generator.integers(20, 235, (9, 16, 3), np.uint8)
        self._wall = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
        self._people = generator.uniform(0.2, 0.8, (6, 4))
        self._colours = generator.integers(0, 255, (6, 3)).tolist()

    def picture(self, scene_s: float) -> Picture:
        """The scene at that time."""
        picture = np.asarray(self._wall.copy(), dtype=np.uint8)
        for (x, y, wide, phase), colour in zip(self._people, self._colours, strict=True):
            pace = 0.3 + phase
            left = int(SIZE[0] * (x + 0.2 * wide * np.sin(pace * scene_s + 6 * phase)))
            top = int(SIZE[1] * (y + 0.1 * np.cos(1.3 * pace * scene_s + 9 * wide)))
            cv2.ellipse(picture, (left, top), (10 + int(14 * wide), 40), 0, 0, 360, colour, -1)
        return picture
