"""The doctor's findings as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from tap.witness.examine import Check, Health

_STYLES = {
    Health.OK: "green",
    Health.WARNING: "yellow",
    Health.BAD: "bold red",
    Health.WRONG: "bold red",
}
_WORDS = {Health.OK: "fine", Health.WARNING: "look", Health.BAD: "bad", Health.WRONG: "wrong"}


def checks_table(checks: Sequence[Check]) -> Table:
    """One row for each check; what to do stands under what was found."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for check in checks:
        text = Text(check.text)
        if check.advice:
            text.append(f"\n{check.advice}", "dim")
        table.add_row(Text(_WORDS[check.health], _STYLES[check.health]), check.subject, text)
    return table
