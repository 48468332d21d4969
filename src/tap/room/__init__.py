"""The control room: a live page beside the shoot, and the same as data for other programs.

An observer of an observer. The witness leaves notes in the `Inbox` and goes on; everything else
happens on the room's own thread, and whoever reads too slowly is given the latest state.
"""

from tap.room.address import Address, parse_address
from tap.room.serve import ControlRoom

__all__ = ["Address", "ControlRoom", "parse_address"]
