"""Reel names that any EDL can bear: 8 characters at most, each once."""

from collections.abc import Iterable

_RESERVED = frozenset({"BL", "AX"})
"""What EDLs call black and an auxiliary source."""
LONGEST = 8


def reel_names(ids: Iterable[str]) -> dict[str, str]:
    """A reel name for each id: its letters and digits in capitals, made unique by a number."""
    taken = set(_RESERVED)
    names: dict[str, str] = {}
    for source in ids:
        plain = "".join(c for c in source.upper() if c.isascii() and c.isalnum()) or "REEL"
        name, number = plain[:LONGEST], 1
        while name in taken:
            number += 1
            tail = str(number)
            name = plain[: LONGEST - len(tail)] + tail
        taken.add(name)
        names[source] = name
    return names
