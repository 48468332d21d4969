"""CMX 3600 edit decision lists. The first event says what was on; each later one is a change."""

import re
from collections.abc import Iterator
from fractions import Fraction

from tap.claims.imports.told import Lines, Told
from tap.errors import InputError
from tap.rates import Rate, rate_of

_EVENT = re.compile(
    r"^\s*\d{3,6}\s+(?P<reel>\S+)\s+(?P<track>\S+)\s+(?P<kind>C|D|W\d{3}|KB|KO|K)"
    r"(?:\s+(?P<length>\d{1,4}))?"
    r"\s+(?P<times>\d\d:\d\d:\d\d[:;.]\d\d(?:\s+\d\d:\d\d:\d\d[:;.]\d\d){3})\s*$"
)
_CLIP = re.compile(r"^\*?\s*(?P<which>FROM|TO) CLIP NAME\s*:\s*(?P<name>.*\S)\s*$")
_BLACK = "BL"


class _Event:
    """An event line and the names that follow it."""

    def __init__(self, line: int, found: "re.Match[str]") -> None:
        track = found["track"].upper()
        self.line = line
        self.reel: str = found["reel"]
        self.kind: str = found["kind"]
        self.length = int(found["length"] or 0)
        self.times: list[str] = found["times"].split()
        self.video = "V" in track or track in ("B", "NONE")
        self.clips: dict[str, str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The reel, then the clip: with and without the ending of a file's name."""
        clip = self.clips.get("FROM" if self.kind == "C" else "TO") or self.clips.get("TO")
        return (self.reel,) if clip is None else (self.reel, clip, clip.rsplit(".", 1)[0])


def read_edl(lines: Lines, rate: Rate | None) -> Iterator[Told]:
    """The changes of an EDL. `rate` None: 29.97 where the list says drop-frame, else refused."""
    events, drop = _events(lines)
    counted = _rate(lines, rate, drop=drop)
    previous: str | None = None
    for event in events:
        record_in = _seconds(lines, event, counted, event.times[2])
        record_out = _seconds(lines, event, counted, event.times[3])
        if record_out < record_in:
            raise lines.wrong(event.line, "an event that ends after it begins", event.times[3])
        if record_out == record_in or not event.video:  # a dissolve's outgoing side; sound
            continue
        before, previous = previous, event.reel
        if event.reel.upper() == _BLACK or before == event.reel:
            continue
        soft = {"D": "dissolve", "W": "wipe"}.get(event.kind[0])
        yield Told(
            line=event.line,
            names=event.names,
            after_s=record_in,
            transition=soft,
            duration_ms=float(counted.seconds(event.length) * 1000) if soft else None,
            first=before is None,
        )


def _events(lines: Lines) -> tuple[list[_Event], bool]:
    events: list[_Event] = []
    drop = False
    for number, line in lines.numbered():
        text = line.strip()
        clip = _CLIP.match(text)
        if text.upper().startswith("FCM:"):
            drop = "NON" not in text.upper()
        elif clip is not None and events:
            events[-1].clips[clip["which"]] = clip["name"]
        elif text[0].isdigit():
            found = _EVENT.match(line)
            if found is None:
                raise lines.wrong(
                    number, "an event: number, reel, track, kind and four timecodes", text
                )
            events.append(_Event(number, found))
    if not events:
        raise InputError(
            f"{lines.path}: expected the events of a CMX 3600 list, got none; is this an EDL?"
        )
    return events, drop


def _rate(lines: Lines, rate: Rate | None, *, drop: bool) -> Rate:
    if rate is None and drop:
        return rate_of("29.97df")
    if rate is None:
        raise InputError(
            f"{lines.path}: expected to know the rate of its timecode, which an EDL does not say; "
            "give it with --rate."
        )
    if drop and rate.ntsc and not rate.drop and rate.nominal in (30, 60):
        return rate_of(f"{rate.name}df")
    return rate


def _seconds(lines: Lines, event: _Event, rate: Rate, label: str) -> Fraction:
    try:
        return rate.seconds(rate.frames(label))
    except InputError as error:
        raise lines.wrong(event.line, f"a timecode at {rate.name} frames/s", label) from error
