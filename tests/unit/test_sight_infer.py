"""The sequence model."""

import numpy as np
import pytest

from tap.sight.infer import Inference, States, decide_all

SETTINGS = {"sharpness": 0.35, "honesty": 0.05}


def evidence(states, plan):
    """(at_ms, nats) for runs of (state, frames), as clear as moving pictures are."""
    rng = np.random.default_rng(3)
    out = []
    for state, count in plan:
        for _ in range(count):
            nats = rng.uniform(0, 8, states.count)
            nats[states.off] = 90
            nats[state] = 220
            out.append((40.0 * len(out), nats))
    return out


def inference(states, **kind):
    return Inference(states, **SETTINGS, **({"lag_ms": 250.0, "lag_frames": 8} | kind))


def run(states, frames, **kind):
    model = inference(states, **kind)
    out = [d for at_ms, nats in frames for d in model.add(at_ms, nats)]
    return out + model.flush()


def test_states_are_cameras_then_off_black_and_pairs():
    states = States(3)
    assert states.count == 3 + 2 + 3
    assert states.pairs == [(0, 1), (0, 2), (1, 2)]
    assert states.pair(2, 0) == states.pair(0, 2) == states.first_pair + 1
    assert states.members(states.pair(1, 2)) == (1, 2)
    assert states.members(1) == (1,)
    assert states.members(states.off) == states.members(states.black) == ()


@pytest.mark.parametrize("cameras", [0, 1, 2, 12])
def test_transitions_are_probabilities_and_none_is_impossible(cameras):
    t = States(cameras).transitions()
    assert t.sum(axis=1) == pytest.approx(np.ones(len(t)))
    assert t.min() > 0
    assert np.diag(t).min() > 0.9


@pytest.mark.parametrize("cameras", [1, 4, 12])
def test_clear_evidence_is_followed_frame_by_frame(cameras):
    states = States(cameras)
    plan = [(0, 20), (states.off, 12), (cameras - 1, 20), (states.black, 10), (0, 5)]
    decided = run(states, evidence(states, plan))
    truth = [state for state, count in plan for _ in range(count)]
    assert [int(d.sharp.argmax()) for d in decided] == truth
    assert [d.at_ms for d in decided] == [40.0 * n for n in range(len(truth))]


def test_a_fixed_lag_equals_hindsight_on_clear_evidence():
    states = States(4)
    frames = evidence(states, [(0, 30), (2, 3), (0, 20), (states.pair(0, 1), 12), (1, 30)])
    late, wise = run(states, frames), decide_all(states, frames, **SETTINGS)
    for a, b in zip(late, wise, strict=True):
        assert int(a.sharp.argmax()) == int(b.sharp.argmax())
        assert a.sharp == pytest.approx(b.sharp, abs=1e-3)


def test_the_posterior_is_a_probability():
    states = States(4)
    for decided in run(states, evidence(states, [(0, 12), (3, 12)])):
        assert decided.sharp.sum() == pytest.approx(1)
        assert decided.honest.sum() == pytest.approx(1)


def test_the_newest_always_waits_and_the_lag_is_kept():
    states = States(2)
    model = inference(states, lag_ms=0.0, lag_frames=0)
    frames = evidence(states, [(0, 5)])
    assert model.add(*frames[0]) == []
    assert [d.at_ms for d in model.add(*frames[1])] == [0.0]
    model = inference(states, lag_frames=4, lag_ms=1e9)
    assert [len(model.add(*f)) for f in evidence(states, [(0, 7)])] == [0, 0, 0, 0, 1, 1, 1]
    model = inference(states, lag_frames=99, lag_ms=80.0)
    assert [len(model.add(*f)) for f in evidence(states, [(0, 5)])] == [0, 0, 1, 1, 1]


def test_flush_leaves_nothing_waiting():
    states = States(2)
    model = inference(states)
    for frame in evidence(states, [(0, 5)]):
        model.add(*frame)
    assert len(model.flush()) == 5
    assert model.flush() == []


def test_replaced_evidence_is_judged_as_if_it_had_come_first():
    states = States(3)
    old, new = evidence(states, [(0, 16), (states.off, 5)]), evidence(states, [(0, 16), (1, 5)])
    model = inference(states)
    before = [d for frame in old[:-1] for d in model.add(*frame)]
    waiting = new[len(before) :]
    after = model.replace(waiting) + model.flush()
    expected = run(states, new)
    assert len(before) + len(after) == len(expected)
    for a, b in zip([*before, *after][16:], expected[16:], strict=True):
        assert int(a.sharp.argmax()) == 1
        assert a.honest == pytest.approx(b.honest, abs=1e-9)


def test_one_frame_can_never_rule_a_state_out():
    states = States(2)
    frames = evidence(states, [(0, 20)])
    frames[10][1][0] = -1e9
    decided = run(states, frames)
    assert {int(d.sharp.argmax()) for d in decided[:10] + decided[11:]} == {0}


def test_confidence_is_lower_where_two_fit():
    states = States(2)
    frames = [(40.0 * n, np.array([200.0, 200.0, 60.0, -60.0, 190.0])) for n in range(20)]
    decided = run(states, frames)[10]
    assert decided.honest[0] == pytest.approx(decided.honest[1], abs=1e-6)
    assert decided.honest[0] < 0.6
