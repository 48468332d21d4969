"""Debian's Chromium, headless, driven over its DevTools socket."""

import itertools
import json
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from websockets.sync.client import connect

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--no-first-run",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--remote-debugging-port=0",
)


def required() -> str:
    """Chromium's path, or the test is skipped, loudly."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("NOT RUN: needs Debian's chromium (apt-get install -y chromium)")
    return found


class Chromium:
    """One browser with one page."""

    def __init__(self, profile: Path) -> None:
        self._process = subprocess.Popen(
            [required(), *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        try:
            port = self._port(profile / "DevToolsActivePort")
            pages = httpx.get(f"http://127.0.0.1:{port}/json", trust_env=False, timeout=20).json()
            page = next(page for page in pages if page["type"] == "page")
            self._socket = connect(page["webSocketDebuggerUrl"], max_size=None, proxy=None)
        except BaseException:
            self._process.kill()
            raise

    @staticmethod
    def _port(file: Path) -> int:
        for _ in range(300):
            if file.exists() and (lines := file.read_text().split()):
                return int(lines[0])
            time.sleep(0.1)
        raise TimeoutError("Chromium did not come up in 30 s")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One DevTools command and its result."""
        with self._lock:
            number = next(self._ids)
            self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
            while True:
                got = json.loads(self._socket.recv(timeout=30))
                if got.get("id") == number:
                    assert "error" not in got, got
                    return got["result"]

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        got = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in got, got["exceptionDetails"]
        return got["result"].get("value")

    def go(self, url: str) -> None:
        """Load a page."""
        self.call("Page.enable")
        self.call("Page.navigate", url=url)
        for _ in range(100):
            if self.run("document.readyState === 'complete' && location.href") == url:
                return
            time.sleep(0.1)
        raise TimeoutError(f"{url} did not load")

    def close(self) -> None:
        """End the browser."""
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# A canvas whose top row tells the number of the picture in 16 black or white blocks.
PUBLISH = """
window.drawn = 0;
const canvas = document.createElement('canvas');
canvas.width = 640; canvas.height = 360;
document.body.append(canvas);
const pen = canvas.getContext('2d');
const stream = canvas.captureStream(0);
const track = stream.getVideoTracks()[0];
track.contentHint = 'detail';
window.draw = () => {
  const n = ++window.drawn;
  pen.fillStyle = `hsl(${n % 360} 40% 50%)`;
  pen.fillRect(0, 0, 640, 360);
  pen.fillStyle = '#333';
  pen.fillRect((n * 7) % 600, 120, 40, 200);
  for (let bit = 0; bit < 16; bit++) {
    pen.fillStyle = (n >> bit) & 1 ? '#fff' : '#000';
    pen.fillRect(bit * 40, 0, 40, 60);
  }
  track.requestFrame();
};
window.timer = setInterval(window.draw, 50);
window.answer = async (offer) => {
  const pc = window.pc = new RTCPeerConnection();
  const sender = pc.addTrack(track, stream);
  await pc.setRemoteDescription({type: 'offer', sdp: offer});
  await pc.setLocalDescription(await pc.createAnswer());
  const parameters = sender.getParameters();
  parameters.degradationPreference = 'maintain-resolution';
  await sender.setParameters(parameters).catch(() => {});
  await new Promise((done) => {
    if (pc.iceGatheringState === 'complete') done();
    pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done();
  });
  return pc.localDescription.sdp;
};
window.sent = async () => {
  let out = {};
  for (const report of (await window.pc.getStats()).values())
    if (report.type === 'outbound-rtp')
      out = {frames: report.framesSent, plis: report.pliCount, codec: report.codecId,
             width: report.frameWidth, limit: report.qualityLimitationReason};
  return {...out, drawn: window.drawn};
};
true
"""


class PublishingPage:
    """A WHEP server whose pictures are those of a page in the browser."""

    def __init__(self, browser: Chromium) -> None:
        browser.run(PUBLISH)
        outer = self
        self.deleted = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                offer = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._say(201, browser.run(f"window.answer({json.dumps(offer)})").encode())

            def do_DELETE(self) -> None:
                outer.deleted += 1
                browser.run("window.pc.close()")
                self._say(200, b"")

            def _say(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/sdp")
                self.send_header("Location", "/whep/1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/whep"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
