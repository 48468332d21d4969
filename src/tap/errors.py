"""The errors tap shows to people, each with the exit code it ends the program with.

Foreign exceptions are mapped to these at the edge where they arise. The text of each says in a
sentence what was expected, what came, and what to do.
"""

EXIT_OK = 0
EXIT_DISAGREEMENT = 1
EXIT_BAD_INPUT = 2
EXIT_COULD_NOT_WITNESS = 3


class TapError(Exception):
    """Base of all errors that tap raises on purpose."""

    exit_code = EXIT_COULD_NOT_WITNESS


class InputError(TapError):
    """A file, a setting or an argument is not what it should be."""

    exit_code = EXIT_BAD_INPUT


class FeedError(TapError):
    """A feed could not be read: connection, protocol or picture."""


class LedgerError(TapError):
    """The journal or the ledger could not be read or written."""
