"""Tells messages apart that carry the same id, and which of them a verdict is about.

A director may send one message twice, or give two messages one id. Each is a fact with a key of
its own, and each gets its own verdict, though a verdict names nothing but the id.
"""

from collections import defaultdict
from dataclasses import dataclass
from hashlib import blake2b

from tap.vocabulary import Claim, ClaimType, Verdict, VerdictCode

_UNCLEAR = (ClaimType.UNKNOWN, ClaimType.UNREADABLE)


@dataclass(slots=True, eq=False)
class _Message:
    nth: int
    at_ms: float
    repeat: bool
    """An understood message whose id an understood one had before: the judge's DUPLICATE."""
    clear: bool


class Messages:
    """The messages of a session so far. Each run of tap asks from the beginning again."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._clear: set[str] = set()
        self._open: dict[str, list[_Message]] = {}
        self._known: defaultdict[bytes, int] = defaultdict(int)

    def met_again(self, text: str) -> bool:
        """Whether an earlier run has journalled the message that is spelled so.

        The time of its receipt is a part of it. As often as it was journalled it is met again;
        after that it is another one.
        """
        known = _print(text)
        if not self._known[known]:
            return False
        self._known[known] -= 1
        return True

    def recall(self, claim: Claim, text: str) -> None:
        """A message that an earlier run has journalled, and how it is spelled there."""
        self._known[_print(text)] += 1
        self.add(claim)

    def next_nth(self, claim: Claim) -> int:
        """Which message of its id this one would be, from 1."""
        return self._counts[claim.id] + 1

    def add(self, claim: Claim) -> None:
        """A message that is journalled now."""
        self._counts[claim.id] += 1
        clear = claim.type not in _UNCLEAR
        repeat = clear and claim.id in self._clear
        if clear:
            self._clear.add(claim.id)
        message = _Message(self._counts[claim.id], claim.at_ms, repeat, clear)
        self._open.setdefault(claim.id, []).append(message)

    def judged(self, verdict: Verdict) -> int | None:
        """Which message of its id gets this verdict, for good; None if all of that id have one."""
        nth = self.about(verdict)
        waiting = self._open.pop(verdict.claim_id or "", [])
        still = [message for message in waiting if message.nth != nth]
        if still:
            self._open[verdict.claim_id or ""] = still
        return nth

    def about(self, verdict: Verdict) -> int | None:
        """Which message of its id a verdict is about; None if all of that id have theirs.

        The judge decides messages of one kind in the order of their receipt, so the first that
        is open and of the right kind is meant; where a verdict gives the message's own time,
        that decides.
        """
        waiting = self._open.get(verdict.claim_id or "", [])
        if not waiting:
            return None
        duplicate = verdict.code is VerdictCode.DUPLICATE
        noted = verdict.code is VerdictCode.NOTED

        def likeness(message: _Message) -> tuple[bool, bool, bool, int]:
            return (
                message.repeat is duplicate,
                noted or message.clear,
                message.at_ms == verdict.at_ms,
                -message.nth,
            )

        return max(waiting, key=likeness).nth


def _print(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()
