"""The surveyor: finds out how each camera lies in the program, and follows it when it moves.

A new placement is looked for only while no camera explains the program, and believed only if it
explains several frames much better than anything else does: one lucky pair of pictures must not
bend one camera's picture into another's. Once it is known how well cameras fit in this programme, a
placement must make its camera fit as well: what only comes near is another camera.
"""

from collections import Counter

from tap.sight.camera import Camera, usual_delay
from tap.sight.company import Company
from tap.sight.crowd import step_of
from tap.sight.dissolve import DissolveFinder
from tap.sight.doubt import usual_level
from tap.sight.evidence import Evidence, Match
from tap.sight.eye import Eye
from tap.sight.habits import Habits
from tap.sight.look import WHOLE, unit
from tap.sight.match import part_of
from tap.sight.motion import same_place, step
from tap.sight.placement import (
    Placement,
    clipped,
    same_shape,
)
from tap.sight.propose import GOES_ON, Proposal, Proposer
from tap.sight.refine import STEP_GAIN, refine
from tap.sight.turned import TurnedFinder
from tap.sight.views import Views, is_portrait
from tap.sight.zoom import AS_WELL, ROUNDS, WORTH, ZoomTracker, twins
from tap.vocabulary import Luma

_AGREE, _PLAIN = 2, 0.8
"""Surveys that must find the same placement, unless it fits to this part as cameras usually do."""
_KEEN, _SOON, _OFTEN = 6, 60, 10
"""Unexplained frames that are all surveyed; then, up to so many, two of ten; after that ..."""
_EVERY = 15
"""... two at this many, at twice, four times as many, and so on."""
_FLOWS, _LONG = 0.2, 12
"""A picture of which the one before explains less than this part is another one: that is surveyed
as the first was, but where the one before was not for long."""
_BARS_EVERY = 4
"""Of the pictures that are explained, every so many are searched for bars."""
_ZOOM_FROM = 4
"""Unexplained frames before the whole camera is searched for a crop."""
_MISSING_MS = 2000.0
"""So long after a camera without pictures was seen last nothing else is looked for in its place."""
_BACK_MS = 120.0
"""... nor so long after it came back: the picture may yet be the last of those missing."""
_HICCUP_MS, _HICCUP_STEPS = 150.0, 3.0
"""So long after a camera was seen that stutters, and for so many of its usual steps, nothing else
is looked for either, unless the program has cut: the very picture may be missing."""
_COMES_ON, _TRIES = 0.93, 8
"""A camera that was never on must fit to this part as cameras usually do, where its picture that is
due by then lies; and so many times at most it is looked for there in vain."""
_DIM = 0.4
"""Below this part of the usual nats a picture is too dim (a fade) to find a place by."""


class Surveyor:
    """Confirms what is proposed, and keeps where every camera lies."""

    def __init__(self, eye: Eye, cameras: list[Camera], max_delay_ms: float) -> None:
        self._eye = eye
        self._cameras = cameras
        self._habits = Habits(cameras)
        self._settled: set[int] = set()
        """Cameras whose place is known to a part of a grid cell."""
        self._full: dict[int, Placement] = {}
        """Where each camera lies, bars or no bars."""
        self._tries: Counter[int] = Counter()
        """How often each was looked for as it came on, in vain."""
        self._seen: int | None = None
        """The camera that explained a picture last, when that was, and how late it was."""
        self._seen_ms = self._seen_lag_ms = 0.0
        self.begun = False
        """Whether a dissolve was found in the last picture that has hardly begun."""
        self._unexplained = self._surveys = 0
        self._votes: list[tuple[int, Placement]] = []
        self._before: tuple[int, Luma] | None = None
        """The picture before, and which it was."""
        self._cut = False
        """Whether the program may have cut since a camera was seen."""
        self._hopeful = False
        """The last survey found what another must confirm: the next picture is surveyed too."""
        self._proposer = Proposer(eye, cameras, self._habits)
        self._company = Company(
            len(cameras),
            lambda number: self._full.get(id(cameras[number])),
            lambda number: self._habits.base(cameras[number]),
            lambda number, placement: self._place(cameras[number], placement, anew=False),
        )
        self._zoom = ZoomTracker(eye, cameras, self._move)
        self._dissolves = DissolveFinder(eye, cameras, self._move, self._habits.base, max_delay_ms)
        self._turned = TurnedFinder(eye, cameras, self._move, max_delay_ms)

    def reset(self, camera: Camera, program: tuple[int, int] | None) -> None:
        """The camera's or the program's picture has a new shape: start from the usual placement.

        Sizes are (width, height) in px; `program` is None as long as it gave no picture.
        """
        self._habits.program = program
        first = self._habits.first(camera)
        if first is not None:
            number = self._cameras.index(camera)
            self._settled.discard(number)
            self._tries.pop(number, None)
            self._company.forget(number)
            camera.confirmed = False
            self._place(camera, first)

    def survey(self, evidence: Evidence) -> bool:
        """Look for better placements if the picture is unexplained. True if one was changed."""
        self.begun = False
        before, self._before = self._before, (evidence.index, evidence.luma)
        nothing = evidence.repeat or evidence.flat or evidence.skipped
        if self._habits.program is None or nothing or evidence.replayed is not None:
            return False
        if evidence.information < _DIM * max(c.information for c in self._cameras):
            return False
        if 2 * len(evidence.lacking) > len(self._cameras):
            return False  # the very picture is missing: no better placement will explain it
        self._look_for_bars(evidence)
        if self._comes_on(evidence) or self._track(evidence):
            return True
        if self._eye.explained(evidence):
            self._saw(evidence)
            self._unexplained, self._cut = 0, False
            self._votes.clear()
            if evidence.best in self._settled and self._zoom.leads(evidence):
                self._company.lead(evidence.best, zooms=self._zoom.under_way)
            self._dissolves.note(evidence)
            self.begun = self._dissolves.begins(evidence) and self._dissolves.look(evidence)
            return self.begun or self._turned.look(evidence)
        if self._turned.look(evidence) or self._dissolves.look(evidence):
            return True
        another = _is_another(evidence, before)
        self._cut = self._cut or another is not False
        if self._is_missing_since(evidence) or self._is_still_there(evidence):
            return False
        afresh = another is True and self._unexplained >= _LONG
        self._unexplained = 1 if afresh else self._unexplained + 1
        turn = step_of(self._unexplained, len(self._cameras))
        if turn is None or not (_due(turn) or self._hopeful):
            return False
        # Surveys come in pairs that must agree: each pair asks the same of many cameras.
        proposal = self._proposer.propose(
            evidence, self._surveys // _AGREE, thorough=self._unexplained >= _ZOOM_FROM
        )
        agreed = proposal is not None and self._is_agreed(proposal)
        self._hopeful = proposal is not None and not agreed and not self._hopeful
        self._surveys += not self._hopeful
        if proposal is None or not agreed:
            return False
        self._votes.clear()
        camera = self._cameras[proposal.camera]
        self._place_found(proposal, evidence)
        self._proposer.zoomed = proposal.placement
        self._zoom.found(proposal.camera, proposal.placement, proposal.fit, evidence)
        camera.confirmed = True
        self._follow(camera, proposal.placement)
        return True

    def _saw(self, evidence: Evidence) -> None:
        """A camera explains the picture."""
        self._seen, self._seen_ms = evidence.best, evidence.at_ms
        match = evidence.matches[evidence.best] if evidence.best is not None else None
        self._seen_lag_ms = match.lag_ms if match is not None else self._seen_lag_ms

    def _is_agreed(self, proposal: Proposal) -> bool:
        """Whether a proposal fits as cameras usually do, or was made before."""
        self._votes = [*self._votes[-3:], (proposal.camera, proposal.placement)]
        usual = usual_level(self._cameras)
        plain = usual is not None and proposal.worth >= _PLAIN * usual
        return plain or sum(_alike(vote, self._votes[-1]) for vote in self._votes) >= _AGREE

    def _is_missing_since(self, evidence: Evidence) -> bool:
        """Whether the camera that was seen last gives no pictures since: what is not explained is
        most likely its own, and another one that sees the same would be bent into it."""
        if self._seen is None or evidence.at_ms - self._seen_ms > _MISSING_MS:
            return False
        camera = self._cameras[self._seen]
        back_ms = evidence.at_ms - (camera.delay.ms or 0.0) - _BACK_MS
        missing = self._seen in (*evidence.lacking, *evidence.blind)
        return missing or (camera.delay.locked and camera.memory.lacks(back_ms))

    def _is_still_there(self, evidence: Evidence) -> bool:
        """Whether the camera that was seen a moment ago is most likely still on, and stutters:
        another one of which it shows a part would be bent into it."""
        if self._seen is None or self._cut:
            return False
        memory = self._cameras[self._seen].memory
        if evidence.at_ms - self._seen_ms > max(_HICCUP_MS, _HICCUP_STEPS * memory.step_ms):
            return False
        return memory.stutters(evidence.at_ms - self._seen_lag_ms)

    def _look_for_bars(self, evidence: Evidence) -> None:
        """Where bars have come or gone, the cameras lie inside of them."""
        if not self._unexplained and evidence.index % _BARS_EVERY:
            return
        before = self._habits.bars.rect
        self._habits.bars.look(evidence.luma)
        if self._habits.bars.rect == before:
            return
        for camera in self._cameras:
            full = self._full.get(id(camera))
            if full is not None:
                self._place(camera, full)

    def _comes_on(self, evidence: Evidence) -> bool:
        """Whether a camera that is on for the first time, and fits less than cameras usually do,
        lies beside where it was thought to: there some picture of another moment fits best, and how
        late it is would be learnt of that. So its picture is moved that is due if it is as late as
        the others are. True if it was placed so."""
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None or self._cameras[best].delay.locked:
            return False
        usual, late_ms = usual_level(self._cameras), usual_delay(self._cameras)
        if usual is None or late_ms is None:
            return False
        if match.fit >= _COMES_ON * usual or self._tries[best] >= _TRIES:
            return False
        camera, alike = self._cameras[best], twins(self._cameras, evidence, best)
        if any(twin.delay.locked for twin in alike):
            return False
        place, due = camera.memory.placement, camera.memory.due(evidence.at_ms - late_ms)
        views = Views(evidence.luma)
        near, _ = refine(self._eye, camera, views, place, index=due, rounds=ROUNDS)
        if not near.possible or self._eye.fit_at(camera, views, near, due) < _COMES_ON * usual:
            self._tries[best] += 1
            return False
        for twin in alike:
            self._move(twin, near)
        return True

    def _track(self, evidence: Evidence) -> bool:
        """Follow the camera that explains the picture; True if its placement was changed."""
        before = self._zoom.watch(evidence)
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None:
            return False
        if self._zoom.steady and best not in self._settled and self._eye.explained(evidence):
            return self._settle(best, evidence, match)
        placement = self._zoom.follow(evidence, before)
        self._proposer.zoomed = placement or self._proposer.zoomed
        return placement is not None

    def _settle(self, number: int, evidence: Evidence, match: Match) -> bool:
        """The first time that a camera is seen for a while: find its place to a part of a cell."""
        camera = self._cameras[number]
        if match.fit < WORTH:
            return False
        self._settled.add(number)
        now = camera.memory.placement
        placement, fit = refine(
            self._eye, camera, Views(evidence.luma), now, index=match.index, rounds=ROUNDS
        )
        near = step(now, placement) < GOES_ON or self._habits.in_middle(camera, placement)
        if fit < match.fit + STEP_GAIN or not near or not placement.possible:
            return False
        self._place_all_alike(camera, placement)
        return True

    def predict(self, at_ms: float) -> None:
        """Before a program picture is looked at: a zoom that is under way will have gone on."""
        followed = self._zoom.predict(at_ms)
        if followed is not None:
            self._company.go_on(followed)

    def _follow(self, camera: Camera, placement: Placement) -> None:
        """Cameras not seen yet are expected to lie as this one does."""
        self._habits.learn(camera, placement)
        for number, other in enumerate(self._cameras):
            known = other.confirmed or number == self._seen  # it was seen where it lies
            if known or other.size is None or camera.size is None:
                continue
            self.reset(other, self._habits.program)
            if same_shape(other.size, camera.size) and placement.mirror == self._habits.mirror:
                self._place(other, placement)

    def _place_found(self, proposal: Proposal, evidence: Evidence) -> None:
        """Place a camera where it was found, and those that show the same picture there."""
        camera = self._cameras[proposal.camera]
        before, views = camera.memory.placement, Views(evidence.luma)
        for other in self._cameras:
            if other is not camera and other.memory.placement == before:
                fit, _ = self._eye.fit(other, evidence.at_ms, views, proposal.placement)
                if fit >= AS_WELL * proposal.fit:
                    self._place(other, proposal.placement)
        self._place(camera, proposal.placement)

    def _place_all_alike(self, camera: Camera, placement: Placement) -> None:
        """Place a camera, and those that lay just as it did: a program is cropped as a whole, and
        cameras that show one picture must not come to differ by where they lie."""
        before = camera.memory.placement
        for other in self._cameras:
            if other.memory.placement == before:
                self._place(other, placement)

    def _move(self, camera: Camera, placement: Placement) -> None:
        """Place a camera that is followed: what is known of its blocks still holds. Those that were
        never seen, and are expected to lie as it does, go with it."""
        before = camera.memory.placement
        for other in self._cameras:
            expected = camera.confirmed and not other.confirmed
            if other is camera or (expected and other.memory.placement == before):
                self._place(other, placement, anew=False)

    def _place(self, camera: Camera, placement: Placement, *, anew: bool = True) -> None:
        width, height = self._habits.program or (16, 9)
        self._full[id(camera)] = placement
        placement = clipped(placement, self._habits.bars.rect)
        if anew:
            camera.chart.restart()
        camera.memory.place(placement, portrait=is_portrait(placement.on, (height, width)))


def _due(unexplained: int) -> bool:
    """Whether to survey at this unexplained frame: the first few, then in pairs ever rarer."""
    if unexplained <= _KEEN:
        return True
    if unexplained <= _SOON:
        return unexplained % _OFTEN < _AGREE
    turn = unexplained // _EVERY
    return unexplained % _EVERY < _AGREE and turn & (turn - 1) == 0 and turn > 0


def _is_another(evidence: Evidence, before: tuple[int, Luma] | None) -> bool | None:
    """Whether the program has cut to a picture from the one before; None if that was not seen."""
    if before is None or before[0] != evidence.index - 1:
        return None
    (seen, _), (was, _) = (Views(luma).through(WHOLE) for luma in (evidence.luma, before[1]))
    return part_of(seen, unit(was.blocks)[0]) < _FLOWS


def _alike(a: tuple[int, Placement], b: tuple[int, Placement]) -> bool:
    return a[0] == b[0] and same_place(a[1], b[1])
