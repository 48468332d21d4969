"""Makes the rows that follow from facts."""

from tap.ledger.facts import CameraFacts, SessionFacts
from tap.ledger.rows import (
    CameraRow,
    DirectorEventRow,
    DirectorEventType,
    SessionRow,
    Source,
    StillRow,
    camera_name,
)
from tap.ledger.values import MAX_INT, storable
from tap.vocabulary import Claim, Event, Shot, Verdict


def session_row(
    key: str, facts: SessionFacts, before: SessionRow | None, *, run: int, at_ms: float
) -> SessionRow:
    """The session as it is joined for the `run`th time; what isn't told stays as it was."""
    told = {"title": facts.title, "notes": facts.notes, "mode": facts.mode}
    if before is None:
        before = SessionRow(
            key=key, external_id=facts.external_id, kind=facts.kind, started_at_ms=at_ms
        )
    return before.model_copy(
        update={"runs": run, **{name: text for name, text in told.items() if text is not None}}
    )


def described(row: SessionRow, claim: Claim) -> SessionRow | None:
    """The session with what the director's start says of it and nobody said before, if anything."""
    told = {"title": claim.title, "notes": claim.notes, "mode": claim.mode}
    news = {name: text for name, text in told.items() if text and getattr(row, name) is None}
    return row.model_copy(update=news) if news else None


def camera_row(session_key: str, before: CameraRow | None, facts: CameraFacts) -> CameraRow | None:
    """The camera's next revision; None if there is nothing new in it."""
    known = before or CameraRow(
        key=f"{session_key}/{camera_name(facts.id)}",
        session_key=session_key,
        camera_id=facts.id,
        rev=0,
    )
    told = {
        "role": facts.role,
        "label": facts.label,
        "source": facts.source,
        "placement": facts.placement,
    }
    row = known.model_copy(update={name: text for name, text in told.items() if text is not None})
    if row == before:
        return None
    return row.model_copy(update={"rev": known.rev + 1})


def told_of(claim: Claim) -> CameraFacts | None:
    """What a director's registration says of a camera."""
    if claim.camera is None:
        return None
    return CameraFacts(claim.camera, claim.role, claim.label, claim.source, claim.placement)


def event_row(
    key: str, session_key: str, verdict: Verdict, claim: Claim | None, event: Event | None
) -> DirectorEventRow:
    """The row of a verdict on a claim, on an event, or on both; the queue numbers it."""
    if claim is not None:
        kind, source = DirectorEventType.of_claim(claim), Source.DIRECTOR
        at_ms, camera, mode = claim.at_ms, claim.camera, claim.mode
    elif event is not None:
        kind, source = DirectorEventType.of_event(event), Source.WITNESS
        at_ms, camera, mode = event.at_ms, event.to_camera, None
    else:
        raise ValueError("a director event needs a claim or an event")
    return DirectorEventRow(
        key=key,
        session_key=session_key,
        seq=0,
        type=kind,
        source=source,
        at_ms=at_ms,
        camera=camera,
        from_camera=event.from_camera if event is not None else None,
        mode=mode,
        claim=_storable(claim) if claim is not None else None,
        seen=event,
        verdict=verdict.code,
        confidence=verdict.confidence,
        lag_ms=verdict.lag_ms,
        text=verdict.text,
    )


def still_row(key: str, session_key: str, claim: Claim, program: Shot | None) -> StillRow | None:
    """The row of a still that was told; None where the message doesn't say which camera took it."""
    if claim.camera is None:
        return None
    return StillRow(
        key=key,
        session_key=session_key,
        still_id=claim.still_id or claim.id,
        camera_id=claim.camera,
        at_ms=claim.at_ms,
        kind="marker" if claim.kind == "marker" else "capture",
        uri=claim.uri,
        sha256=claim.sha256,
        program_state=program.state if program is not None else None,
        program_camera=program.camera if program is not None else None,
        program_confidence=program.confidence if program is not None else None,
    )


def _storable(claim: Claim) -> Claim:
    """A number too large for a ledger stays whole in the raw message alone."""
    too_large = claim.seq is not None and abs(claim.seq) > MAX_INT
    update = {"raw": storable(claim.raw), **({"seq": None} if too_large else {})}
    return claim.model_copy(update=update)
