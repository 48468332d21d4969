"""What is said before pictures come: messages by their words, and descriptions of strangers."""

import json

import pytest

from tap.clock import ManualClock
from tap.errors import FeedError, InputError
from tap.feeds.access import Access
from tap.feeds.connection import RefusedError, check_status, next_wait_s
from tap.feeds.webrtc import WebRtcFeed
from tap.feeds.webrtc_peer import MAX_CANDIDATES, MAX_SDP, check_sdp
from tap.feeds.webrtc_signal import Signalling, at, filled, message, read_json

SDP = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
CANDIDATE = "a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n"


def test_a_message_has_its_parts_where_the_words_say():
    words = Signalling(
        kind="websocket",
        type="op",
        sdp="data.description.sdp",
        extra={"camera": "{feed}", "data": {"room": "stage-{feed}", "tags": ["{feed}", 1]}},
    )
    made = message(words, "cam-a", "view", "v=0")
    assert made == {
        "op": "view",
        "camera": "cam-a",
        "data": {"room": "stage-cam-a", "tags": ["cam-a", 1], "description": {"sdp": "v=0"}},
    }
    assert at(made, "data.description.sdp") == "v=0"
    assert at(made, "data.nothing.sdp") is None
    assert at(made, "op.sdp") is None
    assert words.extra["data"] == {"room": "stage-{feed}", "tags": ["{feed}", 1]}
    assert filled({}, "x") == {}


@pytest.mark.parametrize("raw", [b"", b"[1]", b"\xff", b"nul", b'"a"', b"[" * 100_000])
def test_an_answer_that_is_no_object_is_refused(raw):
    with pytest.raises(FeedError, match="JSON object"):
        read_json(raw)


def test_a_plain_description_is_taken():
    assert check_sdp(SDP + CANDIDATE * MAX_CANDIDATES)


@pytest.mark.parametrize(
    ("sdp", "word"),
    [
        ("", "session description"),
        ("<html>", "session description"),
        ("v=0\r\n", "exactly one video"),
        (SDP + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "exactly one video"),
        (SDP + "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\n" * 8, "at most 8 media"),
        (SDP + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", "data channel"),
        (SDP + CANDIDATE * (MAX_CANDIDATES + 1), "addresses"),
        (SDP + "a=" + "x" * MAX_SDP, "bytes"),
    ],
)
def test_a_stranger_s_description_is_bounded(sdp, word):
    with pytest.raises(FeedError, match=word):
        check_sdp(sdp)


@pytest.mark.parametrize(
    ("url", "kind", "fits"),
    [
        ("http://cam/whep", "whep", True),
        ("https://cam/offer", "http", True),
        ("wss://cam/signal", "websocket", True),
        ("ws://cam/signal", "whep", False),
        ("http://cam/whep", "websocket", False),
        ("ftp://cam/", "whep", False),
        ("http://", "whep", False),
        ("http://[", "whep", False),
    ],
)
def test_an_address_fits_its_signalling(url, kind, fits):
    def made():
        return WebRtcFeed("cam-a", url, clock=ManualClock(), words=Signalling(kind=kind))

    if fits:
        assert made().health().feed == "cam-a"
        return
    with pytest.raises(InputError, match=r"cam-a: .*expected"):
        made()


def test_a_refusal_needs_a_person_and_other_answers_do_not():
    for status in (401, 403, 404, 307):
        with pytest.raises(RefusedError):
            check_status(status)
    check_status(200)
    check_status(503)


def test_waits_double_up_to_their_longest_and_are_spread():
    for lost, middle in ((0, 0.5), (1, 1.0), (4, 8.0), (5, 10.0), (1000, 10.0)):
        waits = [next_wait_s(lost, 0.5, 10.0) for _ in range(50)]
        assert all(0.8 * middle <= wait <= 1.2 * middle for wait in waits)
        assert len(set(waits)) > 1


def test_secrets_are_in_no_text_of_words_and_access():
    access = Access(token="t0p", query={"k": "s3cret"})
    assert "t0p" not in repr(access)
    assert "s3cret" not in repr(access)
    assert json.loads(json.dumps(message(Signalling(), "a", "offer", "x"))) == {
        "type": "offer",
        "sdp": "x",
    }
