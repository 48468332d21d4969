"""A zoom that sets out is told from a camera beside this one."""

import pytest

from tap.sight.look import Rect
from tap.sight.outset import Outset
from tap.sight.placement import Placement

REST = Placement()


def part(*edges: float) -> Placement:
    return Placement(of=Rect(*edges))


def zoom(n: int, by: float = 0.006) -> Placement:
    return part(by * n / 2, by * n / 2, 1 - by * n / 2, 1 - by * n / 2)


def told(found: list[Placement], *, apart: int = 1) -> list[bool]:
    outset = Outset()
    return [outset.sets_out(10 + apart * n, REST, one) for n, one in enumerate(found)]


@pytest.mark.parametrize("apart", [1, 2])
def test_what_goes_on_evenly_from_frame_to_frame_is_a_zoom(apart):
    assert told([zoom(apart * n) for n in range(1, 6)], apart=apart) == [False] * 3 + [True] * 2


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([zoom(6)] * 6, id="a-camera-beside-this-one"),
        pytest.param([zoom(n) for n in (1, 5, 2, 6, 3, 7)], id="to-and-fro"),
        pytest.param([zoom(n, 0.08) for n in range(1, 7)], id="too-far-at-once"),
        pytest.param(
            [part(0.006 * n, 0, 1 + 0.006 * n, 1) for n in range(1, 7)], id="a-pan-beside-it"
        ),
    ],
)
def test_what_does_not_is_none(found):
    assert not any(told(found))


def test_frames_far_apart_tell_nothing_of_each_other():
    assert not any(told([zoom(n) for n in range(1, 7)], apart=3))
