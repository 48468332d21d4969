"""Observability: which cameras could be told apart, from their own pictures alone.

Two cameras that show the same are one to sight: a cut between them leaves no trace. So a few times
a second each pair is asked: were the program to show the one, how much better would that one
explain it than the other? What sight would see is foretold with its own measure (see `match`). A
block of energy E that leaves `rest` (with coding noise) when matched by its own camera would leave
`rest` + D when matched by the other, D being what the other's picture does not explain of it:
1.5 ln((rest + D) / rest) nats. `rest` is what this programme usually leaves, as the cameras' charts
have it. D counts only as far as it is more than two renderings of one picture may differ by: noise
and coding make differences of their own, and those do not reach the program.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tap.sight.camera import Camera, usual_delay
from tap.sight.look import BLOCKS, PIXELS, Floats
from tap.sight.match import DOF, NOISE
from tap.sight.settings import SightSettings
from tap.vocabulary import Event, EventType, Indistinguishable, Luma

_EVERY_MS, _RARELY_MS = 250.0, 500.0
"""How often the pairs are looked at; and how often where all are far from being alike, and no more
is looked at than must be."""
_EACH_MS = 62.5
"""... and the more cameras, the more rarely: so many pictures a second are looked at in all."""
_FAR = 4.0
"""A pair that differs by so many times enough is far from being alike."""
_BESIDE = 3
"""Frames of a camera that another's is held against: the one due and its neighbours."""
_USUAL_FIT = 0.5
"""How well cameras fit as long as none was recognised: between a heavy grade and a clean feed."""
_RENDERING = PIXELS * 2.25
"""Energy of a block that noise and coding of a camera feed make up: 1.5 grey levels rms."""
_TURNS, _FEW = 4, 4
"""Cameras of unknown delay that are looked for in each look; and pictures of another's past without
which it is not looked in."""
_SAME, _SETTLED = 0.1, 0.5
"""A camera shows what another does if it leaves less than this part of its energy unexplained, and
less than this part of what most of its past leaves: before a still scene any time fits."""
_AS_GOOD = 0.01
_ELSEWHERE = 1 / 36
"""Cameras that lie so much differently in the program, about a cell, are told apart by that."""
_CLEARER = 1.5
"""A pair that was alike must differ by so much more than enough before it is told apart again."""
_SHORTEST_MS = 500.0
"""Shorter stretches are not reported, shorter pauses between them not told apart."""
_FAINT = 25.0
"""Energy per pixel below which a picture may be blank."""
_DARK, _BRIGHT, _PLAIN_STD, _FLAT_STD = 30.0, 225.0, 1.0, 5.0

Span = tuple[float, float]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Separations:
    """How well the cameras can be told apart just now."""

    cameras: tuple[str, ...]
    nats: Matrix
    """(n, n) nats a program frame that tell a pair apart, at least; inf where they lie in other
    places of the program; nan where one of them has no picture, and on the diagonal."""
    alike: npt.NDArray[np.bool_]
    """(n, n) whether a cut between them would not be seen."""


class Observer:
    """Follows which pairs of cameras can't be told apart. Times in ms of the program's frames."""

    def __init__(
        self, names: Sequence[str], cameras: Sequence[Camera], settings: SightSettings
    ) -> None:
        n = len(cameras)
        self._names = tuple(names)
        self._cameras = tuple(cameras)
        self._settings = settings
        self._units = np.zeros((BLOCKS, n, _BESIDE, PIXELS), np.float32)
        self._lengths = np.zeros((BLOCKS, n), np.float32)
        self._nats = np.full((n, n), np.nan)
        self._alike = np.zeros((n, n), np.bool_)
        self._due_ms = [0.0] * n
        """When the pictures were taken that are due."""
        self._near: list[bool] = [True] * n
        """Which cameras are not far from being alike with another."""
        self._turn = 0
        self._looked_ms: float | None = None
        self._until_ms = 0.0
        self._since: dict[tuple[int, int], float] = {}
        self._over: dict[tuple[int, int], list[Span]] = {}

    # ------------------------------------------------------------------ in

    def look(self, at_ms: float, step_ms: float) -> bool:
        """Time of the next program frame, and the usual time between them: look now and then.

        True if this was looked at.
        """
        self._until_ms = at_ms + step_ms
        every_ms = _EVERY_MS
        if not (self._settings.full_look or any(self._near)):
            every_ms = max(_RARELY_MS, _EACH_MS * len(self._cameras))
        if self._looked_ms is not None and at_ms - self._looked_ms < every_ms:
            return False
        self._looked_ms = at_ms
        if len(self._cameras) > 1:
            self._measure(at_ms)
            self._follow(at_ms, step_ms)
        return True

    def pause(self, from_ms: float) -> None:
        """The program gives no frames from here on: then nothing is seen, and that is told."""
        for pair in list(self._since):
            self._end(pair, from_ms)
        self._alike[:] = False
        self._near = [True] * len(self._cameras)
        self._looked_ms = None

    # ------------------------------------------------------------------ out

    @property
    def separations(self) -> Separations:
        """As of the last look."""
        return Separations(self._names, self._nats.copy(), self._alike.copy())

    def indistinguishable(self) -> tuple[Indistinguishable, ...]:
        """The pairs that could not be told apart, and when, up to now."""
        pairs = sorted({*self._over, *self._since})
        told = [(pair, tuple(self._spans(pair))) for pair in pairs]
        return tuple(
            Indistinguishable(
                cameras=(self._names[a], self._names[b]),
                intervals=spans,
                total_ms=sum(end - start for start, end in spans),
            )
            for (a, b), spans in told
            if spans
        )

    def claimable(self, events: Sequence[Event]) -> list[Event]:
        """Events; a hold only over the stretches in which a cut away would have been seen."""
        out: list[Event] = []
        for event in events:
            out += self._observed(event) if event.type is EventType.HOLD else [event]
        return out

    def _observed(self, hold: Event) -> list[Event]:
        blind = sorted(
            span
            for pair in {*self._over, *self._since}
            if hold.from_camera in (self._names[pair[0]], self._names[pair[1]])
            for span in self._spans(pair)
        )
        end_ms = hold.at_ms + hold.duration_ms
        out: list[Event] = []
        start_ms = hold.at_ms
        for stop_ms, again_ms in [*blind, (end_ms, end_ms)]:
            lasted = min(stop_ms, end_ms) - start_ms
            if lasted >= self._settings.hold_ms:
                name = f"{EventType.HOLD.value}-{start_ms:.0f}"
                part = {"id": name, "at_ms": start_ms, "duration_ms": lasted}
                out.append(hold.model_copy(update=part))
            start_ms = max(start_ms, again_ms)
        return out

    # ------------------------------------------------------------------ now

    def _measure(self, at_ms: float) -> None:
        """Fill `_nats`."""
        shown = [self._take(n, at_ms) for n in range(len(self._cameras))]
        self._guess_delay(at_ms)
        energy = self._lengths**2
        rest = _left_over(energy, self._fits())
        unexplained = _unexplained(self._units, energy)
        rendering = np.minimum(_RENDERING, rest)
        unexplained -= rendering[:, :, None] + rendering[:, None, :]
        np.maximum(unexplained, 0, out=unexplained)
        nats = 0.5 * DOF * np.log1p(unexplained / rest[:, :, None]).sum(axis=0, dtype=np.float64)
        nats = np.minimum(nats, nats.T)
        self._tell_blank(nats, shown, energy)
        self._tell_places(nats)
        missing = [n for n, luma in enumerate(shown) if luma is None]
        nats[missing] = nats[:, missing] = np.nan
        np.fill_diagonal(nats, np.nan)
        self._nats = nats

    def _take(self, number: int, at_ms: float) -> Luma | None:
        """Copy a camera's frames around the one due at `at_ms`; returns that one, if there is."""
        memory = self._cameras[number].memory
        due_ms = at_ms - self.delay_ms(number)
        part = memory.within(due_ms - self._settings.gap_ms, due_ms + self._settings.gap_ms)
        count = part.stop - part.start
        if count <= 0:
            self._units[:, number] = 0
            self._lengths[:, number] = 0
            return None
        due = int(np.searchsorted(memory.times(part), due_ms, side="right")) - 1
        due = part.start + max(0, due)
        beside = int(self._settings.full_look or self._near[number])
        around = slice(max(part.start, due - beside), min(part.stop, due + beside + 1))
        units = memory.units(around)
        first, last = due - around.start, around.stop - around.start - 1
        self._units[:, number, 0] = units[:, first]
        self._units[:, number, 1] = units[:, max(0, first - 1)]
        self._units[:, number, 2] = units[:, min(last, first + 1)]
        self._lengths[:, number] = memory.lengths(slice(due, due + 1))[0]
        self._due_ms[number] = memory.time(due)
        return memory.luma(due)

    def delay_ms(self, number: int) -> float:
        """How late a camera is; one that was never seen is taken to be as late as the others."""
        return self._cameras[number].supposed_ms(usual_delay(self._cameras))

    def _guess_delay(self, at_ms: float) -> None:
        """One feed that is tapped twice may be later the second time: nothing of that is known,
        as neither is ever surely recognised. So where in the others' past, as far as that was
        looked at, is the picture that is due? A few cameras have their turn in each look."""
        unknown = [n for n, camera in enumerate(self._cameras) if camera.delay.ms is None]
        for _ in range(min(_TURNS, len(unknown))):
            self._turn += 1
            number = unknown[self._turn % len(unknown)]
            found, now = self._found_in_others(number), self.delay_ms(number)
            if found is not None:
                self._cameras[number].guessed_ms = found
            elif self._left_now(number) > _SAME:
                self._cameras[number].guessed_ms = None
            if self.delay_ms(number) != now:
                self._take(number, at_ms)

    def _found_in_others(self, number: int) -> float | None:
        """How late a camera is if another one's past has its picture; None if none has."""
        units, lengths = self._units[:, number, :1], self._lengths[:, number, None]
        settings = self._settings
        best, found = _SAME, None
        for other, camera in enumerate(self._cameras):
            indices = camera.memory.looked_at()
            if other == number or len(indices) < _FEW:
                continue
            lags = camera.memory.times(indices) + self.delay_ms(other) - self._due_ms[number]
            able = (lags >= -settings.max_lookahead_ms) & (lags <= settings.max_delay_ms)
            if int(able.sum()) < _FEW:
                continue
            indices, lags = indices[able], lags[able]
            left = _left_by(units, lengths, camera.memory.units_at(indices))[0]
            least = float(left.min())
            if least < best and least < _SETTLED * float(np.median(left)):
                # Where it moves slowly many fit: then what was supposed before.
                off = np.abs(lags - self.delay_ms(number))
                nearest = int(np.where(left < least + _AS_GOOD, off, np.inf).argmin())
                best, found = least, float(lags[nearest])
        return found

    def _left_now(self, number: int) -> float:
        """The least part of a camera's energy that another's picture of the same moment leaves."""
        units, lengths = self._units[:, number, :1], self._lengths[:, number, None]
        left = _left_by(units, lengths, self._units[:, :, 0])[0]
        left[number] = 1.0
        return float(left.min())

    def _fits(self) -> Floats:
        """(n,) how well each camera's picture usually fits when the program shows it."""
        known = [c.chart.usual for c in self._cameras if c.chart.settled]
        usual = sum(known) / len(known) if known else _USUAL_FIT
        fits = [c.chart.usual if c.chart.settled else usual for c in self._cameras]
        return np.asarray(fits, np.float32)

    @staticmethod
    def _tell_blank(nats: Matrix, shown: Sequence[Luma | None], energy: Floats) -> None:
        """A black picture is told from any other by being black, but not from a black one."""
        faint = energy.sum(axis=0) < _FAINT * BLOCKS * PIXELS
        kinds = [
            _blank(luma) if luma is not None and faint[n] else None for n, luma in enumerate(shown)
        ]
        for n, kind in enumerate(kinds):
            if kind is not None:
                nats[n] = nats[:, n] = [0.0 if other == kind else np.inf for other in kinds]

    def _tell_places(self, nats: Matrix) -> None:
        """Cameras that fill other parts of the program are told apart by that."""
        places = np.full((len(self._cameras), 4), np.nan)  # nan: not yet known, so not elsewhere
        for n, camera in enumerate(self._cameras):
            if camera.confirmed:
                on = camera.memory.placement.on
                places[n] = on.x0, on.y0, on.x1, on.y1
        apart = np.abs(places[:, None] - places[None, :]).max(axis=-1)
        nats[apart > _ELSEWHERE] = np.inf

    # ------------------------------------------------------------------ over time

    def _follow(self, at_ms: float, step_ms: float) -> None:
        """Note which pairs became alike, and which are no more."""
        steps = np.array([max(step_ms, camera.memory.step_ms) for camera in self._cameras])
        # A camera's picture that the program repeats is no new evidence.
        frames = self._settings.tell_ms / np.maximum(steps[:, None], steps[None, :])
        evidence = self._settings.honesty * self._nats * frames
        enough = self._settings.tell_nats * np.where(self._alike, _CLEARER, 1.0)
        alike = evidence < enough  # where one has no picture (nan): not alike, but lost
        for a, b in np.argwhere(np.triu(alike != self._alike)).tolist():
            if alike[a, b]:
                self._since[a, b] = at_ms
            else:
                self._end((a, b), at_ms)
        self._alike = alike
        near = evidence < _FAR * self._settings.tell_nats
        self._near = [bool(row.any()) for row in near]

    def _end(self, pair: tuple[int, int], at_ms: float) -> None:
        start = self._since.pop(pair)
        spans = self._over.setdefault(pair, [])
        _append(spans, (start, max(start, at_ms)))

    def _spans(self, pair: tuple[int, int]) -> list[Span]:
        spans = list(self._over.get(pair, ()))
        if pair in self._since:
            _append(spans, (self._since[pair], self._until_ms))
        return [span for span in spans if span[1] - span[0] >= _SHORTEST_MS]


def _append(spans: list[Span], span: Span) -> None:
    """Add a stretch; what is hardly apart becomes one, what stays too short is forgotten."""
    if spans and span[0] - spans[-1][1] < _SHORTEST_MS:
        span = (spans.pop()[0], span[1])
    elif spans and spans[-1][1] - spans[-1][0] < _SHORTEST_MS:
        spans.pop()
    spans.append(span)


def _unexplained(units: Floats, energy: Floats) -> Floats:
    """(32, n, n) energy of each camera's blocks that another's best neighbouring frame leaves."""
    count = units.shape[1]
    others = units.reshape(BLOCKS, count * _BESIDE, PIXELS)
    alike = np.matmul(units[:, :, 0], others.transpose(0, 2, 1))
    np.maximum(alike, 0, out=alike)
    alike *= alike
    alike *= energy[:, :, None]
    alike = alike.reshape(BLOCKS, count, count, _BESIDE)
    best = alike.sum(axis=0).argmax(axis=-1)
    out: Floats = energy[:, :, None] - np.take_along_axis(alike, best[None, ..., None], -1)[..., 0]
    return out


def _left_by(units: Floats, lengths: Floats, others: Floats) -> Floats:
    """(n, m) part of the energy of pictures (32, n, 72) that each of (32, m, 72) leaves; 1 for
    pictures without any."""
    alike = np.matmul(units, others.transpose(0, 2, 1))
    np.maximum(alike, 0, out=alike)
    alike *= lengths[:, :, None]
    alike *= alike
    whole = np.maximum((lengths * lengths).sum(axis=0), np.float32(1e-3))
    out: Floats = 1 - alike.sum(axis=0) / whole[:, None]
    return out


def _left_over(energy: Floats, fits: Floats) -> Floats:
    """(32, n) energy that a true match leaves, coding noise with it, of blocks (32, n).

    A fit f means that f of the 1.5 ln((E + 36) / 36) nats to be had are gained.
    """
    whole = energy + np.float32(NOISE)
    return np.asarray(whole * (whole / np.float32(NOISE)) ** -fits, np.float32)


def _blank(luma: Luma) -> str | None:
    """Which kind of nothing a picture shows, as for a program picture."""
    small = luma[::4, ::4]
    deviation, mean = float(small.std()), float(small.mean())
    if deviation > _FLAT_STD:
        return None
    if mean < _DARK:
        return "dark"
    return "plain" if mean > _BRIGHT or deviation < _PLAIN_STD else None
