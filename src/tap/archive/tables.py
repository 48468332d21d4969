"""The records of an archive as Parquet tables: an export, made anew from what replays left."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tap.archive import PARQUET_FOLDER
from tap.archive.extra import need
from tap.archive.jobs import Job, State
from tap.archive.run import record_of
from tap.errors import InputError
from tap.vocabulary import COMMANDED, DISAGREEMENTS, PROGRAM, Witness
from tap.witness.evidence import load_witness

COLUMNS: dict[str, dict[str, str]] = {
    "shoots": {
        "shoot": "VARCHAR",
        "place": "VARCHAR",
        "session": "VARCHAR",
        "kind": "VARCHAR",
        "start_ms": "DOUBLE",
        "end_ms": "DOUBLE",
        "program_frames": "BIGINT",
        "digest": "VARCHAR",
    },
    "shots": {
        "shoot": "VARCHAR",
        "start_ms": "DOUBLE",
        "end_ms": "DOUBLE",
        "state": "VARCHAR",
        "camera": "VARCHAR",
        "cameras": "VARCHAR[]",
        "confidence": "DOUBLE",
        "runner_up": "VARCHAR",
        "runner_up_confidence": "DOUBLE",
    },
    "events": {
        "shoot": "VARCHAR",
        "id": "VARCHAR",
        "type": "VARCHAR",
        "at_ms": "DOUBLE",
        "duration_ms": "DOUBLE",
        "from_camera": "VARCHAR",
        "to_camera": "VARCHAR",
        "confidence": "DOUBLE",
        "frame": "BIGINT",
        "is_change": "BOOLEAN",
    },
    "verdicts": {
        "shoot": "VARCHAR",
        "code": "VARCHAR",
        "claim_id": "VARCHAR",
        "event_id": "VARCHAR",
        "at_ms": "DOUBLE",
        "lag_ms": "DOUBLE",
        "confidence": "DOUBLE",
        "text": "VARCHAR",
        "disagrees": "BOOLEAN",
    },
    "cameras": {
        "shoot": "VARCHAR",
        "camera": "VARCHAR",
        "delay_ms": "DOUBLE",
        "delay_low_ms": "DOUBLE",
        "delay_high_ms": "DOUBLE",
        "frames_seen": "BIGINT",
        "frames_dropped": "BIGINT",
        "mirrored": "BOOLEAN",
    },
    "delays": {
        "shoot": "VARCHAR",
        "camera": "VARCHAR",
        "at_ms": "DOUBLE",
        "delay_ms": "DOUBLE",
        "low_ms": "DOUBLE",
        "high_ms": "DOUBLE",
    },
    "unseen": {
        "shoot": "VARCHAR",
        "feed": "VARCHAR",
        "start_ms": "DOUBLE",
        "end_ms": "DOUBLE",
        "reason": "VARCHAR",
    },
}
"""Each table's columns and their types. Times are Unix ms, lengths ms; `shoot` joins them."""

Row = tuple[str, dict[str, Any]]


def export(jobs: Sequence[Job], out: Path) -> list[Path]:
    """Write the tables of all that is done. Raises `InputError`."""
    duckdb = need("duckdb", "Writing Parquet")
    folder = out / PARQUET_FOLDER
    done = [job for job in jobs if job.state is State.DONE]
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out, prefix=".tables-") as scratch:
            _write_lines(done, out, Path(scratch))
            with duckdb.connect() as books:
                for name, columns in COLUMNS.items():
                    half = Path(scratch) / f"{name}.parquet"
                    books.execute(
                        f"COPY (SELECT * FROM read_json($1, format = 'newline_delimited', "  # noqa: S608
                        f"columns = {columns!r})) TO '{_quoted(half)}' (FORMAT parquet)",
                        [str(Path(scratch) / f"{name}.jsonl")],
                    )
                    written.append(half.replace(folder / half.name))
    except (OSError, duckdb.Error) as error:
        raise InputError(f"{folder}: expected to write tables there, but {error}") from error
    return written


def _write_lines(jobs: Sequence[Job], out: Path, folder: Path) -> None:
    with ExitStack() as stack:
        files = {
            name: stack.enter_context((folder / f"{name}.jsonl").open("w", encoding="utf-8"))
            for name in COLUMNS
        }
        for job in jobs:
            for table, row in _rows(job, load_witness(record_of(job, out))):
                files[table].write(json.dumps({"shoot": job.name, **row}) + "\n")


def _rows(job: Job, witness: Witness) -> Iterator[Row]:
    shots = witness.shots
    yield (
        "shoots",
        {
            "place": job.place,
            "session": witness.session.external_id,
            "kind": witness.session.kind,
            "start_ms": shots[0].start_ms if shots else None,
            "end_ms": shots[-1].end_ms if shots else None,
            "program_frames": witness.coverage.program_frames,
            "digest": job.digest,
        },
    )
    for shot in shots:
        yield "shots", shot.model_dump(mode="json")
    for event in witness.events:
        yield "events", {**event.model_dump(mode="json"), "is_change": event.type in COMMANDED}
    for verdict in witness.verdicts:
        disagrees = verdict.code in DISAGREEMENTS
        yield "verdicts", {**verdict.model_dump(mode="json"), "disagrees": disagrees}
    for camera in witness.cameras:
        plain = camera.model_dump(mode="json", exclude={"id", "gaps", "delays"})
        yield "cameras", {"camera": camera.id, **plain}
        for at_ms, delay_ms, low_ms, high_ms in camera.delays:
            measured = {"at_ms": at_ms, "delay_ms": delay_ms, "low_ms": low_ms, "high_ms": high_ms}
            yield "delays", {"camera": camera.id, **measured}
    gaps = {PROGRAM: witness.coverage.unseen, **{c.id: c.gaps for c in witness.cameras}}
    for feed, unseen in gaps.items():
        for start_ms, end_ms, reason in unseen:
            gap = {"start_ms": start_ms, "end_ms": end_ms, "reason": reason}
            yield "unseen", {"feed": feed, **gap}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
