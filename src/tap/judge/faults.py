"""What is wrong with a message itself, whatever the pictures say."""

from tap.vocabulary import Claim, ClaimType, VerdictCode


class Faults:
    """Remembers ids and sequence numbers, in order of receipt."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._seq: int | None = None

    def of(self, claim: Claim) -> VerdictCode | None:
        """The fault of the next message. One that can't be understood has none of these."""
        if claim.type in (ClaimType.UNKNOWN, ClaimType.UNREADABLE):
            return None
        if claim.id in self._ids:
            return VerdictCode.DUPLICATE
        self._ids.add(claim.id)
        if self._went_back(claim):
            return VerdictCode.OUT_OF_ORDER
        return VerdictCode.CLOCK_SUSPECT if claim.clock_suspect else None

    def _went_back(self, claim: Claim) -> bool:
        """Compares with the message before, not with the highest: a sender may start anew."""
        if claim.seq is None:
            return False
        before, self._seq = self._seq, claim.seq
        started = claim.type is ClaimType.SESSION_START
        return before is not None and claim.seq < before and not started
