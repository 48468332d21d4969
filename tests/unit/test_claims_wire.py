"""What live sources have in common, without a wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap.claims import (
    Backoff,
    LiveClaims,
    Parser,
    SseClaims,
    WebSocketClaims,
    live_claims,
    load_profile,
)
from tap.claims.sse import EventCap
from tap.claims.wire import History
from tap.clock import ManualClock
from tap.errors import FeedError, InputError
from tap.vocabulary import Claim

NOW = 1_789_000_000_000.0


def make_parser() -> Parser:
    return Parser(load_profile("tap"), ("cam-a",))


def claim(text: str, at: float = 0.0) -> Claim:
    return make_parser().parse(text, NOW + at)


def test_history_tells_replays_from_news():
    history = History()
    history.reconnected()
    first = claim('{"type":"release","id":"1"}')
    assert not history.is_replay(first)
    assert not history.is_replay(first)  # said twice on one connection: the judge's business
    history.reconnected()
    assert history.is_replay(first)
    assert history.is_replay(first)
    assert not history.is_replay(claim('{"type":"hold","id":"1"}'))  # an id used for other words
    assert not history.is_replay(claim('{"type":"release","id":"2"}'))
    assert not history.is_replay(claim("rubbish"))
    assert not history.is_replay(claim("rubbish"))


def test_history_without_ids():
    history = History()
    assert not history.is_replay(claim('{"type":"release","atMs":1789000000000}'))
    assert not history.is_replay(claim('{"type":"hold"}'))
    history.reconnected()
    assert history.is_replay(claim('{"type":"release","atMs":1789000000000}', 500))
    assert not history.is_replay(claim('{"type":"hold"}', 500))


def test_history_is_bounded():
    history = History(remembered=3)
    for n in range(5):
        history.is_replay(claim(f'{{"type":"release","id":"{n}"}}'))
    history.reconnected()
    assert not history.is_replay(claim('{"type":"release","id":"0"}'))
    assert history.is_replay(claim('{"type":"release","id":"4"}'))


def test_pauses_grow_to_a_limit():
    backoff = Backoff(first_s=1.0, longest_s=10.0)
    for attempt, longest in enumerate((1.0, 2.0, 4.0, 8.0, 10.0, 10.0)):
        assert longest / 2 <= backoff.pause_s(attempt) <= longest
    assert backoff.pause_s(10**6) <= 10.0


class Scripted(LiveClaims):
    """A source whose far side is a script."""

    schemes = ("ws",)

    def __init__(self, script, **more) -> None:
        url = "ws://user:hunter2@host/x?token=s3cret%21&a=b"
        pause = Backoff(first_s=0.0, longest_s=0.0)
        super().__init__(url, make_parser(), ManualClock(), backoff=pause, **more)
        self.script = list(script)

    def _listen(self) -> None:
        if not self.script:
            self._stopping.set()
            return
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        self._connected()
        for message in step:
            self._take(message)

    def _hang_up(self) -> None:
        pass


def played(source: Scripted) -> list[Claim]:
    claims: list[Claim] = []
    source.start(claims.append)
    source._thread.join(5)
    return claims


def test_a_history_sent_again_is_dropped_and_counted():
    one, two = '{"type":"release","id":"1"}', '{"type":"hold","id":"2"}'
    source = Scripted([[one], FeedError("lost"), [one, two, "rubbish"], [one, two, '{"type":"?"}']])
    assert [c.type.value for c in played(source)] == ["release", "hold", "unreadable", "unknown"]
    health = source.health()
    assert (health.received, health.replayed) == (4, 3)
    assert (health.unreadable, health.unknown) == (1, 1)
    assert health.reconnects == 4
    assert not health.connected
    assert health.detail == "stopped"


@pytest.mark.parametrize(
    "said",
    [
        "ws://user:hunter2@host/x?token=s3cret%21&a=b refused",
        "token s3cret! and s3cret%21 refused",
        "Bearer abcdef refused, abcdef too",
    ],
)
def test_secrets_are_not_shown(said):
    source = Scripted([FeedError(said)], headers={"Authorization": "Bearer abcdef"})
    details = []
    note = source._note

    def spy(**state):
        details.append(state["detail"])
        note(**state)

    source._note = spy
    played(source)
    shown = " ".join(details)
    assert "refused" in shown
    assert not any(secret in shown for secret in ("s3cret", "hunter2", "abcdef"))


def test_a_source_starts_once():
    source = Scripted([])
    played(source)
    with pytest.raises(RuntimeError):
        source.start(print)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host:80",
        "ftp://host",
        "ws://",
        "ws://host:99999",
        "ws://[::1",
        "ws://host:0",
        "http:/x",
    ],
)
def test_addresses_that_are_none(url):
    with pytest.raises(InputError, match="expected an address"):
        live_claims(url, make_parser(), ManualClock())


def test_a_wrong_address_shows_no_secret():
    with pytest.raises(InputError) as caught:
        live_claims("ftp://me:hunter2@host/?token=s3cret", make_parser(), ManualClock())
    assert "hunter2" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_address_decides_the_source_and_the_profile_where_the_token_goes():
    clock = ManualClock()
    source = live_claims("ws://host/director?x=1", make_parser(), clock, token="a b")
    assert isinstance(source, WebSocketClaims)
    assert source._address == "ws://host/director?x=1&token=a+b"
    phone = Parser(load_profile("motionmix"), ("cam-a",), sender="cam-a")
    source = live_claims("http://host:8081/events", phone, clock, token="t")
    assert isinstance(source, SseClaims)
    assert source._address == "http://host:8081/events"
    assert source._headers == {"Authorization": "Bearer t"}


# ---------------------------------------------------------------- event streams


def test_events_are_cut_to_the_limit():
    cap = EventCap(10)
    assert cap.cut("data: 1234567890\nmore\n\ndata: 2\n\n") == "data: 1234\n\ndata: 2\n\n"


@given(st.lists(st.text("ab:\r\n", max_size=6), max_size=40))
def test_short_events_come_through_whole(chunks):
    cap = EventCap(10_000)
    plain = "".join(chunks).replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(map(cap.cut, chunks)) == plain


@given(st.lists(st.text("ab\r\n", max_size=6), max_size=60))
def test_no_event_outgrows_the_limit(chunks):
    cap = EventCap(8)
    text = "".join(map(cap.cut, chunks))
    assert all(len(event) <= 9 for event in text.split("\n\n"))
