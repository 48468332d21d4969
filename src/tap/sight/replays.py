"""Instant replays: older pictures of a tapped camera are not live.

A camera that stands still shows most of its older pictures in its present one, and one that was
never on has no record that would tell. So where no camera explains the program as well as ever, it
is held against everybody's past. What is found there goes on at the same pace: of the past but some
pictures are known, and between two of them a replay fits less.
"""

import math
from collections.abc import Iterable, Sequence

from tap.sight.camera import Camera
from tap.sight.crowd import groups
from tap.sight.doubt import ELSEWHEN_ODD, UNLIKE, level_of, usual_level
from tap.sight.evidence import Evidence
from tap.sight.infer import States
from tap.sight.settings import JUMP_MS
from tap.sight.views import Views

_AS_EVER, _THERE = 0.85, 0.8
"""Part of its usual fit from which on a camera explains a picture as ever, and that an older
picture must reach."""
_GAIN, _MOST = 0.08, 0.6
"""Part of all nats by which an older picture must explain more than all that is of now; and part of
what that lacks of the usual fit. What comes only somewhat nearer is of now, in a zoom or a fade."""
_WORSE, _LONG = 0.7, 7
"""Where what is of now reaches this part of the usual fit, or its feed stutters, it must be so for
so many pictures: the very picture may be missing, and what was filmed twice fits twice."""
_GOES_ON, _STILL = 0.25, 0.01
"""One that was found goes on as long as it reaches this part of the usual fit, and explains so much
more than what is of now."""
_PATIENCE = 6
"""Pictures that nothing explains for which one that was found may not be recognised."""
_KEEN, _EVERY = 8, 4
"""Of the pictures that are not explained the first few are searched for, then each fourth."""
_SLACK_MS = 60.0
"""How far around, beside what lies between two pictures of the past, a replay is looked for that
goes on."""
_PULL = 0.1
"""Part of all nats by which a replay is likelier than all that is of now."""


class Replays:
    """Follows program pictures in order."""

    def __init__(self, states: States, cameras: Sequence[Camera], max_delay_ms: float) -> None:
        self._states = states
        self._cameras = cameras
        self._max_delay_ms = max_delay_ms
        self._found: tuple[int, float] | None = None
        """The camera whose older pictures were found last, and how old they were, in ms."""
        self._since: int | None = None
        """The first picture that was not explained as ever, of those up to now."""
        self._missed = self._searches = 0
        self._newest = -1
        """The last picture: those before it may be looked at again, and end nothing."""
        self._begun = False
        """Whether it was found in the last picture, though it must have begun before."""

    def look(self, evidence: Evidence, views: Views) -> None:
        """Weigh "a replay" in a picture's evidence, if one is what explains it best."""
        if evidence.flat:
            return
        again, self._newest = evidence.index <= self._newest, max(evidence.index, self._newest)
        explained = evidence.raced or self._is_explained(evidence)
        if not (explained and self._found is None):
            now = self._now(evidence)
            if self._goes_on(evidence, views, now + (_GAIN if explained else _STILL)):
                self._missed = 0
                return
            if not (explained or again) and self._is_found(evidence, views, now):
                return
        if explained and not again:
            self._found = self._since = None
        elif not explained and self._found is not None:
            self._missed += not again
            if self._missed <= _PATIENCE:
                evidence.replayed = self._found[0]

    def look_back(self, earlier: Iterable[Evidence]) -> bool:
        """Weigh what was found just now in the pictures before, the newest of them first, as it may
        take some to be found: in all that were not explained since then, as its past is not known
        picture by picture. True if it is in one of them."""
        begun, self._begun = self._found if self._begun else None, False
        if begun is None:
            return False
        found = False
        for evidence in earlier:
            if evidence.replayed is not None or evidence.repeat:
                continue
            known = evidence.skipped or evidence.raced or evidence.flat
            if known or self._since is None or evidence.index < self._since:
                break
            if not self._goes_on(evidence, Views(evidence.luma), self._now(evidence) + _STILL):
                if int(evidence.nats.argmax()) > self._states.off:
                    break  # a mixture, or black
                self._say(evidence, begun[0])
            found = True
        return found

    def _now(self, evidence: Evidence) -> float:
        """The part of all nats that the best explanation by what is of now gains."""
        return self._states.shown(evidence.nats) / max(evidence.information, 1e-6)

    def _is_found(self, evidence: Evidence, views: Views, now: float) -> bool:
        """Whether a picture that nothing of now explains, of which that gains a part `now`, is in
        somebody's past, as far as it is searched."""
        self._since = evidence.index if self._since is None else self._since
        due = evidence.index - self._since < _KEEN or evidence.index % _EVERY == 0
        return due and self._search(evidence, views, now)

    def _is_explained(self, evidence: Evidence) -> bool:
        """Whether some camera explains the picture as well as ever, or none ever did."""
        best, usual = evidence.best, usual_level(self._cameras)
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None or usual is None:
            return True
        level = max(level_of(best, self._cameras), _AS_EVER * usual)
        return match.fit >= _AS_EVER * level and evidence.odd < UNLIKE

    def _goes_on(self, evidence: Evidence, views: Views, least: float) -> bool:
        """Whether what was found goes on in this picture, which it must explain so well; then it is
        weighed."""
        if self._found is None:
            return False
        number, age_ms = self._found
        usual, camera = usual_level(self._cameras) or 0.0, self._cameras[number]
        slack_ms, then_ms = camera.past.sure_ms / 2 + _SLACK_MS, evidence.at_ms - age_ms
        seen, penalty = views.through(camera.memory.placement.on, camera.memory.cells)
        fit, _ = camera.past.best(seen, camera.memory, then_ms - slack_ms, then_ms + slack_ms)
        if penalty * fit < max(_GOES_ON * usual, least):
            return False
        self._say(evidence, number)
        return True

    def _search(self, evidence: Evidence, views: Views, now: float) -> bool:
        """Look for the picture in everybody's past; True if it is there, and weighed."""
        crowd, usual = groups(len(self._cameras)), usual_level(self._cameras) or 0.0
        best = 0.0, 0, 0.0
        self._searches += 1
        for number, camera in list(enumerate(self._cameras))[self._searches % crowd :: crowd]:
            if number in (*evidence.lacking, *evidence.blind) or camera.size is None:
                continue
            delay_ms = camera.delay.ms if camera.delay.locked else None
            newest_ms = self._max_delay_ms if delay_ms is None else delay_ms + JUMP_MS
            seen, penalty = views.through(camera.memory.placement.on, camera.memory.cells)
            until_ms = evidence.at_ms - newest_ms
            fit, then_ms = camera.past.best(seen, camera.memory, -math.inf, until_ms)
            best = max(best, (penalty * fit, number, evidence.at_ms - then_ms))
        fit, number, age_ms = best
        if fit < max(_THERE * usual, now + _GAIN, now + _MOST * (usual - now)):
            return False
        for_long = self._since is not None and evidence.index - self._since >= _LONG - 1
        if (now > _WORSE * usual or self._stutters(evidence)) and not for_long:
            return False
        self._found, self._missed, self._begun = (number, age_ms), 0, True
        self._say(evidence, number)
        return True

    def _stutters(self, evidence: Evidence) -> bool:
        """Whether the camera that explains most may only lack the very picture."""
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None:
            return False
        camera = self._cameras[best]
        lag_ms = match.lag_ms if camera.delay.ms is None else camera.delay.ms
        return best in evidence.lacking or camera.memory.stutters(evidence.at_ms - lag_ms)

    def _say(self, evidence: Evidence, number: int) -> None:
        off = self._states.off
        evidence.replayed, evidence.odd = number, max(evidence.odd, ELSEWHEN_ODD)
        above = float(evidence.nats.max()) + _PULL * evidence.information
        evidence.nats[off] = max(evidence.nats[off], above)
