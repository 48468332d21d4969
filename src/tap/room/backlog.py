"""What happened, numbered, the last of it: who reads keeps a number, not a queue."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Some items of a backlog. `next` is the number of the last one, if more follow."""

    items: list[T]
    next: int | None
    oldest: int | None


class Backlog(Generic[T]):
    """The last `most` items, numbered from 1. One thread may use it."""

    def __init__(self, most: int) -> None:
        self._items: deque[T] = deque(maxlen=most)
        self.last = 0
        """The number of the newest item; 0 before the first."""

    @property
    def oldest(self) -> int:
        """The number of the oldest item that is still held."""
        return self.last - len(self._items) + 1

    def add(self, item: T) -> int:
        """Append an item; returns its number, which `last + 1` told before."""
        self._items.append(item)
        self.last += 1
        return self.last

    def holds_after(self, number: int) -> bool:
        """Whether everything after `number` is still here: nothing would be missed."""
        return self.oldest - 1 <= number <= self.last

    def after(self, number: int, limit: int | None = None) -> list[T]:
        """Items after `number`, the oldest first."""
        start = max(0, number - self.oldest + 1)
        stop = None if limit is None else start + limit
        return list(islice(self._items, start, stop))

    def page(self, after: int | None, limit: int) -> Slice[T]:
        """`limit` items after a number; without one, the newest."""
        start = max(0, self.last - limit) if after is None else after
        items = self.after(start, limit)
        end = max(start, self.oldest - 1) + len(items)
        return Slice(
            items,
            next=end if items and end < self.last else None,
            oldest=self.oldest if self._items else None,
        )

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)
