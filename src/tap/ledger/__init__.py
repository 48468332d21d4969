"""The production ledger: rows, the journal they come from, and the way they take."""

from tap.ledger.beside import BesideLedger
from tap.ledger.bookkeeper import Bookkeeper
from tap.ledger.convex import ConvexLedger
from tap.ledger.embedded import EmbeddedLedger
from tap.ledger.facts import Begun, BookStatus, CameraFacts, FileFact, SessionFacts
from tap.ledger.faults import BookError, Code
from tap.ledger.journal import Fact, FactKind, Journal, read_journal
from tap.ledger.recall import Recalled, recall
from tap.ledger.rows import (
    CameraRow,
    DirectorEventRow,
    DirectorEventType,
    FinalState,
    SealPin,
    SessionRow,
    Source,
    StillRow,
)
from tap.ledger.sealing import Sealing, sealed_with
from tap.ledger.snapshot import SnapshotLedger, Tables, write_snapshot
from tap.ledger.store import LedgerReader, LedgerStore, RowFault, all_events, all_stills

__all__ = [
    "Begun",
    "BesideLedger",
    "BookError",
    "BookStatus",
    "Bookkeeper",
    "CameraFacts",
    "CameraRow",
    "Code",
    "ConvexLedger",
    "DirectorEventRow",
    "DirectorEventType",
    "EmbeddedLedger",
    "Fact",
    "FactKind",
    "FileFact",
    "FinalState",
    "Journal",
    "LedgerReader",
    "LedgerStore",
    "Recalled",
    "RowFault",
    "SealPin",
    "Sealing",
    "SessionFacts",
    "SessionRow",
    "SnapshotLedger",
    "Source",
    "StillRow",
    "Tables",
    "all_events",
    "all_stills",
    "read_journal",
    "recall",
    "sealed_with",
    "write_snapshot",
]
