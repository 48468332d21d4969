"""schemathesis holds the room to its own OpenAPI document: no 5xx, clean refusals, true shapes."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from tests.unit.test_room_app import TOKEN, Room, live
from tests.unit.test_room_stream import T0, claim

from tap.room.inbox import Found
from tap.vocabulary import Event, EventType, Verdict, VerdictCode
from tap.witness.onlooker import Proof

HOST = {"Host": "127.0.0.1:9440"}
PATHS = (
    "/status", "/cameras", "/angle-changes", "/verdicts", "/events", "/thumbnails",
    "/thumbnails/{feed}", "/evidence/{name}", "/healthz", "/metrics", "/openapi.json",
)  # fmt: skip


def filled(folder: Path) -> Room:
    """A room with something of everything; it is over, so that its streams end."""
    (folder / "cam-a-1.jpg").write_bytes(b"\xff\xd8")
    room = Room(folder, status=live())
    event = Event(id="e1", type=EventType.CUT, at_ms=T0, to_camera="cam-b", confidence=0.9)
    verdict = Verdict(
        code=VerdictCode.WRONG_CAMERA, claim_id="m1", event_id="e1", at_ms=T0, confidence=1, text=""
    )
    proofs = (Proof("after", "cam-a", "cam-a-1.jpg"),)
    room.board.take([claim(1), event, Found(verdict, claim(1), event, proofs)])
    room.close()
    return room


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    room = filled(tmp_path_factory.mktemp("openapi"))
    return schemathesis.openapi.from_asgi("/openapi.json", room.app, headers=HOST)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_document_is_true(schema, path, mode):
    """Every kind of question, the malformed too, gets an answer that the document tells of."""
    statuses = set()

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(case=schema[path]["GET"].as_strategy(generation_mode=mode))
    def ask(case):
        case.headers.update(HOST)
        statuses.add(case.call_and_validate().status_code)

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "there is nothing to get wrong in this question"
        return
    assert statuses
    assert max(statuses) < 500 or path == "/healthz"


def test_every_address_is_documented(schema):
    assert sorted(schema.raw_schema["paths"]) == sorted(PATHS)


def test_with_a_token_the_document_asks_for_it(tmp_path):
    room = Room(tmp_path, token=TOKEN, status=live())
    document = room.ask("/openapi.json", Authorization=f"Bearer {TOKEN}").json()
    assert document["security"] == [{"token": []}]
    for path, operations in document["paths"].items():
        assert set(operations) == {"get"}, path
        assert {"401", "403"} <= set(operations["get"]["responses"])
