"""A message recorded and read again is the same claim."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.claims import Parser, dump_line, from_line, load_profile, read_claims, record, to_line
from tap.errors import InputError
from tap.vocabulary import ClaimType

NOW = 1_789_000_000_000.0
CAMERAS = ("cam-a", "cam-b")
KEYS = st.sampled_from(
    [
        "type",
        "id",
        "atMs",
        "recvMs",
        "raw",
        "unreadable",
        "problem",
        "text",
        "camera",
        "mode",
        "seq",
    ]
) | st.text(max_size=4)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["cut", "mode", "cam-a", NOW, NOW - 90_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.dictionaries(KEYS, VALUES, max_size=5)


def make_parser() -> Parser:
    return Parser(load_profile("tap"), CAMERAS)


@settings(max_examples=300, deadline=None)
@given(
    MESSAGES.map(json.dumps) | st.text(max_size=40) | st.binary(max_size=40),
    st.floats(0, 2e12),
)
def test_a_recorded_message_is_the_same_claim(data, recv_ms):
    parser = make_parser()
    claim = parser.parse(data, recv_ms)
    line = json.loads(dump_line(claim))
    assert line == to_line(claim)
    assert from_line(line, parser, 0.0) == claim
    later = parser.received_at(claim, recv_ms + 7.0)
    assert later == parser.parse(data, recv_ms + 7.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(MESSAGES.map(json.dumps) | st.text(max_size=20), st.integers(0, 99))))
def test_a_recorded_feed_is_the_same_claims(tmp_path_factory, messages):
    path = tmp_path_factory.mktemp("feed") / "director.jsonl"
    parser = make_parser()
    now = NOW
    claims = []
    for data, later in messages:
        now += later
        claims.append(parser.parse(data, now))
    path.write_text("".join(map(dump_line, claims)), encoding="utf-8")
    assert list(read_claims(path, parser)) == claims


@pytest.mark.parametrize("data", ["x" * 70_000, b"\xff" * 70_000, '{"type":"\\ud800"}', "[" * 999])
def test_the_worst_messages_survive_recording(tmp_path, data):
    parser = make_parser()
    claim = parser.parse(data, NOW)
    path = tmp_path / "director.jsonl"
    path.write_text(dump_line(claim), encoding="utf-8")
    assert list(read_claims(path, parser)) == [claim]
    assert claim.type is ClaimType.UNREADABLE


def test_lines_come_by_their_time_of_receipt(tmp_path):
    path = tmp_path / "director.jsonl"
    path.write_text(
        '{"type":"mode","mode":"c","recvMs":30}\n'
        '{"type":"mode","mode":"a","atMs":10}\r\n'
        "\n"
        '{"type":"mode","mode":"b","atMs":99,"recvMs":10}\n'
    )
    claims = list(read_claims(path, make_parser()))
    assert [(c.mode, c.recv_ms, c.at_ms) for c in claims] == [
        ("a", 10, 10),
        ("b", 10, 99),
        ("c", 30, 30),
    ]


def test_lines_without_any_time_belong_to_the_line_before(tmp_path):
    path = tmp_path / "director.jsonl"
    path.write_text(
        '{"type":"mode","mode":"first"}\n'
        '{"type":"mode","mode":"a","recvMs":20}\n'
        '{"type":"mode","mode":"b","recvMs":"soon"}\n'
        "rubbish\n"
        '{"type":"mode","mode":"c","recvMs":50}\n'
        '{"type":"mode"}\n'
    )
    claims = list(read_claims(path, make_parser()))
    assert [(c.mode, c.recv_ms) for c in claims] == [
        ("first", 20),
        ("a", 20),
        ("b", 20),
        (None, 20),
        ("c", 50),
        (None, 50),
    ]
    assert [c.type.value for c in claims].count("unreadable") == 2


def test_a_feed_without_times(tmp_path):
    path = tmp_path / "director.jsonl"
    path.write_bytes(b'{"type":"release"}\n\xff\xfe\n[1]\n')
    assert [c.recv_ms for c in read_claims(path, make_parser())] == [0.0, 0.0, 0.0]


def test_too_long_lines_are_unreadable_and_the_feed_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "MAX_LINE", 100_000)
    path = tmp_path / "director.jsonl"
    path.write_text(
        json.dumps({"type": "mode", "mode": "x" * 350_000, "recvMs": 5})
        + "\n"
        + json.dumps({"type": "mode", "mode": "a", "pad": "x" * 70_000})
        + "\n"
        + json.dumps({"type": "mode", "mode": "a", "pad": "x" * 70_000, "recvMs": 7})
        + "\n"
        + "y" * 99_999
    )
    claims = list(read_claims(path, make_parser()))
    assert [c.type.value for c in claims] == ["unreadable", "unreadable", "mode", "unreadable"]
    assert "65536" in (claims[1].problem or "")


def test_an_empty_feed(tmp_path):
    path = tmp_path / "director.jsonl"
    path.write_text("\n \n")
    assert list(read_claims(path, make_parser())) == []


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="one JSON object a line"):
        list(read_claims(tmp_path / "no.jsonl", make_parser()))
    monkeypatch.setattr(record, "MAX_FILE", 10)
    path = tmp_path / "director.jsonl"
    path.write_text("x" * 11)
    with pytest.raises(InputError, match="at most 10 bytes"):
        list(read_claims(path, make_parser()))
