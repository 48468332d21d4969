"""What is on the network: what announces itself, and what answers where the user said to look."""

from tap.discover.asking import Bounds, Found, Survey, survey
from tap.discover.bonjour import Announced, listen
from tap.discover.look import Answer, Look
from tap.discover.stanza import Stanza, stanzas, write_stanzas
from tap.discover.targets import Target, parse_targets

__all__ = [
    "Announced",
    "Answer",
    "Bounds",
    "Found",
    "Look",
    "Stanza",
    "Survey",
    "Target",
    "listen",
    "parse_targets",
    "stanzas",
    "survey",
    "write_stanzas",
]
