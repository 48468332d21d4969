"""Where the room is served, and whether it may be."""

import ipaddress
import re
from dataclasses import dataclass

from tap.errors import InputError

DEFAULT_PORT = 9440
TOKEN_ENV = "TAP_WEB_TOKEN"  # noqa: S105  the name of a variable, no secret
SHORTEST_TOKEN = 16

_WHERE = re.compile(r"^(?:(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253}):)?(?P<port>\d{1,5})$")


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port; port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT

    @property
    def is_loopback(self) -> bool:
        """Whether only this very machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def shown(self) -> str:
        """As it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """`HOST:PORT`, `PORT`, or nothing for the usual. Raises `InputError`."""
    if not text:
        return Address()
    found = _WHERE.match(text)
    if found is None or int(found["port"]) > 65535:
        raise InputError(
            f"--web: expected HOST:PORT or PORT, got {text[:80]!r}; "
            f"give for example --web 127.0.0.1:{DEFAULT_PORT}"
        )
    return Address((found["host"] or "127.0.0.1").strip("[]"), int(found["port"]))


def require_allowed(address: Address, token: str | None, *, off_loopback: bool) -> None:
    """Raise `InputError` unless the room may be served there.

    Off loopback it needs to be told so, and a token of at least `SHORTEST_TOKEN` characters.
    """
    if token is not None and (len(token) < SHORTEST_TOKEN or not re.fullmatch(r"[!-~]+", token)):
        raise InputError(
            f"{TOKEN_ENV}: expected at least {SHORTEST_TOKEN} letters, digits and signs without "
            f"spaces, got {len(token)} characters; set for example the output of "
            "`openssl rand -hex 16`"
        )
    if address.is_loopback:
        return
    if not off_loopback:
        raise InputError(
            f"--web {address.shown}: expected an address of this machine alone, got one that "
            "others can reach; add --web-open if they shall see the page"
        )
    if token is None:
        raise InputError(
            f"--web-open: expected a token in the environment variable {TOKEN_ENV}, found none; "
            "set it, for example to the output of `openssl rand -hex 16`"
        )
