"""From what the model believes to how often that is so: learnt on shoots whose truth is known.

One rising curve for each kind of answer. The table is made by `benchmarks.accuracy.calibrate`, see
models/README.md; sight only reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tap.vocabulary import ShotState

Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """`curves`: for each state, knots (believed, so), both rising; a state without: as it is."""

    curves: Mapping[str, Knots] = field(default_factory=dict[str, Knots])

    def so(self, state: ShotState, believed: float) -> float:
        """How often an answer of this kind, believed so much, is right: a probability."""
        knots = self.curves.get(state.value)
        if not knots:
            return believed
        return float(np.interp(believed, [x for x, _ in knots], [y for _, y in knots]))


PLAIN = Calibration()
"""Beliefs as they are."""
