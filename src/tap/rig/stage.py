"""A lit stage with moving people, rendered in software for any number of lenses."""

from dataclasses import dataclass, field
from typing import cast

import cv2
import numpy as np

from tap.rig.figure import Body, Colour, Figure, Manner, draw, shadow
from tap.rig.lens import Floats, Lens
from tap.rig.scenery import Box, Light, Scenery
from tap.rig.source import Picture

_SHADOW_SHRINK = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """A set, its lights, and the people on it."""

    scenery: Scenery
    figures: tuple[Figure, ...]

    def bodies(self, scene_ms: float) -> list[Body]:
        """Everyone on the stage at `scene_ms`."""
        return [figure.body(scene_ms) for figure in self.figures]


@dataclass(slots=True)
class StageView:
    """The stage through one lens. `sway` is how far a hand-held camera wanders, in pixels."""

    stage: Stage
    lens: Lens
    sway: float = 0.0
    _layers: tuple[Picture, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Ray-cast the empty stage."""
        self._layers = self.stage.scenery.layers(self.lens)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self.lens.size

    def picture(self, scene_ms: float) -> Picture:
        """The stage at `scene_ms`."""
        bodies = self.stage.bodies(scene_ms)
        out = self._empty(scene_ms)
        self._shade(out, bodies)
        draw(out, self.lens, bodies, [self._light_on(body, scene_ms) for body in bodies])
        # Lenses are never as sharp as drawn edges.
        cv2.GaussianBlur(out, (3, 3), 0.6, dst=out)
        return self._held(out, scene_ms) if self.sway else out

    def _empty(self, scene_ms: float) -> Picture:
        out = self._layers[0].copy()
        for layer, light in zip(self._layers[1:], self.stage.scenery.lights, strict=True):
            cv2.addWeighted(out, 1.0, layer, light.level(scene_ms), 0.0, dst=out)
        return out

    def _shade(self, out: Picture, bodies: list[Body]) -> None:
        """The shadows of the people by the first light, drawn small and soft."""
        width, height = self.lens.size
        small = (width // _SHADOW_SHRINK, height // _SHADOW_SHRINK)
        mask = np.zeros((small[1], small[0]), np.uint8)
        lamp = np.asarray(self.stage.scenery.lights[0].position)
        shadow(mask, self.lens, bodies, lamp)
        cv2.GaussianBlur(mask, (5, 5), 0, dst=mask)
        soft = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        kept = cv2.convertScaleAbs(soft, alpha=-0.5, beta=0.0)
        darker = cv2.cvtColor(255 - kept, cv2.COLOR_GRAY2BGR)
        cv2.multiply(out, darker, dst=out, scale=1.0 / 255.0)

    def _light_on(self, body: Body, scene_ms: float) -> Floats:
        scenery = self.stage.scenery
        middle = body.middle
        total = np.full(3, scenery.ambient * 1.3)
        for light in scenery.lights:
            strength = float(light.on(middle[None])[0]) * light.level(scene_ms)
            total = total + 0.8 * strength * np.asarray(light.colour)
        return np.asarray(total, dtype=np.float64)

    def _held(self, picture: Picture, scene_ms: float) -> Picture:
        seconds = scene_ms / 1000.0
        dx = self.sway * (np.sin(seconds * 1.3) + 0.4 * np.sin(seconds * 3.7 + 1.0))
        dy = self.sway * (0.7 * np.sin(seconds * 1.1 + 2.0) + 0.3 * np.sin(seconds * 4.3))
        matrix = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
        return cast(
            "Picture",
            cv2.warpAffine(picture, matrix, self.lens.size, borderMode=cv2.BORDER_REPLICATE),
        )


def _colour(values: Floats) -> Colour:
    blue, green, red = (float(value) for value in values)
    return blue, green, red


def dance_studio(seed: int = 1) -> Stage:
    """The stage of the demo: a studio with a mural, props, five people and four lights."""
    random = np.random.default_rng((seed, 23))
    boxes = (
        Box((-4.6, 3.3, 0.0), (-3.7, 4.2, 0.9), (0.25, 0.55, 0.85)),
        Box((-4.4, 3.5, 0.9), (-3.9, 4.0, 1.5), (0.65, 0.45, 0.25)),
        Box((3.6, 3.4, 0.0), (4.8, 4.4, 0.45), (0.30, 0.30, 0.75)),
        Box((4.0, 3.6, 0.45), (4.7, 4.3, 1.8), (0.70, 0.68, 0.62)),
        Box((5.0, 0.2, 0.0), (5.5, 1.6, 1.1), (0.20, 0.50, 0.35)),
        Box((-5.6, -0.6, 0.0), (-5.0, 0.9, 0.7), (0.55, 0.25, 0.50)),
        Box((-1.3, 4.2, 0.0), (0.2, 4.8, 0.35), (0.18, 0.18, 0.20)),
    )
    lights = (
        Light((-3.5, -4.0, 4.9), (0.0, 0.6, 0.6), (0.62, 0.80, 1.00), 0.80, 0.15, 13.0),
        Light((4.2, -2.5, 4.8), (0.8, 1.2, 0.8), (1.00, 0.66, 0.50), 0.84, 0.35, 9.0, 0.3),
        Light((-2.4, 1.5, 4.9), (-2.4, 5.0, 2.4), (0.45, 0.62, 1.00), 0.70, 0.30, 7.0, 0.6, False),
        Light((2.6, 1.5, 4.9), (2.8, 5.0, 1.6), (1.00, 0.80, 0.75), 0.70, 0.30, 17.0, 0.1, False),
    )
    colours = random.uniform(0.12, 0.9, (5, 2, 3))
    people = (
        (Manner.DANCE, (0.2, 0.4), 1.5, 1.72, True),
        (Manner.POSE, (-1.9, 1.4), 0.5, 1.80, False),
        (Manner.WALK, (0.3, 2.2), 2.6, 1.68, False),
        (Manner.DANCE, (2.0, 1.1), 0.8, 1.76, False),
        (Manner.WALK, (-0.4, -0.4), 2.0, 1.84, False),
    )
    skins = ((0.50, 0.62, 0.85), (0.28, 0.38, 0.55), (0.42, 0.55, 0.78), (0.55, 0.68, 0.90))
    figures = tuple(
        Figure(
            manner=manner,
            centre=centre,
            radius=radius,
            phase=float(random.uniform(0.0, 1.0)),
            tempo=float(random.uniform(0.85, 1.1)),
            height=height,
            skin=skins[index % len(skins)],
            top=_colour(colours[index, 0]),
            bottom=_colour(colours[index, 1] * 0.6),
            skirt=skirt,
        )
        for index, (manner, centre, radius, height, skirt) in enumerate(people)
    )
    return Stage(Scenery(boxes, lights, seed=seed), figures)
