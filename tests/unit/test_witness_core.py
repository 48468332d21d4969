"""The core: the same observations, the same record; what one run left, the next takes up."""

import json
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from tests import made_shoot

from tap.claims import Parser, load_profile, read_claims
from tap.feeds.media import MediaReader
from tap.feeds.shoot import load_shoot
from tap.judge import Judge, Tolerances
from tap.sight import SightSettings
from tap.vocabulary import (
    COMMANDED,
    DISAGREEMENTS,
    PROGRAM,
    Claim,
    ClaimType,
    Event,
    EventType,
    Frame,
    SessionName,
    Shot,
    ShotState,
    Verdict,
    VerdictCode,
)
from tap.witness.core import BLIND, Core, Listener
from tap.witness.evidence import witness_text
from tap.witness.hindsight import in_hindsight
from tap.witness.order import GivenUp, Observation, in_order, place_of

TOLERANCES = Tolerances(window_ms=made_shoot.WINDOW_MS)
NAME = SessionName(external_id="s")


@dataclass
class Told:
    """All that a listener heard."""

    events: list[Event] = field(default_factory=list)
    shots: list[Shot] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def listener(self) -> Listener:
        return Listener(
            event=self.events.append,
            shot=self.shots.append,
            verdict=lambda verdict, claim, event: self.verdicts.append(verdict),
        )


def core(told: Told | None = None, **more) -> Core:
    return Core(
        made_shoot.CAMERAS,
        sight=SightSettings(),
        tolerances=TOLERANCES,
        listener=told.listener() if told is not None else None,
        **more,
    )


@pytest.fixture(scope="module")
def observations(short_shoot) -> list[Observation]:
    """All of the short shoot, in order."""
    shoot = load_shoot(short_shoot)
    readers = [MediaReader(c.media, c.id, c.started_at_ms) for c in shoot.cameras]
    readers.append(MediaReader(shoot.program.media, PROGRAM, shoot.program.started_at_ms))
    parser = Parser(load_profile("tap"), made_shoot.CAMERAS)
    claims = read_claims(shoot.director, parser)
    return list(in_order([*(iter(reader) for reader in readers), claims]))


def play(one: Core, observations: list[Observation], ticks_ms: float | None = None) -> None:
    """Hand in all; between them also the passing of time, as a live session does."""
    now = place_of(observations[0])[0]
    for observation in observations:
        at_ms = place_of(observation)[0]
        while ticks_ms is not None and now + ticks_ms < at_ms:
            now += ticks_ms
            one.pass_time(now)
        if isinstance(observation, Frame):
            one.frame(observation)
        else:
            one.claim(observation)


def test_what_tap_gave_up_is_unseen_and_no_feed_was_lost(observations):
    start = place_of(observations[0])[0]
    frames = [o for o in observations if isinstance(o, Frame)]
    missed = [f for f in frames if start + 3000 <= f.at_ms < start + 7000]
    kept = [o for o in observations if not any(o is frame for frame in missed)]
    at = next(n for n, o in enumerate(kept) if place_of(o)[0] >= start + 3000)
    one = core(Told())
    play(one, kept[:at])
    for feed in dict.fromkeys(frame.feed for frame in missed):
        times = [frame.at_ms for frame in missed if frame.feed == feed]
        one.give_up(GivenUp(feed, times[0], times[-1]))
    play(one, kept[at:])
    one.finish()
    record = one.record(NAME)
    assert not {e.type for e in record.events} & {EventType.FEED_LOST, EventType.FEED_BACK}
    [(since, until, why)] = record.coverage.unseen
    assert why == "tap could not keep up"
    assert since == pytest.approx(start + 3000, abs=50)
    assert until == pytest.approx(start + 7000, abs=50)
    assert [[why for *_, why in camera.gaps] for camera in record.cameras] == [[why]] * 3
    assert not {v.code for v in record.verdicts} & DISAGREEMENTS


# ---------------------------------------------------------------- the same every time


def test_the_record_does_not_depend_on_when_time_is_told(observations):
    records = []
    for ticks_ms in (None, 7.3):
        told = Told()
        one = core(told)
        play(one, observations, ticks_ms)
        one.finish()
        records.append((witness_text(one.record(NAME)), told.verdicts))
    assert records[0] == records[1]


def test_what_was_told_as_it_went_is_what_the_record_says(observations):
    told = Told()
    one = core(told, hindsight=True)
    play(one, observations)
    one.finish()
    record = one.record(NAME)
    assert sorted(told.verdicts, key=lambda v: v.at_ms) == sorted(
        record.verdicts, key=lambda v: v.at_ms
    )
    assert {e.id for e in told.events} == {e.id for e in record.events}
    # Parts of shots cover the same time as the shots, without a hole.
    assert told.shots[0].start_ms == record.shots[0].start_ms
    assert told.shots[-1].end_ms == record.shots[-1].end_ms
    assert all(a.end_ms == b.start_ms for a, b in pairwise(told.shots))
    found = one.in_hindsight()
    assert found.differences == (), "nothing here is clearer afterwards"
    assert {v.claim_id: v.code for v in found.verdicts} == {
        v.claim_id: v.code for v in record.verdicts
    }


def test_a_verdict_waits_for_the_pictures_that_could_undo_the_cut_and_for_no_others(observations):
    waited: list[int] = []

    def hear(verdict: Verdict, claim: Claim | None, event: Event | None) -> None:
        if verdict.code is VerdictCode.AGREE and event is not None and event.frame is not None:
            waited.append(one.program_frames - 1 - event.frame)

    one = Core(
        made_shoot.CAMERAS,
        sight=SightSettings(),
        tolerances=TOLERANCES,
        listener=Listener(verdict=hear),
    )
    play(one, observations)
    decided_after = SightSettings().decision_lag_ms * made_shoot.FPS / 1000
    assert waited
    assert min(waited) >= TOLERANCES.revert_frames
    assert max(waited) <= TOLERANCES.revert_frames + decided_after + 1


# ---------------------------------------------------------------- taken up again


@pytest.mark.parametrize("part", [0.15, 0.4, 0.6, 0.85])
def test_a_session_taken_up_again_loses_and_repeats_no_verdict(observations, part):
    before, after = Told(), Told()
    first = core(before)
    stop = int(len(observations) * part)
    play(first, observations[:stop])  # and is killed here
    claims = [o for o in observations[:stop] if isinstance(o, Claim)]
    second = core(after)
    second.restore(claims, before.events, before.shots)
    again = [(v.claim_id, v.event_id) for v in second.verdicts]
    # What was told before is not told in another way now, where it is told already.
    old = {(v.claim_id, v.event_id): v.code for v in before.verdicts}
    assert all(v.code is old.get((v.claim_id, v.event_id), v.code) for v in second.verdicts)
    assert after.events == after.shots == []
    play(second, observations[stop:])
    second.finish()
    record = second.record(NAME)
    named = [v.claim_id for v in record.verdicts if v.claim_id]
    assert sorted(named) == sorted(o.id for o in observations if isinstance(o, Claim))
    changed = [v.event_id for v in record.verdicts if v.event_id]
    assert sorted(changed) == sorted(e.id for e in record.events if e.type in COMMANDED)
    assert len(again) == len(set(again))
    assert all(a.end_ms == b.start_ms for a, b in pairwise(record.shots))


def test_time_in_which_tap_was_down_is_unseen(observations):
    before, after = Told(), Told()
    first = core(before)
    third = len(observations) // 3
    play(first, observations[:third])
    first.finish()
    second = core(after)
    second.restore([], before.events, before.shots)
    play(second, observations[2 * third :])
    second.finish()
    record = second.record(NAME)
    left_ms, back_ms = before.shots[-1].end_ms, place_of(observations[2 * third])[0]
    start, end, reason = record.coverage.unseen[0]
    assert (start, reason) == (left_ms, BLIND)
    assert 0 <= end - back_ms < 120
    # It is told, so that a third run knows it too.
    assert any(s.state is ShotState.UNSEEN and s.start_ms == left_ms for s in after.shots)


# ---------------------------------------------------------------- hindsight


def live(camera: str, start: float, end: float) -> Shot:
    return Shot(start_ms=start, end_ms=end, state=ShotState.LIVE, camera=camera, cameras=(camera,))


def test_hindsight_says_where_it_differs_and_judges_anew():
    said = [live("cam-a", 0, 1000), live("cam-b", 1000, 2000), live("cam-a", 2000, 9000)]
    pieces = [
        (live("cam-a", 0, 600), ""),
        (live("cam-a", 600, 1100), ""),
        (live("cam-c", 1100, 2000), ""),
        (live("cam-a", 2000, 9000), ""),
    ]
    change = Event(
        id="x", type=EventType.CUT, at_ms=1100, from_camera="cam-a", to_camera="cam-c", frame=27
    )
    cut = Claim(id="m", type=ClaimType.CUT, at_ms=1000, recv_ms=1000, camera="cam-c")
    found = in_hindsight(
        said, pieces, [change], [cut], judge=Judge(("cam-a", "cam-b", "cam-c"), TOLERANCES)
    )
    assert [(d.start_ms, d.end_ms, d.said, d.hindsight) for d in found.differences] == [
        (1000, 1100, "cam-b", "cam-a"),
        (1100, 2000, "cam-b", "cam-c"),
    ]
    assert [(s.camera, s.start_ms, s.end_ms) for s in found.shots] == [
        ("cam-a", 0, 1100),
        ("cam-c", 1100, 2000),
        ("cam-a", 2000, 9000),
    ]
    [verdict] = found.verdicts
    assert verdict.code is VerdictCode.AGREE
    assert json.loads(found.model_dump_json(by_alias=True))["differences"][0]["startMs"] == 1000


def test_hindsight_that_agrees_has_no_difference():
    shots = [live("cam-a", 0, 1000), live("cam-b", 1000, 2000)]
    judge = Judge(("cam-a", "cam-b"), TOLERANCES)
    assert in_hindsight(shots, [(s, "") for s in shots], [], [], judge=judge).differences == ()


def test_a_core_that_saw_nothing_has_an_empty_record():
    one = core()
    one.pass_time(1_789_000_000_000.0)
    one.finish()
    record = one.record(NAME)
    assert (record.shots, record.events, record.verdicts) == ((), (), ())
    assert record.coverage.program_frames == 0
