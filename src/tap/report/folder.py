"""What tap keeps of a session: a folder with the witness document, the journal and pictures.

witness.json      the `tap-witness/1` document
journal.sqlite    claims, events, shots and verdicts as they came
evidence/         pictures, named by source and time: `cam-a-1789000000123.jpg`
verify.json       what the last check found
report.html       the page
seal-key.pub      the public key that the journal was sealed with
"""

import re
from bisect import bisect_left
from collections import defaultdict
from functools import cached_property
from pathlib import Path

from tap.feeds.jpeg import MAX_BYTES as MAX_PICTURE_BYTES
from tap.ledger.journal import read_journal
from tap.ledger.recall import recall
from tap.report.findings import Pick
from tap.report.pictures import Still
from tap.vocabulary import Claim

WITNESS_FILE = "witness.json"
JOURNAL_FILE = "journal.sqlite"
PICTURES_FOLDER = "evidence"
VERIFY_FILE = "verify.json"
REPORT_FILE = "report.html"
PUBLIC_KEY_FILE = "seal-key.pub"

TOLERANCE_MS = 500.0
"""How far a stored picture may be from the time asked for."""

_PICTURE_NAME = re.compile(r"^(?P<feed>[A-Za-z0-9._-]{1,64})-(?P<at_ms>\d{1,15})\.jpg$")


def journalled_claims(folder: Path) -> list[Claim]:
    """The messages in the session's journal, in order of receipt; none where there is no journal.

    Raises `LedgerError` for a file that is no journal.
    """
    path = folder / JOURNAL_FILE
    if not path.exists():
        return []
    with read_journal(path) as journal:
        return recall(journal).claims


def picture_name(feed: str, at_ms: float) -> str:
    """The file name of the picture that `feed` made at `at_ms`."""
    return f"{feed}-{at_ms:.0f}.jpg"


class FolderPictures:
    """The pictures that a session kept. Listed once, when first asked."""

    def __init__(self, folder: Path, tolerance_ms: float = TOLERANCE_MS) -> None:
        self._folder = folder
        self._tolerance_ms = tolerance_ms

    def at(self, feed: str, at_ms: float, pick: Pick = Pick.NEAREST) -> Still | None:
        """The stored picture nearest to `at_ms` as `pick` means it; None if none is near."""
        times = self._times.get(feed, [])
        index = bisect_left(times, at_ms)
        earlier, later = times[max(0, index - 1) : index], times[index : index + 1]
        candidates = {
            Pick.LAST_BEFORE: earlier,
            Pick.FIRST_FROM: later,
            Pick.NEAREST: earlier + later,
        }[pick]
        near = [t for t in candidates if abs(t - at_ms) <= self._tolerance_ms]
        if not near:
            return None
        found = min(near, key=lambda t: abs(t - at_ms))
        file = self._folder / picture_name(feed, found)
        try:
            if file.stat().st_size > MAX_PICTURE_BYTES:
                return None
            return Still(found, file.read_bytes())
        except OSError:
            return None

    @cached_property
    def _times(self) -> dict[str, list[int]]:
        """When each feed has a picture, ascending."""
        found: dict[str, list[int]] = defaultdict(list)
        if self._folder.is_dir():
            for file in self._folder.iterdir():
                name = _PICTURE_NAME.match(file.name)
                if name is not None and file.is_file():
                    found[name["feed"]].append(int(name["at_ms"]))
        for times in found.values():
            times.sort()
        return found
