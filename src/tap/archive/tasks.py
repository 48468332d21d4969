"""What workers of a cluster do. Each is called with plain values, and may be called twice."""

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from tap.archive.identity import How, answering
from tap.archive.jobs import owner_of
from tap.archive.lumas import read_lumas, told_beside, write_lumas
from tap.archive.places import open_media, opened
from tap.archive.work import Replayed, replay_apart
from tap.errors import InputError
from tap.feeds.media import Reader
from tap.feeds.pieces import Piece, Seams, cut, read_piece
from tap.feeds.shoot import Shoot, load_shoot, recordings


@dataclass(frozen=True, slots=True)
class Charge:
    """What every task needs to know; `program` is what the one who gives it out is."""

    place: str
    out: Path
    how: How
    program: str


@dataclass(frozen=True, slots=True)
class Overview:
    """A shoot's media by feed, as paths inside of it, and how long it says it lasts."""

    media: dict[str, str]
    length_ms: float


@dataclass(frozen=True, slots=True)
class Decoded:
    """A piece of a feed that lies reduced in a file."""

    file: Path
    seams: Seams
    cpu_s: float
    worker: str
    """Its host and process: to see who took part."""


def look_over(charge: Charge) -> Overview:
    """Check a shoot, before anything is done with it. Raises `InputError`."""
    _require_same(charge)
    with opened(charge.place) as shoot:
        loaded = load_shoot(shoot.folder, shoot.files)
        with shoot.files.video(loaded.program.media) as program:
            length_ms = program.duration_ms or 0.0
        root = shoot.folder.resolve()
        media = {feed: part.media.relative_to(root).as_posix() for feed, part in recordings(loaded)}
    return Overview(media, length_ms)


def cut_media(charge: Charge, media: str, every_ms: float) -> tuple[Piece, ...]:
    """Where a recording can be cut."""
    _require_same(charge)
    with open_media(charge.place, media) as file:
        return cut(file, every_ms)


def decode_piece(charge: Charge, media: str, piece: Piece, file: Path) -> Decoded:
    """Decode and reduce a piece to a file; what an earlier try left there whole is taken.

    Raises `SeamError` where that is not what the whole recording has there.
    """
    _require_same(charge)
    before = told_beside(file)
    if isinstance(before, dict) and before.get("piece") == _plain(piece):
        return Decoded(file, Seams(**before["seams"]), 0.0, owner_of(os.getpid()))
    seams, cpu = Seams(), time.thread_time()
    with open_media(charge.place, media) as video:
        write_lumas(
            file,
            read_piece(video, piece, seams),
            lambda: {"piece": _plain(piece), "seams": asdict(seams)},
        )
    return Decoded(file, seams, time.thread_time() - cpu, owner_of(os.getpid()))


def witness_joined(charge: Charge, pieces: dict[str, list[Path]]) -> Replayed:
    """Witness a shoot from the files that hold its feeds, each in pieces in their order."""
    _require_same(charge)

    def readers(shoot: Shoot) -> list[Reader]:
        return [
            Reader(
                feed,
                part.started_at_ms,
                chain.from_iterable(read_lumas(file) for file in pieces[feed]),
            )
            for feed, part in recordings(shoot)
        ]

    return replay_apart(charge.place, charge.out, charge.how, readers=readers)


def witness_whole(charge: Charge) -> Replayed:
    """Witness a shoot that is not worth cutting."""
    _require_same(charge)
    return replay_apart(charge.place, charge.out, charge.how)


def _plain(piece: Piece) -> Any:
    return json.loads(json.dumps(asdict(piece)))


def _require_same(charge: Charge) -> None:
    if answering(charge.how) != charge.program:
        raise OtherProgramError(
            f"expected every worker to run the very tap that gives out the work, but that on "
            f"{socket.gethostname()} differs, in its version, its libraries or its files; install "
            "the same on all, and run it again."
        )


class OtherProgramError(InputError):
    """A worker would give another answer."""
