"""From frame-by-frame rulings to shots and events.

Rulings come in order. The newest stay *open* until what they belong to is clear: a dissolve must
be over before it can be told from a cut, a fade before its length is known. What is clear is
emitted as pieces of shots, which partition time, and as events.
"""

from collections.abc import Sequence
from itertools import takewhile

from tap.sight.ruling import Ruling
from tap.sight.runs import UNCLEAN, Run, ebbs, is_over, joined
from tap.sight.settings import SightSettings
from tap.sight.soft import (
    LONGEST_FADE_MS,
    SHORTEST_SOFT,
    Change,
    comes_slowly,
    fade_in_length,
    fade_out_length,
    goes_on,
    known_gains,
    read_pair,
)
from tap.vocabulary import Event, EventType, Shot, ShotState

Piece = tuple[Shot, str]
"""A shot, or a part of one, and why it is unseen where it is."""

_BACK = 4
"""Frames of a running shot that stay open: a dissolve's first frames look like the shot before."""
_STABLE = {ShotState.UNSEEN: 1, ShotState.OFF_CAMERA: 6}
_STABLE_ELSE = 3
"""Frames after which a new state is believed to stay."""
_COMPOSED_MS = 3500.0
"""A pair that lasts longer is no transition."""
_LONGEST_OPEN_MS = 8000.0
"""What is open for longer than any soft change takes is told as it stands: nothing may hold up all
that follows."""
_FADING = 0.92
_UNREADABLE = {ShotState.OFF_CAMERA, ShotState.AMBIGUOUS, ShotState.UNSEEN}
"""What the dimmest pictures of a fade may be taken for: as little is to be seen of cameras whose
pictures are missing."""


class ShotBuilder:
    """Builds shots and events out of rulings. The caller empties `shots` and `events`."""

    def __init__(self, settings: SightSettings) -> None:
        self._settings = settings
        self._open: Run = []
        self._anchor: Ruling | None = None
        """The last ruling emitted: what went before the open ones."""
        self._since_ms = 0.0
        self._gain = 0.0
        self._gains: dict[str, float] = {}
        """Usual gain of the shot that is running, and of each camera's last shot."""
        self.shots: list[Piece] = []
        self.events: list[Event] = []

    @property
    def until_ms(self) -> float | None:
        """Everything before this time is decided."""
        return self._anchor.end_ms if self._anchor is not None else None

    @property
    def cuts_until(self) -> int | None:
        """All hard cuts up to and with this program frame are told of: a dissolve may yet turn out
        to have begun before it, a cut shows in its first frame."""
        anchor = self._anchor
        if anchor is None:
            return None
        goes_on = takewhile(lambda ruling: ruling.key == anchor.key, self._open)
        return max((ruling.index for ruling in goes_on), default=anchor.index)

    def add(self, ruling: Ruling) -> None:
        """Take the next ruling, which begins where the last one ended."""
        anchor = self._anchor
        if (
            ruling.state is ShotState.TRANSITION
            and anchor is not None
            and anchor.key == (ShotState.COMPOSED, ruling.cameras)
        ):
            ruling = ruling.taken_for(anchor.key)
        self._open.append(ruling)
        while self._take_change(final=False):
            pass
        self._emit_settled()
        if self._open and self._open[-1].end_ms - self._open[0].at_ms > _LONGEST_OPEN_MS:
            self._emit_all()

    def finish(self) -> None:
        """Nothing follows: emit all that is open. A fade may have begun, to what is not known."""
        while self._take_change(final=True):
            pass
        run, self._open = self._open, []
        live = bool(run) and run[-1].state is ShotState.LIVE
        out = fade_out_length(run, self._gain) if live else 0
        if out >= SHORTEST_SOFT:
            self._emit(run[:-out])
            self._emit(run[-out:], ShotState.TRANSITION)
        else:
            self._emit(run)
        self._end_hold()

    def _emit_all(self) -> None:
        """Emit what is open, as if nothing followed."""
        while self._take_change(final=True):
            pass
        self._emit(self._open)
        self._open = []

    # ------------------------------------------------------------------ when is it clear

    def _take_change(self, *, final: bool) -> bool:
        """Emit the first change among the open rulings, if there is one and it is clear."""
        runs = joined(self._open, self._anchor, final=final)
        self._open = [ruling for run in runs for ruling in run]
        head: Run = []
        if runs and (self._anchor is None or runs[0][0].key == self._anchor.key):
            head = runs.pop(0)
        origin = head[-1] if head else self._anchor
        if not runs or origin is None:
            return False
        pair: Run = []
        while runs and runs[0][0].state is ShotState.TRANSITION:
            pair += runs.pop(0)
        if not runs:
            return self._take_long_pair(head, pair, final=final)
        fades = origin.camera is not None and not pair
        out = fade_out_length(head, self._gain) if fades else 0
        dimmed = fade_out_length(head, self._gain, dimmed=True) if fades and not out else 0
        bridge, target, open_ = self._bridge(runs, faded=out + dimmed > 0)
        stable = _STABLE.get(target[0].state, _STABLE_ELSE)
        if target[0].state is ShotState.OFF_CAMERA and (pair or ebbs([origin, *target])):
            stable = UNCLEAN
        settled = len(target) >= stable or target is not runs[-1]
        from_black = bool(bridge) or origin.state is ShotState.BLACK or out > 0
        usual = self._gains.get(target[0].camera or "", self._gain)
        into = fade_in_length(target, usual, from_black=from_black)
        if into is None and is_over(target, runs):
            into = 0  # it is too short to tell, and grows no more
        # What ends a run that something else follows is of that: it would be waited for for ever.
        settled = settled and not (pair and target is runs[-1] and goes_on(pair, target))
        if not final and (not settled or into is None or open_):
            return False
        if into is None:  # all ends while it comes
            into = len(target) - 1 if comes_slowly(target) else 0
        if dimmed and bridge and comes_slowly(target):
            out = dimmed
        elif dimmed and any(r.state in _UNREADABLE for r in bridge):
            into = 0
        if not into and any(r.state in _UNREADABLE for r in bridge):
            bridge, target = [], runs[0]
        if not pair and out + into >= SHORTEST_SOFT:
            during = [*head[len(head) - out :], *bridge, *target[:into]]
            fade = Change(EventType.FADE, head[: len(head) - out], during, target[into:])
            self._emit_change(fade, origin)
            return True
        origin = _shown_in(pair, origin, (bridge or target)[0])
        change = read_pair(head, pair, bridge or target, origin)
        if change is None:
            self._emit(head)
            self._emit(pair, ShotState.COMPOSED)
            self._begin(bridge or target)
        else:
            self._emit_change(change, origin)
        return True

    def _bridge(self, runs: list[Run], *, faded: bool) -> tuple[Run, Run, bool]:
        """A short time of black that another picture follows, and that picture's run; and whether
        that is still to be seen. Where a picture `faded`, what can't be recognised counts as well:
        it may have gone through white."""
        dark = {ShotState.BLACK, *(_UNREADABLE if faded else ())}
        count = next((n for n, run in enumerate(runs) if run[0].state not in dark), len(runs))
        bridge = [ruling for run in runs[:count] for ruling in run]
        if not bridge or bridge[-1].end_ms - bridge[0].at_ms > self._settings.fade_through_ms:
            return [], runs[0], False
        if count == len(runs):
            return [], runs[0], True
        return bridge, runs[count], False

    def _take_long_pair(self, head: Run, pair: Run, *, final: bool) -> bool:
        """Two cameras on screen, and nothing after it yet."""
        lasted = pair[-1].end_ms - pair[0].at_ms
        if lasted < _COMPOSED_MS and not final:
            return False
        self._emit(head)
        self._emit(pair, ShotState.COMPOSED if lasted >= _COMPOSED_MS else ShotState.TRANSITION)
        self._open = []
        return True

    # ------------------------------------------------------------------ saying it

    def _emit_change(self, change: Change, origin: Ruling) -> None:
        new = change.after
        self._emit(change.before)
        named = [c for c in (origin.camera, new[0].camera) if c]
        self._emit(change.during, ShotState.TRANSITION, tuple(named))
        if _is_seen(origin, new[0]):
            first = change.during[0] if change.during else new[0]
            sure = new[1:6] or new[:1]
            self.events.append(
                Event(
                    id=f"{change.kind.value}-{first.at_ms:.0f}",
                    type=change.kind,
                    at_ms=first.at_ms,
                    duration_ms=change.during[-1].end_ms - first.at_ms if change.during else 0.0,
                    from_camera=origin.camera,
                    to_camera=new[0].camera,
                    confidence=min(origin.confidence, sum(r.confidence for r in sure) / len(sure)),
                    frame=first.index,
                )
            )
        self._begin(new)

    def _begin(self, new: Sequence[Ruling]) -> None:
        """Emit the first frame of a new shot, which makes it the one that is running."""
        self._emit(new[:1])
        self._open = [*new[1:], *(r for r in self._open if r.at_ms > new[-1].at_ms)]

    def _emit_settled(self) -> None:
        """Emit what of the running shot can't belong to a change any more."""
        run = self._open
        if any(r.key != run[0].key for r in run) or len(run) <= _BACK:
            return
        if self._anchor is not None and run[0].key != self._anchor.key:
            return
        keep = _BACK
        if run[0].state is ShotState.LIVE and self._gain:
            gains = known_gains(run[::-1])
            fading = next((n for n, gain in gains if gain >= _FADING * self._gain), len(run))
            if fading and run[-1].end_ms - run[-fading].at_ms < LONGEST_FADE_MS:
                keep = max(keep, fading + 2)
        mixed = next((n for n, r in enumerate(reversed(run)) if not r.fringe), len(run))
        if mixed:
            keep = max(keep, mixed + 2)
        if len(run) > keep:
            self._emit(run[:-keep])
            self._open = run[-keep:]

    def _emit(
        self,
        rulings: Sequence[Ruling],
        state: ShotState | None = None,
        cameras: tuple[str, ...] | None = None,
    ) -> None:
        """Emit rulings as one piece of a shot."""
        if not rulings:
            return
        first, last, count = rulings[0], rulings[-1], len(rulings)
        state = state or first.state
        cameras = first.cameras if cameras is None else cameras
        runner = max(rulings, key=lambda r: r.runner_up_confidence)
        confidence = sum(r.confidence for r in rulings) / count
        shot = Shot(
            start_ms=first.at_ms,
            end_ms=last.end_ms,
            state=state,
            camera=cameras[0] if state is ShotState.LIVE else None,
            cameras=cameras,
            confidence=confidence,
            runner_up=runner.runner_up,
            runner_up_confidence=sum(r.runner_up_confidence for r in rulings) / count,
        )
        reasons = dict.fromkeys(r.reason for r in rulings if r.reason)
        self.shots.append((shot, "; ".join(reasons) if state is ShotState.UNSEEN else ""))
        if self._anchor is None or (state, cameras) != self._anchor.key:
            self._end_hold()
            self._since_ms = first.at_ms
            self._gain = 0.0
        for _, gain in known_gains(rulings) if state is ShotState.LIVE else ():
            self._gain += (0.1 if self._gain else 1.0) * (gain - self._gain)
        if state is ShotState.LIVE and self._gain:
            self._gains[cameras[0]] = self._gain
        self._anchor = last.taken_for((state, cameras))

    def _end_hold(self) -> None:
        """The event of a hold, if the shot that ends here was long enough for one."""
        anchor = self._anchor
        if anchor is None or anchor.camera is None:
            return
        if anchor.end_ms - self._since_ms >= self._settings.hold_ms:
            self.events.append(
                Event(
                    id=f"{EventType.HOLD.value}-{self._since_ms:.0f}",
                    type=EventType.HOLD,
                    at_ms=self._since_ms,
                    duration_ms=anchor.end_ms - self._since_ms,
                    from_camera=anchor.camera,
                    to_camera=anchor.camera,
                    confidence=anchor.confidence,
                )
            )
            self._since_ms = anchor.end_ms  # it is told once, however often it is ended


def _shown_in(pair: Sequence[Ruling], origin: Ruling, target: Ruling) -> Ruling:
    """What a mixture leads away from: where nobody explained the picture just before, the camera
    that it shows beside the target, as it was mixed before it could be seen to be."""
    other = {camera for ruling in pair for camera in ruling.cameras} - {target.camera}
    if origin.state is not ShotState.OFF_CAMERA or target.camera is None or len(other) != 1:
        return origin
    return origin.taken_for((ShotState.LIVE, tuple(other)))


def _is_seen(old: Ruling, new: Ruling) -> bool:
    """Whether a change between two rulings was seen, rather than hidden or only possible."""
    if ShotState.UNSEEN in (old.state, new.state):
        return False
    if old.state == new.state == ShotState.OFF_CAMERA:
        return False
    if ShotState.AMBIGUOUS in (old.state, new.state):
        return not set(old.cameras) & set(new.cameras)
    return True
