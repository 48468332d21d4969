"""Instant replays of cameras that stand still: most of their picture is that of now."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import (
    DELAY_MS,
    Camera,
    cuts,
    noisy,
    texture,
    watch,
)

from tap.sight.evidence import Evidence, Match
from tap.sight.infer import States
from tap.sight.look import BLOCKS
from tap.sight.past import Past
from tap.sight.placement import Placement
from tap.sight.replays import Replays
from tap.sight.views import Views
from tap.vocabulary import Luma, ShotState, Undecoded


@dataclass
class Fixed(Camera):
    """Stands still; somebody walks through its picture."""

    walker: Luma = field(init=False)

    def __post_init__(self) -> None:
        self.still = True
        super().__post_init__()
        self.walker = texture(self.seed + 50, 64, 56)

    def at(self, ms: float) -> Luma:
        out = super().at(ms).copy()
        ms = max(0.0, ms // 40 * 40)
        x = round(52 + 50 * np.sin(ms / 2300 + self.seed))
        y = round(13 + 12 * np.sin(ms / 1700 + 2 * self.seed))
        out[y : y + 64, x : x + 56] = self.walker
        return out


FIXED = {"cam-a": Fixed(1), "cam-b": Fixed(2), "cam-c": Fixed(3)}
A, B, C = FIXED


def shows(changes, replayed, from_ms, to_ms, age_ms):
    """The program: `changes`, but a replay between two times."""
    plain = cuts(FIXED, changes)

    def show(ms):
        if from_ms <= ms < to_ms:
            return noisy(FIXED[replayed].at(ms - DELAY_MS - age_ms), ms)
        return plain(ms)

    return show


def states(seen, *times):
    return [(seen.state_at(ms), seen.shot_at(ms)[0].cameras) for ms in times]


def test_a_replay_of_a_camera_that_was_on_is_told_by_what_moves():
    show = shows([(0, A), (4000, B), (8000, A)], A, 11_000, 13_000, 6000)
    seen = watch(FIXED, show, 15.0)
    assert states(seen, 9000, 11_100, 12_000, 12_900, 14_000) == [
        (ShotState.LIVE, (A,)),
        *[(ShotState.OFF_CAMERA, (A,))] * 3,
        (ShotState.LIVE, (A,)),
    ]
    times = [ms for _, ms, _, _ in seen.told()]
    assert times == [pytest.approx(ms, abs=41) for ms in (4000, 8000, 11_000, 13_000)]


def test_a_replay_of_a_camera_that_was_never_on_is_not_taken_for_its_first_shot():
    show = shows([(0, A), (4000, B)], C, 9000, 11_000, 5000)
    seen = watch(FIXED, show, 13.0)
    assert states(seen, 9100, 10_000, 10_900, 12_000) == [
        *[(ShotState.OFF_CAMERA, (C,))] * 3,
        (ShotState.LIVE, (B,)),
    ]


def test_the_first_shot_of_a_camera_that_stands_still_is_no_replay():
    seen = watch(FIXED, cuts(FIXED, [(0, A), (4000, B), (9000, C)]), 12.0)
    assert seen.told() == [("cut", 4000, A, B), ("cut", 9000, B, C)]


def stutters(index, fit, count=1):
    """Evidence of a picture that each of so many cameras explains so well."""
    luma, even = texture(1), np.ones(BLOCKS)
    none = np.zeros(0)
    match = Match(fit, 0.0, 100.0, 1.0, 0, fit * even, 10 * even, none, none)
    states = States(count)
    evidence = Evidence(index, 40.0 * index, luma, np.full(states.count, -60.0), [match] * count)
    evidence.information, evidence.odd = 320.0, 0.3
    evidence.nats[:count] = fit * 320.0
    return evidence, Views(luma)


@pytest.mark.parametrize(
    ("fit", "stutter", "first"), [(0.75, False, 6), (0.4, True, 6), (0.4, False, 0)]
)
def test_what_fits_a_little_less_for_a_moment_is_no_replay(fit, stutter, first):
    """As where a feed stutters; of what was filmed twice, the past fits as well as ever."""
    replays = Replays(States(1), [known(stutter=stutter)], 3000.0)
    told = []
    for index in range(10):
        evidence, views = stutters(index, fit)
        replays.look(evidence, views)
        told.append(evidence.replayed is not None)
    assert told == [False] * first + [True] * (10 - first)


def test_a_replay_that_took_seven_pictures_to_be_found_began_with_the_first():
    """... though of the past that it shows but some pictures are known."""
    replays = Replays(States(1), [known(nearby=0.5)], 3000.0)
    looked = []
    for index in range(7):
        evidence, views = stutters(index, 0.75)
        replays.look(evidence, views)
        looked.append(evidence)
    assert [one.replayed for one in looked] == [None] * 6 + [0]
    assert replays.look_back(reversed(looked[:-1]))
    assert [one.replayed for one in looked] == [0] * 7
    assert all(int(one.nats.argmax()) == States(1).off for one in looked)


@pytest.mark.parametrize(("past_fit", "found"), [(0.74, False), (0.8, True)])
def test_an_older_picture_that_comes_only_somewhat_nearer_is_no_replay(past_fit, found):
    """As where a camera was moved, and the program zooms towards what it showed before."""
    replays = Replays(States(1), [known(past_fit=past_fit)], 3000.0)
    evidence, views = stutters(0, 0.55)
    replays.look(evidence, views)
    assert (evidence.replayed is not None) is found


def known(*, stutter=False, past_fit=0.92, nearby=None, asked=None):
    """A camera whose past explains every picture so well, and `nearby` what of it is known around
    a given time; `asked` counts how often it was asked."""

    def best(_seen, _memory, from_ms, to_ms):
        if asked is not None:
            asked.append(to_ms)
        return past_fit if nearby is None or from_ms == -np.inf else nearby, to_ms

    return SimpleNamespace(
        size=(640, 360),
        level=0.9,
        past=SimpleNamespace(sure_ms=240.0, best=best),
        chart=SimpleNamespace(known=True, usual=0.9),
        delay=SimpleNamespace(ms=100.0, locked=True),
        memory=SimpleNamespace(placement=Placement(), cells=None, stutters=lambda _: stutter),
    )


@pytest.mark.parametrize("count", [4, 12, 30])
def test_everybodys_past_is_asked_however_many_there_are(count):
    asked = [[] for _ in range(count)]
    cameras = [known(past_fit=0.0, asked=one) for one in asked]
    replays = Replays(States(count), cameras, 3000.0)
    for index in range(60):
        evidence, views = stutters(index, 0.4, count)
        replays.look(evidence, views)
    late_ms = 40.0 * 30 - 1100.0
    assert all(max(one) > late_ms for one in asked)


def test_an_earlier_picture_that_is_looked_at_again_ends_no_replay():
    replays = Replays(States(1), [known()], 3000.0)
    for index in range(5, 10):
        evidence, views = stutters(index, 0.4)
        replays.look(evidence, views)
    earlier, views = stutters(4, 0.9)
    earlier.odd = -1.0
    replays.look(earlier, views)
    assert earlier.replayed is None
    following, views = stutters(10, 0.8)  # it would be too good to be found anew
    replays.look(following, views)
    assert following.replayed == 0


def test_a_lower_third_is_no_replay():
    plain = cuts(FIXED, [(0, A), (4000, B), (8000, A)])
    board = texture(77, 26, 130)

    def show(ms):
        out = plain(ms).copy()
        if 10_000 <= ms < 12_000:
            out[60:86, 15:145] = board
        return out

    seen = watch(FIXED, show, 14.0)
    assert seen.told() == [("cut", 4000, A, B), ("cut", 8000, B, A)]


def undecoded(luma):
    return Undecoded(lambda: luma)


def test_some_pictures_of_the_past_are_looked_at_though_nobody_asks():
    past = Past(1000.0, 500.0)
    pictures = [undecoded(texture(n)) for n in range(60)]
    for n, picture in enumerate(pictures):
        past.add(130.0 * n, picture)
    looked = [n for n, picture in enumerate(pictures) if picture.looked_at]
    assert looked == list(range(0, 52, 4))


def test_pictures_of_the_past_are_kept_small():
    past = Past(0.0, 100.0)
    big = cv2.resize(texture(1), (1920, 1080))
    for n in range(3):
        past.add(200.0 * n, big)
    assert {picture.shape for _, picture in past._kept} == {(90, 160)}
