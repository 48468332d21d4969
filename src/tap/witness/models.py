"""What sight has learnt, read from where the package keeps it."""

import json
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tap.errors import InputError
from tap.sight import Calibration, SightSettings

_FILE = "calibration.json"
_BYTES = 1_000_000


class _Table(BaseModel):
    """The file, as `benchmarks.accuracy.calibrate` writes it."""

    model_config = ConfigDict(extra="ignore")
    format: str = Field(pattern=r"^tap-calibration/1$")
    curves: dict[str, tuple[tuple[float, float], ...]]


def learnt_settings(*, hold_ms: float | None = None, full_look: bool = False) -> SightSettings:
    """Sight's settings with what it has learnt. Raises InputError where the model is missing."""
    settings = SightSettings(calibration=calibration(), full_look=full_look)
    return settings if hold_ms is None else replace(settings, hold_ms=hold_ms)


@lru_cache(maxsize=1)
def calibration() -> Calibration:
    """The calibration that ships with tap. Raises InputError where it is missing or damaged."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "models", package.parents[1] / "models"):
        path = folder / _FILE
        if path.is_file():
            return read_calibration(path)
    raise InputError(f"Expected models/{_FILE} in the installed package; install tap again.")


def read_calibration(path: Path) -> Calibration:
    """Read a `tap-calibration/1` file. Raises InputError where it is none."""
    try:
        with path.open("rb") as file:
            table = _Table.model_validate(json.loads(file.read(_BYTES)))
    except (OSError, ValueError, ValidationError) as error:
        raise InputError(
            f"Expected a tap-calibration/1 table in {path}, but it can't be read: {error}"
        ) from error
    for state, knots in table.curves.items():
        rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(knots))
        if not knots or not rising or not all(0 <= x <= 1 and 0 <= y <= 1 for x, y in knots):
            raise InputError(f"Expected rising knots in 0 … 1 for '{state}' in {path}.")
    return Calibration(curves=table.curves)
