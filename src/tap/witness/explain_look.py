"""Copies what sight knew at the moment when it ruled on one program frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tap.report.explained import (
    Against,
    Answer,
    Candidate,
    Explanation,
    Floats,
    Lie,
    Matched,
    State,
)
from tap.sight import SightSettings
from tap.sight.camera import Camera
from tap.sight.chart import stranger
from tap.sight.doubt import misplaced
from tap.sight.elsewhen import ELSEWHEN_MS
from tap.sight.evidence import Evidence
from tap.sight.infer import Decided, States
from tap.sight.look import sample
from tap.sight.match import gains
from tap.sight.placement import Placement
from tap.sight.ruling import Ruling
from tap.sight.shift import shift
from tap.sight.views import Views
from tap.vocabulary import CameraSeen

_NONE = np.zeros(0)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was copied."""

    ruling: Ruling
    evidence: Evidence
    candidates: tuple[Candidate, ...]
    states: tuple[State, ...]
    against: Against


class Look:
    """Hears of every frame that is ruled (see `tap.sight.sight.Explain`) and keeps one of them."""

    def __init__(self, names: Sequence[str], at_ms: float) -> None:
        self._names = tuple(names)
        self._at_ms = at_ms
        self._states = States(len(names))
        self._reach = SightSettings()
        self.found: _Found | None = None

    def __call__(
        self, evidence: Evidence, decided: Decided, ruling: Ruling, cameras: Sequence[Camera]
    ) -> None:
        """Take a frame if it is the one on screen at the moment that is asked for."""
        if not ruling.at_ms <= self._at_ms < ruling.end_ms:
            return
        views = Views(evidence.luma)
        usual = [c.chart.usual for c in cameras if c.chart.settled]
        usual_fit = sum(usual) / len(usual) if usual else 0.0
        candidates = [
            self._candidate(n, evidence, camera, views, usual_fit)
            for n, camera in enumerate(cameras)
        ]
        against = self._against(evidence, candidates)
        candidates.sort(key=lambda c: -c.match.fit if c.match else 1.0)
        states = self._said(evidence, decided)
        self.found = _Found(ruling, evidence.slim(), tuple(candidates), states, against)

    def explanation(self, base: Explanation, seen: Sequence[CameraSeen]) -> Explanation:
        """`base` with what was copied, or with only the cameras where the program gave nothing."""
        if self.found is None:
            return replace(base, candidates=tuple(_idle(camera) for camera in seen))
        ruling, evidence = self.found.ruling, self.found.evidence
        frame = Answer(
            ruling.state,
            ruling.cameras,
            ruling.confidence,
            ruling.at_ms,
            ruling.end_ms,
            ruling.reason,
        )
        return replace(
            base,
            frame=frame,
            number=ruling.index,
            candidates=self.found.candidates,
            states=self.found.states,
            odd=float(evidence.odd),
            against=self.found.against,
            information=float(evidence.information),
            repeat=evidence.repeat,
            flat=evidence.flat,
            share=float(ruling.share),
            split=ruling.split,
            runner_up=ruling.runner_up,
            runner_up_confidence=float(ruling.runner_up_confidence),
        )

    # ------------------------------------------------------------------ each camera

    def _candidate(
        self, number: int, evidence: Evidence, camera: Camera, views: Views, usual_fit: float
    ) -> Candidate:
        low, high = camera.delay.interval_ms
        known = camera.delay.ms is not None
        place = evidence.places[number]
        lags, curve = self._curve(evidence.at_ms, camera, place, views)
        on, of = place.on, place.of
        return Candidate(
            id=self._names[number],
            match=_matched(evidence, number, camera, views, usual_fit),
            usual_fit=float(camera.level),
            known=camera.confirmed,
            delay_ms=camera.delay.ms,
            delay_low_ms=float(low) if known else None,
            delay_high_ms=float(high) if known else None,
            lie=Lie((on.x0, on.y0, on.x1, on.y1), (of.x0, of.y0, of.x1, of.y1), place.mirror),
            portrait=camera.memory.portrait,
            blind=number in evidence.blind,
            lacking=number in evidence.lacking,
            lags_ms=lags,
            curve=curve,
        )

    def _curve(
        self, at_ms: float, camera: Camera, place: Placement, views: Views
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
        """Lags (n,) of all remembered frames that the picture could show, and nats (n,) of each."""
        reach = self._reach
        memory = camera.memory
        part = memory.within(at_ms - reach.max_delay_ms, at_ms + reach.max_lookahead_ms)
        if part.stop <= part.start:
            return _NONE, _NONE
        seen, _ = views.through(place.on, memory.cells_in(place))
        looks = [
            memory.look(memory.luma(index), place, memory.portrait)[0]
            for index in range(part.start, part.stop)
        ]
        curve = gains(seen, np.stack(looks, axis=1))[0].sum(axis=0)
        return at_ms - memory.times(part)[::-1], curve[::-1].copy()

    # ------------------------------------------------------------------ all together

    def _said(self, evidence: Evidence, decided: Decided) -> tuple[State, ...]:
        """The cameras, off camera, black and the best pair, most likely first."""
        states = self._states
        shown = [*range(states.cameras), states.off, states.black]
        pairs = range(states.first_pair, states.count)
        if pairs:
            shown.append(
                max(pairs, key=lambda s: (float(decided.honest[s]), float(evidence.nats[s])))
            )
        shown.sort(key=lambda s: (-float(decided.honest[s]), -float(evidence.nats[s])))
        return tuple(
            State(
                name=self._name(state),
                cameras=tuple(self._names[i] for i in states.members(state)),
                nats=float(evidence.nats[state]),
                sharp=float(decided.sharp[state]),
                honest=float(decided.honest[state]),
                note=_note(evidence, state),
                composed=state == evidence.composed,
            )
            for state in shown
        )

    def _name(self, state: int) -> str:
        if state == self._states.off:
            return "off camera"
        if state == self._states.black:
            return "black"
        return " + ".join(self._names[i] for i in self._states.members(state))

    def _against(self, evidence: Evidence, candidates: Sequence[Candidate]) -> Against:
        """What speaks against the best camera, named as sight tests it."""
        if evidence.flat == "plain":
            return Against.PLAIN
        if evidence.replayed is not None:
            return Against.REPLAYED
        best = evidence.best
        candidate = candidates[best] if best is not None else None
        match = candidate.match if candidate else None
        off = self._states.off
        if candidate is None or match is None or best is None:
            return Against.WEAK
        if evidence.nats[off] < evidence.nats[best]:
            return Against.NOTHING
        if evidence.odd < 0:
            return Against.WEAK
        high = candidate.delay_high_ms
        if high is not None and match.lag_ms > high + ELSEWHEN_MS:
            return Against.ELSEWHEN
        off_unlike = abs(_held_back(match) - evidence.odd)
        off_untimely = abs(match.untimely - evidence.odd)
        return Against.UNTIMELY if off_untimely < off_unlike else Against.UNLIKE


def _held_back(match: Matched) -> float:
    """How unlike its camera's a picture counts, where one that lies right is only worse."""
    if match.beside_cells is None:
        return match.unlike
    return min(match.unlike, misplaced(match.beside_cells, match.fit))


def _matched(
    evidence: Evidence, number: int, camera: Camera, views: Views, usual_fit: float
) -> Matched | None:
    """A camera's match with what can be measured on the very pair of pictures."""
    match, place = evidence.matches[number], evidence.places[number]
    if match is None:
        return None
    memory, chart = camera.memory, camera.chart
    frame_ms = evidence.at_ms - match.lag_ms
    part = memory.within(frame_ms - 0.5, frame_ms + 0.5)
    motion, residual, beside = match.motion, None, None
    if part.stop > part.start:
        index = part.start
        motion = motion if motion is not None else memory.motion(index)
        there = sample(memory.luma(index), place.of, portrait=memory.portrait, mirror=place.mirror)
        here = views.grid(place.on)
        if here.shape == there.shape:
            residual = left_over(here, there)
            beside = shift(here, there).size
    if chart.settled:
        unlike = chart.unlike(match.blocks, match.information)
    else:
        unlike = stranger(match.blocks, match.information, usual_fit) if usual_fit else -1.0
    return Matched(
        frame_ms=frame_ms,
        lag_ms=match.lag_ms,
        fit=float(match.fit),
        toll_nats=float(match.toll),
        gain=float(match.gain),
        blocks=match.blocks.copy(),
        information=match.information.copy(),
        unlike=float(unlike),
        untimely=chart.untimely(match.blocks, match.information, motion) if chart.settled else -1.0,
        beside_cells=beside,
        residual=residual,
    )


def left_over(here: Floats, there: Floats) -> Floats:
    """Grey levels (h, w) of the program's grid `here` that the camera's, `there`, doesn't explain.

    Each of the 32 blocks has a gain >= 0 and an offset of its own, as in the matching.
    """
    h, w = here.shape
    down, across = (4, 8) if w > h else (8, 4)
    p = here.reshape(down, h // down, across, w // across)
    c = there.reshape(down, h // down, across, w // across)
    p = p - p.mean(axis=(1, 3), keepdims=True)
    c = c - c.mean(axis=(1, 3), keepdims=True)
    along = (p * c).sum(axis=(1, 3), keepdims=True)
    power = (c * c).sum(axis=(1, 3), keepdims=True)
    gain = np.maximum(along, 0) / np.maximum(power, 1e-6)
    return np.asarray((p - gain * c).reshape(h, w), np.float32)


def _note(evidence: Evidence, state: int) -> str:
    """How a pair stands in the picture, if it was tried."""
    mix = evidence.mixes.get(state)
    if state == evidence.composed:
        return "each in its own part"
    if mix is None:
        return ""
    kind = "split" if mix.split else "mixed"
    return f"{kind}, {100 * mix.share:.0f} % of the second"


def _idle(camera: CameraSeen) -> Candidate:
    """A camera while the program gave nothing."""
    return Candidate(
        id=camera.id,
        match=None,
        usual_fit=0.0,
        known=camera.delay_ms is not None,
        delay_ms=camera.delay_ms,
        delay_low_ms=camera.delay_low_ms,
        delay_high_ms=camera.delay_high_ms,
        lie=Lie(mirror=camera.mirrored),
        portrait=False,
        blind=False,
        lacking=False,
        lags_ms=_NONE,
        curve=_NONE,
    )
