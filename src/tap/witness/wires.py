"""From a configuration to a live feed: the same for a session and for the doctor."""

from tap.claims import load_profile
from tap.clock import Clock
from tap.config import Config, FeedConfig, address_of
from tap.feeds.access import Access
from tap.feeds.feed import LiveFeed
from tap.feeds.live_media import LiveMedia
from tap.feeds.mjpeg import MjpegFeed


def live_feed(name: str, feed: FeedConfig, config: Config, clock: Clock) -> LiveFeed:
    """The feed of a camera or the program, not started yet.

    Raises `InputError` where its secret is missing or its file can't be played.
    """
    if feed.file is not None:
        return LiveMedia(name, feed.file, clock=clock)
    profile = load_profile(config.director.profile if config.director is not None else "tap")
    address = address_of(feed, profile)
    access = Access(headers=address.headers, query=address.query)
    return MjpegFeed(name, address.url, clock=clock, access=access)
