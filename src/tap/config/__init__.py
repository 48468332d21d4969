"""What the user configures: one file, `shoot.toml`, and environment variables above it."""

from tap.config.feeds import CameraConfig, FeedConfig
from tap.config.load import load_config
from tap.config.model import (
    LEDGER_FILE,
    MAX_CAMERAS,
    SESSION_ID,
    Config,
    DirectorConfig,
    LedgerConfig,
    RecordConfig,
    SealConfig,
    SessionConfig,
    Tolerances,
    session_folder,
    state_home,
)
from tap.config.seal_key import (
    default_key_path,
    load_key,
    load_or_make_key,
    read_public_key,
)
from tap.config.start import (
    Address,
    address_of,
    events_address_of,
    ice_login,
    ledger_token,
    require_startable,
    secrets_of,
    start_problems,
    token_of,
    webrtc_source,
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
    "SealConfig",
    "SessionConfig",
    "Tolerances",
    "address_of",
    "default_key_path",
    "events_address_of",
    "ice_login",
    "ledger_token",
    "load_config",
    "load_key",
    "load_or_make_key",
    "read_public_key",
    "require_startable",
    "secrets_of",
    "session_folder",
    "start_problems",
    "state_home",
    "token_of",
    "webrtc_source",
    "write_template",
]
