"""Facts held small come back as they were."""

import sys

from tap.vocabulary import Event, EventType, Shot, ShotState
from tap.witness.packed import Packed


def _shot(n: int) -> Shot:
    return Shot(
        start_ms=1_700_000_000_000.1 + n / 3,
        end_ms=1_700_000_000_001.0 + n / 3,
        state=ShotState.LIVE,
        camera="cam-ä",
        confidence=1 / 3,
    )


def test_facts_come_back_to_the_last_bit_and_in_order() -> None:
    shots = [_shot(n) for n in range(50)]
    held = Packed(Shot)
    for shot in shots:
        held.append(shot)

    assert len(held) == 50
    assert list(held) == shots
    assert held.since(48) == shots[48:]
    assert held.since(-3) == shots
    assert held.at(7) == shots[7]


def test_aliases_and_defaults_survive() -> None:
    event = Event(id="cut-1", type=EventType.CUT, at_ms=5.0, from_camera=None, to_camera="cam-b")
    held = Packed(Event)
    held.append(event)

    assert held.at(0) == event


def test_a_fact_takes_a_fraction_of_its_model() -> None:
    held = Packed(Shot)
    held.append(_shot(1))
    model = _shot(1)
    takes = sys.getsizeof(model.__dict__) + sys.getsizeof(model.model_fields_set)

    assert sum(map(sys.getsizeof, held._texts)) < takes / 3
