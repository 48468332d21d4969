"""Writing the files that a session leaves."""

from pathlib import Path

from tap.errors import InputError


def write_text(path: Path, text: str) -> Path:
    """Write a whole file in one step: a reader finds the old one or the new one.

    Raises `InputError` where `path` cannot be written.
    """
    half = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(text, encoding="utf-8", newline="\n")
        half.replace(path)
    except OSError as error:
        raise InputError(
            f"Expected to write {path}, but {error.strerror or error}; give another place."
        ) from error
    return path
