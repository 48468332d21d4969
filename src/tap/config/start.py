"""What must hold before a configuration is started: secrets at hand, kinds that are built."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from tap.claims.profile import Profile, Route, Signalling, load_profile
from tap.config.feeds import CameraConfig, FeedConfig, Token
from tap.config.model import Config, DirectorConfig
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


def secrets_of(config: Config, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Every secret that the configuration names and the environment holds: never to be shown."""
    held = os.environ if environ is None else environ
    parts: list[Token | None] = [*config.feeds().values(), config.director]
    names = [part.token_env for part in parts if part is not None]
    return tuple(
        held[name] for name in (*names, config.ledger.token_env) if name and held.get(name)
    )


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


def events_address_of(
    camera: CameraConfig, profile: Profile, environ: Mapping[str, str] | None = None
) -> Address:
    """The whole address of a camera's own events, asked for with the camera's token.

    Raises `InputError` where the variable is not set.
    """
    wire = DirectorConfig(
        url=camera.events_url,
        token_env=camera.token_env,
        token_in=camera.token_in,
        token_name=camera.token_name,
    )
    return address_of(wire, profile, environ)


def ice_login(
    feed: FeedConfig, environ: Mapping[str, str] | None = None
) -> tuple[str | None, str | None]:
    """User and secret of the feed's ICE servers, None where none is named. Raises `InputError`."""
    user = token_of(Token(token_env=feed.ice_user_env), environ)
    return user, token_of(Token(token_env=feed.ice_secret_env), environ)


def webrtc_source(name: str, feed: FeedConfig, profile: Profile) -> tuple[str, Signalling]:
    """The address that takes the offers of feed `name`, and how it is asked for its pictures.

    The words are those of the profile's route that the feed names, else of the only WebRTC route
    that fits. `signalling` in shoot.toml wins over the route's. An address without a path gets
    the route's, in which `{feed}` stands for the feed's id. Raises `InputError` where the named
    route is no WebRTC route, or the signalling doesn't fit the address.
    """
    url = feed.url or ""
    socket = url.startswith(("ws:", "wss:"))
    kind = feed.signalling or ("websocket" if socket else None)
    route = _route(feed, profile, kind)
    words = (route.signalling if route else None) or Signalling(kind=kind or "whep")
    if socket != (words.kind == "websocket"):
        expected = "a ws:// or wss://" if words.kind == "websocket" else "an http:// or https://"
        raise InputError(
            f'expected {expected} address to go with signalling "{words.kind}", got another; '
            "change the address, or set signalling"
        )
    parts = urlsplit(url)
    if parts.path in ("", "/") and route is not None and route.path is not None:
        path = "/" + route.path.lstrip("/").replace("{feed}", quote(name))
        url = urlunsplit(parts._replace(path=path))
    return url, words


def _route(feed: FeedConfig, profile: Profile, kind: str | None) -> Route | None:
    routes = {name: route for name, route in profile.routes.items() if route.kind == "webrtc"}
    if feed.route is not None and feed.route not in routes:
        raise InputError(
            f'route = "{feed.route}": expected a WebRTC route of profile {profile.name} '
            f"({', '.join(routes) or 'it has none'}), got none of that name; correct it"
        )
    if feed.route is not None:
        return routes[feed.route]
    fitting = [
        route
        for route in routes.values()
        if kind in (None, route.signalling.kind if route.signalling else "whep")
    ]
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
    for camera in config.cameras:
        if camera.events_url is not None and camera.id not in problems:
            try:
                load_profile(camera.events_profile)
            except InputError as error:
                problems[camera.id] = f"{camera.id}: {error}"
    for name, feed in config.feeds().items():
        if feed.kind == "webrtc" and name not in problems and "director" not in problems:
            try:
                ice_login(feed, environ)
                webrtc_source(name, feed, _profile_of(config))
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
