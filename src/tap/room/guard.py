"""What every request must pass, and what every answer says of itself.

The page is for the people at the shoot: no other web site may read it through their browser
(origin, site), nor by a name that it turned to this machine (Host: DNS rebinding), nor frame it.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tap.room.address import Address

COOKIE = "tap-room"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::\d{1,5})?")


class Guard:
    """ASGI middleware around the whole room."""

    def __init__(self, app: ASGIApp, *, address: Address, token: str | None) -> None:
        self._app = app
        self._local = address.is_loopback
        self._names = {"localhost", address.host.lower()}
        if not self._local:
            self._names |= {socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"}
        self._token = token
        # What the browser keeps is not the token itself.
        self._pass = (
            hmac.new(token.encode(), COOKIE.encode(), hashlib.sha256).hexdigest() if token else ""
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or let the request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self._refuse(scope)
        await (answer or self._app)(scope, receive, dressed)

    def _refuse(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        why = self._foreign(headers)
        if why is not None:
            return JSONResponse({"error": why}, 403)
        if self._token is None:
            return None
        return self._let_in(scope, headers, self._token)

    # ------------------------------------------------------------ who asks, and through what

    def _foreign(self, headers: Headers) -> str | None:
        """Why the request comes by a way that is not ours; None: it doesn't."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return (
                "expected this machine's own name or address in Host, got another; "
                "open the page by the address that tap printed"
            )
        origins = headers.getlist("origin")
        if origins and origins != [f"http://{hosts[0]}"]:
            return "expected a request of the page itself, got one of another web site"
        # Following a link to the page is fine; what another site fetches or frames is not.
        opened = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest"))
        same = headers.get("sec-fetch-site") in (None, "none", "same-origin")
        if not same and opened != ("navigate", "document"):
            return "expected a request of the page itself, got one of another web site"
        return None

    def _is_ours(self, host: str) -> bool:
        """A name that could have been turned to this machine by somebody else is not."""
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found["name"].strip("[]").lower()
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._local

    # ------------------------------------------------------------ the token

    def _let_in(self, scope: Scope, headers: Headers, token: str) -> Response | None:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(bearer.strip(), token):
            return None
        if _same(_cookie(headers), self._pass):
            return None
        query = scope["query_string"][:2000].decode("latin-1")
        given = parse_qs(query, max_num_fields=20, errors="replace").get("token", [""])[0]
        if scope["path"] == "/" and _same(given, token):
            # Out of the address bar, and of everything that reads it, at once.
            answer: Response = RedirectResponse("/", 303)
            answer.set_cookie(COOKIE, self._pass, httponly=True, samesite="lax", path="/")
            return answer
        return JSONResponse(
            {
                "error": "expected the token, got none or a wrong one; open the page as "
                "/?token=TOKEN once, or send the header Authorization: Bearer TOKEN"
            },
            401,
            headers={"WWW-Authenticate": "Bearer"},
        )


def _same(given: str, expected: str) -> bool:
    return secrets.compare_digest(given.encode(), expected.encode())


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")[:4000]).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""
