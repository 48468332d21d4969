"""The production ledger on Convex: a client, and the mappings that describe backends."""

from tap.ledger.convex.ledger import ConvexLedger
from tap.ledger.convex.mapping import REFERENCE, Mapping, load_mapping, shipped_mappings
from tap.ledger.convex.wire import Pulse, is_loopback, require_safe

__all__ = [
    "REFERENCE",
    "ConvexLedger",
    "Mapping",
    "Pulse",
    "is_loopback",
    "load_mapping",
    "require_safe",
    "shipped_mappings",
]
