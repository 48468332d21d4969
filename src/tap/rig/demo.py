"""The shoot that the demo plays: where it lies, what was planted in it, and serving it."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tap
from tap.errors import FeedError, InputError
from tap.feeds.shoot import SHOOT_FILE
from tap.report.findings import Verification
from tap.rig import recipes
from tap.rig.encode import Codec
from tap.rig.footage import cache_folder

START_IN_S = 4.0
"""Time for tap to connect before the shoot begins."""

NEAR_MS = 1500.0
"""A mistake without a message is found where it was planted, give or take this."""


_FOR_LIVE = recipes.Options(codec=Codec.MJPEG, longer=640)
"""Cameras whose pictures go over the wire as they are: serving them costs next to nothing."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What the director did wrong on purpose: the verdict that tap owes."""

    code: str
    claim_id: str | None
    at_ms: float


def sample_shoot() -> Path:
    """The rendered shoot that comes with tap: in the package, or beside it in the source tree.

    Raises `InputError` where it is missing.
    """
    package = Path(tap.__file__).parent
    for folder in (package / "sample_media", package.parents[1] / "sample_media"):
        found = sorted(folder.glob(f"*/{SHOOT_FILE}"))
        if found:
            return found[0].parent
    raise InputError(
        "expected tap's sample shoot beside the package, found none; install tap again, or play "
        "real footage: tap demo --footage pose2sim"
    )


def footage_shoot(footage: str, progress: Callable[[float], None]) -> Path:
    """The shoot made of real footage: made once, which takes minutes, then kept in the cache.

    Raises `InputError` for unknown footage, `FeedError` where it can't be fetched.
    """
    folder = cache_folder() / "shoots" / f"{footage}-live"
    if not folder.is_dir():
        half = folder.with_name(folder.name + ".part")
        shutil.rmtree(half, ignore_errors=True)
        recipes.build(footage, half, _FOR_LIVE, progress)
        half.rename(folder)
    return folder


def planted_mistakes(shoot: Path, shift_ms: float) -> list[Mistake]:
    """The mistakes of a made-up shoot that is played `shift_ms` after its own time."""
    file = shoot / "truth.json"
    try:
        truth = json.loads(file.read_text("utf-8"))
        return [
            Mistake(verdict["code"], verdict["claimId"], verdict["atMs"] + shift_ms)
            for verdict in truth["verdicts"]
            if verdict["planted"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file}: expected the truth of a made-up shoot, got {type(error).__name__}; "
            "make the shoot again: tap rig make"
        ) from error


def compare(planted: list[Mistake], checked: Verification) -> tuple[list[Mistake], list[str]]:
    """The mistakes that were not found, and the findings that no mistake explains."""
    left = list(planted)
    surplus: list[str] = []
    for finding in checked.disagreements:
        claim_id = finding.claim.id if finding.claim else None
        for mistake in left:
            near = abs(mistake.at_ms - finding.at_ms) <= NEAR_MS
            same = mistake.claim_id == claim_id if mistake.claim_id else near
            if same and mistake.code == finding.verdict.value:
                left.remove(mistake)
                break
        else:
            surplus.append(f"{finding.verdict.value}: {finding.text}")
    return left, surplus


@contextmanager
def served(
    shoot: Path, config: Path, ledger: Path, *, options: Sequence[str] = ()
) -> Generator[dict[str, Any]]:
    """The shoot, live, from a process of its own; gives what `tap rig serve --json` says.

    A process of its own shares no interpreter lock with the witness: its pictures are on time.
    It doesn't hear the Ctrl-C that ends the witness, and is ended here. `options` are more words
    for `tap rig serve`.
    """
    command = [sys.executable, "-m", "tap", "rig", "serve", str(shoot), "--json"]
    command += ["--start-in", str(START_IN_S), "--write-config", str(config)]
    command += ["--ledger", str(ledger), *options]
    with subprocess.Popen(  # noqa: S603  every word of the command is ours
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            said = process.stdout.readline() if process.stdout else b""
            if not said:
                raise FeedError(
                    "expected the stand-in shoot to be served, but it ended at once; "
                    f"see what it says: tap rig serve {shoot}"
                )
            yield json.loads(said)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
