"""Facts that pile up over a session, held small."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from tap.vocabulary import Word

Fact = TypeVar("Fact", bound=Word)


class Packed(Generic[Fact]):
    """A growing list of facts of one kind, each as its JSON: a fifth of what the model takes.

    They are written once and read at the session's end, so reading may cost something.
    """

    def __init__(self, kind: type[Fact]) -> None:
        self._kind = kind
        self._texts: list[bytes] = []

    def append(self, fact: Fact) -> None:
        """The next one."""
        self._texts.append(fact.model_dump_json(by_alias=True, exclude_defaults=True).encode())

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[Fact]:
        return map(self._kind.model_validate_json, self._texts)

    def since(self, place: int) -> list[Fact]:
        """Those from a place on."""
        return [self._kind.model_validate_json(text) for text in self._texts[max(0, place) :]]

    def at(self, place: int) -> Fact:
        """The one at a place.

        Raises: IndexError where there is none.
        """
        return self._kind.model_validate_json(self._texts[place])
