"""Cameras whose pictures are missing just then take no part in what two cameras together show."""

import numpy as np
import pytest
from tests.unit.sample_pictures import Camera

from tap.sight.camera import Camera as SightCamera
from tap.sight.dissolve import DissolveFinder
from tap.sight.evidence import Evidence, Match
from tap.sight.infer import States
from tap.sight.look import BLOCKS
from tap.sight.pairs import Pairs
from tap.sight.settings import SightSettings
from tap.sight.views import Views

STATES = States(3)


@pytest.fixture
def cameras():
    made = [SightCamera(SightSettings()) for _ in range(3)]
    for seed, camera in enumerate(made):
        for ms in range(0, 400, 40):
            camera.take(float(ms), Camera(seed).at(ms))
    return made


def evidence_of(cameras, lacking) -> Evidence:
    """A program picture that is half one camera's, half the next one's."""
    luma = cameras[0].memory.luma(9).copy()
    luma[:, 80:] = cameras[1].memory.luma(9)[:, 80:]
    nothing = np.zeros(0)
    matches = [
        Match(0.5, 30.0, 40.0, 1.0, 9, np.zeros(BLOCKS), np.ones(BLOCKS), nothing, nothing)
        for _ in cameras
    ]
    evidence = Evidence(1, 400.0, luma, np.full(STATES.count, -60.0), [*matches])
    evidence.nats[:3] = 100.0, 90.0, 0.0
    evidence.lacking = lacking
    return evidence


def weighed(cameras, lacking) -> dict[tuple[int, int], float]:
    evidence = evidence_of(cameras, lacking)
    Pairs(STATES, cameras).weigh(evidence, Views(evidence.luma), STATES.pairs)
    return {(a, b): float(evidence.nats[STATES.pair(a, b)]) for a, b in STATES.pairs}


def test_a_pair_loses_what_its_camera_does_for_showing_another_moment(cameras):
    there, lacking = weighed(cameras, ()), weighed(cameras, (1,))
    lost = {pair: there[pair] - lacking[pair] for pair in there}
    assert lost == {(0, 1): pytest.approx(30.0), (0, 2): 0.0, (1, 2): pytest.approx(30.0)}


def test_nothing_dissolves_to_a_camera_whose_pictures_are_missing(cameras):
    finder = DissolveFinder(None, cameras, lambda *_: None, lambda _: None, 3000.0)
    finder.note(evidence_of(cameras, ()))
    assert finder._others(evidence_of(cameras, ())) == [1, 2]
    assert finder._others(evidence_of(cameras, (1,))) == [2]
