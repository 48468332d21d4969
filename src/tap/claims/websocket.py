"""The director's messages over a WebSocket. Listens only: all tap sends are pings and pongs."""

import contextlib

from websockets.exceptions import ConnectionClosed, ConnectionClosedError, WebSocketException
from websockets.frames import CloseCode
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tap.claims.wire import OPEN_TIMEOUT_S, LiveClaims
from tap.errors import FeedError

_MAX_FRAME = 2 * 1024 * 1024
"""Beyond this a message isn't even received: the connection is closed and made anew."""
_MAX_WAITING = 8
_PING_S = 10.0


class WebSocketClaims(LiveClaims):
    """Claims from a `ws://` or `wss://` address."""

    schemes = ("ws", "wss")
    _socket: Connection | None = None

    def _listen(self) -> None:
        try:
            with connect(
                self._address,
                additional_headers=self._headers,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=1.0,
                ping_interval=_PING_S,
                ping_timeout=_PING_S,
                max_size=_MAX_FRAME,
                max_queue=_MAX_WAITING,
                compression=None,  # nothing that could unpack to more than was sent
                proxy=None,
            ) as socket:
                self._socket = socket
                self._connected()
                while not self._stopping.is_set():
                    self._take(socket.recv(decode=False))
        except ConnectionClosed as error:
            self._closed(error)
        except (OSError, WebSocketException, ValueError) as error:
            raise FeedError(
                f"expected a WebSocket, got: {error or type(error).__name__}"
            ) from error
        finally:
            self._socket = None

    def _closed(self, error: ConnectionClosed) -> None:
        if error.sent is not None and error.sent.code == CloseCode.MESSAGE_TOO_BIG:
            problem = f"expected at most 64 KiB, got a message over {_MAX_FRAME} bytes"
            self._take_unreadable("", problem)
            raise FeedError(f"{problem}: had to hang up") from error
        if isinstance(error, ConnectionClosedError):
            raise FeedError(f"the connection was lost: {error}") from error

    def _hang_up(self) -> None:
        socket = self._socket
        if socket is not None:
            with contextlib.suppress(OSError, WebSocketException):
                socket.close()
