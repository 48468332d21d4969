"""Opens the ledger that a configuration names."""

from pathlib import Path

from tap.config import Config, ledger_token
from tap.ledger import BesideLedger, ConvexLedger, EmbeddedLedger, LedgerStore
from tap.ledger.convex import load_mapping
from tap.ledger.stills import StillUploader


def still_uploader(config: Config, store: LedgerStore, journal: Path) -> StillUploader | None:
    """What brings the bytes of stills to this ledger; None where it takes none, or none may be
    fetched."""
    takes = isinstance(store, ConvexLedger) and store.has("attach_still")
    if not isinstance(store, ConvexLedger) or not takes or not config.ledger.still_urls:
        return None
    return StillUploader(journal, store, config.ledger.still_urls)


def open_ledger(config: Config, *, read_only: bool = False) -> LedgerStore:
    """The ledger of `config`; the caller closes it. Raises `InputError` and `LedgerError`."""
    ledger = config.ledger
    if ledger.kind == "embedded" or ledger.url is None:
        return EmbeddedLedger(config.ledger_path, read_only=read_only)
    mapping, token = load_mapping(ledger.mapping), ledger_token(config)
    if ledger.role == "witness":
        return BesideLedger(ledger.url, mapping, token=token)
    return ConvexLedger(ledger.url, token=token, mapping=mapping)
