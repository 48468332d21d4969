"""Reads a journal back: what is known of a session that was begun before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, TypeAdapter

from tap.ledger.faults import BookError, Code
from tap.ledger.journal import Fact, FactKind, Journal
from tap.ledger.memory import no_cycles
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
    files: set[str] = field(default_factory=set[str])
    """Names of the files beside the journal that it has the hashes of."""


def recall(journal: Journal) -> Recalled:
    """What the journal holds. Raises `BookError`.

    A long day's journal has hundreds of thousands of facts, and tap is not ready before it knows
    them: they are read in large pages, each kind at once, and the collector of cycles, which
    would look through all that is read so far again and again and find none, rests meanwhile.
    """
    found = Recalled()
    with no_cycles():
        for page in journal.pages():
            for fact, value in zip(page, _read(journal, page), strict=True):
                _take(found, fact, value)
    return found


def claim_fact(claim: Claim) -> dict[str, Any]:
    """A claim as it is journalled: whole, whatever its message holds."""
    plain = claim.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"raw"})
    return plain | {"raw": storable(claim.raw)}


def claim_of(body: Mapping[str, Any]) -> Claim:
    """The claim that was journalled."""
    return Claim.model_validate({**body, "raw": restored(body["raw"])})


class _Given(BaseModel):
    """A verdict as it is journalled."""

    row: str
    verdict: Verdict


_KINDS: dict[FactKind, TypeAdapter[list[Any]]] = {
    FactKind.SESSION: TypeAdapter(list[SessionRow]),
    FactKind.CAMERA: TypeAdapter(list[CameraRow]),
    FactKind.CLAIM: TypeAdapter(list[Claim]),
    FactKind.EVENT: TypeAdapter(list[Event]),
    FactKind.SHOT: TypeAdapter(list[Shot]),
    FactKind.VERDICT: TypeAdapter(list[_Given]),
}


def _read(journal: Journal, page: Sequence[Fact]) -> list[Any]:
    """The facts of a page as values; None for kinds of which only the coming counts."""
    values: list[Any] = [None] * len(page)
    for kind, adapter in _KINDS.items():
        places = [place for place, fact in enumerate(page) if fact.kind is kind]
        if not places:
            continue
        try:
            whole = adapter.validate_json(f"[{','.join(page[place].text for place in places)}]")
        except ValueError:
            whole = [_single(journal, adapter, page[place]) for place in places]
        for place, value in zip(places, whole, strict=True):
            values[place] = value
    return values


def _single(journal: Journal, adapter: TypeAdapter[list[Any]], fact: Fact) -> Any:
    try:
        return adapter.validate_json(f"[{fact.text}]")[0]
    except ValueError as error:
        raise BookError(
            Code.DAMAGED,
            f"{journal.path}: expected a fact of kind {fact.kind.value} at {fact.key}, got "
            f"one that can't be read ({error}); restore the journal from a copy.",
            fact.key,
        ) from error


def _take(found: Recalled, fact: Fact, value: Any) -> None:
    match fact.kind:
        case FactKind.RUN:
            found.runs += 1
        case FactKind.SESSION:
            found.session = value
        case FactKind.CAMERA:
            found.cameras[value.camera_id] = value
        case FactKind.CLAIM:
            claim = _as_received(value)
            found.claims.append(claim)
            found.messages.recall(claim, fact.text)
            if claim.type is ClaimType.SESSION_END:
                found.ended_ms = claim.at_ms
        case FactKind.EVENT:
            found.events.append(value)
        case FactKind.SHOT:
            found.shots.append(value)
        case FactKind.VERDICT:
            found.verdicts[value.row] = value.verdict
        case FactKind.COMPLETION:
            found.ended_ms = None
        case FactKind.FILE:
            name = str(fact.body["name"])
            if fact.body.get("gone"):
                found.files.discard(name)
            else:
                found.files.add(name)
        case FactKind.STILL | FactKind.BEAT | FactKind.CLOSE:
            pass


def _as_received(claim: Claim) -> Claim:
    raw = restored(claim.raw)
    return claim if raw == claim.raw else claim.model_copy(update={"raw": raw})
