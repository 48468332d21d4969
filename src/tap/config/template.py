"""The commented `shoot.toml` that `tap init` writes."""

from importlib import resources
from pathlib import Path

from tap.errors import InputError

TEMPLATE = (resources.files("tap.config") / "shoot.toml").read_text("utf-8")


def write_template(path: Path, *, force: bool = False) -> None:
    """Writes the commented configuration to `path`; an existing file only goes with `force`."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError as error:
        raise InputError(
            f"{path}: expected a path where nothing is yet, got an existing file; give another "
            "path, or --force to overwrite it"
        ) from error
    except OSError as error:
        raise InputError(
            f'{path}: expected a path that can be written, got "{error.strerror or error}"; '
            "give another path"
        ) from error
