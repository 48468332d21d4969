"""What every live feed can do."""

from collections.abc import Callable
from typing import Protocol

from tap.feeds.health import FeedHealth
from tap.vocabulary import Frame

Sink = Callable[[Frame], None]
"""Takes each frame, on the feed's own thread; it must return quickly and never raise."""


class LiveFeed(Protocol):
    """A source of pictures that runs by itself until it is stopped."""

    @property
    def feed(self) -> str:
        """The feed's id: a camera's, or `program`."""
        ...

    def start(self, sink: Sink) -> None:
        """Begin; returns at once. A feed is started once."""
        ...

    def stop(self) -> None:
        """End, and wait a bounded time for the last frame to be handed over."""
        ...

    def health(self) -> FeedHealth:
        """How it is now. May be called from any thread."""
        ...
