"""A record as it is sealed: canonical JSON (RFC 8785), and the hash that stands for it."""

import hashlib
from dataclasses import dataclass
from typing import Any

import rfc8785

LEAF = b"\x00"
"""RFC 6962: what is hashed as a leaf can never pass for an inner node."""


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value after RFC 8785.

    Raises `ValueError` for what that has no spelling for (NaN, half a surrogate pair …).
    """
    return rfc8785.dumps(value)


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the journal. `seq` counts from 1 without a gap; `body` is JSON text.

    The body is sealed letter by letter as it stands in the journal, not as the value that it
    spells: two spellings of one value are two records, and no number is too large.
    """

    seq: int
    kind: str
    key: str
    body: str

    def envelope(self) -> bytes:
        """What is hashed. Raises `ValueError`."""
        return canonical({"body": self.body, "key": self.key, "kind": self.kind, "seq": self.seq})

    def leaf(self) -> bytes:
        """The record's hash, 32 bytes. Raises `ValueError`."""
        return hashlib.sha256(LEAF + self.envelope()).digest()
