"""A sealed folder and its bundle: what was altered in them is found, and where."""

import json
import os
import random
import sqlite3
import stat
from pathlib import Path

import pytest
from benchmarks.sealing import flipped, remembering

from tap.clock import ManualClock
from tap.config import load_or_make_key, read_public_key
from tap.errors import InputError
from tap.ledger import (
    BookError,
    Bookkeeper,
    CameraFacts,
    EmbeddedLedger,
    FactKind,
    Journal,
    Sealing,
    SessionFacts,
    read_journal,
)
from tap.report.bundle import check_bundle, write_bundle
from tap.report.sealed import check_folder, write_public_key
from tap.seal import SealFault, Signer, check
from tap.vocabulary import Event
from tap.witness.seal import pinned_digest, seal_now, seal_state
from tap.witness.vouching import stock

SIGNER = Signer.make()
KEYS = [SIGNER.public]
CLOCK = ManualClock()
MS = CLOCK.now_ms()


def sealing(signer=SIGNER):
    return Sealing(signer, "shoot", CLOCK)


class Run:
    """One run of tap over a session's folder, as short as can be."""

    def __init__(self, folder: Path, signer=SIGNER):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        if signer is not None:
            write_public_key(folder, signer.public)
        self.store = EmbeddedLedger(folder.parent / "ledger.sqlite")
        journal = Journal(folder / "journal.sqlite", sealing=sealing(signer) if signer else None)
        self.books = Bookkeeper(journal, self.store, external_id="shoot")
        self.begun = self.books.begin(SessionFacts("shoot"), [CameraFacts("cam-a")], MS)

    def see(self, *numbers):
        for n in numbers:
            self.books.event(Event(id=f"cut-{n}", type="cut", at_ms=MS + n, to_camera="cam-a"))
        self.books.beat(MS + 1000 * numbers[-1], {"programFrames": 25 * numbers[-1]})
        return self

    def picture(self, name, content):
        path = self.folder / "evidence" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self.books.files(stock(self.folder, self.begun.files | self.known()))
        return self

    def known(self):
        found = self.books._journal.records(FactKind.FILE)
        return {fact.body["name"] for fact in found}

    def leave(self, *, complete=True):
        if complete:
            self.books.complete(MS + 9000, {"shots": 3})
        self.books.leave(MS + 9000)
        self.stop()

    def stop(self):
        """Also what a kill leaves."""
        self.books.close()
        self.store.close()


@pytest.fixture
def folder(tmp_path):
    run = Run(tmp_path / "shoot").see(1, 2, 3)
    run.picture("cam-a-1.jpg", b"one").picture("cam-a-2.jpg", b"two").leave()
    return tmp_path / "shoot"


def sql(folder, statement, *values):
    connection = sqlite3.connect(folder / "journal.sqlite")
    with connection:
        assert connection.execute(statement, values).rowcount >= 1
    connection.close()


def places(folder, keys=KEYS, pins=()):
    return [(p.fault, p.place) for p in check_folder(folder, keys, pins).problems]


def digest_in_ledger(folder):
    store = EmbeddedLedger(folder.parent / "ledger.sqlite", read_only=True)
    try:
        return pinned_digest(store, "shoot")
    finally:
        store.close()


def _lose(journal):
    journal.append(FactKind.EVENT, "lost", {})
    journal.append(FactKind.EVENT, "no JSON", {"n": object()})


class TestHonest:
    def test_a_session_is_as_it_was_sealed(self, folder):
        found = check_folder(folder, KEYS, [digest_in_ledger(folder)])
        assert found.problems == ()
        assert found.closed
        assert set(found.files) == {"evidence/cam-a-1.jpg", "evidence/cam-a-2.jpg"}

    def test_one_transaction_is_one_statement(self, tmp_path):
        journal = Journal(tmp_path / "journal.sqlite", sealing=sealing())
        with journal.transaction():
            for n in range(3):
                journal.append(FactKind.EVENT, f"e{n}", {"n": n})
        with pytest.raises(BookError), journal.transaction():
            _lose(journal)
        journal.append(FactKind.EVENT, "e0", {"n": 0})  # known: nothing to sign
        journal.append(FactKind.EVENT, "e3", {})
        journal.close()
        with read_journal(tmp_path / "journal.sqlite") as reader:
            sizes = [json.loads(seal.text)["size"] for seal in reader.seals()]
            assert sizes == [0, 3, 4]
            assert check(reader.sealed_records(), reader.seals(), KEYS).problems == ()

    def test_a_run_after_a_kill_goes_on_with_the_chain(self, tmp_path):
        folder = tmp_path / "shoot"
        for run in (1, 2, 3):
            Run(folder).see(run).stop()
        assert places(folder) == []
        assert not check_folder(folder, KEYS).closed
        Run(folder).see(4).leave()
        found = check_folder(folder, KEYS, [digest_in_ledger(folder)])
        assert (found.problems, found.closed) == ((), True)
        assert [gap.why for gap in found.gaps].count("tap was not running") == 3

    def test_a_picture_that_a_kill_left_is_taken_in_and_said_to_be_found(self, tmp_path):
        folder = tmp_path / "shoot"
        Run(folder).see(1).picture("cam-a-1.jpg", b"one").stop()
        (folder / "evidence/cam-a-2.jpg").write_bytes(b"two")
        (folder / "evidence/cam-a-1.jpg").unlink()
        assert places(folder) == [
            (SealFault.MISSING, "picture evidence/cam-a-1.jpg"),
            (SealFault.ADDED, "picture evidence/cam-a-2.jpg"),
        ]
        assert seal_now(folder, "shoot", SIGNER, CLOCK)
        assert not seal_now(folder, "shoot", SIGNER, CLOCK)
        assert places(folder) == []
        with read_journal(folder / "journal.sqlite") as journal:
            bodies = [fact.body for fact in journal.records(FactKind.FILE)][-2:]
        assert [body["found"] for body in bodies] == [True, True]
        assert set(check_folder(folder, KEYS).found) == {
            "evidence/cam-a-1.jpg",
            "evidence/cam-a-2.jpg",
        }
        assert seal_state(folder).closed

    def test_two_keys_of_two_runs_have_to_be_given_both(self, tmp_path):
        folder, second = tmp_path / "shoot", Signer.make()
        Run(folder).see(1).stop()
        Run(folder, second).see(2).leave()
        assert places(folder, [SIGNER.public, second.public]) == []
        found = places(folder)
        assert (SealFault.FOREIGN, "file seal-key.pub") in found
        assert all(fault is not SealFault.ALTERED for fault, _ in found)

    def test_a_journal_of_an_older_tap_is_taken_in_and_said_to_have_stood_there(self, tmp_path):
        folder = tmp_path / "shoot"
        Run(folder, None).see(1, 2).stop()
        with sqlite3.connect(folder / "journal.sqlite") as older:
            older.execute("DROP TABLE seals")
            older.execute("PRAGMA user_version = 1")
        older.close()
        assert any("not sealed" in p.text for p in check_folder(folder, KEYS).problems)
        Run(folder).see(3).leave()
        [problem] = check_folder(folder, KEYS).problems
        assert (problem.fault, problem.place) == (SealFault.ADDED, "statement 1")
        assert "records 1 to 6" in problem.text

    def test_more_records_than_one_statement_holds(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tap.ledger.sealing.MOST_LEAVES", 4)
        journal = Journal(tmp_path / "journal.sqlite", sealing=sealing())
        with journal.transaction():
            for n in range(10):
                journal.append(FactKind.EVENT, f"e{n}", {})
        journal.close()
        Journal(tmp_path / "journal.sqlite", sealing=sealing()).close()
        with read_journal(tmp_path / "journal.sqlite") as reader:
            assert check(reader.sealed_records(), reader.seals(), KEYS).problems == ()


class TestAltered:
    def test_a_record_is_located(self, folder):
        sql(folder, "UPDATE facts SET body = replace(body, 'cam-a', 'cam-b') WHERE key = ?",
            "event/cut-2")  # fmt: skip
        assert places(folder) == [(SealFault.ALTERED, "record 5")]

    def test_a_kind_that_is_none_is_located(self, folder):
        sql(folder, "UPDATE facts SET kind = 'evenu' WHERE key = 'event/cut-2'")
        assert places(folder) == [(SealFault.ALTERED, "record 5")]

    def test_bytes_that_are_no_text_are_located(self, folder):
        sql(folder, "UPDATE facts SET body = CAST(X'7B80FF' AS TEXT) WHERE seq = 5")
        assert places(folder) == [(SealFault.ALTERED, "record 5")]

    def test_a_dropped_record_is_located_and_the_journal_not_written_on(self, folder):
        sql(folder, "DELETE FROM facts WHERE seq = 5")
        assert places(folder) == [(SealFault.MISSING, "record 5")]
        with pytest.raises(BookError, match="taken out"):
            Run(folder)

    def test_a_record_that_was_added_while_tap_was_down_stays_marked(self, tmp_path):
        folder = tmp_path / "shoot"
        Run(folder).see(1).stop()
        sql(
            folder,
            "INSERT INTO facts (kind, key, body)"
            " SELECT kind, 'event/x', body FROM facts WHERE key = 'event/cut-1'",
        )
        assert places(folder) == [(SealFault.ADDED, "record 6")]
        Run(folder).see(2).leave()
        [(fault, place)] = places(folder)
        assert fault is SealFault.ADDED
        assert place.startswith("statement")

    def test_an_end_cut_off_with_its_statements_shows_against_the_ledger(self, folder):
        pin = digest_in_ledger(folder)
        sql(folder, "DELETE FROM facts WHERE seq > 6")
        sql(folder, "DELETE FROM seals WHERE json_extract(statement, '$.size') > 6")
        assert [p for p in places(folder) if not p[1].startswith("picture")] == []
        assert not check_folder(folder, KEYS).closed
        assert (SealFault.NOT_PINNED, f"digest {pin[:16]}") in places(folder, pins=[pin])

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            (lambda path: path.write_bytes(b"oNe"), SealFault.ALTERED),
            (lambda path: path.unlink(), SealFault.MISSING),
            (lambda path: path.write_bytes((path.parent / "cam-a-2.jpg").read_bytes()),
             SealFault.ALTERED),
        ],
    )  # fmt: skip
    def test_a_picture_is_located(self, folder, change, fault):
        change(folder / "evidence/cam-a-1.jpg")
        assert places(folder) == [(fault, "picture evidence/cam-a-1.jpg")]

    def test_a_picture_that_was_added_is_located(self, folder):
        (folder / "evidence/cam-b-3.jpg").write_bytes(b"three")
        assert places(folder) == [(SealFault.ADDED, "picture evidence/cam-b-3.jpg")]

    def test_two_pictures_exchanged_are_located(self, folder):
        first, second = (folder / f"evidence/cam-a-{n}.jpg" for n in (1, 2))
        first.rename(folder / "x")
        second.rename(first)
        (folder / "x").rename(second)
        assert [place for _, place in places(folder)] == [
            "picture evidence/cam-a-1.jpg",
            "picture evidence/cam-a-2.jpg",
        ]

    def test_the_public_key_exchanged_or_damaged_is_found(self, folder):
        other = Signer.make().public
        (folder / "seal-key.pub").write_text(other.pem())
        assert places(folder) == [(SealFault.FOREIGN, "file seal-key.pub")]
        (folder / "seal-key.pub").write_text(KEYS[0].pem().replace("M", "N", 1))
        assert places(folder) == [(SealFault.ALTERED, "file seal-key.pub")]

    def test_a_view_in_the_place_of_a_table_is_not_asked(self, folder):
        sql(folder, "UPDATE facts SET key = key")
        connection = sqlite3.connect(folder / "journal.sqlite")
        connection.executescript(
            "ALTER TABLE facts RENAME TO real; CREATE VIEW facts AS WITH RECURSIVE endless AS"
            " (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM endless)"
            " SELECT seq, 'event' AS kind, 'k' || seq AS key, '{}' AS body FROM endless;"
        )
        connection.close()
        assert (SealFault.ALTERED, "records") in places(folder)

    def test_with_another_key_only_the_statements_are_blamed(self, folder):
        found = places(folder, [Signer.make().public])
        assert {place.split()[0] for _, place in found} == {"statement", "file", "picture"}

    def test_a_file_that_is_no_database_any_more_is_found(self, folder):
        (folder / "journal.sqlite").write_bytes(b"x" * 5000)
        assert (SealFault.ALTERED, "journal.sqlite") in places(folder)

    def test_pages_that_cannot_be_read_are_found(self, folder):
        path = folder / "journal.sqlite"
        content = bytearray(path.read_bytes())
        for page in range(4096, len(content), 4096):
            content[page : page + 8] = b"\xff" * 8
        path.write_bytes(bytes(content))
        assert any(fault is SealFault.ALTERED for fault, _ in places(folder))

    def test_a_sealed_name_that_leads_outside_is_not_followed(self, tmp_path):
        folder = tmp_path / "shoot"
        (tmp_path / "x.jpg").write_bytes(b"x")
        journal = Journal(folder / "journal.sqlite", sealing=sealing())
        journal.append(FactKind.FILE, "f", {"name": "../x.jpg", "sha256": "0" * 64})
        journal.close()
        [problem] = check_folder(folder, KEYS).problems
        assert "outside" in problem.text

    @pytest.mark.parametrize(
        "times", [60, pytest.param(600, marks=[pytest.mark.campaign, pytest.mark.timeout(600)])]
    )
    def test_any_bit_of_the_journal_file_is_either_found_or_held_nothing_sealed(
        self, folder, times
    ):
        """SQLite's free space and the outbox are in the file too: no record is in those."""
        with sqlite3.connect(folder / "journal.sqlite") as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        path, chance = folder / "journal.sqlite", random.Random(times)
        content, whole = path.read_bytes(), bundled(folder)
        found = 0
        for _ in range(times):
            path.write_bytes(flipped(content, chance)[0])
            if places(folder):
                found += 1
            else:
                assert bundled(folder) == whole
        assert found > times // 10


def bundled(folder):
    out = folder.parent / "whole.seal"
    write_bundle(folder, out)
    return out.read_bytes()


class TestBundle:
    @pytest.fixture
    def bundle(self, folder):
        bundled(folder)
        return folder.parent / "whole.seal"

    def test_it_is_checked_without_the_folder(self, folder, bundle):
        found = check_bundle(bundle, KEYS, [digest_in_ledger(folder)])
        whole = check_folder(folder, KEYS)
        assert found.problems == ()
        assert (found.records, found.digest, found.files) == (
            whole.records,
            whole.digest,
            whole.files,
        )

    @pytest.mark.parametrize(
        "times", [250, pytest.param(4000, marks=[pytest.mark.campaign, pytest.mark.timeout(600)])]
    )
    def test_every_bit_of_it_counts(self, bundle, times):
        content, chance = bundle.read_bytes(), random.Random(times)
        with remembering():
            for _ in range(times):
                bad, place = flipped(content, chance)
                bundle.write_bytes(bad)
                assert check_bundle(bundle, KEYS).problems, place

    @pytest.mark.parametrize("number", [0, 1, 5, -2, -1])
    def test_every_line_of_it_counts(self, bundle, number):
        lines = bundle.read_bytes().splitlines(keepends=True)
        for altered in (
            lines[: number % len(lines)] + lines[number % len(lines) + 1 :],
            [*lines, lines[number]],
            [lines[number], *lines],
        ):
            bundle.write_bytes(b"".join(altered))
            assert check_bundle(bundle, KEYS).problems
        bundle.write_bytes(b"".join(lines)[:-1])
        assert check_bundle(bundle, KEYS).problems

    def test_a_record_moved_behind_its_statement_is_found(self, bundle):
        lines = bundle.read_bytes().splitlines(keepends=True)
        at = next(n for n, line in enumerate(lines) if b"event/cut-2" in line)
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
        bundle.write_bytes(b"".join(lines))
        [problem] = check_bundle(bundle, KEYS).problems
        assert problem.place == f"line {at + 1} of the bundle"

    @pytest.mark.parametrize(
        "content", [b"", b"x", b"{}\n", b"[" * 99999 + b"\n", b"\xff\xfe\n", b'{"seal":{}}\n']
    )
    def test_what_is_no_bundle_is_told_of(self, tmp_path, content):
        (tmp_path / "x.seal").write_bytes(content)
        assert check_bundle(tmp_path / "x.seal", KEYS).problems

    def test_a_session_that_is_not_sealed_has_none(self, tmp_path):
        Run(tmp_path / "shoot", None).see(1).stop()
        with pytest.raises(InputError, match="not sealed"):
            write_bundle(tmp_path / "shoot", tmp_path / "x.seal")
        assert not list(tmp_path.glob("x.seal*"))

    def test_a_path_that_is_not_there(self, tmp_path):
        with pytest.raises(InputError, match="check the path"):
            check_bundle(tmp_path / "none", KEYS)
        with pytest.raises(InputError, match=r"journal\.sqlite"):
            check_folder(tmp_path, KEYS)


class TestLedger:
    def test_the_ledger_is_told_the_checkpoint_before_the_end(self, folder):
        store = EmbeddedLedger(folder.parent / "ledger.sqlite", read_only=True)
        pin = store.session("shoot").final_state.seal
        store.close()
        with read_journal(folder / "journal.sqlite") as journal:
            [seal] = [s for s in journal.seals() if s.digest == pin.digest]
            [completion] = journal.records(FactKind.COMPLETION)
        statement = json.loads(seal.text)
        assert (statement["n"], statement["size"]) == (pin.statement, pin.records)
        assert statement["root"] == pin.root
        assert pin.records == completion.seq - 1
        assert pin.key == SIGNER.public.id

    def test_a_completion_said_twice_is_no_difference(self, tmp_path):
        run = Run(tmp_path / "shoot").see(1)
        for _ in range(2):
            run.books.complete(MS + 9000, {"shots": 3})
        assert run.books.status().differing == 0
        run.stop()

    def test_without_a_seal_the_row_has_none(self, tmp_path):
        Run(tmp_path / "shoot", None).see(1).leave()
        assert digest_in_ledger(tmp_path / "shoot") is None


class TestKey:
    def test_it_is_made_once_for_its_owner_alone(self, tmp_path):
        path = tmp_path / "seal" / "seal-key.pem"
        first, second = load_or_make_key(path), load_or_make_key(path)
        assert first.public == second.public
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert [p.name for p in sorted(path.parent.iterdir())] == ["seal-key.pem", "seal-key.pub"]
        assert read_public_key(str(path.with_suffix(".pub"))) == first.public
        assert read_public_key(first.public.hex) == first.public

    @pytest.mark.parametrize(
        ("what", "mode"), [("file", 0o644), ("file", 0o620), ("folder", 0o755)]
    )
    def test_one_that_others_can_use_is_refused(self, tmp_path, what, mode):
        path = tmp_path / "seal" / "seal-key.pem"
        load_or_make_key(path)
        (path if what == "file" else path.parent).chmod(mode)
        with pytest.raises(InputError, match=f"got {mode:04o}; correct it with: chmod"):
            load_or_make_key(path)

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give away")
    def test_one_of_another_user_is_refused(self, tmp_path):
        path = tmp_path / "seal" / "seal-key.pem"
        load_or_make_key(path)
        os.chown(path, 12345, -1)
        with pytest.raises(InputError, match="another user"):
            load_or_make_key(path)

    def test_one_in_the_session_s_folder_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="outside"):
            load_or_make_key(tmp_path / "a" / "key.pem", away_from=tmp_path)
        assert not (tmp_path / "a").exists()

    def test_what_is_no_key_is_refused(self, tmp_path):
        path = tmp_path / "seal" / "seal-key.pem"
        load_or_make_key(path)
        path.write_text("x")
        with pytest.raises(InputError, match="private key"):
            load_or_make_key(path)
        with pytest.raises(InputError, match="--key"):
            read_public_key(str(path))
