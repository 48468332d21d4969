"""A camera's recent past, kept ready for matching."""

import numpy as np
import numpy.typing as npt

from tap.sight.look import (
    BLOCKS,
    PIXELS,
    Cells,
    Floats,
    as_coarse,
    blocks,
    cells_of,
    is_coarse,
    sample,
    unit,
)
from tap.sight.match import NOISE
from tap.sight.placement import Placement
from tap.vocabulary import LookAt, Luma, Picture, Undecoded, luma_of, when_asked

_CAPACITY = 320
"""Frames kept at most: 80 fps with the usual settings. Faster cameras are thinned to fit."""

_THIN_MS = 90.0
"""Of old pictures that nobody looked at one is kept each so many ms."""
_STEP_PACE = 0.05
_PAUSE_MS = 1000.0
"""A longer step between frames is a gap and says nothing of the rhythm."""
_MOTION_MS, _MOTION_FRAMES, _MOTION_FEW = (2200.0, 300.0), 8, 4
"""Which earlier frames tell what moves, how many of them are looked at, and how many suffice that
were looked at anyhow."""
_HOLE_MS, _HOLE_STEPS = 30.0, 0.75
"""No frame for so long, and for so many usual steps, to either side is a hole."""

_FAR_APART_MS, _ABOUT_MS = 60.0, 120.0
"""Frames so far apart, within so much of a moment, are those of a feed that stutters."""


class Memory:
    """The looks of one camera's last seconds, under its present placement.

    Arrays are written twice, half the buffer apart, so that any stretch of time is one contiguous
    slice and a match is one matrix product.
    """

    def __init__(self, keep_ms: float, look_at: LookAt = when_asked) -> None:
        self._keep_ms = keep_ms
        self._look_at = look_at
        self._min_step_ms = keep_ms / _CAPACITY
        self._units = np.zeros((BLOCKS, 2 * _CAPACITY, PIXELS), np.float32)
        self._lengths = np.zeros((2 * _CAPACITY, BLOCKS), np.float32)
        self._times = np.zeros(2 * _CAPACITY)
        self._pictures: list[Picture | None] = [None] * _CAPACITY
        self._placed = np.zeros(_CAPACITY, np.int64)
        """Under which placement each frame was looked at last; stale ones wait until needed."""
        self._placing = 1
        self._given_up = np.zeros(_CAPACITY, np.bool_)
        self._kept_ms = -np.inf
        self._thinned = 0
        """So many of the oldest frames have been thinned out, and the time of the last kept."""
        self._start = 0
        self._count = 0
        self.step_ms = 33.0
        """Usual time between frames."""
        self.coarsest: tuple[int, int] | None = None
        """(width, height) in px of the pictures of the coarsest camera, if one has fewer than are
        compared: then all cameras are held against the program with no more."""
        self.placement = Placement()
        self.portrait = False

    def __len__(self) -> int:
        return self._count

    @property
    def last_ms(self) -> float | None:
        """Time of the newest frame."""
        return self._times[self._start + self._count - 1] if self._count else None

    @property
    def cells(self) -> Cells | None:
        """The pixels that are compared under its placement; None: as many as the grid has."""
        return self.cells_in(self.placement)

    def cells_in(self, placement: Placement) -> Cells | None:
        """The same for another placement."""
        return cells_of(self.coarsest, placement.of)

    def add(self, at_ms: float, picture: Picture) -> None:
        """Remember a frame, forget what is too old. It is looked at when it is asked for."""
        last = self.last_ms
        if last is not None and at_ms - last < self._min_step_ms:
            return
        if self._count == _CAPACITY:
            self._drop_first()
        if last is not None and at_ms - last < _PAUSE_MS:
            self.step_ms += _STEP_PACE * (at_ms - last - self.step_ms)
        slot = (self._start + self._count) % _CAPACITY
        self._count += 1
        self._times[[slot, slot + _CAPACITY]] = at_ms
        self._pictures[slot] = picture
        self._placed[slot] = 0
        self._given_up[slot] = False
        while self._count > 1 and self._times[self._start] < at_ms - self._keep_ms:
            self._drop_first()

    def thin(self, before_ms: float) -> None:
        """Of the frames from before, which are hardly ever asked for, give up some of the pictures
        that nobody has looked at: coded they take much room. The one before stands for each."""
        while self._thinned < self._count:
            slot = (self._start + self._thinned) % _CAPACITY
            at_ms, picture = self._times[slot], self._pictures[slot]
            if at_ms >= before_ms:
                return
            waits = isinstance(picture, Undecoded) and not picture.looked_at
            if waits and self._thinned and at_ms - self._kept_ms < _THIN_MS:
                self._pictures[slot] = self._pictures[slot - 1]
                self._given_up[slot] = True
            else:
                self._kept_ms = at_ms
            self._thinned += 1

    def is_given_up(self, index: int) -> bool:
        """Whether the picture before stands for that of the frame at an index of the arrays."""
        return bool(self._given_up[index % _CAPACITY])

    def place(self, placement: Placement, *, portrait: bool) -> None:
        """Change the placement; what is remembered is looked at anew when it is asked for."""
        self.placement, self.portrait = placement, portrait
        self._placing += 1

    def lacks(self, at_ms: float) -> bool:
        """Whether frames are missing around `at_ms`, by the camera's own usual rhythm."""
        around = max(_HOLE_MS, _HOLE_STEPS * self.step_ms)
        part = self.within(at_ms - around, at_ms + around)
        return bool(part.stop <= part.start)

    def stutters(self, at_ms: float) -> bool:
        """Whether frames are far from each other around `at_ms`, though none need be missing."""
        from_ms, to_ms = at_ms - _ABOUT_MS, at_ms + _ABOUT_MS
        times = self.times(self.within(from_ms, to_ms))
        return not len(times) or bool(np.diff(times, prepend=from_ms).max() > _FAR_APART_MS)

    def within(self, from_ms: float, to_ms: float) -> slice:
        """The slice of the arrays that holds frames with from_ms <= time <= to_ms."""
        times = self._times[self._start : self._start + self._count]
        first = np.searchsorted(times, from_ms, side="left")
        last = np.searchsorted(times, to_ms, side="right")
        return slice(self._start + int(first), self._start + int(last))

    def due(self, at_ms: float) -> int:
        """The index of the newest frame that is no younger than `at_ms`, else of the oldest."""
        until: int = self.within(-np.inf, at_ms).stop
        return max(self._start, until - 1)

    def units(self, part: slice) -> Floats:
        """(32, n, 72) unit blocks."""
        self._freshen(np.arange(part.start, part.stop))
        return self._units[:, part]

    def looked_at(self) -> npt.NDArray[np.int64]:
        """(m,) indices of the frames that somebody has looked at, in order of time."""
        indices = np.arange(self._start, self._start + self._count)
        return indices[self._placed[indices % _CAPACITY] > 0]

    def units_at(self, indices: npt.NDArray[np.int64]) -> Floats:
        """(32, m, 72) unit blocks of some frames."""
        self._freshen(indices)
        out: Floats = self._units[:, indices]
        return out

    def lengths(self, part: slice) -> Floats:
        """(n, 32) block lengths in grey levels."""
        self._freshen(np.arange(part.start, part.stop))
        return self._lengths[part]

    def time(self, index: int) -> float:
        """When a frame was taken, in ms."""
        return float(self._times[index])

    def times(self, part: slice | npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """(n,) times in ms."""
        return self._times[part]

    def motion(self, index: int) -> Floats | None:
        """(32,) part of each block's energy that is not as it was a second or two before, beyond
        what noise changes: of a plain wall all is noise.

        `index` is one of the arrays'. None where nothing that old is remembered.
        """
        at_ms = float(self._times[index])
        part = self.within(at_ms - _MOTION_MS[0], at_ms - _MOTION_MS[1])
        if part.stop <= part.start:
            return None
        indices = np.arange(part.start, part.stop)
        looked = indices[self._placed[indices % _CAPACITY] > 0]
        if len(looked) >= _MOTION_FEW:
            indices = looked
        before = self.units_at(indices[:: max(1, len(indices) // _MOTION_FRAMES)])
        alike = np.maximum(np.matmul(before, self._units[:, index, :, None])[..., 0], 0)
        changed: Floats = 1 - (alike * alike).mean(axis=1)
        energy = np.square(self._lengths[index])
        out: Floats = np.maximum(changed - 2 * NOISE / np.maximum(energy, NOISE), 0)
        return out

    def luma(self, index: int) -> Luma:
        """The picture at an index of the arrays."""
        picture = self._pictures[index % _CAPACITY]
        if picture is None:
            raise IndexError(f"no picture at {index}")
        return luma_of(picture)

    def look(self, luma: Luma, placement: Placement, portrait: bool) -> tuple[Floats, Floats]:
        """What `luma` looks like under a placement: units (32, 72), lengths (32,)."""
        return unit(blocks(self.grid(luma, placement, portrait)))

    def grid(self, luma: Luma, placement: Placement, portrait: bool) -> Floats:
        """What a placement shows of `luma`, sampled: (36, 64), or (64, 36) if `portrait`."""
        grid = sample(luma, placement.of, portrait=portrait, mirror=placement.mirror)
        cells = self.cells_in(placement)
        if cells is None or is_coarse((luma.shape[1], luma.shape[0])):
            return grid
        return as_coarse(grid, cells)

    def shown(self, index: int) -> Floats:
        """What the program shows of the frame at an index, if it does: (36, 64) or (64, 36)."""
        return self.grid(self.luma(index), self.placement, self.portrait)

    def stale(self, index: int) -> Picture | None:
        """The picture that would have to be looked at if the frame at `index` were asked for."""
        slot = index % _CAPACITY
        return None if self._placed[slot] == self._placing else self._pictures[slot]

    def _freshen(self, indices: npt.NDArray[np.int64]) -> None:
        slots = indices % _CAPACITY
        stale = [(int(s), self._pictures[s]) for s in slots[self._placed[slots] != self._placing]]
        pictures = [(slot, picture) for slot, picture in stale if picture is not None]
        self._look_at([picture for _, picture in pictures])
        for slot, picture in pictures:
            self._write(slot, luma_of(picture))

    def _write(self, slot: int, luma: Luma) -> None:
        units, lengths = self.look(luma, self.placement, self.portrait)
        self._placed[slot] = self._placing
        for at in (slot, slot + _CAPACITY):
            self._units[:, at] = units
            self._lengths[at] = lengths

    def _drop_first(self) -> None:
        self._pictures[self._start] = None
        self._start = (self._start + 1) % _CAPACITY
        self._count -= 1
        self._thinned = max(0, self._thinned - 1)
