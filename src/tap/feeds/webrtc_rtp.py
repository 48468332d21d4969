"""RTP packets put together into coded pictures: in order, whole, and never waited for too long.

Pure: no sockets, no clock. It stands in for aiortc's own jitter buffer, which waits out 512 packets
for one that is lost and hands a picture over only when the next one begins.
"""

from dataclasses import dataclass
from typing import Literal

Codec = Literal["H264", "VP8"]

PATIENCE_MS = 250.0
"""How long a missing packet is waited for before the rest up to a key picture is given up."""
ASK_AGAIN_MS = 40.0
MAX_ASKED = 6
MAX_MISSING = 512
MAX_PACKETS = 4096
MAX_BYTES = 8 * 1024 * 1024
LONGEST_MS = 80.0
"""A picture's time is at most so long before it was whole; see `Coded.at_ms`."""

_FAR = 3000
_SPS, _IDR = 7, 5


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet, its payload already freed of the codec's packing (`depayload`)."""

    ssrc: int
    seq: int
    """16 bit."""
    timestamp: int
    """32 bit, 90 kHz."""
    marker: bool
    data: bytes
    at_ms: float
    """When it arrived, Unix ms."""


@dataclass(frozen=True, slots=True)
class Coded:
    """One whole coded picture.

    `at_ms` is when its first packet was there with nothing missing before it, as the first byte
    of a picture is over TCP, but no earlier than `LONGEST_MS` before it was whole.
    """

    data: bytes
    timestamp: int
    at_ms: float
    key: bool


class Assembler:
    """The packets of one stream, in any order, to whole pictures in their order.

    After a loss nothing is handed out until a key picture comes: `needs_key` says that one must
    be asked for. `has_parameters`: the decoder knows H.264's parameter sets from the signalling.
    """

    def __init__(self, codec: Codec, *, has_parameters: bool = False) -> None:
        self._codec: Codec = codec
        self._has_parameters = has_parameters
        self._packets: dict[int, Packet] = {}
        self._bytes = 0
        self._asked: dict[int, tuple[int, float]] = {}
        self._noticed: dict[int, float] = {}
        self._ssrc: int | None = None
        self._next = self._highest = 0
        self._whole_ms = 0.0
        self.needs_key = True
        self.lost = 0
        """Packets given up."""
        self.left_out = 0
        """Whole pictures not handed out because one before them was lost."""

    # ------------------------------------------------------------ in

    def add(self, packet: Packet) -> list[Coded]:
        """Take one packet; returns the pictures that are whole now."""
        if packet.ssrc != self._ssrc:
            self._begin(packet)
        seq = self._unwrapped(packet.seq)
        if abs(seq - self._highest) > _FAR:
            self._begin(packet)
            seq = self._next
        if seq < self._next or seq in self._packets:
            return []
        for missing in range(self._highest + 1, seq):
            self._noticed[missing] = packet.at_ms
        self._highest = max(self._highest, seq)
        self._noticed.pop(seq, None)
        self._asked.pop(seq, None)
        self._packets[seq] = packet
        self._bytes += len(packet.data)
        if (
            len(self._packets) > MAX_PACKETS
            or self._bytes > MAX_BYTES
            or len(self._noticed) > MAX_MISSING
        ):
            self._give_up_all()
            return []
        return self._take(packet.at_ms)

    def pass_time(self, now_ms: float) -> list[Coded]:
        """Give up what was waited for too long; returns the pictures that are whole now."""
        out: list[Coded] = []
        while (gap := self._overdue(now_ms)) is not None:
            self._skip(gap)
            out += self._take(now_ms)
        return out

    def _overdue(self, now_ms: float) -> int | None:
        """The first packet that is missing, if it was waited for too long."""
        if self._packets and self._next not in self._packets and self._next not in self._noticed:
            return self._next
        first = min(self._noticed, default=None)
        if first is None or not self._packets or now_ms - self._noticed[first] <= PATIENCE_MS:
            return None
        return first

    def to_ask(self, now_ms: float) -> list[int]:
        """The 16-bit numbers of packets to ask for (again) now."""
        out: list[int] = []
        for seq in self._noticed:
            times, asked_ms = self._asked.get(seq, (0, float("-inf")))
            if times < MAX_ASKED and now_ms - asked_ms >= ASK_AGAIN_MS:
                self._asked[seq] = (times + 1, now_ms)
                out.append(seq & 0xFFFF)
        return sorted(out)

    def forget(self) -> None:
        """What was handed out could not be used: begin anew with a key picture."""
        self.needs_key = True

    # ------------------------------------------------------------ inside

    def _begin(self, packet: Packet) -> None:
        self.lost += len(self._noticed)
        self._clear()
        self._ssrc = packet.ssrc
        self._next = packet.seq
        self._highest = packet.seq - 1
        self.needs_key = True

    def _clear(self) -> None:
        self._packets.clear()
        self._noticed.clear()
        self._asked.clear()
        self._bytes = 0

    def _unwrapped(self, seq: int) -> int:
        """`seq` as the number nearest to the highest one seen that ends in these 16 bits."""
        ahead = (seq - self._highest) & 0xFFFF
        return self._highest + (ahead if ahead < 0x8000 else ahead - 0x10000)

    def _take(self, now_ms: float) -> list[Coded]:
        out: list[Coded] = []
        while (end := self._end_of_picture()) is not None:
            parts = [self._drop(seq) for seq in range(self._next, end)]
            self._next = end
            if (coded := self._coded(parts, now_ms)) is not None:
                out.append(coded)
        return out

    def _end_of_picture(self) -> int | None:
        """One behind the last packet of the picture that begins at `_next`, if it is whole."""
        first = self._packets.get(self._next)
        if first is None:
            return None
        seq = self._next
        while (packet := self._packets.get(seq)) is not None:
            if packet.timestamp != first.timestamp:
                return seq
            seq += 1
            if packet.marker or not first.data:
                return seq
        return None

    def _coded(self, parts: list[Packet], now_ms: float) -> Coded | None:
        data = b"".join(part.data for part in parts)
        if not data:
            return None  # padding, by which senders probe the way
        there_ms = max(min(part.at_ms for part in parts), self._whole_ms, now_ms - LONGEST_MS)
        self._whole_ms = now_ms
        key = self._is_key(data)
        if self.needs_key and not key:
            self.left_out += 1
            return None
        self.needs_key = False
        return Coded(data, parts[0].timestamp, min(there_ms, now_ms), key)

    def _drop(self, seq: int) -> Packet:
        packet = self._packets.pop(seq)
        self._bytes -= len(packet.data)
        return packet

    def _skip(self, gap: int) -> None:
        """Go on behind the missing packet `gap`, where a picture surely begins."""
        present = sorted(seq for seq in self._packets if seq > gap)
        before: int | None = None
        for seq in present:
            held = self._packets.get(before) if before is not None else None
            if held is not None and before == seq - 1 and self._parts_here(held, seq):
                break
            before = seq
        else:
            seq = max(present[-1] if present else gap, self._highest) + 1
        for passed in [number for number in self._packets if number < seq]:
            self._drop(passed)
        for passed in [number for number in self._noticed if number < seq]:
            del self._noticed[passed]
            self._asked.pop(passed, None)
            self.lost += 1
        self._next = seq
        self.needs_key = True

    def _parts_here(self, before: Packet, seq: int) -> bool:
        return before.marker or self._packets[seq].timestamp != before.timestamp

    def _give_up_all(self) -> None:
        self.lost += len(self._noticed)
        self._clear()
        self._next = self._highest + 1
        self.needs_key = True

    def _is_key(self, data: bytes) -> bool:
        """Whether a decoder can begin with this picture."""
        if self._codec == "VP8":
            return len(data) > 9 and not data[0] & 1 and data[3:6] == b"\x9d\x01\x2a"
        kinds = _nal_kinds(data)
        return _SPS in kinds or (self._has_parameters and _IDR in kinds)


def _nal_kinds(data: bytes) -> set[int]:
    """The kinds of H.264's units in Annex B form; the first 64 are looked at."""
    kinds: set[int] = set()
    at = -1
    for _ in range(64):
        at = data.find(b"\0\0\1", at + 1)
        if at < 0 or at + 3 >= len(data):
            break
        kinds.add(data[at + 3] & 0x1F)
        at += 3
    return kinds


class SenderClock:
    """The sender's own wall clock, from its RTCP sender reports."""

    def __init__(self) -> None:
        self._at: tuple[float, int] | None = None

    def report(self, ntp: int, timestamp: int) -> None:
        """A sender report: 64-bit NTP time (32.32) and the RTP time of the same instant."""
        unix_ms = (ntp / 2**32 - 2_208_988_800) * 1000.0
        # A sender without a clock of its own counts from its start: such a stamp tells nothing.
        self._at = (unix_ms, timestamp) if unix_ms > 0 else None

    def source_ms(self, timestamp: int) -> float | None:
        """When, on the sender's clock, the picture of that RTP time was; Unix ms, or None."""
        if self._at is None:
            return None
        unix_ms, then = self._at
        ahead = (timestamp - then) & 0xFFFFFFFF
        return unix_ms + (ahead if ahead < 2**31 else ahead - 2**32) / 90.0
