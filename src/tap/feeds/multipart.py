"""`multipart/x-mixed-replace` as real cameras speak it: bytes in, parts out, no I/O.

Servers disagree with the standard and with each other, so nothing they declare is believed
without a look at the bytes: the boundary is learnt from the stream where the header doesn't give
it, and `Content-Length` is a hint. What comes out depends on the bytes alone, never on how the
network cut them. Time is linear and memory bounded in what is fed.
"""

import math
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from tap.errors import FeedError

MAX_HEADER = 16 * 1024
"""Largest header of a part, bytes."""

MAX_BODY = 8 * 1024 * 1024
"""Largest body of a part, bytes."""

MAX_PREAMBLE = 64 * 1024
"""Bytes before the first boundary; more of them, and this is no multipart stream."""

_MAX_TAG = 200
_MAX_LINE = _MAX_TAG + 256
_PATIENCE = 3
_LEARNT = re.compile(rb"--+([^\r\n-][^\r\n]{0,%d}?)[ \t]*\r?\n" % (_MAX_TAG - 1))
_HEADER_LINE = re.compile(rb"[A-Za-z0-9-]{1,64}[ \t]*:")
_END_OF_HEADER = re.compile(rb"\n\r?\n")
_JPEG_END = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `at_ms` is when the first byte of its body arrived; header names in lower case."""

    headers: Mapping[str, str]
    body: bytes
    at_ms: float

    @property
    def source_ms(self) -> float | None:
        """The sender's `X-Timestamp` (seconds on its own clock) in ms, where it gave one."""
        try:
            seconds = float(self.headers.get("x-timestamp", ""))
        except ValueError:
            return None
        return seconds * 1000.0 if math.isfinite(seconds) and 0 < seconds < 1e11 else None


def boundary_of(content_type: str) -> str | None:
    """The `boundary` parameter of a Content-Type header, without its quotes."""
    found = re.search(r'(?i)\bboundary\s*=\s*(?:"([^"]*)"|([^;]*))', content_type)
    if found is None:
        return None
    return (found[1] if found[1] is not None else found[2]).strip() or None


class _State(Enum):
    SEEK = auto()
    """Looking for a boundary line."""
    HEADER = auto()
    BODY = auto()


class MultipartParser:
    """Feed it what arrives; it hands back the parts that are complete.

    Raises `FeedError` where the bytes are no multipart stream at all. Faults inside a stream
    are skipped up to the next boundary and counted in `skipped`.
    """

    def __init__(self, boundary: str | None = None) -> None:
        self.skipped = 0
        """Parts given up: too large, cut off, or with an endless header."""
        tag = (boundary or "").strip().lstrip("-").encode("latin-1", "replace")[:_MAX_TAG]
        self._line = _boundary_line(tag) if tag else None
        self._confirmed = False  # whether the boundary was seen to be one
        self._fresh = True  # whether nothing but blank lines came so far
        self._buffer = bytearray()
        self._dropped = 0  # stream offset of the buffer's first byte
        self._pos = 0  # start of the line (SEEK), header or body at hand
        self._scan = 0  # nothing in it before here needs another look
        self._state = _State.SEEK
        self._headers: dict[str, str] = {}
        self._hint: int | None = None
        self._wrong_hints = 0
        self._arrivals: deque[tuple[int, float]] = deque(maxlen=4096)

    @property
    def buffered(self) -> int:
        """Bytes held, at most about `MAX_BODY` plus one chunk."""
        return len(self._buffer)

    @property
    def under_way_ms(self) -> float | None:
        """When the first byte arrived of the part that is under way; None if none has begun."""
        if self._state is not _State.BODY or self._pos >= len(self._buffer):
            return None
        return self._arrived(self._dropped + self._pos)

    def feed(self, chunk: bytes | memoryview, at_ms: float) -> list[Part]:
        """Take bytes that arrived at `at_ms` (Unix ms); return the parts they complete."""
        if not self._arrivals or at_ms - self._arrivals[-1][1] >= 1.0:
            self._arrivals.append((self._dropped + len(self._buffer), at_ms))
        self._buffer += chunk
        parts: list[Part] = []
        while (step := self._step()) is not None:
            if isinstance(step, Part):
                parts.append(step)
        self._forget()
        return parts

    def close(self) -> list[Part]:
        """The stream has ended: return the last part if it is whole."""
        if self._state is _State.BODY:
            end = len(self._buffer)
            if self._ends_picture(end):
                return [self._take(end)]
            self.skipped += end > self._pos
        return []

    # Each step returns a part, True for progress, or None when more bytes are needed.

    def _step(self) -> Part | bool | None:
        if self._state is _State.SEEK:
            return self._seek()
        if self._state is _State.HEADER:
            return self._header()
        return self._body()

    def _seek(self) -> bool | None:
        """Go from line to line to the next boundary; before the first part, learn it if need be."""
        buffer = self._buffer
        while True:
            start = self._pos
            newline = buffer.find(b"\n", start, start + _MAX_LINE)
            if newline < 0 and len(buffer) < start + _MAX_LINE:
                return None
            if newline >= 0 and self._starts_part(start, newline):
                return True
            self._pos = self._scan = newline + 1 if newline >= 0 else start + _MAX_LINE
            if not self._confirmed and self._dropped + self._pos > MAX_PREAMBLE:
                raise FeedError(
                    "Expected a multipart stream of JPEGs, found no boundary in its first "
                    f"{MAX_PREAMBLE // 1024} kB; check that the URL is the camera's MJPEG stream."
                )

    def _starts_part(self, start: int, newline: int) -> bool:
        buffer = self._buffer
        if self._line is not None and self._line.match(buffer, start):
            self._confirmed = True
            self._enter(_State.HEADER, newline + 1)
            return True
        if self._confirmed or not buffer[start:newline].strip():
            return False
        first, self._fresh = self._fresh, False
        learnt = _LEARNT.match(buffer, start)
        if learnt is not None:
            self._line = _boundary_line(bytes(learnt[1]))
            self._enter(_State.HEADER, newline + 1)
            return True
        # Some servers begin with a part's header and send the boundary only behind it.
        if first and self._line is not None and _HEADER_LINE.match(buffer, start):
            self._enter(_State.HEADER, start)
            return True
        return False

    def _header(self) -> bool | None:
        buffer, start = self._buffer, self._pos
        # Blank lines and repeated boundary lines before the header mean nothing.
        while True:
            if start >= len(buffer):
                return None
            if buffer[start] == 0xFF:  # no header at all: the JPEG itself
                self._pos = start
                return self._begin_body({}, start)
            newline = buffer.find(b"\n", start, start + _MAX_LINE)
            if newline < 0:
                if len(buffer) - start < _MAX_LINE:
                    return None
                break
            line = bytes(buffer[start:newline]).strip()
            if line and not (self._line and self._line.match(buffer, start)):
                break
            start = self._pos = newline + 1
        end = _END_OF_HEADER.search(buffer, max(start, self._scan - 3), start + MAX_HEADER)
        if end is None:
            if len(buffer) - start < MAX_HEADER:
                self._scan = len(buffer)
                return None
            self.skipped += 1
            self._enter(_State.SEEK, start + MAX_HEADER)
            return True
        return self._begin_body(_parse_header(bytes(buffer[start : end.start()])), end.end())

    def _begin_body(self, headers: dict[str, str], at: int) -> bool:
        self._headers = headers
        self._hint = _content_length(headers)
        self._confirmed = True
        self._enter(_State.BODY, at)
        self._scan = at - 1  # the line break that ends the header may begin a boundary
        return True

    def _body(self) -> Part | bool | None:
        buffer = self._buffer
        # A blank line too many before the picture.
        while self._scan < self._pos < len(buffer) and buffer[self._pos] in b"\r\n":
            self._pos += 1
            self._scan = self._pos - 1
        end = self._end_of_body()
        if end is not None:
            if end > self._pos:
                return self._take(end)
            self._enter(_State.SEEK, end)
            return True
        if len(buffer) - self._pos > MAX_BODY:
            self.skipped += 1
            self._enter(_State.SEEK, self._pos + MAX_BODY)
            return True
        return None

    def _end_of_body(self) -> int | None:
        """Offset behind the body's last byte, or None while that can't be told.

        The declared length ends it, if a picture ends there. If not, the length was wrong, and
        the next boundary line ends it; a server that is wrong repeatedly is not asked again.
        """
        if self._hint is not None and self._wrong_hints < _PATIENCE:
            end = self._pos + self._hint
            if len(self._buffer) < end:
                return None
            if self._ends_picture(end):
                self._wrong_hints = 0
                return end
            self._wrong_hints += 1
        self._hint = None
        return self._find_boundary()

    def _find_boundary(self) -> int | None:
        """Offset of the line break before the next boundary line.

        Never looks beyond `MAX_BODY`. Keeps in `_scan` where to go on.
        """
        buffer, line = self._buffer, self._line
        limit = self._pos + MAX_BODY
        if line is None:
            return None
        at = self._scan
        while (at := buffer.find(b"\n--", at, limit)) >= 0:
            if line.match(buffer, at + 1):
                return max(at - (buffer[at - 1] == 0x0D), self._pos)
            whole = buffer.find(b"\n", at + 1, at + _MAX_LINE) >= 0
            if not whole and len(buffer) < at + _MAX_LINE:
                self._scan = at
                return None
            at += 1
        self._scan = max(self._scan, min(len(buffer), limit) - 2)
        return None

    def _ends_picture(self, end: int) -> bool:
        """Whether a JPEG ends at `end`, but for padding; the same question for every cut."""
        tail = bytes(self._buffer[max(self._pos, end - 64) : end])
        return tail.rstrip(b"\r\n\0").endswith(_JPEG_END)

    def _take(self, end: int) -> Part:
        with memoryview(self._buffer) as view:
            body = bytes(view[self._pos : end])
        if self._ends_picture(end):
            body = body.rstrip(b"\r\n")
        part = Part(self._headers, body, self._arrived(self._dropped + self._pos))
        self._enter(_State.SEEK, end)
        return part

    def _arrived(self, offset: int) -> float:
        """When the byte at that stream offset came."""
        arrivals = self._arrivals
        while len(arrivals) > 1 and arrivals[1][0] <= offset:
            arrivals.popleft()
        return arrivals[0][1]

    def _enter(self, state: _State, at: int) -> None:
        self._state = state
        self._pos = self._scan = at

    def _forget(self) -> None:
        """Drop what is behind, once per chunk so that the cost stays linear."""
        # The line break before a body is kept: it may begin the boundary already.
        start = self._pos - (self._state is not _State.SEEK)
        done = min(start, self._scan, len(self._buffer))
        if done > 0:
            del self._buffer[:done]
            self._dropped += done
            self._pos -= done
            self._scan -= done


def _boundary_line(tag: bytes) -> re.Pattern[bytes]:
    """Two or more dashes, the tag, perhaps the closing dashes, and the end of the line."""
    return re.compile(rb"--[-]{0,70}" + re.escape(tag) + rb"[ \t]{0,64}(?:--[ \t]{0,64})?\r?\n")


def _parse_header(text: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in text.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            key = name.strip().decode("latin-1").lower()
            headers[key] = value.strip().decode("latin-1")
    return headers


def _content_length(headers: Mapping[str, str]) -> int | None:
    value = headers.get("content-length", "")
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        return None
    return int(value) if 0 < int(value) <= MAX_BODY else None
