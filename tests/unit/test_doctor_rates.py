"""The doctor's rate of a feed: different pictures a second, once the feed has settled."""

import numpy as np
import pytest

from tap.clock import ManualClock
from tap.feeds.health import Vitals
from tap.vocabulary import Frame
from tap.witness.examine import Health, examine_live

START_MS = 1_789_000_000_000.0


class Sender:
    """A feed whose pictures come at these ms; of `same` of them each repeats the one before."""

    feed = "cam-a"

    def __init__(self, times, same=()):
        self._times, self._same = times, same
        self._vitals = Vitals("cam-a", ManualClock())

    def start(self, sink):
        luma = np.zeros((4, 4), np.uint8)
        for n, ms in enumerate(self._times):
            luma = luma if n in self._same else np.full((4, 4), n + 1, np.uint8)
            sink(Frame("cam-a", n, START_MS + ms, luma, (64, 48)))

    def stop(self):
        pass

    def health(self):
        return self._vitals.health()


def steady(from_ms, until_ms, step_ms=50):
    return list(range(from_ms, until_ms, step_ms))


@pytest.mark.parametrize(
    ("times", "same", "rate"),
    [
        (steady(0, 3000), (), 20.0),
        ([0, *steady(700, 3000)], (), 20.0),  # the key picture had to be asked for again
        (
            [0, 240, 420, 560, 650, *steady(710, 3000)],
            (),
            20.0,
        ),  # what the way carries is found out
        (steady(0, 3000), range(1, 60, 2), 10.0),  # each twice
        (steady(0, 1500) + steady(2300, 3000), (), 12.7),  # a break later on is one
        ([0, 700, 1400, 2100, 2800], (), 1.4),
    ],
)
def test_how_a_feed_begins_is_not_its_rate(times, same, rate):
    check = examine_live("cam-a", Sender(times, set(same)), ManualClock(), 3.0).check
    assert check.values["distinctFps"] == pytest.approx(rate, abs=0.7)
    assert check.values["pictures"] == len(times)


def test_a_picture_that_stands_still_is_still_a_fault():
    check = examine_live("cam-a", Sender(steady(0, 3000), set(range(1, 60))), ManualClock(), 3.0)
    assert check.check.health is Health.BAD
    assert "stands still" in check.check.text
