"""People of the rendered stage: jointed bodies that walk, dance and pose, drawn as lit capsules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from tap.rig.lens import Floats, Lens
from tap.rig.source import Picture

_SHIFT = 4
"""Bits of sub-pixel precision in drawing; without them slow movement would jerk."""
_ARC = np.linspace(np.pi / 2, 3 * np.pi / 2, 7)
_ROUNDING = ((1.0, 0.0, 0.66), (0.78, 0.15, 0.90), (0.45, 0.30, 1.10))
"""Size, offset towards the key light (up, left) and brightness of the nested capsules that pass
for one rounded limb."""

Colour = tuple[float, float, float]


class Manner(StrEnum):
    """How a figure moves."""

    WALK = "walk"
    DANCE = "dance"
    POSE = "pose"


@dataclass(frozen=True, slots=True)
class Figure:
    """One person: where they move, how, how tall, and in which colours (BGR, 0 … 1)."""

    manner: Manner
    centre: tuple[float, float]
    radius: float = 1.0
    phase: float = 0.0
    tempo: float = 1.0
    height: float = 1.75
    skin: Colour = (0.50, 0.62, 0.85)
    top: Colour = (0.3, 0.3, 0.8)
    bottom: Colour = (0.35, 0.2, 0.15)
    hair: Colour = (0.08, 0.10, 0.14)
    skirt: bool = False

    def body(self, scene_ms: float) -> "Body":
        """The figure at `scene_ms`."""
        seconds = scene_ms / 1000.0 * self.tempo + self.phase * 7.0
        place, facing, stance = _MANNERS[self.manner](self, seconds)
        return _assemble(self, place, facing, stance)


@dataclass(frozen=True, slots=True)
class Body:
    """A posed figure as capsules: `ends` (n, 2, 3) in metres, `radii` (n, 2), `colours` (n, 3)."""

    ends: Floats
    radii: Floats
    colours: Floats

    @property
    def middle(self) -> Floats:
        """Its middle, (3,)."""
        return np.asarray(self.ends.mean(axis=(0, 1)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Stance:
    """Angles in radians. Legs and arms are (left, right): `hip` and `shoulder` forward, `spread`
    and `raised` sideways, `knee` and `elbow` bent; the trunk leans and sways."""

    hip: tuple[float, float] = (0.0, 0.0)
    spread: tuple[float, float] = (0.05, 0.05)
    knee: tuple[float, float] = (0.05, 0.05)
    shoulder: tuple[float, float] = (0.0, 0.0)
    raised: tuple[float, float] = (0.12, 0.12)
    elbow: tuple[float, float] = (0.2, 0.2)
    lean: float = 0.0
    sway: float = 0.0
    nod: float = 0.0

    def towards(self, other: "_Stance", part: float) -> "_Stance":
        """A stance `part` of the way to another."""

        def pair(one: tuple[float, float], two: tuple[float, float]) -> tuple[float, float]:
            return one[0] + (two[0] - one[0]) * part, one[1] + (two[1] - one[1]) * part

        return _Stance(
            hip=pair(self.hip, other.hip),
            spread=pair(self.spread, other.spread),
            knee=pair(self.knee, other.knee),
            shoulder=pair(self.shoulder, other.shoulder),
            raised=pair(self.raised, other.raised),
            elbow=pair(self.elbow, other.elbow),
            lean=self.lean + (other.lean - self.lean) * part,
            sway=self.sway + (other.sway - self.sway) * part,
            nod=self.nod + (other.nod - self.nod) * part,
        )


# ---------------------------------------------------------------- movement

_Placed = tuple[tuple[float, float], float, _Stance]


def _walk(figure: Figure, seconds: float) -> _Placed:
    """Round and round an ellipse."""
    speed = 1.15
    angle = seconds * speed / max(figure.radius, 0.3) + figure.phase * 2.0 * np.pi
    x = figure.centre[0] + figure.radius * np.cos(angle)
    y = figure.centre[1] + 0.6 * figure.radius * np.sin(angle)
    facing = float(np.arctan2(0.6 * np.cos(angle), -np.sin(angle)))
    step = seconds * 5.6
    swing = float(np.sin(step))
    stance = _Stance(
        hip=(0.48 * swing, -0.48 * swing),
        knee=(0.15 + 0.75 * max(0.0, float(np.cos(step))), 0.15 + 0.75 * max(0.0, -np.cos(step))),
        shoulder=(-0.45 * swing, 0.45 * swing),
        elbow=(0.45, 0.45),
        lean=0.06,
        sway=0.03 * swing,
    )
    return (float(x), float(y)), facing, stance


def _dance(figure: Figure, seconds: float) -> _Placed:
    """On the beat, arms flying, turning now and then."""
    beat = seconds * 2.0 * np.pi * 0.95
    one, two, slow = (float(np.sin(beat * k + figure.phase)) for k in (0.5, 1.0, 0.13))
    three = float(np.sin(beat * 0.25 + 2.0 * figure.phase))
    x = figure.centre[0] + figure.radius * 0.5 * slow
    y = figure.centre[1] + figure.radius * 0.35 * three
    facing = -np.pi / 2 + 1.1 * three + 2.2 * slow
    stance = _Stance(
        hip=(0.35 * one + 0.2, -0.35 * one + 0.2),
        spread=(0.18 + 0.12 * two, 0.18 - 0.12 * two),
        knee=(0.45 + 0.35 * two, 0.45 - 0.35 * two),
        shoulder=(0.7 * one, -0.7 * one),
        raised=(1.35 + 0.9 * three, 1.35 - 0.8 * one),
        elbow=(0.7 + 0.6 * two, 0.7 - 0.6 * three),
        lean=0.10 * two,
        sway=0.16 * one,
        nod=0.15 * two,
    )
    return (x, y), float(facing), stance


_POSES = (
    _Stance(raised=(0.55, 0.15), elbow=(1.7, 0.2), hip=(0.1, -0.05), sway=0.08),
    _Stance(raised=(2.4, 0.5), elbow=(0.5, 1.6), spread=(0.25, 0.05), sway=-0.10),
    _Stance(shoulder=(0.9, 0.9), raised=(0.2, 0.2), elbow=(1.3, 1.3), knee=(0.1, 0.6), lean=0.12),
    _Stance(raised=(1.4, 1.4), spread=(0.35, 0.35), elbow=(0.1, 0.1), nod=-0.2),
    _Stance(hip=(0.9, -0.1), knee=(1.3, 0.1), raised=(0.8, 1.9), elbow=(0.3, 0.9), lean=-0.08),
)


def _pose(figure: Figure, seconds: float) -> _Placed:
    """As a model poses: a stance is held, breathing, then the next is taken."""
    held = 2.4
    count, rest = divmod(seconds + figure.phase * held, held)
    part = float(np.clip((rest - 1.5) / (held - 1.5), 0.0, 1.0))
    part = part * part * (3.0 - 2.0 * part)
    now, then = (_POSES[(int(count) + k) % len(_POSES)] for k in (0, 1))
    stance = now.towards(then, part)
    breath = 0.02 * float(np.sin(seconds * 1.7))
    stance = stance.towards(_Stance(raised=(3.0, 3.0), lean=0.3), 0.5 * abs(breath))
    facing = -np.pi / 2 + 0.5 * float(np.sin((count + part) * 1.9))
    drift = 0.15 * float(np.sin(seconds * 0.4))
    return (figure.centre[0] + drift, figure.centre[1]), facing, stance


_MANNERS: dict[Manner, Callable[[Figure, float], _Placed]] = {
    Manner.WALK: _walk,
    Manner.DANCE: _dance,
    Manner.POSE: _pose,
}


# ---------------------------------------------------------------- the body


def _limb(
    start: Floats, length: tuple[float, float], angle: float, bend: float, side: float
) -> tuple[Floats, Floats]:
    """Middle and end joint of a two-part limb that hangs from `start`, in body coordinates
    (forward, left, up)."""

    def along(forward: float) -> Floats:
        down = np.cos(side if abs(side) < np.pi / 2 else np.pi - abs(side))
        down = down if abs(side) < np.pi / 2 else -down
        return np.array([np.sin(forward) * abs(down), np.sin(side), -np.cos(forward) * down])

    middle = start + length[0] * along(angle)
    return middle, middle + length[1] * along(angle + bend)


def _assemble(figure: Figure, place: tuple[float, float], facing: float, stance: _Stance) -> Body:
    """The capsules of a stance, feet on the floor."""
    pelvis = np.array([0.0, 0.0, 0.95])
    up = np.array([np.sin(stance.lean), np.sin(stance.sway), np.cos(stance.lean)])
    chest, neck = pelvis + 0.36 * up, pelvis + 0.54 * up
    head = neck + np.array([0.03 + 0.10 * np.sin(stance.nod), 0.05 * stance.sway, 0.14])
    parts: list[tuple[Floats, Floats, float, float, Colour]] = []
    ankles: list[Floats] = []
    for index, left in enumerate((1.0, -1.0)):
        hip = pelvis + np.array([0.0, 0.10 * left, -0.04])
        spread = left * stance.spread[index]
        knee, ankle = _limb(hip, (0.43, 0.42), stance.hip[index], -stance.knee[index], spread)
        ankles.append(ankle)
        toe = ankle + np.array([0.17, 0.02 * left, -0.045])
        legs = figure.skin if figure.skirt else figure.bottom
        parts += [(hip, knee, 0.085, 0.060, figure.bottom), (knee, ankle, 0.060, 0.042, legs)]
        parts.append((ankle, toe, 0.050, 0.035, (0.10, 0.10, 0.12)))
        shoulder = neck + np.array([0.0, 0.185 * left, -0.07])
        raised = left * stance.raised[index]
        elbow, wrist = _limb(
            shoulder, (0.28, 0.25), stance.shoulder[index], stance.elbow[index], raised
        )
        parts += [(shoulder, elbow, 0.055, 0.042, figure.top)]
        parts += [(elbow, wrist, 0.040, 0.030, figure.skin)]
        parts.append((wrist, wrist + 0.25 * (wrist - elbow), 0.036, 0.030, figure.skin))
        parts.append((chest, shoulder, 0.11, 0.065, figure.top))
    parts.append((pelvis, chest, 0.135, 0.150, figure.top))
    aside, above = np.array([0.0, 0.07, 0.0]), np.array([0.0, 0.0, 0.06])
    behind = np.array([-0.035, 0.0, 0.02])
    parts.append((pelvis + aside, pelvis - aside, 0.115, 0.115, figure.bottom))
    if figure.skirt:
        parts.append((pelvis, pelvis - 7.0 * above, 0.13, 0.25, figure.bottom))
    parts.append((neck, head, 0.050, 0.060, figure.skin))
    parts.append((head - 0.5 * above, head + above, 0.088, 0.098, figure.skin))
    parts.append(
        (head + behind - 0.4 * above, head + behind + 1.3 * above, 0.085, 0.094, figure.hair)
    )
    ends = np.array([[part[0], part[1]] for part in parts])
    ends[..., 2] += 0.06 - min(float(ankle[2]) for ankle in ankles)
    ends *= figure.height / 1.75
    cos, sin = np.cos(facing), np.sin(facing)
    turned = ends.copy()
    turned[..., 0] = cos * ends[..., 0] - sin * ends[..., 1] + place[0]
    turned[..., 1] = sin * ends[..., 0] + cos * ends[..., 1] + place[1]
    radii = np.array([[part[2], part[3]] for part in parts]) * figure.height / 1.75
    return Body(turned, radii, np.array([part[4] for part in parts]))


# ---------------------------------------------------------------- drawing


def draw(picture: Picture, lens: Lens, bodies: Sequence[Body], lights: Sequence[Floats]) -> None:
    """Draw bodies into `picture`, the farthest first, each lit by its own BGR light (3,)."""
    drawn = [(body, light) for body, light in zip(bodies, lights, strict=True)]
    depths = [float(lens.project(body.middle[None])[1][0]) for body, _ in drawn]
    for index in np.argsort(depths)[::-1]:
        if depths[index] > 0.8:
            _draw_body(picture, lens, *drawn[index])


def _draw_body(picture: Picture, lens: Lens, body: Body, light: Floats) -> None:
    count = len(body.ends)
    pixels, depth = lens.project(body.ends.reshape(-1, 3))
    radii = body.radii * lens.scale / np.maximum(depth.reshape(count, 2), 0.1)
    ends = pixels.reshape(count, 2, 2)
    order = np.argsort(depth.reshape(count, 2).mean(1))[::-1]
    outlines: list[npt.NDArray[np.int32]] = []
    fills: list[Floats] = []
    for size, moved, shade in _ROUNDING:
        outlines.append(_capsules(ends - 0.7 * moved * radii[..., None], radii * size))
        fills.append(255.0 - 255.0 * np.exp(-1.3 * shade * body.colours * light))
    for part in order:
        for outline, fill in zip(outlines, fills, strict=True):
            cv2.fillConvexPoly(picture, outline[part], fill[part].tolist(), cv2.LINE_AA, _SHIFT)


def _capsules(ends: Floats, radii: Floats) -> npt.NDArray[np.int32]:
    """Outlines (n, points, 2), in sub-pixels, of `n` pairs of circles and what lies between them.

    `ends` is (n, 2, 2), `radii` (n, 2).
    """
    way = ends[:, 1] - ends[:, 0]
    heading = np.arctan2(way[:, 1], way[:, 0])[:, None]
    halves: list[Floats] = []
    for end, turn in ((0, 0.0), (1, np.pi)):
        angle = _ARC + heading + turn
        rim = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        halves.append(ends[:, end, None] + radii[:, end, None, None] * rim)
    return np.rint(np.concatenate(halves, axis=1) * (1 << _SHIFT)).astype(np.int32)


def shadow(mask: npt.NDArray[np.uint8], lens: Lens, bodies: Sequence[Body], lamp: Floats) -> None:
    """Draw the shadows that `lamp` (3,) casts on the floor into `mask`, as 255; the mask may be
    smaller than the picture."""
    shrink = mask.shape[1] / lens.size[0]
    for body in bodies:
        ends = body.ends.reshape(-1, 3)
        reach = ends[:, 2:3] / np.maximum(lamp[2] - ends[:, 2:3], 0.5)
        fallen = ends + (ends - lamp) * reach
        fallen[:, 2] = 0.0
        pixels, depth = lens.project(fallen)
        if depth.min() < 0.5:
            continue
        radii = body.radii * lens.scale / depth.reshape(-1, 2) * shrink
        spots = pixels.reshape(-1, 2, 2) * shrink
        for outline in _capsules(spots, radii):
            cv2.fillConvexPoly(mask, outline, [255.0], cv2.LINE_AA, _SHIFT)
