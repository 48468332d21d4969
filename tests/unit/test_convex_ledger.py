"""The Convex ledger at a wire that tests hold: what is asked, what answers mean, what is hidden."""

import json
import logging

import httpx
import pytest

from tap.errors import InputError
from tap.ledger import (
    BookError,
    CameraRow,
    Code,
    ConvexLedger,
    DirectorEventRow,
    FinalState,
    SessionRow,
    StillRow,
)
from tap.ledger.convex import load_mapping
from tap.ledger.convex.wire import Token

SECRET = "s3cret-Token"
URL = "https://quick-fox-1.convex.site"


def event(n, **more):
    return DirectorEventRow(
        key=f"s/seen/e{n}", session_key="s", seq=n, type="cut", source="witness", at_ms=1.0,
        verdict="UNANNOUNCED", confidence=0.5, text="…", **more,
    )  # fmt: skip


class FarSide:
    """Answers as told, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def bodies(self):
        return [json.loads(request.content) for request in self.asked]


def ledger(far, mapping="reference", **more):
    if isinstance(mapping, str):
        mapping = load_mapping(mapping)
    transport = httpx.MockTransport(far)
    return ConvexLedger(URL, token=SECRET, mapping=mapping, transport=transport, **more)


def ok(**values):
    return httpx.Response(200, json={"ok": True, **values})


class TestRequests:
    def test_writes_go_to_their_routes_with_the_rows_as_they_are(self):
        far = FarSide(
            ok(created=True, resumed=False, runs=1.0), ok(applied=1.0, stale=0.0),
            ok(inserted=2, duplicates=0), ok(inserted=0, duplicates=1), ok(changed=True),
        )  # fmt: skip
        convex = ledger(far)
        session = SessionRow(key="s", external_id="s", started_at_ms=1)
        camera = CameraRow(key="s/camera/a", session_key="s", camera_id="a")
        still = StillRow(
            key="s/still/1", session_key="s", still_id="1", camera_id="a", at_ms=1, kind="marker"
        )
        assert convex.start_session(session) == (True, False, 1)
        assert convex.upsert_cameras([camera]) == (1, 0)
        assert convex.append_events([event(1), event(2)]) == (2, 0)
        assert convex.add_stills([still]) == (0, 1)
        assert convex.complete_session("s", 9.0, FinalState(shots=3))
        assert [(request.method, request.url.path) for request in far.asked] == [
            ("POST", "/production/sessions/start"),
            ("POST", "/production/cameras"),
            ("POST", "/production/events"),
            ("POST", "/production/stills"),
            ("POST", "/production/sessions/complete"),
        ]
        assert far.bodies()[0] == {"row": session.document()}
        assert far.bodies()[2] == {"rows": [event(1).document(), event(2).document()]}
        assert far.bodies()[4]["finalState"] == {"verdicts": {}, "shots": 3}
        assert {request.headers["authorization"] for request in far.asked} == {f"Bearer {SECRET}"}

    def test_reads_bear_numbers_with_a_point_and_fields_that_tap_does_not_know(self):
        row = event(3).document() | {"seq": 3.0, "tenant": "x", "_id": "1", "_creationTime": 1.5}
        far = FarSide(ok(rows=[row]))
        assert ledger(far).events("s", 2, 50) == (event(3),)
        [request] = far.asked
        assert dict(request.url.params) == {"session": "s", "afterSeq": "2", "limit": "50"}

    def test_sessions_are_read_to_the_last_page(self):
        rows = [SessionRow(key=k, external_id=k, started_at_ms=t) for k, t in (("a", 1), ("b", 2))]
        far = FarSide(
            ok(rows=[rows[0].document()], cursor="more"), ok(rows=[rows[1].document()], cursor=None)
        )
        assert [row.key for row in ledger(far).sessions()] == ["b", "a"]
        assert [request.url.params.get("cursor") for request in far.asked] == [None, "more"]

    def test_functions_are_called_with_a_deploy_key(self):
        answer = {"status": "success", "value": {"inserted": 1.0, "duplicates": 0.0}}
        far = FarSide(httpx.Response(200, json=answer))
        assert ledger(far, "reference-functions").append_events([event(1)]) == (1, 0)
        [request] = far.asked
        assert request.url.path == "/api/mutation"
        assert request.headers["authorization"] == f"Convex {SECRET}"
        assert far.bodies()[0]["path"] == "production:appendEvents"
        assert far.bodies()[0]["args"] == {"rows": [event(1).document()]}


ROUTE = [
    (200, {"ok": False, "code": "KEY_REUSED", "message": "taken"}, Code.KEY_REUSED),
    (409, {"code": "KEY_REUSED", "message": "taken", "key": "s/x"}, Code.KEY_REUSED),
    (409, {"code": "NO_SESSION", "message": "none"}, Code.NO_SESSION),
    (422, {"code": "BAD_VALUE", "message": "seq"}, Code.BAD_VALUE),
    (400, {"code": "Whatever", "message": "no"}, Code.BAD_VALUE),
    (400, {"code": "TooManyWrites", "message": "later"}, Code.UNREACHABLE),
    (413, {"code": "TOO_LARGE"}, Code.BAD_VALUE),
    (401, {"code": "UNAUTHORIZED", "message": "no token"}, Code.DENIED),
    (403, "nginx says no", Code.DENIED),
    (404, "No matching routes found", Code.FAILED),
    (415, {"code": "TOO_ODD"}, Code.FAILED),
    (302, "", Code.FAILED),
    (200, "<html>a captive portal</html>", Code.FAILED),
    (408, "", Code.UNREACHABLE),
    (409, {"code": "conflict"}, Code.SUSPECT),
    (425, "", Code.UNREACHABLE),
    (429, {"code": "TooManyConcurrentRequests"}, Code.UNREACHABLE),
    (502, "<!DOCTYPE html><html><title>502</title></html>", Code.UNREACHABLE),
    (503, {"ok": False, "code": "OVERLOADED", "message": "OCC"}, Code.UNREACHABLE),
    (520, "<html>Web server is returning an unknown error</html>", Code.UNREACHABLE),
    (500, {"code": "[Request ID: 1] Server Error"}, Code.SUSPECT),
    (500, "[" * 100_000, Code.SUSPECT),
]


def response(status, body):
    if isinstance(body, str):
        kind = "text/html" if body.startswith("<") else "text/plain"
        return httpx.Response(status, text=body, headers={"content-type": kind})
    return httpx.Response(status, json=body)


class TestAnswers:
    @pytest.mark.parametrize(("status", "body", "code"), ROUTE)
    def test_every_answer_of_a_route_has_one_meaning(self, status, body, code):
        with pytest.raises(BookError) as caught:
            ledger(FarSide(response(status, body))).append_events([event(1)])
        assert caught.value.code is code
        assert "<" not in str(caught.value)
        assert len(str(caught.value)) < 400

    @pytest.mark.parametrize(
        ("status", "body", "code"),
        [
            (200, {"status": "error", "errorMessage": "…", "errorData": {"code": "KEY_REUSED"}},
             Code.KEY_REUSED),
            (560, {"status": "error", "errorMessage": "…", "errorData": {"code": "NO_SESSION"}},
             Code.NO_SESSION),
            (200, {"status": "error", "errorMessage": "Server Error"}, Code.SUSPECT),
            (503, {"code": "OptimisticConcurrencyControlFailure", "message": "…"},
             Code.UNREACHABLE),
            (409, {"code": "Conflict", "message": "…"}, Code.SUSPECT),
            (403, {"code": "BadDeployKey", "message": "…"}, Code.DENIED),
            (400, {"code": "BadRequest", "message": "…"}, Code.BAD_VALUE),
            (500, {"code": "InternalServerError"}, Code.SUSPECT),
            (502, "<html>", Code.UNREACHABLE),
        ],
    )  # fmt: skip
    def test_every_answer_of_a_function_has_one_meaning(self, status, body, code):
        with pytest.raises(BookError) as caught:
            ledger(FarSide(response(status, body)), "reference-functions").append_events([event(1)])
        assert caught.value.code is code

    @pytest.mark.parametrize(
        "fault", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")]
    )
    def test_no_answer_means_the_way_is_closed(self, fault):
        with pytest.raises(BookError) as caught:
            ledger(FarSide(fault)).append_events([event(1)])
        assert (caught.value.code, caught.value.refused) == (Code.UNREACHABLE, False)

    def test_an_endless_answer_is_cut_off(self, monkeypatch):
        monkeypatch.setattr("tap.ledger.convex.wire.MAX_ANSWER", 100_000)
        with pytest.raises(BookError, match="without an end"):
            ledger(FarSide(httpx.Response(200, text="x" * 200_000))).sessions()

    def test_a_row_that_is_no_row_is_told_apart_from_a_broken_way(self):
        with pytest.raises(BookError) as caught:
            ledger(FarSide(ok(rows=[{"key": "s"}]))).cameras("s")
        assert caught.value.code is Code.DAMAGED
        assert isinstance(caught.value.__cause__, ValueError)

    @pytest.mark.parametrize(
        ("answer", "there"),
        [(ok(authorized=True), True), (httpx.Response(500), True), (httpx.Response(503), False),
         (httpx.ConnectError("x"), False), (httpx.Response(401), True)],
    )  # fmt: skip
    def test_whether_it_answers_at_all(self, answer, there):
        assert ledger(FarSide(answer)).answers() is there

    def test_the_pulse_tells_whether_tap_is_let_in_and_the_clock_there(self):
        date = {"date": "Tue, 15 Sep 2026 12:00:00 GMT"}
        answer = httpx.Response(200, json={"ok": True, "authorized": False}, headers=date)
        pulse = ledger(FarSide(answer)).pulse()
        assert (pulse.authorized, pulse.server_ms) == (False, 1_789_473_600_000.0)


class TestSecret:
    def test_it_is_in_no_text(self, caplog):
        caplog.set_level(logging.DEBUG)
        convex = ledger(FarSide(httpx.ConnectError(f"header Bearer {SECRET}")))
        with pytest.raises(BookError) as caught:
            convex.append_events([event(1)])
        texts = [repr(convex), repr(convex._wire), str(caught.value), caplog.text]
        texts += [repr(Token(SECRET)), str(vars(convex._wire)), repr(caught.value.__cause__)]
        assert all(SECRET not in text for text in texts)

    @pytest.mark.parametrize(
        "url", ["http://ledger.example", "http://10.0.0.5:3211", "ftp://x", "http://127.0.0.1.evil"]
    )
    def test_it_is_never_sent_in_the_clear(self, url):
        with pytest.raises(InputError, match="never sent in the clear"):
            ConvexLedger(url, token=SECRET)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:3211", "http://localhost", "http://[::1]:1"])
    def test_this_very_host_is_no_wire(self, url):
        ConvexLedger(url, token=SECRET).close()

    def test_one_that_is_no_header_is_refused(self):
        with pytest.raises(InputError, match="printable"):
            ConvexLedger(URL, token="a\nHost: evil")

    def test_nor_where_the_far_side_repeats_it(self):
        said = {"code": "UNAUTHORIZED", "message": f"\x1b[31m no such token: {SECRET}"}
        with pytest.raises(BookError) as caught:
            ledger(FarSide(httpx.Response(401, json=said))).append_events([event(1)])
        assert SECRET not in str(caught.value)
        assert "no such token: ***" in str(caught.value)
        assert str(caught.value).isprintable()

    def test_an_upload_goes_without_it(self):
        far = FarSide(ok(uploadUrl="https://other.example/up"), ok(storageId="st1"))
        convex = ledger(far)
        assert convex.put_bytes(convex.upload_url("s/still/1"), b"x", "image/jpeg", "abc=") == "st1"
        assert "authorization" not in far.asked[1].headers
        assert far.asked[1].headers["digest"] == "sha-256=abc="
