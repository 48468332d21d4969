"""How well pictures explain a program picture: a likelihood ratio, block by block.

For each of the 32 blocks the program's pattern is fitted by the camera's pattern with a gain >= 0
(the offset went with the block mean). With energy E of the program block and residual e, the
block's generalised log likelihood ratio against "unrelated" is -(n/2) ln((e + eps) / (E + eps)).
It needs no noise estimate, a covered block (overlay) counts for nobody, and any grade that is
smooth in space is absorbed. Method: generalised likelihood ratio test as in S. Kay, Fundamentals of
Statistical Signal Processing II (1998), ch. 6; applied per block.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tap.sight.look import PIXELS, Floats
from tap.sight.wipe import Wipe

Doubles = npt.NDArray[np.float64]

NOISE = PIXELS * 0.5
"""eps: the energy that coding noise leaves in a block (0.7 grey levels rms)."""
DOF = 3.0
"""Effective samples of a block, n: its 72 pixels are strongly correlated."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A program picture ready for matching: (32, 72) blocks, (32,) energies."""

    blocks: Floats
    energy: Floats

    @classmethod
    def of(cls, blocks: Floats) -> "Seen":
        """From (32, 72) blocks with their means removed."""
        return cls(blocks, np.einsum("bp,bp->b", blocks, blocks))

    @property
    def information(self) -> Doubles:
        """(32,) nats that a perfect match would gain in each block."""
        return 0.5 * DOF * np.log((self.energy.astype(np.float64) + NOISE) / NOISE)


def gains(seen: Seen, units: Floats) -> tuple[Doubles, Floats]:
    """Match (32, n, 72) candidates: per-block nats (32, n) and correlations (32, n) >= 0."""
    along = np.matmul(units, seen.blocks[:, :, None])[..., 0]
    np.maximum(along, 0, out=along)
    energy = seen.energy[:, None]
    rest = np.maximum(energy - along * along, 0)
    nats = -0.5 * DOF * np.log((rest + NOISE) / (energy + NOISE))
    return nats.astype(np.float64), along


def part_of(seen: Seen, units: Floats) -> float:
    """The part of all nats, 0 .. 1, that another picture's unit blocks (32, 72) gain."""
    nats = float(gains(seen, units[:, None])[0].sum())
    return nats / max(float(seen.information.sum()), 1e-6)


@dataclass(frozen=True, slots=True)
class Mix:
    """The best explanation of a picture by two cameras."""

    nats: float
    share: float
    """How much of it is the second camera: of contrast in a mix, of the picture in a split."""
    split: bool
    """True: side by side (wipe, split screen). False: blended (dissolve)."""
    blocks: Doubles
    """Part of each block's nats that was gained, (32,)."""
    wipe: Wipe | None = None
    """Side by side: how far a wipe has come, where that was read."""


_SHARES = np.linspace(0.08, 0.92, 15)
SPLIT_TOLL = 0.06
"""Part of all information that a split must gain: choosing per block always gains a little."""
_MIX_TOLL = 8.0
"""Nats a blend must gain over the better of the two."""


def mix(
    seen: Seen, a: tuple[Floats, Floats], b: tuple[Floats, Floats], mask: npt.NDArray[np.bool_]
) -> Mix:
    """Explain a picture by a blend or a split of two looks (units (32, 72), lengths (32,)).

    `mask` (32,) bool: blocks to use. The nats already carry the toll for the extra freedom.
    """
    (ua, la), (ub, lb) = a, b
    pa = np.einsum("bp,bp->b", seen.blocks, ua)
    pb = np.einsum("bp,bp->b", seen.blocks, ub)
    ab = np.einsum("bp,bp->b", ua, ub)
    wa = (1 - _SHARES)[:, None] * la
    wb = _SHARES[:, None] * lb
    along = wa * pa + wb * pb
    power = wa * wa + wb * wb + 2 * wa * wb * ab
    explained = np.maximum(along, 0) ** 2 / np.maximum(power, 1e-6)
    blended = _nats(seen.energy, np.minimum(explained, seen.energy))
    totals = (blended * mask).sum(axis=1)
    best = int(np.argmax(totals))

    one = _nats(seen.energy, np.maximum(pa, 0) ** 2) * mask
    two = _nats(seen.energy, np.maximum(pb, 0) ** 2) * mask
    information = seen.information * mask
    split = float(np.maximum(one, two).sum() - SPLIT_TOLL * information.sum())
    blend = float(totals[best]) - _MIX_TOLL
    per_block = np.maximum(seen.information, 1e-6)
    if blend >= split:
        return Mix(blend, float(_SHARES[best]), split=False, blocks=blended[best] / per_block)
    textured = information > 1.0
    second = float((textured & (two > one)).sum()) / max(1, int(textured.sum()))
    return Mix(split, second, split=True, blocks=np.maximum(one, two) / per_block)


def _nats(energy: Floats, explained: npt.NDArray[np.floating]) -> Doubles:
    rest = np.maximum(energy - explained, 0)
    out: Doubles = -0.5 * DOF * np.log((rest + NOISE) / (energy + NOISE))
    return out
