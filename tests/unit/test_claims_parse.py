"""Messages as they come: sound, odd and hostile."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.claims import Parser, load_profile
from tap.claims.fields import FIELDS
from tap.vocabulary import Claim, ClaimType, EventType

NOW = 1_789_000_000_000.0
CAMERAS = ("cam-a", "cam-b")


@pytest.fixture
def parser() -> Parser:
    return Parser(load_profile("tap"), CAMERAS)


def parse(parser: Parser, recv_ms: float = NOW, **message) -> Claim:
    return parser.parse(json.dumps(message), recv_ms)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {"type": "cut", "camera": "cam-a", "transition": "wipe", "durationMs": 400},
            {"camera": "cam-a", "transition": EventType.WIPE, "duration_ms": 400.0},
        ),
        ({"type": "cut", "camera": "cam-a", "transition": None}, {"transition": None}),
        ({"type": "hold"}, {"camera": None}),
        ({"type": "hold", "camera": "cam-b"}, {"camera": "cam-b"}),
        ({"type": "release"}, {}),
        ({"type": "mode", "mode": "ghost"}, {"mode": "ghost"}),
        (
            {"type": "proposal", "camera": "cam-b", "expiresMs": 5000, "rationale": "eyes"},
            {"camera": "cam-b", "expires_ms": 5000.0, "rationale": "eyes"},
        ),
        ({"type": "accept", "proposal": "p"}, {"proposal": "p"}),
        ({"type": "veto", "proposal": 17}, {"proposal": "17"}),
        (
            {
                "type": "still",
                "camera": "cam-a",
                "stillId": "s",
                "kind": "marker",
                "uri": "x:y",
                "sha256": "AB" * 32,
            },
            {"still_id": "s", "kind": "marker", "uri": "x:y", "sha256": "ab" * 32},
        ),
        (
            {"type": "camera", "camera": "cam-new", "role": "hero", "placement": {"x": 1}},
            {"camera": "cam-new", "role": "hero", "placement": '{"x":1}'},
        ),
        ({"type": "music", "label": "drop", "bar": 12}, {"label": "drop", "bar": 12.0}),
        (
            {"type": "session.start", "sessionId": "x", "title": "t", "notes": "n", "mode": "auto"},
            {"session_id": "x", "title": "t", "notes": "n", "mode": "auto"},
        ),
        ({"type": "session.end", "reason": "done"}, {"reason": "done"}),
    ],
)
def test_the_vocabulary(parser, message, expected):
    claim = parse(parser, **message)
    assert claim.problem is None
    assert claim.type == message["type"]
    assert claim.raw == message
    for name, value in expected.items():
        assert getattr(claim, name) == value


def test_common_fields(parser):
    claim = parse(parser, type="release", id="m1", atMs=NOW - 20, seq=4)
    assert (claim.id, claim.at_ms, claim.sent_ms, claim.seq) == ("m1", NOW - 20, NOW - 20, 4)
    assert claim.recv_ms == NOW
    assert not claim.clock_suspect


def test_without_a_time_the_receipt_counts(parser):
    claim = parse(parser, type="release")
    assert (claim.at_ms, claim.sent_ms) == (NOW, None)


@pytest.mark.parametrize("off", [60_001, -60_001, 1e9])
def test_a_clock_more_than_a_minute_off_is_not_believed(parser, off):
    claim = parse(parser, type="release", atMs=NOW + off)
    assert claim.clock_suspect
    assert claim.at_ms == NOW
    assert claim.sent_ms == NOW + off
    assert not parse(parser, type="release", atMs=NOW - 60_000).clock_suspect


def test_an_id_is_derived_from_the_content(parser):
    first = parser.parse('{"type":"hold","atMs":1789000000000}', NOW)
    again = parser.parse('{ "atMs": 1789000000000, "type": "hold" }', NOW + 900)
    other = parser.parse('{"type":"hold","atMs":1789000000001}', NOW)
    assert first.id == again.id != other.id


def test_messages_that_carry_no_identity_are_each_their_own(parser):
    assert parse(parser, type="hold").id == parse(parser, type="hold").id
    assert parse(parser, type="hold").id != parse(parser, NOW + 1, type="hold").id


def test_the_unknown_is_kept_and_not_guessed_at(parser):
    message = {"type": "lens", "camera": "cam-zzz", "deep": {"er": [1, 2]}, "id": "u", "atMs": NOW}
    claim = parse(parser, **message)
    assert claim.type is ClaimType.UNKNOWN
    assert claim.raw == message
    assert (claim.id, claim.camera, claim.problem) == ("u", None, None)


DEEP = "[" * 40 + "]" * 40
BAD = [
    ("", "expected JSON"),
    ("nonsense", "expected JSON"),
    ("[1]", "expected an object"),
    ("null", "expected an object"),
    ("{}", "name of a type"),
    ('{"type":null}', "name of a type"),
    ('{"type":["cut"]}', "name of a type"),
    ('{"type":true}', "name of a type"),
    ('{"type":"cut"}', "camera: expected a value"),
    ('{"type":"cut","camera":"cam-x"}', "known camera"),
    ('{"type":"cut","camera":5}', "camera id"),
    ('{"type":"cut","camera":"program"}', "camera id"),
    ('{"type":"camera","camera":"a b"}', "camera id"),
    ('{"type":"camera","camera":"program"}', "camera id"),
    ('{"type":"cut","camera":"cam-a","transition":"spin"}', "one of cut, dissolve"),
    ('{"type":"cut","camera":"cam-a","transition":3}', "transition"),
    ('{"type":"cut","camera":"cam-a","durationMs":"1"}', "durationMs: expected a number"),
    ('{"type":"cut","camera":"cam-a","durationMs":true}', "durationMs"),
    ('{"type":"cut","camera":"cam-a","durationMs":-1}', "durationMs"),
    ('{"type":"cut","camera":"cam-a","durationMs":NaN}', "NaN"),
    ('{"type":"cut","camera":"cam-a","durationMs":-Infinity}', "Infinity"),
    ('{"type":"cut","camera":"cam-a","durationMs":1e999}', "number that fits"),
    ('{"type":"cut","camera":"cam-a","durationMs":1%s}' % ("0" * 400), "too large"),
    ('{"type":"cut","camera":"cam-a","durationMs":1%s}' % ("0" * 5000), "expected JSON"),
    ('{"type":"release","atMs":"now"}', "atMs"),
    ('{"type":"release","seq":1.5}', "whole number"),
    (f'{{"type":"release","seq":{2**70}}}', "too large"),
    ('{"type":"release","id":""}', "expected an id"),
    ('{"type":"release","id":{}}', "expected an id"),
    ('{"type":"release","id":"%s"}' % ("x" * 201), "expected an id"),
    ('{"type":"mode"}', "mode: expected a value"),
    ('{"type":"mode","mode":"%s"}' % ("x" * 5000), "4096"),
    ('{"type":"still","camera":"cam-a","kind":"film"}', "capture"),
    ('{"type":"still","camera":"cam-a","sha256":"xyz"}', "hex"),
    ('{"type":"music","label":"a","bar":[]}', "bar"),
    ('{"type":"session.start","cameras":"cam-a"}', "list of cameras"),
    ('{"type":"session.start","cameras":[1]}', "camera id"),
    ('{"type":"mode","mode":"\\ud800"}', "surrogate"),
    ('{"type":"mode","\\udfff":1}', "surrogate"),
    (f'{{"type":"mode","mode":{DEEP}}}', "nesting"),
    ('{"type":"mode","mode":%s}' % ("[" * 30_000), "nesting"),
    (b'{"type":"mode","mode":"\xff"}', "UTF-8"),
    (b"\x00\x01", "expected JSON"),
    ("x" * 65_537, "65536 bytes"),
    ('{"type":"mode","mode":"%s"}' % ("ü" * 32_768), "65536 bytes"),
]


@pytest.mark.parametrize(("data", "problem"), BAD)
def test_bad_input_is_kept_with_its_reason(parser, data, problem):
    claim = parser.parse(data, NOW)
    assert claim.type is ClaimType.UNREADABLE
    assert claim.problem is not None
    assert problem in claim.problem
    assert claim.at_ms == claim.recv_ms == NOW
    assert len(json.dumps(claim.raw)) < 7 * 65_536
    assert len(claim.problem) < 300
    claim.model_dump_json()


def test_exactly_64_kib_is_read(parser):
    text = '{"type":"mode","mode":"x","pad":""}'
    padded = text.replace('"pad":""', '"pad":"%s"' % ("x" * (65_536 - len(text))))
    assert len(padded) == 65_536
    assert parser.parse(padded, NOW).type is ClaimType.MODE


def test_an_unreadable_message_keeps_its_own_id(parser):
    assert parse(parser, type="cut", id="m9").id == "m9"


def test_a_registered_camera_is_known_once_the_caller_says_so(parser):
    claim = parse(parser, type="camera", camera="cam-c")
    assert parser.cameras_of(claim) == ("cam-c",)
    assert parse(parser, type="cut", camera="cam-c").type is ClaimType.UNREADABLE
    parser.add_camera("cam-c")
    assert parse(parser, type="cut", camera="cam-c").type is ClaimType.CUT
    assert parser.cameras == {"cam-a", "cam-b", "cam-c"}


@pytest.mark.parametrize("cameras", [["x", "y"], [{"id": "x", "role": "hero"}, "y", "x"]])
def test_a_session_names_its_cameras(parser, cameras):
    claim = parse(parser, type="session.start", cameras=cameras)
    assert parser.cameras_of(claim) == ("x", "y")


def test_other_messages_name_no_new_cameras(parser):
    assert parser.cameras_of(parse(parser, type="hold", camera="cam-a")) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
FIELD_NAMES = sorted({"id", "atMs", "seq", *(name for row in FIELDS.values() for name in row)})
NAMES = st.sampled_from([*ClaimType, "lens", 5, None])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200) | JSON.map(json.dumps))
def test_nothing_makes_the_parser_raise(data):
    Parser(load_profile("tap"), CAMERAS).parse(data, NOW).model_dump_json()


@settings(max_examples=120, deadline=None)
@given(
    st.fixed_dictionaries(
        {"type": NAMES},
        optional={name: JSON | st.sampled_from(["cam-a", "cut", NOW, 12]) for name in FIELD_NAMES},
    )
)
def test_no_field_makes_the_parser_raise(message):
    claim = Parser(load_profile("tap"), CAMERAS).parse(json.dumps(message), NOW)
    claim.model_dump_json()
    assert (claim.type is ClaimType.UNREADABLE) == (claim.problem is not None)
