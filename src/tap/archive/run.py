"""What `tap replay` of many shoots begins with and ends with, whoever does the work between."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tap.archive import JOBS_FILE, SHOOTS_FOLDER
from tap.archive.identity import How, answering, material, same_place
from tap.archive.jobs import Job, JobTable, State
from tap.archive.places import find_shoots
from tap.clock import Clock
from tap.errors import EXIT_BAD_INPUT, EXIT_COULD_NOT_WITNESS, EXIT_OK, InputError
from tap.report.folder import WITNESS_FILE
from tap.witness.evidence import digest


def begin(out: Path, given: Sequence[str], how: How, clock: Clock) -> JobTable:
    """Open the archive's table and enter the shoots at the given places; close it afterwards.

    Without places, what it has is gone on with. Raises `InputError` for a place without shoots.
    """
    places = list(dict.fromkeys(same_place(found) for one in given for found in find_shoots(one)))
    if not places and not (out / JOBS_FILE).is_file():
        raise InputError(
            f"{out}: expected an archive to go on with, found no {JOBS_FILE} there; give the "
            "folders of the shoots as well."
        )
    table = JobTable(out / JOBS_FILE, clock)
    try:
        places = places or [job.place for job in table.jobs()]
        found = [(place, material(place)) for place in places]
        table.enter(found, answering(how), lambda job: _is_there(job, out))
    except BaseException:
        table.close()
        raise
    return table


def open_table(out: Path, clock: Clock) -> JobTable:
    """The table of an archive that is there. Raises `InputError`."""
    if not (out / JOBS_FILE).is_file():
        raise InputError(
            f"{out}: expected an archive, found no {JOBS_FILE} there; give the folder that "
            "`tap replay --out` was given."
        )
    return JobTable(out / JOBS_FILE, clock)


def record_of(job: Job, out: Path) -> Path:
    """The folder with a shoot's record."""
    return out / SHOOTS_FOLDER / job.name


def _is_there(job: Job, out: Path) -> bool:
    try:
        return digest(record_of(job, out) / WITNESS_FILE) == job.digest
    except InputError:
        return False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an archive stands."""

    jobs: tuple[Job, ...]

    def count(self, state: State) -> int:
        """How many jobs are in that state."""
        return sum(job.state is state for job in self.jobs)

    @property
    def digest(self) -> str | None:
        """One digest of all records, to compare two runs by; None before all are done."""
        if any(job.state is not State.DONE for job in self.jobs):
            return None
        lines = sorted(f"{job.name} {job.digest}\n" for job in self.jobs)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def exit_code(self) -> int:
        """0 where all are done; 2 where only shoots are at fault; else 3."""
        if all(job.state is State.DONE for job in self.jobs):
            return EXIT_OK
        undone = [job for job in self.jobs if job.state is not State.DONE]
        if all(job.exit_code == EXIT_BAD_INPUT for job in undone):
            return EXIT_BAD_INPUT
        return EXIT_COULD_NOT_WITNESS
