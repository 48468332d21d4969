"""A ledger's rows as tables for a terminal."""

from collections.abc import Sequence

from rich.table import Table

from tap.ledger import SessionRow, Tables
from tap.report.wording import date_time, printable


def sessions_table(sessions: Sequence[SessionRow]) -> Table:
    """One line a session, the latest first."""
    table = _table("session", "status", "started (UTC)", "runs", "title")
    for row in sessions:
        started = date_time(row.started_at_ms)
        table.add_row(
            printable(row.external_id),
            row.status,
            started,
            str(row.runs),
            printable(row.title or ""),
        )
    return table


def rows_table(tables: Tables) -> Table:
    """The director events of a session, one line each, by number."""
    table = _table("seq", "time (UTC)", "source", "type", "camera", "verdict", "text")
    for row in tables.events:
        table.add_row(
            f"{row.get('seq', 0):.0f}",
            date_time(float(row.get("atMs", 0.0))),
            str(row.get("source", "")),
            str(row.get("type", "")),
            printable(str(row.get("camera", ""))),
            str(row.get("verdict", "")),
            printable(str(row.get("text", ""))),
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="left")
    return table
