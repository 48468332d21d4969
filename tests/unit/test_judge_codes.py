"""One shoot a case: what was said, what was seen, which verdicts follow."""

from collections.abc import Iterable

import pytest

from tap.errors import InputError
from tap.judge import Judge, Tolerances
from tap.vocabulary import (
    DISAGREEMENTS,
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


def say(type_: str, at: float, *, id_: str | None = None, late: float = 0.0, **fields) -> Claim:
    """A message stamped `at` ms into the shoot and received `late` ms after."""
    return Claim(
        id=id_ or f"{type_}@{at:g}",
        type=ClaimType(type_),
        at_ms=T0 + at,
        recv_ms=T0 + at + late,
        **fields,
    )


def cut(camera: str, at: float, **fields) -> Claim:
    return say("cut", at, camera=camera, **fields)


class Program:
    """What the program showed: pieces of (length ms, state), and the changes between them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.shots: list[tuple[Shot, str]] = []
        self.events: list[Event] = []
        self.camera: str | None = None

    def show(
        self,
        camera: str | None,
        until: float,
        kind: EventType | None = EventType.CUT,
        *,
        state: ShotState | None = None,
        cameras: tuple[str, ...] = (),
        soft_ms: float = 0.0,
        reason: str = "",
    ) -> "Program":
        if state is None:
            state = ShotState.LIVE if camera else ShotState.OFF_CAMERA
        if self.shots and kind is not None:
            self.events.append(
                Event(
                    id=f"e{len(self.events) + 1}",
                    type=kind,
                    at_ms=T0 + self.now,
                    duration_ms=soft_ms,
                    from_camera=self.camera,
                    to_camera=camera,
                    confidence=0.97,
                    frame=round(self.now / 40),
                )
            )
        if soft_ms:
            self._piece(self.now, self.now + soft_ms, ShotState.TRANSITION, None)
            self.now += soft_ms
        seen = cameras or ((camera,) if camera else ())
        while self.now < until:  # sight hands shots out in pieces
            step = min(until, self.now + 480)
            self._piece(self.now, step, state, camera, cameras=seen, reason=reason)
            self.now = step
        self.camera = camera
        return self

    def blind(self, until: float, reason: str = "program feed down") -> "Program":
        camera = self.camera
        self.show(None, until, None, state=ShotState.UNSEEN, reason=reason)
        self.camera = camera
        return self

    def _piece(self, start, end, state, camera, *, cameras=(), reason="") -> None:
        shot = Shot(
            start_ms=T0 + start,
            end_ms=T0 + end,
            state=state,
            camera=camera if state is ShotState.LIVE else None,
            cameras=cameras,
            confidence=0.99,
        )
        self.shots.append((shot, reason))


def judge(program: Program, claims: Iterable[Claim], step_ms: float = 40.0) -> list[Verdict]:
    """Live: everything is handed in as it becomes known, and a verdict asked for every frame."""
    court = Judge(CAMERAS)
    claims, events, shots = list(claims), list(program.events), list(program.shots)
    verdicts: list[Verdict] = []
    now = 0.0
    while now < program.now:
        now = min(program.now, now + step_ms)
        while claims and claims[0].recv_ms <= T0 + now:
            court.claim(claims.pop(0))
        while events and events[0].at_ms <= T0 + now:
            court.event(events.pop(0))
        while shots and shots[0][0].start_ms < T0 + now:
            court.shot(*shots.pop(0))
        verdicts += court.advance(T0 + now)
    for claim in claims:
        court.claim(claim)
    return verdicts + court.close()


def codes(verdicts: Iterable[Verdict]) -> list[tuple[str, str | None, str | None]]:
    return [(v.code.value, v.claim_id, v.event_id) for v in verdicts]


def one(verdicts: list[Verdict]) -> Verdict:
    assert len(verdicts) == 1, verdicts
    return verdicts[0]


# ---------------------------------------------------------------- a message and its change


@pytest.mark.parametrize(
    ("said", "code", "lag"),
    [
        (5000, "AGREE", 0.0),
        (4857, "AGREE", 143.0),
        (4000, "AGREE", 1000.0),
        (5200, "AGREE", -200.0),
        (3999, "EARLY", 1001.0),
        (2000, "EARLY", 3000.0),
        (5201, "LATE", -201.0),
        (8000, "LATE", -3000.0),
    ],
)
def test_right_camera(said, code, lag):
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    verdict = one(judge(program, [cut("cam-b", said, id_="m")]))
    assert codes([verdict]) == [(code, "m", "e1")]
    assert verdict.lag_ms == lag
    assert verdict.at_ms == T0 + 5000
    assert verdict.confidence == 0.97
    assert "cam-b" in verdict.text


def test_agreement_is_decided_a_quarter_second_after_the_picture():
    court = Judge(CAMERAS)
    program = Program().show("cam-a", 5000).show("cam-b", 5300)
    court.claim(cut("cam-b", 4900))
    for event in program.events:
        court.event(event)
    for shot, reason in program.shots:
        court.shot(shot, reason)
    assert court.advance(T0 + 5249) == []
    assert [v.code for v in court.advance(T0 + 5250)] == [VerdictCode.AGREE]


def test_agreement_is_decided_once_messages_and_the_frames_that_could_undo_the_cut_are_known():
    program = Program().show("cam-a", 5000).show("cam-b", 20_000)
    court = Judge(CAMERAS)
    court.claim(cut("cam-b", 4900))
    for event in program.events:
        court.event(event)
    for shot, reason in program.shots:
        court.shot(shot, reason)
    seen, frame = T0 + 5040, round(5000 / 40)
    assert court.advance(seen, heard_until_ms=T0 + 5400, cuts_until=frame + 4) == []
    assert court.advance(seen, heard_until_ms=T0 + 5249, cuts_until=frame + 5) == []
    (verdict,) = court.advance(seen, heard_until_ms=T0 + 5250, cuts_until=frame + 5)
    assert verdict.code is VerdictCode.AGREE


def test_a_message_that_misses_its_change_is_told_once_the_pictures_of_its_window_are_known():
    program = Program().show("cam-a", 20_000)
    court = Judge(CAMERAS)
    court.claim(cut("cam-b", 5000))
    for shot, reason in program.shots:
        court.shot(shot, reason)
    assert court.advance(T0 + 8000, heard_until_ms=T0 + 9000) == []
    (verdict,) = court.advance(T0 + 8001, heard_until_ms=T0 + 9000)
    assert verdict.code is VerdictCode.MISSED


def test_a_still_is_noted_when_it_is_known_what_the_program_showed():
    program = Program().show("cam-a", 20_000)
    court = Judge(CAMERAS)
    court.claim(say("still", 5000, camera="cam-b"))
    for shot, reason in program.shots:
        court.shot(shot, reason)
    assert court.advance(T0 + 4900, heard_until_ms=T0 + 5300) == []
    (verdict,) = court.advance(T0 + 5000, heard_until_ms=T0 + 5300)
    assert verdict.code is VerdictCode.NOTED


def test_nothing_is_decided_where_no_shot_reaches():
    court = Judge(CAMERAS)
    court.claim(cut("cam-b", 100))
    court.shot(Shot(start_ms=T0, end_ms=T0 + 1000, state=ShotState.LIVE, camera="cam-a"))
    assert court.advance(T0 + 60_000) == []


def test_wrong_camera():
    program = Program().show("cam-a", 5000).show("cam-c", 15000)
    verdict = one(judge(program, [cut("cam-b", 4800, id_="m")]))
    assert codes([verdict]) == [("WRONG_CAMERA", "m", "e1")]
    assert verdict.lag_ms == 200.0
    assert verdict.text == (
        "The message says cam-b; 0.20 s after the message the program went to cam-c."
    )


def test_missed():
    program = Program().show("cam-a", 15000)
    verdict = one(judge(program, [cut("cam-b", 4800, id_="m")]))
    assert codes([verdict]) == [("MISSED", "m", None)]
    assert verdict.confidence == 0.99
    assert verdict.text == "The message says cam-b; the program stayed on cam-a for 3.00 s."


def test_a_cut_to_the_live_camera_changes_nothing():
    program = Program().show("cam-a", 15000)
    verdict = one(judge(program, [cut("cam-a", 4800, id_="m")]))
    assert verdict.code is VerdictCode.MISSED
    assert "live already" in verdict.text


def test_unannounced():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    verdict = one(judge(program, []))
    assert codes([verdict]) == [("UNANNOUNCED", None, "e1")]
    assert verdict.text == "The program cut from cam-a to cam-b, and no message says so."


def test_a_wrong_camera_is_not_blamed_on_a_change_that_another_message_explains():
    program = Program().show("cam-a", 5000).show("cam-c", 15000)
    got = codes(judge(program, [cut("cam-b", 4600, id_="b"), cut("cam-c", 4800, id_="c")]))
    assert got == [("AGREE", "c", "e1"), ("MISSED", "b", None)]


@pytest.mark.parametrize(
    ("fields", "kind", "code"),
    [
        ({}, EventType.DISSOLVE, "SOFT"),
        ({"transition": EventType.CUT}, EventType.WIPE, "SOFT"),
        ({"transition": EventType.DISSOLVE}, EventType.CUT, "SOFT"),
        ({"duration_ms": 500.0}, EventType.CUT, "SOFT"),
        ({"duration_ms": 500.0}, EventType.FADE, "AGREE"),
        ({"transition": EventType.DISSOLVE}, EventType.DISSOLVE, "AGREE"),
        ({"transition": EventType.CUT, "duration_ms": 500.0}, EventType.CUT, "AGREE"),
        ({"duration_ms": 0.0}, EventType.CUT, "AGREE"),
    ],
)
def test_soft_changes(fields, kind, code):
    soft_ms = 0.0 if kind is EventType.CUT else 500.0
    program = Program().show("cam-a", 5000).show("cam-b", 15000, kind, soft_ms=soft_ms)
    assert codes(judge(program, [cut("cam-b", 4900, id_="m", **fields)])) == [(code, "m", "e1")]


# ---------------------------------------------------------------- matching many


def test_fast_cutting_with_a_slow_program_stays_in_order():
    program = Program().show("cam-a", 900).show("cam-b", 1400).show("cam-a", 1900)
    program.show("cam-b", 9000)
    claims = [cut("cam-b", 0, id_="1"), cut("cam-a", 500, id_="2"), cut("cam-b", 1000, id_="3")]
    assert codes(judge(program, claims)) == [
        ("AGREE", "1", "e1"),
        ("AGREE", "2", "e2"),
        ("AGREE", "3", "e3"),
    ]


def test_a_message_said_again_takes_the_change_from_the_one_that_failed():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    got = codes(judge(program, [cut("cam-b", 4100, id_="1"), cut("cam-b", 4900, id_="2")]))
    assert got == [("AGREE", "2", "e1"), ("MISSED", "1", None)]


def test_a_missed_message_does_not_steal_the_next_cut_to_its_camera():
    program = Program().show("cam-a", 2000).show("cam-c", 2700).show("cam-b", 12000)
    claims = [cut("cam-b", 1800, id_="1"), cut("cam-c", 1900, id_="2"), cut("cam-b", 2600, id_="3")]
    got = codes(judge(program, claims))
    assert got == [("AGREE", "2", "e1"), ("AGREE", "3", "e2"), ("MISSED", "1", None)]


def test_a_late_message_is_not_taken_for_one_whose_change_is_still_to_come():
    program = Program().show("cam-a", 1000).show("cam-b", 3000).show("cam-a", 4700)
    program.show("cam-b", 15000)
    got = codes(judge(program, [cut("cam-b", 3900, id_="m")]))
    assert got[0] == ("AGREE", "m", "e3")
    assert set(got[1:]) == {("UNANNOUNCED", None, "e1"), ("UNANNOUNCED", None, "e2")}


def test_messages_out_of_time_share_changes_by_distance():
    program = Program().show("cam-a", 2400).show("cam-b", 2650).show("cam-a", 2900)
    program.show("cam-b", 15000)
    got = codes(judge(program, [cut("cam-b", 0, id_="1"), cut("cam-b", 1200, id_="2")]))
    assert ("EARLY", "2", "e1") in got
    assert ("EARLY", "1", "e3") in got


def test_swapped_cuts_agree_each_on_its_own():
    program = Program().show("cam-a", 1000).show("cam-c", 1200).show("cam-b", 9000)
    got = codes(judge(program, [cut("cam-b", 800, id_="b"), cut("cam-c", 900, id_="c")]))
    assert got == [("AGREE", "c", "e1"), ("AGREE", "b", "e2")]


# ---------------------------------------------------------------- cut and back


def test_cut_and_back_with_a_message():
    program = Program().show("cam-a", 5000).show("cam-b", 5120).show("cam-a", 15000)
    verdicts = judge(program, [cut("cam-b", 4900, id_="m")])
    assert codes(verdicts) == [("REVERTED", "m", "e1"), ("REVERTED", None, "e2")]
    assert verdicts[0].text == (
        "The program cut from cam-a to cam-b and back after 3 frames. "
        "cam-b came 0.10 s after the message."
    )


def test_cut_and_back_unasked():
    program = Program().show("cam-a", 5000).show("cam-b", 5200).show("cam-a", 15000)
    assert codes(judge(program, [])) == [("REVERTED", None, "e1"), ("REVERTED", None, "e2")]


def test_six_frames_are_no_cut_and_back():
    program = Program().show("cam-a", 5000).show("cam-b", 5240).show("cam-a", 15000)
    got = codes(judge(program, [cut("cam-b", 4900, id_="m")]))
    assert got == [("AGREE", "m", "e1"), ("UNANNOUNCED", None, "e2")]


def test_a_dissolve_back_does_not_undo_a_cut():
    program = Program().show("cam-a", 5000).show("cam-b", 5120)
    program.show("cam-a", 15000, EventType.DISSOLVE, soft_ms=400)
    got = codes(judge(program, [cut("cam-b", 4900, id_="m")]))
    assert got == [("AGREE", "m", "e1"), ("UNANNOUNCED", None, "e2")]


def test_a_glitch_to_another_camera_is_not_the_wrong_camera():
    program = Program().show("cam-a", 5000).show("cam-c", 5120).show("cam-a", 15000)
    got = codes(judge(program, [cut("cam-b", 4900, id_="m")]))
    assert sorted(code for code, *_ in got) == ["MISSED", "REVERTED", "REVERTED"]


def test_after_a_false_start_the_message_gets_the_cut_that_stays():
    program = Program().show("cam-a", 5000).show("cam-b", 5080).show("cam-a", 5240)
    program.show("cam-b", 15000)
    got = codes(judge(program, [cut("cam-b", 4900, id_="m")]))
    assert sorted(got, key=str) == sorted(
        [("AGREE", "m", "e3"), ("REVERTED", None, "e1"), ("REVERTED", None, "e2")], key=str
    )


# ---------------------------------------------------------------- no camera, several, alike


def test_off_camera_by_an_event():
    program = Program().show("cam-a", 5000).show(None, 15000)
    assert codes(judge(program, [cut("cam-b", 4900, id_="m")])) == [("OFF_CAMERA", "m", "e1")]


def test_black_by_an_event():
    program = Program().show("cam-a", 5000).show(None, 15000, state=ShotState.BLACK)
    verdict = one(judge(program, [cut("cam-b", 4900, id_="m")]))
    assert verdict.code is VerdictCode.OFF_CAMERA
    assert verdict.text.endswith("the program went to black.")


def test_off_camera_all_the_time():
    program = Program().show(None, 15000)
    assert codes(judge(program, [cut("cam-b", 4900, id_="m")])) == [("OFF_CAMERA", "m", None)]


def test_a_slate_later_in_the_window_does_not_excuse_a_missed_cut():
    program = Program().show("cam-a", 7000).show(None, 15000)
    got = codes(judge(program, [cut("cam-b", 4900, id_="m")]))
    assert got == [("MISSED", "m", None), ("UNANNOUNCED", None, "e1")]


def test_changes_to_and_from_no_camera_want_announcing_too():
    program = Program().show("cam-a", 5000).show(None, 9000).show("cam-a", 15000)
    got = codes(judge(program, [cut("cam-a", 8900, id_="m")]))
    assert got == [("UNANNOUNCED", None, "e1"), ("AGREE", "m", "e2")]


@pytest.mark.parametrize("kind", [None, EventType.CUT])
def test_composed(kind):
    program = Program().show("cam-a", 5000)
    program.show(None, 15000, kind, state=ShotState.COMPOSED, cameras=("cam-a", "cam-b"))
    verdict = one(judge(program, [cut("cam-b", 4900, id_="m")]))
    assert verdict.code is VerdictCode.COMPOSED
    assert "cam-a and cam-b" in verdict.text


@pytest.mark.parametrize("kind", [None, EventType.CUT])
def test_ambiguous(kind):
    program = Program().show("cam-a", 5000)
    program.show(None, 15000, kind, state=ShotState.AMBIGUOUS, cameras=("cam-b", "cam-c"))
    assert one(judge(program, [cut("cam-b", 4900)])).code is VerdictCode.AMBIGUOUS


def test_ambiguous_between_others_is_the_wrong_camera():
    program = Program().show("cam-a", 5000)
    program.show(None, 15000, state=ShotState.AMBIGUOUS, cameras=("cam-c", "cam-d"))
    assert one(judge(program, [cut("cam-b", 4900)])).code is VerdictCode.WRONG_CAMERA


def test_a_camera_that_became_clear_after_being_ambiguous():
    program = Program().show("cam-a", 5000)
    program.show(None, 5500, None, state=ShotState.AMBIGUOUS, cameras=("cam-a", "cam-b"))
    program.show("cam-b", 15000, None)
    assert one(judge(program, [cut("cam-b", 4900)])).code is VerdictCode.AMBIGUOUS


# ---------------------------------------------------------------- not seen is not no


def test_blind_in_the_window():
    program = Program().show("cam-a", 5000).blind(6000).show("cam-a", 15000, None)
    verdict = one(judge(program, [cut("cam-b", 4900, id_="m")]))
    assert codes([verdict]) == [("UNSEEN", "m", None)]
    assert "program feed down" in verdict.text
    assert "not seen for 1.00 s" in verdict.text


def test_blind_just_before_a_message_for_the_camera_that_is_live_then():
    program = Program().show("cam-a", 3000).blind(4000).show("cam-b", 15000, None)
    assert one(judge(program, [cut("cam-b", 4900)])).code is VerdictCode.UNSEEN
    assert one(judge(program, [cut("cam-c", 4900)])).code is VerdictCode.MISSED


def test_blind_when_the_change_was_due_blames_nobody():
    program = Program().show("cam-a", 5000).blind(5300).show("cam-a", 5600, None)
    program.show("cam-c", 15000)
    got = codes(judge(program, [cut("cam-b", 4900, id_="m")]))
    assert got == [("UNSEEN", "m", None), ("UNANNOUNCED", None, "e1")]


def test_what_was_seen_counts_even_beside_a_gap():
    program = Program().show("cam-a", 5000).show("cam-b", 6000).blind(8000)
    program.show("cam-b", 15000, None)
    assert one(judge(program, [cut("cam-b", 4900)])).code is VerdictCode.AGREE


def test_the_end_of_the_session_cuts_the_window_off():
    program = Program().show("cam-a", 5000)
    verdict = one(judge(program, [cut("cam-b", 3000, id_="m")]))
    assert codes([verdict]) == [("UNSEEN", "m", None)]
    assert "the session ended" in verdict.text


def test_a_message_before_tap_looked():
    program = Program()
    program.now = 10_000
    program.show("cam-a", 20_000)
    verdict = one(judge(program, [cut("cam-b", 4000)]))
    assert verdict.code is VerdictCode.UNSEEN
    assert "had not begun" in verdict.text


def test_messages_without_any_picture():
    verdict = one(judge(Program(), [cut("cam-b", 4000)]))
    assert verdict.code is VerdictCode.UNSEEN


def test_changes_at_the_very_end():
    program = Program().show("cam-a", 5000).show("cam-b", 6000).show("cam-c", 6100)
    verdicts = judge(program, [cut("cam-b", 5050, id_="m")])
    assert codes(verdicts) == [("AGREE", "m", "e1"), ("UNSEEN", None, "e2")]


# ---------------------------------------------------------------- messages at fault


def test_duplicate_takes_no_second_change():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    got = codes(judge(program, [cut("cam-b", 4900, id_="m"), cut("cam-b", 4900, id_="m")]))
    assert got == [("AGREE", "m", "e1"), ("DUPLICATE", "m", None)]


def test_a_used_id_still_explains_its_change():
    program = Program().show("cam-a", 5000).show("cam-b", 9000).show("cam-c", 15000)
    got = codes(judge(program, [cut("cam-b", 4900, id_="m"), cut("cam-c", 8900, id_="m")]))
    assert got == [("AGREE", "m", "e1"), ("DUPLICATE", "m", "e2")]


def test_out_of_order():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    claims = [say("mode", 1000, id_="1", seq=7, mode="auto"), cut("cam-b", 4900, id_="2", seq=3)]
    verdicts = judge(program, claims)
    assert codes(verdicts) == [("NOTED", "1", None), ("OUT_OF_ORDER", "2", "e1")]
    assert verdicts[1].lag_ms == 100.0
    assert verdicts[1].confidence == 1.0


def test_a_sender_that_starts_anew_is_out_of_order_once():
    claims = [say("mode", i * 10, id_=f"m{i}", seq=seq) for i, seq in enumerate((8, 9, 1, 2, 3))]
    got = [code for code, *_ in codes(judge(Program().show("cam-a", 9000), claims))]
    assert got == ["NOTED", "NOTED", "OUT_OF_ORDER", "NOTED", "NOTED"]


def test_a_new_session_may_count_anew():
    claims = [say("mode", 0, seq=8, mode="x"), say("session.start", 10, seq=1)]
    got = [code for code, *_ in codes(judge(Program().show("cam-a", 9000), claims))]
    assert got == ["NOTED", "NOTED"]


def test_clock_suspect():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    got = judge(program, [cut("cam-b", 4900, id_="m", clock_suspect=True)])
    assert codes(got) == [("CLOCK_SUSPECT", "m", "e1")]


def test_a_faulty_message_leaves_the_change_to_a_sound_one():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    claims = [cut("cam-b", 4600, id_="1"), cut("cam-b", 4950, id_="2", clock_suspect=True)]
    got = codes(judge(program, claims))
    assert got == [("AGREE", "1", "e1"), ("CLOCK_SUSPECT", "2", None)]


def test_a_message_held_up_on_the_way_still_meets_its_change():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    assert codes(judge(program, [cut("cam-b", 4900, id_="m", late=2000)])) == [("AGREE", "m", "e1")]


def test_a_message_held_up_for_too_long():
    program = Program().show("cam-a", 5000).show("cam-b", 25000)
    verdicts = judge(program, [cut("cam-b", 4900, id_="m", late=10_000)])
    assert codes(verdicts) == [("UNANNOUNCED", None, "e1"), ("LATE", "m", None)]
    assert verdicts[1].lag_ms == -9900.0
    assert "recorded without it" in verdicts[1].text


# ---------------------------------------------------------------- holds


def hold_case(program: Program, *claims: Claim) -> dict[str, str]:
    got = judge(program, claims)
    return {v.claim_id or v.event_id or "": v.code.value for v in got}


def test_hold_kept():
    program = Program().show("cam-a", 15000)
    got = judge(program, [say("hold", 3000, id_="h"), say("release", 8000, id_="r")])
    assert {v.claim_id: v.code.value for v in got} == {"h": "HOLD_KEPT", "r": "NOTED"}
    kept = next(v for v in got if v.claim_id == "h")
    assert kept.text == "The program stayed on cam-a for the 5.00 s of the hold."
    assert kept.confidence == 0.99


def test_hold_broken_by_a_told_cut():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    claims = [
        say("hold", 3000, id_="h"),
        cut("cam-b", 4900, id_="c"),
        say("release", 8000, id_="r"),
    ]
    assert hold_case(program, *claims) == {"h": "HOLD_BROKEN", "c": "AGREE", "r": "NOTED"}


def test_hold_broken_by_nobody():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    claims = [say("hold", 3000, id_="h"), say("release", 8000, id_="r")]
    assert hold_case(program, *claims) == {"h": "HOLD_BROKEN", "e1": "UNANNOUNCED", "r": "NOTED"}


def test_hold_sent_with_the_cut_it_keeps():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    claims = [
        cut("cam-b", 4800, id_="c"),
        say("hold", 4810, id_="h"),
        say("release", 9000, id_="r"),
    ]
    assert hold_case(program, *claims) == {"c": "AGREE", "h": "HOLD_KEPT", "r": "NOTED"}


def test_hold_released_with_the_cut_that_follows():
    program = Program().show("cam-a", 8950).show("cam-b", 15000)
    claims = [
        say("hold", 3000, id_="h"),
        say("release", 9000, id_="r"),
        cut("cam-b", 9010, id_="c"),
    ]
    assert hold_case(program, *claims) == {"c": "AGREE", "h": "HOLD_KEPT", "r": "NOTED"}


def test_hold_broken_by_a_picture_in_picture():
    program = Program().show("cam-a", 5000)
    program.show(None, 15000, None, state=ShotState.COMPOSED, cameras=("cam-a", "cam-b"))
    claims = [say("hold", 3000, id_="h"), say("release", 8000, id_="r")]
    assert hold_case(program, *claims) == {"h": "HOLD_BROKEN", "r": "NOTED"}


def test_hold_over_a_gap():
    program = Program().show("cam-a", 5000).blind(5500).show("cam-a", 15000, None)
    claims = [say("hold", 3000, id_="h"), say("release", 8000, id_="r")]
    assert hold_case(program, *claims) == {"h": "UNSEEN", "r": "NOTED"}


@pytest.mark.parametrize("end", [(), (say("session.end", 9000, id_="end"),)])
def test_hold_to_the_end(end):
    program = Program().show("cam-a", 9000)
    got = hold_case(program, say("hold", 3000, id_="h"), *end)
    assert got.pop("h") == "HOLD_KEPT"


def test_release_without_hold():
    verdict = one(judge(Program().show("cam-a", 9000), [say("release", 3000)]))
    assert verdict.code is VerdictCode.NOTED
    assert "no hold" in verdict.text


# ---------------------------------------------------------------- proposals


def proposal(at: float, **fields) -> Claim:
    return say("proposal", at, id_="p", camera="cam-b", **fields)


@pytest.mark.parametrize("expires", [None, 2000.0, T0 + 6000])
def test_accepted_proposal_is_a_cut(expires):
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    claims = [proposal(3500, expires_ms=expires), say("accept", 4900, id_="a", proposal="p")]
    got = judge(program, claims)
    assert codes(got) == [("NOTED", "p", None), ("AGREE", "a", "e1")]
    assert got[1].lag_ms == 100.0


def test_accepted_proposal_that_was_not_made():
    claims = [proposal(3500), say("accept", 4900, id_="a", proposal="p")]
    got = codes(judge(Program().show("cam-a", 15000), claims))
    assert got == [("NOTED", "p", None), ("MISSED", "a", None)]


def test_a_proposal_alone_is_no_cut():
    program = Program().show("cam-a", 5000).show("cam-b", 15000)
    got = codes(judge(program, [proposal(4900)]))
    assert got == [("NOTED", "p", None), ("UNANNOUNCED", None, "e1")]


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ([say("accept", 4900, proposal="p")], "no such proposal"),
        ([proposal(1000, expires_ms=2000.0), say("accept", 4900, proposal="p")], "expired"),
        ([proposal(1000, expires_ms=T0 + 2000), say("accept", 4900, proposal="p")], "expired"),
        ([proposal(1), say("veto", 2, proposal="p"), say("accept", 3, proposal="p")], "vetoed"),
        ([proposal(1), say("veto", 2, proposal="p"), say("veto", 3, proposal="p")], "vetoed"),
        ([say("veto", 3, proposal="p")], "no such proposal"),
    ],
)
def test_answers_that_change_nothing(claims, words):
    verdicts = judge(Program().show("cam-a", 15000), claims)
    assert {v.code for v in verdicts} == {VerdictCode.NOTED}
    assert words in verdicts[-1].text


# ---------------------------------------------------------------- noted, and the rest


@pytest.mark.parametrize(
    "claim",
    [
        say("session.start", 1),
        say("session.end", 1),
        say("mode", 1, mode="ghost"),
        say("still", 1, camera="cam-a"),
        say("still", 1, camera="cam-a", kind="marker"),
        say("camera", 1, camera="cam-a"),
        say("music", 1, label="intro"),
        say("unknown", 1),
        say("unreadable", 1, problem="not JSON"),
    ],
)
def test_noted_at_once(claim):
    court = Judge(CAMERAS)
    court.shot(Shot(start_ms=T0, end_ms=T0 + 100, state=ShotState.LIVE, camera="cam-a"))
    court.claim(claim)
    verdict = one(court.advance(T0 + 40))
    assert verdict.code is VerdictCode.NOTED
    assert verdict.confidence == 1.0
    assert verdict.text.endswith(".")


def test_the_same_rubbish_twice_is_rubbish_twice():
    claims = [say("unreadable", at, id_="x", problem="not JSON") for at in (1, 2)]
    got = [code for code, *_ in codes(judge(Program().show("cam-a", 100), claims))]
    assert got == ["NOTED", "NOTED"]


def test_events_that_nobody_commands_get_no_verdict():
    court = Judge(CAMERAS)
    for kind in (EventType.FREEZE, EventType.HOLD, EventType.FEED_LOST, EventType.FEED_BACK):
        court.event(Event(id=kind, type=kind, at_ms=T0))
    assert court.close() == []


def test_noted_is_no_disagreement():
    assert VerdictCode.NOTED not in DISAGREEMENTS


def test_a_flood_of_messages_is_judged_in_bearable_time():
    program = Program().show("cam-a", 2000).show("cam-b", 6000)
    claims = [cut("cam-b", 1000 + i / 10, id_=f"m{i}") for i in range(8000)]
    verdicts = judge(program, claims)
    assert len(verdicts) == len(claims)
    assert sum(v.event_id is not None for v in verdicts) == 1


@pytest.mark.parametrize("bad", [{"after_ms": -1.0}, {"before_ms": float("nan")}, {"window_ms": 1}])
def test_tolerances_are_checked(bad):
    with pytest.raises(InputError):
        Tolerances(**bad)
