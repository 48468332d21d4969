"""Brings the bytes of stills to the ledger, where they can be had. Events never wait for it.

A still's message may say where its bytes are. What it says comes from outside: only what lies
under an address of the configuration is fetched, read-only, within limits of size and time.
"""

import base64
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpx

from tap.errors import InputError, TapError
from tap.ledger.faults import BookError
from tap.ledger.journal import read_journal
from tap.ledger.queue import Op, State
from tap.ledger.rows import StillRow

MAX_BYTES = 64 * 2**20
FETCH_S = 30.0
"""The longest that one still may take to be read."""
TRIES = 5
_LOOK_S = 2.0

_KINDS = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".heic": "image/heic",
    ".tif": "image/tiff", ".tiff": "image/tiff", ".webp": "image/webp", ".dng": "image/x-adobe-dng",
}  # fmt: skip

_log = logging.getLogger(__name__)


class TakesBytes(Protocol):
    """A ledger that keeps files. All methods raise `BookError`."""

    def upload_url(self, key: str) -> str | None:
        """Where the bytes of a still go; None where the ledger has them."""
        ...

    def put_bytes(self, url: str, content: bytes, content_type: str, digest: str) -> str:
        """Upload; the id under which they are stored. `digest` is base64 of their SHA-256."""
        ...

    def attach_still(self, key: str, storage_id: str, sha256: str, size: int) -> bool:
        """Give a still its bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Carried:
    """Counts of stills: given their bytes, already had them, refused for good, to try again."""

    attached: int = 0
    known: int = 0
    refused: int = 0
    waiting: int = 0


class StillUploader:
    """Looks for stills that the ledger has, in a session's journal, and brings their bytes.

    One thread at a time; `start` makes one of its own.
    """

    def __init__(
        self,
        journal: Path,
        ledger: TakesBytes,
        allowed: Sequence[str],
        *,
        fetch: Callable[[str, Sequence[str]], bytes] | None = None,
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._allowed = tuple(allowed)
        self._fetch = fetch or fetch_still
        self._tries: dict[str, int] = {}
        self._done: set[str] = set()
        self._counts = Carried()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def carried(self) -> Carried:
        """The counts as they stand."""
        return replace(self._counts, waiting=len(self._tries))

    def start(self) -> None:
        """Bring bytes from now on."""
        self._thread = threading.Thread(target=self._run, name="tap-stills", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End after the still under way. Harmless when repeated."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            self._thread = None

    def round(self, patience_s: float = 60.0) -> Carried:
        """Bring what can be brought now, for about `patience_s` at most. Raises `BookError`
        where the journal can't be read."""
        until = time.monotonic() + patience_s
        for row in self._waiting():
            if time.monotonic() > until:
                break
            self._bring(row)
        return self.carried

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            try:
                self.round(patience_s=_LOOK_S)
            except TapError as error:
                _log.warning("stills wait: %s", error)

    def _waiting(self) -> list[StillRow]:
        """Stills that the ledger has a row of and whose bytes may be fetched."""
        if not self._allowed or not self._journal.is_file():
            return []
        found: list[StillRow] = []
        with read_journal(self._journal) as journal:
            for sent in journal.queue.rows(State.SENT):
                if sent.op is Op.STILL and sent.key not in self._done:
                    row = StillRow.model_validate(sent.body)
                    if row.uri is not None and is_allowed(row.uri, self._allowed):
                        found.append(row)
        return found

    def _bring(self, row: StillRow) -> None:
        try:
            new = self._carry(row)
        except (BookError, InputError, OSError, httpx.HTTPError) as error:
            tries = self._tries[row.key] = self._tries.get(row.key, 0) + 1
            final = tries >= TRIES or (isinstance(error, BookError) and error.refused)
            if final:
                self._settle(row, refused=1)
            _log.warning("no bytes of %s (try %d): %s", row.key, tries, error)
            return
        self._settle(row, attached=int(new), known=int(not new))

    def _settle(
        self, row: StillRow, *, attached: int = 0, known: int = 0, refused: int = 0
    ) -> None:
        self._done.add(row.key)
        self._tries.pop(row.key, None)
        counts = self._counts
        self._counts = replace(
            counts,
            attached=counts.attached + attached,
            known=counts.known + known,
            refused=counts.refused + refused,
        )

    def _carry(self, row: StillRow) -> bool:
        """Whether the bytes were new. Asks first: a retried upload would leave a file behind."""
        url = self._ledger.upload_url(row.key)
        if url is None:
            return False
        content = self._fetch(row.uri or "", self._allowed)
        digest = hashlib.sha256(content)
        if row.sha256 is not None and row.sha256.lower() != digest.hexdigest():
            raise InputError(
                f"{row.key}: expected bytes of SHA-256 {row.sha256[:64]}, got others "
                f"({digest.hexdigest()}); correct the still's address."
            )
        kind = _KINDS.get(Path(urlsplit(row.uri or "").path).suffix.lower(), "image/jpeg")
        told = base64.b64encode(digest.digest()).decode()
        stored = self._ledger.put_bytes(url, content, kind, told)
        return self._ledger.attach_still(row.key, stored, digest.hexdigest(), len(content))


# ------------------------------------------------------------------ where bytes may come from


def is_allowed(uri: str, allowed: Sequence[str]) -> bool:
    """Whether an address lies under one of `allowed` (`file:///…/`, `https://…/`)."""
    return any(_lies_under(uri, start) for start in allowed)


def fetch_still(uri: str, allowed: Sequence[str]) -> bytes:
    """The bytes at an allowed address. Raises `InputError`, `OSError`, `httpx.HTTPError`."""
    if not is_allowed(uri, allowed):
        raise InputError(f"{uri[:200]}: expected an address under still_urls; add it there.")
    if urlsplit(uri).scheme == "file":
        with _path(uri).open("rb") as file:
            return _bounded(uri, file.read(MAX_BYTES + 1))
    until = time.monotonic() + FETCH_S
    content = bytearray()
    timeout = httpx.Timeout(10.0, connect=3.0)
    with (
        httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False) as client,
        client.stream("GET", uri) as response,
    ):
        if response.status_code != 200:
            raise InputError(f"{uri[:200]}: expected the still, got {response.status_code}.")
        for part in response.iter_bytes(65536):
            content += part
            if len(content) > MAX_BYTES or time.monotonic() > until:
                break
    if time.monotonic() > until:
        raise InputError(f"{uri[:200]}: expected the still within {FETCH_S:g} s, got no end.")
    return _bounded(uri, bytes(content))


def _bounded(uri: str, content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise InputError(f"{uri[:200]}: expected a still of at most {MAX_BYTES} bytes, got more.")
    return content


def _lies_under(uri: str, start: str) -> bool:
    try:
        given, base = urlsplit(uri), urlsplit(start)
        same = (given.scheme, given.hostname, given.port) == (base.scheme, base.hostname, base.port)
    except ValueError:
        return False
    if not same or given.username is not None or base.scheme not in ("file", "http", "https"):
        return False
    if base.scheme == "file":
        try:
            return _path(uri).is_relative_to(Path(unquote(base.path)).resolve())
        except OSError:
            return False
    path = unquote(given.path)
    folder = base.path if base.path.endswith("/") else f"{base.path}/"
    return path.startswith(folder) and ".." not in path.split("/")


def _path(uri: str) -> Path:
    """The file behind a `file:` address, links followed."""
    return Path(unquote(urlsplit(uri).path)).resolve()
