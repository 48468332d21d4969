"""What the user configures: one file, `shoot.toml`, and environment variables above it."""

from tap.config.load import load_config
from tap.config.model import (
    CameraConfig,
    Config,
    DirectorConfig,
    FeedConfig,
    LedgerConfig,
    RecordConfig,
    SessionConfig,
    Tolerances,
)
from tap.config.start import Address, address_of, require_startable, start_problems, token_of
from tap.config.template import TEMPLATE, write_template

__all__ = [
    "TEMPLATE",
    "Address",
    "CameraConfig",
    "Config",
    "DirectorConfig",
    "FeedConfig",
    "LedgerConfig",
    "RecordConfig",
    "SessionConfig",
    "Tolerances",
    "address_of",
    "load_config",
    "require_startable",
    "start_problems",
    "token_of",
    "write_template",
]
