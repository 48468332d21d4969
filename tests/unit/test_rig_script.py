"""The made-up director: mistakes are planted so that the judge has one right answer for each."""

from itertools import pairwise

import numpy as np
import pytest
from benchmarks.perfect import perfect_witness
from benchmarks.score import score

from tap.judge import Judge
from tap.rig.camera import Camera, Timing
from tap.rig.plan import BLACK, SLATE, Kind, On, Plan, Program
from tap.rig.recipes import EVERY_CHANGE, THREE_MISTAKES
from tap.rig.script import CLEAR_MS, FAULTS, Style, write_plan
from tap.rig.switcher import Switcher
from tap.rig.truth import truth_of
from tap.vocabulary import Claim, ClaimType, Event, EventType, Shot, VerdictCode

START = 1_789_000_000_000
NAMES = ("a", "b", "c", "d")


class Nothing:
    """A source that is never looked at."""

    size = (32, 18)

    def picture(self, scene_ms: float) -> np.ndarray:
        raise AssertionError("the truth needs no pictures")


def truth_for(plan: Plan) -> dict:
    made = Switcher(
        [Camera(id=name, source=Nothing(), timing=Timing(jitter_ms=3.0)) for name in NAMES],
        plan,
        Program(size=(32, 18)),
    )
    frames = made.frames()
    times = [START + 1000 + round(frame.at_ms) for frame in frames]
    return truth_of(made, frames, times, seen_by=NAMES, start_ms=START, session="s")


def claim(message: dict) -> Claim:
    at_ms = START + 1000 + round(message["atMs"])
    how = message.get("transition")
    return Claim(
        id=message["id"],
        type=ClaimType(message["type"]),
        at_ms=at_ms,
        recv_ms=at_ms + 20,
        camera=message.get("camera"),
        transition=EventType(how) if how else None,
        duration_ms=message.get("durationMs"),
    )


def judged(plan: Plan, truth: dict) -> dict:
    """What the judge says of a plan if the eye never errs, as a witness document."""
    judge = Judge(NAMES)
    for message in plan.messages:
        judge.claim(claim(message))
    seen = perfect_witness(truth)
    for shot in seen["shots"]:
        judge.shot(Shot.model_validate(shot))
    for event in seen["events"]:
        judge.event(Event.model_validate(event))
    verdicts = judge.close()
    seen["verdicts"] = [verdict.model_dump(mode="json", by_alias=True) for verdict in verdicts]
    return seen


STYLES = {
    "three mistakes": (75_000.0, Style(faults=THREE_MISTAKES)),
    "every fault": (150_000.0, Style(faults=FAULTS)),
    "soft": (120_000.0, Style(gap_ms=(2000.0, 3500.0), mix=EVERY_CHANGE, faults=THREE_MISTAKES)),
    "excursions": (
        120_000.0,
        Style(excursions=(SLATE, BLACK, On(Kind.SPLIT, ("a", "b")), SLATE, BLACK)),
    ),
}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("style", STYLES)
def test_the_judge_gives_just_the_verdicts_that_the_truth_owes(style, seed):
    duration_ms, manner = STYLES[style]
    plan = write_plan(NAMES, duration_ms, seed, manner, repeated=0.004, dropped=0.002)
    truth = truth_for(plan)
    figures = score(judged(plan, truth), truth).figures()
    assert figures["verdictRecall"] == 1.0
    assert figures["verdictPrecision"] == 1.0


@pytest.mark.parametrize("seed", range(8))
def test_mistakes_stand_clear_of_everything_else(seed):
    plan = write_plan(NAMES, 75_000.0, seed, Style(faults=THREE_MISTAKES))
    takes = [take.at_ms for take in plan.takes]
    cuts = [message for message in plan.messages if message["type"] == "cut"]
    said = {message["id"]: message["atMs"] for message in cuts}
    planted = [owed for owed in plan.expected if owed.planted]
    assert [owed.code for owed in planted] == list(THREE_MISTAKES)
    for owed in planted:
        at_ms = owed.at_ms if owed.take is None else takes[owed.take]
        own = {owed.take} if owed.take is not None else set()
        others = [at for index, at in enumerate(takes) if index not in own]
        others += [at for id_, at in said.items() if id_ != owed.claim_id]
        assert min(abs(at - at_ms) for at in others) >= CLEAR_MS - 401.0


@pytest.mark.parametrize("seed", range(8))
def test_a_plan_changes_camera_at_each_cut(seed):
    plan = write_plan(NAMES, 60_000.0, seed)
    assert len(plan.takes) > 20
    for before, after in pairwise(plan.takes):
        assert before.on != after.on
        assert after.at_ms > before.at_ms
    stamps = [message["atMs"] for message in plan.messages]
    assert stamps == sorted(stamps)
    assert len({message["id"] for message in plan.messages}) == len(stamps)


def test_the_same_seed_is_the_same_plan():
    style = Style(faults=THREE_MISTAKES)
    assert write_plan(NAMES, 60_000.0, 3, style) == write_plan(NAMES, 60_000.0, 3, style)
    assert write_plan(NAMES, 60_000.0, 3, style) != write_plan(NAMES, 60_000.0, 4, style)


def test_what_cannot_be_planned_is_refused():
    with pytest.raises(ValueError, match="at least two cameras"):
        write_plan(("a",), 60_000.0, 1)
    with pytest.raises(ValueError, match="too short"):
        write_plan(NAMES, 15_000.0, 1, Style(faults=THREE_MISTAKES))
    with pytest.raises(ValueError, match="one more camera"):
        write_plan(("a", "b"), 60_000.0, 1, Style(faults=(VerdictCode.WRONG_CAMERA,)))
    with pytest.raises(ValueError, match="can't be planted"):
        write_plan(NAMES, 60_000.0, 1, Style(faults=(VerdictCode.NOTED,)))
