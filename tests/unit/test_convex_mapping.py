"""Mappings: somebody else's backend is written to and read without a line of code."""

from pathlib import Path

import httpx
import pytest
from test_convex_ledger import FarSide, event, ledger, ok

from tap.errors import InputError
from tap.ledger import BookError, CameraRow, Code, FinalState, SessionRow
from tap.ledger.convex import load_mapping, shipped_mappings

OTHER = """
name = "other"
judged_row = "{raw.eventId}"

[auth]
header = "X-Api-Key"
value = "{token}"

[errors]
code = "error.kind"
message = "error.text"
codes = { EXISTS = "KEY_REUSED" }

[operations.append_events]
path = "/v2/events"
arguments = { row = "." }
constants = { tenant = "studio-4" }

[operations.events]
path = "/v2/list"
method = "POST"
arguments = { session = "performance", after_seq = "after" }
answer = { rows = "data.items" }

[tables.sessions]
name = "performances"
[tables.cameras]
name = "cams"
[tables.events]
name = "log"
fields = { atMs = "timestamp", sessionKey = "performance", type = "eventType" }
omit = ["claim", "seen"]
constants = { origin = "tap" }
types = { cut = "camera.cut" }
[tables.stills]
name = "frames"
"""


@pytest.fixture
def other(tmp_path):
    def write(text=OTHER):
        path = tmp_path / "other.toml"
        path.write_text(text)
        return load_mapping(path)

    return write


def test_the_one_in_the_documentation_is_sound(other):
    page = (Path(__file__).parents[2] / "docs" / "convex.md").read_text("utf-8")
    examples = [part.partition("```")[0] for part in page.split("```toml")[1:]]
    [example] = [text for text in examples if "[operations" in text]
    mapping = other(example)
    assert set(mapping.operations) == {"health", "append_events", "events"}


def test_those_that_come_with_tap_are_sound():
    assert shipped_mappings() == ["reference", "reference-functions"]
    by_route, by_function = (load_mapping(name) for name in shipped_mappings())
    assert set(by_route.operations) == set(by_function.operations)
    for name, call in by_route.operations.items():
        assert by_function.operations[name].arguments == call.arguments


def test_another_backend_gets_rows_in_its_own_words(other):
    far = FarSide(httpx.Response(201, json={}))
    ledger(far, other()).append_events([event(1), event(2)])
    assert len(far.asked) == 2
    assert far.asked[0].headers["x-api-key"] == "s3cret-Token"
    assert "authorization" not in far.asked[0].headers
    assert far.bodies()[0] == {
        "key": "s/seen/e1", "performance": "s", "seq": 1, "eventType": "camera.cut",
        "source": "witness", "timestamp": 1.0, "verdict": "UNANNOUNCED", "confidence": 0.5,
        "text": "…", "origin": "tap", "tenant": "studio-4",
    }  # fmt: skip


def test_and_is_read_back_in_tap_s(other):
    row = {
        "key": "s/seen/e1", "performance": "s", "seq": 1.0, "eventType": "camera.cut",
        "source": "witness", "timestamp": 1.0, "verdict": "UNANNOUNCED", "confidence": 0.5,
        "text": "…", "origin": "tap", "extra": 1,
    }  # fmt: skip
    far = FarSide(httpx.Response(200, json={"data": {"items": [row]}}))
    assert ledger(far, other()).events("s") == (event(1),)
    assert far.bodies() == [{"performance": "s", "after": 0}]


def test_its_errors_are_understood(other):
    answer = httpx.Response(409, json={"error": {"kind": "EXISTS", "text": "there already"}})
    with pytest.raises(BookError, match="there already") as caught:
        ledger(FarSide(answer), other()).append_events([event(1)])
    assert caught.value.code is Code.KEY_REUSED


def test_what_it_does_not_keep_is_not_sent_and_can_not_be_read(other):
    far = FarSide(ok())
    convex = ledger(far, other())
    assert convex.start_session(SessionRow(key="s", external_id="s", started_at_ms=1)).runs == 1
    assert convex.upsert_cameras([CameraRow(key="c", session_key="s", camera_id="c")]) == (0, 0)
    assert convex.complete_session("s", 1.0, FinalState()) is False
    assert far.asked == []
    with pytest.raises(BookError, match="no operation session") as caught:
        convex.session("s")
    assert caught.value.code is Code.UNSUPPORTED


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('path = "/v2/events"', 'path = "v2/events"', 15, "path"),
        ('path = "/v2/events"', "", 14, "has no path"),
        ('header = "X-Api-Key"', 'heading = "X-Api-Key"', 6, "no such key"),
        ('value = "{token}"', 'value = "token"', 5, "where the secret goes"),
        ('{ row = "." }', '{ nothing = "x" }', 14, "that tap doesn't know"),
        ('{ row = "." }', "{}", 14, "needs one argument"),
        ("[tables.cameras]\nname", '[tables.cameras]\nfields = { speed = "x" }\nname', 27, "speed"),
        ('omit = ["claim", "seen"]', 'omit = ["seq"]', 29, "every row needs"),
        ('{ origin = "tap" }', '{ timestamp = "tap" }', 29, "to two fields"),
        (
            'codes = { EXISTS = "KEY_REUSED" }',
            'codes = { EXISTS = "X" }',
            12,
            "errors.codes.EXISTS",
        ),
        ("[operations.append_events]", "[operations.append]", 14, "operations.append"),
        ('[tables.stills]\nname = "frames"', "", 25, "tables.stills is missing"),
    ],
)
def test_a_wrong_one_is_told_with_its_line(other, old, new, line, words):
    assert old in OTHER
    with pytest.raises(InputError) as caught:
        other(OTHER.replace(old, new, 1))
    assert words in str(caught.value)
    assert f"line {line}:" in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere", "nowhere.toml"])
def test_one_that_is_not_there_is_told(name):
    with pytest.raises(InputError, match="expected"):
        load_mapping(name)


def test_what_is_no_toml_is_told(tmp_path):
    for content in (b"\xff\xfe", b"a = ", b"x" * 300_000):
        (tmp_path / "m.toml").write_bytes(content)
        with pytest.raises(InputError, match="expected"):
            load_mapping(tmp_path / "m.toml")
