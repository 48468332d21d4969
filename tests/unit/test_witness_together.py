"""Decoding on several threads: all that is wanted, each once, and no other answer."""

import threading

import numpy as np
import pytest

from tap.vocabulary import Luma, Undecoded
from tap.witness.together import Together


class Coded:
    """A picture that counts how often it is decoded, and on which thread."""

    def __init__(self, grey: int, both: threading.Barrier | None = None) -> None:
        self.threads: list[str] = []
        self._grey, self._both = grey, both
        self.picture = Undecoded(self._decode)

    def _decode(self) -> Luma:
        self.threads.append(threading.current_thread().name)
        if self._both is not None:
            self._both.wait(5)
        return np.full((2, 2), self._grey, np.uint8)


@pytest.mark.parametrize("helpers", [1, 3])
def test_all_pictures_are_decoded_once(helpers):
    coded = [Coded(grey) for grey in range(20)]
    look_at = Together(helpers)
    look_at([one.picture for one in coded])
    look_at([one.picture for one in coded])
    assert all(one.picture.looked_at for one in coded)
    assert [len(one.threads) for one in coded] == [1] * 20
    assert [int(one.picture.luma[0, 0]) for one in coded] == list(range(20))


def test_two_are_decoded_at_the_same_time():
    both = threading.Barrier(2)  # nobody gets through alone
    coded = [Coded(1, both), Coded(2, both)]
    Together(1)([one.picture for one in coded])
    assert {name for one in coded for name in one.threads} > {threading.current_thread().name}


def test_one_alone_waits_until_it_is_asked_for():
    coded = Coded(1)
    Together(1)([coded.picture, np.zeros((2, 2), np.uint8)])
    assert coded.threads == []


def test_without_helpers_nothing_is_decoded_ahead():
    coded = [Coded(1), Coded(2)]
    Together(0)([one.picture for one in coded])
    assert [one.threads for one in coded] == [[], []]


def test_no_thread_is_left_behind():
    before = set(threading.enumerate())
    look_at = Together(2)
    look_at([Coded(grey).picture for grey in range(8)])
    look_at.close()
    assert set(threading.enumerate()) <= before
