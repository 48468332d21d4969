"""Profiles: how another system words what the director says. Data, not code.

A profile is a TOML file, one of those that come with tap or the user's own. It maps the type
names and field names of a system onto tap's messages, and says where its feeds are.
"""

import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tap.claims.fields import FIELDS, Unit
from tap.errors import InputError
from tap.vocabulary import ClaimType, EventType

_MAX_FILE = 256 * 1024
_SHIPPED = "profiles"
_SERVICE_TYPE = re.compile(r"_[A-Za-z0-9-]{1,15}\._(tcp|udp)")
_URL_PATH = re.compile(r"/[!-~]*")
_PATH = r"^[^.]+(\.[^.]+)*$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(_Part):
    """Where a value stands in a message: keys and list positions, joined by dots."""

    path: str = Field(pattern=r"^[^.]+(\.[^.]+)*$", max_length=200)
    unit: Unit = "ms"

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value


class Envelope(_Part):
    """Where all messages of a system keep what they have in common, as far as they have it."""

    type: Place
    id: Place | None = None
    at: Place | None = None
    seq: Place | None = None


class Wording(_Part):
    """How a system words one of tap's messages."""

    names: tuple[str, ...] = Field(min_length=1)
    fields: dict[str, Place] = {}
    constants: dict[str, str | float] = {}
    """Fields that the system never sends because they are always the same."""
    sender_is_camera: bool = False
    """The device that sends is the camera meant: its messages don't name it."""


class Wire(_Part):
    """What the director's feed speaks."""

    kind: Literal["websocket", "sse"] = "websocket"
    path: str | None = None
    """None where it isn't known: the user gives the whole address."""
    port: int | None = Field(default=None, ge=1, le=65535)
    token_parameter: str | None = None
    """Name of the query parameter that carries the token; None: a header carries it."""
    wrap_event: bool = False
    """SSE: a message is `{"event": its event name, "data": its data}`, else its data alone."""


class Signalling(_Part):
    """How a WebRTC route is asked for its pictures; docs/feeds.md says what each key means."""

    kind: Literal["whep", "http", "websocket"] = "whep"
    offers: Literal["tap", "server"] = "tap"
    type: str = Field(default="type", pattern=_PATH, max_length=200)
    sdp: str = Field(default="sdp", pattern=_PATH, max_length=200)
    offer: str = "offer"
    answer: str = "answer"
    candidate: str = "candidate"
    candidate_sdp: str = Field(default="candidate", pattern=_PATH, max_length=200)
    candidate_mid: str = Field(default="sdpMid", pattern=_PATH, max_length=200)
    hello: dict[str, Any] = {}
    bye: dict[str, Any] = {}
    extra: dict[str, Any] = {}

    @model_validator(mode="after")
    def _only_a_socket_can_begin(self) -> Self:
        if self.offers == "server" and self.kind != "websocket":
            raise ValueError('offers = "server" goes with kind = "websocket" alone')
        return self


class Route(_Part):
    """A feed or a service of the system."""

    kind: Literal["mjpeg", "sse", "websocket", "webrtc", "http", "bonjour"]
    path: str | None = Field(default=None, max_length=300)
    """Of an address, beginning with a slash; a service type where `kind` is `bonjour`."""
    ports: tuple[int, ...] = Field(default=(), max_length=16)
    token_parameter: str | None = None
    path_property: str | None = None
    """Bonjour: the TXT key in which an announcement may name its stream's path."""
    signalling: Signalling | None = None
    """Of a WebRTC route; absent: WHEP."""
    note: str = ""

    @model_validator(mode="after")
    def _path_is_one(self) -> Self:
        wanted = _SERVICE_TYPE if self.kind == "bonjour" else _URL_PATH
        if self.path is not None and not wanted.fullmatch(self.path):
            what = "a service type such as _http._tcp" if self.kind == "bonjour" else "a /path"
            raise ValueError(f'"{self.path}" is no path: expected {what}')
        return self


class Profile(_Part):
    """One system's wording."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    about: str = ""
    partial: bool = False
    """What the system says is known in part only; the rest is kept raw."""
    message: Envelope
    types: dict[ClaimType, Wording] = {}
    known: tuple[str, ...] = ()
    """Type names that are known to be sent, but whose meaning is not: kept raw as `unknown`."""
    transitions: dict[str, EventType] = {}
    cameras: dict[str, str] = {}
    """The system's camera names, where they aren't tap's ids."""
    wire: Wire = Wire()
    routes: dict[str, Route] = {}

    @field_validator("types")
    @classmethod
    def _fields_exist(cls, types: dict[ClaimType, Wording]) -> dict[ClaimType, Wording]:
        for kind, wording in types.items():
            allowed = FIELDS.get(kind)
            if allowed is None:
                raise ValueError(f'types."{kind.value}" is no message that can be mapped')
            for name in {*wording.fields, *wording.constants} - set(allowed):
                raise ValueError(f'types."{kind.value}" has no field "{name}"')
        return types

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [name for wording in self.types.values() for name in wording.names]
        names += self.known
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'the name "{name}" stands for two messages')
        return self


def shipped_profiles() -> list[str]:
    """The names of the profiles that come with tap."""
    folder = resources.files("tap.claims") / _SHIPPED
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def load_profile(name_or_path: str | Path) -> Profile:
    """A profile by its name, or from a `.toml` file. Raises `InputError`."""
    name = str(name_or_path)
    if name in shipped_profiles():
        entry = resources.files("tap.claims") / _SHIPPED / f"{name}.toml"
        return _read(entry.read_bytes(), f"profile {name}")
    path = Path(name_or_path)
    if not name.endswith(".toml"):
        raise InputError(
            f'profile "{name}": expected one of {", ".join(shipped_profiles())}, or the path of a '
            ".toml file; correct the name"
        )
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise InputError(
            f"profile {path}: expected a file that can be read, got "
            f'"{error.strerror or error}"; check the path'
        ) from error
    return _read(data, f"profile {path}")


def _read(data: bytes, what: str) -> Profile:
    if len(data) > _MAX_FILE:
        raise InputError(f"{what}: expected at most {_MAX_FILE} bytes, got more; is it a profile?")
    try:
        return Profile.model_validate(tomllib.loads(data.decode("utf-8")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{what}: expected TOML, got: {error}; correct the file") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(f"{what}: {where}: {first['msg']}; correct the file") from error
