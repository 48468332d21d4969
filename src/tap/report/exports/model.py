"""A cut list in whole frames: what every export is written from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from tap.rates import Rate


class View(StrEnum):
    """Whose cut list."""

    SEEN = "seen"
    """What the pictures show."""
    TOLD = "told"
    """What the director's messages say."""


class Colour(StrEnum):
    """Of a marker: what an editor should think of it."""

    GREEN = "GREEN"
    """Agrees, or seen beyond doubt."""
    RED = "RED"
    """The pictures contradict what was said."""
    YELLOW = "YELLOW"
    """Could not be judged, or not beyond doubt."""
    BLUE = "BLUE"
    """Noted, nothing to see."""


@dataclass(frozen=True, slots=True)
class Source:
    """One recording: a camera, or the program itself.

    Its picture that the program shows in frame n of the timeline is its frame n + `offset`;
    `length` is how many frames it has. `path` is None where tap does not know the file: then
    `offset` is 0 by convention, and the editor has to find and align it.
    """

    id: str
    label: str
    reel: str
    length: int
    offset: int = 0
    path: Path | None = None
    size: tuple[int, int] = (1920, 1080)
    first: int = 0
    """What the file's own timecode says of its first frame, in frames from midnight."""

    @property
    def file_name(self) -> str:
        """The recording's file, or what to look for where it is not known."""
        return self.path.name if self.path is not None else self.id

    @property
    def start(self) -> int:
        """The first frame of the timeline that it covers; negative where it began before."""
        return -self.offset

    @property
    def end(self) -> int:
        """One past the last frame of the timeline that it covers."""
        return self.length - self.offset


@dataclass(frozen=True, slots=True)
class Change:
    """How a segment comes on: `kind` dissolve, fade or wipe, over `frames` from its start."""

    kind: str
    frames: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of program, frames [start, end) of the timeline.

    `source` is the id of the recording it is cut from, None for black or where nothing is known;
    `state` is the shot's. `at_ms` is its beginning as recorded (Unix ms), before it was put on
    the grid of frames.
    """

    start: int
    end: int
    source: str | None
    state: str
    at_ms: float
    confidence: float | None = None
    runner_up: str | None = None
    cameras: tuple[str, ...] = ()
    change: Change | None = None

    @property
    def length(self) -> int:
        """In frames."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Marker:
    """A verdict on the timeline."""

    frame: int
    name: str
    text: str
    colour: Colour
    confidence: float | None = None
    lag_ms: float | None = None


@dataclass(frozen=True, slots=True)
class CutList:
    """The whole shoot. Segments follow each other without holes from frame 0 to `length`."""

    title: str
    rate: Rate
    view: View
    origin_ms: float
    """Unix ms of frame 0."""
    length: int
    segments: tuple[Segment, ...]
    sources: Mapping[str, Source]
    """The program's own recording, if there is one, is `program`."""
    markers: tuple[Marker, ...] = ()
    start_frame: int = 0
    """What timecode counts from: frame 0 bears `rate.label(start_frame)`."""
    notes: tuple[str, ...] = field(default=())
    """What a person should know of this export, in sentences."""
    snap: Fraction = Fraction(0)
    """The furthest that a cut was moved to meet a frame, s."""

    def label(self, frame: int) -> str:
        """The timecode of a frame of the timeline."""
        return self.rate.label(self.start_frame + frame)

    @property
    def cameras(self) -> list[Source]:
        """The camera recordings, in order."""
        return [source for source in self.sources.values() if source.id != "program"]

    def marked(self) -> Iterator[tuple[Segment, list[Marker]]]:
        """Each segment with the markers that lie in it."""
        waiting = sorted(self.markers, key=lambda marker: marker.frame)
        index = 0
        for segment in self.segments:
            mine: list[Marker] = []
            while index < len(waiting) and waiting[index].frame < segment.end:
                mine.append(waiting[index])
                index += 1
            yield segment, mine
