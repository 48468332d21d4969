"""Free memory is given back once a minute, and where that can't be done nothing happens."""

import gc
import weakref

import pytest

from tap.witness import trim
from tap.witness.trim import EVERY_MS, Trimmer


class Libc:
    def __init__(self):
        self.asked = []

    def mallopt(self, what, value):
        self.asked.append((what, value))
        return 1

    def malloc_trim(self, keep):
        self.asked.append(keep)
        return 1


def test_once_a_minute(monkeypatch):
    libc = Libc()
    monkeypatch.setattr(trim, "_LIBC", libc)
    trimmer = Trimmer(1000.0)
    told = [trimmer.tick(1000.0 + ms) for ms in (0, EVERY_MS - 1, EVERY_MS, EVERY_MS + 1)]
    assert told == [False, False, True, False]
    assert trimmer.tick(1000.0 + 2 * EVERY_MS)
    assert libc.asked == [(-8, 2), 0, 0]


def test_another_c_library_has_ways_of_its_own(monkeypatch):
    monkeypatch.setattr(trim, "_LIBC", None)
    assert not Trimmer(0.0).tick(EVERY_MS)


def test_it_can_be_done_here():
    if trim._LIBC is None:
        pytest.skip("NOT RUN: no glibc here")
    assert trim._LIBC.malloc_trim(0) in (0, 1)


class Knot:
    def __init__(self):
        self.itself = self


def test_what_holds_itself_goes_within_a_minute():
    trimmer = Trimmer(0.0)
    gc.disable()  # else it may go by chance
    try:
        knot = weakref.ref(Knot())
        assert knot() is not None
        trimmer.tick(EVERY_MS)
        assert knot() is None
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()
        trimmer.close()
    assert gc.get_freeze_count() == 0
