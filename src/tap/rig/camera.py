"""A camera of the rig: a source, a sensor, and a clock of its own."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tap.rig.source import Picture, Sensor, Source

KEPT_PICTURES = 8
"""Pictures a camera keeps, so that the file and the program needn't render the same frame twice."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a camera takes its pictures, and what its clock says then.

    `phase_ms` is the scene time of its first picture; `jitter_ms` the standard deviation of a
    picture's moment; `skew_ppm` and `offset_ms` set its clock against the program's; a fraction
    `lost` of its frames never reaches the recording (though the switcher has them); `gaps` are
    stretches of scene time, (start, end) in ms, in which nothing of it is recorded. `thinned` are
    stretches, (start, end, n), over which it takes only every n-th picture (a variable rate).
    """

    fps: float = 25.0
    phase_ms: float = 0.0
    jitter_ms: float = 0.0
    skew_ppm: float = 0.0
    offset_ms: float = 0.0
    lost: float = 0.0
    gaps: tuple[tuple[float, float], ...] = ()
    thinned: tuple[tuple[float, float, int], ...] = ()
    seed: int = 0


@dataclass(slots=True)
class Camera:
    """One camera of a shoot. An untapped one is on the switcher, but tap has no feed of it.

    `twins` names the cameras that show the very same picture: nobody could tell them apart, or,
    where `twins_differ`, by nothing but their noise. Over `stuck`, stretches of scene time in ms,
    it hangs: it sends one picture again and again.
    """

    id: str
    source: Source
    timing: Timing = field(default_factory=Timing)
    sensor: Sensor = field(default_factory=Sensor)
    role: str | None = None
    label: str | None = None
    tapped: bool = True
    twins: tuple[str, ...] = ()
    twins_differ: bool = False
    stuck: tuple[tuple[float, float], ...] = ()
    _kept: OrderedDict[int, Picture] = field(
        default_factory=OrderedDict[int, Picture], init=False, repr=False
    )

    def capture_times(self, duration_ms: float) -> npt.NDArray[np.float64]:
        """Scene times in ms of its pictures over a shoot of `duration_ms`; increasing."""
        timing = self.timing
        step = 1000.0 / timing.fps
        count = max(1, int((duration_ms - timing.phase_ms) / step) + 1)
        random = np.random.default_rng((timing.seed, 1))
        # A jitter past 40 % of the interval would let frames overtake each other.
        wobble = np.clip(random.normal(0.0, timing.jitter_ms, count), -0.4 * step, 0.4 * step)
        times = np.asarray(timing.phase_ms + np.arange(count) * step + wobble, dtype=np.float64)
        for start, end, every in timing.thinned:
            times = times[(times < start) | (times >= end) | (np.arange(len(times)) % every == 0)]
        return times

    def file_times(self, captured_ms: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """What its clock says at `captured_ms`, in whole ms since the shoot began; increasing."""
        timing = self.timing
        told = captured_ms * (1.0 + timing.skew_ppm * 1e-6) + timing.offset_ms
        return np.rint(told).astype(np.int64)

    def recorded(self, captured_ms: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Which of its pictures reach the recording."""
        random = np.random.default_rng((self.timing.seed, 2))
        kept: npt.NDArray[np.bool_] = random.random(len(captured_ms)) >= self.timing.lost
        for start, end in self.timing.gaps:
            kept &= (captured_ms < start) | (captured_ms >= end)
        return kept

    def picture(self, index: int, captured_ms: float) -> Picture:
        """Its picture number `index`, taken at `captured_ms`."""
        for start, end in self.stuck:
            if start < captured_ms < end:
                back = int((captured_ms - start) * self.timing.fps / 1000.0)
                index, captured_ms = max(0, index - back), start
        found = self._kept.get(index)
        if found is None:
            found = self.sensor.expose(self.source.picture(captured_ms), index)
            self._kept[index] = found
            while len(self._kept) > KEPT_PICTURES:
                self._kept.popitem(last=False)
        return found


def blind(camera: Camera, captured_ms: float) -> bool:
    """Whether the recording lacks what the camera saw at `captured_ms`."""
    return any(start <= captured_ms < end for start, end in camera.timing.gaps)


def named(cameras: Sequence[Camera]) -> dict[str, Camera]:
    """The cameras by id."""
    return {camera.id: camera for camera in cameras}
