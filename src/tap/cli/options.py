"""Options that several commands have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

SHOOT_TOML = Path("shoot.toml")
ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The shoot's configuration.", show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Look(StrEnum):
    """How much is looked at."""

    LAZY = "lazy"
    FULL = "full"


LookOption = Annotated[
    Look,
    typer.Option(
        "--look",
        help="Look only at the cameras that may be live, or (full, the reference; it costs many "
        "times as much) at every picture of every camera.",
    ),
]
