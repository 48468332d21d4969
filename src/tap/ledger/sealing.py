"""Seals a journal as it is written: what a transaction adds is signed within that transaction.

So a record is durable with its signature or not at all, at no further `fsync`; and after any kind
of end, every record that is there is covered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tap.clock import Clock, SystemClock
from tap.ledger.database import Database
from tap.ledger.faults import BookError, Code
from tap.seal import Chain, ChainState, Record, Seal, Signer, Tree
from tap.seal.chain import MOST_LEAVES, parse

SCHEMA = """
CREATE TABLE seals (
    n INTEGER PRIMARY KEY,
    statement TEXT NOT NULL,
    signature BLOB NOT NULL,
    peaks BLOB
) STRICT;
"""
CHECKPOINTS = frozenset({"run", "beat", "completion", "close"})
"""With a record of these kinds the Merkle root is computed and signed."""
MAX_BODY = 16 * 2**20
"""Bytes of a field that are read: no fact that tap writes is as long."""
_PAGE = 2000


@dataclass(frozen=True, slots=True)
class Sealing:
    """With what a journal is sealed."""

    signer: Signer
    session: str
    clock: Clock


def sealed_with(signer: Signer | None, session: str) -> Sealing | None:
    """With `signer`, by the host's clock; None where there is none."""
    return Sealing(signer, session, SystemClock()) if signer is not None else None


class Pinned(NamedTuple):
    """A checkpoint, as it is told elsewhere."""

    statement: int
    records: int
    root: str
    digest: str
    key: str


class Sealer:
    """The chain of one journal. Used within the journal's transactions alone."""

    def __init__(self, database: Database, given: Sealing) -> None:
        self._database = database
        self._given = given
        self._chain = Chain(given.signer, given.session)
        self._leaves: list[bytes] = []
        self._checkpoint = False
        self._state = self._next = _resumed(database)
        with database.transaction():
            self._open()
        self.commit()

    def add(self, record: Record) -> None:
        """A record of the transaction that is under way. Raises `BookError`."""
        try:
            self._leaves.append(record.leaf())
        except ValueError as error:
            raise BookError(
                Code.BAD_VALUE,
                f"{ascii(record.key)[:80]}: expected text that can be sealed, got other "
                f"({error}); correct it.",
                record.key,
            ) from error
        self._checkpoint = self._checkpoint or record.kind in CHECKPOINTS

    def seal(self, *, checkpoint: bool = False) -> None:
        """Sign what the transaction has added so far."""
        checkpoint = checkpoint or self._checkpoint
        if self._leaves or checkpoint:
            leaves, self._leaves, self._checkpoint = self._leaves, [], False
            self._sign(leaves, checkpoint=checkpoint)

    def commit(self) -> None:
        """The transaction is durable."""
        self._state = self._next

    def forget(self) -> None:
        """The transaction came to nothing."""
        self._next = self._state
        self._leaves, self._checkpoint = [], False

    def pinned(self) -> Pinned:
        """The last statement; after `seal(checkpoint=True)`."""
        state, key = self._next, self._given.signer.public.id
        return Pinned(state.n, state.tree.size, state.tree.root().hex(), state.prev, key)

    # ------------------------------------------------------------------ statements

    def _open(self) -> None:
        """A run begins: say so, and take in what stands there unsealed."""
        known = self._state.tree.size
        [(last, count)] = self._database.execute(
            "SELECT coalesce(max(seq), 0), count(*) FROM facts"
        )
        if last < known or count != last:
            raise BookError(
                Code.DAMAGED,
                f"{self._database.path}: expected a journal with {max(known, last)} records, found "
                f"{count}: some were taken out since they were sealed; restore the journal from a "
                "copy, or move its folder away to begin anew.",
            )
        found = [record.leaf() for record in records(self._database, known)]
        self._sign(found, checkpoint=True, unsealed=len(found))

    def _sign(
        self, leaves: Sequence[bytes], *, checkpoint: bool, unsealed: int | None = None
    ) -> None:
        at_ms = self._given.clock.now_ms()
        state = self._next
        for start in range(0, max(len(leaves), 1), MOST_LEAVES):
            whole = checkpoint and start + MOST_LEAVES >= len(leaves)
            state, seal = self._chain.next(
                state,
                leaves[start : start + MOST_LEAVES],
                at_ms,
                checkpoint=whole,
                unsealed=unsealed if start == 0 else None,
            )
            self._database.execute(
                "INSERT INTO seals (n, statement, signature, peaks) VALUES (?, ?, ?, ?)",
                (seal.n, seal.text, seal.signature, state.tree.packed() if whole else None),
            )
        self._next = state


def records(database: Database, after: int = 0) -> Iterator[Record]:
    """The journal's records behind place `after`, letter by letter, whatever they have become.

    Bytes that are no UTF-8 text come as half surrogate pairs, which no sealed record has.
    """
    _require_table(database, "facts")
    while True:
        page = database.execute(
            "SELECT seq, substr(CAST(kind AS BLOB), 1, ?3), substr(CAST(key AS BLOB), 1, ?3),"
            " substr(CAST(body AS BLOB), 1, ?3) FROM facts WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            (after, _PAGE, MAX_BODY),
        )
        for seq, kind, key, body in page:
            yield Record(seq, _text(kind), _text(key), _text(body))
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def seals(database: Database, after: int = 0) -> Iterator[Seal]:
    """The statements behind number `after`, in order; none in a journal that has none."""
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'seals'"):
        return
    _require_table(database, "seals")
    while True:
        page = database.execute(
            "SELECT n, substr(CAST(statement AS BLOB), 1, ?3), substr(signature, 1, ?3) FROM seals"
            " WHERE n > ?1 ORDER BY n LIMIT ?2",
            (after, _PAGE, MAX_BODY),
        )
        for n, statement, signature in page:
            yield Seal(n, _text(statement), bytes(signature or b""))
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def _require_table(database: Database, name: str) -> None:
    """A view could be endless, and a file from elsewhere may have one."""
    found = database.execute("SELECT type FROM sqlite_master WHERE name = ?", (name,))
    if found != [("table",)]:
        raise BookError(
            Code.DAMAGED,
            f"{database.path}: expected the journal's table {name}, got none; restore the journal "
            "from a copy.",
        )


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", errors="surrogateescape")


def _resumed(database: Database) -> ChainState:
    """Where the chain stands: the last checkpoint, and what was added since.

    Whether what is read here is sound is for a check to say: it has the signatures.
    """
    found = database.execute(
        "SELECT n, statement, signature, peaks FROM seals WHERE peaks IS NOT NULL"
        " ORDER BY n DESC LIMIT 1"
    )
    try:
        state = ChainState()
        if found:
            n, text, signature, peaks = found[0]
            statement = parse(text)
            tree = Tree.unpacked(statement.size, peaks)
            if tree.root().hex() != statement.root:
                raise ValueError(f"the checkpoint {n} has another Merkle root")
            state = ChainState(n, Seal(n, text, signature).digest, tree)
        for seal in seals(database, state.n):
            tree = state.tree
            for leaf in parse(seal.text).leaves:
                tree = tree.add(bytes.fromhex(leaf))
            state = ChainState(seal.n, seal.digest, tree)
    except ValueError as error:
        raise BookError(
            Code.DAMAGED,
            f"{database.path}: expected the seal of an earlier run, got one that can't be read "
            f"({error}); restore the journal from a copy, or move its folder away to begin anew.",
        ) from error
    return state
