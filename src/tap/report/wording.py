"""Times, lags and codes in words, and the three sentences that head the page."""

from datetime import UTC, datetime

from tap.report.findings import IN_DOUBT, Finding, Verification
from tap.vocabulary import (
    Claim,
    ClaimType,
    Event,
    EventType,
    Indistinguishable,
    Shot,
    ShotState,
    VerdictCode,
)

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"

LONGEST_TEXT = 400
"""Longest text from outside that is shown in one place, characters."""

TITLES = {
    VerdictCode.AGREE: "Agrees",
    VerdictCode.LATE: "Told too late",
    VerdictCode.EARLY: "Told too early",
    VerdictCode.WRONG_CAMERA: "Wrong camera",
    VerdictCode.MISSED: "Never happened",
    VerdictCode.UNANNOUNCED: "Not announced",
    VerdictCode.REVERTED: "Cut and back",
    VerdictCode.SOFT: "Another kind of change",
    VerdictCode.HOLD_KEPT: "Hold kept",
    VerdictCode.HOLD_BROKEN: "Hold broken",
    VerdictCode.OFF_CAMERA: "No camera on program",
    VerdictCode.COMPOSED: "Several cameras at once",
    VerdictCode.AMBIGUOUS: "Can't be told apart",
    VerdictCode.DUPLICATE: "Message repeated",
    VerdictCode.OUT_OF_ORDER: "Message out of order",
    VerdictCode.CLOCK_SUSPECT: "Message's clock is off",
    VerdictCode.NOTED: "Noted",
    VerdictCode.UNSEEN: "Not seen",
}
"""Each code as a short heading."""

MESSAGE_ALONE = frozenset(
    {VerdictCode.NOTED, VerdictCode.DUPLICATE, VerdictCode.OUT_OF_ORDER, VerdictCode.CLOCK_SUSPECT}
)
"""Codes about the message alone: no picture says anything about them."""

CHANGES = frozenset({ClaimType.CUT, ClaimType.ACCEPT})
"""Messages that command a change of the program."""


def date_time(at_ms: float) -> str:
    """`2026-11-22 10:15:03.250`, UTC; the number itself where that is no date."""
    try:
        return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    except (ValueError, OverflowError, OSError):
        return f"{at_ms:g}"


def printable(text: str) -> str:
    """`text` with a space for each character that has no picture of its own."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def clip(text: str, longest: int = LONGEST_TEXT) -> str:
    """`text` without control characters, cut to `longest` characters."""
    clean = printable(text[: longest + 1])
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def offset(at_ms: float, start_ms: float) -> str:
    """Time into the session: `0:12.345`, `1:02:03.456`."""
    ms = round(at_ms - start_ms)
    sign, ms = (MINUS if ms < 0 else ""), abs(ms)
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{sign}{clock}.{ms:03}"


def utc(at_ms: float) -> str:
    """Unix ms as `2026-11-22 18:30:00.123 UTC`, or as it is where no calendar has it."""
    try:
        moment = datetime.fromtimestamp(at_ms / 1000.0, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return f"{at_ms:.0f} ms"
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03} UTC"


def length(ms: float) -> str:
    """A duration for a sentence: `4.2 s`, `3 min 05 s`, `2 h 04 min`."""
    seconds = max(0.0, ms / 1000.0)
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def lag(ms: float | None) -> str:
    """Signed lag: `+143 ms`; a dash where there is none."""
    return DASH if ms is None else f"{'+' if ms >= 0 else MINUS}{abs(ms):.0f} ms"


def percent(share: float) -> str:
    """A probability, never rounded up to certainty."""
    if 0.999 <= share < 1.0:
        return "99.9 %"
    return f"{100 * share:.1f} %" if share < 1.0 else "100 %"


def said(claim: Claim | None) -> str:
    """A claim in a few words: `cut → cam-b`."""
    if claim is None:
        return "nothing"
    kind = claim.transition.value if claim.transition is not None else claim.type.value
    subject = claim.camera or claim.mode or claim.label or claim.proposal or claim.still_id
    return clip(f"{kind} → {subject}" if subject else kind, 80)


def seen(event: Event | None) -> str:
    """An event in a few words: `cut cam-a → cam-b`."""
    if event is None:
        return "no change"
    if event.type in (EventType.FREEZE, EventType.HOLD, EventType.FEED_LOST, EventType.FEED_BACK):
        subject = event.to_camera or event.from_camera or ""
        return f"{event.type.value.replace('_', ' ')} {subject}".rstrip()
    return (
        f"{event.type.value} {event.from_camera or 'no camera'} → {event.to_camera or 'no camera'}"
    )


def seen_of(finding: Finding) -> str:
    """What was seen where a finding says so; a dash where there was nothing to look for."""
    if finding.seen is None and finding.verdict in (*MESSAGE_ALONE, VerdictCode.UNSEEN):
        return DASH
    return seen(finding.seen)


def unseen_cut(pair: Indistinguishable) -> str:
    """What could have been missed between two cameras that showed the same."""
    one, other = pair.cameras
    return (
        f"A cut between {one} and {other} would not have been seen for {length(pair.total_ms)}: "
        "they showed the same."
    )


def shown(shot: Shot) -> str:
    """A shot in a few words: `cam-a`, `transition cam-a, cam-b`."""
    if shot.state is ShotState.LIVE:
        return shot.camera or "live"
    return " ".join([shot.state.value.replace("_", " "), ", ".join(shot.cameras)]).strip()


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 row`, `3 rows`, `no rows`."""
    return f"{number or 'no'} {one if number == 1 else many or one + 's'}"


def headline(shots: tuple[Shot, ...], checked: Verification) -> tuple[str, str, str]:
    """Three plain sentences: what was looked at, what was found, how the ledger stands."""
    return _watched(shots, checked), _found(checked), _ledger(checked)


def _watched(shots: tuple[Shot, ...], checked: Verification) -> str:
    if not shots:
        return "tap saw no picture of the program."
    total = shots[-1].end_ms - shots[0].start_ms
    sure = sum(s.end_ms - s.start_ms for s in shots if s.state is ShotState.LIVE)
    blind = sum(s.end_ms - s.start_ms for s in shots if s.state is ShotState.UNSEEN)
    sentence = f"tap watched the program for {length(total)}; for "
    sentence += f"{percent(sure / total) if total > 0 else 'none'} of that it names one live camera"
    if blind > 0:
        return f"{sentence}, and for {length(blind)} it was blind and claims nothing."
    if checked.coverage.unseen:
        return f"{sentence}, with gaps that are listed below."
    return f"{sentence}, and it was never blind."


def _found(checked: Verification) -> str:
    counts = checked.counts
    told = sum(1 for f in checked.findings if f.claim is not None and f.claim.type in CHANGES)
    agreed = sum(
        1
        for f in checked.findings
        if f.verdict is VerdictCode.AGREE and f.claim is not None and f.claim.type in CHANGES
    )
    wrong = [
        f"{TITLES[code].lower()}: {counts[code.value]}"
        for code in TITLES
        if code.value in counts and any(f.verdict is code for f in checked.disagreements)
    ]
    sentence = (
        f"Of {count(told, 'change')} that the director announced, {agreed or 'none'} came on "
    )
    sentence += "program as said"
    if wrong:
        number = len(checked.disagreements)
        sentence += f"; {count(number, 'disagreement was', 'disagreements were')} found "
        sentence += f"({', '.join(wrong)})"
    else:
        sentence += ", and nothing contradicts the director"
    doubt = sum(counts.get(code.value, 0) for code in IN_DOUBT)
    return sentence + (f"; {doubt} could not be judged." if doubt else ".")


def _ledger(checked: Verification) -> str:
    basis = "tap's own evidence" if checked.basis == "evidence" else "the recording"
    if not checked.ledger_checked:
        return "No ledger was part of this check."
    if not checked.problems:
        rows = count(checked.rows, "row")
        return f"The ledger's {rows} were held against {basis}: none is missing, extra or altered."
    kinds: dict[str, int] = {}
    for problem in checked.problems:
        word = problem.fault.value.replace("_", " ")
        kinds[word] = kinds.get(word, 0) + 1
    list_of = ", ".join(f"{word}: {number}" for word, number in kinds.items())
    faults = count(len(checked.problems), "fault")
    return (
        f"The ledger does not match {basis}: {faults} in {count(checked.rows, 'row')} ({list_of})."
    )
