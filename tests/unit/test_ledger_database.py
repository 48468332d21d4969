"""Files that are not what they should be, and disks that are full: one clear sentence each."""

import os
import sqlite3

import pytest

from tap.errors import LedgerError
from tap.ledger import BookError, EmbeddedLedger, FactKind, Journal, SessionRow
from tap.ledger.database import Database
from tap.ledger.embedded import LEDGER
from tap.ledger.journal import JOURNAL

ROW = SessionRow(key="s", external_id="s", started_at_ms=0)


def fails(code):
    return pytest.raises(BookError, check=lambda error: error.code == code)


@pytest.mark.parametrize("opens", [Journal, EmbeddedLedger])
class TestOpening:
    def test_a_text_file_is_no_database(self, tmp_path, opens):
        path = tmp_path / "notes.txt"
        path.write_text("these are notes, and long enough to be read as a header " * 20)
        before = path.read_bytes()
        with fails("NOT_A_LEDGER") as caught:
            opens(path)
        assert "notes.txt" in str(caught.value)
        assert path.read_bytes() == before

    def test_tables_that_are_no_text_are_damage(self, tmp_path, opens):
        path = tmp_path / "journal.sqlite"
        opens(path).close()
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        path.write_bytes(path.read_bytes().replace(b"CREATE TABLE", b"CREATE \x8aABLE"))
        with fails("DAMAGED") as caught:
            opens(path)
        assert "restore it from a copy" in str(caught.value)

    def test_a_foreign_database_is_left_alone(self, tmp_path, opens):
        path = tmp_path / "other.sqlite"
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE theirs (x)")
        other.close()
        before = path.read_bytes()
        with fails("NOT_A_LEDGER"):
            opens(path)
        assert path.read_bytes() == before

    def test_a_newer_version_is_left_to_a_newer_tap(self, tmp_path, opens):
        path = tmp_path / "x.sqlite"
        opens(path).close()
        with sqlite3.connect(path) as newer:
            newer.execute("PRAGMA user_version = 99")
        newer.close()
        with fails("NEWER"):
            opens(path)

    def test_nothing_to_read(self, tmp_path, opens):
        with fails("MISSING"):
            opens(tmp_path / "x.sqlite", read_only=True)
        assert list(tmp_path.iterdir()) == []

    def test_reading_writes_nothing(self, tmp_path, opens):
        path = tmp_path / "x.sqlite"
        opens(path).close()
        reader = opens(path, read_only=True)
        with fails("READ_ONLY"):
            if isinstance(reader, Journal):
                reader.append(FactKind.CLAIM, "claim/m", {})
            else:
                reader.start_session(ROW)
        reader.close()

    def test_a_folder_that_can_not_be(self, tmp_path, opens):
        (tmp_path / "file").write_text("")
        with fails("READ_ONLY") as caught:
            opens(tmp_path / "file" / "x.sqlite")
        assert "folder" in str(caught.value)

    def test_a_folder_is_no_file(self, tmp_path, opens):
        with pytest.raises(LedgerError):
            opens(tmp_path)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_can_not_be_written(self, tmp_path, opens):
        tmp_path.chmod(0o500)
        try:
            with fails("READ_ONLY"):
                opens(tmp_path / "x.sqlite")
        finally:
            tmp_path.chmod(0o700)

    def test_closed_is_closed(self, tmp_path, opens):
        closed = opens(tmp_path / "x.sqlite")
        closed.close()
        closed.close()
        with fails("CLOSED"):
            if isinstance(closed, Journal):
                list(closed.records())
            else:
                closed.sessions()


def test_a_journal_and_a_ledger_are_not_the_same(tmp_path):
    Journal(tmp_path / "j.sqlite").close()
    with fails("NOT_A_LEDGER"):
        EmbeddedLedger(tmp_path / "j.sqlite")


def test_a_ledger_held_by_another_program(tmp_path):
    path = tmp_path / "x.sqlite"
    EmbeddedLedger(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = Database(path, LEDGER, busy_s=0.01)
    with fails("LOCKED"), database.transaction():
        pass
    other.execute("ROLLBACK")
    with database.transaction():
        pass
    other.close()
    database.close()


class TestFullDisk:
    """SQLite's own limit of pages gives the same answer as a disk without room."""

    def fill(self, journal):
        database = journal._database
        [(pages,)] = database.execute("PRAGMA page_count")
        database.execute(f"PRAGMA max_page_count = {pages + 2}")

    def test_what_did_not_fit_is_not_there_and_the_rest_is(self, tmp_path):
        journal = Journal(tmp_path / "j.sqlite")
        self.fill(journal)
        kept = 0
        with fails("NO_ROOM") as caught:
            for kept in range(1000):
                journal.append(FactKind.CLAIM, f"claim/{kept}", {"text": "x" * 500})
        assert "full" in str(caught.value)
        assert len(list(journal.records())) == kept
        journal._database.execute("PRAGMA max_page_count = 1000000")
        journal.append(FactKind.CLAIM, f"claim/{kept}", {"text": "x" * 500})  # goes on
        assert [f.key for f in journal.records()] == [f"claim/{n}" for n in range(kept + 1)]
        journal.close()

    def test_a_transaction_of_several_facts_is_undone_as_a_whole(self, tmp_path):
        journal = Journal(tmp_path / "j.sqlite")
        self.fill(journal)
        with fails("NO_ROOM"), journal.transaction():
            for n in range(1000):
                journal.append(FactKind.CLAIM, f"claim/{n}", {"text": "x" * 500})
        assert list(journal.records()) == []
        journal.close()


def test_a_read_only_file_system_is_read_where_nobody_writes(tmp_path, monkeypatch):
    """There SQLite can't make the files it shares with a writer, and says it can't open it."""
    path = tmp_path / "j.sqlite"
    journal = Journal(path)
    journal.append(FactKind.CLAIM, "claim/m", {})
    journal.close()
    real, opened = sqlite3.connect, []

    def connect(address, **options):
        opened.append(str(address))
        if "mode=ro" in str(address):
            return real(tmp_path / "no" / "such", **options)
        return real(address, **options)

    monkeypatch.setattr(sqlite3, "connect", connect)
    reader = Database(path, JOURNAL, read_only=True)
    assert opened[-1].endswith("immutable=1")
    assert reader.execute("SELECT key FROM facts") == [("claim/m",)]
    reader.close()
