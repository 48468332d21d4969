"""What an answer depends on: the shoot as it lies there, and the program that looks at it."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import tap
from tap.archive.places import RemoteFiles, is_url, named_files, opened
from tap.errors import InputError, TapError
from tap.feeds.shoot import SHOOT_FILE
from tap.witness.models import calibration

_ROOMS = ("claims", "feeds", "judge", "ledger", "report", "seal", "sight", "witness")
_LIBRARIES = ("av", "numpy", "opencv-python-headless", "tap-witness")


@dataclass(frozen=True, slots=True)
class How:
    """How shoots are to be replayed."""

    profile: str = "tap"
    hindsight: bool = False
    full_look: bool = False


@dataclass(frozen=True, slots=True)
class Material:
    """A shoot as it lies there: a digest that changes when it does, and its size in bytes."""

    digest: str
    size: int


def material(place: str) -> Material:
    """Look at a shoot's files from outside: `shoot.json` is read, of others size and time are.

    A shoot that can't be looked at has a digest as well: trying it says what is wrong.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        for name, bytes_, state in _states(place):
            size += bytes_
            digest.update(f"{name}\n{bytes_}\n{state}\n".encode())
    except TapError as error:
        digest.update(str(error).encode())
    return Material(digest.hexdigest(), size)


def _states(place: str) -> Iterator[tuple[str, int, str]]:
    with opened(place) as shoot:
        listing = shoot.folder / SHOOT_FILE
        try:
            content = listing.read_bytes()
        except OSError as error:
            raise InputError(f"{place}/{SHOOT_FILE}: could not be read ({error}).") from error
        yield SHOOT_FILE, len(content), hashlib.sha256(content).hexdigest()
        for name in named_files(listing):
            if isinstance(shoot.files, RemoteFiles):
                yield name, *shoot.files.state(name)
                continue
            try:
                found = (shoot.folder / name).stat()
            except OSError:
                yield name, 0, "missing"
            else:
                yield name, found.st_size, str(found.st_mtime_ns)


@lru_cache(maxsize=4)
def answering(how: How) -> str:
    """A digest of all that could make another answer of the same shoot.

    That is: the source of the rooms that look and judge, what sight has learnt, the libraries that
    decode and calculate, and how the replay was asked for.
    """
    digest = hashlib.sha256()
    for name in _LIBRARIES:
        digest.update(f"{name} {version(name)}\n".encode())
    package = Path(tap.__file__).parent
    files = sorted(file for room in _ROOMS for file in (package / room).rglob("*"))
    for file in [*files, package / "vocabulary.py"]:
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(file.relative_to(package).as_posix().encode())
            digest.update(file.read_bytes())
    digest.update(repr(calibration()).encode())
    digest.update(repr(sorted(asdict(how).items())).encode())
    if (own := Path(how.profile)).suffix == ".toml" and own.is_file():
        digest.update(own.read_bytes())
    return digest.hexdigest()


def same_place(place: str) -> str:
    """One name for one place, however it was given."""
    return place.rstrip("/") if is_url(place) else str(Path(place).resolve())
