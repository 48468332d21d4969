"""The director's messages as they come, raw beside how each was understood."""

import contextlib
import json
import queue
import time
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from pydantic import ValidationError
from rich.text import Text

from tap.claims import (
    Parser,
    Profile,
    Understood,
    dump_line,
    live_claims,
    load_profile,
    read_claims,
    skeleton,
    understood,
)
from tap.cli.terminal import say, say_json, stderr, until_told
from tap.clock import SystemClock
from tap.config import Config, DirectorConfig, address_of, load_config, secrets_of, token_of
from tap.errors import EXIT_COULD_NOT_WITNESS, EXIT_OK, InputError
from tap.vocabulary import Claim, ClaimType

_POLL_S = 0.1
_WAITING = 10_000
"""Messages that wait to be printed; beyond that whoever sends them is not read until they are."""
_NEW_TYPES = 100
_STYLES = {ClaimType.UNKNOWN: "yellow", ClaimType.UNREADABLE: "bold red"}
_RAW_SHOWN = 600


def run_tail(
    source: str | None,
    *,
    profile: str | None,
    config_file: Path | None,
    sender: str | None,
    token: Mapping[str, str | None],
    keep: Path | None,
    count: int,
    seconds: float,
    as_json: bool,
) -> int:
    """Show what comes until it ends or is told to; the exit code: 3 where nothing was heard."""
    config = load_config(config_file) if config_file is not None else None
    director = _director(source, profile, config, token)
    known = load_profile(director.profile)
    parser = Parser(known, [one.id for one in config.cameras] if config else None, sender)
    with _kept(keep) as file:
        tail = Tail(known, as_json=as_json, keep=file, count=count)
        if director.file is not None:
            for claim in read_claims(director.file, parser):
                if not tail.full:
                    tail.take(claim)
        else:
            _listen(director, config, parser, tail, seconds)
        tail.end()
    return EXIT_OK if tail.heard else EXIT_COULD_NOT_WITNESS


def _director(
    source: str | None,
    profile: str | None,
    config: Config | None,
    token: Mapping[str, str | None],
) -> DirectorConfig:
    """The [director] that the arguments describe. Raises `InputError`."""
    told = config.director if config is not None else None
    if source is None:
        if told is None:
            raise InputError(
                "expected an address, a file, or --config with a [director], got none; "
                "give one: tap claims tail ws://HOST:PORT/PATH"
            )
        return told.model_copy(update={"profile": profile} if profile else {})
    values: dict[str, str] = {"url" if "://" in source else "file": source}
    values["profile"] = profile or (told.profile if told is not None else "tap")
    values |= {name: value for name, value in token.items() if value}
    try:
        return DirectorConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "director"
        raise InputError(f"{where}: {first['msg']}; correct it") from error


@contextlib.contextmanager
def _kept(path: Path | None) -> Generator[TextIO | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("x", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f'{path}: expected a path where nothing is yet, got "{error.strerror or error}"; '
            "give another with --keep"
        ) from error
    with file:
        yield file


def _listen(
    director: DirectorConfig, config: Config | None, parser: Parser, tail: "Tail", seconds: float
) -> None:
    """Hand every message to `tail`, until it is full, the time is up, or Ctrl-C."""
    address = address_of(director, parser.profile)
    token = token_of(director)
    hide = [*(secrets_of(config) if config is not None else ()), *([token] if token else ())]
    source = live_claims(address.whole, parser, SystemClock(), headers=address.headers, hide=hide)
    heard: queue.Queue[Claim] = queue.Queue(_WAITING)
    until = time.monotonic() + seconds if seconds else float("inf")
    told = ""
    try:
        with until_told() as stop:
            source.start(heard.put)
            while not (stop.is_set() or tail.full or time.monotonic() > until):
                detail = source.health().detail
                if detail != told:
                    stderr().print(detail, markup=False)
                    told = detail
                with contextlib.suppress(queue.Empty):
                    tail.take(heard.get(timeout=_POLL_S))
            for _ in range(heard.qsize()):
                tail.take(heard.get_nowait())
    finally:
        source.stop(1.0)


class Tail:
    """Prints messages, keeps them, and notes the types that the profile doesn't know."""

    def __init__(
        self, profile: Profile, *, as_json: bool, keep: TextIO | None = None, count: int = 0
    ) -> None:
        self.heard = 0
        self._profile = profile
        self._as_json = as_json
        self._keep = keep
        self._count = count
        self._new: dict[str, tuple[int, tuple[str, ...]]] = {}

    @property
    def full(self) -> bool:
        """Whether as many messages were shown as were asked for."""
        return bool(self._count) and self.heard >= self._count

    def take(self, claim: Claim) -> None:
        """Show one message; none beyond the count."""
        if self.full:
            return
        self.heard += 1
        what = understood(claim, self._profile)
        if self._keep is not None:
            self._keep.write(dump_line(claim))
            self._keep.flush()
        name = what.type_name
        if claim.type is ClaimType.UNKNOWN and name is not None:
            count, paths = self._new.get(name, (0, what.ignored))
            if count or len(self._new) < _NEW_TYPES:
                self._new[name] = (count + 1, tuple(dict.fromkeys([*paths, *what.ignored])))
        if self._as_json:
            say_json(what.as_json())
        else:
            say(lines(what))

    def end(self) -> None:
        """Say what the profile lacks."""
        new = {name: told for name, told in self._new.items() if name not in self._profile.known}
        if new and not self._as_json:
            stderr().print(skeleton(self._profile.name, new), markup=False, soft_wrap=True)


def lines(what: Understood) -> Text:
    """One message for people: when, what it was taken for, what was not read, and itself."""
    claim = what.claim
    at = datetime.fromtimestamp(claim.recv_ms / 1000.0, UTC).strftime("%H:%M:%S.%f")[:-3]
    kind = claim.type.value
    if what.type_name is not None and what.type_name != kind:
        kind = f"{kind} ({what.type_name})"
    text = Text.assemble((at, "dim"), "  ", (_plain(kind), _STYLES.get(claim.type, "bold green")))
    for name, value in what.told.items():
        text.append(f"  {name}={_plain(str(value))}")
    text.append(f"  id={_plain(claim.id)}  time={what.time}", "dim")
    if claim.problem:
        text.append(f"\n    {_plain(claim.problem)}", "red")
    if what.ignored:
        text.append(f"\n    not read: {_plain(', '.join(what.ignored))}", "yellow")
    raw = json.dumps(dict(claim.raw), ensure_ascii=False)
    text.append(f"\n    {_plain(raw[:_RAW_SHOWN])}{'…' if len(raw) > _RAW_SHOWN else ''}", "dim")
    return text


def _plain(text: str) -> str:
    """A stranger's text without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
