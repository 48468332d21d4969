"""What holds for every shoot: one verdict each, and the same whenever they are asked for."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tap.judge import Judge
from tap.vocabulary import (
    COMMANDED,
    Claim,
    ClaimType,
    Event,
    EventType,
    Shot,
    ShotState,
    Verdict,
    VerdictCode,
)

T0 = 1_789_000_000_000.0
CAMERAS = ("cam-a", "cam-b", "cam-c")


@dataclass(frozen=True)
class Shoot:
    """All that a judge hears of, on a time line of `end` ms."""

    claims: list[Claim]
    events: list[Event]
    shots: list[Shot]
    end: float


@st.composite
def program(draw) -> tuple[list[Event], list[Shot], float]:
    now, frame = 0.0, 0
    events: list[Event] = []
    shots: list[Shot] = []
    camera: str | None = None
    for n in range(draw(st.integers(0, 12))):
        length = draw(st.sampled_from([40, 80, 160, 400, 900, 1500, 4000]))
        state = draw(st.sampled_from([*[ShotState.LIVE] * 6, *ShotState]))
        to = draw(st.sampled_from(CAMERAS)) if state is ShotState.LIVE else None
        seen = (
            (to,)
            if to
            else CAMERAS[:2]
            if state in (ShotState.COMPOSED, ShotState.AMBIGUOUS)
            else ()
        )
        if n and (to, state) != (camera, shots[-1].state) and draw(st.integers(0, 9)):
            events.append(
                Event(
                    id=f"e{n}",
                    type=draw(st.sampled_from([*[EventType.CUT] * 5, *EventType])),
                    at_ms=T0 + now,
                    from_camera=camera,
                    to_camera=to,
                    confidence=0.9,
                    frame=draw(st.sampled_from([frame, None])),
                )
            )
        pieces = draw(st.integers(1, 3))
        shots += [
            Shot(
                start_ms=T0 + now + length * piece / pieces,
                end_ms=T0 + now + length * (piece + 1) / pieces,
                state=state,
                camera=to,
                cameras=seen,
                confidence=draw(st.sampled_from([0.6, 0.9, 0.99])),
            )
            for piece in range(pieces)
        ]
        now, frame, camera = now + length, frame + length // 40, to
    return events, shots, now


@st.composite
def shoot(draw) -> Shoot:
    events, shots, end = draw(program())
    claims: list[Claim] = []
    recv = -500.0
    for _ in range(draw(st.integers(0, 14))):
        recv += draw(st.sampled_from([0, 1, 40, 300, 1000, 2500]))
        transit = draw(st.sampled_from([0, 0, 0, 30, 30, 400, -250, 3500, 20_000]))
        claims.append(
            Claim(
                id=f"m{draw(st.integers(0, 20))}",
                type=draw(st.sampled_from([*[ClaimType.CUT] * 8, *ClaimType])),
                camera=draw(st.sampled_from(CAMERAS)),
                proposal=f"m{draw(st.integers(0, 20))}",
                at_ms=T0 + recv - transit,
                recv_ms=T0 + recv,
                seq=draw(st.sampled_from([None, None, None, 1, 2])),
                clock_suspect=draw(st.integers(0, 9)) == 0,
                transition=draw(st.sampled_from([None, None, EventType.DISSOLVE])),
                expires_ms=draw(st.sampled_from([None, 2000.0])),
            )
        )
    return Shoot(claims, events, shots, max(end, 0.0))


def run(case: Shoot, steps: list[float]) -> list[Verdict]:
    """Hand in what is known at each step, ask, and close."""
    court = Judge(CAMERAS)
    claims, events, shots = list(case.claims), list(case.events), list(case.shots)
    verdicts: list[Verdict] = []
    for step in steps:
        now = T0 + min(step, case.end)
        while claims and claims[0].recv_ms <= now:
            court.claim(claims.pop(0))
        while shots and shots[0].start_ms < now:
            court.shot(shots.pop(0), "feed down")
        while events and events[0].at_ms <= now:
            court.event(events.pop(0))
        verdicts += court.advance(now)
    for claim in claims:
        court.claim(claim)
    for event in events:
        court.event(event)
    for shot in shots:
        court.shot(shot, "feed down")
    return verdicts + court.close()


def run_ahead(case: Shoot, steps: list[tuple[float, float]]) -> list[Verdict]:
    """The same with pictures that are told of later than messages, by so much at each step."""
    court = Judge(CAMERAS)
    claims, events, shots = list(case.claims), list(case.events), list(case.shots)
    verdicts: list[Verdict] = []
    seen = heard = T0
    for step, lag in steps:
        heard = max(heard, T0 + min(step, case.end))
        seen = max(seen, heard - lag)
        while claims and claims[0].recv_ms <= heard:
            court.claim(claims.pop(0))
        while shots and shots[0].start_ms < seen:
            court.shot(shots.pop(0), "feed down")
        while events and events[0].at_ms <= seen:
            court.event(events.pop(0))
        verdicts += court.advance(seen, heard_until_ms=heard, cuts_until=no_cut_until(events))
    for claim in claims:
        court.claim(claim)
    for event in events:
        court.event(event)
    for shot in shots:
        court.shot(shot, "feed down")
    return verdicts + court.close()


def no_cut_until(to_come: list[Event]) -> int | None:
    """The program frame before the next cut, told of at the earliest that it can be known."""
    cuts = [e for e in to_come if e.type is EventType.CUT]
    if any(e.frame is None for e in cuts):
        return None
    return min((e.frame - 1 for e in cuts if e.frame is not None), default=10_000)


SCHEDULES = st.lists(st.floats(0, 20_000), max_size=30).map(sorted)


@settings(max_examples=120, deadline=None)
@given(shoot())
def test_every_claim_and_every_change_lands_in_exactly_one_verdict(case: Shoot):
    verdicts = run(case, [])
    assert Counter(v.claim_id for v in verdicts if v.claim_id) == Counter(c.id for c in case.claims)
    commanded = [e.id for e in case.events if e.type in COMMANDED]
    assert Counter(v.event_id for v in verdicts if v.event_id) == Counter(commanded)
    assert all(v.claim_id or v.event_id for v in verdicts)


@settings(max_examples=120, deadline=None)
@given(shoot(), SCHEDULES)
def test_verdicts_do_not_depend_on_when_they_are_asked_for(case: Shoot, schedule: list[float]):
    every_frame = [n * 40.0 for n in range(int(case.end / 40) + 2)]
    at_the_end = run(case, [])
    assert run(case, schedule) == at_the_end
    assert run(case, every_frame) == at_the_end


LAGS = st.sampled_from([0.0, 100.0, 250.0, 400.0, 2000.0])


@settings(max_examples=200, deadline=None)
@given(shoot(), st.lists(st.tuples(st.floats(0, 20_000), LAGS), max_size=30).map(sorted), LAGS)
def test_verdicts_do_not_depend_on_how_far_messages_are_ahead(case, schedule, lag):
    every_frame = [(n * 40.0, lag) for n in range(int(case.end / 40) + 2)]
    at_the_end = run(case, [])
    assert run_ahead(case, schedule) == at_the_end
    assert run_ahead(case, every_frame) == at_the_end


@settings(max_examples=80, deadline=None)
@given(shoot())
def test_verdicts_are_well_formed(case: Shoot):
    by_id = {e.id: e for e in case.events}
    for verdict in run(case, []):
        assert 0.0 <= verdict.confidence <= 1.0
        assert verdict.text.endswith(".")
        if verdict.event_id is not None:
            assert verdict.at_ms == by_id[verdict.event_id].at_ms
        if verdict.claim_id is not None and verdict.event_id is not None:
            assert verdict.lag_ms is not None
            assert abs(verdict.lag_ms) <= 3000.0
        if verdict.code is VerdictCode.AGREE:
            assert verdict.lag_ms is not None
            assert -200.0 <= verdict.lag_ms <= 1000.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(CAMERAS), min_size=2, max_size=12),
    st.lists(st.integers(1300, 5000), min_size=12, max_size=12),
    st.integers(0, 999),
)
def test_an_honest_director_is_never_contradicted(cameras, lengths, delay):
    claims, events, shots = [], [], []
    now, frame = 0.0, 0
    for n, camera in enumerate(cameras):
        if n and camera != cameras[n - 1]:
            at = T0 + now
            claims.append(
                Claim(
                    id=f"m{n}",
                    type=ClaimType.CUT,
                    camera=camera,
                    at_ms=at - delay,
                    recv_ms=at - delay + 5,
                )
            )
            events.append(
                Event(
                    id=f"e{n}",
                    type=EventType.CUT,
                    at_ms=at,
                    from_camera=cameras[n - 1],
                    to_camera=camera,
                    frame=frame,
                )
            )
        shots.append(
            Shot(start_ms=T0 + now, end_ms=T0 + now + lengths[n], state="live", camera=camera)
        )
        now, frame = now + lengths[n], frame + lengths[n] // 40
    case = Shoot(claims, events, shots, now)
    assert {v.code for v in run(case, [])} <= {VerdictCode.AGREE}
