"""Where a camera may lie that is covered in part."""

from types import SimpleNamespace

import pytest

from tap.sight.habits import Habits
from tap.sight.placement import Placement
from tap.sight.propose import Proposer

MIRRORED = Placement(mirror=True)


@pytest.mark.parametrize(
    ("here", "alike", "found"), [(0.1, 0.19, True), (0.1, 0.25, False), (0.2, 0.19, False)]
)
def test_a_mirrored_camera_of_which_a_part_is_covered_stands_out_among_those_alike(
    here, alike, found
):
    """`here`: how well others fit where they lie, `alike`: how well one does if it is mirrored."""
    cameras = [
        SimpleNamespace(level=0.57, chart=SimpleNamespace(known=True), confirmed=n == 0)
        for n in range(2)
    ]
    evidence = SimpleNamespace(matches=[SimpleNamespace(fit=here), SimpleNamespace(fit=here)])
    rough = [(0.32, 1, MIRRORED, 5), (alike, 0, MIRRORED, 5)]
    proposal = Proposer(None, cameras, Habits(cameras))._partly_seen(evidence, rough)
    assert (proposal is not None) == found
