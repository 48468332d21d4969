"""The stage without its people, as one lens sees it: ray-cast once, one layer for each light.

A picture of the empty stage is then a weighted sum of the layers, which is cheap enough to let
the lights change at every frame.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tap.rig.lens import Floats, Lens
from tap.rig.source import Picture

ROOM = ((-6.0, -8.0, 0.0), (6.0, 5.0, 5.2))
"""Two opposite corners of the room."""
_FINER = 2
_FAR = 1e9


@dataclass(frozen=True, slots=True)
class Box:
    """A prop: an upright box between two corners, in one colour (BGR, 0 … 1)."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    colour: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Light:
    """A spotlight. `cone` is the cosine of its half angle; it breathes by `swing` over
    `period_s`, from `phase`."""

    position: tuple[float, float, float]
    aim: tuple[float, float, float]
    colour: tuple[float, float, float]
    cone: float = 0.85
    swing: float = 0.25
    period_s: float = 11.0
    phase: float = 0.0
    shades: bool = True
    """Whether props throw shadows in it (a wall-washer's nobody sees)."""

    def level(self, scene_ms: float) -> float:
        """Its brightness at `scene_ms`, around 1."""
        turn = scene_ms / (1000.0 * self.period_s) + self.phase
        return float(1.0 + self.swing * np.sin(2.0 * np.pi * turn))

    def on(self, points: Floats) -> Floats:
        """How much of its light reaches `points` (..., 3), by cone and distance alone."""
        away = points - np.asarray(self.position)
        distance = np.linalg.norm(away, axis=-1)
        axis = np.subtract(self.aim, self.position)
        along = (away @ axis) / (np.linalg.norm(axis) * np.maximum(distance, 1e-6))
        inside = np.clip((along - self.cone) / (1.0 - self.cone), 0.0, 1.0)
        soft = inside * inside * (3.0 - 2.0 * inside)
        return np.asarray(soft * 36.0 / np.maximum(distance, 1.0) ** 2, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Scenery:
    """What stands on the stage and lights it."""

    boxes: tuple[Box, ...]
    lights: tuple[Light, ...]
    ambient: float = 0.30
    seed: int = 0

    def layers(self, lens: Lens) -> tuple[Picture, ...]:
        """The empty stage through `lens`, uint8 BGR at its size: by ambient light, then by each
        light alone."""
        rays = lens.rays(_FINER)
        eye = np.asarray(lens.position)
        distance, normal, paint = self._cast(eye, rays)
        points = eye + rays * distance[..., None]
        corner = np.minimum(1.0, 0.55 + 0.45 * np.clip(points[..., 2] / 0.8, 0.0, 1.0))
        corner = np.where(normal[..., 2] > 0.5, 1.0, corner)
        layers = [self._finished(paint * (self.ambient * corner)[..., None], lens)]
        for light in self.lights:
            towards = np.asarray(light.position) - points
            length = np.linalg.norm(towards, axis=-1)
            facing = np.clip((towards * normal).sum(-1) / np.maximum(length, 1e-6), 0.0, 1.0)
            lit = light.on(points) * (0.15 + 0.85 * facing)
            if light.shades:
                lit *= self._unshaded(points, towards)
            layers.append(self._finished(paint * lit[..., None] * np.asarray(light.colour), lens))
        return tuple(layers)

    def _finished(self, colour: Floats, lens: Lens) -> Picture:
        """Tone-mapped, with the lens's fall-off to its corners, at the picture's size."""
        height, width = colour.shape[:2]
        y, x = np.ogrid[-1.0 : 1.0 : height * 1j, -1.0 : 1.0 : width * 1j]
        toned = 1.0 - np.exp(-1.3 * colour * (1.0 - 0.18 * (x * x + y * y))[..., None])
        small = cv2.resize(toned * 255.0, lens.size, interpolation=cv2.INTER_AREA)
        return np.asarray(np.clip(np.rint(small), 0, 255), dtype=np.uint8)

    def _cast(self, eye: Floats, rays: Floats) -> tuple[Floats, Floats, Floats]:
        """Distance along each ray, and the normal and colour of what it meets."""
        # From inside, the room's walls are where a ray leaves its box.
        _, (distance, axis), _ = _slab(eye, rays, *ROOM)
        normal = _normal(rays, axis)
        paint = _room_paint(eye + rays * distance[..., None], axis, self.seed)
        for box in self.boxes:
            (near, side), _, hit = _slab(eye, rays, box.low, box.high)
            closer = hit & (near > 0.05) & (near < distance)
            distance = np.where(closer, near, distance)
            normal = np.where(closer[..., None], _normal(rays, side), normal)
            points = eye + rays * near[..., None]
            grain = 0.9 + 0.1 * np.sin(points.sum(-1) * 40.0)
            colour = np.asarray(box.colour) * grain[..., None]
            paint = np.where(closer[..., None], colour, paint)
        return distance, normal, paint

    def _unshaded(self, points: Floats, towards: Floats) -> Floats:
        """0 where a box stands between a point and a light, else 1."""
        free = np.ones(points.shape[:-1])
        for box in self.boxes:
            (near, _), _, hit = _slab(points, towards, box.low, box.high)
            free = np.where(hit & (near > 1e-3) & (near < 1.0), 0.0, free)
        return free


_Hit = tuple[Floats, npt.NDArray[np.int64]]


def _slab(
    origin: Floats,
    rays: Floats,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
) -> tuple[_Hit, _Hit, npt.NDArray[np.bool_]]:
    """Where rays enter and leave a box: (distance, axis of the face) each, and whether they do."""
    shape = rays.shape[:-1]
    enter, leave = np.full(shape, -_FAR), np.full(shape, _FAR)
    entered, left = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    # One axis at a time: numpy is slow at reducing over a last axis of three.
    for axis in range(3):
        step = np.where(np.abs(rays[..., axis]) < 1e-9, 1e-9, rays[..., axis])
        one = (low[axis] - origin[..., axis]) / step
        other = (high[axis] - origin[..., axis]) / step
        near, far = np.minimum(one, other), np.maximum(one, other)
        later, sooner = near > enter, far < leave
        enter, leave = np.where(later, near, enter), np.where(sooner, far, leave)
        entered[later], left[sooner] = axis, axis
    return (enter, entered), (leave, left), (enter < leave) & (leave > 0.0)


def _normal(rays: Floats, axis: npt.NDArray[np.int64]) -> Floats:
    """The normal that faces against each ray, of a face across `axis`."""
    chosen = np.eye(3)[axis]
    return np.asarray(-chosen * np.sign(rays), dtype=np.float64)


# ---------------------------------------------------------------- paint


def _room_paint(points: Floats, axis: npt.NDArray[np.int64], seed: int) -> Floats:
    """The colour (BGR, 0 … 1) of the room at `points` on the faces across `axis`."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    floor = _floor(x, y, seed)
    ceiling = np.full(points.shape, 0.03) + 0.10 * (np.abs((y % 1.5) - 0.75) < 0.06)[..., None]
    side = np.where(axis == 0, y, x)
    wall = np.where((axis == 1)[..., None], _mural(x, z, y, seed), _curtain(side, z, x))
    flat = np.where((z > 2.0)[..., None], ceiling, floor)
    return np.asarray(np.where((axis == 2)[..., None], flat, wall), dtype=np.float64)


def _grain(u: Floats, v: Floats, scale: float, seed: int) -> Floats:
    """Smooth noise, -1 … 1, with details of about 1/`scale` metres."""
    table = np.random.default_rng((seed, 17)).uniform(-1.0, 1.0, (256, 256)).astype(np.float32)
    sample = cv2.remap(
        table,
        ((u * scale) % 255.0).astype(np.float32),
        ((v * scale) % 255.0).astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_WRAP,
    )
    return np.asarray(sample, dtype=np.float64)


def _floor(x: Floats, y: Floats, seed: int) -> Floats:
    """Planks, a round carpet, and strips of marking tape."""
    plank = np.floor(x / 0.22)
    tone = 0.5 + 0.14 * np.sin(plank * 12.9898) + 0.07 * _grain(x * 9.0, y, 1.7, seed)
    tone += 0.05 * _grain(x, y, 14.0, seed)
    tone = np.where(((x / 0.22) % 1.0) < 0.05, tone * 0.55, tone)
    joint = ((y + 0.7 * np.sin(plank * 78.2)) / 1.9) % 1.0
    tone = np.where(joint < 0.012, tone * 0.6, tone)
    colour = tone[..., None] * np.array([0.42, 0.62, 0.88])
    radius = np.hypot(x - 0.2, y - 0.6)
    rug = np.array([0.45, 0.22, 0.30]) + 0.25 * (np.floor(radius / 0.28) % 2)[..., None]
    rug = rug * (1.0 + 0.12 * _grain(x, y, 30.0, seed))[..., None]
    colour = np.where((radius < 1.7)[..., None], rug, colour)
    tape = (np.abs(np.abs(x) - 2.6) < 0.03) & (np.abs(y) < 0.25)
    tape |= (np.abs(np.abs(x) - 2.6) < 0.25) & (np.abs(y) < 0.03)
    return np.where(tape[..., None], np.array([0.9, 0.9, 0.95]), colour)


def _mural(x: Floats, z: Floats, y: Floats, seed: int) -> Floats:
    """The back wall: panels with a painted sun, hills and a skyline; the front one is plain."""
    base = 0.46 + 0.05 * _grain(x, z, 6.0, seed)
    colour = base[..., None] * np.array([1.05, 0.92, 0.80])
    colour = np.where((np.abs((x % 1.5) - 0.02) < 0.02)[..., None], colour * 0.6, colour)
    hills = 1.2 + 0.35 * np.sin(x * 1.3 + 0.5) + 0.2 * np.sin(x * 2.9)
    colour = np.where((z < hills)[..., None], np.array([0.30, 0.45, 0.22]), colour)
    block = np.floor(x / 0.55)
    roof = 1.0 + 0.75 * np.abs(np.sin(block * 7.31))
    window = (((x / 0.55) % 1.0 * 4.0) % 1.0 > 0.5) & ((z * 4.5) % 1.0 > 0.5)
    house = np.where(window[..., None], np.array([0.35, 0.75, 0.92]), np.array([0.30, 0.20, 0.22]))
    colour = np.where(((z < roof) & (x > 0.8))[..., None], house, colour)
    sun = np.hypot(x + 2.4, z - 2.9)
    rays = np.floor(np.arctan2(z - 2.9, x + 2.4) * 12.0 / np.pi) % 2 > 0.5
    colour = np.where(((sun < 1.1) & rays)[..., None], np.array([0.25, 0.60, 0.95]), colour)
    colour = np.where((sun < 0.62)[..., None], np.array([0.15, 0.35, 0.92]), colour)
    colour = np.where((z < 0.16)[..., None], np.array([0.12, 0.12, 0.14]), colour)
    plain = (0.22 + 0.04 * _grain(x, z, 5.0, seed))[..., None] * np.ones(3)
    return np.where((y > 0.0)[..., None], colour, plain)


def _curtain(along: Floats, z: Floats, x: Floats) -> Floats:
    """The side walls: curtains in folds, red on one side and blue on the other."""
    fold = 0.55 + 0.35 * np.sin(along * 9.0 + 0.6 * np.sin(along * 2.3) + 0.1 * np.sin(z * 3.0))
    red, blue = np.array([0.20, 0.14, 0.62]), np.array([0.58, 0.30, 0.14])
    hue = np.where((x < 0.0)[..., None], red, blue)
    hem = np.where(z < 0.12, 0.4, 1.0)
    return np.asarray(hue * (fold * hem)[..., None], dtype=np.float64)
