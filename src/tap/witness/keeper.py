"""Keeps the pictures that prove a verdict, while the session runs.

Pictures of the last seconds wait in memory, so that those around a change are still there when
the verdict on it falls. A thread of its own writes them; a slow or full disk costs pictures,
which are counted, and never holds up the witness.
"""

import hashlib
import queue
import shutil
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from tap.ledger import FileFact
from tap.report.findings import Pick, PictureRef
from tap.report.folder import PICTURES_FOLDER, TOLERANCE_MS, picture_name
from tap.report.gather import Delays, wanted_pictures
from tap.vocabulary import DISAGREEMENTS, Claim, Event, Frame, Luma, Shot, Verdict
from tap.witness.far import FarPictures, Fetch
from tap.witness.onlooker import Proof

BUDGET_BYTES = 200 * 10**6
"""All pictures of a session, by default."""

RING_BYTES = 8 * 10**6
WHOLE_MS, LONGEST_MS, THIN_MS = 1500.0, 8000.0, 200.0
"""Every picture of the last 1.5 s is at hand, and one each 200 ms of the last 8 s."""

MOST_PINNED = 64
QUEUE_JOBS, QUEUE_BYTES = 512, 64 * 10**6
DISK_RESERVE_BYTES = 64 * 2**20
"""Left free for the journal: pictures are given up first."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How the pictures of a session fare. `lost` is all that was wanted and is not on disk."""

    saved: int = 0
    evicted: int = 0
    over_budget: int = 0
    disk_full: int = 0
    failed: int = 0
    too_busy: int = 0
    absent: int = 0

    @property
    def lost(self) -> int:
        """Pictures that were wanted and could not be kept, for whatever reason."""
        return self.over_budget + self.disk_full + self.failed + self.too_busy


@dataclass(frozen=True, slots=True)
class _Held:
    """A picture in memory: the JPEG as received, or the small grey one where there was none."""

    feed: str
    at_ms: float
    content: bytes | Luma
    index: int = 0
    """Of the frame."""

    @property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.nbytes

    def jpeg(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        return cv2.imencode(".jpg", self.content)[1].tobytes()


class _Ring:
    """The last seconds of one feed: all of the newest, thinned behind, bounded in bytes."""

    def __init__(self) -> None:
        self._old: deque[_Held] = deque()
        self._new: deque[_Held] = deque()
        self._bytes = 0

    def add(self, held: _Held) -> None:
        if self._new and held.at_ms <= self._new[-1].at_ms:
            return
        self._new.append(held)
        self._bytes += held.size
        while self._new[0].at_ms < held.at_ms - WHOLE_MS:
            aging = self._new.popleft()
            if not self._old or aging.at_ms - self._old[-1].at_ms >= THIN_MS:
                self._old.append(aging)
            else:
                self._bytes -= aging.size
        while self._old and self._old[0].at_ms < held.at_ms - LONGEST_MS:
            self._bytes -= self._old.popleft().size
        while self._bytes > RING_BYTES and len(self._new) > 1:
            self._bytes -= (self._old or self._new).popleft().size

    def find(self, ref: PictureRef) -> _Held | None:
        return _pick([*self._old, *self._new], ref)


def _pick(held: Iterable[_Held], ref: PictureRef) -> _Held | None:
    """The picture that `ref` means, if there is one within the tolerance."""
    fitting = [
        h
        for h in held
        if h.feed == ref.feed
        and abs(h.at_ms - ref.at_ms) <= TOLERANCE_MS
        and not (ref.pick is Pick.LAST_BEFORE and h.at_ms >= ref.at_ms)
        and not (ref.pick is Pick.FIRST_FROM and h.at_ms < ref.at_ms)
    ]
    return min(fitting, key=lambda h: abs(h.at_ms - ref.at_ms), default=None)


class EvidenceKeeper:
    """Feeds give it every frame; the session tells it of events and verdicts; all threads may.

    `close` writes what waits and ends the thread. Nothing here raises into the caller.
    """

    def __init__(
        self,
        folder: Path,
        *,
        budget_bytes: int = BUDGET_BYTES,
        reserve_bytes: int = DISK_RESERVE_BYTES,
        far: Mapping[str, Fetch] | None = None,
    ) -> None:
        """`far`: for each camera whose whole pictures are elsewhere, how to fetch one."""
        self._far = FarPictures(far or {})
        self._rings: dict[str, _Ring] = {}
        self._pinned: OrderedDict[str, list[_Held]] = OrderedDict()
        self._lock = threading.Lock()
        self._counts = Kept()
        self._waiting_bytes = 0
        self._jobs: queue.Queue[tuple[_Held, bool | None] | None] = queue.Queue(QUEUE_JOBS)
        """A picture, and whether it matters; None: it may be wanted, so fetch it if it is far."""
        self._store = _Store(folder, budget_bytes, reserve_bytes)
        self._writer = threading.Thread(target=self._write, name="evidence", daemon=True)
        self._writer.start()

    def frame(self, frame: Frame) -> None:
        """Remember a picture for some seconds."""
        held = _Held(frame.feed, frame.at_ms, frame.encoded or frame.luma, frame.index)
        with self._lock:
            self._rings.setdefault(frame.feed, _Ring()).add(held)

    def pin(self, event: Event, delays: Delays, shot: Shot | None = None) -> None:
        """Hold the pictures around a change until its verdict falls, however they are thinned."""
        with self._lock:
            found = [
                self._find(ref) for ref in wanted_pictures(None, event, delays=delays, shot=shot)
            ]
            self._pinned[event.id] = [held for held in found if held is not None]
            while len(self._pinned) > MOST_PINNED:
                self._pinned.popitem(last=False)
        for held in found:
            # Where it is taken it is kept for some seconds only, as here.
            if held is not None and self._far.has(held.feed):
                with suppress(queue.Full):
                    self._jobs.put_nowait((held, None))

    def keep(
        self,
        verdict: Verdict,
        claim: Claim | None,
        event: Event | None,
        delays: Delays,
        shot: Shot | None = None,
    ) -> tuple[Proof, ...]:
        """Save the pictures that a person needs to judge this verdict by eye.

        Returns which they are; the thread that writes them may still drop one.
        """
        refs = wanted_pictures(claim, event, code=verdict.code, delays=delays, shot=shot)
        with self._lock:
            pinned = self._pinned.pop(event.id, []) if event is not None else []
            found = [_pick(pinned, ref) or self._find(ref) for ref in refs]
            absent = sum(1 for held in found if held is None)
            self._counts = replace(self._counts, absent=self._counts.absent + absent)
        proofs: list[Proof] = []
        for ref, held in zip(refs, found, strict=True):
            if held is not None and self._put(held, verdict.code in DISAGREEMENTS):
                proofs.append(Proof(ref.role, held.feed, picture_name(held.feed, held.at_ms)))
        return tuple(proofs)

    @property
    def kept(self) -> Kept:
        """The counters as they stand."""
        with self._lock:
            return self._counts

    def changes(self) -> list[FileFact]:
        """What became of pictures on disk since this was asked last, in order."""
        return self._store.changes()

    def free(self, size: int) -> int:
        """Give up saved pictures of about `size` bytes, those of agreements first; how many
        bytes that freed."""
        freed, count = self._store.free(size)
        with self._lock:
            self._counts = replace(self._counts, evicted=self._counts.evicted + count)
        return freed

    def close(self, timeout_s: float = 10.0) -> Kept:
        """Write what waits, for at most `timeout_s`, and end. Returns the counters."""
        try:
            self._jobs.put(None, timeout=timeout_s)
        except queue.Full:
            return self.kept
        self._writer.join(timeout_s)
        return self.kept

    def _find(self, ref: PictureRef) -> _Held | None:
        ring = self._rings.get(ref.feed)
        return ring.find(ref) if ring is not None else None

    def _put(self, held: _Held, matters: bool) -> bool:
        """Hand a picture to the writer; whether it had room for it."""
        with self._lock:
            if self._waiting_bytes + held.size <= QUEUE_BYTES:
                try:
                    self._jobs.put_nowait((held, matters))
                    self._waiting_bytes += held.size
                except queue.Full:
                    pass
                else:
                    return True
            self._counts = replace(self._counts, too_busy=self._counts.too_busy + 1)
            return False

    def _write(self) -> None:
        while (job := self._jobs.get()) is not None:
            held, matters = job
            if self._far.has(held.feed):
                jpeg = self._far.get(held.feed, held.index)
                held = held if jpeg is None else replace(held, content=jpeg)
            if matters is None:
                continue
            job_size = job[0].size
            change = self._store.save(held, matters)
            with self._lock:
                self._waiting_bytes -= job_size
                counts = {name: getattr(self._counts, name) + n for name, n in change.items()}
                self._counts = replace(self._counts, **counts)


class _Store:
    """The pictures on disk, within a budget: those of agreements make room for others.

    Pictures that an earlier run of the session left count as important: whose they were is not
    known any more.
    """

    def __init__(self, folder: Path, budget_bytes: int, reserve_bytes: int) -> None:
        self._lock = threading.Lock()
        self._folder = folder
        self._budget_bytes = budget_bytes
        self._reserve_bytes = reserve_bytes
        self._minor: OrderedDict[str, int] = OrderedDict()
        self._major: dict[str, int] = {}
        self._changes: deque[FileFact] = deque()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for file in folder.glob("*.jpg"):
                self._major[file.name] = file.stat().st_size
        except OSError:  # shown as `failed` with the first picture that can't be written
            pass
        self._bytes = sum(self._major.values())

    def changes(self) -> list[FileFact]:
        """What became of pictures since this was asked last."""
        with self._lock:
            changes = list(self._changes)
            self._changes.clear()
        return changes

    def free(self, size: int) -> tuple[int, int]:
        """Delete pictures, the least important and oldest first; bytes and pictures deleted."""
        freed = count = 0
        with self._lock:
            for kept in (self._minor, self._major):
                while kept and freed < size:
                    name = next(iter(kept))
                    with suppress(OSError):
                        self._delete(name)
                        freed += kept[name]
                        count += 1
                    self._bytes -= kept.pop(name)
        return freed, count

    def save(self, held: _Held, matters: bool) -> dict[str, int]:
        """Write one picture; returns which counters go up by how much."""
        with self._lock:
            return self._save(held, matters)

    def _save(self, held: _Held, matters: bool) -> dict[str, int]:
        name = picture_name(held.feed, held.at_ms)
        if name in self._major or name in self._minor:
            if matters and name in self._minor:
                self._major[name] = self._minor.pop(name)
            return {}
        try:
            jpeg = held.jpeg()
            evicted = self._make_room(len(jpeg))
            if self._bytes + len(jpeg) > self._budget_bytes:
                return {"evicted": evicted, "over_budget": 1}
            if shutil.disk_usage(self._folder).free < self._reserve_bytes + len(jpeg):
                return {"evicted": evicted, "disk_full": 1}
            half = self._folder / f"{name}.part"
            try:
                half.write_bytes(jpeg)
                half.replace(self._folder / name)
            finally:
                half.unlink(missing_ok=True)
        except (OSError, cv2.error):
            return {"failed": 1}
        sha256 = hashlib.sha256(jpeg).hexdigest()
        self._changes.append(FileFact(f"{PICTURES_FOLDER}/{name}", sha256))
        (self._major if matters else self._minor)[name] = len(jpeg)
        self._bytes += len(jpeg)
        return {"evicted": evicted, "saved": 1}

    def _make_room(self, size: int) -> int:
        """Drop the oldest pictures of agreements until `size` bytes fit; returns how many."""
        evicted = 0
        while self._minor and self._bytes + size > self._budget_bytes:
            name, freed = self._minor.popitem(last=False)
            self._delete(name)
            self._bytes -= freed
            evicted += 1
        return evicted

    def _delete(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)
        self._changes.append(FileFact(f"{PICTURES_FOLDER}/{name}", None))
