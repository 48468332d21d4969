"""The room's addresses, without a socket: what is answered, and who is refused."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import cv2
import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.test_room_stream import T0, claim

from tap.errors import InputError
from tap.room.address import Address, parse_address, require_allowed
from tap.room.app import Desk, build_app
from tap.room.board import Board
from tap.room.health import health
from tap.room.inbox import Found
from tap.room.streams import Places
from tap.room.thumbnails import AS_RECEIVED_BYTES, LONG_SIDE, Thumbnails, small_jpeg
from tap.vocabulary import Event, EventType, Frame, ShotState, Verdict, VerdictCode
from tap.witness.onlooker import Proof
from tap.witness.status import FeedStatus, LedgerStatus, LiveStatus

TOKEN = "0123456789abcdef-token"
OPEN = Address("192.168.1.5", 9440)


def live(**changes) -> LiveStatus:
    feeds = tuple(
        FeedStatus(name, "live", fps=24.9, size=(640, 360), delay_ms=180.0, jitter_ms=2.0, age_ms=9)
        for name in ("cam-a", "cam-b", "program")
    )
    whole = LiveStatus(
        session="s", elapsed_ms=1000, feeds=feeds, state=ShotState.LIVE, camera="cam-a",
        confidence=0.99, director="live", counts={"AGREE": 3}, ledger=LedgerStatus(rows=5),
    )  # fmt: skip
    return replace(whole, **changes)


class Room:
    """A room to ask, with nobody's session in it."""

    def __init__(self, folder, *, token=None, address=None, status=None, places=None):
        self.now_ms = T0
        self.board = Board(lambda: self.now_ms)
        self.frames: dict[str, Frame] = {}
        thumbnails = self.thumbnails = Thumbnails(self.frames, lambda: self.now_ms / 1000)
        self.places = places or Places()
        desk = Desk(self.board, thumbnails, self.places, folder, lambda: self.now_ms)
        self.app = build_app(desk, address=address or Address(), token=token)
        if status is not None:
            self.board.take([status])

    def close(self) -> None:
        """The session is over: what never ends by itself ends at once."""
        self.board.close()
        self.thumbnails.over = True

    def ask(self, path: str, *, method="GET", host="127.0.0.1:9440", **headers) -> httpx.Response:
        async def main() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.request(method, path, headers=named)

        return asyncio.run(main())


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path, status=live())


def frame(encoded: bytes | None, size=(640, 360), index=0) -> Frame:
    luma = np.full((135, 240), 90, np.uint8)
    return Frame("cam-a", index, T0, luma, size, encoded)


def jpeg(size: tuple[int, int], quality: int) -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), np.uint8)
    return cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


# ---------------------------------------------------------------- who is let in


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9440", "localhost", "localhost:1", "[::1]:9440", "127.9.9.9"]
)
def test_this_machine_is_served(room, host):
    assert room.ask("/status", host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.5", "a b"])
def test_a_name_turned_to_this_machine_is_refused(room, host):
    answer = room.ask("/status", Host=host)
    assert answer.status_code == 403
    assert "Host" in answer.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:9440"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
    ],
)
def test_other_web_sites_are_refused(room, headers):
    answer = room.ask("/status", **headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1:9440", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate",
         "Sec_Fetch_Dest": "document"},
    ],
)  # fmt: skip
def test_the_page_itself_and_a_link_to_it_are_fine(room, headers):
    assert room.ask("/", **headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/status", "/nope", "/page/app.js", "/healthz"])
def test_every_answer_forbids_frames_foreign_code_and_guessing(room, path):
    headers = room.ask(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_the_token_by_header_link_or_cookie(tmp_path):
    room = Room(tmp_path, token=TOKEN, address=OPEN, status=live())
    ask = lambda path, **headers: room.ask(path, host="192.168.1.5:9440", **headers)  # noqa: E731
    for path in ("/", "/status", "/healthz", "/metrics", "/events", "/openapi.json", "/nope"):
        assert ask(path).status_code == 401, path
    assert ask("/status", Authorization=f"Bearer {TOKEN}").status_code == 200
    assert ask("/status", Authorization=f"Bearer {TOKEN}x").status_code == 401
    assert ask(f"/status?token={TOKEN}").status_code == 401, "only the page takes it from a link"
    assert ask("/?token=wrong").status_code == 401
    answer = ask(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert TOKEN not in cookie
    assert ask("/status", Cookie=cookie.split(";")[0]).status_code == 200
    assert ask("/status", Cookie=b"tap-room=\xff\"'").status_code == 401
    assert ask("/status", Authorization="Bearer \u00e9".encode("latin-1")).status_code == 401


def test_off_loopback_only_addresses_count_as_names(tmp_path):
    room = Room(tmp_path, token=TOKEN, address=OPEN, status=live())
    let_in = {"Authorization": f"Bearer {TOKEN}"}
    assert room.ask("/status", host="10.0.0.7", **let_in).status_code == 200
    assert room.ask("/status", host="rebound.example", **let_in).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(room, method):
    answer = room.ask("/status", method=method)
    assert answer.status_code == 405
    assert "error" in answer.json()


# ---------------------------------------------------------------- where it may be served


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("", "127.0.0.1", 9440),
        ("8000", "127.0.0.1", 8000),
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("[::1]:9", "::1", 9),
        ("wall.local:9440", "wall.local", 9440),
    ],
)
def test_addresses(text, host, port):
    assert parse_address(text) == Address(host, port)


@pytest.mark.parametrize("text", ["x", "127.0.0.1", "1:2:3", "host:99999", "http://a:1", "a b:1"])
def test_no_addresses(text):
    with pytest.raises(InputError, match="expected HOST:PORT"):
        parse_address(text)


def test_off_loopback_needs_to_be_told_and_a_token():
    require_allowed(Address("127.0.0.1"), None, off_loopback=False)
    require_allowed(Address("::1"), None, off_loopback=False)
    require_allowed(OPEN, TOKEN, off_loopback=True)
    with pytest.raises(InputError, match="--web-open"):
        require_allowed(OPEN, TOKEN, off_loopback=False)
    with pytest.raises(InputError, match="TAP_WEB_TOKEN"):
        require_allowed(OPEN, None, off_loopback=True)
    with pytest.raises(InputError, match="at least 16"):
        require_allowed(Address(), "short", off_loopback=False)


# ---------------------------------------------------------------- what is answered


def test_status_before_the_first_one(tmp_path):
    room = Room(tmp_path)
    assert room.ask("/status").status_code == 503
    assert room.ask("/cameras").status_code == 503
    assert room.ask("/healthz").json()["problems"] == ["tap has not begun to look yet."]


def test_lists_are_paged_and_bounded(room):
    events = [
        Event(id=f"e{n}", type=EventType.CUT, at_ms=T0 + n, to_camera="cam-b") for n in range(700)
    ]
    room.board.take(events)
    newest = room.ask("/angle-changes").json()
    assert [item["seq"] for item in newest["items"]] == list(range(601, 701))
    seen, after = [], 0
    while after is not None:
        page = room.ask(f"/angle-changes?after={after}&limit=500").json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
    assert seen == [event.id for event in events]
    assert set(newest["items"][0]) == {
        "seq", "id", "type", "atMs", "durationMs", "from", "to", "confidence", "frame",
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=", "limit=1&limit=2", "limit=x", "after=-1", "after=1.5",
     "after=99999999999999999999", "after=%00", "after=%FF", "limit=²"],
)  # fmt: skip
def test_malformed_questions_get_a_sentence(room, query):
    answer = room.ask(f"/verdicts?{query}")
    assert answer.status_code == 400
    assert re.search("expected one whole number from . to", answer.json()["error"])


@pytest.mark.parametrize(
    "path",
    ["/evidence/..%2Fjournal.sqlite", "/evidence/../journal.sqlite", "/evidence/x.jpg",
     "/evidence/cam-a-1.jpg%0A", "/evidence/cam-a-1.png", "/evidence/cam-a-99.jpg",
     "/page/../app.py", "/page/%2e%2e/app.py", "/thumbnails/nobody.jpg", "/thumbnails/%00"],
)  # fmt: skip
def test_nothing_else_is_read(room, tmp_path, path):
    (tmp_path / "cam-a-1.png").write_bytes(b"no")
    (tmp_path.parent / "journal.sqlite").write_bytes(b"secret")
    assert room.ask(path).status_code == 404


def test_evidence_is_served_as_it_was_kept(room, tmp_path):
    (tmp_path / "cam-a-1.jpg").write_bytes(b"picture")
    answer = room.ask("/evidence/cam-a-1.jpg")
    assert (answer.content, answer.headers["content-type"]) == (b"picture", "image/jpeg")


@pytest.mark.parametrize(("told", "status"), [(True, 200), (False, 404)])
def test_evidence_that_was_told_of_is_waited_for(room, monkeypatch, told, status):
    answers = iter([None, None, b"picture"])
    monkeypatch.setattr("tap.room.app._read", lambda file: next(answers))
    if told:
        verdict = Verdict(code=VerdictCode.MISSED, at_ms=T0, confidence=1, text="")
        room.board.take([Found(verdict, None, None, (Proof("told", "cam-a", "cam-a-1.jpg"),))])
    assert room.ask("/evidence/cam-a-1.jpg").status_code == status


def test_a_picture_is_passed_on_as_received_or_made_small():
    small = jpeg((320, 180), 60)
    assert len(small) <= AS_RECEIVED_BYTES
    assert small_jpeg(frame(small)) is small
    large = jpeg((1280, 720), 95)
    assert len(large) > AS_RECEIVED_BYTES
    made = cv2.imdecode(np.frombuffer(small_jpeg(frame(large, (1280, 720))), np.uint8), 1)
    assert made.shape == (LONG_SIDE * 9 // 16, LONG_SIDE, 3)
    grey = cv2.imdecode(np.frombuffer(small_jpeg(frame(None)), np.uint8), 1)
    assert grey.shape == (135, 240, 3)
    broken = small_jpeg(frame(b"\xff\xd8" + b"x" * 50_000))
    assert cv2.imdecode(np.frombuffer(broken, np.uint8), 1).shape == (135, 240, 3)


def test_thumbnails_are_made_once_for_all(room, monkeypatch):
    made = []

    def counted(of: Frame) -> bytes:
        made.append(of.index)
        return b"\xff\xd8"

    monkeypatch.setattr("tap.room.thumbnails.small_jpeg", counted)
    room.frames["cam-a"] = frame(None)
    for _ in range(5):
        room.frames["cam-a"] = frame(None, index=room.frames["cam-a"].index + 1)
        assert room.ask("/thumbnails/cam-a.jpg").content == b"\xff\xd8"
    assert made == [1], "the next one is due only after a fifth of a second"


def test_there_is_room_for_so_many_streams(tmp_path):
    room = Room(tmp_path, status=live(), places=Places(most=0))
    for path in ("/events", "/thumbnails"):
        answer = room.ask(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    room = Room(tmp_path, status=live(), places=Places(most=1))
    room.board.close()
    for _ in range(3):
        assert room.ask("/events").status_code == 200
        assert room.places.taken == 0


def test_head_of_an_endless_answer_ends(room):
    for path in ("/events", "/thumbnails", "/status"):
        answer = room.ask(path, method="HEAD")
        assert (answer.status_code, answer.content) == (200, b"")


def test_the_stream_is_proper_sse(room):
    room.board.take([claim(1)])
    room.board.close()
    text = room.ask("/events").text
    ids = re.findall(r"^id: (.*)$", text.replace("\r", ""), re.MULTILINE)
    assert ids == [f"{room.board.run}-1"]
    kinds = re.findall(r"^event: (.*)$", text.replace("\r", ""), re.MULTILINE)
    assert kinds == ["reset", "status", "over"]
    again = room.ask("/events", Last_Event_ID=f"{room.board.run}-0").text
    kinds = re.findall(r"^event: (.*)$", again.replace("\r", ""), re.MULTILINE)
    assert kinds == ["claim", "status", "over"]


def test_metrics_are_what_prometheus_reads(room):
    families = {f.name: f for f in text_string_to_metric_families(room.ask("/metrics").text)}
    value = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert value["tap_healthy",] == 1
    assert value["tap_program_live", "cam-a"] == 1
    assert value["tap_program_live", "cam-b"] == 0
    assert value["tap_verdicts_total", "AGREE"] == 3
    assert value["tap_feed_delay_seconds", "cam-a"] == pytest.approx(0.18)
    assert value["tap_ledger_rows_total",] == 5


# ---------------------------------------------------------------- is all well?


def _feed(**changes) -> Callable[[], LiveStatus]:
    return lambda: live(feeds=(replace(live().feeds[0], **changes), *live().feeds[1:]))


@pytest.mark.parametrize(
    ("status", "after_ms", "says"),
    [
        (live, 0, None),
        (live, 3500, "tap itself"),
        (_feed(state="backoff", note="The server hung up."), 0, "cam-a is backoff: The server"),
        (_feed(age_ms=3100), 0, "cam-a is stale"),
        (_feed(age_ms=2000), 1500, "cam-a is stale"),
        (lambda: live(director="waiting"), 0, "director's wire"),
        (lambda: live(director=None), 0, None),
        (lambda: live(ledger=LedgerStatus(way="closed", note="no answer")), 0, "closed: no answer"),
        (lambda: live(ledger=LedgerStatus(waiting=4, oldest_ms=11_000)), 0, "outbox is late"),
        (lambda: live(ledger=LedgerStatus(waiting=4, oldest_ms=900)), 0, None),
    ],
)
def test_health(status, after_ms, says):
    found = health(status(), T0, T0 + after_ms)
    assert found.ok == (says is None)
    assert says is None or says in " ".join(found.problems)


def test_healthz_is_false_in_its_status_too(tmp_path):
    room = Room(tmp_path, status=live(director="waiting"))
    answer = room.ask("/healthz")
    assert (answer.status_code, answer.json()["ok"]) == (503, False)


# ---------------------------------------------------------------- the page


def test_the_page_needs_nothing_from_elsewhere(room):
    page = room.ask("/").text
    loaded = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
    assert loaded
    for path in loaded:
        assert room.ask(path).status_code == 200, path
    assert not re.search(r"<script(?![^>]*src=)|style=|\son\w+=", page), "the policy forbids these"
    script = room.ask("/page/app.js")
    assert script.headers["content-type"].startswith("text/javascript")
    for name in re.findall(r"from \"\./([a-z]+\.js)\"", script.text):
        assert room.ask(f"/page/{name}").status_code == 200, name
