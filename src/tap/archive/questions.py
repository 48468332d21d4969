"""Asking an archive's tables: questions that are ready, and any in SQL."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tap.archive import PARQUET_FOLDER
from tap.archive.extra import need
from tap.archive.tables import COLUMNS
from tap.errors import InputError


class Question(StrEnum):
    """What is asked often."""

    RHYTHM = "rhythm"
    AGREEMENT = "agreement"
    DELAY = "delay"


MOST_ROWS = 1_000_000

_SQL = {
    Question.RHYTHM: """
        WITH held AS (
            SELECT shoot, (end_ms - start_ms) / 1000 AS s FROM shots WHERE state = 'live'
        ), lasted AS (
            SELECT shoot, (end_ms - start_ms) / 60000 AS minutes FROM shoots
        ), per_held AS (
            SELECT coalesce(shoot, 'all') AS shoot, grouping(shoot) AS whole,
                   count(*) AS shots, median(s) AS median_s,
                   quantile_cont(s, 0.1) AS p10_s, quantile_cont(s, 0.9) AS p90_s,
                   max(s) AS longest_s
            FROM held GROUP BY ROLLUP (shoot)
        ), per_change AS (
            SELECT coalesce(shoot, 'all') AS shoot, grouping(shoot) AS whole,
                   count(*) AS changes, count(*) FILTER (type <> 'cut') AS soft
            FROM events WHERE is_change GROUP BY ROLLUP (shoot)
        ), per_shoot AS (
            SELECT coalesce(shoot, 'all') AS shoot, grouping(shoot) AS whole,
                   sum(minutes) AS minutes FROM lasted GROUP BY ROLLUP (shoot)
        )
        SELECT shoot, round(minutes, 2) AS minutes, coalesce(changes, 0) AS changes,
               round(coalesce(changes, 0) / nullif(minutes, 0), 2) AS changes_per_min,
               coalesce(soft, 0) AS soft, coalesce(shots, 0) AS live_shots,
               round(median_s, 2) AS shot_median_s, round(p10_s, 2) AS shot_p10_s,
               round(p90_s, 2) AS shot_p90_s, round(longest_s, 2) AS shot_longest_s
        FROM per_shoot LEFT JOIN per_change USING (shoot, whole)
             LEFT JOIN per_held USING (shoot, whole)
        ORDER BY whole, shoot
    """,
    Question.AGREEMENT: """
        SELECT coalesce(shoot, 'all') AS shoot,
               count(*) FILTER (code IN ('AGREE', 'HOLD_KEPT')) AS agree,
               count(*) FILTER (disagrees) AS disagree,
               round(count(*) FILTER (code IN ('AGREE', 'HOLD_KEPT'))
                     / nullif(count(*) FILTER (disagrees OR code IN ('AGREE', 'HOLD_KEPT')), 0), 4)
                   AS agreement_rate,
               count(*) FILTER (code IN ('AMBIGUOUS', 'UNSEEN')) AS undecided,
               count(*) FILTER (code = 'WRONG_CAMERA') AS wrong_camera,
               count(*) FILTER (code = 'MISSED') AS missed,
               count(*) FILTER (code = 'UNANNOUNCED') AS unannounced,
               count(*) FILTER (code IN ('LATE', 'EARLY')) AS late_or_early,
               round(median(lag_ms) FILTER (code IN ('AGREE', 'LATE', 'EARLY')), 1) AS lag_median_ms
        FROM shoots LEFT JOIN verdicts USING (shoot)
        GROUP BY ROLLUP (shoot) ORDER BY grouping(shoot), shoot
    """,
    Question.DELAY: """
        SELECT camera, count(*) AS shoots, count(delay_ms) AS measured,
               round(median(delay_ms), 1) AS delay_median_ms,
               round(min(delay_ms), 1) AS delay_min_ms, round(max(delay_ms), 1) AS delay_max_ms,
               round(median(delay_high_ms - delay_low_ms), 1) AS interval_median_ms,
               round(median(wander_ms), 1) AS wander_median_ms,
               sum(frames_dropped)::BIGINT AS frames_dropped
        FROM cameras LEFT JOIN (
            SELECT shoot, camera, max(delay_ms) - min(delay_ms) AS wander_ms
            FROM delays GROUP BY shoot, camera
        ) USING (shoot, camera)
        GROUP BY camera ORDER BY camera
    """,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of values, each named by its column."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def ask(out: Path, question: Question | str) -> Answer:
    """Ask the tables of an archive; a `str` is SQL: one SELECT over the tables of `tables.COLUMNS`.

    The statement can read those files and nothing else. Raises `InputError`.
    """
    duckdb = need("duckdb", "Asking an archive")
    folder = (out / PARQUET_FOLDER).absolute()
    missing = [name for name in COLUMNS if not (folder / f"{name}.parquet").is_file()]
    if missing:
        raise InputError(
            f"{out}: expected an archive with tables, found no {missing[0]}.parquet in its "
            f"{PARQUET_FOLDER}; write them with: tap archive export {out}"
        )
    sql = _SQL[question] if isinstance(question, Question) else question
    try:
        with duckdb.connect() as books:
            for name in COLUMNS:
                file = str(folder / f"{name}.parquet").replace("'", "''")
                books.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{file}')")  # noqa: S608
            inside = str(folder).replace("'", "''")
            books.execute(f"SET allowed_directories = ['{inside}/']")
            books.execute("SET enable_external_access = false")
            books.execute("SET lock_configuration = true")
            _require_reading(books, sql)
            found = books.execute(sql)
            columns = tuple(str(column[0]) for column in found.description or ())
            rows = found.fetchmany(MOST_ROWS + 1)
    except duckdb.Error as error:
        raise InputError(f"expected a question that the tables can answer: {error}") from error
    if len(rows) > MOST_ROWS:
        raise InputError(f"expected at most {MOST_ROWS} rows; add a LIMIT or aggregate.")
    return Answer(columns, rows)


def _require_reading(books: Any, sql: str) -> None:
    statements = books.extract_statements(sql)
    if len(statements) != 1 or statements[0].type.name not in ("SELECT", "EXPLAIN"):
        raise InputError(
            "expected one SELECT; the tables are read, and never written, by questions."
        )
