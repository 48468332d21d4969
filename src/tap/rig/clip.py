"""A real clip as a source: held in memory, played forwards and back without end."""

from collections import OrderedDict
from itertools import islice
from pathlib import Path
from typing import cast

import av
import av.error
import cv2
import numpy as np
import numpy.typing as npt
from av.container import InputContainer

from tap.errors import InputError
from tap.rig.source import Picture

FRAME_LIMIT = 1500
KEPT_PICTURES = 6
"""Converted pictures kept: several cameras cut out of one clip look at it at nearly one time."""
BYTE_LIMIT = 2 * 1024**3


class Clip:
    """A clip of at most `FRAME_LIMIT` frames, scaled so that its longer side is `longer` pixels.

    `span` are the frames of the file to take, (first, behind the last); `pace` how fast it plays.

    Raises InputError where the file can't be read or is too much to hold in memory.
    """

    def __init__(
        self,
        path: Path,
        *,
        longer: int | None = None,
        span: tuple[int, int] | None = None,
        pace: float = 1.0,
    ) -> None:
        self._frames: list[npt.NDArray[np.uint8]] = []
        self._shown: OrderedDict[int, Picture] = OrderedDict()
        self._span = span or (0, FRAME_LIMIT + 1)
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                self._size = _even(stream.width, stream.height, longer)
                self._fps = pace * float(stream.average_rate or 25)
                self._read(container, path)
        except (OSError, IndexError, av.error.FFmpegError) as error:
            raise InputError(
                f"Expected a video in {path}, but it can't be read: {error}"
            ) from error
        if not self._frames:
            raise InputError(f"Expected a video in {path}, but no frame of it decodes.")

    def _read(self, container: InputContainer, path: Path) -> None:
        width, height = self._size
        for frame in islice(container.decode(video=0), *self._span):
            # I420 takes half the memory of BGR; the conversion back costs well under a ms.
            planes = frame.reformat(width, height, "yuv420p", interpolation="AREA").to_ndarray()
            self._frames.append(cast("npt.NDArray[np.uint8]", planes))
            held = len(self._frames) * planes.nbytes
            if len(self._frames) > FRAME_LIMIT or held > BYTE_LIMIT:
                raise InputError(
                    f"{path} is too long to be held in memory (at most {FRAME_LIMIT} frames and "
                    f"{BYTE_LIMIT // 1024**2} MiB); cut it, or ask for a smaller picture."
                )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self._size

    @property
    def fps(self) -> float:
        """Frames a second as it plays."""
        return self._fps

    def picture(self, scene_ms: float) -> Picture:
        """The frame nearest to `scene_ms`, counting forwards and back over the clip."""
        last = len(self._frames) - 1
        index = round(scene_ms * self._fps / 1000.0)
        if last > 0:
            index %= 2 * last
            index = index if index <= last else 2 * last - index
        else:
            index = 0
        found = self._shown.get(index)
        if found is None:
            found = cast("Picture", cv2.cvtColor(self._frames[index], cv2.COLOR_YUV2BGR_I420))
            self._shown[index] = found
            while len(self._shown) > KEPT_PICTURES:
                self._shown.popitem(last=False)
        return found


def _even(width: int, height: int, longer: int | None) -> tuple[int, int]:
    scale = 1.0 if longer is None else min(1.0, longer / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
