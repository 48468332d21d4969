"""The bodies of `replay` of many shoots, and of `archive`."""

import csv
import io
import math
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table
from rich.text import Text

from tap.archive import cluster as on_cluster
from tap.archive import pool, tables
from tap.archive.course import Cutting
from tap.archive.extra import need
from tap.archive.identity import How, answering
from tap.archive.jobs import Job, JobTable, State
from tap.archive.questions import Answer, Question, ask
from tap.archive.run import Outcome, begin, open_table, record_of
from tap.archive.work import Look
from tap.cli.archive_view import archive_view
from tap.cli.terminal import say, say_json, say_text, until_told
from tap.clock import SystemClock
from tap.config import default_key_path, load_or_make_key
from tap.errors import InputError
from tap.report.exports.plain import cell
from tap.report.wording import printable

if TYPE_CHECKING:
    import threading

MOST_SHOWN = 40
"""Shoots in the table at the end; of more, those that were not done are shown."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for. `cluster` is a scheduler's address; None: processes of this machine,
    `jobs` of them, or as many as there are cores."""

    out: Path
    how: How
    jobs: int | None
    cluster: str | None
    cutting: Cutting


def run_archive(given: Sequence[str], wanted: Wanted, *, as_json: bool) -> int:
    """Replay many shoots; returns the exit code."""
    out = wanted.out
    if wanted.cluster is not None:
        need("distributed", "Replaying on a cluster")
    with closing(begin(out, given, wanted.how, SystemClock())) as table:
        with until_told() as told, archive_view() as look:
            tally = _work(table, wanted, look, told)
        outcome = Outcome(tuple(table.jobs()))
    unwritten = _export(outcome.jobs, out)
    _conclude(outcome, out, tally, unwritten, as_json=as_json)
    return outcome.exit_code


def _work(
    table: JobTable, wanted: Wanted, look: Look, told: "threading.Event"
) -> on_cluster.Tally | None:
    out, how = wanted.out, wanted.how
    if wanted.cluster is not None:
        place = on_cluster.Cluster(wanted.cluster, out.resolve(), how, wanted.cutting)
        return on_cluster.work_through(place, table, answering(how), look=look, told=told)
    load_or_make_key(default_key_path(), away_from=out)  # once, before all workers ask for it
    pool.work_through(pool.Crew(out, how), table, wanted.jobs or _cores(), look=look, told=told)
    return None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _export(jobs: Sequence[Job], out: Path) -> str | None:
    """Write the tables; why not, where that can't be: the records are there all the same."""
    try:
        tables.export(jobs, out)
    except InputError as error:
        return str(error)
    return None


# ---------------------------------------------------------------- what came of it


def _conclude(
    outcome: Outcome,
    out: Path,
    tally: on_cluster.Tally | None,
    unwritten: str | None,
    *,
    as_json: bool,
) -> None:
    if as_json:
        document = _document(outcome, out)
        if tally is not None:
            cost = {"decodeCpuS": round(tally.decode_s, 3), "lookCpuS": round(tally.look_s, 3)}
            document["cluster"] = {
                "pieces": tally.pieces,
                "workers": len(tally.workers),
                "unfit": tally.unfit,
                "connections": tally.connections,
                **cost,
            }
        say_json({**document, "unwritten": unwritten})
        return
    _show(outcome, out)
    if tally is not None and tally.pieces:
        say(
            f"{tally.pieces} pieces decoded by {len(tally.workers)} processes in "
            f"{tally.decode_s:.1f} s of CPU, looked at in {tally.look_s:.1f} s"
        )
    if unwritten is not None:
        say(f"No tables were written: {unwritten}")
    elif outcome.count(State.DONE):
        say(f"Ask them all: tap archive query {out} rhythm")


def _document(outcome: Outcome, out: Path) -> dict[str, Any]:
    return {
        "type": "archive",
        "folder": str(out),
        **{state.value: outcome.count(state) for state in State},
        "digest": outcome.digest,
        "shoots": [
            {
                "shoot": job.name,
                "place": job.place,
                "state": job.state.value,
                "attempts": job.attempts,
                "digest": job.digest,
                "seconds": round(job.took_s, 3) if job.took_s is not None else None,
                "error": job.error,
                "record": str(record_of(job, out)) if job.state is State.DONE else None,
            }
            for job in outcome.jobs
        ],
    }


def _show(outcome: Outcome, out: Path) -> None:
    many = len(outcome.jobs) > MOST_SHOWN
    shown = [job for job in outcome.jobs if not many or job.state is not State.DONE][:1000]
    if shown:
        table = Table("shoot", "state", "seconds", "tries", "record", box=None, pad_edge=False)
        for job in shown:
            seconds = f"{job.took_s:.1f}" if job.took_s is not None else ""
            what = job.digest[:16] if job.digest else printable(job.error or "")
            table.add_row(job.name, job.state.value, seconds, str(job.attempts), Text(what))
        say(table)
    counts = ", ".join(
        f"{outcome.count(state)} {state.value}" for state in State if outcome.count(state)
    )
    whole = f"; all together {outcome.digest[:16]}" if outcome.digest else ""
    say(f"{len(outcome.jobs)} shoots in {out}: {counts or 'none'}{whole}")
    if outcome.count(State.WAITING) + outcome.count(State.RUNNING):
        say(f"Go on with: tap replay --out {out}")


# ---------------------------------------------------------------- archive


def run_status(out: Path, *, as_json: bool) -> None:
    """Show the job table."""
    outcome = _outcome(out)
    if as_json:
        say_json(_document(outcome, out))
    else:
        _show(outcome, out)


def run_export(out: Path, *, as_json: bool) -> None:
    """Write the tables, and say where they are."""
    written = tables.export(_outcome(out).jobs, out)
    if as_json:
        say_json({"type": "tables", "files": [str(file) for file in written]})
        return
    for file in written:
        say(str(file))


def _outcome(out: Path) -> Outcome:
    with closing(open_table(out, SystemClock())) as table:
        return Outcome(tuple(table.jobs()))


def run_query(
    out: Path, question: str | None, *, sql: str | None, as_csv: bool, as_json: bool
) -> None:
    """Ask the tables, and print the answer."""
    if (question is None) == (sql is None):
        raise InputError(
            f"expected one question: {', '.join(Question)}, or SQL of your own with --sql."
        )
    if question is not None and question not in set(Question):
        raise InputError(
            f"expected one of the questions {', '.join(Question)}, got {question[:80]!r}; ask "
            "others with --sql."
        )
    answer = ask(out, Question(question) if question is not None else sql or "")
    if as_json:
        say_json([dict(zip(answer.columns, map(_plain, row), strict=True)) for row in answer.rows])
    elif as_csv:
        say_text(_csv(answer))
    else:
        heads = [column.replace("_", " ") for column in answer.columns]  # so that they can wrap
        table = Table(*(Column(Text(head)) for head in heads), box=None, pad_edge=False)
        for row in answer.rows:
            table.add_row(*(Text("" if value is None else printable(str(value))) for value in row))
        say(table)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _csv(answer: Answer) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([cell(value) for value in row] for row in answer.rows)
    return text.getvalue()
