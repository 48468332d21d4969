"""`tap explain`: one moment of a recorded shoot, and all that went into the answer to it.

The same sight sees the same frames in the same order as in a replay; what it knew is copied when it
rules on that moment's program frame.
"""

import math
import re
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from tap.errors import FeedError, InputError
from tap.feeds.jpeg import decode_colour
from tap.feeds.media import MediaReader, picture_at
from tap.feeds.shoot import Shoot, load_shoot
from tap.report.explained import Answer, Candidate, Explanation, Lie
from tap.report.wording import clip, offset
from tap.sight import Piece, Sight, SightSettings
from tap.vocabulary import PROGRAM, Frame, Luma
from tap.witness.explain_look import Look
from tap.witness.models import learnt_settings
from tap.witness.order import in_order
from tap.witness.replay import media_readers, watched_until

UNIX_FROM = 1e9
"""From here on a time is Unix ms: as seconds it would be some thirty years."""
_LONG_SIDE = 640
_AFTER_MS = 2000.0
"""How much of what follows is looked at, at least: a change must be over before it has a name."""
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d{1,2}(?:\.\d{1,6})?)")
_SLACK_MS = 1000.0

Progress = Callable[[float], None]


def explain(
    folder: Path,
    at: str,
    *,
    seconds: float | None = None,
    sight: SightSettings | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain what the program of the `tap-shoot/1` folder shows at a moment, and why.

    `at`: seconds since the program's start, `m:ss.mmm`, or Unix ms. With `seconds`, only so much of
    the recording before it is looked at: quicker, but sight has learnt less by then than in a
    replay. Raises `InputError` for a bad shoot, for a time that is none, or not in the recording.
    """
    shoot = load_shoot(folder)
    at_ms = moment(at, shoot.program.started_at_ms)
    stated_ms = _check_inside(shoot, at, at_ms)
    names = [camera.id for camera in shoot.cameras]
    look = Look(names, at_ms)
    # Everybody is looked at: to say why one camera is live is to say how the others fit.
    seeing = Sight(names, sight or learnt_settings(full_look=True), explain=look)
    from_ms = at_ms - 1000.0 * seconds if seconds is not None else None
    watched = _watch(shoot, seeing, at_ms, from_ms, progress)
    covering = [p for p in watched.pieces if p[0].start_ms <= at_ms < p[0].end_ms]
    if not covering:
        raise _outside(shoot, at, watched.first_ms, max(watched.last_ms, stated_ms))
    shot, reason = covering[0]
    explanation = look.explanation(
        Explanation(
            session=shoot.session.external_id,
            at_ms=at_ms,
            program_start_ms=shoot.program.started_at_ms,
            shot=Answer(
                shot.state, shot.cameras, shot.confidence, shot.start_ms, shot.end_ms, reason
            ),
            order=tuple(names),
            only_seconds=seconds,
        ),
        seeing.cameras_seen(),
    )
    return _with_pictures(shoot, explanation)


def moment(text: str, start_ms: float) -> float:
    """The Unix ms that a text means. Raises `InputError` where it is no time."""
    clock = _CLOCK.fullmatch(text.strip())
    if clock:
        hours, minutes, rest = clock.groups()
        if float(rest) < 60 and (hours is None or int(minutes) < 60):
            return start_ms + 1000.0 * (int(hours or 0) * 3600 + int(minutes) * 60 + float(rest))
    with suppress(ValueError):
        number = float(text)
        if math.isfinite(number):
            return number if number >= UNIX_FROM else start_ms + 1000.0 * number
    raise InputError(
        f"--at: expected a time, got {clip(text, 40)!r}; give seconds from the program's start "
        "(12.5), minutes and seconds (1:02.5), or Unix ms"
    )


# ---------------------------------------------------------------- where it must lie


def _check_inside(shoot: Shoot, at: str, at_ms: float) -> float:
    """Raise for a time before the recording or after it, before anything long is done.

    Returns until when the recording says that it goes.
    """
    start_ms = shoot.program.started_at_ms
    with closing(MediaReader(shoot.program.media, PROGRAM, start_ms)) as reader:
        stated = reader.duration_ms
        ended = watched_until(shoot)
        last_ms = max(start_ms + (stated or 0.0), ended or 0.0)
        if at_ms < start_ms and stated is not None:
            raise _outside(shoot, at, start_ms, last_ms)
        if stated is None or start_ms <= at_ms <= last_ms + _SLACK_MS:
            return last_ms
        # What a file says of its length may be wrong; its pictures are not.
        first_ms = last_ms = start_ms
        for number, frame in enumerate(reader):
            first_ms, last_ms = frame.at_ms if number == 0 else first_ms, frame.at_ms
    if at_ms > last_ms + _SLACK_MS:
        raise _outside(shoot, at, first_ms, max(last_ms, ended or 0.0))
    return last_ms


def _outside(shoot: Shoot, at: str, first_ms: float, last_ms: float) -> InputError:
    start = shoot.program.started_at_ms
    return InputError(
        f"--at {clip(at, 40)}: expected a time in the recording, which runs from "
        f"{offset(first_ms, start)} to {offset(last_ms, start)} (Unix ms {first_ms:.0f} to "
        f"{last_ms:.0f})"
    )


# ---------------------------------------------------------------- looking


@dataclass(slots=True)
class _Watched:
    """What sight said, and from when to when the program was looked at."""

    pieces: list[Piece]
    first_ms: float
    last_ms: float


def _watch(
    shoot: Shoot, sight: Sight, at_ms: float, from_ms: float | None, progress: Progress | None
) -> _Watched:
    """Let sight see the frames until it has settled what it says of `at_ms`."""
    readers = media_readers(shoot)
    watched = _Watched([], math.inf, shoot.program.started_at_ms)
    try:
        for number, frame in enumerate(in_order([iter(reader) for reader in readers])):
            if not isinstance(frame, Frame) or (from_ms is not None and frame.at_ms < from_ms):
                continue
            sight.see(frame)
            if frame.feed == PROGRAM:
                watched.first_ms = min(watched.first_ms, frame.at_ms)
                watched.last_ms = frame.at_ms
            if progress is not None and number % 100 == 0:
                done = frame.at_ms - shoot.program.started_at_ms
                progress(done / max(at_ms + _AFTER_MS - shoot.program.started_at_ms, 1.0))
            if frame.at_ms >= at_ms + _AFTER_MS and (sight.until_ms or -math.inf) > at_ms:
                watched.pieces = sight.take()[0]
                return watched
    finally:
        for reader in readers:
            reader.close()
    ended_ms = watched_until(shoot)
    if ended_ms is not None:
        sight.pass_time(ended_ms)
    sight.finish()
    watched.pieces = sight.take()[0]
    if watched.pieces:
        watched.last_ms = max(watched.last_ms, watched.pieces[-1][0].end_ms)
    watched.first_ms = min(watched.first_ms, watched.last_ms)
    return watched


# ---------------------------------------------------------------- pictures


def _with_pictures(shoot: Shoot, explanation: Explanation) -> Explanation:
    program = _colour(shoot.program.media, shoot.program.started_at_ms, explanation.at_ms)
    height, width = program.shape[:2] if program is not None else (360, 640)
    candidates: list[Candidate] = []
    for candidate in explanation.candidates:
        camera, match = shoot.camera(candidate.id), candidate.match
        late = match.frame_ms if match else explanation.at_ms - (candidate.delay_ms or 0.0)
        picture = _colour(camera.media, camera.started_at_ms, late)
        if picture is not None:
            picture = laid(picture, candidate.lie, (width, height))
        candidates.append(replace(candidate, picture=picture))
    return replace(explanation, program=program, candidates=tuple(candidates))


def _colour(media: Path, started_at_ms: float, at_ms: float) -> Luma | None:
    """The (h, w, 3) BGR picture on screen at `at_ms`; None where there is none."""
    jpeg = picture_at(media, started_at_ms, at_ms, _LONG_SIDE)
    if jpeg is None:
        return None
    with suppress(FeedError):
        return decode_colour(jpeg)
    return None


def laid(picture: Luma, lie: Lie, size: tuple[int, int]) -> Luma:
    """A camera's (h, w, 3) picture as it lies in a program of (width, height) px; else white."""
    h, w = picture.shape[:2]
    (on_x0, on_y0, on_x1, on_y1), (of_x0, of_y0, of_x1, of_y1) = lie.on, lie.of
    if lie.mirror:
        of_x0, of_x1 = of_x1, of_x0
    x_step = (of_x1 - of_x0) * w / ((on_x1 - on_x0) * size[0])
    y_step = (of_y1 - of_y0) * h / ((on_y1 - on_y0) * size[1])
    x_at = of_x0 * w - on_x0 * size[0] * x_step + 0.5 * x_step - 0.5
    y_at = of_y0 * h - on_y0 * size[1] * y_step + 0.5 * y_step - 0.5
    matrix = np.array([[x_step, 0.0, x_at], [0.0, y_step, y_at]])
    shown = np.asarray(
        cv2.warpAffine(
            picture,
            matrix,
            size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )
    out = np.full_like(shown, 255)
    x0, x1 = max(0, round(on_x0 * size[0])), min(size[0], round(on_x1 * size[0]))
    y0, y1 = max(0, round(on_y0 * size[1])), min(size[1], round(on_y1 * size[1]))
    out[y0:y1, x0:x1] = shown[y0:y1, x0:x1]
    return out
