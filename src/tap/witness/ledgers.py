"""Opens the ledger that a configuration names."""

from tap.config import Config, ledger_token
from tap.ledger import BesideLedger, ConvexLedger, EmbeddedLedger, LedgerStore
from tap.ledger.convex import load_mapping


def open_ledger(config: Config, *, read_only: bool = False) -> LedgerStore:
    """The ledger of `config`; the caller closes it. Raises `InputError` and `LedgerError`."""
    ledger = config.ledger
    if ledger.kind == "embedded" or ledger.url is None:
        return EmbeddedLedger(config.ledger_path, read_only=read_only)
    mapping, token = load_mapping(ledger.mapping), ledger_token(config)
    if ledger.role == "witness":
        return BesideLedger(ledger.url, mapping, token=token)
    return ConvexLedger(ledger.url, token=token, mapping=mapping)
