"""What must hold before a configuration is started: secrets at hand, kinds that are built."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

from tap.claims.profile import Profile, Signalling, load_profile
from tap.config.model import Config, DirectorConfig, FeedConfig, Token
from tap.errors import InputError
from tap.ledger.convex import load_mapping


def token_of(token: Token, environ: Mapping[str, str] | None = None) -> str | None:
    """The secret that this section names, or None where it names none.

    Raises `InputError` where the variable is not set.
    """
    if token.token_env is None:
        return None
    value = (os.environ if environ is None else environ).get(token.token_env, "")
    if not value:
        raise InputError(
            f"environment variable {token.token_env}: expected the secret that token_env names, "
            f"got nothing; set it, for example: export {token.token_env}=…"
        )
    return value


def ledger_token(config: Config, environ: Mapping[str, str] | None = None) -> str | None:
    """The secret of the Convex ledger, or None where none is named. Raises `InputError`."""
    return token_of(Token(token_env=config.ledger.token_env), environ)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect, and what to send along to be let in: that is never shown."""

    url: str
    query: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def whole(self) -> str:
        """The url with the query in it."""
        parts = urlsplit(self.url)
        query = "&".join(filter(None, (parts.query, urlencode(self.query))))
        return urlunsplit(parts._replace(query=query))


def address_of(
    part: FeedConfig | DirectorConfig,
    profile: Profile | None = None,
    environ: Mapping[str, str] | None = None,
) -> Address:
    """The whole address of a section with a url: the secret, if any, where the far side looks.

    Where token_in and token_name don't say, the profile does; where neither does, it is an
    `Authorization: Bearer` header. Raises `InputError` where the variable is not set.
    """
    token = token_of(part, environ)
    url = part.url or ""
    if token is None:
        return Address(url)
    usual = _usual_parameter(part, profile)
    where = part.token_in or ("query" if usual else "header")
    if where == "header":
        name = part.token_name or "Authorization"
        bearer = name.lower() == "authorization"
        return Address(url, headers={name: f"Bearer {token}" if bearer else token})
    return Address(url, query={part.token_name or usual or "token": token})


def ice_login(
    feed: FeedConfig, environ: Mapping[str, str] | None = None
) -> tuple[str | None, str | None]:
    """User and secret of the feed's ICE servers, None where none is named. Raises `InputError`."""
    user = token_of(Token(token_env=feed.ice_user_env), environ)
    return user, token_of(Token(token_env=feed.ice_secret_env), environ)


def signalling_of(feed: FeedConfig, profile: Profile) -> Signalling:
    """How a WebRTC feed is asked for its pictures.

    The words are those of its route in the profile: the one that the feed names, else the only
    one there is that fits its address. `signalling` in shoot.toml wins over the route's kind.
    Raises `InputError` where the named route is no WebRTC route, or doesn't fit the address.
    """
    kind = feed.signalling
    if kind is None and (feed.url or "").startswith(("ws:", "wss:")):
        kind = "websocket"
    words = _route_words(feed, profile, kind) or Signalling(kind=kind or "whep")
    socket = (feed.url or "").startswith(("ws:", "wss:"))
    if socket != (words.kind == "websocket"):
        raise InputError(
            f"expected {'an http://' if socket is False else 'a ws://'} address to go with its "
            f'signalling, got signalling "{words.kind}" of profile {profile.name}; change the '
            "address, or set signalling"
        )
    return words


def _route_words(feed: FeedConfig, profile: Profile, kind: str | None) -> Signalling | None:
    if feed.route is not None:
        route = profile.routes.get(feed.route)
        if route is None or route.kind != "webrtc":
            known = [name for name, found in profile.routes.items() if found.kind == "webrtc"]
            raise InputError(
                f'route = "{feed.route}": expected a WebRTC route of profile {profile.name} '
                f"({', '.join(known) or 'it has none'}), got none of that name; correct it"
            )
        routes = [route]
    else:
        routes = [route for route in profile.routes.values() if route.kind == "webrtc"]
    said = [route.signalling for route in routes if route.signalling is not None]
    fitting = [words for words in said if kind in (None, words.kind)]
    return fitting[0] if len(fitting) == 1 else None


def _profile_of(config: Config) -> Profile:
    return load_profile(config.director.profile if config.director is not None else "tap")


def _usual_parameter(part: FeedConfig | DirectorConfig, profile: Profile | None) -> str | None:
    """The query parameter in which the profile's system expects a token, if it does."""
    if profile is None:
        return None
    if isinstance(part, DirectorConfig):
        return profile.wire.token_parameter
    routes = (route for route in profile.routes.values() if route.kind == part.kind)
    return next((route.token_parameter for route in routes if route.token_parameter), None)


def start_problems(config: Config, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What stands in the way of a start, by feed id, "director" or "ledger"; empty if nothing."""
    problems: dict[str, str] = {}
    parts: dict[str, Token] = {**config.feeds()}
    if config.director is not None:
        parts["director"] = config.director
    for name, part in parts.items():
        try:
            token_of(part, environ)
        except InputError as error:
            problems[name] = f"{name}: {error}"
    if config.director is not None:
        try:
            load_profile(config.director.profile)
        except InputError as error:
            problems["director"] = f"director: {error}"
    try:
        ledger_token(config, environ)
        load_mapping(config.ledger.mapping)
    except InputError as error:
        problems["ledger"] = f"ledger: {error}"
    for name, feed in config.feeds().items():
        if feed.kind == "webrtc" and name not in problems and "director" not in problems:
            try:
                ice_login(feed, environ)
                signalling_of(feed, _profile_of(config))
            except InputError as error:
                problems[name] = f"{name}: {error}"
        elif feed.file is not None and not feed.file.is_file():
            problems[name] = (
                f"{name}: expected a media file at {feed.file}, found none; correct the path"
            )
    return problems


def require_startable(config: Config, environ: Mapping[str, str] | None = None) -> None:
    """Raises `InputError`, one sentence for each obstacle, unless `config` can be started."""
    problems = start_problems(config, environ)
    if problems:
        raise InputError("\n".join(problems.values()))
