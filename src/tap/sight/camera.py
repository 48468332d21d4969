"""What sight knows of one camera."""

from collections.abc import Sequence
from statistics import median

from tap.sight.chart import Chart
from tap.sight.delay import Delay
from tap.sight.elsewhen import Elsewhen
from tap.sight.evidence import Evidence, Match
from tap.sight.look import is_coarse
from tap.sight.memory import Memory
from tap.sight.past import Past
from tap.sight.presence import Presence
from tap.sight.settings import SightSettings
from tap.sight.still import Stillness
from tap.vocabulary import CameraSeen, LookAt, Picture, when_asked

LEVEL_START = 0.5
_LEVEL_PACE, _LEVEL_WEIGHT = 0.03, 4
"""Weight of a new picture, and how many pictures the level to start from weighs."""

_WHOLE_MS, _REACH_MS = 1500.0, 750.0
"""All pictures are kept for so long, or for so much longer than the camera is known to be late: the
program shows it there, and is looked at again while it is not decided. What is older is asked for
where a camera is on that has never been, or older pictures are shown again."""

_SURE_MS, _SURE_EACH_MS = 480.0, 62.5
"""Of its longer past one picture each so many ms is looked at, and of all cameras one each so
many, though nobody asks: to know it again in an instant replay."""

_HARDLY = 0.4
"""Part of its usual fit, or of the cameras' of this programme, below which a picture teaches
nothing: else a camera that was believed once too often would come to be known by pictures of
others, or by what little is to be seen of it where it does not lie as thought."""


class Camera:
    """What sight knows of one camera: its past, its delay, how well it usually fits."""

    def __init__(
        self, settings: SightSettings, look_at: LookAt = when_asked, of_many: int = 1
    ) -> None:
        """`of_many`: so many cameras there are."""
        keep_ms = settings.max_delay_ms + settings.max_lookahead_ms + 400
        self.memory = Memory(keep_ms, look_at)
        self.still = Stillness(self.memory)
        self.delay = Delay(-settings.max_lookahead_ms, settings.max_delay_ms)
        self.guessed_ms: float | None = None
        """How late it must be, if another camera shows what it does, until it was live."""
        self.mixed_ms: float | None = None
        """How late it is in a mixture with another camera, as long as its delay is not known."""
        self.size: tuple[int, int] | None = None
        self.confirmed = False
        self.elsewhen = Elsewhen()
        self.level = LEVEL_START
        self._learnt = _LEVEL_WEIGHT
        self.past = Past(keep_ms, max(_SURE_MS, of_many * _SURE_EACH_MS))
        self.chart = Chart()
        self.information = 0.0
        """Nats that a perfect match usually gains."""

    def take(self, at_ms: float, picture: Picture) -> None:
        """The next picture."""
        self.memory.add(at_ms, picture)
        self.past.add(at_ms, picture)
        late_ms = [] if self.delay.ms is None else [self.delay.interval_ms[1]]
        late_ms += [] if self.guessed_ms is None else [self.guessed_ms]
        self.memory.thin(at_ms - max([_WHOLE_MS, *(late + _REACH_MS for late in late_ms)]))

    def supposed_ms(self, usual_ms: float | None) -> float:
        """How late it is; if that isn't known, how late it is guessed to be, or cameras usually
        are."""
        for delay in (self.delay.ms, self.guessed_ms, usual_ms):
            if delay is not None:
                return delay
        return 0.0

    def seen(self, name: str, presence: Presence) -> CameraSeen:
        """What was learnt about it so far. Times in ms."""
        low, high = self.delay.interval_ms
        known = self.delay.ms is not None
        return CameraSeen(
            id=name,
            delay_ms=self.delay.ms,
            delay_low_ms=low if known else None,
            delay_high_ms=high if known else None,
            frames_seen=presence.frames,
            gaps=tuple(sorted([*presence.gaps, *self.still.gaps()])),
            mirrored=self.memory.placement.mirror,
        )

    def learn(self, evidence: Evidence, match: Match, usual: float) -> None:
        """The camera was live in this picture: remember how it fits and how late it is. `usual`:
        how well the cameras of this programme do, 0 .. 1."""
        self.confirmed = True
        if match.fit < _HARDLY * max(self.level, usual):
            return  # it is believed for what went before: nothing is learnt of such a picture
        if not evidence.repeat:
            self.information += _LEVEL_PACE * (evidence.information - self.information)
        self._learnt += 1
        self.level += max(_LEVEL_PACE, 1.0 / self._learnt) * (match.fit - self.level)
        if not evidence.repeat and evidence.odd < 0:
            self.chart.learn(match.blocks, match.information, match.motion)
            self.delay.learn(evidence.at_ms, match.times, match.curve)


def usual_delay(cameras: Sequence[Camera]) -> float | None:
    """The median of the delays known so far, in ms; None if none is."""
    known = [c.delay.ms for c in cameras if c.delay.ms is not None]
    return median(known) if known else None


def compare_as_coarsely(cameras: Sequence[Camera]) -> None:
    """Cameras of few pixels fit better than others, as the program's noise is averaged away: so
    beside one of them all are compared with as few."""
    coarse = [c.size for c in cameras if c.size is not None and is_coarse(c.size)]
    coarsest = min(coarse, key=lambda size: size[0] * size[1], default=None)
    for camera in cameras:
        if camera.memory.coarsest != coarsest:
            camera.memory.coarsest = coarsest
            camera.memory.place(camera.memory.placement, portrait=camera.memory.portrait)
            camera.chart.restart()
