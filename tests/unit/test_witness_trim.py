"""Free memory is given back once a minute, and where that can't be done nothing happens."""

import pytest

from tap.witness import trim
from tap.witness.trim import EVERY_MS, Trimmer


def test_once_a_minute(monkeypatch):
    asked = []
    monkeypatch.setattr(trim, "_trim", lambda keep: asked.append(keep) or 1)
    trimmer = Trimmer(1000.0)
    told = [trimmer.tick(1000.0 + ms) for ms in (0, EVERY_MS - 1, EVERY_MS, EVERY_MS + 1)]
    assert told == [False, False, True, False]
    assert trimmer.tick(1000.0 + 2 * EVERY_MS)
    assert asked == [0, 0]


def test_another_c_library_has_ways_of_its_own(monkeypatch):
    monkeypatch.setattr(trim, "_trim", None)
    assert not Trimmer(0.0).tick(EVERY_MS)


def test_it_can_be_done_here():
    if trim._trim is None:
        pytest.skip("NOT RUN: no glibc here")
    assert trim._trim(0) in (0, 1)
