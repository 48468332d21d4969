"""The chain of signed statements: each says which records came, and which statement it follows.

A statement is canonical JSON, signed as it stands:

    {"at": 1789000000123, "leaves": ["…"], "n": 12, "prev": "…", "size": 34}

`at` is the sealing machine's time (Unix ms), `leaves` the hashes of the records that it adds,
`n` its number from 1, `prev` the digest of the statement before, `size` how many records there are
with these. A checkpoint also has `root`, the Merkle root over all of them. The first statement of
each run of tap has `opens`: the format, the session, the public key in hex, and how many records
it found that no statement covers.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tap.seal.keys import PublicKey, Signer
from tap.seal.merkle import Tree
from tap.seal.record import canonical

FORMAT = "tap-seal/1"
SIGNED = b"tap-seal/1\n"
"""Goes before what is signed: no signature of another purpose can pass for one of these."""
STATEMENT = b"\x02"
"""Goes before a statement when it is hashed."""
MOST_LEAVES = 10_000
MAX_TEXT = 1_000_000
"""A statement of so many leaves is shorter than this."""
MAX_NUMBER = 2**53 - 1
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a run of tap says when it begins to seal."""

    session: str
    key: str
    unsealed: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """What is signed. Hashes are in hex."""

    n: int
    size: int
    at: int
    prev: str
    leaves: tuple[str, ...]
    root: str | None = None
    opens: Opening | None = None

    def text(self) -> str:
        """Its one spelling. Raises `ValueError`."""
        document: dict[str, Any] = {
            "at": self.at,
            "leaves": list(self.leaves),
            "n": self.n,
            "prev": self.prev,
            "size": self.size,
        }
        if self.root is not None:
            document["root"] = self.root
        if self.opens is not None:
            opens = self.opens
            document["opens"] = {
                "format": FORMAT,
                "key": opens.key,
                "session": opens.session,
                "unsealed": opens.unsealed,
            }
        return canonical(document).decode()


@dataclass(frozen=True, slots=True)
class Seal:
    """A statement as it is kept: its number, its text, and the signature under it."""

    n: int
    text: str
    signature: bytes

    @property
    def digest(self) -> str:
        """The hash that the next statement, or a ledger, knows it by; in hex."""
        return hashlib.sha256(STATEMENT + self.text.encode(errors="surrogatepass")).hexdigest()

    def signed_by(self, key: PublicKey) -> bool:
        """Whether the signature is that of `key`."""
        return key.signed(SIGNED + self.text.encode(errors="surrogatepass"), self.signature)


@dataclass(frozen=True, slots=True)
class ChainState:
    """How far a chain has come."""

    n: int = 0
    prev: str = ""
    tree: Tree = field(default_factory=Tree)


class Chain:
    """Makes the statements of one session, one after the other."""

    def __init__(self, signer: Signer, session: str) -> None:
        self._signer = signer
        self._session = session

    def next(
        self,
        state: ChainState,
        leaves: Sequence[bytes],
        at_ms: float,
        *,
        checkpoint: bool,
        unsealed: int | None = None,
    ) -> tuple[ChainState, Seal]:
        """The statement after `state`, and the state with it.

        Where `unsealed` is given, a run of tap begins, and found so many records uncovered.
        """
        tree = state.tree
        for leaf in leaves:
            tree = tree.add(leaf)
        opens = None
        if unsealed is not None:
            opens = Opening(self._session, self._signer.public.hex, unsealed)
        statement = Statement(
            n=state.n + 1,
            size=tree.size,
            at=round(at_ms),
            prev=state.prev,
            leaves=tuple(leaf.hex() for leaf in leaves),
            root=tree.root().hex() if checkpoint else None,
            opens=opens,
        )
        text = statement.text()
        seal = Seal(statement.n, text, self._signer.sign(SIGNED + text.encode()))
        return ChainState(statement.n, seal.digest, tree), seal


def parse(text: str) -> Statement:
    """Read a statement's text. Raises `ValueError` in words.

    That it is spelled as tap spells it needs no look: the signature is over its letters.
    """
    if len(text) > MAX_TEXT:
        raise ValueError(f"expected at most {MAX_TEXT} characters")
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("expected a flat object") from error
    if not isinstance(found, dict):
        raise ValueError("expected an object")  # noqa: TRY004 (the text is at fault)
    opens = found.get("opens")
    statement = Statement(
        n=_number(found, "n"),
        size=_number(found, "size"),
        at=_number(found, "at"),
        prev=_hash(found.get("prev")) if found.get("prev") else "",
        leaves=_leaves(found.get("leaves")),
        root=_hash(found["root"]) if "root" in found else None,
        opens=_opening(opens) if opens is not None else None,
    )
    if statement.size < len(statement.leaves):
        raise ValueError("expected no more leaves than records")
    return statement


def _leaves(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_LEAVES:
        raise ValueError(f"expected a list of at most {MOST_LEAVES} leaves")
    return tuple(_hash(leaf) for leaf in value)


def _opening(value: Any) -> Opening:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ValueError(f"expected an opening of format {FORMAT}")
    session = value.get("session")
    if not isinstance(session, str):
        raise ValueError("expected the session's id")  # noqa: TRY004 (the text is at fault)
    return Opening(session, _hash(value.get("key")), _number(value, "unsealed"))


def _hash(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 64 or not _HEX.issuperset(value):
        raise ValueError("expected a hash of 64 hexadecimal digits")
    return value


def _number(document: dict[str, Any], name: str) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_NUMBER:
        raise ValueError(f"expected a whole number as {name}")
    return value
