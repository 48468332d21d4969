"""The findings of a check as a table for the terminal: disagreements first."""

from rich.table import Table
from rich.text import Text

from tap.report import wording
from tap.report.findings import IN_DOUBT, Finding, Verification
from tap.vocabulary import VerdictCode

MOST_LINES = 60


def findings_table(checked: Verification, most: int = MOST_LINES) -> Table:
    """Claim, seen, lag, verdict, confidence. Disagreements come first, then the rest, by time.

    At most `most` lines; the caption says how many more `verify.json` has. Notes with nothing to
    see are counted there, too.
    """
    start_ms = min((finding.at_ms for finding in checked.findings), default=0.0)
    wrong = [finding for finding in checked.findings if finding.disagrees]
    rest = [
        finding
        for finding in checked.findings
        if not finding.disagrees and finding.verdict is not VerdictCode.NOTED
    ]
    shown = [*wrong, *rest][:most]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("claim", overflow="ellipsis", no_wrap=True)
    table.add_column("seen", overflow="ellipsis", no_wrap=True)
    table.add_column("lag", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("confidence", justify="right", no_wrap=True)
    for number, finding in enumerate(shown):
        table.add_row(
            wording.offset(finding.at_ms, start_ms),
            Text(wording.said(finding.claim)),
            Text(wording.printable(wording.seen_of(finding))),
            wording.lag(finding.lag_ms),
            _code(finding),
            wording.percent(finding.confidence),
            end_section=number + 1 == len(wrong),
        )
    left = len(checked.findings) - len(shown)
    if left:
        table.caption = f"and {left} more in verify.json"
        table.caption_justify = "left"
    return table


def problems_table(checked: Verification, most: int = MOST_LINES) -> Table:
    """The faults of the ledger: what, table, key, in words."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("fault", "table", "key"):
        table.add_column(heading, overflow="fold")
    table.add_column("what is wrong", ratio=1)
    for problem in checked.problems[:most]:
        table.add_row(
            Text(problem.fault.value.replace("_", " "), "bold red"),
            Text(wording.clip(problem.table, 40)),
            Text(wording.clip(problem.key, 80)),
            Text(wording.clip(problem.text)),
        )
    if len(checked.problems) > most:
        table.caption = f"and {len(checked.problems) - most} more in verify.json"
        table.caption_justify = "left"
    return table


def _code(finding: Finding) -> Text:
    """The code, marked by more than its colour."""
    if finding.disagrees:
        return Text(f"✗ {finding.verdict.value}", "bold red")
    if finding.verdict in IN_DOUBT:
        return Text(f"? {finding.verdict.value}", "yellow")
    return Text(f"✓ {finding.verdict.value}", "green")
