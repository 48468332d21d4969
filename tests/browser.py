"""Debian's Chromium, headless, over its DevTools socket: for looking at pages as people do.

`python -m tests.browser PAGE OUT` leaves pictures of a page in light, dark, phone width and print.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect
from websockets.sync.connection import Connection

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--no-first-run", "--no-default-browser-check", "--remote-debugging-port=0",
    "--hide-scrollbars",
)  # fmt: skip
START_S, ANSWER_S = 30.0, 60.0


class Page:
    """One page. `problems` are errors and warnings of its console, and what it tried to load."""

    def __init__(self, socket: Connection) -> None:
        self._socket = socket
        self._next = 0
        self._loaded = 0
        self.problems: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the browser; its answer."""
        self._next += 1
        number = self._next
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=ANSWER_S))
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._hear(message)

    def open(self, address: str) -> float:
        """Go there; how many seconds until the page's own load event was over, by its own clock."""
        before = self._loaded
        self.send("Page.navigate", url=address)
        until = time.monotonic() + ANSWER_S
        while self._loaded == before and time.monotonic() < until:
            self._hear(json.loads(self._socket.recv(timeout=ANSWER_S)))
        return float(self.run("performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"))

    def run(self, script: str) -> Any:
        """The value of an expression, promises awaited."""
        answer = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def key(self, key: str) -> None:
        """Press and release a key."""
        text = {"text": key} if len(key) == 1 else {}
        if key == "Enter":
            text = {"text": "\r"}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Be of that size, light or dark."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def picture(self, file: Path, *, whole: bool = False) -> None:
        """A screenshot, of the whole page (its first 12,000 px) if asked."""
        more: dict[str, Any] = {}
        if whole:
            size = self.send("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": min(12_000, size["height"])}
            more = {"captureBeyondViewport": True, "clip": {**clip, "scale": 1}}
        shot = self.send("Page.captureScreenshot", format="png", **more)
        file.write_bytes(base64.b64decode(shot["data"]))

    def print(self, file: Path) -> None:
        """The page as a PDF."""
        paper = self.send(
            "Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.7
        )
        file.write_bytes(base64.b64decode(paper["data"]))

    def _hear(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded += 1
            case "Runtime.exceptionThrown":
                self.problems.append(json.dumps(params["exceptionDetails"])[:500])
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.problems.append(json.dumps(params["args"])[:500])
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.problems.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"][:200])


@contextmanager
def chromium() -> Iterator[Page]:
    """A page of a browser of one's own, which ends with the block."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(prefix="tap-browser-", ignore_cleanup_errors=True) as home:
        process = subprocess.Popen(
            [CHROMIUM, *FLAGS, f"--user-data-dir={home}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": home},
        )  # fmt: skip
        try:
            address = _target(Path(home) / "DevToolsActivePort", process)
            with connect(address, max_size=None, open_timeout=START_S, proxy=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            process.wait(timeout=START_S)


def _target(file: Path, process: "subprocess.Popen[bytes]") -> str:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        lines = file.read_text().splitlines() if file.is_file() else []
        if len(lines) >= 2:
            url = f"http://127.0.0.1:{lines[0]}/json/list"
            targets = httpx.get(url, trust_env=False, timeout=START_S).json()
            pages = [t["webSocketDebuggerUrl"] for t in targets if t["type"] == "page"]
            if pages:
                return str(pages[0])
        time.sleep(0.05)
    raise AssertionError("Chromium did not start")


def main(page: Path, out: Path) -> None:
    """Pictures of a page in all its forms."""
    out.mkdir(parents=True, exist_ok=True)
    with chromium() as tab:
        for name, width, dark in (
            ("light", 1280, False),
            ("dark", 1280, True),
            ("phone", 390, False),
        ):
            tab.look(width=width, height=900, dark=dark)
            seconds = tab.open(page.resolve().as_uri())
            tab.picture(out / f"{name}.png", whole=True)
            print(name, f"loaded in {seconds:.2f} s")
        tab.look(width=794)
        tab.open(page.resolve().as_uri())
        tab.print(out / "print.pdf")
        tab.run("dispatchEvent(new Event('beforeprint'))")
        tab.send("Emulation.setEmulatedMedia", media="print")
        tab.picture(out / "print.png", whole=True)
        print(tab.problems or "no problems", len(tab.requests), "requests")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
