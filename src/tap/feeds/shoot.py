"""The `tap-shoot/1` folder: a recorded shoot, checked before anything is done with it."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel

from tap.errors import InputError
from tap.feeds.media import LOCAL_FILES, Files, check_media
from tap.vocabulary import CAMERA_ID, PROGRAM, SESSION_KIND

SHOOT_FILE = "shoot.json"
FORMAT: Literal["tap-shoot/1"] = "tap-shoot/1"
_MAX_BYTES = 4 * 1024 * 1024


def _inside(path: Path, info: ValidationInfo) -> Path:
    """`path`, resolved in the shoot's folder (the validation context); it may not lead out."""
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"expected a path inside the shoot's folder, got '{path}'")
    if info.context is None:
        return path
    folder: Path = info.context["folder"].resolve()
    whole = (folder / path).resolve()
    if not whole.is_relative_to(folder):
        raise ValueError(f"'{path}' leads out of the shoot's folder")
    files: Files = info.context["files"]
    if not files.is_file(whole):
        raise ValueError(f"there is no file '{path}' in the shoot's folder")
    return whole


PathInShoot = Annotated[Path, AfterValidator(_inside)]
"""Relative in `shoot.json`; absolute and existing once loaded."""

UnixMs = Annotated[float, Field(strict=True, ge=0, le=1e14, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=10_000)]


class _Part(BaseModel):
    """Unknown keys are kept, so that a shoot can be written again as it came, and ignored."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="allow"
    )


class ShootSession(_Part):
    """Which session the shoot belongs to."""

    external_id: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Annotated[str, Field(min_length=1, max_length=200)] = SESSION_KIND
    title: Text | None = None
    notes: Text | None = None
    mode: Text | None = None


class ShootCamera(_Part):
    """One camera's recording. A frame's time is `started_at_ms` + its pts in ms."""

    id: Annotated[str, Field(pattern=CAMERA_ID)]
    role: Text | None = None
    label: Text | None = None
    notes: Text | None = None
    media: PathInShoot
    started_at_ms: UnixMs


class ShootProgram(_Part):
    """The recording of the program output."""

    media: PathInShoot
    started_at_ms: UnixMs


class Shoot(_Part):
    """A whole shoot; `folder` is where it lies."""

    format: Literal["tap-shoot/1"] = FORMAT
    session: ShootSession
    cameras: Annotated[tuple[ShootCamera, ...], Field(min_length=1, max_length=64)]
    program: ShootProgram
    director: PathInShoot | None = None
    folder: Annotated[Path, Field(exclude=True)] = Path()

    @model_validator(mode="after")
    def _ids_are_distinct(self) -> "Shoot":
        seen: set[str] = set()
        for number, camera in enumerate(self.cameras):
            if camera.id == PROGRAM:
                raise ValueError(f"cameras.{number}.id: '{PROGRAM}' names the program's own feed")
            if camera.id in seen:
                raise ValueError(f"cameras.{number}.id: two cameras have the id '{camera.id}'")
            seen.add(camera.id)
        return self

    def camera(self, camera_id: str) -> ShootCamera:
        """The camera of that id; KeyError if there is none."""
        for camera in self.cameras:
            if camera.id == camera_id:
                return camera
        raise KeyError(camera_id)


def recordings(shoot: Shoot) -> list[tuple[str, ShootCamera | ShootProgram]]:
    """Each feed's id and its recording: the cameras in order, and the program last."""
    return [*((camera.id, camera) for camera in shoot.cameras), (PROGRAM, shoot.program)]


def load_shoot(folder: Path, files: Files = LOCAL_FILES) -> Shoot:
    """Read and check `folder/shoot.json` and that every file it names can be read.

    `files` says where the media are. Raises `InputError` naming the file and the key; writes
    nothing.
    """
    file = folder / SHOOT_FILE
    content = _read_json(file)
    if isinstance(content, dict):
        content["folder"] = folder
    try:
        shoot = Shoot.model_validate(content, context={"folder": folder, "files": files})
    except ValidationError as error:
        raise InputError(f"{file}: {_first_problem(error)}") from error
    for number, camera in enumerate(shoot.cameras):
        _check_media(file, f"cameras.{number}.media", camera.media, files)
    _check_media(file, "program.media", shoot.program.media, files)
    return shoot


def _check_media(file: Path, key: str, media: Path, files: Files) -> None:
    try:
        check_media(media, files)
    except InputError as error:
        raise InputError(f"{file}: {key}: {error}") from error


def _read_json(file: Path) -> Any:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise InputError(f"{file}: expected at most {_MAX_BYTES} bytes; is this a shoot?")
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{file}: there is no such file; give the folder of a {FORMAT} shoot."
        ) from error
    except OSError as error:
        raise InputError(f"{file}: could not be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: expected JSON ({error}).") from error


def _first_problem(error: ValidationError) -> str:
    """The first fault, as `key: sentence`."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(step) for step in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{key}: {said}." if key else f"{said}."
