"""What the director says: profiles, parsing, recorded messages and live sources."""

from collections.abc import Collection, Mapping

from tap.claims.devices import DeviceParser, Devices
from tap.claims.parse import Parser
from tap.claims.profile import Profile, load_profile, shipped_profiles
from tap.claims.record import dump_line, from_line, read_claims, to_line
from tap.claims.sse import SseClaims
from tap.claims.understood import Understood, skeleton, understood
from tap.claims.websocket import WebSocketClaims
from tap.claims.wire import Backoff, ClaimsHealth, LiveClaims, Reader
from tap.clock import Clock

__all__ = [
    "Backoff",
    "ClaimsHealth",
    "DeviceParser",
    "Devices",
    "LiveClaims",
    "Parser",
    "Profile",
    "Reader",
    "SseClaims",
    "Understood",
    "WebSocketClaims",
    "dump_line",
    "from_line",
    "live_claims",
    "load_profile",
    "read_claims",
    "shipped_profiles",
    "skeleton",
    "to_line",
    "understood",
]


def live_claims(
    url: str,
    parser: Reader,
    clock: Clock,
    *,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    hide: Collection[str] = (),
    backoff: Backoff | None = None,
) -> LiveClaims:
    """The source for an address: `ws(s)://` a WebSocket, `http(s)://` Server-Sent Events.

    The token goes where the parser's profile says: into the query, else into an
    `Authorization: Bearer` header. `hide` are other secrets that no message may show.
    Raises `InputError` for any other address.
    """
    parameter = parser.profile.wire.token_parameter
    query = {parameter: token} if token is not None and parameter is not None else {}
    sent = dict(headers or {})
    if token is not None and parameter is None:
        sent["Authorization"] = f"Bearer {token}"
    if token is not None:
        hide = [*hide, token]
    kind = SseClaims if url.lower().startswith("http") else WebSocketClaims
    return kind(url, parser, clock, headers=sent, query=query, hide=hide, backoff=backoff)
