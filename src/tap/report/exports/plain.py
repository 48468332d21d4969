"""The cut list as tables and captions: CSV, JSON lines, WebVTT."""

import csv
import io
import json
from typing import Any

from tap.report import wording
from tap.report.exports.model import CutList, Segment

COLUMNS = (
    "event", "startTimecode", "endTimecode", "startFrame", "endFrame", "atMs", "source", "reel",
    "file", "sourceIn", "sourceOut", "state", "cameras", "change", "changeFrames", "confidence",
    "runnerUp",
)  # fmt: skip


def write_csv(cuts: CutList) -> str:
    """One row for each segment, a head above; separated by commas, lines end in CRLF (RFC 4180)."""
    text = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for number, segment in enumerate(cuts.segments, start=1):
        row = _row(cuts, number, segment)
        row["cameras"] = " ".join(segment.cameras)
        writer.writerow({key: cell(value) for key, value in row.items()})
    return text.getvalue()


def write_jsonl(cuts: CutList) -> str:
    """A line on the whole, then one for each segment, then one for each marker."""
    lines: list[dict[str, Any]] = [
        {
            "type": "cutlist",
            "format": "tap-cutlist/1",
            "title": cuts.title,
            "view": cuts.view.value,
            "rate": str(cuts.rate.fps),
            "dropFrame": cuts.rate.drop,
            "originMs": cuts.origin_ms,
            "frames": cuts.length,
            "startTimecode": cuts.label(0),
            "furthestMovedMs": float(cuts.snap * 1000),
            "notes": list(cuts.notes),
        }
    ]
    for number, segment in enumerate(cuts.segments, start=1):
        lines.append({"type": "segment", **_row(cuts, number, segment)})
    lines.extend(
        {
            "type": "marker",
            "frame": marker.frame,
            "timecode": cuts.label(marker.frame),
            "name": marker.name,
            "text": marker.text,
            "colour": marker.colour.value,
            "confidence": marker.confidence,
            "lagMs": marker.lag_ms,
        }
        for marker in cuts.markers
    )
    return "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)


def write_webvtt(cuts: CutList) -> str:
    """A caption for each segment: what is on, and how surely. Lay it over the program."""
    lines = ["WEBVTT", f"NOTE {_caption(cuts.title)}, as {cuts.view.value}", ""]
    for number, (segment, markers) in enumerate(cuts.marked(), start=1):
        what = segment.source if segment.state == "live" else segment.state.replace("_", " ")
        sure = "" if segment.confidence is None else f" {wording.percent(segment.confidence)}"
        lines += [
            str(number),
            f"{_clock(cuts, segment.start)} --> {_clock(cuts, segment.end)}",
            f"{_caption(what or segment.state)}{sure}",
        ]
        lines += [f"{marker.name}: {_caption(marker.text)}" for marker in markers]
        lines.append("")
    return "\n".join(lines)


def _row(cuts: CutList, number: int, segment: Segment) -> dict[str, Any]:
    source = cuts.sources.get(segment.source) if segment.source is not None else None
    shift = source.offset + source.first if source is not None else 0
    return {
        "event": number,
        "startTimecode": cuts.label(segment.start),
        "endTimecode": cuts.label(segment.end),
        "startFrame": segment.start,
        "endFrame": segment.end,
        "atMs": segment.at_ms,
        "source": segment.source,
        "reel": source.reel if source is not None else None,
        "file": source.file_name if source is not None else None,
        "sourceIn": cuts.rate.label(segment.start + shift) if source is not None else None,
        "sourceOut": cuts.rate.label(segment.end + shift) if source is not None else None,
        "state": segment.state,
        "cameras": list(segment.cameras),
        "change": segment.change.kind if segment.change is not None else None,
        "changeFrames": segment.change.frames if segment.change is not None else None,
        "confidence": segment.confidence,
        "runnerUp": segment.runner_up,
    }


def cell(value: object) -> object:
    """The same for a cell of CSV, so that no spreadsheet takes a text for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t"):
        return f"'{value}"
    return value


def _clock(cuts: CutList, frame: int) -> str:
    """Time from the program's first picture, to the nearest ms."""
    ms = round(cuts.rate.seconds(frame) * 1000)
    hours, rest = divmod(ms, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def _caption(text: str) -> str:
    clean = wording.clip(text, 300)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
