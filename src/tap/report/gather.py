"""Brings together what belongs to one verdict: its claim, its event, the pictures to show."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from tap.report.findings import Finding, Pick, PictureRef, Role
from tap.report.wording import MESSAGE_ALONE
from tap.vocabulary import (
    PROGRAM,
    CameraSeen,
    Claim,
    ClaimType,
    Event,
    Shot,
    Verdict,
    VerdictCode,
    Witness,
)

SETTLED_MS = 1000.0
"""How long after a message without a change the program is looked at again."""

RUNNER_UP_COUNTS = 0.02
"""From this probability on, the runner-up's picture helps a person to judge."""

Delays = Mapping[str, float]
"""Per camera: how many ms after the camera the program shows its picture."""


def delays_of(cameras: Iterable[CameraSeen]) -> dict[str, float]:
    """The delays that were measured, by camera."""
    return {seen.id: seen.delay_ms for seen in cameras if seen.delay_ms is not None}


def wanted_pictures(
    claim: Claim | None,
    event: Event | None,
    *,
    delays: Delays,
    shot: Shot | None = None,
    code: VerdictCode | None = None,
) -> tuple[PictureRef, ...]:
    """The pictures that let a person judge a verdict on `claim` and `event` by eye.

    `shot` is what the program showed after the change (or after the message, where nothing
    changed); a `code` that has nothing to see gives none. A camera whose delay was never measured
    is looked up at the median of the others'.
    """
    if code in MESSAGE_ALONE:
        return ()
    if event is not None:
        edge, settled = event.at_ms, event.at_ms + event.duration_ms
    elif claim is not None and claim.camera is not None:
        edge, settled = claim.at_ms, claim.at_ms + SETTLED_MS
    else:
        return ()
    found = [
        PictureRef(role=Role.BEFORE, feed=PROGRAM, at_ms=edge, pick=Pick.LAST_BEFORE),
        PictureRef(role=Role.AFTER, feed=PROGRAM, at_ms=settled, pick=Pick.FIRST_FROM),
    ]
    shown = event.to_camera if event is not None else shot.camera if shot is not None else None
    cameras = [(Role.MATCHED, shown), (Role.TOLD, claim.camera if claim is not None else None)]
    if shot is not None and shot.runner_up_confidence >= RUNNER_UP_COUNTS:
        cameras.append((Role.RUNNER_UP, shot.runner_up))
    typical = median(delays.values()) if delays else None
    taken: set[str] = set()
    for role, camera in cameras:
        if camera is None or camera in taken:
            continue
        delay = delays.get(camera, typical)
        if delay is not None:
            taken.add(camera)
            found.append(PictureRef(role=role, feed=camera, at_ms=settled - delay))
    return tuple(found)


def shot_at(shots: Sequence[Shot], at_ms: float) -> Shot | None:
    """The shot that covers `at_ms`; `shots` are in order of time."""
    index = bisect_right(shots, at_ms, key=lambda shot: shot.start_ms) - 1
    return shots[index] if index >= 0 and at_ms < shots[index].end_ms else None


def key_of(verdict: Verdict) -> str:
    """What a verdict is on: `claim:m7`, or `event:e1` where no claim announced it."""
    if verdict.claim_id is not None:
        return f"claim:{verdict.claim_id}"
    return f"event:{verdict.event_id}"


def with_cameras(claims: Iterable[Claim]) -> list[Claim]:
    """The same claims; one that accepts a proposal names the camera that was proposed."""
    given = list(claims)
    proposed = {c.id: c.camera for c in given if c.type is ClaimType.PROPOSAL}
    return [
        claim.model_copy(update={"camera": proposed.get(claim.proposal)})
        if claim.type is ClaimType.ACCEPT and claim.camera is None and claim.proposal is not None
        else claim
        for claim in given
    ]


class Gatherer:
    """Makes findings from verdicts on what one witness saw."""

    def __init__(self, witness: Witness) -> None:
        self._shots = witness.shots
        self._delays = delays_of(witness.cameras)

    def finding(
        self,
        key: str,
        verdict: Verdict,
        claim: Claim | None,
        event: Event | None,
        ledger_verdict: VerdictCode | None = None,
    ) -> Finding:
        """The verdict, what it is on, and where its pictures are."""
        settled = event.at_ms + event.duration_ms if event else verdict.at_ms + SETTLED_MS
        return Finding(
            key=key,
            at_ms=verdict.at_ms,
            claim=claim,
            seen=event,
            verdict=verdict.code,
            lag_ms=verdict.lag_ms,
            confidence=verdict.confidence,
            text=verdict.text,
            ledger_verdict=ledger_verdict,
            pictures=wanted_pictures(
                claim,
                event,
                code=verdict.code,
                delays=self._delays,
                shot=shot_at(self._shots, settled),
            ),
        )


def findings_of(witness: Witness, claims: Iterable[Claim]) -> tuple[Finding, ...]:
    """One finding for each verdict of the witness itself, by time."""
    said: dict[str, Claim] = {}
    for claim in with_cameras(claims):
        said.setdefault(claim.id, claim)
    seen = {event.id: event for event in witness.events}
    gatherer = Gatherer(witness)
    found = [
        gatherer.finding(
            key_of(verdict),
            verdict,
            said.get(verdict.claim_id) if verdict.claim_id is not None else None,
            seen.get(verdict.event_id) if verdict.event_id is not None else None,
        )
        for verdict in witness.verdicts
    ]
    return tuple(sorted(found, key=lambda finding: finding.at_ms))
