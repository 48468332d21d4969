"""CMX 3600 edit decision lists: one video track, 999 events a file, reels of 8 characters.

A soft change begins with its first mixed frame, as CMX 3600 has it. Markers are `* LOC:` lines.
"""

from collections.abc import Iterator

from tap.report import wording
from tap.report.exports.model import CutList, Marker, Segment, Source

MOST_EVENTS = 999
"""In one file: event numbers have three digits."""
BLACK = "BL"

_NOT_ASCII = str.maketrans({"→": "->", "–": "-", "−": "-", "…": "...", "’": "'"})  # noqa: RUF001


def write_edl(cuts: CutList) -> list[str]:
    """The texts of the files, in order; more than one where there are more than 999 events."""
    marked = list(cuts.marked())
    parts = [marked[n : n + MOST_EVENTS] for n in range(0, len(marked), MOST_EVENTS)]
    previous: Segment | None = None
    texts: list[str] = []
    for number, part in enumerate(parts, start=1):
        title = cuts.title if len(parts) == 1 else f"{cuts.title} ({number} of {len(parts)})"
        lines = [
            f"TITLE: {_ascii(title, 70)}",
            f"FCM: {'DROP FRAME' if cuts.rate.drop else 'NON-DROP FRAME'}",
            "",
        ]
        for event, (segment, markers) in enumerate(part, start=1):
            lines += _event(cuts, event, segment, previous)
            lines += [_loc(cuts, marker) for marker in markers]
            previous = segment
        texts.append("\n".join(lines) + "\n")
    return texts


def _event(cuts: CutList, number: int, segment: Segment, previous: Segment | None) -> Iterator[str]:
    source = _source(cuts, segment)
    change = segment.change
    if change is not None and previous is not None:
        outgoing = _source(cuts, previous)
        at = segment.start
        yield _line(cuts, number, outgoing, "C", (at, at))
        kind = "W001" if change.kind == "wipe" else "D"
        yield _line(cuts, number, source, f"{kind:<4} {change.frames:03d}", (at, segment.end))
        yield f"* FROM CLIP NAME: {_name(outgoing)}"
        yield f"* TO CLIP NAME: {_name(source)}"
    else:
        yield _line(cuts, number, source, "C", (segment.start, segment.end))
        yield f"* FROM CLIP NAME: {_name(source)}"
    yield f"* TAP: {_ascii(_remark(segment), 200)}"


def _line(
    cuts: CutList, number: int, source: Source | None, kind: str, record: tuple[int, int]
) -> str:
    start, end = record
    shift = source.offset + source.first if source is not None else -start
    label = cuts.rate.label
    times = [label(start + shift), label(end + shift), cuts.label(start), cuts.label(end)]
    reel = source.reel if source is not None else BLACK
    return f"{number:03d}  {reel:<8} V     {kind:<8} {' '.join(times)}"


def _source(cuts: CutList, segment: Segment) -> Source | None:
    return cuts.sources[segment.source] if segment.source is not None else None


def _name(source: Source | None) -> str:
    return _ascii(source.file_name, 120) if source is not None else "BLACK"


def _remark(segment: Segment) -> str:
    words = [segment.state]
    if segment.confidence is not None:
        words.append(wording.percent(segment.confidence))
    if segment.runner_up is not None:
        words.append(f"next best {segment.runner_up}")
    if segment.state != "live" and segment.cameras:
        words.append(", ".join(segment.cameras))
    return "; ".join(words)


def _loc(cuts: CutList, marker: Marker) -> str:
    text = f"{marker.name}: {marker.text}"
    if marker.confidence is not None:
        text += f" ({wording.percent(marker.confidence)})"
    return f"* LOC: {cuts.label(marker.frame)} {marker.colour.value:<7} {_ascii(text, 200)}"


def _ascii(text: str, longest: int) -> str:
    plain = wording.clip(text, longest).translate(_NOT_ASCII)
    return plain.encode("ascii", "replace").decode("ascii")
