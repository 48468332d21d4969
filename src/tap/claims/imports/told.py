"""What every reader of a foreign file hands on, and how it complains."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tap.errors import InputError

MAX_BYTES = 64 * 2**20
MOST_LINES = 1_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """A change that a file tells of.

    `names` are what the file calls the source, the best known first. The time is `at_ms` (Unix
    ms), or `after_s`, seconds on the file's own clock. `first` marks what a cut list begins with:
    what was on, not a change.
    """

    line: int
    names: tuple[str, ...]
    at_ms: float | None = None
    after_s: Fraction | None = None
    transition: str | None = None
    duration_ms: float | None = None
    first: bool = False


class Lines:
    """A text file's lines, numbered from 1; complains with file and line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InputError(
                    f"{path}: expected at most {MAX_BYTES} bytes, got {path.stat().st_size}; "
                    "split the file."
                )
            content = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"{path}: could not be read ({error.strerror}); check the file."
            ) from error
        if content[:4] == b"PK\x03\x04":
            raise InputError(
                f"{path}: expected lines of text, got a ZIP archive (a DaVinci Resolve project, "
                "perhaps); give the .drp that the ATEM itself recorded, which is text."
            )
        try:
            self.text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise InputError(
                f"{path}: line {line}: expected UTF-8 text, got other bytes; save it as UTF-8."
            ) from error
        self.lines = self.text.split("\n")
        if len(self.lines) > MOST_LINES:
            raise InputError(
                f"{path}: expected at most {MOST_LINES} lines, got {len(self.lines)}; split it."
            )

    def numbered(self) -> list[tuple[int, str]]:
        """(number, line) of the lines that aren't blank."""
        return [(n, line.rstrip()) for n, line in enumerate(self.lines, start=1) if line.strip()]

    def wrong(self, line: int, expected: str, got: object, do: str = "correct it") -> InputError:
        """The complaint about a line, to be raised."""
        return InputError(
            f"{self.path}: line {line}: expected {expected}, got {str(got)[:80]!r}; {do}."
        )
