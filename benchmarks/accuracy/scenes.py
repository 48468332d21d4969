"""What the shoots show: real footage, cut into virtual cameras, and the rendered stage.

A scene gives `angles` (cameras that see quite different things, or the same from elsewhere) and
`near` ones (a few per cent apart). `DEVELOP` may be looked at; `SCORED` is only ever scored, and
no frame of it occurs in a scene of `DEVELOP`. Of some recordings each has other minutes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from tap.errors import FeedError
from tap.rig.clip import Clip
from tap.rig.footage import fetch
from tap.rig.lens import Lens
from tap.rig.moves import Frame, Framed, Path
from tap.rig.source import Source, View
from tap.rig.stage import StageView, dance_studio

SIZE = (448, 252)
"""Width and height of most cameras' pictures."""

LONGER = {"pose2sim": 960, "pose2sim-multi": 960}
"""Longer side of the clips in memory; upright ones are used across their width."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scene:
    """Footage that cameras can look at.

    `angles(count, seed)` and `near(count, apart, seed)` give sources of `SIZE`, `apart` in
    fractions of the picture; `whole()` what `near` ones are cut out of, and `base` where. `long`:
    no moment comes back within 13 s, so that a replay of an older picture is none of now.
    """

    name: str
    footage: tuple[str, ...]
    angles: Callable[[int, int], list[Source]]
    near: Callable[[int, float, int], list[Source]]
    whole: Callable[[], Source]
    base: Frame
    long: bool = False

    def framed(self, path: Path) -> Source:
        """A camera on the whole, looking along `path`."""
        return Framed(self.whole(), SIZE, path)

    @property
    def there(self) -> bool:
        """Whether all its footage is here or can be fetched."""
        try:
            for name in self.footage:
                fetch(name)
        except FeedError:
            return False
        return True


@lru_cache(maxsize=8)
def _clip(name: str, index: int, span: Span | None, pace: float) -> Clip:
    return Clip(fetch(name)[index], longer=LONGER.get(name, 800), span=span, pace=pace)


def _apart(base: Frame, count: int, apart: float, seed: int) -> list[Frame]:
    """`base`, and frames on a ring about `apart` of its width around, larger or smaller."""
    random = np.random.default_rng((seed, 61))
    frames = [base]
    start = random.uniform(0.0, 2.0 * np.pi)
    for number in range(1, count):
        turn = start + 2.0 * np.pi * number / max(count - 1, 1)
        step = apart * base.wide * random.uniform(0.8, 1.2)
        wide = base.wide * (1.0 + random.choice((-1.0, 1.0)) * apart * random.uniform(0.2, 0.6))
        frames.append(
            Frame(
                base.x + step * float(np.cos(turn)),
                base.y + step * float(np.sin(turn)),
                float(wide),
                float(random.uniform(-0.4, 0.4)),
            )
        )
    return frames


def _cut(
    name: str,
    whole: Callable[[], Source],
    base: Frame,
    views: Sequence[Frame],
    *,
    footage: tuple[str, ...],
    long: bool = False,
) -> Scene:
    """A scene all of whose cameras are cut out of one picture."""

    def angles(count: int, seed: int) -> list[Source]:
        random = np.random.default_rng((seed, 67))
        sources: list[Source] = []
        for number in range(count):
            view = views[number % len(views)]
            again = number // len(views)
            frame = Frame(view.x, view.y, view.wide * (1.0 - 0.22 * again), view.tilt + 3.0 * again)
            bend, lean = random.uniform(-0.03, 0.05), random.uniform(-0.06, 0.06)
            path = _still(frame)
            sources.append(Framed(whole(), SIZE, path, float(bend), float(lean)))
        return sources

    def near(count: int, apart: float, seed: int) -> list[Source]:
        return [Framed(whole(), SIZE, _still(frame)) for frame in _apart(base, count, apart, seed)]

    return Scene(name, footage, angles, near, whole, base, long)


def _still(frame: Frame) -> Path:
    return lambda _: frame


def _several(
    name: str,
    wholes: Sequence[tuple[Callable[[], Source], Frame]],
    *,
    footage: tuple[str, ...],
    long: bool = False,
) -> Scene:
    """A scene each of whose angles is a clip of its own; the near ones are cut from the first."""
    first, base = wholes[0]
    plain = _cut(name, first, base, [base], footage=footage)

    def angles(count: int, seed: int) -> list[Source]:
        random = np.random.default_rng((seed, 67))
        sources: list[Source] = []
        for number in range(count):
            whole, frame = wholes[number % len(wholes)]
            again = number // len(wholes)
            at = Frame(frame.x, frame.y, frame.wide * (1.0 - 0.3 * again), 3.0 * again)
            bend = float(random.uniform(-0.03, 0.05))
            sources.append(Framed(whole(), SIZE, _still(at), bend))
        return sources

    return Scene(name, footage, angles, plain.near, first, base, long)


@lru_cache(maxsize=32)
def _stage_view(seed: int, lens: Lens) -> StageView:
    """Kept, for its empty stage is ray-cast in a second or two."""
    return StageView(dance_studio(seed), lens)


def _stage(name: str, seed: int, turn: float) -> Scene:
    """The rendered stage, its cameras `turn` degrees around from the demo's."""
    size = SIZE
    seed_of_stage = seed
    places = (
        ((0.0, -6.5, 1.9), (0.2, 1.5, 1.1), 0.95),
        ((-4.8, -3.5, 1.5), (0.3, 1.2, 1.0), 1.15),
        ((4.6, -2.8, 2.6), (-0.3, 1.4, 0.7), 1.10),
        ((1.2, -4.6, 0.9), (0.4, 1.6, 1.25), 1.60),
    )

    def lens(number: int, moved: Sequence[float] = (0.0, 0.0, 0.0), closer: float = 1.0) -> Lens:
        (x, y, z), target, focal = places[number % len(places)]
        angle = np.deg2rad(turn)
        x, y = (
            x * float(np.cos(angle)) - y * float(np.sin(angle)),
            x * float(np.sin(angle)) + y * float(np.cos(angle)),
        )
        again = number // len(places)
        position = (x + moved[0], y + moved[1], z + moved[2] + 0.5 * again)
        return Lens(position, target, focal * closer * (1.0 + 0.3 * again), size)

    def angles(count: int, _: int) -> list[Source]:
        return [_stage_view(seed, lens(number)) for number in range(count)]

    def near(count: int, apart: float, seed: int) -> list[Source]:
        # The picture is about 7 m wide where the people are: metres for a part of it.
        random = np.random.default_rng((seed, 61))
        sources: list[Source] = [_stage_view(seed_of_stage, lens(0))]
        for _ in range(1, count):
            moved = random.normal(size=3) * (1.0, 0.4, 0.5)
            moved *= apart * 7.0 / float(np.linalg.norm(moved))
            closer = 1.0 + apart * float(random.uniform(-0.5, 0.5))
            sources.append(_stage_view(seed_of_stage, lens(0, moved.tolist(), closer)))
        return sources

    def whole() -> Source:
        return _stage_view(seed, Lens((0.0, -6.5, 1.9), (0.2, 1.5, 1.1), 0.95, (640, 352)))

    return Scene(name, (), angles, near, whole, Frame(0.5, 0.5, 0.75), long=True)


def _clips(name: str, index: int = 0, span: Span | None = None, pace: float = 1.0) -> Source:
    return _clip(name, index, span, pace)


def _treadmill(name: str, footage: str, places: Sequence[tuple[float, float]]) -> Scene:
    """The four real cameras; `places` are middle and width of each landscape window."""

    def whole(index: int) -> Callable[[], Source]:
        # At half pace the clip's 1.7 s come back no sooner than in 6.7 s.
        return lambda: _clips(footage, index, None, 0.5)

    wholes = [(whole(index), Frame(0.5, y, wide)) for index, (y, wide) in enumerate(places)]
    return _several(name, wholes, footage=(footage,))


def _walkers() -> Source:
    return _clips("walkers", 0, (0, 400))


def _walkers_later() -> Source:
    return _clips("walkers", 0, (400, 790))


def _scenes(*scenes: Scene) -> MappingProxyType[str, Scene]:
    return MappingProxyType({scene.name: scene for scene in scenes})


DEVELOP = _scenes(
    _treadmill("treadmill", "pose2sim", ((0.42, 1.0), (0.45, 1.0), (0.40, 1.0), (0.44, 0.95))),
    _cut(
        "lane",
        lambda: _clips("sports2d", 0, (55, 146)),
        Frame(0.55, 0.62, 0.55),
        (
            Frame(0.50, 0.52, 0.92),
            Frame(0.32, 0.66, 0.50),
            Frame(0.66, 0.64, 0.48),
            Frame(0.48, 0.70, 0.36),
        ),
        footage=("sports2d",),
    ),
    _stage("stage", 1, 0.0),
    _cut(
        "walk",
        _walkers_later,
        Frame(0.48, 0.52, 0.62),
        (
            Frame(0.36, 0.46, 0.56),
            Frame(0.66, 0.50, 0.50),
            Frame(0.46, 0.60, 0.66),
            Frame(0.44, 0.44, 0.36),
        ),
        footage=("walkers",),
        long=True,
    ),
    _cut(
        "talk",
        lambda: _clips("heads", 0, (1000, 1700)),
        Frame(0.50, 0.52, 0.80),
        (
            Frame(0.50, 0.50, 0.92),
            Frame(0.52, 0.46, 0.56),
            Frame(0.44, 0.58, 0.66),
            Frame(0.60, 0.54, 0.58, -3.0),
        ),
        footage=("heads",),
        long=True,
    ),
    _several(
        "panel-2",
        (
            (lambda: _clips("heads", 1, (600, 1300)), Frame(0.50, 0.50, 0.90)),
            (lambda: _clips("heads", 2, (600, 1300)), Frame(0.50, 0.52, 0.85)),
            (lambda: _clips("heads", 1, (600, 1300)), Frame(0.46, 0.48, 0.55)),
            (lambda: _clips("heads", 2, (600, 1300)), Frame(0.54, 0.50, 0.60)),
        ),
        footage=("heads",),
        long=True,
    ),
)
SCORED = _scenes(
    _cut(
        "walkers",
        _walkers,
        Frame(0.55, 0.50, 0.60),
        (
            Frame(0.30, 0.42, 0.52),
            Frame(0.70, 0.45, 0.52),
            Frame(0.50, 0.64, 0.62),
            Frame(0.52, 0.40, 0.34),
        ),
        footage=("walkers",),
        long=True,
    ),
    _several(
        "panel",
        (
            (lambda: _clips("heads", 0, (0, 600)), Frame(0.50, 0.50, 0.92)),
            (lambda: _clips("heads", 1, (0, 600)), Frame(0.48, 0.50, 0.95)),
            (lambda: _clips("heads", 0, (0, 600)), Frame(0.54, 0.48, 0.55)),
            (lambda: _clips("heads", 2, (0, 600)), Frame(0.50, 0.55, 0.80)),
        ),
        footage=("heads",),
        long=True,
    ),
    _cut(
        "interview",
        lambda: _clips("heads", 0, (2000, 2700)),
        Frame(0.52, 0.50, 0.85),
        (
            Frame(0.52, 0.50, 0.96),
            Frame(0.56, 0.44, 0.52),
            Frame(0.40, 0.60, 0.62),
            Frame(0.64, 0.58, 0.60, 4.0),
        ),
        footage=("heads",),
        long=True,
    ),
    _several(
        "bikes",
        (
            (lambda: _clips("bikes", 0, (137, 187), 0.5), Frame(0.5, 0.5, 0.74)),
            (lambda: _clips("bikes", 0, (187, 242), 0.5), Frame(0.5, 0.5, 0.74)),
            (lambda: _clips("bikes", 0, (106, 137), 0.4), Frame(0.5, 0.5, 0.74)),
            (lambda: _clips("bikes", 0, (30, 62), 0.4), Frame(0.5, 0.5, 0.74)),
        ),
        footage=("bikes",),
    ),
    _cut(
        "city",
        lambda: _clips("city", 0, (0, 115), 0.8),
        Frame(0.5, 0.5, 0.7),
        (
            Frame(0.50, 0.50, 0.96),
            Frame(0.27, 0.45, 0.50),
            Frame(0.74, 0.52, 0.48),
            Frame(0.48, 0.35, 0.42),
        ),
        footage=("city",),
    ),
    _treadmill(
        "treadmill-2", "pose2sim-multi", ((0.50, 0.9), (0.52, 0.88), (0.47, 0.9), (0.50, 0.8))
    ),
    _cut(
        "lane-2",
        lambda: _clips("sports2d", 0, (146, 230)),
        Frame(0.50, 0.60, 0.60),
        (
            Frame(0.48, 0.50, 0.88),
            Frame(0.27, 0.60, 0.46),
            Frame(0.72, 0.58, 0.50),
            Frame(0.44, 0.72, 0.42),
        ),
        footage=("sports2d",),
    ),
    _stage("stage-2", 7, 14.0),
)
PARTS = MappingProxyType({"develop": DEVELOP, "scored": SCORED})


def portrait(source: Source) -> Source:
    """The middle of a source as a phone held upright sees it."""
    return View(source, (252, 448), crop=(0.342, 0.0, 0.658, 1.0))
