"""What must hold before a configuration is started: secrets at hand, kinds that are built."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

from tap.claims.profile import Profile, load_profile
from tap.config.model import CameraConfig, Config, DirectorConfig, FeedConfig, Token
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
        if feed.kind == "webrtc":
            problems[name] = (
                f'{name}: kind = "webrtc" is understood but WebRTC feeds are not built yet: '
                'expected kind = "mjpeg" or "media"; give the feed\'s MJPEG address instead'
            )
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
