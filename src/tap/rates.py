"""Frame rates, frames and timecode, exact: fractions all the way, never a float.

Drop-frame counting is the library's (`timecode`), held in tests against a count of every label.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from timecode.timecode import Timecode

from tap.errors import InputError

_NTSC = Fraction(1000, 1001)
_DAY_S = 24 * 3600
_LABEL = re.compile(r"^(\d{2}):(\d{2}):(\d{2})([:;.])(\d{2})$")


@dataclass(frozen=True)
class Rate:
    """A rate that editors know. `fps` is exact: 30000/1001, never 29.97."""

    name: str
    fps: Fraction
    drop: bool = False

    @property
    def nominal(self) -> int:
        """Frames that timecode counts to the second: 30 for 29.97."""
        return round(self.fps)

    @property
    def ntsc(self) -> bool:
        """Whether it is slower than its name by 1000/1001."""
        return self.fps.denominator != 1

    def nearest(self, seconds: Fraction) -> int:
        """The frame that begins nearest to a time; of two equally near the later."""
        doubled = 2 * seconds * self.fps + 1
        return doubled.numerator // (2 * doubled.denominator)

    def seconds(self, frames: int) -> Fraction:
        """When a frame begins, in seconds from frame 0."""
        return frames / self.fps

    def label(self, frames: int) -> str:
        """The timecode of a frame, from midnight on; a `;` before the frames marks drop-frame."""
        return str(self._timecode(frames=frames % self._a_day + 1))

    def frames(self, label: str) -> int:
        """The frame that bears a timecode. Raises `InputError` for what is none at this rate."""
        found = _LABEL.match(label)
        if found is None:
            raise self._bad(label)
        hours, minutes, seconds, number = (int(found[n]) for n in (1, 2, 3, 5))
        skipped = self.drop and seconds == 0 and minutes % 10 and number < self.nominal // 15
        if hours > 23 or minutes > 59 or seconds > 59 or number >= self.nominal or skipped:
            raise self._bad(label)
        return self._timecode(label=_spelled(found, drop=self.drop)).frames - 1

    def _bad(self, label: str) -> InputError:
        return InputError(
            f"expected a timecode at {self.name} frames/s such as {self.label(90000)}, "
            f"got {label[:40]!r}; correct it."
        )

    @cached_property
    def _a_day(self) -> int:
        per_ten_minutes = self.nominal * 600 - (9 * self.nominal // 15 if self.drop else 0)
        return per_ten_minutes * _DAY_S // 600

    def _timecode(self, *, frames: int | None = None, label: str | None = None) -> Timecode:
        """As the library has it; it counts frames from 1."""
        name = str(self.nominal)
        if self.ntsc:
            name = {24: "23.976", 30: "29.97", 60: "59.94"}[self.nominal]
        plain = self.ntsc and not self.drop
        return Timecode(name, label, frames=frames, force_non_drop_frame=plain)


def _spelled(found: "re.Match[str]", *, drop: bool) -> str:
    return f"{found[1]}:{found[2]}:{found[3]}{';' if drop else ':'}{found[5]}"


RATES = {
    rate.name: rate
    for rate in (
        Rate("23.976", 24 * _NTSC),
        Rate("24", Fraction(24)),
        Rate("25", Fraction(25)),
        Rate("29.97", 30 * _NTSC),
        Rate("29.97df", 30 * _NTSC, drop=True),
        Rate("30", Fraction(30)),
        Rate("50", Fraction(50)),
        Rate("59.94", 60 * _NTSC),
        Rate("59.94df", 60 * _NTSC, drop=True),
        Rate("60", Fraction(60)),
    )
}


def rate_of(name: str) -> Rate:
    """The rate of that name. Raises `InputError` for one that editors don't know."""
    rate = RATES.get(name.lower())
    if rate is None:
        raise InputError(
            f"expected a rate of {', '.join(RATES)}, got {name[:40]!r}; give one of these."
        )
    return rate


def nearest_rate(fps: Fraction) -> Rate:
    """The non-drop rate that differs least, by ratio, from a measured one (frames/s, > 0)."""
    plain = [rate for rate in RATES.values() if not rate.drop]
    return min(plain, key=lambda rate: max(rate.fps / fps, fps / rate.fps))


def seconds_of_ms(at_ms: float, origin_ms: float = 0.0) -> Fraction:
    """A time in ms (as the record has it) as exact seconds from `origin_ms`."""
    return (Fraction(at_ms) - Fraction(origin_ms)) / 1000
