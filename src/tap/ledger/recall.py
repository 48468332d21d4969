"""Reads a journal back: what is known of a session that was begun before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tap.ledger.faults import BookError, Code
from tap.ledger.journal import Fact, FactKind, Journal
from tap.ledger.messages import Messages
from tap.ledger.rows import CameraRow, SessionRow
from tap.ledger.values import restored, storable
from tap.vocabulary import Claim, ClaimType, Event, Shot, Verdict


@dataclass(slots=True)
class Recalled:
    """All facts of a session, each kind in the order in which it was journalled."""

    runs: int = 0
    session: SessionRow | None = None
    cameras: dict[str, CameraRow] = field(default_factory=dict[str, CameraRow])
    claims: list[Claim] = field(default_factory=list[Claim])
    events: list[Event] = field(default_factory=list[Event])
    shots: list[Shot] = field(default_factory=list[Shot])
    verdicts: dict[str, Verdict] = field(default_factory=dict[str, Verdict])
    """By the key of the row that they are in."""
    ended_ms: float | None = None
    """When the director ended the session, where no run has completed it since."""
    messages: Messages = field(default_factory=Messages)


def recall(journal: Journal) -> Recalled:
    """What the journal holds. Raises `BookError`."""
    found = Recalled()
    for fact in journal.records():
        try:
            _take(found, fact)
        except (ValueError, KeyError) as error:
            raise BookError(
                Code.DAMAGED,
                f"{journal.path}: expected a fact of kind {fact.kind.value} at {fact.key}, got "
                f"one that can't be read ({error}); restore the journal from a copy.",
                fact.key,
            ) from error
    return found


def claim_fact(claim: Claim) -> dict[str, Any]:
    """A claim as it is journalled: whole, whatever its message holds."""
    plain = claim.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"raw"})
    return plain | {"raw": storable(claim.raw)}


def claim_of(body: Mapping[str, Any]) -> Claim:
    """The claim that was journalled."""
    return Claim.model_validate({**body, "raw": restored(body["raw"])})


def _take(found: Recalled, fact: Fact) -> None:
    match fact.kind:
        case FactKind.RUN:
            found.runs += 1
        case FactKind.SESSION:
            found.session = SessionRow.model_validate(fact.body)
        case FactKind.CAMERA:
            row = CameraRow.model_validate(fact.body)
            found.cameras[row.camera_id] = row
        case FactKind.CLAIM:
            claim = claim_of(fact.body)
            found.claims.append(claim)
            found.messages.recall(claim, fact.text)
            if claim.type is ClaimType.SESSION_END:
                found.ended_ms = claim.at_ms
        case FactKind.EVENT:
            found.events.append(Event.model_validate_json(fact.text))
        case FactKind.SHOT:
            found.shots.append(Shot.model_validate_json(fact.text))
        case FactKind.VERDICT:
            body = fact.body
            found.verdicts[body["row"]] = Verdict.model_validate(body["verdict"])
        case FactKind.COMPLETION:
            found.ended_ms = None
        case FactKind.STILL:
            pass
