"""Tokens and other secrets of a feed: sent with its requests, kept out of every text."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import (
    parse_qsl,
    quote,
    quote_plus,
    unquote,
    urlencode,
    urlsplit,
    urlunsplit,
)

from tap.errors import InputError

_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Access:
    """What a server wants to see before it serves.

    `token` is sent as `Authorization: Bearer`; `headers` as they are; `query` is appended to
    the URL. User and password in the URL itself are sent as basic authentication.
    """

    token: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    query: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    def request_headers(self, url: str) -> dict[str, str]:
        """Headers of a request for `url`."""
        parts = urlsplit(url)
        headers = {"User-Agent": "tap", "Accept": "*/*", "Accept-Encoding": "identity"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        elif parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
        return headers | dict(self.headers)

    def request_url(self, url: str) -> str:
        """`url` with the query's secrets in it, and without user and password."""
        parts = urlsplit(url)
        query = "&".join(filter(None, (parts.query, urlencode(dict(self.query)))))
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=host, query=query))

    def redact(self, text: str, url: str) -> str:
        """`text` without any secret of this access or of `url`."""
        parts = urlsplit(url)
        values = [value for _, value in parse_qsl(parts.query)]
        values += [self.token or "", *self.headers.values(), *self.query.values()]
        values += [parts.password or "", parts.username or ""]
        spelt = {form for v in values for form in (v, quote(v, safe=""), quote_plus(v))}
        for value in sorted(spelt, key=len, reverse=True):
            if value:
                text = text.replace(value, _HIDDEN)
        return text


def public_url(url: str) -> str:
    """`url` fit to be shown: without user, password and query values."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(f"{name}={_HIDDEN}" for name, _ in parse_qsl(parts.query))
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def check_http_url(url: str, feed: str) -> None:
    """Raise `InputError` unless `url` is an absolute http or https URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(
            f"{feed}: the URL can't be read; expected http://HOST:PORT/PATH."
        ) from error
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"{feed}: expected an http:// or https:// URL, got '{public_url(url)}'.")
