"""A long recording in pieces that can be reduced apart and joined without a seam.

That the pieces give what the whole gives is not hoped for but held to, in four ways:

- a file is cut only at a picture before which its decoder forgets everything (see `resets`);
- each piece digests the coded pictures that it is given: they must be those that the file has there
  when it is read from its beginning;
- a piece must give one picture for each coded one, in the order of their times;
- at each seam the piece before goes on for `OVERLAP_MS`, with all that its decoder remembers, and
  both must give the same pictures at full size.

What can't be cut so stays whole; what does not fit (`SeamError`) has to be read whole.
"""

import hashlib
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from av.error import FFmpegError

from tap.errors import FeedError
from tap.feeds.media import Reduced, reduced
from tap.feeds.resets import Kind, Resets
from tap.feeds.video import Picture, VideoFile, luma_plane, pts_ms_of

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

OVERLAP_MS = 2000.0
"""How far a piece looks into the next one."""
SHORTEST_MS = 2 * OVERLAP_MS
"""No piece but the last may be shorter: the overlap must lie within one piece."""
_JUMP_BACK_MS = (0, 5_000, 30_000)


class SeamError(FeedError):
    """A piece is not what the whole file has there."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a file, by its own time stamps in ms: [start_ms, end_ms).

    `key` tells the coded picture that it begins with (pts in ticks, CRC-32); `packets` and `digest`
    what belongs to it in the file; `pictures` how many packets of these are no empty ones. The
    whole file has None for all of that.
    """

    start_ms: float | None = None
    end_ms: float | None = None
    key: tuple[int, int] | None = None
    packets: int = 0
    pictures: int = 0
    digest: str | None = None


WHOLE = Piece()


@dataclass(slots=True)
class Seams:
    """Digests of the pictures around a piece's ends, at full size."""

    head: list[str] = field(default_factory=list[str])
    """Of its own first `OVERLAP_MS`."""
    tail: list[str] = field(default_factory=list[str])
    """Of the first `OVERLAP_MS` of the next piece, as this one sees them."""


def cut(file: VideoFile, every_ms: float) -> tuple[Piece, ...]:
    """Where a file can be cut into pieces of about `every_ms`; `(WHOLE,)` where it can't.

    Reads the file once from the beginning, and decodes nothing.
    """
    resets = Resets(file.codec, file.parameters, intra_only=file.intra_only)
    shortest_ms = max(every_ms, SHORTEST_MS)
    pieces: list[_Growing] = []
    times: set[int] = set()
    ended = False
    for packet in file.packets():
        if not packet.size and pieces:
            pieces[-1].digest.add(packet)
            ended = True
            continue
        pts, pts_ms = packet.pts, pts_ms_of(packet)
        if pts is None or pts_ms is None or pts in times or ended or _is_odd(packet):
            return (WHOLE,)
        kind = resets.kind(memoryview(packet), is_key=packet.is_keyframe)
        if kind is Kind.UNKNOWN:
            return (WHOLE,)
        times.add(pts)
        now = pieces[-1] if pieces else None
        if now is None or (kind is Kind.RESET and pts_ms - now.first_ms >= shortest_ms):
            now = _Growing(pts_ms, (pts, _crc(packet)), now.last_ms if now else None)
            pieces.append(now)
        if now.before_ms is not None and pts_ms <= now.before_ms:
            return (WHOLE,)  # it is shown before the cut, but comes after it
        now.add(packet, pts_ms)
    if len(pieces) < 2:
        return (WHOLE,)
    starts = [None, *(piece.start_ms for piece in pieces[1:])]
    ends = [*starts[1:], None]
    return tuple(
        Piece(start, end, piece.key, piece.digest.packets, piece.pictures, piece.digest.hex())
        for piece, start, end in zip(pieces, starts, ends, strict=True)
    )


def read_piece(file: VideoFile, piece: Piece, seams: Seams) -> Iterator[Reduced]:
    """The pictures of a piece, reduced; `seams` is filled by the way.

    Raises `SeamError` where the file does not give what `cut` saw in it, at the latest at the end.
    """
    start_ms = piece.start_ms if piece.start_ms is not None else -math.inf
    end_ms = piece.end_ms if piece.end_ms is not None else math.inf
    last_ms, count = -math.inf, 0
    for picture in _pictures(file, piece):
        pts_ms = picture.pts_ms
        if piece == WHOLE:
            yield reduced(picture)
        elif pts_ms is None or pts_ms < start_ms or pts_ms <= last_ms:
            raise SeamError(f"a picture at {pts_ms} ms is not where it belongs")
        elif picture.content is None:
            # What a decoder makes up for damage may come from before what it should have forgotten.
            raise SeamError(f"the picture at {pts_ms} ms is damaged")
        elif pts_ms < end_ms:
            last_ms = pts_ms
            count += 1
            if pts_ms < start_ms + OVERLAP_MS:
                seams.head.append(_full(picture))
            yield reduced(picture)
        elif pts_ms < end_ms + OVERLAP_MS:
            last_ms = pts_ms
            seams.tail.append(_full(picture))
        else:
            break
    if count != piece.pictures:
        # A decoder that finds out late how much pictures are out of order loses some.
        raise SeamError(f"expected {piece.pictures} pictures, got {count}")


def check_seams(pieces: list[Seams]) -> None:
    """Raise `SeamError` unless neighbouring pieces saw the same where they overlap."""
    for number, (before, after) in enumerate(pairwise(pieces)):
        if before.tail != after.head:
            raise SeamError(f"the pieces {number} and {number + 1} differ where they overlap")


def _pictures(file: VideoFile, piece: Piece) -> Iterator[Picture]:
    """Decode from a piece's first picture on, checking that what is decoded is the piece's."""
    packets = file.packets()
    if piece.key is not None and piece.start_ms is not None:
        packets = _from_key(file, piece.key)
    given = _Digest()
    for packet in packets:
        if piece != WHOLE and (given.packets < piece.packets or piece.end_ms is None):
            given.add(packet)
            if given.packets == piece.packets and given.hex() != piece.digest:
                raise SeamError("other coded pictures come after a jump than without")
        yield from file.decoded(packet)
    if given.packets != piece.packets:
        raise SeamError(f"expected {piece.packets} coded pictures, got {given.packets}")


def _from_key(file: VideoFile, key: tuple[int, int]) -> "Iterator[Packet[VideoStream]]":
    """A file's coded pictures from that one on. Where there is no index, a jump may go too far."""
    for back_ms in _JUMP_BACK_MS:
        try:
            file.go_to(key[0], back_ms)
        except FFmpegError:
            continue
        packets = file.packets()
        for packet in packets:
            if packet.is_keyframe and packet.pts is not None and packet.pts >= key[0]:
                if (packet.pts, _crc(packet)) != key:
                    break
                yield packet
                yield from packets
                return
    raise SeamError("its first picture was not found")


def _is_odd(packet: "Packet[VideoStream]") -> bool:
    return packet.is_corrupt or packet.is_discard or packet.has_sidedata("new_extradata")


class _Digest:
    """Takes coded pictures one by one."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.packets = 0

    def add(self, packet: "Packet[VideoStream]") -> None:
        flags = packet.is_keyframe | packet.is_corrupt << 1 | packet.is_discard << 2
        self._hash.update(struct.pack("<qqIB", packet.pts or 0, packet.size, _crc(packet), flags))
        self.packets += 1

    def hex(self) -> str:
        return self._hash.hexdigest()


class _Growing:
    """A piece that is being found."""

    def __init__(self, first_ms: float, key: tuple[int, int], before_ms: float | None) -> None:
        self.first_ms = self.last_ms = self.start_ms = first_ms
        self.before_ms = before_ms
        """The last picture of all pieces before."""
        self.key = key
        self.digest = _Digest()
        self.pictures = 0

    def add(self, packet: "Packet[VideoStream]", pts_ms: float) -> None:
        self.last_ms = max(self.last_ms, pts_ms)
        self.start_ms = min(self.start_ms, pts_ms)
        self.pictures += 1
        self.digest.add(packet)


def _crc(packet: "Packet[VideoStream]") -> int:
    return zlib.crc32(memoryview(packet)) if packet.size else 0


def _full(picture: Picture) -> str:
    """Digest of all that is decoded of a picture's brightness."""
    content = picture.content
    if content is None:
        whole = b"damaged"
    else:
        whole = content if isinstance(content, bytes) else luma_plane(content).tobytes()
    return hashlib.sha256(f"{picture.pts_ms} {picture.turns} ".encode() + whole).hexdigest()
