"""Readers of exported files that share no code with the writers."""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from xml.etree import ElementTree as ET


@cache
def labels(nominal: int, drop: bool) -> dict[str, int]:
    """Every timecode of two and a half hours by its frame, counted label by label."""
    found: dict[str, int] = {}
    mark = ";" if drop else ":"
    frame = 0
    for minute in range(150):
        for second in range(60):
            skipped = drop and second == 0 and minute % 10 != 0
            for number in range(2 * nominal // 30 if skipped else 0, nominal):
                key = f"{minute // 60:02}:{minute % 60:02}:{second:02}{mark}{number:02}"
                found[key] = frame
                frame += 1
    return found


_EVENT = re.compile(
    r"^(\d{3})  (\S{1,8}) +V +(C|D|W001)(?: +(\d{3}))? +(\S{11}) (\S{11}) (\S{11}) (\S{11})$"
)


def read_edl(text: str, nominal: int) -> Iterator[tuple[str, str, int, tuple[int, int, int, int]]]:
    """(reel, kind, change's frames, (source in, out, record in, out)) of each line."""
    drop = "FCM: DROP FRAME" in text.splitlines()
    known = labels(nominal, drop)
    for line in text.splitlines():
        found = _EVENT.match(line)
        if found is not None:
            times = tuple(known[found[n]] for n in (5, 6, 7, 8))
            yield found[2], found[3], int(found[4] or 0), times
        else:
            assert not re.match(r"^\d", line), line


def fcpxml_frames(value: str, frame: Fraction) -> int:
    """A time as whole frames of that length; fails where it is off the grid."""
    seconds = Fraction(value.removesuffix("s"))
    frames = seconds / frame
    assert frames.denominator == 1, f"{value} is no multiple of {frame}"
    return int(frames)


def read_fcpxml(text: str) -> list[tuple[str | None, int, int]]:
    """(angle or None, first frame, length) of the spine; checks that the grammar is kept."""
    root = ET.fromstring(text)
    assert (root.tag, root.get("version")) == ("fcpxml", "1.9")
    assert [child.tag for child in root] == ["resources", "library"]
    form = root.find("resources/format")
    frame = Fraction(form.get("frameDuration").removesuffix("s"))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        ref = element.get("ref") or element.get("format")
        assert ref is None or ref in ids
    angles = [angle.get("angleID") for angle in root.iter("mc-angle")]
    assert len(angles) == len(set(angles))
    _contiguous(root.iter("mc-angle"), frame, 0)
    sequence = root.find("library/event/project/sequence")
    start = fcpxml_frames(sequence.get("tcStart"), frame)
    spine = sequence.find("spine")
    _contiguous([spine], frame, start)
    order = ["mc-source", "marker", "metadata"]
    cut: list[tuple[str | None, int, int]] = []
    for item in spine:
        assert item.tag in ("mc-clip", "gap")
        places = [order.index(child.tag) for child in item]
        assert places == sorted(places)
        first = fcpxml_frames(item.get("start"), frame)
        length = fcpxml_frames(item.get("duration"), frame)
        assert fcpxml_frames(item.get("offset"), frame) - start == first
        for marker in item.iter("marker"):
            assert first <= fcpxml_frames(marker.get("start"), frame) < first + length
        source = item.find("mc-source")
        assert source is None or source.get("angleID") in angles
        cut.append((None if source is None else source.get("angleID"), first, length))
    assert sum(length for *_, length in cut) == fcpxml_frames(sequence.get("duration"), frame)
    return cut


def _contiguous(lanes, frame: Fraction, at: int) -> None:
    for lane in lanes:
        place = at
        for item in lane:
            assert fcpxml_frames(item.get("offset"), frame) == place
            place += fcpxml_frames(item.get("duration"), frame)
