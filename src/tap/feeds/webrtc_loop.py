"""The one event loop that all feeds of a kind share in a process, in a thread of its own."""

import asyncio
import threading


class SharedLoop:
    """A loop that runs while at least one borrower has it. Safe to use from any thread."""

    def __init__(self, name: str = "webrtc loop") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def borrow(self) -> asyncio.AbstractEventLoop:
        """The running loop; give it back once for every time it was borrowed."""
        with self._lock:
            if self._loop is None:
                ready = threading.Event()
                self._loop = loop = asyncio.new_event_loop()
                loop.call_soon(ready.set)
                self._thread = threading.Thread(
                    target=_run, args=(loop,), name=self._name, daemon=True
                )
                self._thread.start()
                ready.wait()
            self._users += 1
            return self._loop

    def give_back(self, seconds: float = 5.0) -> None:
        """The last borrower ends the loop: every task on it is cancelled and awaited."""
        with self._lock:
            self._users -= 1
            if self._users > 0 or self._loop is None or self._thread is None:
                return
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(seconds)
            self._loop = self._thread = None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


SHARED = SharedLoop()
