"""Final Cut Pro 7 XML (xmeml, version 5), which Premiere and Resolve read.

V1 is the program; every camera lies above it, full length and switched off. A soft change is a cut
at its first mixed frame, and a marker tells of it.
"""

from xml.etree import ElementTree as ET

from tap.rates import Rate
from tap.report.exports.model import Colour, CutList, Marker, Segment, Source
from tap.report.exports.xml import add, document

_RGB = {
    Colour.GREEN: (32, 160, 80),
    Colour.RED: (215, 48, 32),
    Colour.YELLOW: (230, 190, 30),
    Colour.BLUE: (50, 110, 210),
}


def write_fcp7(cuts: CutList) -> str:
    """The text of the file."""
    root = ET.Element("xmeml", version="5")
    sequence = add(root, "sequence", id="tap-sequence")
    add(sequence, "name", cuts.title)
    add(sequence, "duration", str(cuts.length))
    _rate(sequence, cuts.rate)
    _timecode(sequence, cuts.rate, cuts.start_frame)
    video = add(add(sequence, "media"), "video")
    _format(video, cuts)
    defined: set[str] = set()
    program = add(video, "track")
    for number, segment in enumerate(cuts.segments, start=1):
        source = cuts.sources.get(segment.source) if segment.source is not None else None
        if source is not None:
            _clip(
                program,
                cuts,
                source,
                (segment.start, segment.end),
                name=f"pgm-{number}",
                defined=defined,
            )
            _remark(program[-1], segment)
    _end_of_track(program)
    for source in cuts.cameras:
        track = add(video, "track")
        start, end = max(0, source.start), source.end
        if end > start:
            _clip(
                track,
                cuts,
                source,
                (start, end),
                name=f"iso-{source.reel}",
                defined=defined,
                enabled=False,
            )
        _end_of_track(track)
    for marker in cuts.markers:
        _marker(sequence, marker)
    for segment in cuts.segments:
        if segment.change is not None:
            _told(sequence, segment)
    return document(root, "<!DOCTYPE xmeml>")


def _rate(parent: ET.Element, rate: Rate) -> None:
    box = add(parent, "rate")
    add(box, "timebase", str(rate.nominal))
    add(box, "ntsc", "TRUE" if rate.ntsc else "FALSE")


def _timecode(parent: ET.Element, rate: Rate, frame: int) -> None:
    box = add(parent, "timecode")
    _rate(box, rate)
    add(box, "string", rate.label(frame))
    add(box, "frame", str(frame))
    add(box, "displayformat", "DF" if rate.drop else "NDF")


def _format(video: ET.Element, cuts: CutList) -> None:
    width, height = next((s.size for s in cuts.sources.values()), (1920, 1080))
    box = add(add(video, "format"), "samplecharacteristics")
    _rate(box, cuts.rate)
    add(box, "width", str(width))
    add(box, "height", str(height))
    add(box, "anamorphic", "FALSE")
    add(box, "pixelaspectratio", "square")
    add(box, "fielddominance", "none")


def _clip(
    track: ET.Element,
    cuts: CutList,
    source: Source,
    record: tuple[int, int],
    *,
    name: str,
    defined: set[str],
    enabled: bool = True,
) -> None:
    start, end = record
    clip = add(track, "clipitem", id=name)
    add(clip, "name", source.label)
    add(clip, "enabled", "TRUE" if enabled else "FALSE")
    add(clip, "duration", str(source.length))
    _rate(clip, cuts.rate)
    add(clip, "start", str(start))
    add(clip, "end", str(end))
    add(clip, "in", str(start + source.offset))
    add(clip, "out", str(end + source.offset))
    if source.id in defined:  # a file is described once and referred to from then on
        add(clip, "file", id=f"file-{source.reel}")
        return
    defined.add(source.id)
    file = add(clip, "file", id=f"file-{source.reel}")
    add(file, "name", source.file_name)
    if source.path is not None:
        add(file, "pathurl", source.path.resolve().as_uri())
    _rate(file, cuts.rate)
    add(file, "duration", str(source.length))
    _timecode(file, cuts.rate, source.first)
    add(file[-1], "reel")
    add(file[-1][-1], "name", source.reel)
    box = add(add(add(file, "media"), "video"), "samplecharacteristics")
    add(box, "width", str(source.size[0]))
    add(box, "height", str(source.size[1]))


def _remark(clip: ET.Element, segment: Segment) -> None:
    """State and confidence, where people look for comments on a clip."""
    comments = add(clip, "comments")
    add(comments, "mastercomment1", f"tap: {segment.state}")
    if segment.confidence is not None:
        add(comments, "mastercomment2", f"tap: confidence {segment.confidence:.3f}")


def _end_of_track(track: ET.Element) -> None:
    add(track, "enabled", "TRUE")
    add(track, "locked", "FALSE")


def _marker(sequence: ET.Element, marker: Marker) -> None:
    text = marker.text
    if marker.confidence is not None:
        text += f" [confidence {marker.confidence:.3f}]"
    _mark(sequence, marker.name, text, (marker.frame, -1), marker.colour)


def _told(sequence: ET.Element, segment: Segment) -> None:
    if segment.change is not None:
        kind, frames = segment.change.kind, segment.change.frames
        text = f"{kind} over {frames} frames from here"
        _mark(
            sequence,
            kind.upper(),
            text,
            (segment.start, segment.start + frames),
            Colour.BLUE,
        )


def _mark(
    sequence: ET.Element, name: str, comment: str, span: tuple[int, int], colour: Colour
) -> None:
    box = add(sequence, "marker")
    add(box, "comment", comment)
    add(box, "name", name)
    add(box, "in", str(span[0]))
    add(box, "out", str(span[1]))
    tint = add(box, "color")
    for channel, value in zip(("red", "green", "blue"), _RGB[colour], strict=True):
        add(tint, channel, str(value))
