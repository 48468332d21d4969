"""Asks known hosts for known routes: one request at a time for each port, and not for ever."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tap.claims import Profile
from tap.claims.profile import Route
from tap.clock import Clock
from tap.discover.bonjour import Announced
from tap.discover.look import Answer, Look, look_at
from tap.discover.signalling import greet, look_at_webrtc, takes_offers
from tap.discover.targets import Target
from tap.feeds.access import Access, public_url
from tap.feeds.webrtc_signal import Signalling

_ASKED = ("mjpeg", "http", "sse")
"""Kinds of route that a GET can tell: they are asked of everyone."""
_GREETED = ("websocket", "webrtc")
"""Kinds that have a greeting of their own: asked of hosts that are named, never of an
announcement's."""

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a survey goes."""

    look_s: float = 2.0
    """How long a stream is watched."""
    all_s: float = 60.0
    """After so long no new request begins."""
    webrtc: bool = False
    """Whether WebRTC routes are opened, as viewers do; else they are only asked what they take."""
    at_once: int = 32
    """Requests in flight; never two at one port of one host."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One address to ask, and how it came to be asked."""

    target: Target
    port: int
    path: str
    kind: str
    token_parameter: str | None = None
    announced: str | None = None
    route: str = ""
    """The route's name in its profile."""
    words: Signalling | None = field(default=None, compare=False)
    """Of a WebRTC route."""

    @property
    def is_socket(self) -> bool:
        """Whether it begins with a WebSocket's greeting."""
        return self.kind == "websocket" or (
            self.words is not None and self.words.kind == "websocket"
        )

    @property
    def url(self) -> str:
        """The address."""
        scheme = "ws" if self.is_socket else "http"
        return f"{scheme}://{self.target.netloc_host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Found:
    """Something that answered as a known route would."""

    probe: Probe
    look: Look


@dataclass(frozen=True, slots=True)
class Survey:
    """What came of it."""

    found: tuple[Found, ...]
    requests: tuple[str, ...] = ()
    """Every address that was asked, without its query."""
    unasked: int = 0
    """Addresses that time did not suffice for."""
    announced: tuple[Announced, ...] = field(default=())


def survey(
    targets: Iterable[Target],
    announced: Sequence[Announced],
    profiles: Sequence[Profile],
    clock: Clock,
    *,
    token: str | None = None,
    bounds: Bounds | None = None,
    progress: Progress = lambda part: None,
) -> Survey:
    """Ask each target, and each address that announced itself, for the profiles' routes.

    `token` goes only to hosts that were named one by one, and only where a route says in which
    query parameter. A port that nobody listens at is not asked twice.
    """
    bounds = bounds or Bounds()
    probes = list(dict.fromkeys(_probes(targets, announced, profiles)))
    ports: dict[tuple[str, int], list[Probe]] = {}
    for probe in probes:
        ports.setdefault((probe.target.host, probe.port), []).append(probe)
    until_ms = clock.now_ms() + bounds.all_s * 1000.0
    found: list[Found] = []
    requests: list[str] = []
    unasked = 0
    with ThreadPoolExecutor(max_workers=max(1, min(bounds.at_once, len(ports)))) as pool:
        work = [
            pool.submit(_ask_port, group, clock, token, bounds, until_ms)
            for group in ports.values()
        ]
        for done, future in enumerate(work, start=1):
            asked, answered, missed = future.result()
            requests += [public_url(probe.url) for probe in asked]
            unasked += missed
            found += answered
            progress(done / len(ports))
    return Survey(tuple(found), tuple(requests), unasked, tuple(announced))


def _ask_port(
    probes: Sequence[Probe], clock: Clock, token: str | None, bounds: Bounds, until_ms: float
) -> tuple[list[Probe], list[Found], int]:
    """What was asked at one port, what was found, and for how many addresses no time was left."""
    asked: list[Probe] = []
    found: list[Found] = []
    for probe in probes:
        if clock.now_ms() > until_ms:
            return asked, found, len(probes) - len(asked)
        asked.append(probe)
        look = _ask(probe, _access(probe, token), clock, bounds)
        if look.answer is Answer.SILENT:
            break
        if look.answer is not Answer.OTHER:
            found.append(Found(probe, look))
    return asked, found, 0


def _ask(probe: Probe, access: Access, clock: Clock, bounds: Bounds) -> Look:
    if probe.words is not None and bounds.webrtc:
        return look_at_webrtc(probe.url, access, probe.words, clock, seconds=bounds.look_s)
    if probe.is_socket:
        return greet(probe.url, access)
    if probe.words is not None:
        return takes_offers(probe.url, access)
    return look_at(probe.url, access, clock, seconds=bounds.look_s)


def _words(route: Route) -> Signalling | None:
    """How a WebRTC route is spoken to; None of any other."""
    if route.kind != "webrtc":
        return None
    return (
        Signalling(**route.signalling.model_dump())
        if route.signalling is not None
        else Signalling()
    )


def _access(probe: Probe, token: str | None) -> Access:
    if token is None or probe.token_parameter is None or not probe.target.alone or probe.announced:
        return Access()
    return Access(query={probe.token_parameter: token})


def _probes(
    targets: Iterable[Target], announced: Sequence[Announced], profiles: Sequence[Profile]
) -> Iterable[Probe]:
    routes = [
        route
        for profile in profiles
        for route in profile.routes.values()
        if route.kind in _ASKED and route.path is not None
    ]
    greeted = [
        (name, route)
        for profile in profiles
        for name, route in profile.routes.items()
        # A path with a feed's name in it can't be guessed.
        if route.kind in _GREETED and route.path is not None and "{" not in route.path
    ]
    keys = {
        route.path: route.path_property
        for profile in profiles
        for route in profile.routes.values()
        if route.kind == "bonjour" and route.path_property is not None
    }
    for one in announced:
        named = one.properties.get(keys.get(one.service, ""), "")
        for address in one.addresses[:1]:
            target = Target(address, alone=False)
            if named.startswith("/") and named.isascii() and " " not in named:
                yield Probe(target, one.port, named, "mjpeg", None, one.name)
                continue
            for route in routes:
                path, parameter = route.path or "/", route.token_parameter
                yield Probe(target, one.port, path, route.kind, parameter, one.name)
    for target in targets:
        for route in routes:
            for port in route.ports if target.port is None else (target.port,):
                path, parameter = route.path or "/", route.token_parameter
                yield Probe(target, port, path, route.kind, parameter)
        for name, route in greeted:
            for port in route.ports if target.port is None else (target.port,):
                path, parameter = route.path or "/", route.token_parameter
                words = _words(route)
                yield Probe(target, port, path, route.kind, parameter, None, name, words)
