"""What a found feed would be in `shoot.toml`, and adding it there without touching the rest."""

import os
import re
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array

from tap.config import MAX_CAMERAS, CameraConfig
from tap.discover.asking import Found
from tap.discover.look import Answer
from tap.errors import InputError
from tap.feeds.webrtc_signal import Signalling

_MAX_ID = 40


@dataclass(frozen=True, slots=True)
class Stanza:
    """One `[[cameras]]` to add."""

    values: Mapping[str, str]

    @property
    def url(self) -> str:
        """The feed's address."""
        return self.values["url"]

    @property
    def text(self) -> str:
        """As it stands in the file."""
        return "[[cameras]]\n" + tomlkit.dumps(dict(self.values))


def stanzas(found: Iterable[Found], taken: Collection[str] = ()) -> dict[str, Stanza]:
    """A stanza for each stream, and for each lock on a stream's route, by its address.

    Ids come from what a device calls itself, else from its address; none is in `taken`.
    """
    made: dict[str, Stanza] = {}
    ids = set(taken)
    for one in found:
        if one.probe.url in made or not _is_feed(one):
            continue
        camera = _free_id(one, ids)
        ids.add(camera)
        values = {"id": camera, "url": one.probe.url}
        values |= _spoken_to(one)
        if one.look.answer is Answer.LOCKED:
            values["token_env"] = re.sub(r"[^A-Z0-9]", "_", f"{camera}_TOKEN".upper())
            if one.probe.token_parameter is not None:
                values |= {"token_in": "query", "token_name": one.probe.token_parameter}
        if one.probe.announced:
            values["label"] = one.probe.announced[:200]
        CameraConfig.model_validate(values)
        made[one.probe.url] = Stanza(values)
    return made


def _spoken_to(one: Found) -> dict[str, str]:
    """How a WebRTC feed is asked; {} of any other."""
    words = one.probe.words
    if words is None:
        return {}
    if words != Signalling(kind=words.kind):  # words of its own, that the profile has
        return {"kind": "webrtc", "route": one.probe.route}
    return {"kind": "webrtc"} | ({} if words.kind == "whep" else {"signalling": words.kind})


def _is_feed(one: Found) -> bool:
    if one.look.answer in (Answer.STREAM, Answer.NO_PICTURES):
        return True
    if one.look.answer is not Answer.LOCKED or one.probe.is_socket:
        return False
    return one.probe.kind in ("mjpeg", "webrtc")


def _free_id(one: Found, ids: Collection[str]) -> str:
    name = one.probe.announced or f"cam-{one.probe.target.host}-{one.probe.port}"
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_MAX_ID] or "cam"
    if plain == "program":
        plain = "cam-program"
    number, wanted = 2, plain
    while wanted in ids:
        wanted, number = f"{plain}-{number}", number + 1
    return wanted


def write_stanzas(path: Path, wanted: Iterable[Stanza]) -> list[Stanza]:
    """Add to the file what it doesn't have yet, at its end; returns what was added.

    Comments, order and spelling of what is there stay. Feeds whose address is there already are
    left out; an id that is taken gets a number. Raises `InputError` where there is no such file
    or it can't be added to.
    """
    document = _read(path)
    cameras: Any = document.get("cameras")
    if cameras is None:
        cameras = tomlkit.aot()
        document["cameras"] = cameras
    if not isinstance(cameras, AoT | Array):
        raise InputError(
            f"{path}: expected cameras as tables [[cameras]], got something else; correct it"
        )
    there: list[Any] = [*cameras, document.get("program")]
    tables = [table for table in there if isinstance(table, Mapping)]
    urls = {str(table.get("url")) for table in tables}
    ids = {str(table.get("id")) for table in tables}
    added: list[Stanza] = []
    for stanza in wanted:
        if stanza.url in urls:
            continue
        values = dict(stanza.values)
        number, plain = 2, values["id"]
        while values["id"] in ids:
            values["id"], number = f"{plain}-{number}", number + 1
        inline = isinstance(cameras, Array)
        table: Any = tomlkit.inline_table() if inline else tomlkit.table()
        table.update(values)
        cameras.append(table)
        urls.add(stanza.url)
        ids.add(values["id"])
        added.append(Stanza(values))
    if len(cameras) > MAX_CAMERAS:
        raise InputError(
            f"{path}: expected at most {MAX_CAMERAS} cameras, got {len(cameras)} with what was "
            "found; nothing was written: add the ones you want by hand"
        )
    if added:
        _replace(path, tomlkit.dumps(document))
    return added


def _read(path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: expected a configuration to add to, found none; write one with "
            f"`tap init {path}`"
        ) from error
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise InputError(
            f"{path}: expected a configuration to add to, got: {error}; correct the file"
        ) from error


def _replace(path: Path, text: str) -> None:
    """Write beside and swap: a configuration is never half written."""
    real = path.resolve()
    try:
        mode = real.stat().st_mode & 0o777
        with tempfile.NamedTemporaryFile(
            "w",
            encoding="utf-8",
            newline="",
            dir=real.parent,
            prefix=f".{real.name}.",
            delete=False,
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(mode)
        Path(file.name).replace(real)
    except OSError as error:
        raise InputError(
            f'{path}: expected a file that can be written, got "{error.strerror or error}"; '
            "check its permissions"
        ) from error
