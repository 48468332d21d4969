"""What still waits for its verdict: messages that tell a cut, and changes that were seen."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from tap.vocabulary import SOFT, Claim, Event, VerdictCode


@dataclass(slots=True, eq=False)
class Told:
    """A message that tells the program to go to `camera`: a cut, or an accepted proposal."""

    claim: Claim
    order: int
    camera: str
    due_ms: float
    fault: VerdictCode | None = None
    """What is wrong with the message itself, if anything."""

    @property
    def at_ms(self) -> float:
        """When it was said, Unix ms."""
        return self.claim.at_ms

    @property
    def soft(self) -> bool:
        """Told as a change that takes time. Nothing told of it means a cut."""
        if self.claim.transition is not None:
            return self.claim.transition in SOFT
        return (self.claim.duration_ms or 0.0) > 0.0

    def lag_ms(self, change: "Change") -> float:
        """Picture minus message."""
        return change.at_ms - self.at_ms


@dataclass(slots=True, eq=False)
class Change:
    """A change of the program that a director commands."""

    event: Event
    order: int
    settled: bool = False
    """Old enough to be matched."""
    undone_by: "Change | None" = None
    """The cut that took it back within a few frames ..."""
    undoes: "Change | None" = None
    """... or the cut that it took back."""

    @property
    def at_ms(self) -> float:
        """When the first new picture was shown, Unix ms."""
        return self.event.at_ms

    @property
    def reverted(self) -> bool:
        """Part of a cut and back."""
        return self.undone_by is not None or self.undoes is not None


class Timed(Protocol):
    """Something that has a time and a place in the order of arrival."""

    @property
    def at_ms(self) -> float:
        """Unix ms."""
        ...

    @property
    def order(self) -> int:
        """Counts up in order of arrival."""
        ...


T = TypeVar("T", bound=Timed)


_LAST = 2**62
"""Behind every order of arrival."""


def _key(item: Timed) -> tuple[float, int]:
    return item.at_ms, item.order


class Pool(Generic[T]):
    """Items by time, then by order of arrival."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._keys: list[tuple[float, int]] = []
        """Of each item, for the search: an item is asked for its time but once."""

    def __contains__(self, item: T) -> bool:
        place = bisect_left(self._keys, _key(item))
        return place < len(self._items) and self._items[place] is item

    def add(self, item: T) -> None:
        """Put an item in its place."""
        key = _key(item)
        place = bisect_right(self._keys, key)
        self._keys.insert(place, key)
        self._items.insert(place, item)

    def remove(self, item: T) -> None:
        """Take out an item that is in."""
        place = bisect_left(self._keys, _key(item))
        del self._items[place], self._keys[place]

    def between(self, start_ms: float, end_ms: float) -> list[T]:
        """Items with start <= time <= end."""
        return self._items[self._place(start_ms) : bisect_right(self._keys, (end_ms, _LAST))]

    def around(self, at_ms: float, count: int) -> list[T]:
        """At most `count` items on either side of a time: bounds the work under a flood."""
        place = self._place(at_ms)
        return self._items[max(0, place - count) : place + count]

    def forget(self, before_ms: float) -> None:
        """Drop what is older."""
        place = self._place(before_ms)
        del self._items[:place], self._keys[:place]

    def _place(self, at_ms: float) -> int:
        """Where the first item is that is not before a time."""
        return bisect_left(self._keys, (at_ms, -_LAST))
