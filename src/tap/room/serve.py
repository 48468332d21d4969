"""The room on a thread of its own: opened before the session, closed after it."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette

from tap.clock import Clock
from tap.errors import InputError, TapError
from tap.room.address import Address, require_allowed
from tap.room.app import Desk, build_app
from tap.room.board import Board
from tap.room.inbox import Inbox
from tap.room.streams import Places
from tap.room.thumbnails import Thumbnails

MOST_CONNECTIONS = 400
MOST_HEAD_BYTES = 16_384
KEEP_ALIVE_S = 10
UP_WITHIN_S = 10.0
LINGER_S = 0.5
"""After the end, streams get so long to say goodbye."""


class ControlRoom:
    """Serves the page; `onlooker` is what the witness is given.

    `evidence` is the folder of the session's pictures. Raises `InputError` where the address may
    not be used (see `require_allowed`) or can't be.
    """

    def __init__(
        self,
        address: Address,
        evidence: Path,
        *,
        clock: Clock,
        token: str | None = None,
        off_loopback: bool = False,
        inbox: Inbox | None = None,
    ) -> None:
        require_allowed(address, token, off_loopback=off_loopback)
        self._wanted = address
        self._evidence = evidence
        self._clock = clock
        self._token = token
        self.onlooker = inbox if inbox is not None else Inbox()
        self.address = address
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._board = Board(clock.now_ms)
        self._thumbnails = Thumbnails(self.onlooker.frames, lambda: clock.now_ms() / 1000)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where to open the page, without the token."""
        host = self.address.host
        if host in ("0.0.0.0", "::"):  # noqa: S104  a name for all addresses, not a binding
            return f"http://{socket.gethostname()}:{self.address.port}/"
        return f"http://{self.address.shown}/"

    # ------------------------------------------------------------ life

    def start(self) -> Self:
        """Bind, and serve from now on."""
        bound = self._bind()
        settings = uvicorn.Config(
            self._build(),
            http="h11",
            ws="none",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
        )
        self._server = server = uvicorn.Server(settings)
        self._thread = threading.Thread(
            target=lambda: server.run(sockets=[bound]), name="control room", daemon=True
        )
        self._thread.start()
        if not self._up.wait(UP_WITHIN_S):
            raise TapError("the page's server did not come up in 10 s; start again without --web")
        return self

    def stop(self) -> None:
        """Tell every page that it is over, and close; harmless when repeated."""
        if self._server is None or self._thread is None or self._loop is None:
            return
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._say_goodbye)
        self._thread.join(LINGER_S)
        self._server.should_exit = True
        self._thread.join(UP_WITHIN_S)
        self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # ------------------------------------------------------------ inside

    def _bind(self) -> socket.socket:
        wanted = self._wanted
        family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
        try:
            bound = socket.create_server((wanted.host, wanted.port), family=family)
        except (OSError, OverflowError) as error:
            said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            raise InputError(
                f'--web {wanted.shown}: expected a free port there, got "{said}"; '
                "give another, such as --web 127.0.0.1:9441"
            ) from error
        self.address = replace(wanted, port=bound.getsockname()[1])
        return bound

    def _build(self) -> Starlette:
        inbox, board, thumbnails = self.onlooker, self._board, self._thumbnails
        desk = Desk(board, thumbnails, Places(), self._evidence, self._clock.now_ms)

        def answer() -> None:
            notes, lost = inbox.take()
            board.take(notes, lost=lost)

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncGenerator[None]:
            self._loop = asyncio.get_running_loop()
            inbox.open(self._loop, answer)
            making = asyncio.create_task(thumbnails.run())
            self._up.set()
            yield
            inbox.close()
            self._say_goodbye()
            making.cancel()

        return build_app(desk, address=self._wanted, token=self._token, lifespan=lifespan)

    def _say_goodbye(self) -> None:
        """End every stream. On the room's thread."""
        self._board.close()
        self._thumbnails.close()
