"""What a check of a session found: the shapes behind `verify.json` and the page.

The models serialise (`to_json`) to camelCase names; nothing in them needs the pictures themselves,
only their addresses (feed and time).
"""

from enum import StrEnum
from typing import Any

from pydantic import Field, field_serializer
from pydantic_core import to_json

from tap.errors import EXIT_COULD_NOT_WITNESS, EXIT_DISAGREEMENT, EXIT_OK
from tap.vocabulary import (
    DISAGREEMENTS,
    CameraSeen,
    Claim,
    Coverage,
    Event,
    SessionName,
    VerdictCode,
    Word,
)

IN_DOUBT = frozenset(
    {
        VerdictCode.UNSEEN,
        VerdictCode.AMBIGUOUS,
        VerdictCode.CLOCK_SUSPECT,
        VerdictCode.DUPLICATE,
        VerdictCode.OUT_OF_ORDER,
    }
)
"""Codes that neither confirm nor contradict: tap was blind, or the message itself is at fault."""


class Role(StrEnum):
    """What a picture is there to show."""

    BEFORE = "before"
    """The last program picture before the change."""
    AFTER = "after"
    """The first program picture after it."""
    MATCHED = "matched"
    """What the camera that tap names made at that moment."""
    TOLD = "told"
    """What the camera that the director named made at that moment."""
    RUNNER_UP = "runner_up"
    """What the next best camera made at that moment."""


class Pick(StrEnum):
    """Which picture is meant by a time that falls between two."""

    LAST_BEFORE = "last_before"
    """The last picture earlier than the time."""
    FIRST_FROM = "first_from"
    """The first picture at the time or later."""
    NEAREST = "nearest"


class PictureRef(Word):
    """The address of one picture: which feed, when (Unix ms), and why it is wanted."""

    role: Role
    feed: str
    at_ms: float
    pick: Pick = Pick.NEAREST


class Finding(Word):
    """One verdict with all that it compares: what was said, what was seen, what the ledger has.

    `ledger_verdict` is None where the ledger has no verdict on it, or was not part of the check.
    """

    key: str
    at_ms: float
    claim: Claim | None = None
    seen: Event | None = None
    verdict: VerdictCode
    lag_ms: float | None = None
    confidence: float
    text: str
    ledger_verdict: VerdictCode | None = None
    pictures: tuple[PictureRef, ...] = ()

    @property
    def disagrees(self) -> bool:
        """Whether the pictures contradict what was said."""
        return self.verdict in DISAGREEMENTS

    @field_serializer("claim")
    def _claim_in_brief(self, claim: Claim | None) -> dict[str, Any] | None:
        """The raw message stays in the ledger; here is what was understood of it."""
        if claim is None:
            return None
        return claim.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"raw"})


class Fault(StrEnum):
    """What can be wrong with the ledger's rows."""

    MISSING = "missing"
    """tap has it on record, the ledger does not."""
    EXTRA = "extra"
    """The ledger has it, tap has no record of it."""
    ALTERED = "altered"
    """Both have it, with different content."""
    DUPLICATE = "duplicate"
    """The ledger has it more than once."""
    OUT_OF_ORDER = "out_of_order"
    """Its sequence number steps back, repeats, or leaves a hole."""
    ORPHANED = "orphaned"
    """It belongs to a session that the ledger doesn't have."""
    DIFFERENT_VERDICT = "different_verdict"
    """The row's verdict is not the one that follows from the evidence."""


class LedgerProblem(Word):
    """One fault of the ledger, named by the key of its row."""

    fault: Fault
    table: str
    key: str
    text: str


class Verification(Word):
    """The result of a check: every finding, every fault of the ledger, and what was looked at.

    `basis` says what the verdicts rest on: `evidence` (tap's own, from the session) or `recording`
    (seen again from the recorded feeds). `ledger_checked` is False where there was no ledger.
    """

    format: str = "tap-verify/1"
    session: SessionName
    basis: str = "evidence"
    ledger_checked: bool = True
    rows: int = 0
    unread: tuple[str, ...] = ()
    """Tables of the ledger that it can't be asked for: nothing is said of them."""
    findings: tuple[Finding, ...] = ()
    problems: tuple[LedgerProblem, ...] = ()
    cameras: tuple[CameraSeen, ...] = ()
    coverage: Coverage = Field(default_factory=Coverage)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each code, in the vocabulary's order, zeros left out."""
        found = [finding.verdict for finding in self.findings]
        return {code.value: found.count(code) for code in VerdictCode if code in found}

    @property
    def disagreements(self) -> tuple[Finding, ...]:
        """The findings in which the pictures contradict what was said."""
        return tuple(finding for finding in self.findings if finding.disagrees)

    @property
    def exit_code(self) -> int:
        """0 all agree, 1 a disagreement or a fault of the ledger, 3 nothing could be judged."""
        if self.disagreements or self.problems:
            return EXIT_DISAGREEMENT
        judged = [f for f in self.findings if f.verdict is not VerdictCode.NOTED]
        blind = not judged and bool(self.coverage.unseen or not self.coverage.program_frames)
        if blind or (judged and all(f.verdict is VerdictCode.UNSEEN for f in judged)):
            return EXIT_COULD_NOT_WITNESS
        return EXIT_OK

    def to_json(self) -> str:
        """The text of `verify.json`: the model, its counts and exit code, newline at the end."""
        document = self.model_dump(mode="json", by_alias=True)
        document["counts"] = self.counts
        document["exitCode"] = self.exit_code
        return to_json(document, indent=1, inf_nan_mode="null").decode() + "\n"
