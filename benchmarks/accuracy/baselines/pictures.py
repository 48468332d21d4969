"""Every picture of a shoot, decoded once and kept as small as the baselines want it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from tap.errors import FeedError
from tap.feeds.shoot import load_shoot
from tap.feeds.video import AS_IT_IS, Picture, VideoFile, colour_of, luma_of

SCRIPT_SIZE = (32, 18)
DHASH_SIZE = (9, 8)
PHASH_SIZE = (32, 32)
TRANSNET_SIZE = (48, 27)
SCENES_WIDTH = 256
"""Longer side to which PySceneDetect's own `SceneManager` scales pictures down."""

BLACK = 24.0
"""Luma of a bar at most, in most pictures of a recording; black is 16 or 0."""

LIT = 0.1
"""Share of a row or column that is brighter: less is a bar, a graphic on it notwithstanding."""

SAMPLES = 100

Bytes = npt.NDArray[np.uint8]
Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Greys:
    """A feed's pictures, (n, height, width) luma in three sizes; `times_ms` is Unix time.

    Letterbox and pillarbox are cut off the program, and of a camera of another aspect the middle
    is taken, as a switcher does: a careful script goes so far.
    """

    times_ms: Times
    script: Bytes
    dhash: Bytes
    phash: Bytes


@dataclass(frozen=True, slots=True)
class Pictures:
    """A whole shoot. Of the program also RGB for TransNetV2 and BGR for PySceneDetect."""

    session: str
    program: Greys
    cameras: dict[str, Greys]
    transnet: Bytes
    scenes: tuple[Bytes, ...]

    @property
    def interval_ms(self) -> float:
        """The program's usual time from picture to picture."""
        steps = np.diff(self.program.times_ms)
        return float(np.median(steps)) if len(steps) else 1000.0 / 30


def pictures(folder: Path) -> Pictures:
    """The pictures of a `tap-shoot/1` folder; those of the last shoot asked for are kept."""
    return _decode(folder.resolve(), (folder / "shoot.json").stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _decode(folder: Path, _changed_ns: int) -> Pictures:
    shoot = load_shoot(folder)
    rgb: list[Bytes] = []
    bgr: list[Bytes] = []
    colours = _Colours()
    program = _Gatherer(shoot.program.started_at_ms)
    for picture in _whole(shoot.program.media):
        if program.take(picture):
            rgb.append(colours.for_transnet(picture))
            bgr.append(colours.for_scenes(picture))
    aspect = program.without_bars()
    cameras: dict[str, Greys] = {}
    for camera in shoot.cameras:
        gatherer = _Gatherer(camera.started_at_ms)
        for picture in _whole(camera.media):
            gatherer.take(picture)
        cameras[camera.id] = gatherer.greys(aspect)
    return Pictures(
        session=shoot.session.external_id,
        program=program.greys(),
        cameras=cameras,
        transnet=np.asarray(rgb, np.uint8).reshape(-1, *TRANSNET_SIZE[::-1], 3),
        scenes=tuple(bgr),
    )


def _whole(media: Path) -> Iterator[Picture]:
    with VideoFile(media) as file:
        yield from file.pictures()


class _Gatherer:
    """Collects one feed's small pictures in the order of their times."""

    def __init__(self, started_at_ms: float) -> None:
        self._started_at_ms = started_at_ms
        self._times: list[float] = []
        self._luma: list[Bytes] = []

    def take(self, picture: Picture) -> bool:
        """Whether the picture could be used: whole, and later than the last."""
        if picture.pts_ms is None:
            return False
        at_ms = self._started_at_ms + picture.pts_ms
        if self._times and at_ms <= self._times[-1]:
            return False
        try:
            luma, _ = luma_of(picture)
        except FeedError:
            return False
        self._times.append(at_ms)
        self._luma.append(luma)
        return True

    def without_bars(self) -> float | None:
        """Cut off the bars that are always black; returns width / height of what is left."""
        crop = _inside_bars(self._luma)
        self._luma = [luma[crop] for luma in self._luma]
        return self._luma[0].shape[1] / self._luma[0].shape[0] if self._luma else None

    def greys(self, aspect: float | None = None) -> Greys:
        """All that was taken, the middle of it in this aspect; can be asked once."""
        whole, self._luma = [_middle(luma, aspect) for luma in self._luma], []
        small = [
            np.asarray([_to(luma, size) for luma in whole], np.uint8).reshape(-1, *size[::-1])
            for size in (SCRIPT_SIZE, DHASH_SIZE, PHASH_SIZE)
        ]
        return Greys(np.asarray(self._times, np.float64), *small)


def _middle(luma: Bytes, aspect: float | None) -> Bytes:
    if aspect is None:
        return luma
    height, width = luma.shape
    wide, high = min(width, round(height * aspect)), min(height, round(width / aspect))
    left, top = (width - max(1, wide)) // 2, (height - max(1, high)) // 2
    return luma[top : top + max(1, high), left : left + max(1, wide)]


def _inside_bars(pictures: Sequence[Bytes]) -> tuple[slice, slice]:
    """The rows and columns between a recording's standing black bars."""
    everything = slice(None), slice(None)
    if len({picture.shape for picture in pictures}) != 1:
        return everything
    usual = np.median(np.stack(pictures[:: max(1, len(pictures) // SAMPLES)]), axis=0)
    lit = np.asarray(usual > BLACK)
    rows, columns = (np.flatnonzero(lit.mean(axis) > LIT) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return everything
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _to(picture: Bytes, size: tuple[int, int]) -> Bytes:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


class _Colours:
    """Makes the two colour pictures of one feed; keeps FFmpeg's scalers, which cost more than
    their work to set up."""

    def __init__(self) -> None:
        self._small = VideoReformatter()
        self._whole = VideoReformatter()

    def for_transnet(self, picture: Picture) -> Bytes:
        """As FFmpeg's `-s 48x27 -pix_fmt rgb24` makes it, which the package asks for."""
        frame = picture.content
        if not isinstance(frame, VideoFrame) or picture.turns != AS_IT_IS:
            frame = VideoFrame.from_ndarray(colour_of(picture), format="bgr24")
        width, height = TRANSNET_SIZE
        small = self._small.reformat(
            frame, width, height, "rgb24", interpolation=Interpolation.BICUBIC
        )
        return np.asarray(small.to_ndarray(), np.uint8)

    def for_scenes(self, picture: Picture) -> Bytes:
        """Scaled as `SceneManager` does unless told otherwise."""
        if isinstance(picture.content, VideoFrame) and picture.turns == AS_IT_IS:
            frame = self._whole.reformat(picture.content, format="bgr24")
            whole = np.asarray(frame.to_ndarray(), np.uint8)
        else:
            whole = colour_of(picture)
        height, width = whole.shape[:2]
        factor = max(width, height) / SCENES_WIDTH
        if factor <= 1.0:
            return np.array(whole)
        size = (max(1, round(width / factor)), max(1, round(height / factor)))
        return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR), np.uint8)
