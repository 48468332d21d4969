"""One job: a shoot replayed into a place of its own, and put where it belongs when it is whole."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tap.archive import SHOOTS_FOLDER, WORK_FOLDER
from tap.archive.identity import How
from tap.archive.jobs import Job, State
from tap.archive.places import opened
from tap.errors import EXIT_COULD_NOT_WITNESS, InputError, TapError
from tap.report.folder import WITNESS_FILE
from tap.seal import Signer
from tap.witness.evidence import digest
from tap.witness.models import learnt_settings
from tap.witness.replay import Readers, replay

Look = Callable[[Sequence[Job]], None]
"""Sees how all jobs stand, now and then."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay: where its record lies for now, and the digest of `witness.json`."""

    folder: Path
    digest: str
    took_s: float
    cpu_s: float


def replay_apart(
    place: str,
    out: Path,
    how: How,
    *,
    signer: Signer | None = None,
    progress: Callable[[float], None] | None = None,
    readers: Readers | None = None,
) -> Replayed:
    """Replay a shoot into a folder of its own below `out/work`. Raises as `replay` does."""
    folder = out / WORK_FOLDER / f"{uuid4().hex}.shoot"
    began, cpu = time.monotonic(), time.thread_time()
    try:
        with opened(place) as shoot:
            replay(
                shoot.folder,
                folder,
                profile=how.profile,
                hindsight=how.hindsight,
                sight=learnt_settings(full_look=how.full_look),
                signer=signer,
                progress=progress,
                files=shoot.files,
                readers=readers,
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Replayed(
        folder,
        digest(folder / WITNESS_FILE),
        time.monotonic() - began,
        time.thread_time() - cpu,
    )


def put_in_place(replayed: Replayed, out: Path, name: str) -> None:
    """Make it the record of the shoot, instead of an older one. Raises `InputError`."""
    target = out / SHOOTS_FOLDER / name
    old = out / WORK_FOLDER / f"{uuid4().hex}.old"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.rename(old)
        replayed.folder.rename(target)
    except OSError as error:
        raise InputError(
            f"{target}: expected to put a record there, but {error.strerror or error}; is the "
            "archive's folder on storage that every worker sees under the same path?"
        ) from error
    shutil.rmtree(old, ignore_errors=True)


def clean_up(out: Path, jobs: Sequence[Job]) -> None:
    """Remove what was under way, unless something still is or is to be taken up again."""
    if not any(job.state in (State.WAITING, State.RUNNING) for job in jobs):
        shutil.rmtree(out / WORK_FOLDER, ignore_errors=True)


def in_words(error: BaseException) -> tuple[str, int]:
    """What went wrong with a shoot, as one sentence, and the exit code that goes with it."""
    if isinstance(error, TapError):
        return " ".join(str(error).split()), error.exit_code
    return f"a fault of tap's own ({type(error).__name__}: {error})", EXIT_COULD_NOT_WITNESS
