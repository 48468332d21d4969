"""For stretches in which very much is read and kept."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_cycles() -> Generator[None]:
    """Let the collector of cycles rest.

    It would look through all that was read so far again and again, and find nothing to collect:
    with some hundred thousand rows that is half of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
