"""From rulings to shots and events."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.sight.ruling import Ruling
from tap.sight.settings import SightSettings
from tap.sight.shots import ShotBuilder
from tap.sight.wipe import Wipe
from tap.vocabulary import EventType, ShotState

STEP_MS = 40.0
LIVE, OFF, BLACK = ShotState.LIVE, ShotState.OFF_CAMERA, ShotState.BLACK
PAIR, UNSEEN = ShotState.TRANSITION, ShotState.UNSEEN
_GAIN = {LIVE: 1.0, BLACK: 0.0}


class Rulings(list[Ruling]):
    """A sequence of rulings, a run at a time."""

    def run(
        self,
        state,
        cameras,
        count,
        *,
        gains=None,
        shares=None,
        split=False,
        sure=0.99,
        traces=(),
        ways=None,
        covered=False,
        fits=None,
        of="a",
    ):
        for n in range(count):
            at = len(self) * STEP_MS
            self.append(
                Ruling(
                    index=len(self),
                    at_ms=at,
                    end_ms=at + STEP_MS,
                    state=state,
                    cameras=cameras,
                    confidence=sure,
                    share=shares[n] if shares else 0.0,
                    split=split,
                    wipe=Wipe(np.array([ways[n]]), np.array([1.0])) if ways else None,
                    covered=covered,
                    gain=gains[n] if gains else _GAIN.get(state),
                    seen=(of, fits[n]) if fits else None,
                    fringe=traces[n] if n < len(traces) else None,
                    reason="no program frames" if state is UNSEEN else "",
                )
            )
        return self

    def live(self, camera, count, **kind):
        return self.run(LIVE, (camera,), count, **kind)

    def mixed(self, a, b, count, **kind):
        shares = [(n + 1) / (count + 1) for n in range(count)]
        return self.run(PAIR, (a, b), count, shares=kind.pop("shares", shares), **kind)


def build(rulings):
    builder = ShotBuilder(SightSettings())
    for ruling in rulings:
        builder.add(ruling)
    builder.finish()
    return builder


def shots_of(builder):
    """(state, cameras, first frame, frames) with the parts of one shot joined."""
    out = []
    for shot, _ in builder.shots:
        first, last = shot.start_ms / STEP_MS, shot.end_ms / STEP_MS
        if out and out[-1][:2] == (shot.state, shot.cameras):
            out[-1] = (*out[-1][:3], out[-1][3] + last - first)
        else:
            out.append((shot.state, shot.cameras, first, last - first))
    return out


def told(builder):
    return [
        (e.type.value, e.at_ms / STEP_MS, e.duration_ms / STEP_MS, e.from_camera, e.to_camera)
        for e in builder.events
        if e.type.value != "hold"
    ]


def test_a_cut_begins_at_the_first_frame_of_the_new_picture():
    built = build(Rulings().live("a", 30).live("b", 30))
    assert shots_of(built) == [(LIVE, ("a",), 0, 30), (LIVE, ("b",), 30, 30)]
    assert told(built) == [("cut", 30, 0, "a", "b")]
    assert built.events[0].frame == 30
    assert built.events[0].id == "cut-1200"


@pytest.mark.parametrize("frames", [6, 12, 40])
def test_a_dissolve_starts_with_the_first_mixed_frame(frames):
    built = build(Rulings().live("a", 30).mixed("a", "b", frames).live("b", 30))
    [(kind, at, lasted, old, new)] = told(built)
    assert (kind, old, new) == ("dissolve", "a", "b")
    assert at == pytest.approx(30, abs=1)
    assert lasted == pytest.approx(frames, abs=2)


def test_a_dissolve_reaches_beyond_what_was_recognised_as_mixed():
    shares = [0.2 + 0.05 * n for n in range(13)]
    built = build(Rulings().live("a", 30).mixed("a", "b", 13, shares=shares).live("b", 30))
    [(_, at, lasted, _, _)] = told(built)
    assert at == 27
    assert lasted == pytest.approx(19, abs=1)
    assert [s[0] for s in shots_of(built)] == [LIVE, PAIR, LIVE]


def test_what_an_encoder_of_few_bits_leaves_of_the_old_camera_is_no_dissolve():
    shares = [0.7, 0.75, 0.8, 0.8, 0.85, 0.85, 0.9, 0.9, 0.9, 0.9]
    built = build(Rulings().live("a", 30).mixed("a", "b", 10, shares=shares).live("b", 30))
    assert told(built) == [("cut", 30, 0, "a", "b")]


def test_a_dissolve_is_over_when_the_share_stops_growing():
    shares = [0.1 + 0.08 * n for n in range(10)] + [0.86] * 12
    built = build(Rulings().live("a", 30).mixed("a", "b", 22, shares=shares).live("b", 30))
    [(kind, start, length, *_)] = told(built)
    assert kind == "dissolve"
    assert 28 <= start <= 30
    assert 39 <= start + length <= 43


def test_frames_of_a_wipe_that_nobody_could_read_are_of_it_as_well():
    rulings = Rulings().live("a", 20, traces=[0.0] * 16 + [0.01, 0.03, 0.06, 0.1])
    rulings.run(OFF, (), 2).mixed("a", "b", 5, split=True, shares=[0.4, 0.5, 0.6, 0.7, 0.8])
    rulings.live("b", 20, traces=[0.1, 0.04] + [0.0] * 12)
    assert told(build(rulings)) == [("wipe", 16, 13, "a", "b")]


@pytest.mark.parametrize("back", [False, True])
def test_a_wipe_sets_out_and_arrives_where_its_shape_says(back):
    """The first three and the last five of its frames are not to be seen."""
    ways = [(n + 4) / 16 for n in range(7)]
    rulings = Rulings().live("a", 20, traces=[0.0] * 20)
    rulings.mixed("a", "b", 7, split=True, ways=[1 - way for way in ways] if back else ways)
    rulings.live("b", 30, traces=[0.0] * 30)
    assert told(build(rulings)) == [("wipe", 17, 3 + 7 + 5, "a", "b")]


def test_what_follows_a_wipe_at_once_ends_it():
    ways = [(n + 4) / 16 for n in range(7)]
    rulings = Rulings().live("a", 20).mixed("a", "b", 7, split=True, ways=ways).live("b", 4)
    assert [(kind, at) for kind, at, *_ in told(build(rulings.live("c", 30)))] == [
        ("wipe", 17),
        ("cut", 31),
    ]


def test_what_is_measured_of_a_wipe_may_grow_at_first():
    rulings = Rulings().live("a", 20).mixed("a", "b", 5, split=True)
    rulings.live("b", 30, traces=[0.04, 0.1, 0.08, 0.05, 0.04, 0.02, 0.01] + [0.0] * 20)
    assert told(build(rulings)) == [("wipe", 20, 12, "a", "b")]


@pytest.mark.parametrize(
    ("after", "frames"),
    [
        ([0.09, 0.09, 0.08, 0.08, 0.07, 0.07], 9),  # what the encoder leaves falls slowly
        ([0.07, 0.045, 0.03, 0.02, 0.01], 14),  # a dissolve that eases out
    ],
)
def test_a_dissolve_ends_where_its_line_does_or_while_its_trace_falls(after, frames):
    shares = [0.1 * n for n in range(1, 10)]
    rulings = Rulings().live("a", 20).mixed("a", "b", 9, shares=shares)
    rulings.live("b", 40, traces=after + [0.0] * 20)
    [(kind, _, lasted, _, _)] = told(build(rulings))
    assert kind == "dissolve"
    assert lasted == pytest.approx(frames, abs=1)


@pytest.mark.parametrize(("first", "fades"), [(0.5, True), (1.0, False)])
def test_a_picture_that_dims_is_lost_and_another_comes_as_slowly(first, fades):
    """Graphics that stay bright hide the rest of a fade; what is there at once was cut to."""
    rulings = Rulings().live("a", 30).live("a", 6, gains=[1.0, 0.95, 0.9, 0.8, 0.7, 0.6])
    rulings.run(OFF, (), 6)
    rulings.live("b", 6, gains=[first + (1 - first) * n / 6 for n in range(6)]).live("b", 30)
    kinds = [kind for kind, *_ in told(build(rulings))]
    assert kinds == (["fade"] if fades else ["cut", "cut"])


def test_a_wipe_of_which_one_frame_is_seen_as_mixed():
    """The others were found to have something of the other camera beside it."""
    rulings = Rulings().live("a", 20, traces=[0.0] * 17 + [0.01, 0.05, 0.1])
    rulings.mixed("a", "b", 1, split=True, shares=[0.5])
    rulings.live("b", 20, traces=[0.1, 0.05, 0.01] + [0.0] * 9)
    assert told(build(rulings)) == [("wipe", 17, 7, "a", "b")]


def test_a_short_wipe_of_which_half_was_seen_side_by_side():
    """Where its edges run, neither camera fits: such a frame is taken for a mixture, no more."""
    rulings = Rulings().live("a", 20, traces=[0.0] * 17 + [0.01, 0.05, 0.1])
    rulings.mixed("a", "b", 1, split=True, shares=[0.5]).run(OFF, (), 1)
    rulings.live("b", 20, traces=[0.1, 0.05, 0.01] + [0.0] * 9)
    assert told(build(rulings)) == [("wipe", 17, 8, "a", "b")]


def test_a_wipe_is_a_mixture_side_by_side():
    built = build(Rulings().live("a", 30).mixed("a", "b", 12, split=True).live("b", 30))
    assert told(built)[0][0] == "wipe"


def test_what_is_left_of_a_mixture_is_no_other_picture():
    built = build(Rulings().live("a", 20).mixed("a", "b", 12).run(OFF, (), 8).live("b", 20))
    [(kind, *_, old, new)] = told(built)
    assert (kind, old, new) == ("dissolve", "a", "b")
    assert OFF not in [shot[0] for shot in shots_of(built)]


def test_what_shows_for_longer_after_a_mixture_is_another_picture():
    rulings = Rulings().live("a", 20).mixed("a", "b", 12).run(OFF, (), 14).live("b", 20)
    assert [event[3:] for event in told(build(rulings))] == [("a", None), (None, "b")]


def test_a_dissolve_that_nobody_explained_at_first_leads_from_the_camera_it_shows():
    rulings = Rulings().live("a", 20).run(OFF, (), 8)
    shares = [0.5 + 0.04 * n for n in range(12)]
    built = build(rulings.mixed("a", "b", 12, shares=shares).live("b", 20))
    assert [(event[0], *event[3:]) for event in told(built)] == [
        ("cut", "a", None),
        ("dissolve", "a", "b"),
    ]
    assert (PAIR, ("a", "b")) in [shot[:2] for shot in shots_of(built)]


def test_a_picture_or_two_of_black_right_after_a_cut_belong_to_the_new_camera():
    built = build(Rulings().live("a", 20).live("b", 1).run(BLACK, (), 2).live("b", 20))
    assert told(built) == [("cut", 20, 0, "a", "b")]
    assert shots_of(built) == [(LIVE, ("a",), 0, 20), (LIVE, ("b",), 20, 23)]


def test_two_mixed_frames_are_a_cut_smeared_by_the_encoder():
    built = build(Rulings().live("a", 30).mixed("a", "b", 2).live("b", 30))
    assert told(built) == [("cut", 31, 0, "a", "b")]
    assert [s[0] for s in shots_of(built)] == [LIVE, LIVE]


def test_an_aborted_dissolve_is_no_change():
    shares = [0.1, 0.2, 0.3, 0.4, 0.4, 0.3, 0.2, 0.1]
    built = build(Rulings().live("a", 30).mixed("a", "b", 8, shares=shares).live("a", 30))
    assert told(built) == []


def test_a_pair_that_stays_is_composed_to_its_end():
    built = build(Rulings().live("a", 30).mixed("a", "b", 200, shares=[0.5] * 200).live("b", 30))
    assert [s[:2] for s in shots_of(built)] == [
        (LIVE, ("a",)),
        (ShotState.COMPOSED, ("a", "b")),
        (LIVE, ("b",)),
    ]
    assert shots_of(built)[1][2:] == (30, 200)


def test_a_fade_to_black():
    falling = [1 - (n + 1) / 11 for n in range(10)]
    built = build(Rulings().live("a", 30).live("a", 10, gains=falling).run(BLACK, (), 40))
    [(kind, at, lasted, old, new)] = told(built)
    assert (kind, old, new) == ("fade", "a", None)
    assert at == pytest.approx(30, abs=1)
    assert lasted == pytest.approx(10, abs=1)
    assert shots_of(built)[-1][0] is BLACK


def test_a_fade_in_which_all_ends_is_a_change_to_nobody_knows_what():
    gains = [1.0] * 30 + [1.0 - 0.06 * n for n in range(1, 13)]
    built = build(Rulings().live("a", 42, gains=gains))
    assert shots_of(built) == [(LIVE, ("a",), 0, 30), (PAIR, ("a",), 30, 12)]
    assert told(built) == []


def test_a_fade_may_come_as_all_ends():
    away, comes = [0.06 * n for n in range(12, 0, -1)], [0.05 * n for n in range(1, 16)]
    rulings = Rulings().live("a", 42, gains=[1.0] * 30 + away).live("b", 15, gains=comes)
    built = build(rulings)
    [(kind, at, lasted, old, new)] = told(built)
    assert (kind, at, old, new) == ("fade", 30, "a", "b")
    assert lasted >= 24
    assert shots_of(built)[1][:3] == (PAIR, ("a", "b"), 30)


def test_a_fade_through_black_is_one_change():
    falling = [1 - (n + 1) / 11 for n in range(10)]
    built = build(
        Rulings()
        .live("a", 30)
        .live("a", 10, gains=falling)
        .run(BLACK, (), 5)
        .live("b", 10, gains=falling[::-1])
        .live("b", 30)
    )
    [(kind, at, lasted, old, new)] = told(built)
    assert (kind, old, new) == ("fade", "a", "b")
    assert at == pytest.approx(30, abs=1)
    assert lasted == pytest.approx(25, abs=2)


@pytest.mark.parametrize("odd", [8, 9])
def test_one_frame_of_a_fade_may_be_brighter_than_it_should(odd):
    falling = [1 - (n + 1) / 11 for n in range(10)]
    falling[odd] += 0.15  # a strobe
    built = build(Rulings().live("a", 30).live("a", 10, gains=falling).run(BLACK, (), 40))
    [(kind, at, lasted, _, _)] = told(built)
    assert (kind, at) == ("fade", pytest.approx(30, abs=1))
    assert lasted == pytest.approx(10, abs=1)


def test_long_black_stands_for_itself():
    built = build(Rulings().live("a", 30).run(BLACK, (), 60).live("b", 30))
    assert [e[0] for e in told(built)] == ["cut", "cut"]
    assert [e[3:] for e in told(built)] == [("a", None), (None, "b")]


@pytest.mark.parametrize("state", [OFF, BLACK])
def test_one_odd_frame_is_no_cut(state):
    built = build(Rulings().live("a", 30).run(state, (), 1).live("a", 30))
    assert told(built) == []
    assert shots_of(built) == [(LIVE, ("a",), 0, 61)]


@pytest.mark.parametrize("hidden", [2, 5])
def test_the_new_camera_begins_where_it_is_seen_if_a_graphic_had_covered_the_old_one(hidden):
    rulings = Rulings().live("a", 20).live("a", 2, covered=True).run(OFF, (), hidden)
    rulings.live("b", 2, covered=True).live("b", 20)
    assert told(build(rulings)) == [("cut", 22 + hidden, 0, "a", "b")]


@pytest.mark.parametrize(("hidden", "uncovers"), [(6, True), (5, False)])
def test_no_camera_is_on_while_a_graphic_covers_all_for_long(hidden, uncovers):
    rulings = Rulings().live("a", 20).live("a", 2, covered=True).run(OFF, (), hidden)
    rulings.live("b", 2, covered=uncovers).live("b", 20)
    assert told(build(rulings)) == [("cut", 22, 0, "a", None), ("cut", 22 + hidden, 0, None, "b")]


def test_a_photo_flash_is_no_cut():
    built = build(Rulings().live("a", 30).run(OFF, (), 3).live("a", 30))
    assert told(built) == []


def test_cut_and_back_within_four_frames_is_two_cuts():
    built = build(Rulings().live("a", 30).live("b", 4).live("a", 30))
    assert told(built) == [("cut", 30, 0, "a", "b"), ("cut", 34, 0, "b", "a")]


def test_off_camera_and_back():
    built = build(Rulings().live("a", 30).run(OFF, (), 30).live("b", 30))
    assert told(built) == [("cut", 30, 0, "a", None), ("cut", 60, 0, None, "b")]


EBBS = [0.6, 0.45, 0.3, 0.2, 0.12, 0.12, 0.15, 0.25, 0.3]


@pytest.mark.parametrize(
    ("fits", "of", "changes"),
    [
        (EBBS, "a", 0),
        (EBBS, "b", 2),
        ([0.6, 0.3, 0.14, *EBBS[3:]], "a", 2),
        ([*EBBS[:6], *[0.12] * 6, *EBBS[6:]], "a", 2),
    ],
    ids=["a moment", "another", "at once", "for long"],
)
def test_a_camera_that_ebbs_away_for_a_moment_is_still_on(fits, of, changes):
    """It moves, and the program has no bits for that; but with a cut a camera is gone at once."""
    rulings = Rulings().live("a", 30, fits=[0.7] * 30)
    rulings.run(OFF, (), len(fits), fits=fits, of=of).live("a", 30, fits=[0.5] * 30)
    assert len(told(build(rulings))) == changes


def test_what_happened_while_unseen_is_no_event():
    built = build(Rulings().live("a", 30).run(UNSEEN, (), 25).live("b", 30))
    assert told(built) == []
    assert [s[0] for s in shots_of(built)] == [LIVE, UNSEEN, LIVE]
    assert {reason for shot, reason in built.shots if shot.state is UNSEEN} == {"no program frames"}


@pytest.mark.parametrize("parts", [(1, 2, 20), (20, 2, 1), (10, 2, 10)])
def test_a_flash_beside_what_is_unseen_is_unseen_for_the_same_reason(parts):
    before, flash, after = parts
    rulings = Rulings().live("a", 30).run(UNSEEN, (), before).run(OFF, (), flash)
    built = build(rulings.run(UNSEEN, (), after).live("b", 30))
    unseen = [(shot, reason) for shot, reason in built.shots if shot.state is UNSEEN]
    assert {reason for _, reason in unseen} == {"no program frames"}
    assert sum(shot.end_ms - shot.start_ms for shot, _ in unseen) == sum(parts) * STEP_MS


def test_a_cut_among_cameras_that_look_alike_is_not_told():
    both = ShotState.AMBIGUOUS
    built = build(Rulings().live("a", 30).run(both, ("a", "b"), 30).live("b", 30))
    assert told(built) == []
    built = build(Rulings().live("c", 30).run(both, ("a", "b"), 30))
    assert told(built) == [("cut", 30, 0, "c", None)]


def test_a_hold_is_told_when_it_ends():
    built = build(Rulings().live("a", 300).live("b", 30))
    [hold] = [e for e in built.events if e.type.value == "hold"]
    assert (hold.at_ms, hold.duration_ms) == (0, 300 * STEP_MS)
    assert (hold.from_camera, hold.to_camera) == ("a", "a")


def test_a_running_shot_is_emitted_as_it_goes():
    builder = ShotBuilder(SightSettings())
    for ruling in Rulings().live("a", 100):
        builder.add(ruling)
    assert builder.until_ms is not None
    assert builder.until_ms >= 90 * STEP_MS


runs = st.tuples(
    st.sampled_from(
        [
            (LIVE, ("a",)),
            (LIVE, ("b",)),
            (OFF, ()),
            (OFF, ("a",)),
            (BLACK, ()),
            (UNSEEN, ()),
            (PAIR, ("a", "b")),
            (PAIR, ("a", "c")),
            (ShotState.COMPOSED, ("a", "b")),
            (ShotState.AMBIGUOUS, ("a", "b")),
        ]
    ),
    st.integers(1, 130),
    st.lists(st.floats(0, 1.2), min_size=1, max_size=5),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
    st.booleans(),
    st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=9),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(runs, max_size=14), st.integers(1, 30))
def test_any_rulings_become_shots_that_partition_time(plan, rate):
    rulings = Rulings()
    for (state, cameras), count, gains, shares, split, traces in plan:
        frames = 1 + count // rate
        ramp = [shares[0] + (shares[-1] - shares[0]) * n / frames for n in range(frames)]
        rulings.run(
            state,
            cameras,
            frames,
            gains=[gains[n % len(gains)] for n in range(frames)],
            shares=ramp,
            split=split,
            traces=[traces[n % len(traces)] for n in range(frames)] if state is LIVE else (),
            ways=ramp if split else None,
        )
    builder = ShotBuilder(SightSettings())
    for ruling in rulings:
        builder.add(ruling)
        emitted = builder.shots[-1][0].end_ms if builder.shots else None
        assert builder.until_ms == emitted
    builder.finish()
    edges = [(shot.start_ms, shot.end_ms) for shot, _ in builder.shots]
    assert all(start < end for start, end in edges)
    assert all(one[1] == two[0] for one, two in pairwise(edges))
    if rulings:
        assert (edges[0][0], edges[-1][1]) == (0, rulings[-1].end_ms)
    else:
        assert edges == []
    for event in builder.events:
        assert 0 <= event.at_ms <= rulings[-1].at_ms
        assert event.duration_ms >= 0
        assert event.at_ms + event.duration_ms <= rulings[-1].end_ms
    assert len({e.id for e in builder.events}) == len(builder.events)
    told_shots, told_events = len(builder.shots), len(builder.events)
    builder.finish()
    assert (len(builder.shots), len(builder.events)) == (told_shots, told_events)


def test_a_hold_is_told_once_however_often_nothing_follows():
    rulings = Rulings()
    rulings.run(ShotState.LIVE, ("a",), 400)
    builder = ShotBuilder(SightSettings())
    for ruling in rulings:
        builder.add(ruling)
    builder.finish()
    builder.finish()
    assert [event.type for event in builder.events] == [EventType.HOLD]


def faded(count, *, up=False):
    """Gains of a picture that goes, or comes."""
    gains = [(n + 1) / (count + 1) for n in range(count)]
    return gains if up else gains[::-1]


def test_a_fade_may_go_through_frames_that_nobody_can_read():
    rulings = Rulings().live("a", 30).live("a", 8, gains=faded(8)).run(OFF, (), 5)
    rulings.live("b", 8, gains=faded(8, up=True)).live("b", 30)
    built = build(rulings)
    assert [told_[0] for told_ in told(built)] == ["fade"]
    assert told(built)[0][1:] == (30, 21, "a", "b")


def test_a_picture_of_which_all_cameras_lack_does_not_part_a_fade():
    away, comes = [0.09 * n for n in range(10, 0, -1)], [0.09 * n for n in range(1, 11)]
    rulings = Rulings().live("a", 40, gains=[1.0] * 30 + away).run(UNSEEN, (), 2)
    built = build(rulings.live("b", 40, gains=comes + [1.0] * 30))
    [(kind, at, _, old, new)] = told(built)
    assert (kind, at, old, new) == ("fade", 30, "a", "b")
    assert UNSEEN not in [shot[0] for shot in shots_of(built)]


def test_a_fade_whose_first_frames_are_too_dim_to_be_measured():
    """... and whose darkest ones are too few to stand for themselves."""
    rulings = Rulings().live("a", 30).live("a", 8, gains=faded(8)).run(OFF, (), 3)
    rulings.live("b", 12, gains=[None] * 4 + faded(8, up=True)).live("b", 30)
    [(kind, at, lasts, old, new)] = told(build(rulings))
    assert (kind, at, old, new) == ("fade", 30, "a", "b")
    assert lasts == pytest.approx(8 + 3 + 12, abs=1)


def test_off_camera_that_a_picture_cuts_back_from_is_no_fade():
    rulings = Rulings().live("a", 30).live("a", 8, gains=faded(8)).run(OFF, (), 10).live("b", 30)
    kinds = [told_[0] for told_ in told(build(rulings))]
    assert kinds[-1] == "cut"
    assert len(kinds) == 2


def test_a_lost_frame_is_no_end_of_a_fade():
    gains = faded(12, up=True)
    gains[4] = None
    rulings = Rulings().live("a", 30).live("a", 12, gains=faded(12)).run(BLACK, (), 3)
    built = build(rulings.live("b", 12, gains=gains).live("b", 30))
    assert [(kind, at, lasts) for kind, at, lasts, _, _ in told(built)] == [("fade", 30, 27)]


def test_a_camera_a_little_paler_than_before_is_not_fading_yet():
    rulings = Rulings().live("a", 40).live("a", 8, gains=[0.9] * 8).live("a", 8, gains=faded(8))
    built = build(rulings.run(BLACK, (), 4).live("b", 8, gains=faded(8, up=True)).live("b", 30))
    assert told(built)[0][0] == "fade"
    assert told(built)[0][1] in {48, 49}


def test_a_soft_change_reaches_as_far_as_its_traces():
    before, after = [None] * 24 + [0.0, 0.0, 0.03, 0.05, 0.07, 0.09], [0.08, 0.05, 0.03, 0.0, 0.0]
    rulings = Rulings().live("a", 30, traces=before).mixed("a", "b", 12, split=True)
    built = build(rulings.live("b", 40, traces=after))
    assert told(built) == [("wipe", 26, 4 + 12 + 3, "a", "b")]


def test_what_does_not_fall_away_beside_a_mixture_is_no_part_of_it():
    steady = [0.06, 0.05, 0.055, 0.06, 0.05, 0.06]
    rulings = Rulings().live("a", 30).mixed("a", "b", 12).live("b", 40, traces=steady)
    _, _, lasts, *_ = told(build(rulings))[0]
    assert lasts <= 12 + 4


def test_a_trace_all_through_a_short_shot_does_not_hold_up_all_that_follows():
    """Its last is of the change that comes then: else nothing is told until the session ends."""
    rulings = Rulings().live("a", 30).mixed("a", "b", 10)
    rulings.live("b", 12, traces=[0.2] * 12).mixed("b", "c", 10).live("c", 200)
    builder = ShotBuilder(SightSettings())
    for ruling in rulings:
        builder.add(ruling)
    told = [(event.from_camera, event.to_camera) for event in builder.events]
    assert told == [("a", "b"), ("b", "c")]
    assert builder.until_ms is not None
    assert builder.until_ms > 220 * STEP_MS


@pytest.mark.parametrize("length", [2, 3, 4, 6])
@pytest.mark.parametrize("after", ["a", "c"])
def test_a_shot_of_a_few_frames_is_told_while_the_next_one_lasts(length, after):
    builder = ShotBuilder(SightSettings())
    rulings = Rulings().live("a", 20).live("b", length).live(after, 12)
    for ruling in rulings:
        builder.add(ruling)
    assert [(e.to_camera, e.frame) for e in builder.events] == [("b", 20), (after, 20 + length)]
    assert builder.until_ms is not None
    assert builder.until_ms >= rulings[20 + length].at_ms
    assert builder.cuts_until == rulings[-1].index
    assert [(e.to_camera, e.frame) for e in build(rulings).events] == [
        ("b", 20),
        (after, 20 + length),
    ]


@pytest.mark.parametrize("told", [21, 24, 30])
def test_cuts_are_known_up_to_the_last_frame_that_goes_on(told):
    builder = ShotBuilder(SightSettings())
    for ruling in Rulings().live("a", 20).live("b", 20)[:told]:
        builder.add(ruling)
    known = builder.cuts_until
    assert known is not None
    cut = [e.frame for e in builder.events]
    assert known == (told - 1 if cut else 19), "a cut that is not told of yet is not passed"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([(LIVE, ("a",)), (LIVE, ("b",)), (PAIR, ("a", "b")), (OFF, ())]),
            st.integers(1, 12),
            st.floats(0, 1),
            st.floats(0, 1.2),
        ),
        max_size=60,
    )
)
def test_nothing_stays_open_for_long(plan):
    builder, rulings = ShotBuilder(SightSettings()), Rulings()
    for (state, cameras), count, trace, gain in plan:
        rulings.run(
            state,
            cameras,
            count,
            shares=[trace] * count,
            traces=[trace] * count,
            gains=[gain] * count,
            split=trace > 0.5,
            ways=[trace + n / 100 for n in range(count)] if trace > 0.5 else None,
        )
    for ruling in rulings:
        builder.add(ruling)
        told_ms = builder.until_ms or 0.0
        assert ruling.end_ms - told_ms <= 8000.0
