"""A director's wire made of bytes: a WebSocket or an event stream that says, breaks and returns."""

import contextlib
import hashlib
import socket
import struct
import threading
from base64 import b64encode
from collections.abc import Iterator

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def ws_frame(payload: bytes, opcode: int = 1) -> bytes:
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    return head + payload


def sse_event(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"


def greeting(kind: str, request: bytes) -> bytes:
    if kind == "http":
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
    key = next(value for name, value in headers.items() if name.lower() == b"sec-websocket-key")
    accept = b64encode(hashlib.sha1(key + _GUID.encode()).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


@contextlib.contextmanager
def wire(kind: str, *sessions: bytes) -> Iterator[str]:
    """Each connection is sent the next bytes and then torn; the last one stays open."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for number, content in enumerate(sessions, start=1):
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError):
                peer.sendall(greeting(kind, peer.recv(65536)))
                peer.sendall(content)
                if number == len(sessions):
                    over.wait(30)
                else:
                    # What was sent arrives; then the connection breaks without a goodbye.
                    peer.shutdown(socket.SHUT_WR)
                    peer.settimeout(1.0)
                    while peer.recv(65536):
                        pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"{kind}://127.0.0.1:{listener.getsockname()[1]}/director"
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
