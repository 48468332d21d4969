"""One shoot's way over a cluster: which task follows which. It starts nothing itself.

look over ──▶ cut each feed ──▶ decode each piece ──▶ look at all of it
          └─▶ short: look at it in one piece
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tap.archive import tasks
from tap.archive.tasks import Charge, Decoded, Overview
from tap.archive.work import Replayed
from tap.feeds.pieces import WHOLE, Piece, SeamError, check_seams


@dataclass(frozen=True, slots=True)
class Cutting:
    """Shoots longer than `from_ms` are cut to pieces of `every_ms`."""

    from_ms: float = 10 * 60_000.0
    every_ms: float = 2 * 60_000.0


@dataclass(frozen=True, slots=True)
class Step:
    """One task to give to a worker, and who takes what comes of it.

    `fits` takes a `SeamError` instead, where the task can raise one.
    """

    name: str
    task: Callable[..., Any]
    args: tuple[Any, ...]
    then: "Callable[[Any], list[Step]]"
    fits: "Callable[[], list[Step]] | None" = None


@dataclass(slots=True)
class _Feed:
    media: str
    pieces: tuple[Piece, ...] = ()
    decoded: dict[int, Decoded] = field(default_factory=dict[int, Decoded])

    @property
    def ready(self) -> bool:
        return bool(self.pieces) and len(self.decoded) == len(self.pieces)

    @property
    def files(self) -> list[Path]:
        return [self.decoded[number].file for number in range(len(self.pieces))]


class Course:
    """Says what is to be done next; `replayed` is what it comes to."""

    def __init__(self, charge: Charge, cutting: Cutting, folder: Path) -> None:
        self._charge = charge
        self._cutting = cutting
        self._folder = folder
        """Where reduced pictures lie."""
        self._feeds: dict[str, _Feed] = {}
        self._begun = self._ended = 0
        self.replayed: Replayed | None = None
        self.pieces = 0
        """Into how many pieces it was cut; 0: none."""
        self.decode_s = 0.0
        """CPU seconds that decoding them took."""
        self.workers: set[str] = set()
        """Processes that decoded some."""
        self.unfit: set[str] = set()
        """Feeds whose pieces did not fit, so that they were decoded in one."""

    @property
    def part(self) -> float:
        """How far it is, 0 .. 1, by the steps that are known."""
        return self._ended / self._begun if self._begun else 0.0

    def start(self) -> list[Step]:
        """The first step."""
        return self._begin([Step("look over", tasks.look_over, (self._charge,), self._over)])

    def _begin(self, steps: list[Step]) -> list[Step]:
        self._begun += len(steps)
        return steps

    def _over(self, overview: Overview) -> list[Step]:
        self._ended += 1
        if overview.length_ms <= self._cutting.from_ms:
            return self._begin([Step("look", tasks.witness_whole, (self._charge,), self._end)])
        self._feeds = {name: _Feed(media) for name, media in overview.media.items()}
        return self._begin([self._cut(name, feed) for name, feed in self._feeds.items()])

    def _cut(self, name: str, feed: _Feed) -> Step:
        def then(pieces: tuple[Piece, ...]) -> list[Step]:
            self._ended += 1
            return self._decode(name, pieces)

        args = (self._charge, feed.media, self._cutting.every_ms)
        return Step(f"cut {name}", tasks.cut_media, args, then)

    def _decode(self, name: str, pieces: tuple[Piece, ...]) -> list[Step]:
        feed = self._feeds[name]
        feed.pieces, feed.decoded = pieces, {}
        self.pieces += len(pieces)
        return self._begin([self._step(name, feed, number) for number in range(len(pieces))])

    def _step(self, name: str, feed: _Feed, number: int) -> Step:
        pieces = feed.pieces

        def then(decoded: Decoded) -> list[Step]:
            self._ended += 1
            self.decode_s += decoded.cpu_s
            self.workers.add(decoded.worker)
            if feed.pieces is not pieces:
                return []  # others did not fit: it is decoded anew
            feed.decoded[number] = decoded
            return self._join(name, feed)

        def whole() -> list[Step]:
            self._ended += 1
            return self._whole(name) if feed.pieces is pieces else []

        kind = "whole" if pieces == (WHOLE,) else "piece"
        file = self._folder / name / f"{kind}-{number:05}.lumas"
        args = (self._charge, feed.media, pieces[number], file)
        return Step(f"decode {name} {number}", tasks.decode_piece, args, then, whole)

    def _join(self, name: str, feed: _Feed) -> list[Step]:
        if feed.ready:
            try:
                check_seams([feed.decoded[number].seams for number in range(len(feed.pieces))])
            except SeamError:
                return self._whole(name)
        if not all(each.ready for each in self._feeds.values()):
            return []
        args = (self._charge, {each: self._feeds[each].files for each in self._feeds})
        return self._begin([Step("look", tasks.witness_joined, args, self._end)])

    def _whole(self, name: str) -> list[Step]:
        self.unfit.add(name)
        return self._decode(name, (WHOLE,))

    def _end(self, replayed: Replayed) -> list[Step]:
        self._ended += 1
        self.replayed = replayed
        return []
