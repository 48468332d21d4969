"""`tap discover`: what is on the network, shown, saved, and added to `shoot.toml`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
from rich.console import Group, RenderableType
from rich.style import Style
from rich.text import Text

from tap.claims import Profile, load_profile, shipped_profiles
from tap.cli.terminal import progress, say, say_json, stdout
from tap.clock import SystemClock
from tap.discover import (
    Announced,
    Bounds,
    Found,
    Stanza,
    Survey,
    listen,
    parse_targets,
    stanzas,
    survey,
    write_stanzas,
)
from tap.errors import EXIT_COULD_NOT_WITNESS, EXIT_OK, InputError
from tap.feeds.jpeg import decode_colour

_COLUMNS = 32


def run_discover(
    targets: Sequence[str],
    *,
    profiles: Sequence[str],
    bonjour_s: float,
    interfaces: Sequence[str],
    bounds: Bounds,
    max_hosts: int,
    token_env: str | None,
    thumbnails: Path | None,
    write_to: Path | None,
    as_json: bool,
) -> int:
    """Look, show, and add; returns the exit code: 3 where nothing answered."""
    known = [load_profile(name) for name in profiles or shipped_profiles()]
    hosts = parse_targets(targets, max_hosts)
    token = _token(token_env)
    clock = SystemClock()
    with progress("listening and asking") as report:
        announced: list[Announced] = []
        if bonjour_s > 0:
            announced = listen(_services(known), clock, seconds=bonjour_s, interfaces=interfaces)
        seen = survey(hosts, announced, known, clock, token=token, bounds=bounds, progress=report)
    wanted = stanzas(seen.found)
    files = _save(seen, wanted, thumbnails) if thumbnails is not None else {}
    added = write_stanzas(write_to, wanted.values()) if write_to is not None else []
    if as_json:
        say_json(_document(seen, wanted, files, added))
    else:
        _show(seen, wanted, files, added, write_to)
    return EXIT_OK if seen.found else EXIT_COULD_NOT_WITNESS


def _services(profiles: Sequence[Profile]) -> list[str]:
    routes = (route for profile in profiles for route in profile.routes.values())
    paths = [route.path for route in routes if route.kind == "bonjour" and route.path is not None]
    return list(dict.fromkeys(paths))


def _token(name: str | None) -> str | None:
    if name is None:
        return None
    value = os.environ.get(name, "")
    if not value:
        raise InputError(
            f"environment variable {name}: expected the token that --token-env names, got "
            f"nothing; set it, for example: export {name}=…"
        )
    return value


def _save(seen: Survey, wanted: dict[str, Stanza], folder: Path) -> dict[str, Path]:
    """Each feed's thumbnail as a file, by its address."""
    files: dict[str, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in seen.found:
            stanza = wanted.get(one.probe.url)
            if one.look.thumbnail is not None and stanza is not None:
                files[one.probe.url] = folder / f"{stanza.values['id']}.jpg"
                files[one.probe.url].write_bytes(one.look.thumbnail)
    except OSError as error:
        raise InputError(
            f'{folder}: expected a folder for thumbnails, got "{error.strerror or error}"; '
            "give another with --thumbnails"
        ) from error
    return files


def _document(
    seen: Survey, wanted: dict[str, Stanza], files: dict[str, Path], added: list[Stanza]
) -> dict[str, Any]:
    return {
        "announced": [
            {
                "name": one.name,
                "service": one.service,
                "addresses": list(one.addresses),
                "port": one.port,
                "properties": one.properties,
            }
            for one in seen.announced
        ],
        "found": [_found(one, wanted, files) for one in seen.found],
        "requests": list(seen.requests),
        "unasked": seen.unasked,
        "added": [dict(stanza.values) for stanza in added],
    }


def _found(one: Found, wanted: dict[str, Stanza], files: dict[str, Path]) -> dict[str, Any]:
    look, url = one.look, one.probe.url
    stanza, file = wanted.get(url), files.get(url)
    return {
        "url": url,
        "answer": look.answer.value,
        "detail": look.detail,
        "announcedAs": one.probe.announced,
        "size": list(look.size) if look.size is not None else None,
        "fps": look.fps,
        "distinctFps": look.distinct_fps,
        "thumbnail": str(file) if file is not None else None,
        "stanza": dict(stanza.values) if stanza is not None else None,
    }


def _show(
    seen: Survey,
    wanted: dict[str, Stanza],
    files: dict[str, Path],
    added: list[Stanza],
    write_to: Path | None,
) -> None:
    for said in seen.announced:
        where = f"{said.addresses[0]}:{said.port}"
        say(Text.assemble(("announced ", "dim"), said.name, f"  {said.service} at {where}"))
    for one in seen.found:
        say(_lines(one, wanted.get(one.probe.url), files.get(one.probe.url)))
    if seen.unasked:
        say(f"Time was up: {seen.unasked} addresses were not asked; give it more with --limit.")
    if not seen.found:
        say(f"Nothing found; {len(seen.requests)} addresses were asked. Name hosts or a subnet.")
    if write_to is not None:
        names = ", ".join(stanza.values["id"] for stanza in added) or "nothing new"
        say(f"Added to {write_to}: {names}.")


def _lines(one: Found, stanza: Stanza | None, file: Path | None) -> RenderableType:
    look = one.look
    rate = f" {look.distinct_fps:g} different pictures a second." if look.distinct_fps else ""
    parts: list[RenderableType] = [
        Text.assemble((one.probe.url, "bold"), f"\n  {look.detail}{rate}")
    ]
    if file is not None:
        parts.append(Text(f"  {file}"))
    elif look.thumbnail is not None and stdout().is_terminal:
        parts.append(_picture(look.thumbnail))
    if stanza is not None:
        parts.append(Text("".join(f"    {line}\n" for line in stanza.text.splitlines()), "dim"))
    return Group(*parts)


def _picture(jpeg: bytes) -> Text:
    """A thumbnail in characters: each is two pixels, one above the other."""
    picture = decode_colour(jpeg)
    rows = max(2, round(picture.shape[0] * _COLUMNS / picture.shape[1])) & ~1
    small = cv2.resize(picture, (_COLUMNS, rows), interpolation=cv2.INTER_AREA)
    text = Text()
    for y in range(0, rows, 2):
        text.append("  ")
        for x in range(_COLUMNS):
            top, low = ("#{2:02x}{1:02x}{0:02x}".format(*small[y + n, x]) for n in (0, 1))
            text.append("▀", Style(color=top, bgcolor=low))
        text.append("\n")
    return text
