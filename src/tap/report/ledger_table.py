"""A ledger's rows as tables for a terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from tap.ledger import SessionRow, Tables
from tap.report.wording import printable


def sessions_table(sessions: Sequence[SessionRow]) -> Table:
    """One line a session, the latest first."""
    table = _table("session", "status", "started (UTC)", "runs", "title")
    for row in sessions:
        started = _time(row.started_at_ms)
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
            _time(row.get("atMs")),
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


def _time(at_ms: Any) -> str:
    try:
        return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    except (TypeError, ValueError, OverflowError, OSError):
        return "?"
