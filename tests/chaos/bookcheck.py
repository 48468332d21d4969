"""Holds a ledger against the journal it was written from, read with nothing but SQLite."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Facts = dict[str, tuple[str, str]]
"""Kind and content of each fact by its key."""


@dataclass
class Books:
    """All rows of a ledger by table, and all facts of the journal."""

    tables: dict[str, list[dict[str, Any]]]
    facts: Facts
    waiting: int


def read_facts(journal: Path) -> Facts:
    """What the journal holds now, whoever was killed while writing it."""
    with closing(_open(journal)) as database:
        rows = database.execute("SELECT key, kind, body FROM facts ORDER BY seq")
        return {row["key"]: (row["kind"], row["body"]) for row in rows}


def read_books(journal: Path, ledger: Path) -> Books:
    """Everything."""
    with closing(_open(ledger)) as database:
        names = [
            row["name"]
            for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if row["name"].startswith("production")
        ]
        tables = {
            name: [dict(row) for row in database.execute(f'SELECT * FROM "{name}"')]
            for name in names
        }
    with closing(_open(journal)) as database:
        [(waiting,)] = database.execute("SELECT count(*) FROM outbox WHERE state != 'sent'")
    return Books(tables, read_facts(journal), waiting)


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=10.0)
    database.row_factory = sqlite3.Row
    return database


def lost_facts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Facts that were on the disk once and are gone, or say something else now."""
    return [key for key, fact in before.items() if after.get(key) != fact]


def faults(books: Books, *, runs: int) -> list[str]:
    """Everything that is wrong with the books of one session after `runs` runs; empty if fine."""
    sessions, events = books.tables["productionSessions"], books.tables["productionDirectorEvents"]
    found = _faults_of_session(sessions, runs)
    if books.waiting:
        found.append(f"{books.waiting} rows never got through")
    for table, rows in books.tables.items():
        found += [f"{table}: {key} twice" for key in _twice(row["key"] for row in rows)]
    found += _faults_of_rows(books.facts, events)
    claims = [json.loads(row["claim"])["id"] for row in events if row["claim"]]
    found += [f"two rows about message {name}" for name in _twice(claims)]
    said = {json.loads(body)["id"] for kind, body in books.facts.values() if kind == "claim"}
    found += [f"no row about message {name}" for name in sorted(said - set(claims))]
    seen = [json.loads(row["seen"])["id"] for row in events if row["seen"]]
    found += [f"two rows about change {name}" for name in _twice(seen)]
    cuts = {
        body["id"]
        for kind, text in books.facts.values()
        if kind == "event" and (body := json.loads(text))["type"] in COMMANDED
    }
    return found + [f"no row about change {name}" for name in sorted(cuts - set(seen))]


COMMANDED = {"cut", "dissolve", "fade", "wipe"}


def _faults_of_session(sessions: list[dict[str, Any]], runs: int) -> list[str]:
    if len(sessions) != 1:
        return [f"{len(sessions)} sessions, not one"]
    [session] = sessions
    found = [] if session["runs"] == runs else [f"{session['runs']} runs counted, not {runs}"]
    if session["status"] != "completed" or session["endedAtMs"] is None:
        found.append(f"the session is {session['status']}, not completed")
    return found


def _faults_of_rows(facts: Facts, events: list[dict[str, Any]]) -> list[str]:
    """Every journalled verdict is one row, as it was journalled, and there is no other row."""
    given = {
        body["row"]: body["verdict"]
        for kind, text in facts.values()
        if kind == "verdict"
        for body in [json.loads(text)]
    }
    counts = Counter(row["key"] for row in events)
    found = [f"verdict {key} has {counts[key]} rows" for key in given if counts[key] != 1]
    found += [f"row {key} rests on no verdict" for key in counts if key not in given]
    for row in events:
        verdict = given.get(row["key"])
        if verdict is not None and (row["verdict"], row["text"]) != (
            verdict["code"],
            verdict["text"],
        ):
            found.append(f"row {row['key']} is not as it was journalled")
    numbers = sorted(row["seq"] for row in events)
    if numbers != list(range(1, len(events) + 1)):
        found.append("the rows are not numbered from 1 without a gap")
    return found


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
