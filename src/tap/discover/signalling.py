"""What answers where a WebSocket or WebRTC's signalling is expected."""

import threading
from collections import deque
from itertools import pairwise

from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import connect

from tap.clock import Clock
from tap.discover.look import LOCKED, Answer, Look, thumbnail_of
from tap.discover.request import ANSWER_S, CONNECT_S, SilentError, get
from tap.errors import FeedError, InputError
from tap.feeds.access import Access
from tap.feeds.health import FeedState
from tap.feeds.webrtc import WebRtcFeed, WebRtcSettings
from tap.feeds.webrtc_signal import Signalling
from tap.vocabulary import Frame

_FIRST_S = 6.0
"""How long an opened feed may take to show its first picture."""
_STEP_S = 0.05
_KEPT = 600
_MAX_MESSAGE = 2**16
_GIVEN_UP = (FeedState.BACKOFF, FeedState.FAILED)


def greet(url: str, access: Access) -> Look:
    """Shake hands with a WebSocket, which is a GET, and leave at once. Raises nothing."""
    try:
        with connect(
            access.request_url(url),
            additional_headers=access.request_headers(url),
            open_timeout=CONNECT_S + ANSWER_S,
            close_timeout=CONNECT_S,
            max_size=_MAX_MESSAGE,
            proxy=None,
        ):
            return Look(Answer.SOCKET, "A WebSocket; `tap claims tail` shows what it says.")
    except InvalidStatus as error:
        status = error.response.status_code
        if status in LOCKED:  # many servers say 403 of any address that they don't know
            said = f"It refuses ({status}): it wants a token, or has nothing there."
            return Look(Answer.LOCKED, said)
        return Look(Answer.OTHER, f"It answers with status {status}.")
    except (InvalidHandshake, WebSocketException, ValueError, EOFError):
        return Look(Answer.OTHER, "What answers there is no WebSocket.")
    except ConnectionRefusedError:
        return Look(Answer.SILENT, "Nobody answers there.")
    except OSError:  # a time out, too
        return Look(Answer.OTHER, "It gave no answer to a WebSocket's greeting.")


def takes_offers(url: str, access: Access) -> Look:
    """Ask with OPTIONS whether something may be posted there. Raises nothing."""
    try:
        with get(url, access, read_s=0.0, method="OPTIONS") as reply:
            status, takes = reply.status, reply.takes
    except SilentError as error:
        return Look(Answer.SILENT, str(error))
    except FeedError as error:
        return Look(Answer.OTHER, str(error))
    if status in LOCKED:
        return Look(Answer.LOCKED, f"It wants a token or a login ({status}).")
    if "application/sdp" in takes:
        return Look(Answer.OFFERS, "WebRTC: it takes offers; --webrtc opens it and looks.")
    if "post" in takes and (status < 300 or status == 405):
        return Look(Answer.OFFERS, "It takes a POST, as WebRTC does; --webrtc opens it and looks.")
    return Look(Answer.OTHER, f"It answers OPTIONS with status {status} and names no POST.")


def look_at_webrtc(
    url: str, access: Access, words: Signalling, clock: Clock, *, seconds: float
) -> Look:
    """Open a feed once, watch it for `seconds`, and say goodbye. Raises nothing."""
    seen: deque[Frame] = deque(maxlen=_KEPT)
    first = threading.Event()

    def take(frame: Frame) -> None:
        seen.append(frame)
        first.set()

    try:
        # However it is refused, it is not asked again.
        settings = WebRtcSettings(first_wait_s=_FIRST_S, refused_wait_s=_FIRST_S)
        feed = WebRtcFeed("probe", url, clock=clock, access=access, words=words, settings=settings)
    except InputError as error:
        return Look(Answer.OTHER, str(error))
    feed.start(take)
    try:
        until_ms = clock.now_ms() + _FIRST_S * 1000.0
        while not first.wait(_STEP_S) and clock.now_ms() < until_ms:
            if feed.health().state in _GIVEN_UP:
                break
        if first.is_set():
            clock.sleep(seconds)
        health = feed.health()
    finally:
        feed.stop()
    return _told(list(seen), connected=health.connects > 0, detail=health.detail)


def _told(frames: list[Frame], *, connected: bool, detail: str) -> Look:
    if not frames:
        answer = Answer.NO_PICTURES if connected else Answer.OTHER
        return Look(answer, f"WebRTC without pictures: {detail.partition(' Trying again')[0]}")
    width, height = frames[-1].size
    span_s = (frames[-1].at_ms - frames[0].at_ms) / 1000.0
    new = sum(a.luma.tobytes() != b.luma.tobytes() for a, b in pairwise(frames))
    rates = [round(n / span_s, 1) if span_s > 0 else None for n in (len(frames) - 1, new)]
    picture = frames[-1].encoded
    return Look(
        Answer.STREAM,
        f"WebRTC, {width}x{height}.",
        (width, height),
        rates[0],
        rates[1],
        thumbnail_of(picture) if picture is not None else None,
    )
