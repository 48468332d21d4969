"""One order for everything observed, whatever the order in which it comes."""

import threading
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.vocabulary import PROGRAM, Claim, ClaimType, Frame
from tap.witness.order import (
    MOST_AT_ONCE,
    READING_MS,
    GivenUp,
    Observation,
    Sequencer,
    in_order,
    place_of,
)

T0 = 1_789_000_000_000.0
FEEDS = ("cam-a", "cam-b", PROGRAM)
SLACK_MS = 120.0
_GREY = np.zeros((2, 2), np.uint8)


def frame(feed: str, at_ms: float) -> Frame:
    return Frame(feed=feed, index=0, at_ms=T0 + at_ms, picture=_GREY, size=(2, 2))


def claim(at_ms: float, name: str = "m") -> Claim:
    return Claim(id=f"{name}@{at_ms:g}", type=ClaimType.CUT, at_ms=T0 + at_ms, recv_ms=T0 + at_ms)


def restamp(late: Claim, recv_ms: float) -> Claim:
    return late.model_copy(update={"recv_ms": recv_ms})


def sequencer(**more) -> Sequencer:
    return Sequencer(FEEDS, restamp=restamp, slack_ms=SLACK_MS, **more)


def time_of(observation: Observation) -> float:
    return place_of(observation)[0] - T0


def name_of(observation: Observation) -> tuple[str, float]:
    if isinstance(observation, Frame):
        return observation.feed, observation.at_ms
    return observation.id, observation.recv_ms


@st.composite
def traffic(draw) -> list[tuple[float, Observation]]:
    """(arrival, observation): each feed in its own order, nothing later than the slack."""
    out: list[tuple[float, Observation]] = []
    for feed in FEEDS:
        times = sorted(draw(st.sets(st.integers(1, 900), max_size=12)))
        arrival = 0.0
        for at in times:
            # What waits behind a slow picture of the same feed is late with it.
            arrival = max(arrival, at + draw(st.floats(0, SLACK_MS - 25)))
            arrival = min(arrival, at + SLACK_MS - 25)
            out.append((arrival, frame(feed, at)))
    for n, at in enumerate(sorted(draw(st.lists(st.integers(1, 900), max_size=6)))):
        out.append((float(at), claim(at, f"m{n}")))
    return sorted(out, key=lambda pair: pair[0])


@settings(max_examples=50, deadline=None)
@given(traffic(), st.integers(1, 60))
def test_any_arrival_within_the_slack_gives_the_one_order(arrivals, poll_ms):
    waiting = sequencer()
    got: list[Observation] = []
    todo = list(arrivals)
    for now in range(0, 1200, poll_ms):
        while todo and todo[0][0] <= now:
            waiting.put(todo.pop(0)[1])
        got += waiting.take(T0 + now)
        waiting.passed_ms(T0 + now)
    got += waiting.rest()
    sources: dict[str, list[Observation]] = {}
    for _, item in sorted(arrivals, key=lambda pair: place_of(pair[1])):
        key = item.feed if isinstance(item, Frame) else "claims"
        sources.setdefault(key, []).append(item)
    wanted = list(in_order([iter(source) for source in sources.values()]))
    frames = [item for item in got if isinstance(item, Frame)]
    assert [name_of(f) for f in frames] == [name_of(f) for f in wanted if isinstance(f, Frame)]
    assert not waiting.late
    # A claim may be given a later time, but comes, once, and in the place that its time says.
    assert sorted(c.id for c in got if isinstance(c, Claim)) == sorted(
        c.id for c in wanted if isinstance(c, Claim)
    )
    assert all(place_of(a) <= place_of(b) for a, b in pairwise(got))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_whatever_comes_whenever_the_order_holds_and_no_claim_is_lost(data):
    waiting = sequencer(limit=8)
    got: list[Observation] = []
    put, now = 0, 0
    said: list[str] = []
    for n in range(data.draw(st.integers(0, 40))):
        at = data.draw(st.integers(0, 1500))
        if data.draw(st.booleans()):
            waiting.put(frame(data.draw(st.sampled_from(FEEDS)), at))
            put += 1
        else:
            said.append(f"m{n}@{at:g}")
            waiting.put(claim(at, f"m{n}"))
        now += data.draw(st.integers(0, 100))
        if data.draw(st.booleans()):
            got += waiting.take(T0 + now)
    got += waiting.rest()
    assert all(place_of(a) <= place_of(b) for a, b in pairwise(got))
    assert sorted(c.id for c in got if isinstance(c, Claim)) == sorted(said)
    lost = waiting.late.total() + waiting.overrun.total()
    assert len([f for f in got if isinstance(f, Frame)]) == put - lost


def test_a_late_frame_is_counted_and_left_out():
    waiting = sequencer()
    waiting.put(frame("cam-a", 500))
    assert [time_of(o) for o in waiting.take(T0 + 700)] == [500]
    waiting.put(frame("cam-b", 499))
    waiting.put(frame("cam-b", 500))
    waiting.put(frame("cam-b", 501))
    assert waiting.late == {"cam-b": 2}
    assert [time_of(o) for o in waiting.rest()] == [501]


def test_a_late_claim_is_given_the_next_moment():
    waiting = sequencer()
    passed = waiting.passed_ms(T0 + 1000)
    assert passed == T0 + 880
    waiting.put(claim(500))
    [late] = waiting.take(T0 + 1100)
    assert late.recv_ms == passed + 1
    assert late.at_ms == T0 + 500


def test_a_full_buffer_gives_up_all_frames_that_wait_and_no_claim():
    waiting = sequencer(limit=6)
    for at in range(1, 6):
        waiting.put(claim(at))
    for at in range(1, 5):
        waiting.put(frame("cam-a", at))
        waiting.put(frame(PROGRAM, at))
    assert waiting.overrun == {"cam-a": 3, PROGRAM: 3}
    left = waiting.rest()
    assert [o for o in left if isinstance(o, GivenUp)] == [
        GivenUp("cam-a", T0 + 1, T0 + 3),
        GivenUp(PROGRAM, T0 + 1, T0 + 3),
    ]
    assert [o.feed for o in left if isinstance(o, Frame)] == ["cam-a", PROGRAM]
    assert [time_of(o) for o in left if isinstance(o, Claim)] == [1, 2, 3, 4, 5]


def test_claims_that_wait_push_out_no_frame():
    waiting = sequencer(limit=2)
    for at in range(1, 6):
        waiting.put(claim(at))
    waiting.put(frame("cam-a", 1))
    waiting.put(frame("cam-a", 2))
    assert not waiting.overrun


def test_frames_that_were_taken_no_longer_count():
    waiting = sequencer(limit=3)
    for at in range(600, 660, 10):
        waiting.put(frame("cam-a", at))
        assert [time_of(o) for o in waiting.take(T0 + 1000)] == [at]
    assert not waiting.overrun


def test_what_waits_is_handed_out_bit_by_bit_and_time_passes_no_further():
    waiting = sequencer()
    for at in range(1, MOST_AT_ONCE + 6):
        waiting.put(frame("cam-a", at))
    assert len(waiting.take(T0 + 1000)) == MOST_AT_ONCE
    assert waiting.passed_ms(T0 + 1000) == T0 + MOST_AT_ONCE
    assert len(waiting.take(T0 + 1000)) == 5
    assert waiting.passed_ms(T0 + 1000) == T0 + 1000 - SLACK_MS


def test_what_every_feed_has_passed_goes_on_at_once():
    waiting = sequencer()
    for at in (600, 640):
        for feed in FEEDS:
            waiting.put(frame(feed, at))
    assert [time_of(o) for o in waiting.take(T0 + 641)] == [600] * 3


def test_a_feed_that_is_down_holds_up_the_others_for_the_slack_alone():
    waiting = sequencer()
    waiting.put(frame("cam-a", 600))
    waiting.put(frame(PROGRAM, 620))
    assert waiting.take(T0 + 600 + SLACK_MS - 1) == []
    assert [time_of(o) for o in waiting.take(T0 + 600 + SLACK_MS)] == [600]


def test_a_slow_feed_loses_no_picture_to_the_fast_ones():
    waiting = sequencer()
    got: list[Observation] = []
    for now in range(0, 5000, 10):
        if now % 40 == 0:
            for feed in ("cam-a", PROGRAM):
                waiting.put(frame(feed, now))
        if now % 700 == 60:  # 60 ms on its way, and rare
            waiting.put(frame("cam-b", now - 50))
        got += waiting.take(T0 + now)
    got += waiting.rest()
    assert not waiting.late
    assert sum(isinstance(o, Frame) and o.feed == "cam-b" for o in got) == 8


def test_at_equal_times_cameras_come_first_and_claims_last():
    waiting = sequencer()
    for item in (claim(10), frame(PROGRAM, 10), frame("cam-b", 10), frame("cam-a", 10)):
        waiting.put(item)
    assert [name_of(item)[0] for item in waiting.rest()] == ["cam-a", "cam-b", PROGRAM, "m@10"]


def test_threads_may_put_while_another_takes():
    waiting = sequencer(limit=10_000)

    def play(feed: str) -> None:
        for at in range(1, 500):
            waiting.put(frame(feed, at))

    threads = [threading.Thread(target=play, args=(feed,)) for feed in FEEDS]
    for thread in threads:
        thread.start()
    got: list[Observation] = []
    while any(thread.is_alive() for thread in threads):
        got += waiting.take(T0, wait_s=0.001)
    for thread in threads:
        thread.join()
    got += waiting.rest()
    assert all(place_of(a) <= place_of(b) for a, b in pairwise(got))
    assert len(got) + waiting.late.total() == 3 * 499


def test_a_far_camera_that_is_silent_holds_up_nobody():
    waiting = sequencer(far=("cam-a",))
    waiting.put(frame("cam-a", 600))
    for feed in FEEDS:
        if feed != "cam-a":
            waiting.put(frame(feed, 1700))
    # As long as it may still come, it is waited for like any other.
    assert [time_of(o) for o in waiting.take(T0 + 700)] == []
    assert next(time_of(o) for o in waiting.take(T0 + 1601)) == 600
    assert waiting.take(T0 + 1701) == []
    waiting.put(frame(PROGRAM, 1730))
    for feed in FEEDS:
        if feed not in ("cam-a", PROGRAM):
            waiting.put(frame(feed, 1730))
    assert {time_of(o) for o in waiting.take(T0 + 1731)} == {1700}


def test_a_feed_that_promises_to_have_nothing_older_holds_up_nobody():
    promised = dict.fromkeys(FEEDS, 0.0)
    waiting = sequencer(promised={name: lambda name=name: T0 + promised[name] for name in FEEDS})
    waiting.put(frame(PROGRAM, 1000))
    assert waiting.take(T0 + 1010) == []
    promised.update({PROGRAM: 1010.0, "cam-a": 1010.0, "cam-b": 1000.0})
    assert waiting.take(T0 + 1010) == []  # cam-b may still give one of 1000
    promised["cam-b"] = 1001.0
    assert [time_of(one) for one in waiting.take(T0 + 1010)] == [1000.0]


def test_promises_leave_a_message_the_time_to_be_read():
    ahead = dict.fromkeys(FEEDS, lambda: T0 + 10_000)
    waiting = sequencer(promised=ahead)
    waiting.put(frame(PROGRAM, 1000))
    assert waiting.take(T0 + 1000 + READING_MS - 1) == []
    waiting.put(claim(999))
    assert [time_of(one) for one in waiting.take(T0 + 1000 + READING_MS)] == [999.0, 1000.0]
