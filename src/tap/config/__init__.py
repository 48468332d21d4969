"""What the user configures: one file, `shoot.toml`, and environment variables above it."""

from tap.config.feeds import CameraConfig, FeedConfig
from tap.config.load import load_config
from tap.config.model import (
    LEDGER_FILE,
    SESSION_ID,
    Config,
    DirectorConfig,
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
    ice_login,
    ledger_token,
    require_startable,
    start_problems,
    token_of,
    webrtc_source,
)
from tap.config.template import TEMPLATE, write_template

__all__ = [
    "LEDGER_FILE",
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
    "ice_login",
    "ledger_token",
    "load_config",
    "require_startable",
    "session_folder",
    "start_problems",
    "state_home",
    "token_of",
    "webrtc_source",
    "write_template",
]
