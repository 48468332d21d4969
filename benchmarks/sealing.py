"""What the seal costs, how long it takes to check, and whether it shows every attack.

    python -m benchmarks.sealing [--records 10000] [--flips 2000] [--attacks 200]

Journals a session one fact at a time, with and without a seal in turn; checks its folder and its
bundle; then flips single bits of the bundle, and drops, adds, swaps, moves, cuts, replays and
signs anew, each on a copy. Exits with 1 where one attack is not found.
"""

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from unittest.mock import patch

from tap.clock import ManualClock
from tap.ledger import FactKind, FileFact, Journal, Sealing, read_journal
from tap.report import bundle
from tap.report.bundle import check_bundle, write_bundle
from tap.report.folder import JOURNAL_FILE
from tap.report.sealed import check_folder, write_public_key
from tap.seal import Chain, ChainState, PublicKey, Record, Seal, SealCheck, Signer, check
from tap.seal.chain import parse

MS = 1_789_000_000_000.0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A session's records and statements in memory, and the key they were signed with."""

    records: tuple[Record, ...]
    seals: tuple[Seal, ...]
    key: PublicKey

    def check(self, pins: Sequence[str] = ()) -> SealCheck:
        """As a check of its folder would, but for the files."""
        return check(self.records, self.seals, [self.key], pins=pins)


@contextmanager
def remembering() -> Generator[None]:
    """Pure functions are asked once of each entry: a campaign has the same ones again and again."""
    leaf = lru_cache(maxsize=100_000)(Record.leaf)
    signed = lru_cache(maxsize=100_000)(Seal.signed_by)
    read = lru_cache(maxsize=100_000)(parse)
    line = lru_cache(maxsize=100_000)(bundle._read)  # noqa: SLF001 (only to be quick)
    with (
        patch.object(Record, "leaf", leaf),
        patch.object(Seal, "signed_by", signed),
        patch("tap.seal.statements.parse", read),
        patch("tap.report.bundle.parse", read),
        patch("tap.report.bundle._read", line),
    ):
        yield


def made(count: int, seed: int, signer: Signer, session: str = "shoot-1") -> Sealed:
    """A session of about `count` records, sealed as a journal seals them."""
    chance = random.Random(seed)
    chain, state = Chain(signer, session), ChainState()
    state, opening = chain.next(state, (), MS, checkpoint=True, unsealed=0)
    records: list[Record] = []
    seals = [opening]
    for part in _parts(count, chance):
        first = len(records) + 1
        added = [Record(first + n, kind, key, body) for n, (kind, key, body) in enumerate(part)]
        beats = any(record.kind in ("run", "beat", "close") for record in added)
        leaves = [record.leaf() for record in added]
        state, seal = chain.next(state, leaves, MS + 40 * first, checkpoint=beats)
        records += added
        seals.append(seal)
    return Sealed(tuple(records), tuple(seals), signer.public)


def _parts(count: int, chance: random.Random) -> list[list[tuple[str, str, str]]]:
    """What is journalled together, in order."""
    parts = [[("run", "run/1", json.dumps({"run": 1, "atMs": MS}))]]
    total = n = 0
    while total < count - 2:
        n += 1
        at = MS + 1000.0 * n
        if n % 4 == 0:
            part = [("beat", f"beat/1/{n}", json.dumps({"run": 1, "atMs": at, "n": n}))]
        elif n % 5 == 0:
            part = []
            for feed in ("cam-a", "program"):
                fact = FileFact(f"evidence/{feed}-{n}.jpg", f"{chance.getrandbits(256):064x}")
                part.append(("file", f"file/1/{n}/{feed}", json.dumps(fact.body())))
        else:
            camera = chance.choice(["cam-a", "cam-b", "cam-c"])
            event = {"id": f"cut-{n}", "type": "cut", "atMs": at, "to": camera, "ü": "…"}
            part = [("event", f"event/cut-{n}", json.dumps(event))]
        parts.append(part)
        total += len(part)
    parts.append([("close", "close/1/1", json.dumps({"run": 1, "atMs": MS + 1000.0 * (n + 1)}))])
    return parts


# ---------------------------------------------------------------- attacks


def attacked(kind: str, honest: Sealed, other: Sealed, chance: random.Random) -> Sealed:
    """A copy of the session after an attack by someone without its key."""
    records, seals = list(honest.records), list(honest.seals)
    at = chance.randrange(1, len(records) - 1)
    match kind:
        case "drop":
            del records[at]
        case "drop and close the gap":
            del records[at]
            records[at:] = [replace(r, seq=r.seq - 1) for r in records[at:]]
        case "add":
            records.insert(at, replace(records[at], key="event/made-up"))
        case "add and make room":
            records[at:] = [replace(r, seq=r.seq + 1) for r in records[at:]]
            records.insert(at, Record(at + 1, "event", "event/made-up", "{}"))
        case "add at the end":
            records.append(Record(len(records) + 1, "event", "event/made-up", "{}"))
        case "swap":
            a, b = records[at], records[at - 1]
            records[at], records[at - 1] = replace(b, seq=a.seq), replace(a, seq=b.seq)
        case "reorder":
            records[at], records[at - 1] = records[at - 1], records[at]
        case "drop a statement":
            del seals[chance.randrange(len(seals))]
        case "drop a statement and its records":
            n = chance.randrange(1, len(seals))
            gone = parse(seals[n].text)
            records = [r for r in records if not gone.size - len(gone.leaves) < r.seq <= gone.size]
            del seals[n]
        case "truncate":
            seals = seals[: chance.randrange(1, len(seals) - 1)]
            records = records[: parse(seals[-1].text).size]
        case "truncate records":
            records = records[:at]
        case "replay another session's tail":
            n = chance.randrange(1, min(len(seals), len(other.seals)) - 1)
            size = parse(other.seals[n].text).size
            records = [*records[: parse(seals[n].text).size], *other.records[size:]]
            seals = [*seals[: n + 1], *other.seals[n + 1 :]]
        case "swap a picture's hash":
            files = [n for n, r in enumerate(records) if r.kind == "file"]
            n = chance.choice(files)
            body = json.loads(records[n].body)
            records[n] = replace(records[n], body=json.dumps({**body, "sha256": "0" * 64}))
        case "replace the key":
            seals = list(_signed_anew(seals, Signer.make()))
        case _:
            raise ValueError(kind)
    return replace(honest, records=tuple(records), seals=tuple(seals))


ATTACKS = (
    "drop",
    "drop and close the gap",
    "add",
    "add and make room",
    "add at the end",
    "swap",
    "reorder",
    "drop a statement",
    "drop a statement and its records",
    "truncate",
    "truncate records",
    "replay another session's tail",
    "swap a picture's hash",
    "replace the key",
)


def _signed_anew(seals: Sequence[Seal], signer: Signer) -> list[Seal]:
    """The same statements under another key, which says so where runs are opened."""
    chain, state, made_anew = Chain(signer, "shoot-1"), ChainState(), []
    for seal in seals:
        old = parse(seal.text)
        state, new = chain.next(
            state,
            [bytes.fromhex(leaf) for leaf in old.leaves],
            old.at,
            checkpoint=old.root is not None,
            unsealed=0 if old.opens is not None else None,
        )
        made_anew.append(new)
    return made_anew


def flipped(content: bytes, chance: random.Random) -> tuple[bytes, int]:
    """A copy with one bit turned, and where."""
    place = chance.randrange(len(content))
    changed = bytearray(content)
    changed[place] ^= 1 << chance.randrange(8)
    return bytes(changed), place


# ---------------------------------------------------------------- the command


def write_session(folder: Path, count: int, signer: Signer | None) -> float:
    """Journal a session one fact at a time; how many facts a second."""
    given = Sealing(signer, "shoot-1", ManualClock()) if signer is not None else None
    journal = Journal(folder / JOURNAL_FILE, sealing=given)
    sample = made(count, 1, Signer.make())
    began = time.perf_counter()
    for record in sample.records:
        journal.append(FactKind(record.kind), record.key, json.loads(record.body))
    took = time.perf_counter() - began
    journal.close()
    if signer is not None:
        write_public_key(folder, signer.public)
    return len(sample.records) / took


def measure(home: Path, count: int, signer: Signer) -> Path:
    """Print what sealing and checking cost; gives the folder of a sealed session."""
    with_seal, without = [], []
    for turn in range(3):
        without.append(write_session(home / f"plain-{turn}", count // 10, None))
        with_seal.append(write_session(home / f"sealed-{turn}", count // 10, signer))
    print(
        f"facts a second, one transaction each, median of 3 turns: {statistics.median(without):.0f}"
        f" without a seal, {statistics.median(with_seal):.0f} with one"
    )
    folder, whole = home / "whole", home / "whole.seal"
    write_session(folder, count, signer)
    records, statements = write_bundle(folder, whole)
    print(f"{records} records, {statements} statements, bundle {whole.stat().st_size / 1e6:.1f} MB")
    for what, look in (("folder", check_folder), ("bundle", check_bundle)):
        times: list[float] = []
        work: list[float] = []
        for _ in range(3):
            began, worked = time.perf_counter(), time.process_time()
            found = look(folder if what == "folder" else whole, [signer.public])
            times.append(time.perf_counter() - began)
            work.append(time.process_time() - worked)
            # The made-up pictures are not there: that is all that may be wrong.
            assert all(p.place.startswith("picture") for p in found.problems), found.problems[:3]
        print(
            f"checking the {what}: {statistics.median(times):.2f} s, of them "
            f"{statistics.median(work):.2f} s of CPU (medians of 3)"
        )
    began = time.perf_counter()
    Journal(folder / JOURNAL_FILE, sealing=Sealing(signer, "shoot-1", ManualClock())).close()
    print(f"taking the session up again: {1000 * (time.perf_counter() - began):.0f} ms")
    return folder


def flip(home: Path, folder: Path, key: PublicKey, times: int, chance: random.Random) -> list[str]:
    """Turn single bits of the session's bundle; gives those that were not found."""
    whole, altered = home / "now.seal", home / "altered.seal"
    write_bundle(folder, whole)
    content = whole.read_bytes()
    missed: list[str] = []
    for number in range(1, times + 1):
        bad, place = flipped(content, chance)
        altered.write_bytes(bad)
        if not check_bundle(altered, [key]).problems:
            missed.append(f"a bit of byte {place}")
        if number % 200 == 0 or number == times:
            print(f"{number} single bits turned: {number - len(missed)} found", flush=True)
    return missed


def attack(folder: Path, signer: Signer, times: int, chance: random.Random) -> list[str]:
    """Attack the structure of the session; gives the attacks that were not found."""
    with read_journal(folder / JOURNAL_FILE) as journal:
        records, seals = tuple(journal.sealed_records()), tuple(journal.seals())
    honest = Sealed(records, seals, signer.public)
    other = made(len(records), 2, signer, "shoot-2")
    tried: Counter[str] = Counter()
    missed: list[str] = []
    for number in range(times):
        kind = ATTACKS[number % len(ATTACKS)]
        tried[kind] += 1
        if not attacked(kind, honest, other, chance).check([seals[-1].digest]).problems:
            missed.append(kind)
    print(f"{times} attacks on the structure, {times - len(missed)} found: {dict(tried)}")
    return missed


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--flips", type=int, default=2000)
    parser.add_argument("--attacks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    chance, signer = random.Random(options.seed), Signer.make()
    home = Path(tempfile.mkdtemp())
    try:
        folder = measure(home, options.records, signer)
        with remembering():
            missed = attack(folder, signer, options.attacks, chance)
            missed += flip(home, folder, signer.public, options.flips, chance)
        print(f"not found: {missed or 'none'}")
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
