"""The director of a made-up shoot: what is taken when, what is said about it, and the mistakes.

Everything comes from a seed. Mistakes stand clear of all else by more than the judge's longest
window, so that each has exactly one right verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tap.rig.plan import BLACK, SLATE, Expected, On, Plan, Take, camera
from tap.vocabulary import EventType, VerdictCode

CLEAR_MS = 3700.0
"""Time without another change or message around a mistake: the judge looks 3 s ahead."""

SPECIAL_MS = 13_000.0
"""Room that the last mistake of a shoot needs at its end, its clearances included."""

FAULTS = (
    VerdictCode.MISSED,
    VerdictCode.UNANNOUNCED,
    VerdictCode.WRONG_CAMERA,
    VerdictCode.LATE,
    VerdictCode.EARLY,
    VerdictCode.SOFT,
    VerdictCode.REVERTED,
    VerdictCode.OFF_CAMERA,
    VerdictCode.HOLD_KEPT,
    VerdictCode.HOLD_BROKEN,
)
"""What can be planted."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a director works.

    `gap_ms` and `lag_ms` are ranges: between changes, and from message to picture. `mix` weighs the
    kinds of change, soft ones lasting `soft_ms`. `faults` and `excursions` (things that are not a
    camera, gone to and back from) are spread over the shoot in their order.
    """

    gap_ms: tuple[float, float] = (1300.0, 2600.0)
    lag_ms: tuple[float, float] = (60.0, 400.0)
    lead_ms: float = 2500.0
    tail_ms: float = 2500.0
    mix: tuple[tuple[EventType, float], ...] = ((EventType.CUT, 1.0),)
    soft_ms: tuple[float, float] = (300.0, 1200.0)
    faults: tuple[VerdictCode, ...] = ()
    excursions: tuple[On, ...] = ()
    stay_ms: tuple[float, float] = (1200.0, 2000.0)
    stills: bool = True


def write_plan(
    cameras: Sequence[str],
    duration_ms: float,
    seed: int,
    style: Style | None = None,
    **extras: Any,
) -> Plan:
    """Make a plan for `cameras` (at least two). `extras` are the remaining fields of `Plan`.

    Raises ValueError where a fault can't be planted or not all mistakes fit into the time.
    """
    if len(cameras) < 2:
        raise ValueError(f"a director needs at least two cameras, not {len(cameras)}")
    script = _Script(tuple(cameras), duration_ms, seed, style or Style())
    script.run()
    return Plan(
        duration_ms=duration_ms,
        takes=tuple(script.takes),
        messages=tuple(sorted(script.messages, key=lambda message: float(message["atMs"]))),
        expected=tuple(script.expected),
        seed=seed,
        **extras,
    )


@dataclass(slots=True)
class _Script:
    cameras: tuple[str, ...]
    duration_ms: float
    seed: int
    style: Style
    takes: list[Take] = field(default_factory=list[Take])
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    expected: list[Expected] = field(default_factory=list[Expected])
    live: str = ""
    last_ms: float = 0.0
    tight: bool = False
    random: np.random.Generator = field(default_factory=np.random.default_rng)

    def run(self) -> None:
        self.random = np.random.default_rng((self.seed, 11))
        self.live = self.cameras[0]
        self.takes.append(Take(0.0, camera(self.live)))
        self.last_ms = self.style.lead_ms - self.style.gap_ms[0]
        self._say(50.0, "session.start", title="Made by the rig", mode="manual")
        for name in self.cameras:
            self._say(80.0, "camera", camera=name)
        specials = _spread(self.style.faults, self.style.excursions)
        end_ms = self.duration_ms - self.style.tail_ms
        spread_ms = self.duration_ms - SPECIAL_MS
        while True:
            due = specials and self.last_ms >= specials[0][0] * spread_ms
            special = specials.pop(0)[1] if due else None
            at_ms = self.last_ms + self._gap(special is not None)
            if at_ms > end_ms:
                if special is not None or specials:
                    raise self._too_short()
                break
            if special is None:
                self._change(at_ms)
            elif isinstance(special, On):
                self._excursion(at_ms, special)
            else:
                self._fault(at_ms, special)
            self.tight = special is not None
            if self.tight and self.last_ms + CLEAR_MS > self.duration_ms:
                raise self._too_short()
        if self.style.stills:
            self._say(self.duration_ms * 0.5, "still", camera=self.cameras[0], kind="capture")
        self._say(self.duration_ms - 100.0, "session.end", reason="done")

    # ------------------------------------------------------------ small words

    def _too_short(self) -> ValueError:
        return ValueError(f"{self.duration_ms:g} ms are too short for all the mistakes")

    def _gap(self, special: bool) -> float:
        gap = float(self.random.uniform(*self.style.gap_ms))
        return max(gap, CLEAR_MS) if special or self.tight else gap

    def _lag(self) -> float:
        return float(self.random.uniform(*self.style.lag_ms))

    def _other(self, *but: str) -> str:
        choice = [name for name in self.cameras if name not in but]
        if not choice:
            raise ValueError("this mistake needs one more camera")
        return choice[int(self.random.integers(len(choice)))]

    def _say(self, at_ms: float, what: str, **fields: Any) -> str:
        number = len(self.messages) + 1
        name = f"m{number}"
        self.messages.append({"type": what, "id": name, "atMs": max(0.0, at_ms), **fields})
        return name

    def _take(self, at_ms: float, on: On, how: EventType = EventType.CUT, ms: float = 0.0) -> int:
        self.takes.append(Take(at_ms, on, how, ms))
        self.last_ms = at_ms + ms
        return len(self.takes) - 1

    def _owe(
        self, code: VerdictCode, claim: str | None = None, take: int | None = None, at_ms: float = 0
    ) -> None:
        planted = code not in {VerdictCode.AGREE, VerdictCode.HOLD_KEPT}
        self.expected.append(Expected(code, claim, take, at_ms, planted))

    def _cue(self, at_ms: float, name: str, how: EventType, ms: float) -> str:
        soft = {} if how is EventType.CUT else {"durationMs": round(ms)}
        return self._say(at_ms, "cut", camera=name, transition=how.value, **soft)

    # ------------------------------------------------------------ what happens

    def _how(self) -> tuple[EventType, float]:
        weights = np.array([weight for _, weight in self.style.mix])
        index = int(self.random.choice(len(weights), p=weights / weights.sum()))
        how = self.style.mix[index][0]
        ms = 0.0 if how is EventType.CUT else float(self.random.uniform(*self.style.soft_ms))
        return how, ms

    def _change(self, at_ms: float) -> None:
        target, (how, ms) = self._other(self.live), self._how()
        claim = self._cue(at_ms - self._lag(), target, how, ms)
        self._owe(VerdictCode.AGREE, claim, self._take(at_ms, camera(target), how, ms))
        self.live = target

    def _excursion(self, at_ms: float, on: On) -> None:
        """To something that is not a camera, unannounced (no message names it), and back."""
        fades = on in (BLACK, SLATE) and bool(self.random.integers(2))
        how, ms = (EventType.FADE, 600.0) if fades else (EventType.CUT, 0.0)
        self._owe(VerdictCode.UNANNOUNCED, None, self._take(at_ms, on, how, ms))
        stay = max(float(self.random.uniform(*self.style.stay_ms)), CLEAR_MS)
        back_ms = self.last_ms + stay
        target = self._other(self.live)
        claim = self._cue(back_ms - self._lag(), target, EventType.CUT, 0.0)
        self._owe(VerdictCode.AGREE, claim, self._take(back_ms, camera(target)))
        self.live = target

    def _fault(self, at_ms: float, code: VerdictCode) -> None:
        faults = {
            VerdictCode.MISSED: self._missed,
            VerdictCode.UNANNOUNCED: self._unannounced,
            VerdictCode.WRONG_CAMERA: self._wrong_camera,
            VerdictCode.LATE: self._late,
            VerdictCode.EARLY: self._early,
            VerdictCode.SOFT: self._soft,
            VerdictCode.REVERTED: self._reverted,
            VerdictCode.OFF_CAMERA: self._off_camera,
            VerdictCode.HOLD_KEPT: self._hold_kept,
            VerdictCode.HOLD_BROKEN: self._hold_broken,
        }
        if code not in faults:
            raise ValueError(f"{code} can't be planted")
        faults[code](at_ms)

    def _missed(self, at_ms: float) -> None:
        claim = self._cue(at_ms, self._other(self.live), EventType.CUT, 0.0)
        self._owe(VerdictCode.MISSED, claim, None, at_ms)
        self.last_ms = at_ms

    def _unannounced(self, at_ms: float) -> None:
        self.live = self._other(self.live)
        self._owe(VerdictCode.UNANNOUNCED, None, self._take(at_ms, camera(self.live)))

    def _wrong_camera(self, at_ms: float) -> None:
        said = self._other(self.live)
        seen = self._other(self.live, said)
        claim = self._cue(at_ms - self._lag(), said, EventType.CUT, 0.0)
        self._owe(VerdictCode.WRONG_CAMERA, claim, self._take(at_ms, camera(seen)))
        self.live = seen

    def _late(self, at_ms: float) -> None:
        self.live = self._other(self.live)
        said_ms = at_ms + float(self.random.uniform(400.0, 900.0))
        claim = self._cue(said_ms, self.live, EventType.CUT, 0.0)
        self._owe(VerdictCode.LATE, claim, self._take(at_ms, camera(self.live)))
        self.last_ms = said_ms

    def _early(self, at_ms: float) -> None:
        self.live = self._other(self.live)
        picture_ms = at_ms + float(self.random.uniform(1400.0, 2500.0))
        claim = self._cue(at_ms, self.live, EventType.CUT, 0.0)
        self._owe(VerdictCode.EARLY, claim, self._take(picture_ms, camera(self.live)))

    def _soft(self, at_ms: float) -> None:
        self.live = self._other(self.live)
        claim = self._cue(at_ms - self._lag(), self.live, EventType.CUT, 0.0)
        take = self._take(at_ms, camera(self.live), EventType.DISSOLVE, 900.0)
        self._owe(VerdictCode.SOFT, claim, take)

    def _reverted(self, at_ms: float) -> None:
        blip = self._other(self.live)
        claim = self._cue(at_ms - self._lag(), blip, EventType.CUT, 0.0)
        self._owe(VerdictCode.REVERTED, claim, self._take(at_ms, camera(blip)))
        self._owe(VerdictCode.REVERTED, None, self._take(at_ms + 100.0, camera(self.live)))

    def _off_camera(self, at_ms: float) -> None:
        claim = self._cue(at_ms - self._lag(), self._other(self.live), EventType.CUT, 0.0)
        self._owe(VerdictCode.OFF_CAMERA, claim, self._take(at_ms, SLATE))
        back_ms = at_ms + CLEAR_MS
        self.live = self._other(self.live)
        claim = self._cue(back_ms - self._lag(), self.live, EventType.CUT, 0.0)
        self._owe(VerdictCode.AGREE, claim, self._take(back_ms, camera(self.live)))

    def _hold_kept(self, at_ms: float) -> None:
        claim = self._say(at_ms, "hold", camera=self.live)
        self._say(at_ms + 4000.0, "release")
        self._owe(VerdictCode.HOLD_KEPT, claim, None, at_ms)
        self.last_ms = at_ms + 4000.0

    def _hold_broken(self, at_ms: float) -> None:
        claim = self._say(at_ms, "hold", camera=self.live)
        self._owe(VerdictCode.HOLD_BROKEN, claim, None, at_ms)
        self._change(at_ms + 2000.0)
        self.last_ms = at_ms + 4500.0
        self._say(self.last_ms, "release")


def _spread(
    faults: Sequence[VerdictCode], excursions: Sequence[On]
) -> list[tuple[float, VerdictCode | On]]:
    """Each special moment with the fraction of the shoot at which it is due."""
    due: list[tuple[float, VerdictCode | On]] = []
    due += [((index + 0.5) / len(faults), fault) for index, fault in enumerate(faults)]
    due += [((index + 0.5) / len(excursions), on) for index, on in enumerate(excursions)]
    return sorted(due, key=lambda pair: pair[0])
