"""From the witness's record to a cut list in whole frames, as seen or as told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import median

from tap.errors import InputError
from tap.rates import Rate, seconds_of_ms
from tap.report import wording
from tap.report.exports.markers import markers_of
from tap.report.exports.model import Change, CutList, Segment, Source, View
from tap.report.exports.reels import reel_names
from tap.report.gather import delays_of, with_cameras
from tap.vocabulary import (
    PROGRAM,
    SOFT,
    Claim,
    Event,
    Shot,
    ShotState,
    Witness,
)

UNTOLD = "untold"
"""State of the stretch before the director's first word."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of the shoot. Its first picture was made at `first_ms` (Unix ms)."""

    id: str
    path: Path
    first_ms: float
    duration_s: Fraction
    size: tuple[int, int] = (1920, 1080)
    label: str | None = None
    timecode: str | None = None
    """What the file itself says of its first picture, as it says it."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch before it is put on the grid of frames; it lasts until the next one."""

    at_ms: float
    source: str | None
    state: str
    shot: Shot | None = None
    kind: str | None = None
    """How it comes on, where that takes time: until `settled_ms`."""
    settled_ms: float = 0.0


def cut_list(
    witness: Witness,
    claims: Iterable[Claim],
    *,
    rate: Rate,
    view: View = View.SEEN,
    recordings: Mapping[str, Recording] | None = None,
    start: str | None = None,
) -> CutList:
    """The shoot at `rate`, frame 0 being the program's first picture.

    `recordings` are by feed, the program's own as `program`; `start` is the timecode of frame 0.
    Raises `InputError` where nothing was seen of the program, or `start` is no timecode.
    """
    if not witness.shots:
        raise InputError(
            f"{witness.session.external_id}: expected a program that was seen, got no shot of it; "
            "there is nothing to cut."
        )
    said = with_cameras(claims)
    origin_ms, end_ms = witness.shots[0].start_ms, witness.shots[-1].end_ms
    length = max(1, rate.nearest(seconds_of_ms(end_ms, origin_ms)))
    grid = _Grid(rate, origin_ms, length)
    recorded = recordings or {}
    if view is View.SEEN:
        pieces = list(_seen(witness, PROGRAM if PROGRAM in recorded else None))
    else:
        pieces = list(_told(said, origin_ms))
    cut_from = [p.source for p in pieces if p.source is not None and p.source != PROGRAM]
    cameras = list(dict.fromkeys([*(seen.id for seen in witness.cameras), *cut_from]))
    sources, notes = _sources(witness, cameras, recorded, grid)
    segments, snap = grid.segments(pieces)
    covered = tuple(part for segment in segments for part in _covered(segment, sources))
    return CutList(
        title=wording.clip(witness.session.external_id, 120),
        rate=rate,
        view=view,
        origin_ms=origin_ms,
        length=length,
        segments=covered,
        sources=sources,
        markers=tuple(markers_of(witness, said, grid.frame, length)),
        start_frame=rate.frames(start) if start is not None else 0,
        notes=tuple(notes),
        snap=snap,
    )


# ---------------------------------------------------------------- what was on


def _seen(witness: Witness, program: str | None) -> Iterable[_Piece]:
    """One piece a shot; a transition belongs to the shot that it leads to."""
    soft = [event for event in witness.events if event.type in SOFT]
    pending: _Piece | None = None
    for shot in witness.shots:
        if shot.state is ShotState.TRANSITION:
            pending = pending or _Piece(
                shot.start_ms, program, shot.state.value, shot, kind=_kind_at(soft, shot)
            )
            continue
        source = program if shot.state is not ShotState.BLACK else None
        if shot.state is ShotState.LIVE:
            source = shot.camera
        piece = _Piece(shot.start_ms, source, shot.state.value, shot)
        if pending is not None:
            piece = replace(piece, at_ms=pending.at_ms, kind=pending.kind, settled_ms=shot.start_ms)
            pending = None
        yield piece
    if pending is not None:  # the record ends in the middle of it
        yield replace(pending, kind=None)


def _kind_at(soft: Sequence[Event], shot: Shot) -> str:
    until_ms = max(shot.end_ms, shot.start_ms + 1)
    within = [event for event in soft if shot.start_ms - 100 <= event.at_ms < until_ms]
    return within[0].type.value if within else "dissolve"


def _told(claims: Sequence[Claim], origin_ms: float) -> Iterable[_Piece]:
    """One piece for each change that was told, after what held when the record begins."""
    told: dict[str, Claim] = {}
    for claim in claims:
        if claim.type in wording.CHANGES and claim.camera is not None:
            told.setdefault(claim.id, claim)  # a repeated message says nothing new
    changes = sorted(told.values(), key=lambda claim: claim.at_ms)
    before = [claim for claim in changes if claim.at_ms <= origin_ms]
    if before:
        yield _Piece(origin_ms, before[-1].camera, ShotState.LIVE.value)
    else:
        yield _Piece(origin_ms, None, UNTOLD)
    for claim in changes:
        if claim.at_ms <= origin_ms:
            continue
        soft = claim.transition in SOFT and claim.duration_ms is not None
        yield _Piece(
            claim.at_ms,
            claim.camera,
            ShotState.LIVE.value,
            kind=claim.transition.value if soft and claim.transition else None,
            settled_ms=claim.at_ms + (claim.duration_ms or 0.0),
        )


# ---------------------------------------------------------------- the grid of frames


@dataclass(frozen=True, slots=True)
class _Grid:
    """Frames of the timeline, counted from `origin_ms`."""

    rate: Rate
    origin_ms: float
    length: int

    def frame(self, at_ms: float) -> int:
        """The frame that begins nearest to a time."""
        return self.rate.nearest(seconds_of_ms(at_ms, self.origin_ms))

    def segments(self, pieces: Sequence[_Piece]) -> tuple[list[Segment], Fraction]:
        """The pieces in whole frames, and the furthest that one was moved, s.

        A piece that is shorter than the grid can tell gives way to the one that follows it.
        """
        found: list[Segment] = []
        furthest = Fraction(0)
        starts = [min(self.length, max(0, self.frame(piece.at_ms))) for piece in pieces]
        for piece, start, end in zip(pieces, starts, [*starts[1:], self.length], strict=True):
            if end <= start:
                continue
            exact = seconds_of_ms(piece.at_ms, self.origin_ms)
            if 0 < start < self.length:
                furthest = max(furthest, abs(self.rate.seconds(start) - exact))
            found.append(self._segment(piece, start, end))
        return found, furthest

    def _segment(self, piece: _Piece, start: int, end: int) -> Segment:
        change = None
        if piece.kind is not None:
            frames = min(end, self.frame(piece.settled_ms)) - start
            change = Change(piece.kind, frames) if frames > 0 else None
        shot = piece.shot
        return Segment(
            start=start,
            end=end,
            source=piece.source,
            state=piece.state,
            at_ms=piece.at_ms,
            confidence=shot.confidence if shot is not None else None,
            runner_up=shot.runner_up if shot is not None else None,
            cameras=shot.cameras if shot is not None else (),
            change=change if start > 0 else None,
        )


# ---------------------------------------------------------------- the recordings


def _sources(
    witness: Witness, cameras: Sequence[str], recorded: Mapping[str, Recording], grid: _Grid
) -> tuple[dict[str, Source], list[str]]:
    """Where each feed's pictures lie, and what is not known about that."""
    delays = delays_of(witness.cameras)
    usual = median(delays.values()) if delays else 0.0
    ids = [*cameras, *([PROGRAM] if PROGRAM in recorded else [])]
    reels, sources, notes = reel_names(ids), dict[str, Source](), list[str]()
    for feed in ids:
        recording = recorded.get(feed)
        if recording is None:
            sources[feed] = Source(feed, feed, reels[feed], grid.length)
            continue
        delay = 0.0 if feed == PROGRAM else delays.get(feed, usual)
        offset = grid.rate.nearest(
            seconds_of_ms(grid.origin_ms, recording.first_ms) - Fraction(delay) / 1000
        )
        sources[feed] = Source(
            id=feed,
            label=wording.clip(recording.label or feed, 120),
            reel=reels[feed],
            length=max(1, grid.rate.nearest(recording.duration_s)),
            offset=offset,
            path=recording.path,
            size=recording.size,
            first=_first(recording, grid.rate, notes),
        )
        if feed != PROGRAM and feed not in delays:
            notes.append(
                f"{feed} was never seen on the program, so its delay is not measured; it is placed "
                f"with that of the other cameras ({usual:.0f} ms)."
            )
    unknown = [camera for camera in cameras if camera not in recorded]
    if unknown:
        notes.append(
            f"No recording is known of {', '.join(unknown)}: the files are named, but an editor "
            "has to find them and align their first frame."
        )
    return sources, notes


def _first(recording: Recording, rate: Rate, notes: list[str]) -> int:
    """The frame that the file's own timecode begins with; 0 where it has none at this rate."""
    if recording.timecode is None:
        return 0
    try:
        return rate.frames(recording.timecode)
    except InputError:
        notes.append(
            f"{recording.path.name} begins with the timecode {recording.timecode[:20]}, which does "
            f"not exist at {rate.name} frames/s; its frames are counted from zero."
        )
        return 0


def _covered(segment: Segment, sources: Mapping[str, Source]) -> Iterable[Segment]:
    """The segment, cut where its recording begins or ends: the rest is the program's, or empty."""
    source = sources.get(segment.source) if segment.source is not None else None
    if source is None or source.path is None:
        yield segment
        return
    other = PROGRAM if PROGRAM in sources and segment.source != PROGRAM else None
    first = min(segment.end, max(segment.start, source.start))
    last = max(first, min(segment.end, source.end))
    bounds = [
        (segment.start, first, other),
        (first, last, segment.source),
        (last, segment.end, other),
    ]
    for start, end, feed in bounds:
        if end > start:
            whole = start == segment.start
            yield replace(
                segment, start=start, end=end, source=feed, change=segment.change if whole else None
            )
