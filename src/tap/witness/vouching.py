"""Makes a session's record provable: signs of life, and the hashes of the files beside the journal.

What the journal seals is only what stands in it. So pictures and documents stand in it with their
SHA-256, and so does tap itself, every few seconds: where it says nothing of a cut between two
signs of life, it has seen none.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tap.ledger import Bookkeeper, FileFact
from tap.report.folder import PICTURES_FOLDER
from tap.witness.keeper import EvidenceKeeper
from tap.witness.patience import Patience

BEAT_MS = 4000.0
"""A sign of life this often; 5 s are promised."""
FILES_MS = 1000.0
"""What became of pictures is journalled this often: one transaction for all of that time."""


class Vouching:
    """Of one run of tap. The session's thread alone may use it."""

    def __init__(
        self,
        books: Bookkeeper,
        patience: Patience,
        folder: Path,
        keeper: EvidenceKeeper | None,
        at_ms: float,
    ) -> None:
        self._books = books
        self._patience = patience
        self._folder = folder
        self._keeper = keeper
        self._beat_ms = self._files_ms = at_ms

    def take_stock(self, known: frozenset[str]) -> None:
        """Journal what an earlier run did not come to say of pictures: see `stock`."""
        self._write(stock(self._folder, known))

    def pass_time(self, at_ms: float, seen: Callable[[], dict[str, Any]]) -> None:
        """Time goes on; `seen` tells what tap has seen so far."""
        if at_ms - self._files_ms >= FILES_MS:
            self._files_ms = at_ms
            self.pictures()
        if at_ms - self._beat_ms >= BEAT_MS:
            self._beat_ms = at_ms
            told = seen()
            self._patience.write(lambda: self._books.beat(at_ms, told))

    def pictures(self) -> None:
        """Journal what became of pictures since."""
        if self._keeper is not None:
            self._write(self._keeper.changes())

    def file(self, name: str) -> None:
        """Journal what a file holds now."""
        self._write([_fact(self._folder, name, found=False)])

    def leave(self, at_ms: float) -> None:
        """The last word of this run."""
        self._patience.write(lambda: self._books.leave(at_ms))

    def _write(self, changes: list[FileFact]) -> None:
        if changes:
            self._patience.write(lambda: self._books.files(changes))


def stock(folder: Path, known: frozenset[str]) -> list[FileFact]:
    """Pictures that are there and not `known`, or known and not there.

    A tap that is killed may have left one that it did not come to journal. Who put it there is
    not known any more: what is journalled of it says so.
    """
    names = {f"{PICTURES_FOLDER}/{file.name}" for file in (folder / PICTURES_FOLDER).glob("*.jpg")}
    changes = [_fact(folder, name, found=True) for name in sorted(names - known)]
    gone = (name for name in sorted(known - names) if not (folder / name).is_file())
    return changes + [FileFact(name, None, found=True) for name in gone]


def _fact(folder: Path, name: str, *, found: bool) -> FileFact:
    try:
        with (folder / name).open("rb") as file:
            return FileFact(name, hashlib.file_digest(file, "sha256").hexdigest(), found)
    except OSError:
        return FileFact(name, None, found)
