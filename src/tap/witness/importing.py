"""Puts foreign claims where `tap replay` reads them: a file, or a recorded shoot's own."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tap.claims.imports import Imported, Instructions, import_claims
from tap.claims.imports.times import unix_ms
from tap.claims.record import MAX_FILE
from tap.errors import InputError
from tap.feeds.probe import probe
from tap.feeds.shoot import SHOOT_FILE, Shoot, load_shoot
from tap.rates import Rate, rate_of
from tap.report.files import write_text
from tap.vocabulary import CAMERA_ID
from tap.witness.exporting import program_rate

DIRECTOR_FILE = "director.jsonl"


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. Either `shoot` or `out` says where the claims go."""

    file: Path
    form: str
    shoot: Path | None = None
    out: Path | None = None
    merge: bool = False
    rate: str | None = None
    at: str | None = None
    start: str | None = None
    cameras: tuple[str, ...] = field(default=())


def bring_in(request: Request) -> tuple[Imported, Path]:
    """Read the file and write its claims. Raises `InputError`; writes nothing then."""
    if (request.shoot is None) == (request.out is None):
        raise InputError("expected one place for the claims; give --shoot or --out.")
    shoot = load_shoot(request.shoot) if request.shoot is not None else None
    imported = import_claims(request.file, _instructions(request, shoot))
    text = "".join(
        json.dumps(message, ensure_ascii=False, separators=(",", ":")) + "\n"
        for message in imported.messages
    )
    if shoot is None:
        return imported, write_text(request.out or Path(DIRECTOR_FILE), text)
    return imported, _into_shoot(shoot, text, imported, merge=request.merge)


def _instructions(request: Request, shoot: Shoot | None) -> Instructions:
    rate = rate_of(request.rate) if request.rate is not None else _own_rate(shoot, request.form)
    zero_ms = None
    if request.at is not None:
        zero_ms = unix_ms(request.at)
        if zero_ms is None:
            raise InputError(
                f"--at: expected Unix ms or an ISO 8601 time with its zone, got {request.at[:60]!r}"
            )
    elif shoot is not None:
        facts = probe(shoot.program.media)
        zero_ms = shoot.program.started_at_ms + float(facts.first_s * 1000)
    zero_s = None
    if request.start is not None:
        if rate is None:
            raise InputError("--start: expected the rate of its timecode; give it with --rate.")
        zero_s = rate.seconds(rate.frames(request.start))
    return Instructions(
        form=request.form,
        rate=rate,
        zero_ms=zero_ms,
        zero_s=zero_s,
        names=_names(request.cameras, shoot),
        cameras=tuple(camera.id for camera in shoot.cameras) if shoot is not None else (),
    )


def _own_rate(shoot: Shoot | None, form: str) -> Rate | None:
    if shoot is None or form not in ("edl", "csv"):
        return None
    return program_rate(shoot.session.external_id, probe(shoot.program.media))


def _names(given: tuple[str, ...], shoot: Shoot | None) -> dict[str, str]:
    names: dict[str, str] = {}
    known = {camera.id for camera in shoot.cameras} if shoot is not None else None
    for pair in given:
        name, separator, camera = pair.rpartition("=")
        if not separator or not name or not re.match(CAMERA_ID, camera):
            raise InputError(f"--camera: expected NAME=CAMERA, got {pair[:80]!r}; correct it.")
        if known is not None and camera not in known:
            raise InputError(
                f"--camera: expected one of {', '.join(sorted(known))}, got {camera!r}; correct it."
            )
        names[name] = camera
    return names


def _into_shoot(shoot: Shoot, text: str, imported: Imported, *, merge: bool) -> Path:
    """Add the claims to the shoot's own messages, or be its messages where it has none."""
    if shoot.director is None:
        path = shoot.folder / DIRECTOR_FILE
        if path.exists():
            raise InputError(
                f"{path}: expected no such file, for {SHOOT_FILE} names no messages; remove it."
            )
        write_text(path, text)
        _name_director(shoot.folder / SHOOT_FILE)
        return path
    if not merge:
        raise InputError(
            f"{shoot.director}: the shoot has messages already; add these with --merge, or write "
            "them elsewhere with --out."
        )
    if shoot.director.stat().st_size > MAX_FILE:
        raise InputError(f"{shoot.director}: expected at most {MAX_FILE} bytes; split the shoot.")
    there = shoot.director.read_text(encoding="utf-8", errors="surrogateescape")
    if f'"{imported.messages[0]["id"]}"' in there:
        raise InputError(f"{shoot.director}: these claims are in it already; nothing was added.")
    half = shoot.director.with_name(shoot.director.name + ".part")
    gap = "" if not there or there.endswith("\n") else "\n"
    half.write_text(there + gap + text, encoding="utf-8", errors="surrogateescape", newline="")
    half.replace(shoot.director)
    return shoot.director


def _name_director(file: Path) -> None:
    about: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    about["director"] = DIRECTOR_FILE
    write_text(file, json.dumps(about, ensure_ascii=False, indent=2) + "\n")
