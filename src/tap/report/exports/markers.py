"""Verdicts as markers on the timeline."""

from collections.abc import Callable, Iterator, Sequence

from tap.report import wording
from tap.report.exports.model import Colour, Marker
from tap.report.findings import IN_DOUBT
from tap.vocabulary import DISAGREEMENTS, Claim, Event, Verdict, VerdictCode, Witness

SURE = 0.95
"""From this probability on, a cut that nobody announced needs no second look."""


def markers_of(
    witness: Witness, claims: Sequence[Claim], frame: Callable[[float], int], length: int
) -> Iterator[Marker]:
    """A marker for each verdict, in order of time.

    Where the director never told any change, that nobody announced one is no news: the markers
    then say what was seen and how surely.
    """
    told = any(claim.type in wording.CHANGES for claim in claims)
    seen = {event.id: event for event in witness.events}
    for verdict in sorted(witness.verdicts, key=lambda verdict: verdict.at_ms):
        event = seen.get(verdict.event_id) if verdict.event_id is not None else None
        name, colour, text = verdict.code.value, _colour(verdict.code), verdict.text
        if not told and event is not None and verdict.code is VerdictCode.UNANNOUNCED:
            name, colour, text = _as_seen(event)
        yield Marker(
            frame=min(length - 1, max(0, frame(verdict.at_ms))),
            name=name,
            text=wording.clip(text, 300),
            colour=colour,
            confidence=_confidence(verdict, event, told=told),
            lag_ms=verdict.lag_ms,
        )


def _as_seen(event: Event) -> tuple[str, Colour, str]:
    colour = Colour.GREEN if event.confidence >= SURE else Colour.YELLOW
    return event.type.value.upper(), colour, wording.seen(event)


def _confidence(verdict: Verdict, event: Event | None, *, told: bool) -> float:
    return verdict.confidence if told or event is None else event.confidence


def _colour(code: VerdictCode) -> Colour:
    if code in DISAGREEMENTS:
        return Colour.RED
    if code is VerdictCode.NOTED:
        return Colour.BLUE
    return Colour.YELLOW if code in IN_DOUBT else Colour.GREEN
