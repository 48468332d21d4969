"""What the user configures: one file, `shoot.toml`, and environment variables above it."""

from tap.config.load import load_config
from tap.config.model import (
    LEDGER_FILE,
    MAX_CAMERAS,
    SESSION_ID,
    CameraConfig,
    Config,
    DirectorConfig,
    FeedConfig,
    LedgerConfig,
    RecordConfig,
    SessionConfig,
    Tolerances,
    session_folder,
    state_home,
)
from tap.config.start import (
    Address,
    address_of,
    events_address_of,
    ledger_token,
    require_startable,
    secrets_of,
    start_problems,
    token_of,
)
from tap.config.template import TEMPLATE, write_template

__all__ = [
    "LEDGER_FILE",
    "MAX_CAMERAS",
    "SESSION_ID",
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
    "events_address_of",
    "ledger_token",
    "load_config",
    "require_startable",
    "secrets_of",
    "session_folder",
    "start_problems",
    "state_home",
    "token_of",
    "write_template",
]
