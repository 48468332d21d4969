"""The habits of a program: how it lays cameras out, which a switcher does alike for all of them."""

from collections.abc import Sequence

from tap.sight.bars import Bars
from tap.sight.camera import Camera
from tap.sight.doubt import usual_level
from tap.sight.motion import is_zoom, same_place
from tap.sight.placement import Placement, clipped, same_shape, usual_placements

_CLOSER = 0.95
"""A placement that shows this part of what is usually shown, at most, is zoomed."""


class Habits:
    """What is known of one program. Sizes are (width, height) in px."""

    def __init__(self, cameras: Sequence[Camera]) -> None:
        self._cameras = cameras
        self.program: tuple[int, int] | None = None
        """Its size; None as long as it gave no picture."""
        self.bars = Bars()
        self._style = 0
        """Which of the usual placements it uses."""
        self.mirror = False
        """Whether it mirrors most of the cameras that were found: one phone that does is no rule.
        """

    def first(self, camera: Camera) -> Placement | None:
        """Where a camera is looked for first; None while its size or the program's is not known."""
        usual = self.usual(camera)
        plain = len(usual) // 2
        return usual[self._style % plain + plain * self.mirror] if usual else None

    def learn(self, camera: Camera, placement: Placement) -> None:
        """A camera was found to lie so."""
        usual = self.usual(camera)
        near = [n for n, one in enumerate(usual) if same_place(one, placement)]
        if near:
            self._style = near[0] % (len(usual) // 2)
        sides = [c.memory.placement.mirror for c in self._cameras if c.confirmed]
        self.mirror = 2 * sum(sides) > len(sides)

    def usual(self, camera: Camera) -> list[Placement]:
        """The usual placements of a camera; [] while its size or the program's is not known."""
        if camera.size is None or self.program is None:
            return []
        inside = self.bars.rect
        return [clipped(p, inside) for p in usual_placements(camera.size, self.program, inside)]

    def bases(self, camera: Camera) -> list[Placement]:
        """The placements that a zoom may start from."""
        usual = self.usual(camera)
        plain = len(usual) // 2
        if usual_level(self._cameras) is None or not usual:
            return usual
        return [usual[self._style % plain + plain * camera.memory.placement.mirror]]

    def base(self, camera: Camera) -> Placement | None:
        """How a camera that was never seen would lie, as this program's cameras do."""
        bases = self.bases(camera)
        return bases[0] if bases else None

    def in_middle(self, camera: Camera, placement: Placement) -> bool:
        """Whether a placement is a usual one, zoomed into about its middle."""
        return any(
            is_zoom(base.of, placement.of)
            for base in self.usual(camera)
            if base.mirror == placement.mirror and base.on.near(placement.on)
        )

    def is_zoomed(self, camera: Camera, placement: Placement) -> bool:
        """Whether a placement shows but the middle of what is usually shown of the camera."""
        base = next((one.of for one in self.usual(camera) if one.on.near(placement.on)), None)
        wide = placement.of.x1 - placement.of.x0
        return (
            base is not None
            and wide < _CLOSER * (base.x1 - base.x0)
            and self.in_middle(camera, placement)
        )

    def candidates(self, camera: Camera) -> list[Placement]:
        """Usual placements, and how other cameras lie: a programme is often zoomed as a whole."""
        usual = self.usual(camera)
        if camera.size is None or not usual:
            return []
        others = [
            other.memory.placement
            for other in self._cameras
            if other is not camera
            and other.confirmed
            and other.size is not None
            and same_shape(other.size, camera.size)
        ]
        guessed: list[Placement] = []
        if self.program is not None and not self.bars.lately.near(self.bars.rect):
            inside = self.bars.lately
            guessed = [self.lit(p) for p in usual_placements(camera.size, self.program, inside)]
        able = dict.fromkeys((*usual, *others, *guessed))
        return [p for p in able if p != camera.memory.placement]

    def lit(self, placement: Placement) -> Placement:
        """The part of a placement that is not bars, as far as can be guessed just now: bars come
        and go with a zoom of the program."""
        return clipped(placement, self.bars.lately)
