"""What the director says: profiles, parsing, recorded messages and live sources."""

from collections.abc import Mapping

from tap.claims.parse import Parser
from tap.claims.profile import Profile, load_profile, shipped_profiles
from tap.claims.record import dump_line, from_line, read_claims, to_line
from tap.claims.sse import SseClaims
from tap.claims.websocket import WebSocketClaims
from tap.claims.wire import Backoff, ClaimsHealth, LiveClaims
from tap.clock import Clock

__all__ = [
    "Backoff",
    "ClaimsHealth",
    "LiveClaims",
    "Parser",
    "Profile",
    "SseClaims",
    "WebSocketClaims",
    "dump_line",
    "from_line",
    "live_claims",
    "load_profile",
    "read_claims",
    "shipped_profiles",
    "to_line",
]


def live_claims(
    url: str,
    parser: Parser,
    clock: Clock,
    *,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    backoff: Backoff | None = None,
) -> LiveClaims:
    """The source for an address: `ws(s)://` a WebSocket, `http(s)://` Server-Sent Events.

    The token goes where the parser's profile says: into the query, else into an
    `Authorization: Bearer` header. Raises `InputError` for any other address.
    """
    parameter = parser.profile.wire.token_parameter
    query = {parameter: token} if token is not None and parameter is not None else {}
    sent = dict(headers or {})
    if token is not None and parameter is None:
        sent["Authorization"] = f"Bearer {token}"
    kind = SseClaims if url.lower().startswith("http") else WebSocketClaims
    return kind(url, parser, clock, headers=sent, query=query, backoff=backoff)
