"""The shape of `shoot.toml`: sections, keys, what each expects and an example of it."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

import platformdirs
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tap.config.addresses import address
from tap.config.feeds import (
    ENV_NAME,
    CameraConfig,
    FeedConfig,
    FileName,
    Millis,
    Section,
    Text,
    Token,
    exactly_one,
)
from tap.config.seal_key import default_key_path
from tap.errors import InputError
from tap.judge import tolerances as judge
from tap.ledger.convex import REFERENCE, require_safe
from tap.vocabulary import PROGRAM

SESSION_ID = r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$"
MAX_CAMERAS = 64
LEDGER_FILE = "ledger.sqlite"

_JUDGE = judge.Tolerances()


class SessionConfig(Section):
    """`[session]`: the session that the ledger creates or resumes."""

    external_id: str = Field(
        pattern=SESSION_ID,
        description="the session's id: 1 to 128 letters, digits and any of . _ : @ + -",
        examples=["shoot-2026-11-22-a"],
    )
    title: Text | None = Field(default=None, examples=["Autumn campaign, day 1"])
    notes: Text | None = Field(default=None, examples=["second unit"])
    mode: Text | None = Field(default=None, examples=["manual"])


class DirectorConfig(Token):
    """`[director]`: where the director's messages come from."""

    url: Annotated[str, address("ws", "wss", "http", "https")] | None = Field(
        default=None,
        description="a ws:// or wss:// address (WebSocket), or http:// or https:// (SSE)",
        examples=["ws://192.168.1.10:9404/director"],
    )
    file: FileName | None = Field(default=None, examples=["director.jsonl"])
    profile: str = Field(
        default="tap",
        pattern=r"^[A-Za-z0-9._/\\ -]{1,255}$",
        description="the name of a profile, or the path of one (.toml)",
        examples=["tap"],
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        exactly_one(self.url, self.file, "a message source")
        return self


class LedgerConfig(Section):
    """`[ledger]`: where the rows go."""

    kind: Literal["embedded", "convex"] = Field(
        default="embedded", description='"embedded" or "convex"', examples=["convex"]
    )
    path: FileName | None = Field(default=None, examples=["ledger.sqlite"])
    url: Annotated[str, address("http", "https")] | None = Field(
        default=None,
        description="an https:// address (http:// only on this very host)",
        examples=["https://NAME.convex.site"],
    )
    token_env: str | None = Field(
        default=None,
        pattern=ENV_NAME,
        description="the name of an environment variable",
        examples=["PRODUCTION_TOKEN"],
    )
    mapping: str = Field(
        default=REFERENCE,
        pattern=r"^[A-Za-z0-9._/\\ -]{1,255}$",
        description="the name of a mapping, or the path of one (.toml)",
        examples=[REFERENCE],
    )
    role: Literal["author", "witness"] = Field(
        default="author", description='"author" or "witness"', examples=["author"]
    )
    still_urls: tuple[Text, ...] = Field(
        default=(),
        description="a list of addresses under which stills may be fetched",
        examples=['["file:///mnt/stills/"]'],
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        convex = self.kind == "convex"
        if convex and self.url is None:
            raise ValueError(
                'kind = "convex" needs the deployment\'s address: expected url, got none; add for '
                'example url = "https://NAME.convex.site"'
            )
        foreign = "path" if convex else "url"
        if getattr(self, foreign) is not None:
            raise ValueError(
                f'{foreign} does not go with kind = "{self.kind}": expected '
                f"{'url' if convex else 'path'}; change one of the two"
            )
        if not convex and self.role != "author":
            raise ValueError(
                'role = "witness" is for a ledger that another writer fills: expected '
                'kind = "convex" with it; change one of the two'
            )
        if self.url is not None:
            _refuse_clear(self.url)
        return self


class Tolerances(Section):
    """`[tolerances]`: how exactly pictures and messages must meet."""

    after_ms: Millis = Field(
        default=_JUDGE.after_ms,
        description="how many ms (0 to 600000) after a message the picture may change",
        examples=[1000],
    )
    before_ms: Millis = Field(
        default=_JUDGE.before_ms,
        description="how many ms (0 to 600000) before its message the picture may change",
        examples=[200],
    )
    window_ms: Millis = Field(
        default=_JUDGE.window_ms,
        description="after how many ms (0 to 600000) without a change a cut counts as missed",
        examples=[3000],
    )
    settle_ms: Millis = Field(
        default=_JUDGE.settle_ms,
        description="how many ms (0 to 600000) after a change messages still compete for it",
        examples=[250],
    )
    revert_frames: int = Field(
        default=_JUDGE.revert_frames,
        ge=0,
        le=1000,
        description="within how many program frames (0 to 1000) a cut can be undone",
        examples=[5],
    )
    hold_ms: Millis = Field(
        default=10_000.0,
        description="after how many ms (0 to 600000) on one camera a hold is seen",
        examples=[10000],
    )

    @model_validator(mode="after")
    def _window_holds_both(self) -> Self:
        if self.window_ms < max(self.after_ms, self.before_ms):
            raise ValueError(
                f"window_ms = {self.window_ms:g} is too small: expected at least after_ms "
                f"({self.after_ms:g}) and before_ms ({self.before_ms:g}); raise window_ms"
            )
        return self

    def for_judge(self) -> judge.Tolerances:
        """What the judge goes by."""
        return judge.Tolerances(
            after_ms=self.after_ms,
            before_ms=self.before_ms,
            window_ms=self.window_ms,
            settle_ms=self.settle_ms,
            revert_frames=self.revert_frames,
        )


class RecordConfig(Section):
    """`[record]`: keep the session as a recorded shoot."""

    dir: FileName | None = Field(
        default=None, description="the path of a folder", examples=["recordings"]
    )


class SealConfig(Section):
    """`[seal]`: the key that the session's record is signed with."""

    key: FileName | None = Field(
        default=None, description="the path of a file", examples=["/home/me/keys/seal-key.pem"]
    )


def state_home() -> Path:
    """Where tap keeps its own state: `TAP_HOME`, or the user's data folder."""
    return Path(os.environ.get("TAP_HOME") or platformdirs.user_data_dir("tap"))


def session_folder(home: Path, external_id: str) -> Path:
    """Where tap keeps its own evidence of a session."""
    return home / "sessions" / external_id


class Config(BaseSettings):
    """The whole of `shoot.toml`. Paths from the file are relative to the file's folder.

    An environment variable wins over the file: `TAP_SESSION__TITLE` over `title` in `[session]`;
    `TAP_HOME` is the folder for tap's own state.
    """

    model_config = SettingsConfigDict(
        env_prefix="TAP_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    home: Path = Field(
        default_factory=state_home, description="the path of a folder", examples=["tap-state"]
    )
    session: SessionConfig = Field(
        description="a table [session]", examples=['{ external_id = "shoot-2026-11-22-a" }']
    )
    cameras: tuple[CameraConfig, ...] = Field(
        min_length=1,
        max_length=MAX_CAMERAS,
        description=f"1 to {MAX_CAMERAS} tables [[cameras]]",
        examples=['[{ id = "cam-a", url = "http://192.168.1.21:8081/stream" }]'],
    )
    program: FeedConfig = Field(
        description="a table [program]",
        examples=['{ url = "http://192.168.1.10:8087/mjpeg" }'],
    )
    director: DirectorConfig | None = Field(
        default=None,
        description="a table [director]",
        examples=['{ url = "ws://192.168.1.10:9404/director" }'],
    )
    ledger: LedgerConfig = Field(default=LedgerConfig(), description="a table [ledger]")
    tolerances: Tolerances = Field(default=Tolerances(), description="a table [tolerances]")
    record: RecordConfig = Field(default=RecordConfig(), description="a table [record]")
    seal: SealConfig = Field(default=SealConfig(), description="a table [seal]")

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        seen: set[str] = set()
        for index, camera in enumerate(self.cameras):
            if camera.id in seen or camera.id == PROGRAM:
                raise PydanticCustomError(
                    "taken_id", "", {"at": ("cameras", index, "id"), "got": camera.id}
                )
            seen.add(camera.id)
        return self

    @model_validator(mode="after")
    def _program_is_near(self) -> Self:
        if self.program.kind == "edge":
            raise ValueError(
                'program: kind = "edge" is for cameras: expected the whole pictures of the '
                "program, which all are held against; give the address of its stream"
            )
        return self

    @property
    def ledger_path(self) -> Path:
        """The file of the embedded ledger."""
        return self.ledger.path or self.home / LEDGER_FILE

    @property
    def session_folder(self) -> Path:
        """Where tap keeps its own evidence of the session."""
        return session_folder(self.home, self.session.external_id)

    @property
    def seal_key_path(self) -> Path:
        """The file of the key that sessions are sealed with."""
        return self.seal.key or default_key_path()

    def feeds(self) -> dict[str, FeedConfig]:
        """Every feed by its id: the cameras in their order, then the program."""
        return {**{camera.id: camera for camera in self.cameras}, PROGRAM: self.program}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then what the file gave."""
        return env_settings, init_settings


def _refuse_clear(url: str) -> None:
    try:
        require_safe(url)
    except InputError as error:
        raise ValueError(str(error).removeprefix("the ledger's ")) from error
