"""FCPXML 1.9 with a real multicam clip: Final Cut Pro's own format, read by Resolve too.

The multicam holds one angle for each camera, and one for the program's own recording where there
is one; the project is cut from it, so that an editor can switch angles. All times are whole
frames as exact fractions of a second. A soft change is a cut at its first mixed frame, and a
marker tells of it. All markers lie in
their clip's own time. Red "to do" for disagreements, green "completed" for what agrees, the
usual blue for the rest.
"""

from collections.abc import Iterator
from fractions import Fraction
from xml.etree import ElementTree as ET

from tap.report.exports.model import Colour, CutList, Marker, Segment, Source
from tap.report.exports.xml import add, document

_FORMAT, _MULTICAM = "r1", "r2"


def write_fcpxml(cuts: CutList) -> str:
    """The text of the file."""
    root = ET.Element("fcpxml", version="1.9")
    resources = add(root, "resources")
    width, height = next((s.size for s in cuts.sources.values()), (1920, 1080))
    add(
        resources,
        "format",
        id=_FORMAT,
        name="FFVideoFormatRateUndefined",
        frameDuration=_time(cuts, 1),
        width=str(width),
        height=str(height),
    )
    refs = {source: f"r{number}" for number, source in enumerate(cuts.sources, start=3)}
    for source in cuts.sources.values():
        _asset(resources, cuts, source, refs[source.id])
    _multicam(resources, cuts, refs)
    event = add(add(root, "library"), "event", name=cuts.title)
    project = add(event, "project", name=f"{cuts.title} as {cuts.view.value}")
    sequence = add(
        project,
        "sequence",
        format=_FORMAT,
        duration=_time(cuts, cuts.length),
        tcStart=_time(cuts, cuts.start_frame),
        tcFormat="DF" if cuts.rate.drop else "NDF",
    )
    spine = add(sequence, "spine")
    for segment, markers in cuts.marked():
        _cut(spine, cuts, segment, markers)
    return document(root, "<!DOCTYPE fcpxml>")


def _time(cuts: CutList, frames: int) -> str:
    """Frames as `1001/30000s`, `2s`: exact, on the grid of the format."""
    seconds: Fraction = cuts.rate.seconds(frames)
    if seconds.denominator == 1:
        return f"{seconds.numerator}s"
    scale = cuts.rate.fps.numerator // seconds.denominator
    return f"{seconds.numerator * scale}/{seconds.denominator * scale}s"


def _asset(resources: ET.Element, cuts: CutList, source: Source, ref: str) -> None:
    asset = add(
        resources,
        "asset",
        id=ref,
        name=source.file_name,
        start=_time(cuts, source.first),
        duration=_time(cuts, source.length),
        hasVideo="1",
        format=_FORMAT,
    )
    # An address is required; where the file is not known, Final Cut asks to relink it.
    address = source.path.resolve().as_uri() if source.path is not None else f"./{source.id}.mov"
    add(asset, "media-rep", kind="original-media", src=address)


def _multicam(resources: ET.Element, cuts: CutList, refs: dict[str, str]) -> None:
    media = add(resources, "media", id=_MULTICAM, name=f"{cuts.title} multicam")
    multicam = add(
        media,
        "multicam",
        format=_FORMAT,
        tcStart="0s",
        tcFormat="DF" if cuts.rate.drop else "NDF",
    )
    for source in cuts.sources.values():
        angle = add(multicam, "mc-angle", name=source.label, angleID=source.id)
        start, end = max(0, source.start), source.end
        if end <= start:
            continue
        if start > 0:
            add(angle, "gap", name="Gap", offset="0s", start="0s", duration=_time(cuts, start))
        add(
            angle,
            "asset-clip",
            ref=refs[source.id],
            offset=_time(cuts, start),
            name=source.file_name,
            start=_time(cuts, source.first + source.offset + start),
            duration=_time(cuts, end - start),
        )


def _cut(spine: ET.Element, cuts: CutList, segment: Segment, markers: list[Marker]) -> None:
    place = {
        "offset": _time(cuts, cuts.start_frame + segment.start),
        "start": _time(cuts, segment.start),  # the multicam counts from zero
        "duration": _time(cuts, segment.length),
    }
    if segment.source is None:
        _marks(add(spine, "gap", name="Gap", **place), cuts, segment, markers)
        return
    source = cuts.sources[segment.source]
    clip = add(spine, "mc-clip", ref=_MULTICAM, name=source.label, **place)
    add(clip, "mc-source", angleID=source.id, srcEnable="all")
    _marks(clip, cuts, segment, markers)
    metadata = add(clip, "metadata")
    for key, value in _metadata(segment):
        add(metadata, "md", key=f"tap.{key}", value=value)


def _metadata(segment: Segment) -> Iterator[tuple[str, str]]:
    yield "state", segment.state
    yield "atMs", f"{segment.at_ms:.3f}"
    if segment.confidence is not None:
        yield "confidence", f"{segment.confidence:.3f}"
    if segment.runner_up is not None:
        yield "runnerUp", segment.runner_up
    if segment.cameras:
        yield "cameras", ", ".join(segment.cameras)


def _marks(clip: ET.Element, cuts: CutList, segment: Segment, markers: list[Marker]) -> None:
    frame = _time(cuts, 1)
    if segment.change is not None:
        text = f"{segment.change.kind} over {segment.change.frames} frames from here"
        _mark(clip, _time(cuts, segment.start), frame, (text, ""), Colour.BLUE)
    for marker in markers:
        note = marker.text
        if marker.confidence is not None:
            note += f" [confidence {marker.confidence:.3f}]"
        _mark(clip, _time(cuts, marker.frame), frame, (marker.name, note), marker.colour)


def _mark(clip: ET.Element, start: str, frame: str, words: tuple[str, str], colour: Colour) -> None:
    value, note = words
    more = {"note": note} if note else {}
    if colour in (Colour.RED, Colour.GREEN):
        more["completed"] = "1" if colour is Colour.GREEN else "0"
    add(
        clip,
        "marker",
        start=start,
        duration=frame,
        value=value,
        **more,
    )
