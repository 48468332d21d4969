"""What a media file is, without decoding it: its rate, length, size and own timecode."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError

from tap.errors import InputError

MOST_PICTURES = 10_000_000
"""Of one file: more than three days at 30 frames/s."""
STEADY_MS = 1.6
"""How far pictures of a steady rate may stray from it: containers round to whole ms."""


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """`first_s` is the first picture's time stamp; `fps` the mean rate, None for a single picture;
    `steady` whether every picture lies on the grid of that rate; `timecode` what the file says
    of its first picture."""

    pictures: int
    first_s: Fraction
    duration_s: Fraction
    fps: Fraction | None
    steady: bool
    size: tuple[int, int]
    timecode: str | None


def probe(path: Path) -> MediaFacts:
    """Read all time stamps of a file's video. Raises `InputError` where there is none."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path}: expected a file with video, got one without.")
            stream = container.streams.video[0]
            base = stream.time_base or Fraction(1, 1000)
            stamps: list[int] = []
            for packet in container.demux(stream):
                if packet.pts is not None and packet.size:
                    stamps.append(packet.pts)
                if len(stamps) >= MOST_PICTURES:
                    break
            size = (stream.width or 1920, stream.height or 1080)
            named = stream.metadata.get("timecode") or container.metadata.get("timecode")
    except (FFmpegError, OSError) as error:
        raise InputError(f"{path}: expected a media file, but {error}; check the file.") from error
    if not stamps:
        raise InputError(f"{path}: expected pictures with time stamps, got none; check the file.")
    stamps.sort()
    return _facts([stamp * base for stamp in stamps], size, named)


def _facts(times: list[Fraction], size: tuple[int, int], timecode: str | None) -> MediaFacts:
    first, last, steps = times[0], times[-1], len(times) - 1
    if steps == 0 or last == first:
        return MediaFacts(len(times), first, Fraction(1, 25), None, True, size, timecode)
    step = (last - first) / steps
    strays = max(abs(float(at - first - n * step)) for n, at in enumerate(times))
    return MediaFacts(
        pictures=len(times),
        first_s=first,
        duration_s=last - first + step,
        fps=1 / step,
        steady=strays * 1000 <= STEADY_MS,
        size=size,
        timecode=timecode,
    )
