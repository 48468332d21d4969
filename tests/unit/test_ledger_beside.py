"""tap beside another writer: its rows stay its own, tap's are linked to them."""

import json

import httpx
import pytest
from test_convex_ledger import FarSide, ok

from tap.ledger import (
    BesideLedger,
    BookError,
    CameraRow,
    Code,
    DirectorEventRow,
    FinalState,
    SessionRow,
    StillRow,
)
from tap.ledger.convex import load_mapping
from tap.ledger.queue import Op
from tap.vocabulary import Claim


def beside(far, judged=None):
    mapping = load_mapping()
    if judged is not None:
        mapping = mapping.model_copy(update={"judged_row": judged})
    return BesideLedger("https://x.convex.site", mapping, transport=httpx.MockTransport(far))


def row(key, claim=None, **more):
    return DirectorEventRow(
        key=key, session_key="s", seq=1, type="cut", source="witness" if claim is None else
        "director", at_ms=1.0, verdict="MISSED", confidence=0.5, text="…", claim=claim, **more,
    )  # fmt: skip


MESSAGE = Claim(id="m7", type="cut", at_ms=1, recv_ms=1, raw={"eventId": "ev-9", "n": 4})


@pytest.mark.parametrize(
    ("template", "link"),
    [(None, "s/claim/m7"), ("{raw.eventId}", "ev-9"), ("{session}:{raw.n}", "s:4"),
     ("{raw.nowhere}", None)],
)  # fmt: skip
def test_a_verdict_names_the_row_it_judges(template, link):
    far = FarSide(ok(inserted=2, duplicates=0))
    beside(far, template).append_events([row("s/claim/m7", MESSAGE), row("s/seen/e1")])
    [judged, seen] = json.loads(far.asked[0].content)["rows"]
    assert (judged["key"], judged.get("judges"), "claim" in judged) == ("s/judged/m7", link, False)
    assert (seen["key"], "judges" in seen) == ("s/seen/e1", False)


def test_the_other_writer_s_rows_are_left_alone():
    far = FarSide(ok())
    ledger = beside(far)
    ledger.start_session(SessionRow(key="s", external_id="s", started_at_ms=1))
    ledger.upsert_cameras([CameraRow(key="c", session_key="s", camera_id="c")])
    ledger.add_stills(
        [StillRow(key="t", session_key="s", still_id="t", camera_id="c", at_ms=1, kind="marker")]
    )
    ledger.complete_session("s", 1.0, FinalState())
    assert far.asked == []


def test_tap_waits_for_the_other_writer_s_session():
    far = FarSide(httpx.Response(409, json={"code": "NO_SESSION", "message": "none"}))
    with pytest.raises(BookError, match="waits for it") as caught:
        beside(far).append_events([row("s/seen/e1")])
    assert (caught.value.code, caught.value.refused) == (Code.UNREACHABLE, False)


def test_only_tap_s_own_rows_are_read_back_under_the_keys_of_its_journal():
    author = {"key": "s/claim/m7", "seq": 1, "type": "whatever they say", "odd": True}
    sent = FarSide(ok())
    beside(sent).append_events([row("s/claim/m7", MESSAGE)])
    [ours] = json.loads(sent.asked[0].content)["rows"]
    far = FarSide(ok(rows=[author]), ok(rows=[author | {"seq": 2.0}, ours]))
    ledger = beside(far)
    [found] = ledger.events("s")
    assert found.document() == ledger.kept(Op.EVENT, row("s/claim/m7", MESSAGE).document())
    assert found.key == "s/claim/m7"
    assert far.asked[1].url.params["afterSeq"] == "1"
    assert (ledger.cameras("s"), ledger.stills("s")) == ((), ())
    assert ledger.kept(Op.CAMERA, {}) is None
