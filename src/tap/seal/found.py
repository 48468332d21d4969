"""What a check of a seal can find."""

from dataclasses import dataclass
from enum import StrEnum


class SealFault(StrEnum):
    """In which way something is not as it was sealed."""

    ALTERED = "altered"
    MISSING = "missing"
    ADDED = "added"
    OUT_OF_ORDER = "out of order"
    FOREIGN = "foreign"
    """It was sealed, but not here: another session's, or another history of this one."""
    NOT_SIGNED = "not signed"
    """The signature is not of a key that was given."""
    NOT_PINNED = "not pinned"
    """A digest that was kept elsewhere is of no statement here: the end was cut off, or all of it
    was made anew."""


MOST_TOLD = 10_000
"""Problems that are told of, of each kind of entry: a file may be made to have no end of them."""


@dataclass(frozen=True, slots=True)
class SealProblem:
    """One thing that is wrong: where, and in a sentence what."""

    fault: SealFault
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A time (Unix ms) for which nobody vouches: no sign of life in it."""

    start_ms: float
    end_ms: float
    why: str
