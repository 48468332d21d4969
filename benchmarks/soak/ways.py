"""How the soak's MJPEG cameras are reached: FFmpeg as a server, and a line that breaks."""

import contextlib
import queue
import select
import socket
import subprocess
import threading
from typing import Literal

import imageio_ffmpeg

from benchmarks.soak.stage import SIZE
from tap.rig.source import Picture

HalfOpen = Literal["open", "refused", "deaf"]
_WAITING = 4


class Ffmpeg:
    """An FFmpeg that serves the pictures it is given as mpjpeg, to one caller after another.

    FFmpeg ends with its caller and is started again, as whoever films so would do.
    """

    def __init__(self, fps: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = int(listener.getsockname()[1])
        self._command = [
            imageio_ffmpeg.get_ffmpeg_exe(), "-v", "quiet", "-probesize", "32",
            "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{SIZE[0]}x{SIZE[1]}", "-r", str(fps),
            "-i", "-", "-c:v", "mjpeg", "-q:v", "4", "-f", "mpjpeg", "-flush_packets", "1",
            "-listen", "1", f"http://127.0.0.1:{self.port}/",
        ]  # fmt: skip
        self._pictures: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._process: subprocess.Popen[bytes] | None = None
        self._up, self._ended = threading.Event(), threading.Event()
        self._up.set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def give(self, picture: Picture) -> None:
        """The camera's next picture; the oldest goes where nobody takes them."""
        if self._pictures.full():
            with contextlib.suppress(queue.Empty):
                self._pictures.get_nowait()
        with contextlib.suppress(queue.Full):
            self._pictures.put_nowait(picture.tobytes())

    def turn(self, *, up: bool) -> None:
        """Kill it, or let it be started again."""
        (self._up.set if up else self._up.clear)()
        process = self._process
        if not up and process is not None:
            process.kill()

    def close(self) -> None:
        """Kill it for good."""
        self._ended.set()
        self.turn(up=False)
        self._up.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._up.wait()
            if self._ended.is_set():
                return
            with subprocess.Popen(self._command, stdin=subprocess.PIPE) as process:
                self._process = process
                if not self._up.is_set():
                    process.kill()
                self._feed(process)
                process.kill()
                with contextlib.suppress(OSError):
                    process.stdin.close() if process.stdin else None

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None and not self._ended.is_set():
            with contextlib.suppress(queue.Empty):
                picture = self._pictures.get(timeout=0.2)
                try:
                    process.stdin.write(picture) if process.stdin else None
                    process.stdin.flush() if process.stdin else None
                except OSError:
                    return


class Line:
    """A TCP line to a server: it can refuse callers, and forget those that it has.

    Who is forgotten keeps a connection that looks alive, from which nothing comes and which
    nobody closes: half-open, as after a router's restart.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.refuses = False
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._forgotten: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self) -> None:
        """Leave every connection there is half-open; new ones are served."""
        with self._lock:
            for caller, server in self._pairs.items():
                self._forgotten.append(caller)
                with contextlib.suppress(OSError):
                    server.shutdown(socket.SHUT_RDWR)
            self._pairs.clear()

    def tear(self) -> None:
        """End every connection there is."""
        with self._lock:
            for pair in self._pairs.items():
                for one in pair:
                    with contextlib.suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End everything."""
        self._listener.close()
        self.tear()
        for caller in self._forgotten:
            caller.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            if self.refuses:
                caller.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._port), 5)
            except OSError:
                caller.close()
                continue
            with self._lock:
                self._pairs[caller] = server
            threading.Thread(target=self._carry, args=(caller, server), daemon=True).start()

    def _carry(self, caller: socket.socket, server: socket.socket) -> None:
        other = {caller: server, server: caller}
        with contextlib.suppress(OSError):
            while True:
                for one in select.select([caller, server], [], [], 30)[0]:
                    data = one.recv(65536)
                    if not data:
                        raise OSError
                    other[one].sendall(data)
        with self._lock:
            forgotten = self._pairs.pop(caller, None) is None
        server.close()
        if not forgotten:
            caller.close()
