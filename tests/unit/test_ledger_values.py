"""What a ledger can hold, and how an odd message is made to fit."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap.errors import LedgerError
from tap.ledger import values

WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=20,
)


def nested(levels):
    value = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"a": {"b": math.nan}}, "a.b"),
        ({"a": [1, -math.inf]}, "a[1]"),
        ({"a": 2**53 + 1}, "a"),
        ({"a": [{"$b": 1}]}, "a[0].$b"),
        ({"_id": 1}, "_id"),
        ({"café": 1}, "caf"),
        ({"": 1}, "the row itself"),
        ({"x" * 65: 1}, "xxx"),
        ({"a\n": 1}, "a"),
        ({"a": "\ud800"}, "a"),
        ({"a": [0] * 8193}, "a"),
        ({f"f{i}": 1 for i in range(1025)}, "the row itself"),
        ({"a": "x" * 1024 * 1024}, "the row itself"),
        (nested(17), "a.a.a"),
        ({"a": b"x"}, "a"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(document, place):
    with pytest.raises(LedgerError, match="expected") as caught:
        values.check(document)
    assert caught.value.code == "BAD_VALUE"
    assert place in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": [2**53, -(2**53), 0.5, True, None, "ä\u0000"]},
        nested(16),
        {"a": [0] * 8192},
        {f"f{i}": 1 for i in range(1024)},
        {"a": "x" * 1024 * 1000, "x" * 64: {"not allowed at the start only_$": 1}},
    ],
)
def test_what_fits_passes(document):
    values.check(document)


def test_a_plain_message_is_stored_as_it_is():
    raw = {"type": "cut", "camera": "cam-a", "atMs": 1.5, "extra": [None, {"deep": True}]}
    assert values.storable(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        {"$type": "cut"},
        {"größe": 1},
        {"seq": 2**60},
        {"text": "\udc00"},
        {"list": list(range(9000))},
        nested(31),
        {"json": "not json at all"},
        {"json": '{"a":1}'},
        {"text": "x" * 1024 * 600},
    ],
)
def test_an_odd_message_is_kept_whole(raw):
    stored = values.storable(raw)
    assert set(stored) == {"json"}
    assert values.restored(stored) == raw


def test_not_a_number_is_kept_too():
    stored = values.storable({"a": math.nan})
    assert math.isnan(values.restored(stored)["a"])


@given(st.dictionaries(st.text(max_size=5), WILD, max_size=5))
def test_whatever_comes_is_storable_and_comes_back(raw):
    stored = values.storable(raw)
    values.check({"claim": {"raw": stored}})
    back = values.restored(stored)
    assert back == raw
    assert json.dumps(back, sort_keys=True) == json.dumps(raw, sort_keys=True)
