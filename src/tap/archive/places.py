"""Where shoots lie: a folder here or on shared storage, or whatever fsspec has an address for."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from tap.archive.extra import need
from tap.errors import InputError
from tap.feeds.media import LOCAL_FILES, Files
from tap.feeds.shoot import SHOOT_FILE
from tap.feeds.video import VideoFile

DEEPEST = 4
"""Folders below a given one that are searched for shoots."""
MOST_SHOOTS = 100_000
_SHOOT_BYTES = 4 * 1024 * 1024
_DIRECTOR_BYTES = 256 * 1024 * 1024


def is_url(place: str) -> bool:
    """Whether a place is an address, not a path."""
    return "://" in place


def find_shoots(given: str) -> list[str]:
    """The shoots at a place, in order: itself, or those in the folders below it.

    Raises `InputError` where there is none.
    """
    if is_url(given):
        found = _find_remote(given)
    else:
        root = Path(given).absolute()
        if not root.is_dir():
            raise InputError(f"{given}: expected a folder with shoots, found none; check the path.")
        found = [str(folder) for folder in _find_local(root, DEEPEST)]
    if not found:
        raise InputError(
            f"{given}: expected a shoot, or folders with shoots, found no {SHOOT_FILE} in it nor "
            f"in {DEEPEST} levels of folders below."
        )
    if len(found) > MOST_SHOOTS:
        raise InputError(f"{given}: expected at most {MOST_SHOOTS} shoots, found {len(found)}.")
    return sorted(found)


def _find_local(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / SHOOT_FILE).is_file():
        yield folder
        return
    if depth == 0:
        return
    try:
        below = sorted(folder.iterdir())
    except OSError:
        return
    for entry in below:
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            yield from _find_local(entry, depth - 1)


def _find_remote(url: str) -> list[str]:
    files, root = _file_system(url)
    found: list[str] = []
    with _mapped(url):
        if files.isfile(f"{root}/{SHOOT_FILE}"):
            return [url.rstrip("/")]
        for folder, _, names in files.walk(root, maxdepth=DEEPEST + 1):
            if SHOOT_FILE in names:
                found.append(str(files.unstrip_protocol(folder)))
            if len(found) > MOST_SHOOTS:
                break
    return found


# ---------------------------------------------------------------- a shoot that is looked at


@dataclass(frozen=True, slots=True)
class Opened:
    """A shoot to be replayed: the folder with its `shoot.json`, and where its media are."""

    folder: Path
    files: Files


@contextmanager
def opened(place: str) -> Generator[Opened]:
    """A shoot, wherever it lies. Of one at an address only the small files are fetched."""
    if not is_url(place):
        yield Opened(Path(place), LOCAL_FILES)
        return
    with TemporaryDirectory(prefix="tap-") as mirror:
        folder = Path(mirror).resolve()
        yield Opened(folder, _fetched(place, folder))


def open_media(place: str, media: str) -> VideoFile:
    """One media file of a shoot, by its path inside. Raises `InputError`."""
    root = Path("/") if is_url(place) else Path(place)
    files = RemoteFiles(place, root) if is_url(place) else LOCAL_FILES
    return files.video(root / media)


class RemoteFiles(Files):
    """Media at an address, read where they lie; `mirror` stands for the shoot's folder."""

    def __init__(self, url: str, mirror: Path) -> None:
        self._url = url
        self._mirror = mirror
        self._files, self._root = _file_system(url)

    def is_file(self, path: Path) -> bool:
        """Whether there is a file."""
        with _mapped(self._url):
            return bool(self._files.isfile(self._there(path)))

    def video(self, path: Path) -> VideoFile:
        """Open it; only what is looked at is fetched."""
        with _mapped(self._url):
            content = self._files.open(self._there(path), "rb")
        return VideoFile(Path(path.name), cast("BinaryIO", content))

    def fetch(self, name: str, most: int) -> None:
        """Copy a small file to the mirror."""
        with _mapped(self._url), self._files.open(f"{self._root}/{name}", "rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise InputError(f"{self._url}/{name}: expected at most {most} bytes.")
        copy = self._mirror / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content)

    def state(self, name: str) -> tuple[int, str]:
        """The size of a file, and what changes when it changes."""
        with _mapped(self._url):
            there = f"{self._root}/{name}"
            return int(self._files.size(there) or 0), str(self._files.ukey(there))

    def _there(self, path: Path) -> str:
        inside = PurePosixPath(path.relative_to(self._mirror).as_posix())
        return f"{self._root}/{inside}"


def _fetched(url: str, mirror: Path) -> RemoteFiles:
    files = RemoteFiles(url, mirror)
    files.fetch(SHOOT_FILE, _SHOOT_BYTES)
    for name in named_files(mirror / SHOOT_FILE)[:1]:
        files.fetch(name, _DIRECTOR_BYTES)
    return files


def named_files(shoot_file: Path) -> list[str]:
    """The files that a `shoot.json` names, the director's first; those that lead out are left out,
    as is what can't be read: whoever replays it says what is wrong."""
    try:
        content = json.loads(shoot_file.read_bytes())
        parts = [*content["cameras"], content["program"]]
        names = [content.get("director"), *(part["media"] for part in parts)]
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return []
    return [
        str(name)
        for name in names
        if isinstance(name, str) and name and not Path(name).is_absolute() and ".." not in name
    ]


# ---------------------------------------------------------------- fsspec


def _file_system(url: str) -> tuple[Any, str]:
    if urlsplit(url).password or urlsplit(url).username:
        raise InputError(
            "expected an address without user and password, got one with them; set them where "
            "fsspec looks for them: in its configuration or the environment."
        )
    core = need("fsspec.core", f"Reading {url}")
    try:
        files, root = core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise InputError(f"{url}: expected an address that fsspec can read ({error}).") from error
    return files, str(root).rstrip("/")


@contextmanager
def _mapped(url: str) -> Generator[None]:
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{url}: expected a shoot, found nothing there ({error}).") from error
    except Exception as error:  # every kind of storage has errors of its own
        raise InputError(f"{url}: could not be read ({type(error).__name__}: {error}).") from error
