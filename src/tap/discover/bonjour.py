"""Who announces itself by Bonjour (multicast DNS): names, hosts and ports, nothing connected to."""

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from zeroconf import (
    BadTypeInNameException,
    InterfaceChoice,
    IPVersion,
    ServiceBrowser,
    ServiceInfo,
    ServiceStateChange,
    Zeroconf,
)
from zeroconf import Error as ZeroconfError

from tap.clock import Clock
from tap.errors import InputError, TapError

MAX_SERVICES = 64
_MAX_ADDRESSES = 4
_ANSWER_MS = 1500
_DOMAIN = "local."


@dataclass(frozen=True, slots=True)
class Announced:
    """One service that announced itself. Texts are the stranger's own, made fit to be shown."""

    name: str
    service: str
    """Its type, such as `_mmcam._tcp`."""
    addresses: tuple[str, ...]
    port: int
    properties: dict[str, str] = field(default_factory=dict[str, str])


def listen(
    services: Collection[str],
    clock: Clock,
    *,
    seconds: float,
    interfaces: Sequence[str] = (),
) -> list[Announced]:
    """Services of these types (`_mmcam._tcp`) that answered within `seconds`, by their names.

    At most `MAX_SERVICES`. Addresses that are not of a private network are left out, and those of
    this host itself too, unless `interfaces` names the loopback: an announcement is anybody's, and
    must not send tap anywhere else. Raises `TapError` where multicast DNS can't be used here, and
    `InputError` where `interfaces` has something else than addresses.
    """
    loopback = any(_address(one).is_loopback for one in interfaces)
    if not services:
        return []
    heard: dict[tuple[str, str], None] = {}

    def note(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is not ServiceStateChange.Removed and len(heard) < MAX_SERVICES:
            heard[service_type, name] = None

    try:
        with Zeroconf(
            interfaces=list(interfaces) or InterfaceChoice.Default, ip_version=IPVersion.V4Only
        ) as zeroconf:
            types = [f"{service}.{_DOMAIN}" for service in services]
            browser = ServiceBrowser(zeroconf, types, handlers=[note])
            clock.sleep(seconds)
            browser.cancel()
            found = [_resolve(zeroconf, *key, loopback=loopback) for key in list(heard)]
    except (OSError, ZeroconfError, BadTypeInNameException) as error:
        raise TapError(
            f'expected to listen for announcements, got "{error or type(error).__name__}"; check '
            "the network, or look without them: --no-bonjour"
        ) from error
    return sorted((one for one in found if one is not None), key=lambda one: one.name)


def _resolve(
    zeroconf: Zeroconf, service_type: str, name: str, *, loopback: bool
) -> Announced | None:
    try:
        info = ServiceInfo(service_type, name)
    except BadTypeInNameException:
        return None  # a name that no device may have: whoever sent it is not worth a word
    if not info.request(zeroconf, _ANSWER_MS) or not info.port:
        return None
    addresses = [one for one in info.parsed_addresses(IPVersion.V4Only) if _near(one, loopback)]
    if not addresses:
        return None
    return Announced(
        name=_shown(name.removesuffix(f".{service_type}")),
        service=service_type.removesuffix(f".{_DOMAIN}"),
        addresses=tuple(addresses[:_MAX_ADDRESSES]),
        port=info.port,
        properties={
            _shown(key): _shown(value)
            for key, value in list(info.decoded_properties.items())[:32]
            if value is not None
        },
    )


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise InputError(
            f"expected the address of an interface of this host, got {text[:60]!a}; correct it"
        ) from error


def _near(text: str, loopback: bool) -> bool:
    address = ipaddress.ip_address(text)
    if address.is_loopback:
        return loopback
    near = address.is_private or address.is_link_local
    return near and not (address.is_multicast or address.is_unspecified)


def _shown(text: str) -> str:
    """A stranger's text without anything that a terminal would obey."""
    return "".join(letter for letter in text if letter.isprintable())[:200]
