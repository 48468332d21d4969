"""What a program frame is ruled to show."""

import numpy as np
import pytest

from tap.sight.camera import Camera
from tap.sight.evidence import Evidence, Match
from tap.sight.infer import Decided, States
from tap.sight.ruler import Ruler
from tap.sight.settings import SightSettings


def match(fit, gain):
    nothing = np.zeros(0)
    return Match(
        fit=fit,
        toll=0.0,
        lag_ms=0.0,
        gain=gain,
        index=0,
        blocks=np.full(32, fit),
        information=np.full(32, 5.0),
        times=nothing,
        curve=nothing,
    )


@pytest.mark.parametrize(
    ("fit", "gain"),
    [
        pytest.param(0.8, 1.02, id="seen"),
        pytest.param(0.1, 0.07, id="hardly-seen"),
        pytest.param(0.02, None, id="not-seen"),
    ],
)
def test_the_contrast_of_a_camera_is_known_where_it_is_to_be_seen(fit, gain):
    """In the whitest picture of a fade a ticker is all there is: its contrast is no camera's, and
    taken for one, all that follows looked pale beside it."""
    states = States(2)
    settings = SightSettings()
    ruler = Ruler(["a", "b"], states, [Camera(settings), Camera(settings)], settings)
    nats = np.zeros(states.count)
    evidence = Evidence(
        index=7,
        at_ms=280.0,
        luma=np.zeros((90, 160), np.uint8),
        nats=nats,
        matches=[match(fit, gain or 4.4), match(0.01, 0.0)],
        information=160.0,
    )
    honest = np.eye(states.count)[0]
    ruling = ruler.rule(evidence, Decided(280.0, honest, honest), [], 320.0)
    assert ruling.gain == gain
