"""Sight: frames in, shots and events out. Pure: no I/O, no clock, the same for live and replay."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np

from tap.sight.camera import Camera, compare_as_coarsely
from tap.sight.compose import Composer
from tap.sight.doubt import usual_level
from tap.sight.evidence import Evidence
from tap.sight.eye import Eye
from tap.sight.freeze import FreezeWatch
from tap.sight.fringe import Fringes
from tap.sight.infer import Decided, Inference, States, decide_all
from tap.sight.now import Now, now_at
from tap.sight.observe import Observer, Separations
from tap.sight.placement import same_shape
from tap.sight.presence import NO_FRAMES, Presence
from tap.sight.ruler import MOST_SURE, Ruler
from tap.sight.ruling import Ruling
from tap.sight.settings import SightSettings
from tap.sight.shots import Piece, ShotBuilder
from tap.sight.surveyor import Surveyor
from tap.sight.zoom import AS_WELL
from tap.vocabulary import (
    PROGRAM,
    CameraSeen,
    Event,
    Frame,
    Gap,
    Indistinguishable,
    LookAt,
    ShotState,
    Undecoded,
    luma_of,
    when_asked,
)

_BURST = 0.5
"""After a gap, pictures of the program that are closer to each other than this part of the usual
time between two come in a burst."""
_AHEAD = 30
"""In hindsight so many pictures tell whether a camera was on that gave none itself."""

Explain = Callable[[Evidence, Decided, Ruling, Sequence[Camera]], None]
"""Hears of a program frame as it is ruled: from what, how, and what is known of each camera. What
it is given changes afterwards: it must copy what it keeps."""


class Sight:
    """Names the live camera of a program from pictures alone.

    Feed it every frame of every feed in order of time (`see`), and the passing of time where no
    frame tells it (`pass_time`); take what has been decided with `take`. Equal frames in equal
    order give equal answers.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        settings: SightSettings | None = None,
        *,
        keep_evidence: bool = False,
        explain: Explain | None = None,
        look_at: LookAt = when_asked,
    ) -> None:
        """`keep_evidence`: remember what `in_hindsight` needs, some KB a program frame. `look_at`
        hears of cameras' pictures that will be looked at in a moment; it changes no answer."""
        self._explain = explain
        self.settings = settings or SightSettings()
        self._kept: list[Evidence | Ruling] | None = [] if keep_evidence else None
        self.cameras = tuple(cameras)
        self._eyes = [Camera(self.settings, look_at, len(cameras)) for _ in self.cameras]
        self._number = {name: n for n, name in enumerate(self.cameras)}
        self._states = States(len(self.cameras))
        self._eye = Eye(self._states, self._eyes, self.settings, look_at)
        self._surveyor = Surveyor(self._eye, self._eyes, self.settings.max_delay_ms)
        self._composer = Composer(self._eye, self._eyes, self._states, self.settings.max_delay_ms)
        self._inference = Inference(
            self._states,
            sharpness=self.settings.sharpness,
            honesty=self.settings.honesty,
            lag_ms=self.settings.decision_lag_ms,
            lag_frames=self.settings.decision_lag_frames,
        )
        self._fringes = Fringes(self._states, self._eyes)
        self._builder = ShotBuilder(self.settings)
        self._observer = Observer(self.cameras, self._eyes, self.settings)
        self._presence = {
            feed: Presence(feed, self.settings.gap_ms) for feed in (*self.cameras, PROGRAM)
        }
        self._freeze = FreezeWatch(self.settings.freeze_ms)
        self._held: deque[Frame] = deque()
        self._resumed: tuple[Gap, Frame] | None = None
        """A gap of the program, and its last picture since, which may be of a burst."""
        self._waiting: deque[Evidence] = deque()
        self._size: tuple[int, int] | None = None
        self._frames = 0
        self._now_ms = 0.0
        self._ruler = Ruler(self.cameras, self._states, self._eyes, self.settings)
        self.now: Now | None = None

    # ------------------------------------------------------------------ in

    def see(self, frame: Frame) -> None:
        """Take the next frame of any feed; frames come ordered by time over all feeds."""
        self.pass_time(frame.at_ms)
        presence = self._presence[frame.feed]
        gap = presence.frame(frame.at_ms)
        if frame.feed == PROGRAM:
            self._see_program(frame, gap)
            return
        camera = self._eyes[self._number[frame.feed]]
        if camera.size is None or not same_shape(camera.size, frame.size):
            camera.size = frame.size
            compare_as_coarsely(self._eyes)
            self._surveyor.reset(camera, self._size)
        picture = frame.picture
        if not self.settings.full_look:
            # What sight itself has looked at counts: others, who look as well, must not matter.
            picture = Undecoded(partial(luma_of, picture))
        camera.take(frame.at_ms, picture)

    def _see_program(self, frame: Frame, gap: Gap | None) -> None:
        """The next picture of the program, and the gap that it ends, if it does.

        What comes in a burst after a gap was stuck on its way: it is older than it seems, and a
        change to what follows happened in the gap. The last of it is as good as the first.
        """
        if gap is not None:
            self._flush()  # what was before ends where the gap begins
            self._resumed = gap, frame
            return
        if self._resumed is not None:  # else time has ended the burst
            self._resumed = self._resumed[0], frame
            return
        self._held.append(frame)
        self._release()

    def _resume(self) -> None:
        """The program is back."""
        if self._resumed is not None:
            (gap, first), self._resumed = self._resumed, None
            self._blind(gap, first.at_ms)
            self._held.append(first)

    def give_up(self, feed: str, from_ms: float, until_ms: float) -> None:
        """Frames of a feed, [from_ms, until_ms], came and will not be seen; in order of time."""
        self.pass_time(from_ms)
        self._presence[feed].give_up(from_ms, until_ms)

    def pass_time(self, now_ms: float) -> None:
        """Time has come to `now_ms`, with or without frames."""
        for presence in self._presence.values():
            presence.pass_time(now_ms)
        self._now_ms = now_ms
        burst_ms = _BURST * self._presence[PROGRAM].interval_ms
        if self._resumed is not None and now_ms - self._resumed[1].at_ms >= burst_ms:
            self._resume()
        self._release()

    def finish(self) -> None:
        """Nothing follows: decide all that waits."""
        self._resume()
        self._flush()
        for feed, presence in self._presence.items():
            gap = presence.finish(self._now_ms)
            if gap is not None and feed == PROGRAM:
                self._blind(gap, gap[1])
        self._tell(None)
        self._freeze.finish()

    # ------------------------------------------------------------------ out

    def take(self) -> tuple[list[Piece], list[Event]]:
        """What has been decided since the last call: pieces of shots, and events."""
        shots, self._builder.shots = self._builder.shots, []
        events, self._builder.events = self._builder.events, []
        events += self._freeze.take()
        for presence in self._presence.values():
            events += presence.take()
        events.sort(key=lambda e: (e.at_ms, e.id))
        return shots, events

    @property
    def until_ms(self) -> float | None:
        """Everything on the program before this time is decided."""
        return self._builder.until_ms

    @property
    def cuts_until(self) -> int | None:
        """All hard cuts up to and with this program frame are told of."""
        return self._builder.cuts_until

    def cameras_seen(self) -> tuple[CameraSeen, ...]:
        """What was learnt about each camera so far."""
        named = zip(self.cameras, self._eyes, strict=True)
        return tuple(camera.seen(name, self._presence[name]) for name, camera in named)

    @property
    def program_frames(self) -> int:
        """Program frames looked at."""
        return self._frames

    @property
    def separations(self) -> Separations:
        """How well the cameras can be told apart just now."""
        return self._observer.separations

    def indistinguishable(self) -> tuple[Indistinguishable, ...]:
        """Pairs of cameras between which a cut would not have been seen, and when."""
        return self._observer.indistinguishable()

    def in_hindsight(self) -> tuple[list[Piece], list[Event]]:
        """Pieces of shots, and the changes between them, decided anew knowing everything.

        Needs `keep_evidence`, and `finish` before.
        """
        kept = self._kept or []
        looked = [item for item in kept if isinstance(item, Evidence)]
        decided = iter(
            decide_all(
                self._states,
                [(e.at_ms, e.nats) for e in looked],
                sharpness=self.settings.sharpness,
                honesty=self.settings.honesty,
            )
        )
        builder = ShotBuilder(self.settings)
        self._ruler.start_again()
        for number, item in enumerate(kept):
            if isinstance(item, Ruling):
                builder.add(item)
                continue
            after = kept[number + 1 : number + 1 + _AHEAD]
            end_ms = after[0].at_ms if after else self._end_of(item)
            following = [one for one in after if isinstance(one, Evidence)]
            ruling = self._ruler.rule(item, next(decided), following, end_ms)
            builder.add(replace(ruling, fringe=item.fringe))
        builder.finish()
        return builder.shots, self._observer.claimable(builder.events)

    # ------------------------------------------------------------------ a program frame's way

    def _lookahead_ms(self) -> float:
        """How long to wait for cameras whose clock seems to run ahead of the program's."""
        delays = [c.delay.ms for c in self._eyes if c.confirmed and c.delay.ms is not None]
        if not delays:
            return 0.0
        return min(self.settings.max_lookahead_ms, max(0.0, 60.0 - min(delays)))

    def _release(self) -> None:
        while self._held and self._now_ms >= self._held[0].at_ms + self._lookahead_ms():
            self._evaluate(self._held.popleft())

    def _evaluate(self, frame: Frame) -> None:
        if self._observer.look(frame.at_ms, self._presence[PROGRAM].interval_ms):
            self._eye.call_up()
            for number, camera in enumerate(self._eyes):  # at what has just been looked at
                camera.still.look(frame.at_ms - self._observer.delay_ms(number))
        if self._size is None or not same_shape(self._size, frame.size):
            self._size = frame.size
            for camera in self._eyes:
                self._surveyor.reset(camera, self._size)
        self._surveyor.predict(frame.at_ms)
        evidence = self._eye.look(self._frames, frame.at_ms, frame.luma)
        self._frames += 1
        self._freeze.look(evidence)
        passed_over = self._look_back() if not (evidence.raced or evidence.skipped) else False
        self._waiting.append(evidence)
        if self._has_frozen(evidence) or self._is_elsewhere(evidence):
            self._look_again()
        elif self._looks_back() or passed_over:
            self._learn(self._inference.replace([(e.at_ms, e.nats) for e in self._waiting]))
        else:
            self._learn(self._inference.add(evidence.at_ms, evidence.nats))
        self.now = now_at(evidence.at_ms, self._inference.now, self.cameras, MOST_SURE)

    def _looks_back(self) -> bool:
        """Whether earlier pictures say something else now that it is known what to look for."""
        return any(
            look_back(islice(reversed(self._waiting), 1, None))
            for look_back in (self._composer.look_back, self._eye.look_back)
        )

    def _has_frozen(self, evidence: Evidence) -> bool:
        """Whether a camera turns out to be frozen: its first such pictures passed for new ones."""
        before = self._waiting[-2].frozen if len(self._waiting) > 1 else ()
        return bool(set(evidence.frozen) - set(before))

    def _is_elsewhere(self, evidence: Evidence) -> bool:
        """Whether a camera turns out to lie elsewhere."""
        return not self._composer.look(evidence) and self._surveyor.survey(evidence)

    def _look_again(self) -> None:
        """A placement has changed, or a camera is frozen: see what is not yet decided anew, where
        that explains it."""
        self._waiting = deque(self._seen_anew(old) for old in self._waiting)
        self._learn(self._inference.replace([(e.at_ms, e.nats) for e in self._waiting]))

    def _seen_anew(self, old: Evidence) -> Evidence:
        """What a picture that waits says now, if it is not clear already."""
        explained = self._eye.explained(old)
        if explained and not self._surveyor.begun and not self._eye.is_partly_hidden(old):
            return old
        new = self._eye.look_again(old.index, old.at_ms, old.luma, repeat=old.repeat)
        # What zooms lay elsewhere then; and two cameras side by side are found by what went before.
        beside, mixed = old.composed is not None, int(old.nats.argmax()) in old.mixes
        better = self._states.shown(new.nats) > self._states.shown(old.nats)
        worse = (explained or beside or mixed) and not better
        lost = beside and not self._eye.explained(new)
        return old if worse or lost else new

    def _look_back(self) -> bool:
        """Something has changed: look at the pictures that were passed over just before."""
        passed_over: list[Evidence] = []
        while self._waiting and self._waiting[-1].skipped:
            passed_over.append(self._waiting.pop())
        for old in reversed(passed_over):
            new = self._eye.look_again(old.index, old.at_ms, old.luma, repeat=old.repeat)
            self._waiting.append(new)
        return bool(passed_over)

    def _flush(self) -> None:
        """Decide all program frames so far."""
        while self._held:
            self._evaluate(self._held.popleft())
        self._learn(self._inference.flush())

    def _learn(self, decided: Sequence[Decided]) -> None:
        for verdict in decided:
            evidence = self._waiting.popleft()
            following = self._waiting[0].at_ms if self._waiting else self._end_of(evidence)
            ruling = self._ruler.rule(evidence, verdict, self._waiting, following)
            if self._states.pairs:
                state = int(np.argmax(verdict.sharp))
                evidence.fringe = self._fringes.look(evidence, state, self._waiting)
                ruling = replace(ruling, fringe=evidence.fringe)
            if self._explain is not None:
                self._explain(evidence, verdict, ruling, self._eyes)
            self._tell(ruling)
            if ruling.believed > 0.9 and not self._freeze.frozen:
                self._learn_cameras(evidence, ruling)
            if self._kept is not None:
                self._kept.append(evidence.slim())

    def _learn_cameras(self, evidence: Evidence, ruling: Ruling) -> None:
        """What a decided picture says of its camera, or of each of those that it may be of: twins
        must not come to differ by what is known of them."""
        if ruling.state not in {ShotState.LIVE, ShotState.AMBIGUOUS}:
            return
        numbers = [self._number[name] for name in ruling.cameras]
        found = [(n, match) for n in numbers if (match := evidence.matches[n]) is not None]
        best = max((match.fit for _, match in found), default=0.0)
        for number, match in found:
            if match.fit >= AS_WELL * best:
                self._eyes[number].learn(evidence, match, usual_level(self._eyes) or 0.0)

    def _tell(self, ruling: Ruling | None) -> None:
        """Pass a ruling on, None after the last; a hold is claimed by what was seen until now."""
        builder = self._builder
        before = len(builder.events)
        if ruling is None:
            builder.finish()
        else:
            builder.add(ruling)
        builder.events[before:] = self._observer.claimable(builder.events[before:])

    def _end_of(self, evidence: Evidence) -> float:
        """When the next picture is due after this one."""
        return evidence.at_ms + self._presence[PROGRAM].interval_ms

    def _blind(self, gap: Gap, to_ms: float) -> None:
        """The program gave nothing for a while, or more of it than could be looked at."""
        from_ms, _, why = gap
        self._flush()
        self._freeze.finish()
        unseen = Ruling(
            self._frames - 1,
            from_ms,
            to_ms,
            ShotState.UNSEEN,
            (),
            1.0,
            reason="no program frames" if why == NO_FRAMES else why,
        )
        self._tell(unseen)
        self._observer.pause(from_ms)
        if self._kept is not None:
            self._kept.append(unseen)
