"""`--web`: the control room beside a session."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tap.cli.terminal import stderr
from tap.clock import Clock
from tap.config import Config
from tap.report.folder import PICTURES_FOLDER
from tap.witness.onlooker import Onlooker

OPTION = "--web"
USUAL = "127.0.0.1:9440"


@dataclass(frozen=True, slots=True)
class Web:
    """What was asked for: an address, and whether others than this machine may reach it."""

    where: str
    off_loopback: bool = False


def with_usual_address(arguments: Sequence[str]) -> list[str]:
    """The same command line, with the usual address after a `--web` that has none."""
    out: list[str] = []
    for index, argument in enumerate(arguments):
        out.append(argument)
        following = arguments[index + 1] if index + 1 < len(arguments) else "-"
        if argument == OPTION and following.startswith("-"):
            out.append(USUAL)
    return out


@contextmanager
def control_room(web: Web | None, config: Config, clock: Clock) -> Generator[Onlooker | None]:
    """The page, if one was asked for: gives the onlooker that the witness tells."""
    if web is None:
        yield None
        return
    from tap.room import ControlRoom, parse_address
    from tap.room.address import TOKEN_ENV

    token = os.environ.get(TOKEN_ENV) or None
    room = ControlRoom(
        parse_address(web.where),
        config.session_folder / PICTURES_FOLDER,
        clock=clock,
        token=token,
        off_loopback=web.off_loopback,
    )
    with room:
        how = f"?token=…, with what {TOKEN_ENV} holds" if token is not None else ""
        stderr().print(f"the page: {room.url}{how}", soft_wrap=True, markup=False)
        yield room.onlooker
