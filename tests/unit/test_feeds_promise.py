"""What a feed promises it keeps, whenever it is asked."""

from hypothesis import given
from hypothesis import strategies as st

from tap.clock import ManualClock
from tap.feeds.promise import Promise


def test_a_feed_that_waits_has_nothing_older_than_now():
    clock = ManualClock(1000.0)
    promise = Promise(clock)
    clock.sleep(0.5)
    assert promise.until_ms() == 1500.0


def test_a_picture_under_way_holds_up_what_is_younger():
    clock = ManualClock(1000.0)
    promise = Promise(clock)
    began_ms = promise.bytes_came()
    promise.waits(began_ms)
    clock.sleep(0.2)
    assert promise.until_ms() == 999.0
    promise.bytes_came()
    promise.waits()
    assert promise.until_ms() == 1200.0


def test_time_does_not_pass_while_the_reader_works_on_what_it_has():
    clock = ManualClock(1000.0)
    promise = Promise(clock)
    assert promise.until_ms() == 1000.0
    promise.bytes_came()
    clock.sleep(1.0)
    assert promise.until_ms() == 1000.0


STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "begin", "end", "both"]), st.floats(0, 40)), max_size=60
)


@given(STEPS)
def test_no_picture_is_older_than_what_was_promised_before(steps):
    clock = ManualClock(1000.0)
    promise = Promise(clock)
    begun_ms: float | None = None
    promised_ms = 0.0
    for step, pause_ms in steps:
        clock.sleep(pause_ms / 1000)
        if step == "ask":
            promised_ms = max(promised_ms, promise.until_ms())
            continue
        now_ms = promise.bytes_came()
        if step == "begin":
            begun_ms = now_ms if begun_ms is None else begun_ms
        else:
            at_ms = promise.kept(now_ms if begun_ms is None else begun_ms)
            assert at_ms >= promised_ms
            assert at_ms.is_integer()
            begun_ms = now_ms if step == "both" else None
        promise.waits(begun_ms)
