"""Follows a chain of statements: which are signed, which follow which, what they vouch for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tap.seal.chain import Opening, Seal, Statement, parse
from tap.seal.found import MOST_TOLD, SealFault, SealProblem
from tap.seal.keys import PublicKey


@dataclass(slots=True)
class Followed:
    """A chain as far as it was followed. Nothing in it comes from a statement that is unsound."""

    keys: Sequence[PublicKey]
    problems: list[SealProblem] = field(default_factory=list[SealProblem])
    leaves: dict[int, bytes] = field(default_factory=dict[int, bytes])
    """The hash of each record that is vouched for, by its number."""
    unknown: set[int] = field(default_factory=set[int])
    """Numbers of records whose statement is unsound: nothing can be said of them."""
    checkpoints: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    """(statement, records, Merkle root)"""
    digests: dict[str, int] = field(default_factory=dict[str, int])
    """The number of each sound statement by its digest."""
    signers: dict[str, None] = field(default_factory=dict[str, None])
    """The keys, in hex, that runs were opened with, in order."""
    session: str | None = None
    n: int = 0
    size: int = 0
    last: str = ""
    """Digest of the last sound statement."""
    last_at: int | None = None
    _link: str | None = ""
    """What the next one must follow; None where that can't be known."""
    _unsure: bool = False

    def take(self, seal: Seal) -> None:
        """The next statement as it is kept."""
        place = f"statement {seal.n}"
        if not self._in_turn(seal, place):
            return
        try:
            statement = parse(seal.text)
            if statement.n != seal.n:
                raise ValueError(f"it says that it is statement {statement.n}")
        except ValueError as error:
            self._unsound(SealFault.ALTERED, place, f"It can't be read as a statement: {error}.")
            return
        if not any(seal.signed_by(key) for key in self.keys):
            self._unsound(*self._unsigned(statement, place))
            return
        if self._link is not None and statement.prev != self._link:
            text = "It does not follow from the statement before it: it is of another chain."
            self._tell(SealFault.FOREIGN, place, text)
            return  # the chain goes on where it was; what this one vouches for counts for nothing
        self._accept(statement, seal, place)

    def _in_turn(self, seal: Seal, place: str) -> bool:
        if seal.n <= self.n:
            text = f"It stands behind statement {self.n}."
            self._tell(SealFault.OUT_OF_ORDER, place, text)
            return False
        if seal.n > self.n + 1:
            first, last = self.n + 1, seal.n - 1
            which = f"statement {first}" if first == last else f"statements {first} to {last}"
            self._tell(SealFault.MISSING, which, f"There is none between {self.n} and {seal.n}.")
            self._link, self._unsure = None, True
        self.n = seal.n
        return True

    def _unsigned(self, statement: Statement, place: str) -> tuple[SealFault, str, str]:
        opens = statement.opens
        if opens is not None and opens.key not in {key.hex for key in self.keys}:
            name = PublicKey(bytes.fromhex(opens.key)).id
            text = f"A run of tap was opened here with the key {name}, which was not given."
        else:
            text = "Its signature is not that of a key that was given: one of the two was altered."
        return SealFault.NOT_SIGNED, place, text

    def _unsound(self, fault: SealFault, place: str, text: str) -> None:
        self._tell(fault, place, text)
        self._link, self._unsure = None, True

    def _accept(self, statement: Statement, seal: Seal, place: str) -> None:
        start = statement.size - len(statement.leaves)
        if self._unsure:
            self.unknown.update(range(self.size + 1, start + 1))
        elif start != self.size:
            text = f"It goes on from record {start}, and the one before ended with {self.size}."
            self._tell(SealFault.ALTERED, place, text)
        if statement.opens is not None:
            self._open(statement, statement.opens, place)
        elif self.n == 1:
            self._tell(SealFault.ALTERED, place, "It is the first one and opens no session.")
        for seq, leaf in enumerate(statement.leaves, start + 1):
            self.leaves[seq] = bytes.fromhex(leaf)
        if statement.root is not None:
            self.checkpoints.append((statement.n, statement.size, statement.root))
        self.size, self.last_at, self._unsure = statement.size, statement.at, False
        self.last = self._link = seal.digest
        self.digests[seal.digest] = statement.n

    def _open(self, statement: Statement, opens: Opening, place: str) -> None:
        self.session = self.session or opens.session
        self.signers[opens.key] = None
        if opens.session != self.session:
            text = f"It opens the session {opens.session[:128]!r}, not {self.session[:128]!r}."
            self._tell(SealFault.FOREIGN, place, text)
        if opens.unsealed:
            first = statement.size - len(statement.leaves) + 1
            last = first + opens.unsealed - 1
            text = (
                f"When this run of tap began, records {first} to {last} stood there and no "
                "statement covered them: who wrote them is not known."
            )
            self._tell(SealFault.ADDED, place, text)

    def _tell(self, fault: SealFault, place: str, text: str) -> None:
        if len(self.problems) < MOST_TOLD:
            self.problems.append(SealProblem(fault, place, text))
