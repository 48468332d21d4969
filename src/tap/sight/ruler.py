"""Rules what a program frame shows: the most likely state in words, and how sure that is.

Being wrong with confidence is worse than not knowing: cameras that are about as likely are named
together, a camera whose pictures are missing is not named for that, and what nobody explains is
unseen where tap may only have missed it.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from tap.sight.camera import Camera
from tap.sight.evidence import Evidence
from tap.sight.infer import Decided, States
from tap.sight.ruling import Ruling
from tap.sight.settings import SightSettings
from tap.vocabulary import ShotState

_UNSURE = 0.85
"""Below this honest probability of the best camera, others that are likely are named with it."""
_LIKELY = 0.08
_NEVER_SEEN = 0.5
"""Most confidence in "off camera" as long as no camera was ever seen on the program."""
_SOME_UNSEEN = 0.9
"""The same as long as one of them was not: it may lie in a way that sight does not know of yet."""
_OVERRULES = 0.95
"""From this honest probability on, "off camera" stands, however well a camera fits just now."""
_BY_CHANCE = 6.0
"""Nats that a camera that is not to be seen gains: what contrast there is then is a graphic's."""
_TRACE = 0.08
"""Fit of a camera of which something is seen."""
_IN_TIME_MS = 100.0
"""So far outside the interval of a camera's delay its picture is of the right moment."""
MOST_SURE = 0.999
"""No confidence above this: the model itself may be wrong."""


class Ruler:
    """Rules program frames in their order."""

    def __init__(
        self,
        names: Sequence[str],
        states: States,
        cameras: Sequence[Camera],
        settings: SightSettings,
    ) -> None:
        self._names = tuple(names)
        self._states = states
        self._cameras = cameras
        self._settings = settings
        self._before: ShotState | None = None
        """State of the last program frame that was ruled on."""
        self._named: int | None = None
        """The camera that was live in it."""

    def start_again(self) -> None:
        """The next frame is the first one."""
        self._before = self._named = None

    def rule(
        self, evidence: Evidence, decided: Decided, following: Iterable[Evidence], end_ms: float
    ) -> Ruling:
        """What a frame shows that lasts until `end_ms`, as was `decided` from its evidence.
        `following`: that of later frames, where there is some."""
        states, honest = self._states, decided.honest
        state = int(np.argmax(decided.sharp))
        if honest[states.off] > _OVERRULES:
            state = states.off
        order = np.argsort(-honest)
        runner = int(order[1]) if int(order[0]) == state else int(order[0])
        kind, cameras, reason = ShotState.LIVE, states.members(state), ""
        confidence = float(honest[state])
        if state == states.off:
            kind = ShotState.OFF_CAMERA
            if not any(camera.confirmed for camera in self._cameras):
                # Perhaps it is only that no camera has been recognised yet.
                confidence = min(confidence, _NEVER_SEEN)
            lost = self._missing(evidence)
            if evidence.replayed is not None and evidence.replayed not in lost:
                cameras = (evidence.replayed,)
            elif lost:
                kind = ShotState.UNSEEN
                reason = evidence.why_missing(lost, self._names)
        elif state == states.black:
            kind = ShotState.BLACK
        elif state >= states.first_pair:
            beside = state in (evidence.composed, *evidence.rivals)
            kind = ShotState.COMPOSED if beside else ShotState.TRANSITION
        elif self._is_guess(state, evidence, following):
            kind, cameras = ShotState.UNSEEN, ()
            reason = evidence.why_missing((state,), self._names)
        elif confidence < _UNSURE:
            likely = [i for i in range(states.cameras) if honest[i] > _LIKELY or i == state]
            if len(likely) > 1:
                kind, cameras = ShotState.AMBIGUOUS, tuple(likely)
                confidence = float(honest[likely].sum())
        self._before = kind
        self._named = state if kind is ShotState.LIVE else None
        so = min(MOST_SURE, self._settings.calibration.so(kind, confidence))
        if kind is ShotState.OFF_CAMERA and not cameras and not self._all_were_on():
            so = min(so, _SOME_UNSEEN)
        pair = evidence.mixes.get(state)
        return Ruling(
            index=evidence.index,
            at_ms=evidence.at_ms,
            end_ms=end_ms,
            state=kind,
            cameras=tuple(self._names[i] for i in cameras),
            confidence=so,
            believed=confidence,
            runner_up=self._names[runner] if runner < states.cameras else None,
            runner_up_confidence=min(
                1.0 - so, float(honest[runner]) if runner < states.cameras else 0.0
            ),
            share=pair.share if pair is not None else 0.0,
            split=pair.split if pair is not None else False,
            wipe=pair.wipe if pair is not None else None,
            covered=evidence.covered and state == evidence.best,
            gain=self._gain(evidence, state),
            seen=self._seen(evidence),
            reason=reason,
        )

    def _all_were_on(self) -> bool:
        return all(camera.confirmed for camera in self._cameras)

    def _is_guess(self, number: int, evidence: Evidence, following: Iterable[Evidence]) -> bool:
        """Whether a camera would be named only because its pictures are missing: neither the
        pictures before nor the next in which it can be told show it."""
        states = self._states
        if number not in evidence.lacking or number == self._named:
            return False
        if evidence.nats[number] > evidence.nats[states.off]:
            return False  # what there is of it fits
        told = (later for later in following if number not in later.lacking)
        first = next(told, None)
        return first is None or number not in states.members(int(np.argmax(first.nats)))

    def _gain(self, evidence: Evidence, state: int) -> float | None:
        """Contrast of the picture relative to the camera's, 0 in black."""
        if state == self._states.black:
            return 0.0
        if evidence.skipped:
            return evidence.gain if state == evidence.best else None
        match = evidence.matches[state] if state < self._states.cameras else None
        if match is None or state in evidence.lacking:
            return None
        return match.gain if match.fit * evidence.information > _BY_CHANCE else None

    def _seen(self, evidence: Evidence) -> tuple[str, float] | None:
        """The camera that stands out, where the picture is of its right moment, and its fit."""
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None or match.fit < _TRACE or not evidence.stands_out(best):
            return None
        low, high = self._cameras[best].delay.interval_ms
        in_time = low - _IN_TIME_MS <= match.lag_ms <= high + _IN_TIME_MS
        return (self._names[best], match.fit) if in_time else None

    def _missing(self, evidence: Evidence) -> tuple[int, ...]:
        """The cameras that a picture which matches nothing may be of, unseen by tap."""
        if evidence.flat:
            return ()
        if evidence.lacking and self._before is not ShotState.OFF_CAMERA:
            return evidence.lacking
        if all(match is None for match in evidence.matches):
            return tuple(range(len(self._names)))
        return evidence.blind
