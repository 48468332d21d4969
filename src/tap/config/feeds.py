"""The parts of `shoot.toml` that say where pictures come from, and what all its parts share."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from tap.config.addresses import address
from tap.vocabulary import CAMERA_ID

ENV_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"

_WEBRTC_KEYS = {
    "route",
    "signalling",
    "codecs",
    "max_kbps",
    "ice_servers",
    "ice_user_env",
    "ice_secret_env",
}


def plain_number(value: Any) -> Any:
    """Refuses true and false, which pydantic would take as 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("not_a_number", "not a number")
    return value


def _ice() -> AfterValidator:
    def check(value: str) -> str:
        if re.fullmatch(r"(stun|turn|turns):[A-Za-z0-9.-]{1,253}(:\d{1,5})?", value) is None:
            raise ValueError(
                f"expected an ICE server as stun:HOST:PORT or turn:HOST:PORT, got {value[:80]!r}; "
                "its user and secret go into ice_user_env and ice_secret_env"
            )
        return value

    return AfterValidator(check)


Text = Annotated[str, Field(max_length=1000, description="a text of at most 1000 characters")]
Millis = Annotated[
    float, BeforeValidator(plain_number), Field(ge=0, le=600_000, allow_inf_nan=False)
]
FileName = Annotated[Path, Field(description="the path of a file")]


class Section(BaseModel):
    """Base of every table of the file: immutable, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Token(Section):
    """How to reach something that asks for a secret. The secret itself is never in the file."""

    token_env: str | None = Field(
        default=None,
        pattern=ENV_NAME,
        description="the name of an environment variable",
        examples=["CAM_A_TOKEN"],
    )
    token_in: Literal["query", "header"] | None = Field(
        default=None, description='"query" or "header"', examples=["query"]
    )
    token_name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="the name of the query parameter or header",
        examples=["token"],
    )


class FeedConfig(Token):
    """`[program]`, and the part of a camera that says where its pictures come from."""

    url: Annotated[str, address("http", "https", "ws", "wss", "nats", "tls")] | None = Field(
        default=None,
        description="an http:// or https:// address (ws:// or wss:// for WebRTC's messages, "
        "nats:// or tls:// for a far camera)",
        examples=["http://192.168.1.21:8081/stream"],
    )
    file: FileName | None = Field(default=None, examples=["media/cam-a.mp4"])
    kind: Literal["mjpeg", "webrtc", "media", "edge"] = Field(
        default="mjpeg", description='"mjpeg", "webrtc", "media" or "edge"', examples=["mjpeg"]
    )
    route: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="the name of a WebRTC route of the director's profile",
        examples=["hero"],
    )
    signalling: Literal["whep", "http", "websocket"] | None = Field(
        default=None, description='"whep", "http" or "websocket"', examples=["whep"]
    )
    codecs: tuple[Literal["H264", "VP8"], ...] = Field(
        default=("H264", "VP8"),
        min_length=1,
        max_length=2,
        description='a list of "H264" and "VP8", the preferred first',
        examples=['["H264", "VP8"]'],
    )
    max_kbps: int = Field(
        default=8000,
        ge=0,
        le=100_000,
        description="how many kbit/s (0 to 100000) the sender may send; 0: it is told nothing",
        examples=[8000],
    )
    ice_servers: tuple[Annotated[str, _ice()], ...] = Field(
        default=(),
        max_length=4,
        description="a list of addresses stun:HOST:PORT or turn:HOST:PORT",
        examples=['["stun:192.168.1.1:3478"]'],
    )
    ice_user_env: str | None = Field(
        default=None,
        pattern=ENV_NAME,
        description="the name of an environment variable",
        examples=["TURN_USER"],
    )
    ice_secret_env: str | None = Field(
        default=None,
        pattern=ENV_NAME,
        description="the name of an environment variable",
        examples=["TURN_SECRET"],
    )

    @model_validator(mode="before")
    @classmethod
    def _kind_of_a_file(cls, data: Any) -> Any:
        if isinstance(data, dict) and "file" in data and "url" not in data:
            return {"kind": "media", **data}
        return data

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        exactly_one(self.url, self.file, "a picture source")
        if (self.kind == "media") != (self.file is not None):
            given = "file" if self.file is not None else "url"
            raise ValueError(
                f'kind = "{self.kind}" does not go with {given}: expected kind = "media" with '
                'file, or "mjpeg", "webrtc" or "edge" with url; change one of the two'
            )
        return self

    @model_validator(mode="after")
    def _edge_goes_together(self) -> Self:
        nats = (self.url or "").startswith(("nats:", "tls:"))
        if nats != (self.kind == "edge"):
            raise ValueError(
                f'kind = "{self.kind}" does not go with this address: expected nats:// with '
                'kind = "edge", and only with it; change one of the two'
            )
        if nats and re.fullmatch(r"/[A-Za-z0-9_-]{1,64}", urlsplit(self.url or "").path) is None:
            raise ValueError(
                "a far camera's address needs the name that `tap edge` sends it under (letters, "
                "digits, - and _): expected for example nats://192.168.1.10:4222/cam-a"
            )
        return self

    @model_validator(mode="after")
    def _webrtc_goes_together(self) -> Self:
        if self.kind != "webrtc":
            given = sorted(_WEBRTC_KEYS & self.model_fields_set)
            if given:
                raise ValueError(
                    f'{given[0]} does not go with kind = "{self.kind}": expected '
                    f'kind = "webrtc" with it; remove {given[0]}, or add kind = "webrtc"'
                )
        socket = (self.url or "").startswith(("ws:", "wss:"))
        wants_socket = self.kind == "webrtc" and (self.signalling or "websocket") == "websocket"
        if socket and not wants_socket:
            raise ValueError(
                "a ws:// address does not go with this feed: expected it with kind = "
                '"webrtc" and signalling = "websocket"; give an http:// address instead'
            )
        if self.signalling == "websocket" and not socket:
            raise ValueError(
                'signalling = "websocket" does not go with this address: expected one that '
                "begins with ws:// or wss://; change one of the two"
            )
        return self


class CameraConfig(FeedConfig):
    """One `[[cameras]]`."""

    id: str = Field(
        pattern=CAMERA_ID,
        description="the camera's id: 1 to 64 letters, digits and any of . _ -",
        examples=["cam-a"],
    )
    role: Text | None = Field(default=None, examples=["hero"])
    label: Text | None = Field(default=None, examples=["iPhone 15 left"])
    placement: Text | None = Field(default=None, examples=["stage left, 2 m"])
    events_url: Annotated[str, address("ws", "wss", "http", "https")] | None = Field(
        default=None,
        description="an http:// or https:// address (SSE), or ws:// or wss:// (WebSocket)",
        examples=["http://192.168.1.21:8081/events"],
    )
    events_profile: str = Field(
        default="motionmix",
        pattern=r"^[A-Za-z0-9._/\\ -]{1,255}$",
        description="the name of a profile, or the path of one (.toml)",
        examples=["motionmix"],
    )


def exactly_one(url: str | None, file: Path | None, what: str) -> None:
    """Raise unless exactly one of the two is given."""
    if (url is None) == (file is None):
        got = "neither" if url is None else "both"
        raise ValueError(
            f"{what} is needed: expected either url or file, got {got}; give exactly one of them"
        )
