"""The command line: thin commands over the rooms, and the one place that turns errors to words."""

import logging
import os
import sys

from tap.errors import EXIT_COULD_NOT_WITNESS, TapError


def main() -> None:
    """Run `tap`. Ends the process with the exit codes of `tap.errors`.

    Errors come as sentences on stderr; `TAP_DEBUG=1` shows where they arose.
    """
    from tap.cli.app import app
    from tap.cli.web import with_usual_address

    debug = os.environ.get("TAP_DEBUG", "") not in ("", "0")
    # What the rooms log is for debugging; people see the same as health and sentences.
    logging.basicConfig(level=logging.INFO if debug else logging.CRITICAL)
    try:
        app(with_usual_address(sys.argv[1:]), prog_name="tap")
    except TapError as error:
        if debug:
            raise
        for line in str(error).splitlines():
            print(f"tap: {line}", file=sys.stderr)  # noqa: T201  the one place that speaks
        sys.exit(error.exit_code)
    except Exception as error:  # users get a sentence, whatever went wrong
        if debug:
            raise
        print(  # noqa: T201
            f"tap: a fault of tap's own ({type(error).__name__}: {error}); "
            "run again with TAP_DEBUG=1 and report what it shows",
            file=sys.stderr,
        )
        sys.exit(EXIT_COULD_NOT_WITNESS)
