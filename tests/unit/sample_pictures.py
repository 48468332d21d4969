"""Cameras made of moving texture, and a small switcher, for the tests of sight."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from tap.sight import Piece, Sight, SightSettings
from tap.vocabulary import PROGRAM, Event, Frame, Luma, ShotState

START_MS = 1_789_000_000_000.0
DELAY_MS = 160.0
BLACK = np.full((90, 160), 8, np.uint8)


def texture(seed: int, height: int = 90, width: int = 160) -> Luma:
    """Smooth random pattern of good contrast, (height, width)."""
    rng = np.random.default_rng(seed)
    rough = rng.normal(size=(height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(rough, (0, 0), 3.0)
    soft = (soft - soft.mean()) / soft.std()
    return np.asarray(np.clip(118 + 38 * soft, 16, 235), np.uint8)


@dataclass
class Camera:
    """Pans over a texture of its own; `still` ones only look."""

    seed: int
    height: int = 90
    width: int = 160
    fps: float = 25.0
    still: bool = False
    lost: tuple[float, float] = (1e12, 1e12)
    """From here to there, in ms from the start, tap gets none of its frames."""
    world: Luma = field(init=False)

    def __post_init__(self) -> None:
        self.world = texture(self.seed, self.height + 40, self.width + 40)

    def at(self, ms: float) -> Luma:
        """The frame that is current `ms` after the start."""
        ms = max(0.0, ms // (1000.0 / self.fps) * (1000.0 / self.fps))
        phase = 0.0 if self.still else ms / 1000.0
        x = round(20 + 18 * np.sin(2.1 * phase + self.seed))
        y = round(20 + 18 * np.sin(1.3 * phase + 2 * self.seed))
        return np.ascontiguousarray(self.world[y : y + self.height, x : x + self.width])


Show = Callable[[float], Luma | None]
"""What the program shows `ms` after the start; None: it gives no frame."""


def noisy(luma: Luma, ms: float, sigma: float = 1.0) -> Luma:
    """With noise that depends on the time alone."""
    noise = np.random.default_rng(int(ms)).normal(scale=sigma, size=luma.shape)
    return np.asarray(np.clip(luma + noise, 0, 255), np.uint8)


def frames(
    cameras: dict[str, Camera], show: Show, seconds: float, *, fps: float = 25.0
) -> Iterator[Frame]:
    """All frames of a shoot in order of time, cameras before the program."""
    ticks = sorted(
        (round(n * 1000.0 / rate), order, feed)
        for order, (feed, rate) in enumerate(
            [*((name, camera.fps) for name, camera in cameras.items()), (PROGRAM, fps)]
        )
        for n in range(int(seconds * rate))
    )
    index = dict.fromkeys([*cameras, PROGRAM], 0)
    for ms, _, feed in ticks:
        if feed == PROGRAM:
            luma = show(float(ms))
        else:
            camera = cameras[feed]
            luma = None if camera.lost[0] <= ms < camera.lost[1] else camera.at(float(ms))
        if luma is not None:
            height, width = luma.shape
            yield Frame(feed, index[feed], START_MS + ms, luma, (width * 8, height * 8))
            index[feed] += 1


def cuts(cameras: dict[str, Camera], plan: Sequence[tuple[float, str]]) -> Show:
    """Hard cuts: from each time on, in ms, that camera, `DELAY_MS` late."""

    def show(ms: float) -> Luma:
        name = [name for start, name in plan if start <= ms][-1]
        return noisy(cameras[name].at(ms - DELAY_MS), ms)

    return show


@dataclass
class Seen:
    """What sight said of a shoot, with times in ms from its start."""

    sight: Sight
    pieces: list[Piece]
    events: list[Event]

    def state_at(self, ms: float) -> ShotState:
        return self.shot_at(ms)[0].state

    def camera_at(self, ms: float) -> str | None:
        return self.shot_at(ms)[0].camera

    def shot_at(self, ms: float) -> Piece:
        found = [p for p in self.pieces if p[0].start_ms <= START_MS + ms < p[0].end_ms]
        assert len(found) == 1, f"{len(found)} shots at {ms}"
        return found[0]

    def told(self, *, also: bool = False) -> list[tuple[str, float, str | None, str | None]]:
        """Events as (type, ms, from, to); those of the feeds and of holding only with `also`."""
        return [
            (e.type.value, e.at_ms - START_MS, e.from_camera, e.to_camera)
            for e in self.events
            if also or e.type.value in {"cut", "dissolve", "fade", "wipe"}
        ]

    def assert_partition(self) -> None:
        for (one, _), (two, _) in zip(self.pieces, self.pieces[1:], strict=False):
            assert one.end_ms == two.start_ms
        assert all(shot.start_ms < shot.end_ms for shot, _ in self.pieces)


def watch(
    cameras: dict[str, Camera],
    show: Show,
    seconds: float,
    *,
    settings: SightSettings | None = None,
    keep_evidence: bool = False,
) -> Seen:
    """Let sight look at a whole shoot."""
    sight = Sight(list(cameras), settings, keep_evidence=keep_evidence)
    return look_at(sight, frames(cameras, show, seconds))


def look_at(sight: Sight, shown: Iterable[Frame]) -> Seen:
    """Let a sight of one's own look at frames that are in order."""
    seen = Seen(sight, [], [])
    for frame in shown:
        sight.see(frame)
        pieces, events = sight.take()
        seen.pieces += pieces
        seen.events += events
    sight.finish()
    pieces, events = sight.take()
    seen.pieces += pieces
    seen.events += events
    seen.assert_partition()
    return seen
