"""How each camera looked: kept small in a session's folder, so that the next one can be held to it.

A look is the average of a camera's picture over a session, one sample a second, on sight's grid of
64x36: who moves about is averaged out, and what stays is where the camera stood and what it saw.
"""

import logging
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from tap.sight.look import WHOLE, Floats, blocks, sample, unit
from tap.vocabulary import PROGRAM, Frame, is_looked_at

LOOKS_FILE = "looks.json"
_log = logging.getLogger(__name__)

_EVERY_MS = 1000.0
_FEW = 3
"""Samples below which a look is not worth remembering."""
_MAX_BYTES = 1_000_000
_SESSIONS = 200
_TEXTURED = 20.0
"""Length of a block, grey levels, from which on its pattern is more than noise (2.4 rms)."""
_BLOCKS = 8
"""Textured blocks without which two looks can't be compared."""
_GRID = 64 * 36


class _Look(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    portrait: bool
    grid: str = Field(max_length=4 * _GRID)


class _File(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    format: Literal["tap-looks/1"] = "tap-looks/1"
    session: str
    at_ms: float
    cameras: dict[str, _Look]


@dataclass(frozen=True, slots=True)
class Remembered:
    """The looks of an earlier session, by camera: (36, 64) grids, (64, 36) where portrait."""

    session: str
    at_ms: float
    grids: dict[str, Floats]


class Looks:
    """Averages what each camera shows, as long as a session lasts."""

    def __init__(self) -> None:
        self._sums: dict[str, npt.NDArray[np.float64]] = {}
        self._counts: dict[str, int] = {}
        self._second: dict[str, list[Frame]] = {}
        """Each camera's frames of the last second."""

    def see(self, frame: Frame) -> None:
        """Take a frame of any feed. Each second one of each camera counts, and costs something only
        where sight has looked at none of them."""
        if frame.feed == PROGRAM:
            return
        second = self._second.setdefault(frame.feed, [])
        if second and frame.at_ms - second[0].at_ms >= _EVERY_MS:
            self._add(next((one for one in second if is_looked_at(one.picture)), second[0]))
            second.clear()
        second.append(frame)

    def _add(self, frame: Frame) -> None:
        grid, before = grid_of(frame), self._sums.get(frame.feed)
        if before is None or before.shape != grid.shape:  # a camera that was turned begins anew
            self._sums[frame.feed] = grid.astype(np.float64)
            self._counts[frame.feed] = 1
            return
        before += grid
        self._counts[frame.feed] += 1

    def save(self, folder: Path, session: str, at_ms: float) -> None:
        """Write `looks.json`; a disk that has no room for it costs this file and nothing else."""
        cameras = {
            name: _Look(portrait=total.shape[0] > total.shape[1], grid=_packed(total / count))
            for name, total in self._sums.items()
            if (count := self._counts[name]) >= _FEW
        }
        if not cameras:
            return
        file = _File(session=session, at_ms=at_ms, cameras=cameras)
        try:
            (folder / LOOKS_FILE).write_text(file.model_dump_json(by_alias=True), "utf-8")
        except OSError as error:
            _log.warning("the cameras' looks could not be kept: %s", error)


def last_looks(home: Path) -> Remembered | None:
    """The looks of the session that ended last; None where there are none that can be read."""
    try:
        folders = [entry for entry in (home / "sessions").iterdir() if entry.is_dir()]
        files = [(folder / LOOKS_FILE) for folder in folders]
        there = [(path.stat().st_mtime, path) for path in files if path.is_file()]
    except OSError:
        return None
    newest = sorted(there, reverse=True)[:_SESSIONS]
    found = (_read(path) for _, path in newest)
    return next((one for one in found if one is not None), None)


def _read(path: Path) -> Remembered | None:
    try:
        with path.open("rb") as stream:
            file = _File.model_validate_json(stream.read(_MAX_BYTES))
        grids = {name: _unpacked(look) for name, look in file.cameras.items()}
    except (OSError, ValidationError, ValueError):
        return None
    return Remembered(file.session, file.at_ms, grids)


def grid_of(frame: Frame, *, mirror: bool = False) -> Floats:
    """A frame on the grid: (36, 64) float32, or (64, 36) where it is higher than wide."""
    height, width = frame.luma.shape
    return sample(frame.luma, WHOLE, portrait=height > width, mirror=mirror)


def likeness(now: Floats, then: Floats) -> float | None:
    """How alike two grids are, -1 .. 1; None where they have too little in them to tell.

    The mean correlation of their blocks, over those that are textured in either: brightness and
    contrast do not count.
    """
    if now.shape != then.shape:
        return None
    (one, first), (two, second) = unit(blocks(now)), unit(blocks(then))
    textured = np.maximum(first, second) > _TEXTURED
    if int(textured.sum()) < _BLOCKS:
        return None
    return float(np.einsum("bp,bp->b", one, two)[textured].mean())


def _packed(grid: npt.NDArray[np.float64]) -> str:
    return b64encode(np.clip(np.rint(grid), 0, 255).astype(np.uint8).tobytes()).decode()


def _unpacked(look: _Look) -> Floats:
    flat = np.frombuffer(b64decode(look.grid, validate=True), np.uint8)
    shape = (64, 36) if look.portrait else (36, 64)
    return flat.reshape(shape).astype(np.float32)
