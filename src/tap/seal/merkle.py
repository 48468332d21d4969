"""A Merkle tree that only grows (RFC 6962, section 2.1), of which the peaks alone are kept."""

import hashlib
from dataclasses import dataclass

NODE = b"\x01"
_HASH = 32
EMPTY = hashlib.sha256(b"").digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()


@dataclass(frozen=True, slots=True)
class Tree:
    """`size` leaves, and the roots of the full trees that they make up, largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def add(self, leaf: bytes) -> "Tree":
        """The tree with one more leaf (its hash, 32 bytes)."""
        peaks, right = list(self.peaks), leaf
        full = self.size
        while full & 1:
            right = _node(peaks.pop(), right)
            full >>= 1
        return Tree(self.size + 1, (*peaks, right))

    def root(self) -> bytes:
        """The hash over all leaves, 32 bytes."""
        if not self.peaks:
            return EMPTY
        *others, root = self.peaks
        for peak in reversed(others):
            root = _node(peak, root)
        return root

    def packed(self) -> bytes:
        """The peaks in one row of bytes."""
        return b"".join(self.peaks)

    @classmethod
    def unpacked(cls, size: int, packed: bytes) -> "Tree":
        """The way back. Raises `ValueError` where the two don't fit each other."""
        if len(packed) != _HASH * size.bit_count():
            raise ValueError(f"expected {size.bit_count()} peaks for {size} leaves")
        peaks = [packed[at : at + _HASH] for at in range(0, len(packed), _HASH)]
        return cls(size, tuple(peaks))
