"""OpenTimelineIO: the one format that keeps everything, confidence and all, as metadata."""

from typing import Any

# It has no types: what it makes is `Any` here, and read again in tests.
import opentimelineio as otio

from tap.report.exports.model import Colour, CutList, Marker, Segment, Source

_COLOURS = {
    Colour.GREEN: otio.schema.MarkerColor.GREEN,
    Colour.RED: otio.schema.MarkerColor.RED,
    Colour.YELLOW: otio.schema.MarkerColor.YELLOW,
    Colour.BLUE: otio.schema.MarkerColor.BLUE,
}


def write_otio(cuts: CutList) -> str:
    """The text of the file: track PGM is the program, then one track for each camera."""
    timeline = otio.schema.Timeline(cuts.title)
    timeline.global_start_time = _time(cuts, cuts.start_frame)
    timeline.metadata["tap"] = {
        "view": cuts.view.value,
        "originMs": cuts.origin_ms,
        "rate": cuts.rate.name,
        "rateExact": str(cuts.rate.fps),
        "dropFrame": cuts.rate.drop,
        "furthestMovedMs": float(cuts.snap * 1000),
        "notes": list(cuts.notes),
    }
    program = otio.schema.Track("PGM", kind=otio.schema.TrackKind.Video)
    for segment in cuts.segments:
        if segment.change is not None and len(program):
            program.append(_transition(cuts, segment))
        program.append(_item(cuts, segment))
    program.markers.extend(_marker(cuts, marker) for marker in cuts.markers)
    timeline.tracks.append(program)
    for source in cuts.cameras:
        timeline.tracks.append(_angle(cuts, source))
    text: str = otio.adapters.write_to_string(timeline, "otio_json", indent=1)
    return text + "\n"


def _time(cuts: CutList, frames: int) -> Any:
    return otio.opentime.RationalTime(frames, float(cuts.rate.fps))


def _range(cuts: CutList, start: int, length: int) -> Any:
    return otio.opentime.TimeRange(_time(cuts, start), _time(cuts, length))


def _reference(cuts: CutList, source: Source) -> Any:
    available = _range(cuts, source.first, source.length)
    if source.path is None:
        return otio.schema.MissingReference(name=source.id, available_range=available)
    return otio.schema.ExternalReference(source.path.resolve().as_uri(), available)


def _item(cuts: CutList, segment: Segment) -> Any:
    source = cuts.sources.get(segment.source) if segment.source is not None else None
    if source is None:
        item: Any = otio.schema.Gap(source_range=_range(cuts, 0, segment.length))
    else:
        begins = source.first + source.offset + segment.start
        item = otio.schema.Clip(
            source.label, _reference(cuts, source), _range(cuts, begins, segment.length)
        )
    about: dict[str, Any] = {
        "state": segment.state,
        "camera": segment.source,
        "cameras": list(segment.cameras),
        "atMs": segment.at_ms,
        "confidence": segment.confidence,
        "runnerUp": segment.runner_up,
        "reel": source.reel if source is not None else None,
    }
    item.metadata["tap"] = about
    return item


def _transition(cuts: CutList, segment: Segment) -> Any:
    """The change begins at the cut: the outgoing picture lasts on into it."""
    change = segment.change
    frames = change.frames if change is not None else 0
    kind = change.kind if change is not None else "dissolve"
    return otio.schema.Transition(
        name=kind,
        transition_type="SMPTE_Wipe" if kind == "wipe" else "SMPTE_Dissolve",
        in_offset=_time(cuts, 0),
        out_offset=_time(cuts, frames),
        metadata={"tap": {"kind": kind}},
    )


def _angle(cuts: CutList, source: Source) -> Any:
    track = otio.schema.Track(source.label, kind=otio.schema.TrackKind.Video)
    start, end = max(0, source.start), source.end
    if end > start:
        if start > 0:
            track.append(otio.schema.Gap(source_range=_range(cuts, 0, start)))
        begins = source.first + source.offset + start
        clip = otio.schema.Clip(
            source.label, _reference(cuts, source), _range(cuts, begins, end - start)
        )
        clip.enabled = False
        clip.metadata["tap"] = {"camera": source.id, "reel": source.reel}
        track.append(clip)
    return track


def _marker(cuts: CutList, marker: Marker) -> Any:
    return otio.schema.Marker(
        name=marker.name,
        marked_range=_range(cuts, marker.frame, 0),
        color=_COLOURS[marker.colour],
        metadata={
            "tap": {
                "text": marker.text,
                "confidence": marker.confidence,
                "lagMs": marker.lag_ms,
            }
        },
    )
