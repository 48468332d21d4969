"""Checks the seal of a session's folder: its journal, and every file that it vouches for."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from tap.errors import InputError
from tap.ledger import BookError, read_journal
from tap.report.files import write_text
from tap.report.folder import JOURNAL_FILE, PICTURES_FOLDER, PUBLIC_KEY_FILE
from tap.report.wording import printable
from tap.seal import PublicKey, SealCheck, SealFault, SealProblem, check

MAX_PUBLIC_KEYS_BYTES = 64 * 1024
_T = TypeVar("_T")


def write_public_key(folder: Path, key: PublicKey) -> None:
    """Leave the public key beside the session, behind those of earlier runs.

    It is there to be compared, not to be trusted: whoever alters the record can exchange it too.
    Raises `InputError` where it can't be written, and `OSError`.
    """
    path = folder / PUBLIC_KEY_FILE
    known = path.read_text(encoding="ascii", errors="replace") if path.is_file() else ""
    if key.pem() not in known:
        write_text(path, known + key.pem())


def check_folder(folder: Path, keys: Sequence[PublicKey], pins: Sequence[str] = ()) -> SealCheck:
    """Hold a session's folder against its seal.

    Raises `InputError` where there is no journal. What can't be read counts as altered.
    """
    path = folder / JOURNAL_FILE
    if not path.is_file():
        raise InputError(
            f"{folder}: expected a session's folder with {JOURNAL_FILE}, found none; give the "
            "folder of a session, or a bundle that `tap seal --bundle` wrote"
        )
    broken: list[SealProblem] = []
    try:
        with read_journal(path) as journal:
            found = check(
                _readable(journal.sealed_records(), "record", broken),
                _readable(journal.seals(), "statement", broken),
                keys,
                pins=pins,
            )
    except BookError as error:
        broken.append(_unreadable(JOURNAL_FILE, error))
        found = check((), (), keys, pins=pins)
    problems = [*broken, *found.problems, *_public_keys(folder, keys), *_files(folder, found)]
    return replace(found, problems=tuple(problems))


def _readable(entries: Iterator[_T], what: str, broken: list[SealProblem]) -> Iterator[_T]:
    """As far as the file can be read."""
    count = 0
    try:
        for entry in entries:
            yield entry
            count += 1
    except BookError as error:
        place = f"{what} {count + 1} and on" if count else f"{what}s"
        broken.append(_unreadable(place, error))


def _unreadable(place: str, error: BookError) -> SealProblem:
    return SealProblem(SealFault.ALTERED, place, f"It can't be read: {error}")


def _files(folder: Path, found: SealCheck) -> Iterator[SealProblem]:
    for name, sha256 in found.files.items():
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            yield SealProblem(
                SealFault.ALTERED, f"file {printable(name[:80])}", "It lies outside the folder."
            )
            continue
        what = "picture" if pure.suffix == ".jpg" else "file"
        now = _digest(folder / name)
        if now is None:
            text = "Its hash was sealed, and it is not there, or can't be read."
            yield SealProblem(SealFault.MISSING, f"{what} {name}", text)
        elif now != sha256:
            text = "It is not the one of which the hash was sealed."
            yield SealProblem(SealFault.ALTERED, f"{what} {name}", text)
    for file in sorted((folder / PICTURES_FOLDER).glob("*.jpg")):
        name = f"{PICTURES_FOLDER}/{file.name}"
        if name not in found.files:
            text = (
                "No sound record tells of it: it was added, or tap was killed before it told of it."
            )
            yield SealProblem(SealFault.ADDED, f"picture {printable(name)}", text)


def _digest(path: Path) -> str | None:
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _public_keys(folder: Path, keys: Sequence[PublicKey]) -> Iterator[SealProblem]:
    """The public key beside the session must be one of those that were given."""
    path, place = folder / PUBLIC_KEY_FILE, f"file {PUBLIC_KEY_FILE}"
    try:
        if not path.is_file():
            return  # the journal has it as well, and a full disk may have had no room for it
        if path.stat().st_size > MAX_PUBLIC_KEYS_BYTES:
            raise ValueError("it is far too large for that")
        text = path.read_text(encoding="ascii")
        for block in text.split("-----BEGIN")[1:]:
            pem = "-----BEGIN" + block
            key = PublicKey.read(pem)
            if pem != key.pem():
                raise ValueError("it is not spelled as tap spells it")
            if key not in keys:
                told = f"It holds the key {key.id}, which was not given: it was exchanged or added."
                yield SealProblem(SealFault.FOREIGN, place, told)
        if not text.startswith("-----BEGIN"):
            raise ValueError("it holds none")
    except (OSError, ValueError) as error:
        yield SealProblem(SealFault.ALTERED, place, f"It can't be read as public keys: {error}.")
