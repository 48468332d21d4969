"""Row against row: exactly the planted differences are found, each by its key."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap.report.findings import Fault
from tap.witness.compare import check_order, compare_rows


def rows(number: int = 6) -> list[dict]:
    return [
        {
            "key": f"s/claim/m{n}", "seq": n, "type": "cut", "camera": "cam-a", "lagMs": 143.0,
            "verdict": "AGREE", "claim": {"id": f"m{n}", "raw": {"tags": ["a", {"b": True}]}},
        }
        for n in range(1, number + 1)
    ]  # fmt: skip


def found(expected: list[dict], there: list[dict]) -> list[tuple[Fault, str]]:
    return [(p.fault, p.key) for p in compare_rows("t", expected, there)]


def test_equal_rows_are_no_problem_whatever_the_ledger_adds():
    there = [row | {"_id": "x", "_creationTime": 1.5, "seq": float(row["seq"])} for row in rows()]
    assert found(rows(), list(reversed(there))) == []


def test_each_planted_difference_is_found_and_no_other():
    there = rows()
    del there[1]
    there[1] = there[1] | {"verdict": "MISSED"}
    there.append(deepcopy(there[3]))
    there.append({"key": "s/claim/forged", "seq": 9, "type": "cut"})
    assert found(rows(), there) == [
        (Fault.MISSING, "s/claim/m2"),
        (Fault.ALTERED, "s/claim/m3"),
        (Fault.DUPLICATE, "s/claim/m5"),
        (Fault.EXTRA, "s/claim/forged"),
    ]


def test_swapped_rows_are_out_of_order_not_altered():
    there = rows()
    there[2]["seq"], there[4]["seq"] = there[4]["seq"], there[2]["seq"]
    problems = compare_rows("t", rows(), there)
    assert [(p.fault, p.key) for p in problems] == [
        (Fault.OUT_OF_ORDER, "s/claim/m3"),
        (Fault.OUT_OF_ORDER, "s/claim/m5"),
    ]
    assert problems[0].text == "Expected at number 3, found at number 5."


def test_an_alteration_says_where_and_what():
    there = rows(1)
    there[0]["claim"]["raw"]["tags"][1]["b"] = 1
    del there[0]["camera"]
    there[0]["note"] = "new"
    (problem,) = compare_rows("t", rows(1), there)
    assert problem.text == (
        "camera: expected 'cam-a', the ledger has nothing; "
        "claim.raw.tags[1].b: expected True, the ledger has 1; "
        "note: expected nothing, the ledger has 'new'."
    )


@given(
    st.lists(st.sampled_from(["drop", "alter", "double", "forge"]), max_size=8),
    st.randoms(use_true_random=False),
)
def test_any_mix_of_faults_is_found_exactly(faults, random):
    expected, there = rows(20), rows(20)
    hit = random.sample(range(20), len(faults))
    planted = set()
    for fault, n in zip(faults, hit, strict=True):
        key = f"s/claim/m{n + 1}"
        row = next(r for r in there if r["key"] == key)
        if fault == "drop":
            there.remove(row)
            planted.add((Fault.MISSING, key))
        elif fault == "alter":
            row["lagMs"] += 0.5
            planted.add((Fault.ALTERED, key))
        elif fault == "double":
            there.append(deepcopy(row))
            planted.add((Fault.DUPLICATE, key))
        else:
            there.append({"key": f"x{n}", "seq": 99})
            planted.add((Fault.EXTRA, f"x{n}"))
    random.shuffle(there)
    reported = found(expected, there)
    assert set(reported) == planted
    assert len(reported) == len(planted)


def ordered(there: list[dict]) -> list[tuple[Fault, str]]:
    return [(p.fault, p.key) for p in check_order("t", there)]


def test_numbers_alone_tell_of_holes_repeats_and_steps_back():
    assert ordered(rows()) == []
    assert ordered([]) == []
    there = rows()
    assert ordered(there[:2] + there[3:]) == [(Fault.MISSING, "s/claim/m4")]
    assert ordered(there[1:]) == [(Fault.MISSING, "s/claim/m2")]
    swapped = [there[0], there[2], there[1], *there[3:]]
    assert (Fault.OUT_OF_ORDER, "s/claim/m2") in ordered(swapped)
    assert ordered([*there, there[-1]]) == [
        (Fault.DUPLICATE, "s/claim/m6"),
        (Fault.OUT_OF_ORDER, "s/claim/m6"),
    ]


@pytest.mark.parametrize(
    "seq", [None, "3", True, 2.5, [1], -1, 10**400, float("inf"), float("nan")]
)
def test_a_number_that_is_none_is_said(seq):
    there = [{"key": "k", "seq": seq}]
    assert ordered(there) == [(Fault.ALTERED, "k")]
