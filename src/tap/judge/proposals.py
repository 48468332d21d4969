"""Ghost mode: cuts that were proposed, and what became of them."""

from dataclasses import dataclass

from tap.vocabulary import Claim

_A_DATE_MS = 1e11
"""`expiresMs` above this (1973) is a time of day, below it a countdown."""


@dataclass(slots=True)
class Proposal:
    """A proposed cut."""

    camera: str
    expires_ms: float
    answer: str | None = None
    """"accepted" or "vetoed"."""


class Proposals:
    """All proposals of a session, by the id of their message."""

    def __init__(self) -> None:
        self._known: dict[str, Proposal] = {}

    def propose(self, claim: Claim) -> None:
        """Take a proposal."""
        if claim.camera is None or claim.id in self._known:
            return
        expires_ms = float("inf")
        if claim.expires_ms is not None:
            countdown = claim.expires_ms <= _A_DATE_MS
            expires_ms = claim.expires_ms + (claim.at_ms if countdown else 0.0)
        self._known[claim.id] = Proposal(claim.camera, expires_ms)

    def accept(self, claim: Claim) -> Proposal | str:
        """The proposal that a message accepts, or in words why it accepts none."""
        proposal = self._open(claim)
        if isinstance(proposal, Proposal):
            proposal.answer = "accepted"
        return proposal

    def veto(self, claim: Claim) -> Proposal | str:
        """The proposal that a message vetoes, or in words why it vetoes none."""
        proposal = self._open(claim)
        if isinstance(proposal, Proposal):
            proposal.answer = "vetoed"
        return proposal

    def _open(self, claim: Claim) -> Proposal | str:
        proposal = self._known.get(claim.proposal or "")
        if proposal is None:
            return "no such proposal is known"
        if proposal.answer is not None:
            return f"the proposal was {proposal.answer} before"
        if claim.at_ms > proposal.expires_ms:
            return "the proposal had expired"
        return proposal
