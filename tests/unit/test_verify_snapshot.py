"""verify from a snapshot ZIP: a session with one fault of each kind; exactly those are found."""

import json
import time
import zipfile

import pytest
from sample_books import EVENTS, NAME, keep, key, problems
from sample_session import sample

from tap.ledger import EmbeddedLedger, SnapshotLedger, read_journal, write_snapshot
from tap.ledger.carry import tables_of
from tap.ledger.memory import no_cycles
from tap.report.findings import Fault
from tap.witness.books import check_books, read_books


def zipped(kept, path):
    ledger = EmbeddedLedger(kept.ledger, read_only=True)
    write_snapshot(path, tables_of(ledger, ledger.sessions()))
    ledger.close()
    return path


def edited(path, change):
    """The same ZIP with its director events changed by `change`."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = f"{EVENTS}/documents.jsonl"
    rows = [json.loads(line) for line in members[name].splitlines()]
    change(rows)
    members[name] = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def plant(rows):
    """One missing, one altered, one doubled, one swapped with its neighbour, one orphaned, one
    that nobody wrote."""
    by_key = {row["key"]: row for row in rows}
    by_key[key("m12")]["text"] = "All was well."
    first, second = by_key[key("m18")], by_key[key("m19")]
    first["seq"], second["seq"] = second["seq"], first["seq"]
    rows.append(dict(by_key[key("m15")]))
    by_key[key("m16")]["sessionKey"] = "another"
    rows.append(by_key[key("m2")] | {"key": key("m2#2"), "seq": 1e6})
    rows.remove(by_key[key("m9")])


PLANTED = {
    (Fault.MISSING, key("m9")),
    (Fault.ALTERED, key("m12")),
    (Fault.DUPLICATE, key("m15")),
    (Fault.ORPHANED, key("m16")),
    (Fault.OUT_OF_ORDER, key("m18")),
    (Fault.OUT_OF_ORDER, key("m19")),
    (Fault.EXTRA, key("m2#2")),
}


def test_an_honest_snapshot_is_as_good_as_the_ledger(tmp_path):
    given = sample()
    kept = keep(tmp_path, given.witness, given.claims)
    from_ledger = kept.verify()
    from_zip = kept.verify(ledger=SnapshotLedger(zipped(kept, tmp_path / "s.zip")))
    assert from_zip == from_ledger
    assert problems(from_zip) == []


def test_each_fault_is_named_and_nothing_else(tmp_path):
    given = sample()
    kept = keep(tmp_path, given.witness, given.claims)
    path = edited(zipped(kept, tmp_path / "s.zip"), plant)
    found = problems(kept.verify(ledger=SnapshotLedger(path)))
    assert set(found) == PLANTED
    assert len(found) == len(PLANTED)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_fault_is_named_among_twenty_thousand(tmp_path):
    given = sample(cuts=20_000, faults=False)
    kept = keep(tmp_path, given.witness, given.claims, at_once=True)
    path = edited(zipped(kept, tmp_path / "s.zip"), plant)
    took = []
    for _ in range(3):
        began = time.perf_counter()
        with no_cycles(), read_journal(kept.folder / "journal.sqlite") as journal:
            ledger = SnapshotLedger(path)
            found = check_books(read_books(ledger, NAME), journal, ledger.kept)
        took.append(time.perf_counter() - began)
        assert {(problem.fault, problem.key) for problem in found} == PLANTED
    began = time.perf_counter()
    checked = kept.verify(ledger=SnapshotLedger(path))
    print(f"20,000 events: rows {min(took):.2f} s, whole {time.perf_counter() - began:.2f} s")
    assert set(problems(checked)) == PLANTED
    assert checked.exit_code == 1
