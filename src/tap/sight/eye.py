"""The eye: turns each program picture into evidence for every state of the sequence model."""

from collections.abc import Sequence

import numpy as np

from tap.sight.chart import Chart, stranger
from tap.sight.delay import Delay
from tap.sight.evidence import Evidence, Match
from tap.sight.infer import States
from tap.sight.look import Floats, Rect, blocks, sample
from tap.sight.match import Seen, gains, mix
from tap.sight.memory import Memory
from tap.sight.past import Past
from tap.sight.placement import Placement
from tap.sight.settings import SightSettings
from tap.sight.shift import shift
from tap.vocabulary import Luma

_BLACK_MEAN, _WHITE_MEAN, _FLAT_STD, _PLAIN_STD = 30.0, 225.0, 5.0, 1.0
_SHINES, _SHINING = 0.85, 40.0
"""Part of a camera's usual fit, and nats, by which it is seen in a picture that is nearly black."""
_CERTAIN = 60.0
"""Nats for what needs no matching: black is black."""
_REPEAT = 0.02
"""Mean grey-level difference below which a program picture is the last one again."""
_REPEAT_WEIGHT = 0.2
"""A repeated picture is hardly new evidence."""
_LEVEL_START, _LEVEL_PACE = 0.5, 0.03
_OFF_FLOOR = 0.6
"""A camera must reach this part of the fit it usually has, else it is not that camera."""
_OFF_LEAST, _OFF_MOST = 0.2, 0.55
_OFF_PULL = 0.35
"""Part of a camera's usual nats that its chart may speak for or against it in one picture."""
_OFF_ELSEWHEN = 0.85
"""... and this part if it fits best at a delay that it doesn't have: an older picture of a camera
that stands still is most of its present one."""
_FITS = 0.75
"""A match below this part of the camera's usual fit says nothing of its delay."""
_ELSEWHEN_ODD = 0.5
_OLDER = 0.2
"""Part of the nats of what moves that an older picture must gain over the present one."""
_ELSEWHEN_MS = 300.0
"""How far outside the interval of its delay that is: about a frame."""
_ASTRAY_PACE, _ASTRAY = 0.3, 0.25
"""Now and then an older picture fits at the right delay by chance: so judged over some frames."""
_UNLIKE = -0.25
"""A picture this unlike the camera's own (see `Chart.unlike`) asks for a better explanation."""
_DIM = 0.5
"""Below this part of the usual nats a picture is too dim (a fade) to be held to the chart."""
_MISLEADS = 6.0
"""Nats by which a mixture may prefer a wrong frame of a camera."""
_FAR_FROM = 0.4
"""A picture that fits less than this part of the usual is none of the camera's, however it lies."""
_BESIDE, _POOR = 0.22, 0.6
"""Grid cells beside the camera's picture from which on a picture is not where it should be; in a
picture that fits less than the second figure, displacements are measured less well."""
_EXPLAINED = 0.9
"""From this part of its usual fit on, a camera explains the picture alone: no pairs are tried."""
_TEXTURE_OUTSIDE = 10.0
_TRIED = 30
"""Frames of a camera's past that a new placement is tried on."""
_SLACK_MS = 120.0
"""How far outside the interval of a known delay a camera is looked for."""
_JUMP_MS = 1000.0
"""How far a known delay is believed to jump by itself; older pictures are a replay."""


class Camera:
    """What sight knows of one camera: its past, its delay, how well it usually fits."""

    def __init__(self, settings: SightSettings) -> None:
        self.memory = Memory(settings.max_delay_ms + settings.max_lookahead_ms + 400)
        self.delay = Delay(-settings.max_lookahead_ms, settings.max_delay_ms)
        self.size: tuple[int, int] | None = None
        self.confirmed = False
        self.astray = 0.0
        """How often of late it fitted best at a delay that it doesn't have, 0 .. 1."""
        self.level = _LEVEL_START
        self.past = Past()
        self.chart = Chart()
        self.information = 0.0
        """Nats that a perfect match usually gains."""

    def learn(self, evidence: Evidence, match: Match) -> None:
        """The camera was live in this picture: remember how it fits and how late it is."""
        self.confirmed = True
        if not evidence.repeat:
            self.information += _LEVEL_PACE * (evidence.information - self.information)
        self.level += _LEVEL_PACE * (match.fit - self.level)
        if not evidence.repeat and evidence.odd < 0:
            self.chart.learn(match.blocks, match.information, match.motion)
            self.delay.learn(evidence.at_ms, match.times, match.curve)


class Eye:
    """Looks at program pictures through the cameras' memories."""

    def __init__(self, states: States, cameras: list[Camera], settings: SightSettings) -> None:
        self._states = states
        self._cameras = cameras
        self._settings = settings
        self._last: Luma | None = None
        self._new: Evidence | None = None
        """Evidence of the last picture that was no repetition."""

    def look(self, index: int, at_ms: float, luma: Luma) -> Evidence:
        """Evidence of one (h, w) program picture, taken in order."""
        repeat = self._is_repeat(luma)
        self._last = luma
        evidence = self.look_again(index, at_ms, luma, repeat=repeat)
        new = self._new
        if not repeat or new is None:
            self._new = evidence
        else:
            # It says what it said when it was new; what the cameras show by now is another matter.
            evidence.nats = _REPEAT_WEIGHT * new.nats
            evidence.mixes, evidence.composed = new.mixes, new.composed
        return evidence

    def look_again(self, index: int, at_ms: float, luma: Luma, *, repeat: bool) -> Evidence:
        """The same without noticing the order: after a placement has changed."""
        seen = Views(luma)
        matches, replayed = self._match_all(at_ms, seen)
        evidence = Evidence(
            index, at_ms, luma, np.zeros(self._states.count), matches, repeat=repeat
        )
        evidence.replayed = replayed
        evidence.flat = _flat(luma)
        if evidence.flat == "black" and self._shines_through(evidence):
            evidence.flat = None
        evidence.contrast = float(luma[::4, ::4].std()) / 64
        evidence.blind = tuple(
            i for i, camera in enumerate(self._cameras) if self._is_blind(camera, at_ms)
        )
        self._weigh(evidence, seen)
        return evidence

    @property
    def usual_fit(self) -> float | None:
        """How well the cameras known so far fit in this programme, 0 .. 1; None if none is."""
        known = [c.chart.usual for c in self._cameras if c.chart.known]
        return sum(known) / len(known) if known else None

    def _shines_through(self, evidence: Evidence) -> bool:
        """Whether a camera is still to be seen in a picture that is nearly black: a fade."""
        return any(
            match is not None
            and match.fit >= _SHINES * camera.level
            and float(match.information.sum()) >= _SHINING
            for match, camera in zip(evidence.matches, self._cameras, strict=True)
        )

    def explained(self, evidence: Evidence) -> bool:
        """Whether some camera, or black, explains the picture as well as cameras usually do."""
        if evidence.flat:
            return True
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None:
            return False
        if self.usual_fit is not None:
            return evidence.odd < _UNLIKE
        return match.fit >= _EXPLAINED * 0.85 * self._cameras[best].level

    def fit(
        self, camera: Camera, at_ms: float, views: "Views", placement: Placement
    ) -> tuple[float, int]:
        """Best fit of a camera under another placement, and the index of the frame that has it."""
        part = self._window(camera, at_ms, wide=not camera.delay.locked)
        count = part.stop - part.start
        if count <= 0:
            return 0.0, -1
        chosen = range(part.start, part.stop, max(1, count // _TRIED))
        return self._fit_of(camera, views, placement, chosen)

    def fit_at(self, camera: Camera, views: "Views", placement: Placement, index: int) -> float:
        """Fit of one frame of a camera's memory under another placement."""
        return self._fit_of(camera, views, placement, range(index, index + 1))[0]

    def _fit_of(
        self, camera: Camera, views: "Views", placement: Placement, chosen: range
    ) -> tuple[float, int]:
        fit, best = self.fit_inside(camera, views, placement, chosen)
        return views.through(placement.on)[1] * fit, best

    def fit_inside(
        self, camera: Camera, views: "Views", placement: Placement, chosen: Sequence[int]
    ) -> tuple[float, int]:
        """Best fit of some frames of a camera's memory, whatever lies outside of the placement."""
        seen, _ = views.through(placement.on)
        total = float(seen.information.sum())
        if total <= 1:
            return 0.0, -1
        portrait = is_portrait(placement.on, views.luma.shape)
        units = np.stack(
            [camera.memory.look(camera.memory.luma(i), placement, portrait)[0] for i in chosen],
            axis=1,
        )
        nats = gains(seen, units)[0].sum(axis=0)
        best = int(np.argmax(nats))
        return float(nats[best]) / total, chosen[best]

    # ------------------------------------------------------------------ one camera

    def _window(self, camera: Camera, at_ms: float, *, wide: bool) -> slice:
        s = self._settings
        if not wide and camera.delay.ms is not None:
            low, high = camera.delay.interval_ms
            return camera.memory.within(at_ms - high - _SLACK_MS, at_ms - low + _SLACK_MS)
        return camera.memory.within(at_ms - s.max_delay_ms, at_ms + s.max_lookahead_ms)

    def _match_all(self, at_ms: float, views: "Views") -> tuple[list[Match | None], int | None]:
        """Near each known delay first; everywhere if no camera explains the picture so.

        A camera with a known delay may be found somewhat off it (delays jump); a match far in its
        past is a replay of older pictures. Returns the matches, and the camera replayed if one is.
        """
        cameras = self._cameras
        near = [self._match_in(c, at_ms, views, wide=not c.delay.locked) for c in cameras]
        if any(self._is_itself(c, m) for c, m in zip(cameras, near, strict=True)):
            return near, None
        matches, replayed = list(near), None
        for i, camera in enumerate(cameras):
            far = self._match_in(camera, at_ms, views, wide=True) if camera.delay.locked else None
            if far is None:
                continue
            # A replay is late. What comes sooner than it should shows that the delay has changed.
            if far.lag_ms - (camera.delay.ms or 0.0) <= _JUMP_MS:
                matches[i] = _better(near[i], far)
            elif far.fit >= 0.8 * camera.level and self._is_itself(camera, far):
                replayed = i
        return matches, replayed

    @staticmethod
    def _is_itself(camera: Camera, match: Match | None) -> bool:
        """Whether a match is as good as the camera's always are, in what moves too."""
        if match is None or match.fit < 0.8 * camera.level:
            return False
        if not camera.chart.settled:
            return True
        match.motion = camera.memory.motion(match.index)
        untimely = camera.chart.untimely(match.blocks, match.information, match.motion)
        return untimely < _UNLIKE

    def _match_in(
        self, camera: Camera, at_ms: float, views: "Views", *, wide: bool
    ) -> Match | None:
        part = self._window(camera, at_ms, wide=wide)
        if part.stop <= part.start:
            return None
        seen, penalty = views.through(camera.memory.placement.on)
        memory = camera.memory
        per_block, along = gains(seen, memory.units(part))
        curve = per_block.sum(axis=0)
        times = memory.times(part)
        tolled = curve - camera.delay.toll(at_ms - times)
        best = int(np.argmax(tolled))
        information = float(seen.information.sum())
        fit = penalty * float(curve[best]) / information if information > 1 else 0.0
        lengths = memory.lengths(part)[best]
        power = float(lengths @ lengths)
        gain = float(along[:, best] @ lengths) / power if power > 1 else 0.0
        return Match(
            fit=fit,
            toll=float(curve[best] - tolled[best]),
            lag_ms=at_ms - float(times[best]),
            gain=gain,
            index=part.start + best,
            blocks=per_block[:, best] / np.maximum(seen.information, 1e-6),
            information=seen.information,
            times=times,
            curve=curve,
        )

    def _is_blind(self, camera: Camera, at_ms: float) -> bool:
        """No pictures around the moment that this program picture was taken."""
        last = camera.memory.last_ms
        delay = camera.delay.ms or 0.0
        if last is None:
            return True
        part = camera.memory.within(
            at_ms - delay - self._settings.gap_ms, at_ms - delay + self._settings.gap_ms
        )
        return bool(part.stop <= part.start)

    # ------------------------------------------------------------------ all together

    def _weigh(self, evidence: Evidence, views: "Views") -> None:
        states, nats = self._states, evidence.nats
        information = evidence.information = views.information
        for i, match in enumerate(evidence.matches):
            nats[i] = match.fit * information - match.toll if match is not None else 0.0
        best = evidence.best
        level = self._cameras[best].level if best is not None else _LEVEL_START
        nats[states.off] = self._off(evidence, views, best, level)
        for i, camera in enumerate(self._cameras):
            # The very picture may be one of those missing: then no match is no evidence.
            delay = camera.delay.ms
            if i in evidence.blind or delay is None:
                continue
            if camera.memory.lacks(evidence.at_ms - delay):
                evidence.lacking += (i,)
                nats[i] = max(nats[i], nats[states.off])
        nats[states.black] = -_CERTAIN
        nats[states.first_pair :] = -_CERTAIN
        if evidence.flat == "black":
            nats[states.black] = nats.max() + _CERTAIN
        elif evidence.flat == "plain" or (best is None and evidence.blind):
            nats[states.off] = nats.max() + _CERTAIN
        elif best is not None:
            match = evidence.matches[best]
            if match is not None and match.fit < _EXPLAINED * level:
                self._weigh_pairs(evidence, views)
                self._off_beside_pairs(evidence, best, level)
        if evidence.repeat:
            nats *= _REPEAT_WEIGHT

    def _off(self, evidence: Evidence, views: "Views", best: int | None, level: float) -> float:
        """Nats for "no tapped camera": what the best camera has, less if it fits as it always does,
        more if it does not."""
        floor = min(_OFF_MOST, max(_OFF_LEAST, _OFF_FLOOR * level)) * evidence.information
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None:
            return floor
        camera = self._cameras[best]
        if not evidence.repeat and self._is_elsewhen(best, evidence):
            evidence.odd = _ELSEWHEN_ODD
            return _OFF_ELSEWHEN * level * evidence.information
        usual = self.usual_fit
        if usual is None or evidence.information < _DIM * camera.information:
            return floor
        untimely = -1.0
        if camera.chart.settled:
            if match.motion is None:
                match.motion = camera.memory.motion(match.index)
            unlike = camera.chart.unlike(match.blocks, match.information)
            untimely = camera.chart.untimely(match.blocks, match.information, match.motion)
        else:
            unlike = stranger(match.blocks, match.information, usual)
        if unlike > _UNLIKE and match.fit > _FAR_FROM * usual:
            # It may only be worse (few bits, a blur): then it still lies where the camera has it.
            limit = _BESIDE * (1.0 + 2.0 * max(0.0, _POOR - match.fit))
            beside = self._displaced(camera, match, views) / limit - 1.0
            unlike = min(unlike, max(-1.0, beside))
        if untimely > _UNLIKE:
            untimely = self._replayed(evidence, views, best, untimely)
        odd = evidence.odd = max(unlike, untimely)
        return float(evidence.nats[best]) + _OFF_PULL * level * odd * evidence.information

    def _replayed(self, evidence: Evidence, views: "Views", number: int, untimely: float) -> float:
        """What moves is not where it should be: is it where it once was?"""
        camera, match = self._cameras[number], evidence.matches[number]
        if match is None:
            return untimely
        moving = camera.chart.moving(match.blocks, match.information, match.motion)
        if moving is None:
            return untimely
        seen, _ = views.through(camera.memory.placement.on)
        delay = camera.delay.ms or 0.0
        older = camera.past.fit(seen, moving, camera.memory, evidence.at_ms - delay - _JUMP_MS)
        if older < float(moving @ match.blocks) / float(moving.sum()) + _OLDER:
            return untimely
        evidence.replayed = number
        return max(untimely, _ELSEWHEN_ODD)

    def _displaced(self, camera: Camera, match: Match, views: "Views") -> float:
        """How far beside the camera's picture the program's lies, in grid cells."""
        memory = camera.memory
        place, portrait = memory.placement, memory.portrait
        luma = memory.luma(match.index)
        there = sample(luma, place.of, portrait=portrait, mirror=place.mirror)
        return shift(views.grid(place.on), there).size

    def _off_beside_pairs(self, evidence: Evidence, best: int, level: float) -> None:
        """Two cameras may explain what one does not: then "off camera" is held to that."""
        if not evidence.mixes:
            return
        nats, off = evidence.nats, self._states.off
        state = max(evidence.mixes, key=lambda s: float(nats[s]))
        match, mix = evidence.matches[best], evidence.mixes[state]
        if match is None or nats[state] <= nats[best]:
            return
        usual = self.usual_fit
        if usual is None:
            return
        charts = [self._cameras[i].chart for i in self._states.members(state)]
        odd = min(
            max(
                chart.unlike(mix.blocks, match.information),
                chart.untimely(mix.blocks, match.information, match.motion),
            )
            if chart.settled
            else stranger(mix.blocks, match.information, usual)
            for chart in charts
        )
        pull = _OFF_PULL * level * odd * evidence.information
        nats[off] = min(nats[off], float(nats[state]) + pull)

    def _is_elsewhen(self, number: int, evidence: Evidence) -> bool:
        """Whether a camera with a known delay fits best at quite another."""
        camera, match = self._cameras[number], evidence.matches[number]
        if match is None or not camera.delay.locked or match.fit < _FITS * camera.level:
            return False
        low, high = camera.delay.interval_ms
        slack = max(_ELSEWHEN_MS, camera.memory.step_ms)
        there = camera.memory.within(evidence.at_ms - high - slack, evidence.at_ms - low + slack)
        if there.stop <= there.start:
            return False  # it could not fit where it should
        outside = match.lag_ms > high + _ELSEWHEN_MS
        camera.astray += _ASTRAY_PACE * (outside - camera.astray)
        return camera.astray > _ASTRAY

    def _weigh_pairs(self, evidence: Evidence, views: "Views") -> None:
        looks: dict[int, tuple[Floats, Floats]] = {}
        for i, match in enumerate(evidence.matches):
            if match is not None:
                memory = self._cameras[i].memory
                index = self._index_due(self._cameras[i], evidence.at_ms, match)
                at = slice(index, index + 1)
                looks[i] = memory.units(at)[:, 0], memory.lengths(at)[0]
        mask = np.ones(32, np.bool_)
        for a, b in self._states.pairs:
            if a in looks and b in looks:
                on = self._cameras[a].memory.placement.on
                if not on.near(self._cameras[b].memory.placement.on):
                    continue
                seen, penalty = views.through(on)
                state = self._states.pair(a, b)
                found = mix(seen, looks[a], looks[b], mask)
                evidence.mixes[state] = found
                evidence.nats[state] = penalty * found.nats

    @staticmethod
    def _index_due(camera: Camera, at_ms: float, match: Match) -> int:
        """Which of a camera's frames is due at `at_ms`: in a mixture the match may well mislead,
        unless it is much the better; then the delay has drifted since."""
        if not camera.delay.locked or camera.delay.ms is None:
            return match.index
        due = int(np.searchsorted(match.times, at_ms - camera.delay.ms, side="right")) - 1
        best = int(np.argmax(match.curve))
        if due < 0 or match.curve[best] - match.curve[due] > _MISLEADS:
            return match.index
        return match.index + due - int(np.searchsorted(match.times, at_ms - match.lag_ms))

    def _is_repeat(self, luma: Luma) -> bool:
        if self._last is None or self._last.shape != luma.shape:
            return False
        # Every fourth row tells as well as all of them, at a quarter of the price.
        now = luma[::4].astype(np.int16)
        return bool(np.abs(now - self._last[::4]).mean() < _REPEAT)


class Views:
    """One program picture, cut to the program rects that placements ask for."""

    def __init__(self, luma: Luma) -> None:
        self.luma = luma
        self._grids: dict[Rect, Floats] = {}
        self._made: dict[Rect, tuple[Seen, float]] = {}

    def grid(self, rect: Rect) -> Floats:
        """The part inside `rect`, sampled: (36, 64), or (64, 36) if it is higher than wide."""
        if rect not in self._grids:
            portrait = is_portrait(rect, self.luma.shape)
            self._grids[rect] = sample(self.luma, rect, portrait=portrait)
        return self._grids[rect]

    def through(self, rect: Rect) -> tuple[Seen, float]:
        """The part inside `rect`, and a factor < 1 if the picture goes on outside of it."""
        if rect not in self._made:
            seen = Seen.of(blocks(self.grid(rect)))
            self._made[rect] = seen, 1.0 if rect.whole else self._beyond(rect)
        return self._made[rect]

    @property
    def information(self) -> float:
        """Nats that a perfect match would gain, in the view that has most."""
        return max((float(s.information.sum()) for s, _ in self._made.values()), default=0.0)

    def _beyond(self, rect: Rect) -> float:
        h, w = self.luma.shape
        x0, x1 = round(rect.x0 * w), round(rect.x1 * w)
        y0, y1 = round(rect.y0 * h), round(rect.y1 * h)
        bars = [
            self.luma[: max(0, y0 - 1)],
            self.luma[y1 + 1 :],
            self.luma[:, : max(0, x0 - 1)],
            self.luma[:, x1 + 1 :],
        ]
        worst = max((float(bar[::2, ::2].std()) for bar in bars if bar.size > 64), default=0.0)
        return 1.0 if worst < _TEXTURE_OUTSIDE else 0.6


def _better(a: Match | None, b: Match | None) -> Match | None:
    if a is None or b is None:
        return a or b
    return a if a.fit >= b.fit else b


def is_portrait(rect: Rect, shape: tuple[int, ...]) -> bool:
    """Whether a rect of an (h, w) picture is higher than wide."""
    return (rect.y1 - rect.y0) * shape[0] > (rect.x1 - rect.x0) * shape[1]


def _flat(luma: Luma) -> str | None:
    small = luma[::4, ::4]
    if float(small.std()) > _FLAT_STD:
        return None
    mean = float(small.mean())
    if mean < _BLACK_MEAN:
        return "black"
    return "plain" if mean > _WHITE_MEAN or float(small.std()) < _PLAIN_STD else None
