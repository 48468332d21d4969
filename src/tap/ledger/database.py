"""SQLite files of tap's own: opened with care, durable, and with errors that speak to people."""

import sqlite3
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tap.ledger.faults import BookError, Code

_CODES = {
    sqlite3.SQLITE_BUSY: (Code.LOCKED, "another program holds it", "end that program"),
    sqlite3.SQLITE_LOCKED: (Code.LOCKED, "another program holds it", "end that program"),
    sqlite3.SQLITE_FULL: (Code.NO_ROOM, "the disk is full", "make room"),
    sqlite3.SQLITE_READONLY: (Code.READ_ONLY, "it is read-only", "make it writable"),
    sqlite3.SQLITE_PERM: (Code.READ_ONLY, "access is refused", "check its permissions"),
    sqlite3.SQLITE_CANTOPEN: (
        Code.READ_ONLY,
        "it can't be opened",
        "check that its folder exists and is writable",
    ),
    sqlite3.SQLITE_NOTADB: (Code.NOT_A_LEDGER, "it is no SQLite database", "give another path"),
    sqlite3.SQLITE_CORRUPT: (Code.DAMAGED, "it is damaged", "restore it from a copy"),
    sqlite3.SQLITE_IOERR: (Code.FAILED, "the disk fails", "check the disk"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file of one kind is called, how to know it, and its tables.

    `upgrades` has, by version, what an older file of that version lacks to be of the next.
    """

    name: str
    application_id: int
    version: int
    schema: str
    upgrades: Mapping[int, str] = field(default_factory=dict[int, str])


class Database:
    """One SQLite file; threads may share it.

    What a transaction has written is on the disk when it ends (WAL, `synchronous=FULL`). All
    methods raise `BookError`.
    """

    def __init__(
        self, path: Path, kind: Kind, *, read_only: bool = False, busy_s: float = 5.0
    ) -> None:
        self.path = path
        self._kind = kind
        self._lock = threading.RLock()
        self._depth = 0
        if read_only and not path.is_file():
            raise BookError(
                Code.MISSING, f"{path}: expected {kind.name}, found no such file; check the path."
            )
        self._connection = self._connect(read_only, busy_s)
        try:
            with self._mapped():
                self._prepare(read_only)
        except BaseException:
            self._connection.close()
            raise

    def alone(self) -> AbstractContextManager[object]:
        """No other thread uses the file meanwhile."""
        return self._lock

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing. Inside another one it is a part of that."""
        with self._lock, self._mapped():
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            except BaseException:
                if self._depth == 1 and self._connection.in_transaction:
                    with suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; its result rows."""
        with self._lock, self._mapped():
            return self._connection.execute(sql, values).fetchall()

    def execute_many(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of `values`, all or nothing."""
        with self.transaction():
            self._connection.executemany(sql, values)

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        with self._lock, suppress(sqlite3.Error):
            self._connection.close()

    # ------------------------------------------------------------------ opening

    def _connect(self, read_only: bool, busy_s: float) -> sqlite3.Connection:
        with self._mapped():
            if read_only:
                address = f"{self.path.absolute().as_uri()}?{self._reading()}"
            else:
                self._make_folder()
                address = self.path.absolute().as_uri()
            return sqlite3.connect(
                address, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False
            )

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BookError(
                Code.READ_ONLY,
                f"{self.path}: expected a place for {self._kind.name}, but its folder can't be "
                f"made ({error.strerror or error}); check the path.",
            ) from error

    def _reading(self) -> str:
        """In a folder that can't be written, SQLite reads a WAL database only if told that
        nobody else writes; true where its writer has left nothing in the log."""
        probe: sqlite3.Connection | None = None
        try:
            probe = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)
            probe.execute("PRAGMA schema_version").fetchone()
        except sqlite3.Error as error:
            log = self.path.with_name(f"{self.path.name}-wal")
            unwritable = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CANTOPEN
            return "immutable=1" if unwritable and not log.exists() else "mode=ro"
        finally:
            if probe is not None:
                probe.close()
        return "mode=ro"

    def _prepare(self, read_only: bool) -> None:
        """Look what the file is before anything in it is touched."""
        if self._identity() is None:
            if read_only:
                raise self._foreign()
            self._set_durable()
            with self.transaction():
                if self._identity() is None:  # else another process was faster
                    self._create()
        if self._identity() != self._kind.application_id:
            raise self._foreign()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > self._kind.version:
            raise BookError(
                Code.NEWER,
                f"{self.path}: expected {self._kind.name} of version {self._kind.version} or "
                f"older, got version {version}; open it with a newer tap.",
            )
        if not read_only:
            self._set_durable()
            if version < self._kind.version:
                with self.transaction():
                    self._upgrade(version)

    def _identity(self) -> int | None:
        """The application id; None for a file without tables."""
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (identity,) = self._connection.execute("PRAGMA application_id").fetchone()
        return int(identity) if tables or identity else None

    def _create(self) -> None:
        self._run(self._kind.schema)
        self._connection.execute(f"PRAGMA application_id = {self._kind.application_id}")
        self._connection.execute(f"PRAGMA user_version = {self._kind.version}")

    def _upgrade(self, version: int) -> None:
        for older in range(version, self._kind.version):
            self._run(self._kind.upgrades.get(older, ""))
        self._connection.execute(f"PRAGMA user_version = {self._kind.version}")

    def _run(self, statements: str) -> None:
        for statement in statements.split(";"):
            if statement.strip():
                self._connection.execute(statement)

    def _set_durable(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA fullfsync = ON")  # where fsync alone stops at the drive

    # ------------------------------------------------------------------ errors

    def _foreign(self) -> BookError:
        return BookError(
            Code.NOT_A_LEDGER,
            f"{self.path}: expected {self._kind.name}, got a database of something else; "
            "give another path.",
        )

    @contextmanager
    def _mapped(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._fault(error) from error
        except UnicodeDecodeError as error:
            # SQLite quotes what it found in a damaged file, and that need not be text.
            damaged = sqlite3.DatabaseError("what it says of its tables is no text")
            damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise self._fault(damaged) from error

    def _fault(self, error: sqlite3.Error) -> BookError:
        number = getattr(error, "sqlite_errorcode", None)
        if isinstance(error, sqlite3.ProgrammingError) and number is None:
            return BookError(
                Code.CLOSED, f"{self.path}: {self._kind.name} is closed; open it again ({error})."
            )
        unknown = (Code.FAILED, str(error), "check the file")
        code, found, advice = _CODES.get((number or 0) & 0xFF, unknown)
        return BookError(
            code,
            f"{self.path}: expected to read or write {self._kind.name}, but {found} ({error}); "
            f"{advice}.",
        )
