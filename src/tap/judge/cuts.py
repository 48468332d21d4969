"""Messages that tell a cut, changes that were seen, and the one verdict that each of them gets."""

from collections.abc import Sequence

from tap.judge import sentences
from tap.judge.holds import Judged
from tap.judge.matching import (
    change_in_time,
    change_to_another,
    change_to_right_camera,
    could_take,
    told_in_time,
    undone,
)
from tap.judge.pending import Change, Pool, Told
from tap.judge.timeline import Timeline
from tap.judge.tolerances import Tolerances
from tap.vocabulary import SOFT, Shot, ShotState, Verdict, VerdictCode

_STANDING = {
    ShotState.COMPOSED: VerdictCode.COMPOSED,
    ShotState.OFF_CAMERA: VerdictCode.OFF_CAMERA,
    ShotState.BLACK: VerdictCode.OFF_CAMERA,
}


class Cuts:
    """Matches messages and changes; whatever gets its verdict leaves."""

    def __init__(self, timeline: Timeline, tolerances: Tolerances) -> None:
        self.told: Pool[Told] = Pool()
        self.changes: Pool[Change] = Pool()
        self.judged: Pool[Judged] = Pool()
        self._timeline = timeline
        self._tolerances = tolerances

    def forget(self, before_ms: float) -> None:
        """Drop what no decision can ask for any more."""
        self.judged.forget(before_ms)

    def seen_between(self, start_ms: float, end_ms: float) -> list[Judged]:
        """All changes by time, those without a verdict as if nobody had told them."""
        judged = self.judged.between(start_ms, end_ms)
        waiting = [Judged(c.event, c.order) for c in self.changes.between(start_ms, end_ms)]
        return sorted(judged + waiting, key=lambda one: (one.at_ms, one.order))

    # ------------------------------------------------------------------ in time: decided at once

    def tell(self, told: Told) -> Verdict | None:
        """Take a message; if its change has been waiting for it, decide."""
        self.told.add(told)
        change = change_in_time(told, self.changes, self._tolerances)
        return self._match(told, change) if change is not None else None

    def settle(self, change: Change, now_ms: float) -> Verdict | None:
        """A change is old enough: decide it if it follows a message in time and stays."""
        change.settled = True
        if not change.reverted:
            later = self.changes.between(change.at_ms, now_ms)
            other = undone(change, later, now_ms, self._tolerances)
            if other is not None:
                change.undone_by, other.undoes = other, change
        if change.reverted:
            return None
        told = told_in_time(change, self.told, self._tolerances)
        return self._match(told, change) if told is not None else None

    def _match(self, told: Told, change: Change) -> Verdict:
        """A message and the change to its camera."""
        lag_ms = told.lag_ms(change)
        in_time = self._tolerances.agrees(lag_ms)
        if told.fault is not None:
            return self._pair(
                told.fault, told, change, sentences.at_fault(told.fault, told, change)
            )
        if change.reverted:
            code = VerdictCode.REVERTED
        elif in_time:
            as_told = told.soft is (change.event.type in SOFT)
            code = VerdictCode.AGREE if as_told else VerdictCode.SOFT
        else:
            code = VerdictCode.EARLY if lag_ms > 0 else VerdictCode.LATE
        text = sentences.matched(code, told, change, self._tolerances)
        return self._pair(code, told, change, text)

    # ------------------------------------------------------------------ messages left over

    def decide_told(self, told: Told) -> Verdict | None:
        """A message has waited for long enough. None if it was matched meanwhile."""
        if told not in self.told:
            return None
        tolerances = self._tolerances
        right = change_to_right_camera(told, self.told, self.changes, tolerances)
        if right is not None:
            return self._match(told, right)
        too_late = self._arrived_too_late(told)
        if too_late is not None:
            return too_late
        blind_when_due = self._timeline.blind(
            told.at_ms - tolerances.before_ms,
            min(told.at_ms + tolerances.after_ms, self._timeline.end_ms),
        )
        other = change_to_another(told, self.told, self.changes, tolerances)
        if other is not None and blind_when_due is None:
            return self._elsewhere(told, other)
        if told.fault is not None:
            return self._alone(told, told.fault, 1.0, sentences.at_fault(told.fault))
        return self._without_change(told)

    def _arrived_too_late(self, told: Told) -> Verdict | None:
        """The change was recorded as unannounced before the message came in."""
        patience_ms = self._tolerances.patience_ms
        if told.fault is not None or told.claim.recv_ms <= told.at_ms + patience_ms:
            return None
        tolerances = self._tolerances
        near = self.judged.between(
            told.at_ms - tolerances.window_ms, told.at_ms + tolerances.window_ms
        )
        for change in near:
            if change.told_ms is None and change.event.to_camera == told.camera:
                lag_ms = change.at_ms - told.claim.recv_ms
                text = sentences.late_arrival(told, lag_ms)
                confidence = change.event.confidence
                return self._alone(told, VerdictCode.LATE, confidence, text, lag_ms)
        return None

    def _elsewhere(self, told: Told, change: Change) -> Verdict:
        """The program changed in time, but not to the camera that the message names."""
        if told.fault is not None:
            return self._pair(
                told.fault, told, change, sentences.at_fault(told.fault, told, change)
            )
        landing = self._timeline.landing(change.event, told.at_ms + self._tolerances.window_ms)
        code = VerdictCode.WRONG_CAMERA
        if landing is not None and landing.state is ShotState.AMBIGUOUS:
            if told.camera in landing.cameras:
                code = VerdictCode.AMBIGUOUS
        elif change.event.to_camera is None:
            state = landing.state if landing is not None else ShotState.OFF_CAMERA
            code = _STANDING.get(state, VerdictCode.OFF_CAMERA)
        return self._pair(code, told, change, sentences.elsewhere(told, change, landing))

    def _without_change(self, told: Told) -> Verdict:
        """No change belongs to the message: what did the program show instead?"""
        tolerances, timeline = self._tolerances, self._timeline
        start_ms = told.at_ms - tolerances.before_ms
        end_ms = told.at_ms + tolerances.window_ms
        blind = timeline.blind(start_ms, end_ms)
        if blind is None and _is_live(timeline.at(start_ms), told.camera):
            # It may have come before the message, unseen.
            blind = timeline.blind(told.at_ms - tolerances.window_ms, start_ms)
        if blind is not None:
            text = sentences.unseen(f"A cut to {told.camera}", told.at_ms, blind)
            return self._alone(told, VerdictCode.UNSEEN, 1.0, text)
        shots = timeline.between(start_ms, end_ms)
        confidence = timeline.confidence(start_ms, end_ms)
        shown = self._shown(told)
        unclear = _unclear(told, shots, shown)
        if unclear is not None:
            text = sentences.standing(told, unclear)
            return self._alone(told, VerdictCode.AMBIGUOUS, confidence, text)
        if shown is not None and shown.state in _STANDING:
            text = sentences.standing(told, shown)
            return self._alone(told, _STANDING[shown.state], confidence, text)
        cameras = {shot.camera for shot in shots}
        stayed = cameras.pop() if len(cameras) == 1 else None
        live = _is_live(shown, told.camera)
        text = sentences.missed(told, stayed, live=live, tolerances=tolerances)
        return self._alone(told, VerdictCode.MISSED, confidence, text)

    def _shown(self, told: Told) -> Shot | None:
        """What the program showed when the change should have been over."""
        due_ms = told.at_ms + self._tolerances.after_ms
        for shot in self._timeline.between(due_ms, told.at_ms + self._tolerances.window_ms):
            if shot.state is not ShotState.TRANSITION:
                return shot
        return None

    # ------------------------------------------------------------------ changes left over

    def wait_for(self, change: Change) -> float | None:
        """Until when messages wait to which a change may yet belong, if there are any."""
        if change not in self.changes:
            return None
        waiting = could_take(change, self.told, self._tolerances)
        return max((told.due_ms for told in waiting), default=None)

    def decide_change(self, change: Change) -> Verdict | None:
        """No message can belong to a change any more. None if it was matched meanwhile."""
        if change not in self.changes:
            return None
        code, text = VerdictCode.UNANNOUNCED, sentences.unannounced(change)
        if change.reverted:
            code, text = VerdictCode.REVERTED, sentences.reverted(change)
        elif change.at_ms + self._tolerances.before_ms > self._timeline.end_ms:
            code, text = VerdictCode.UNSEEN, sentences.unheard(change)
        self.changes.remove(change)
        self.judged.add(Judged(change.event, change.order))
        return Verdict(
            code=code,
            event_id=change.event.id,
            at_ms=change.at_ms,
            confidence=change.event.confidence,
            text=text,
        )

    # ------------------------------------------------------------------ leaving

    def _pair(self, code: VerdictCode, told: Told, change: Change, text: str) -> Verdict:
        lag_ms = told.lag_ms(change)
        self.told.remove(told)
        self.changes.remove(change)
        in_time = self._tolerances.agrees(lag_ms)
        self.judged.add(Judged(change.event, change.order, told.at_ms, in_time))
        return Verdict(
            code=code,
            claim_id=told.claim.id,
            event_id=change.event.id,
            at_ms=change.at_ms,
            lag_ms=round(lag_ms, 3),
            confidence=1.0 if told.fault is not None else change.event.confidence,
            text=text,
        )

    def _alone(
        self,
        told: Told,
        code: VerdictCode,
        confidence: float,
        text: str,
        lag_ms: float | None = None,
    ) -> Verdict:
        self.told.remove(told)
        return Verdict(
            code=code,
            claim_id=told.claim.id,
            at_ms=told.at_ms,
            lag_ms=None if lag_ms is None else round(lag_ms, 3),
            confidence=confidence,
            text=text,
        )


def _is_live(shot: Shot | None, camera: str) -> bool:
    return shot is not None and shot.state is ShotState.LIVE and shot.camera == camera


def _unclear(told: Told, shots: Sequence[Shot], shown: Shot | None) -> Shot | None:
    """The picture that fits the told camera and others alike, if that is all that can be said."""
    alike = [s for s in shots if s.state is ShotState.AMBIGUOUS and told.camera in s.cameras]
    if shown in alike:
        return shown
    # Live after a stretch in which it could not be told apart: it came, but nobody can say when.
    return alike[0] if alike and _is_live(shown, told.camera) else None
