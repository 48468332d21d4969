"""From a configuration to a live feed: the same for a session and for the doctor."""

from tap.claims import load_profile
from tap.clock import Clock
from tap.config import Config, FeedConfig, address_of, ice_login, token_of, webrtc_source
from tap.feeds.access import Access
from tap.feeds.edge import EdgeFeed
from tap.feeds.feed import LiveFeed
from tap.feeds.live_media import LiveMedia
from tap.feeds.mjpeg import MjpegFeed
from tap.feeds.webrtc import WebRtcFeed, WebRtcSettings
from tap.feeds.webrtc_peer import IceServer
from tap.feeds.webrtc_signal import Signalling


def live_feed(
    name: str, feed: FeedConfig, config: Config, clock: Clock, *, late: bool = False
) -> LiveFeed:
    """The feed of a camera or the program, not started yet.

    `late`: its pictures may be decoded when somebody looks at them, if ever.

    Raises `InputError` where its secret is missing or its file can't be played.
    """
    if feed.file is not None:
        return LiveMedia(name, feed.file, clock=clock)
    if feed.kind == "edge":
        return EdgeFeed(name, feed.url or "", clock=clock, token=token_of(feed))
    profile = load_profile(config.director.profile if config.director is not None else "tap")
    address = address_of(feed, profile)
    access = Access(headers=address.headers, query=address.query)
    if feed.kind != "webrtc":
        return MjpegFeed(name, address.url, clock=clock, access=access, decode_late=late)
    user, secret = ice_login(feed)
    url, words = webrtc_source(name, feed, profile)
    return WebRtcFeed(
        name,
        url,
        clock=clock,
        access=access,
        words=Signalling(**words.model_dump()),
        settings=WebRtcSettings(
            servers=tuple(IceServer(url, user, secret) for url in feed.ice_servers),
            codecs=feed.codecs,
            kbps=feed.max_kbps,
        ),
    )
