"""A director's wire at its worst, byte by byte over real sockets: nothing is lost, none twice."""

import contextlib
import json
import queue
from collections.abc import Callable, Iterator

import pytest
from tests.director_wire import sse_event, wire, ws_frame

from tap.claims import Backoff, Parser, live_claims, load_profile
from tap.clock import SystemClock
from tap.vocabulary import PROGRAM, Claim
from tap.witness.order import Sequencer

FAST = Backoff(first_s=0.02, longest_s=0.1)
BURST = 10_000


def said(n: int, **more) -> bytes:
    return json.dumps({"type": "mode", "mode": f"m{n}", "id": f"{n}", **more}).encode()


@contextlib.contextmanager
def heard(url: str, **more) -> Iterator[tuple[Callable[[int], list[Claim]], object]]:
    parser = Parser(load_profile("tap"), ["cam-a"])
    claims: queue.Queue[Claim] = queue.Queue()
    source = live_claims(url, parser, SystemClock(), backoff=FAST, **more)
    source.start(claims.put)
    try:
        yield lambda count: [claims.get(timeout=20) for _ in range(count)], source
    finally:
        source.stop()
    assert claims.empty()


both = pytest.mark.parametrize(("kind", "framed"), [("ws", ws_frame), ("http", sse_event)])


@both
def test_broken_off_in_the_middle_of_a_message(kind, framed):
    whole = framed(said(1)) + framed(said(2))
    third = framed(said(3, pad="x" * 500))
    cuts = [1, 3, 9, len(third) // 2, len(third) - 1]
    sessions = [whole + third[:cut] for cut in cuts]
    with (
        wire(kind, *sessions, whole + third + framed(said(4))) as url,
        heard(url) as (take, source),
    ):
        claims = take(4)
        assert [claim.id for claim in claims] == ["1", "2", "3", "4"]
        assert [claim.type.value for claim in claims] == ["mode"] * 4
        health = source.health()
        assert health.reconnects == len(cuts)
        assert (health.unreadable, health.replayed) == (0, 2 * len(cuts))


@both
def test_ten_thousand_messages_at_once_then_again_as_history(kind, framed):
    burst = b"".join(framed(said(n)) for n in range(BURST))
    more = b"".join(framed(said(n)) for n in range(BURST, BURST + 10))
    with wire(kind, burst, burst + more) as url, heard(url) as (take, source):
        claims = take(BURST + 10)
        assert [claim.id for claim in claims] == [str(n) for n in range(BURST + 10)]
        health = source.health()
        assert (health.received, health.replayed) == (BURST + 10, BURST)


def test_a_burst_passes_the_order_of_observations_whole():
    burst = b"".join(ws_frame(said(n)) for n in range(BURST))
    parser = Parser(load_profile("tap"), ["cam-a"])
    sequencer = Sequencer((PROGRAM,), restamp=parser.received_at)
    clock = SystemClock()
    with wire("ws", burst) as url:
        source = live_claims(url, parser, clock, backoff=FAST)
        source.start(sequencer.put)
        taken: list[str] = []
        until = clock.now_ms() + 20_000
        while len(taken) < BURST and clock.now_ms() < until:
            taken += [one.id for one in sequencer.take(clock.now_ms(), wait_s=0.01)]
        source.stop()
    assert taken == [str(n) for n in range(BURST)]


@both
def test_the_largest_message_and_one_byte_more(kind, framed):
    room = 65536 - len(said(1, pad=""))
    content = framed(said(1, pad="x" * room)) + framed(said(2, pad="x" * (room + 1)))
    with wire(kind, content + framed(said(3))) as url, heard(url) as (take, source):
        fits, too_long, after = take(3)
        assert (fits.id, fits.type.value, after.id) == ("1", "mode", "3")
        assert too_long.type.value == "unreadable"
        assert "65536" in (too_long.problem or "")
        assert said(2).decode()[:20] in too_long.raw["text"]
        assert source.health().connected


@both
def test_bytes_that_are_no_utf_8_are_kept_and_the_feed_goes_on(kind, framed):
    bad = b'{"type":"mode","mode":"caf\xe9"}'
    with wire(kind, framed(bad) + framed(said(2))) as url, heard(url) as (take, source):
        first, second = take(2)
        assert first.type.value == "unreadable"
        assert "UTF-8" in (first.problem or "")
        assert "caf\\xe9" in first.raw["text"]
        assert second.id == "2"
        assert source.health().reconnects == 0


@both
@pytest.mark.parametrize("off_ms", [-300_000, 300_000])
def test_a_clock_five_minutes_off_is_flagged_and_not_believed(kind, framed, off_ms):
    now = SystemClock().now_ms()
    content = framed(said(1, atMs=now + off_ms)) + framed(said(2, atMs=now))
    with wire(kind, content) as url, heard(url) as (take, _):
        off, right = take(2)
    assert off.clock_suspect
    assert off.at_ms == off.recv_ms
    assert off.sent_ms == now + off_ms
    assert not right.clock_suspect
    assert right.at_ms == now


@both
def test_secrets_of_the_shoot_never_get_into_what_is_kept(kind, framed):
    tokens = ["hush/hush+9", 'qu"ote-long', "tiny"]
    listing = {
        "type": "camera", "camera": "cam-a", "id": "1", "tiny": "tiny",
        "source": f"http://10.0.0.1/mjpeg?token={tokens[0]}&x=hush%2Fhush%2B9", "other": tokens[1],
    }  # fmt: skip
    escaped = json.dumps(listing).replace("/", "\\/").encode()
    content = framed(json.dumps(listing).encode()) + framed(escaped) + framed(b"x hush/hush+9")
    with wire(kind, content) as url, heard(url, hide=tokens) as (take, _):
        # The second spells the same message otherwise: in one connection it is told twice.
        claims = take(3)
    text = "".join(claim.model_dump_json() for claim in claims)
    assert not any(token in text for token in ("hush/hush", "hush%2F", "ote-long"))
    assert claims[0].source == "http://10.0.0.1/mjpeg?token=***&x=***"
    assert claims[0].raw["tiny"] == "tiny"
    assert claims[2].raw["text"] == "x ***"
