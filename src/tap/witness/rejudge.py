"""Judges a session again: what was said, held against what was seen."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from tap.judge import Judge, Tolerances
from tap.ledger.messages import Messages
from tap.ledger.rows import claim_name, seen_name
from tap.report.gather import with_cameras
from tap.vocabulary import Claim, Event, Gap, Shot, ShotState, Verdict, Witness


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, what it is on, and the key that its row in the ledger bears."""

    key: str
    verdict: Verdict
    claim: Claim | None
    event: Event | None


def rejudge(
    session_key: str, witness: Witness, claims: Sequence[Claim], tolerances: Tolerances
) -> list[Judged]:
    """The verdicts that follow from `claims`, in order of receipt, and the witness's sight.

    Messages with the same id are told apart as the books do.
    """
    judge = Judge([seen.id for seen in witness.cameras], tolerances)
    for claim in claims:
        judge.claim(claim)
    for event in sorted(witness.events, key=lambda event: event.at_ms):
        judge.event(event)
    reasons = sorted(witness.coverage.unseen)
    for shot in witness.shots:
        judge.shot(shot, _reason(shot, reasons))
    verdicts = judge.close()
    return _judged(session_key, witness, claims, verdicts)


def _judged(
    session_key: str, witness: Witness, claims: Sequence[Claim], verdicts: Sequence[Verdict]
) -> list[Judged]:
    messages = Messages()
    told: dict[str, list[Claim]] = {}
    for claim, whole in zip(claims, with_cameras(claims), strict=True):
        messages.add(claim)
        told.setdefault(claim.id, []).append(whole)
    seen = {event.id: event for event in witness.events}
    found: list[Judged] = []
    for verdict in verdicts:
        event = seen.get(verdict.event_id) if verdict.event_id is not None else None
        if verdict.claim_id is None:
            found.append(
                Judged(f"{session_key}/{seen_name(verdict.event_id or '')}", verdict, None, event)
            )
            continue
        nth = messages.judged(verdict) or 1
        claim = told[verdict.claim_id][nth - 1]
        key = f"{session_key}/{claim_name(verdict.claim_id, nth)}"
        found.append(Judged(key, verdict, claim, event))
    return found


def _reason(shot: Shot, gaps: Sequence[Gap]) -> str:
    """Why tap was blind in a shot: the reason of the gap that it lies in."""
    if shot.state is not ShotState.UNSEEN:
        return ""
    index = bisect_right(gaps, shot.start_ms, key=lambda gap: gap[0]) - 1
    for gap in gaps[max(0, index) : index + 2]:
        if gap[0] < shot.end_ms and gap[1] > shot.start_ms:
            return gap[2]
    return ""
