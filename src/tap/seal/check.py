"""Checks a session's records against its chain of statements, and says where they differ.

Needs the public key alone. What is found wrong is located: a record, a statement or a checkpoint.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tap.seal.chain import Seal
from tap.seal.found import MOST_TOLD, Gap, SealFault, SealProblem
from tap.seal.keys import PublicKey
from tap.seal.merkle import Tree
from tap.seal.record import Record
from tap.seal.statements import Followed

RUN, BEAT, FILE, CLOSE = "run", "beat", "file", "close"
"""The kinds of record that the seal itself reads; all others are sealed unread."""
BEAT_MS = 5000.0
"""A sign of life at least this often, or the time between is a gap."""


@dataclass(frozen=True, slots=True)
class SealCheck:
    """What was found. Without problems, every record is as it was when it became durable."""

    problems: tuple[SealProblem, ...]
    session: str | None
    records: int
    statements: int
    checkpoints: int
    signers: tuple[str, ...]
    """Public keys in hex, in the order in which they were first used."""
    digest: str
    """Of the last sound statement: what to keep elsewhere."""
    sealed_at: int | None
    closed: bool
    """Whether the last record says that tap ended in order: nothing can follow it unnoticed."""
    gaps: tuple[Gap, ...]
    files: dict[str, str]
    """SHA-256 in hex of each file that should be there, by its name."""
    found: tuple[str, ...]
    """Files that were not sealed when they were made: a later run found them there, or gone."""


def check(
    records: Iterable[Record],
    seals: Iterable[Seal],
    keys: Sequence[PublicKey],
    *,
    pins: Sequence[str] = (),
) -> SealCheck:
    """Hold `records` against `seals`, in the order in which they are kept.

    `keys` are the public keys that are trusted, `pins` digests of statements that were kept
    elsewhere (in a ledger, on paper).
    """
    chain = Followed(keys)
    statements = 0
    for seal in seals:
        chain.take(seal)
        statements += 1
    read = _Read(chain)
    for record in records:
        read.take(record)
    read.end()
    # Where no statement counts, that is what is wrong, and not each record.
    problems = [*chain.problems, *(read.problems if chain.digests or not statements else ())]
    if not statements:
        text = "There is not one statement: this session was not sealed."
        problems.append(SealProblem(SealFault.MISSING, "statements", text))
    problems += _roots(chain, read.others)
    for pin in pins:
        if pin not in chain.digests:
            text = "It was kept elsewhere, and no statement here has it: the end was cut off, or "
            text += "the history was made anew."
            problems.append(SealProblem(SealFault.NOT_PINNED, f"digest {pin[:16]}", text))
    return SealCheck(
        problems=tuple(problems),
        session=chain.session,
        records=read.count,
        statements=statements,
        checkpoints=len(chain.checkpoints),
        signers=tuple(chain.signers),
        digest=chain.last,
        sealed_at=chain.last_at,
        closed=read.closed,
        gaps=tuple(read.life.gaps),
        files=read.files,
        found=tuple(read.found),
    )


def _roots(chain: Followed, others: dict[int, bytes]) -> Iterator[SealProblem]:
    """Compute each checkpoint's Merkle root anew, as far as every record is known."""
    tree = Tree()
    for n, size, root in chain.checkpoints:
        while tree.size < size:
            seq = tree.size + 1
            leaf = chain.leaves.get(seq) or others.get(seq)
            if leaf is None:
                return
            tree = tree.add(leaf)
        if tree.size == size and tree.root().hex() != root:
            text = f"The Merkle root over its {size} records is another one."
            yield SealProblem(SealFault.ALTERED, f"checkpoint {n}", text)
            return


@dataclass(slots=True)
class _Life:
    """The signs of life, and the gaps between them."""

    gaps: list[Gap] = field(default_factory=list[Gap])
    _last_ms: float | None = None

    def sign(self, kind: str, at_ms: float) -> None:
        last, self._last_ms = self._last_ms, at_ms
        if last is None:
            return
        if kind == RUN:
            self.gaps.append(Gap(last, at_ms, "tap was not running"))
        elif at_ms - last > BEAT_MS:
            self.gaps.append(Gap(last, at_ms, "no sign of life"))


@dataclass(slots=True)
class _Read:
    """The records as far as they were read."""

    chain: Followed
    problems: list[SealProblem] = field(default_factory=list[SealProblem])
    count: int = 0
    files: dict[str, str] = field(default_factory=dict[str, str])
    found: dict[str, None] = field(default_factory=dict[str, None])
    life: _Life = field(default_factory=_Life)
    others: dict[int, bytes] = field(default_factory=dict[int, bytes])
    """The hashes of records of which the statement is unsound, by their number."""
    closed: bool = False
    _seq: int = 0
    """The highest number of a sound record so far."""
    _seen: set[int] = field(default_factory=set[int])
    _altered: set[int] = field(default_factory=set[int])

    def take(self, record: Record) -> None:
        """The next record as it is kept."""
        self.count += 1
        seq, place = record.seq, f"record {record.seq}"
        try:
            leaf = record.leaf()
        except ValueError as error:
            self._altered.add(seq)
            self._tell(SealFault.ALTERED, place, f"It can't be sealed text: {error}.")
            return
        expected = self.chain.leaves.get(seq)
        name = f"{record.kind[:20]!r} {record.key[:80]!r}"
        if expected is None:
            if seq in self.chain.unknown and seq not in self.others:
                self.others[seq] = leaf
                return
            text = f"No sound statement covers it ({name}): it was added, or that is gone."
            self._tell(SealFault.ADDED, place, text)
        elif leaf != expected:
            self._altered.add(seq)
            text = f"It is not what was sealed (now {name}): altered, or exchanged for another."
            self._tell(SealFault.ALTERED, place, text)
        elif seq in self._seen:
            self._tell(SealFault.OUT_OF_ORDER, place, "It stands there twice.")
        else:
            self._sound(record, place)

    def _sound(self, record: Record, place: str) -> None:
        self._seen.add(record.seq)
        if record.seq < self._seq:
            text = f"It stands behind record {self._seq}."
            self._tell(SealFault.OUT_OF_ORDER, place, text)
        self._seq = max(self._seq, record.seq)
        self.closed = record.kind == CLOSE and record.seq == self.chain.size
        self._heed(record)

    def end(self) -> None:
        """Nothing follows."""
        told = self._seen | self._altered
        gone = [seq for seq in self.chain.leaves if seq not in told]
        first = last = 0
        for seq in [*sorted(gone), 0]:
            if first and seq != last + 1:
                which = f"record {first}" if first == last else f"records {first} to {last}"
                text = "It was sealed and is gone." if first == last else "Sealed, and gone."
                self._tell(SealFault.MISSING, which, text)
                first = 0
            first, last = first or seq, seq

    def _heed(self, record: Record) -> None:
        """What a sound record says of files and of tap being there."""
        if record.kind not in (RUN, BEAT, FILE, CLOSE):
            return
        try:
            body: dict[str, Any] = json.loads(record.body)
            if record.kind != FILE:
                self.life.sign(record.kind, float(body["atMs"]))
                return
            name = str(body["name"])
            if body.get("found"):
                self.found[name] = None
            if body.get("gone"):
                self.files.pop(name, None)
            else:
                self.files[name] = str(body["sha256"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # Only what stood there unsealed when a run began can be so: see `Opening.unsealed`.
            text = f"It is sealed, and no {record.kind} that tap writes."
            self._tell(SealFault.ALTERED, f"record {record.seq}", text)

    def _tell(self, fault: SealFault, place: str, text: str) -> None:
        if len(self.problems) < MOST_TOLD:
            self.problems.append(SealProblem(fault, place, text))
