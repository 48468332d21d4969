"""The addresses that the user names: hosts, hosts with a port, and subnets of their own network."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tap.errors import InputError

MAX_HOSTS = 256
_HOST = re.compile(r"(?!-)[A-Za-z0-9_.-]{1,253}")


@dataclass(frozen=True, slots=True)
class Target:
    """One host to ask; `port` None: at the ports that the profiles know."""

    host: str
    port: int | None = None
    alone: bool = True
    """Named by itself, not as part of a subnet: only such a host is ever sent a secret."""

    @property
    def netloc_host(self) -> str:
        """The host as it stands in a URL."""
        return f"[{self.host}]" if ":" in self.host else self.host


def parse_targets(texts: Iterable[str], max_hosts: int = MAX_HOSTS) -> list[Target]:
    """The hosts of `HOST`, `HOST:PORT` and `ADDRESS/BITS`, each once, in their order.

    Raises `InputError` for anything else, for a subnet that is no private network's, and where
    that would be more than `max_hosts`.
    """
    found: dict[Target, None] = {}
    for text in texts:
        for target in _parse(text, max_hosts):
            found[target] = None
            if len(found) > max_hosts:
                raise _too_many(text, f"more than {max_hosts}", max_hosts)
    return list(found)


def _parse(text: str, max_hosts: int) -> Iterator[Target]:
    if "/" in text:
        yield from _subnet(text, max_hosts)
        return
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port
        plain = parts.netloc == text and "@" not in text and port != 0
    except ValueError:
        host, port, plain = "", None, False
    if not plain or not (_HOST.fullmatch(host) or _is_address(host)):
        raise InputError(
            f"expected a host, HOST:PORT or a subnet such as 192.168.1.0/28, got {text[:100]!a}; "
            "correct it"
        )
    yield Target(host, port)


def _subnet(text: str, max_hosts: int) -> Iterator[Target]:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise InputError(
            f"expected a subnet such as 192.168.1.0/28, got {text[:100]!a}; correct it"
        ) from error
    if not (network.is_private or network.is_link_local):
        raise InputError(
            f"expected a subnet of a private network, got {network}; name its hosts one by one"
        )
    if network.num_addresses > max_hosts + 2:
        raise _too_many(text, str(network.num_addresses), max_hosts)
    for address in network.hosts():
        yield Target(str(address), alone=network.num_addresses == 1)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _too_many(text: str, got: str, max_hosts: int) -> InputError:
    return InputError(
        f"expected at most {max_hosts} hosts to ask, got {got} with {text[:100]}; name a smaller "
        "subnet, or allow more with --max-hosts"
    )
