"""Coded pictures before which a decoder may forget everything: where a file may be taken up.

A container's "key frame" is not enough: H.264 and HEVC call pictures so after which some still
refer to what was before. Only an IDR picture (ITU-T H.264 and H.265, 3.1) ends all references. And
that holds only as long as the parameter sets that later pictures name are not sent elsewhere.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto

_START = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
_H264_IDR, _H264_SETS = frozenset({5}), frozenset({7, 8, 13, 15})
_HEVC_IDR, _HEVC_SETS = frozenset({19, 20}), frozenset({32, 33, 34})
_MOST_UNITS = 4096
"""Units of one picture; what has more is damage."""


class Kind(Enum):
    """What a coded picture means to a decoder that begins with it."""

    RESET = auto()
    """Nothing before it matters."""
    FOLLOWS = auto()
    """It needs what was before, or may."""
    UNKNOWN = auto()
    """It can't be read, or carries what later pictures need: the file can't be cut anywhere."""


class Resets:
    """Tells the kind of each coded picture of one stream.

    `codec` as FFmpeg names it, `parameters` its "extradata", `intra_only` whether FFmpeg says that
    no picture of this codec ever refers to another one.
    """

    def __init__(self, codec: str, parameters: bytes, *, intra_only: bool) -> None:
        self._intra_only = intra_only
        self._hevc = codec == "hevc"
        self._has_units = codec in ("h264", "hevc")
        self._length_size = _length_size(parameters, hevc=self._hevc)
        self._idr = _HEVC_IDR if self._hevc else _H264_IDR
        self._sets = _HEVC_SETS if self._hevc else _H264_SETS

    def kind(self, packet: bytes | memoryview, *, is_key: bool) -> Kind:
        """The kind of one coded picture, as it lies in the file."""
        if self._intra_only:
            return Kind.RESET if is_key else Kind.UNKNOWN
        if not self._has_units:
            return Kind.FOLLOWS
        try:
            types = frozenset(self._types(packet))
        except ValueError:
            return Kind.UNKNOWN
        if types & self._idr:
            return Kind.RESET if is_key else Kind.UNKNOWN
        return Kind.UNKNOWN if types & self._sets else Kind.FOLLOWS

    def _types(self, packet: bytes | memoryview) -> Iterator[int]:
        """The types of the units in it. Raises `ValueError` where it is no row of units."""
        if self._length_size is None:
            heads: Iterator[int] = (found[1][0] for found in _START.finditer(packet))
        else:
            heads = _heads(memoryview(packet), self._length_size)
        for number, head in enumerate(heads):
            if number >= _MOST_UNITS:
                raise ValueError("too many units")
            yield head >> 1 & 0x3F if self._hevc else head & 0x1F


def _heads(packet: memoryview, length_size: int) -> Iterator[int]:
    at = 0
    while at < len(packet):
        begin = at + length_size
        length = int.from_bytes(packet[at:begin], "big")
        at = begin + length
        if length == 0 or at > len(packet):
            raise ValueError("a unit ends behind its packet")
        yield packet[begin]


def _length_size(parameters: bytes, *, hevc: bool) -> int | None:
    """Bytes of each unit's length in MP4 and Matroska; None where start codes part the units."""
    at = 21 if hevc else 4
    if len(parameters) > at and parameters[0] == 1:
        return (parameters[at] & 3) + 1
    return None
