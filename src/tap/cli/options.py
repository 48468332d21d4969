"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

SHOOT_TOML = Path("shoot.toml")
ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The shoot's configuration.", show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
