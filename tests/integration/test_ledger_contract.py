"""What every ledger must do, asked of each: the embedded one, Convex by routes and by functions.

The stand-in runs the real functions of convex/. With TAP_CONVEX_URL (and TAP_CONVEX_TOKEN) set,
the same suite runs against that deployment; sessions have new names each time and stay there.
"""

import os
from uuid import uuid4

import pytest
from tests import standin

from tap.clock import ManualClock
from tap.ledger import (
    BookError,
    CameraRow,
    Code,
    ConvexLedger,
    DirectorEventRow,
    EmbeddedLedger,
    FinalState,
    SessionRow,
    StillRow,
    all_events,
    all_stills,
)
from tap.ledger.convex import load_mapping
from tap.vocabulary import Claim, Event

REAL = os.environ.get("TAP_CONVEX_URL")


@pytest.fixture(params=["embedded", "convex", "convex functions", "real deployment"])
def ledger(request, tmp_path):
    if request.param == "embedded":
        found = EmbeddedLedger(tmp_path / "ledger.sqlite", clock=ManualClock(5.0))
    elif request.param == "real deployment":
        if not REAL:
            pytest.skip("NOT RUN against a real deployment: TAP_CONVEX_URL is not set")
        mapping = load_mapping(os.environ.get("TAP_CONVEX_MAPPING", "reference"))
        found = ConvexLedger(REAL, token=os.environ.get("TAP_CONVEX_TOKEN"), mapping=mapping)
    else:
        url = request.getfixturevalue("far").url
        by_function = request.param == "convex functions"
        name = "reference-functions" if by_function else "reference"
        token = standin.ADMIN_KEY if by_function else standin.TOKEN
        found = ConvexLedger(url, token=token, mapping=load_mapping(name))
    yield found
    found.close()


@pytest.fixture
def s():
    """The session's id: new each time, for a real deployment keeps what it gets."""
    return f"contract-{uuid4().hex[:12]}"


def session(s, runs=1, **more):
    return SessionRow(key=s, external_id=s, started_at_ms=10.0 * runs, runs=runs, **more)


def camera(s, rev=1, **more):
    return CameraRow(key=f"{s}/camera/a", session_key=s, camera_id="a", rev=rev, **more)


def event(s, n, key=None, **more):
    fields = {"type": "cut", "source": "witness", "at_ms": 1.0 * n, "verdict": "UNANNOUNCED"}
    fields |= {"confidence": 0.5, "text": "…", "session_key": s} | more
    return DirectorEventRow(key=key or f"{s}/seen/e{n}", seq=n, **fields)


def still(s, n, **more):
    fields = {"session_key": s, "camera_id": "a", "at_ms": 1.0, "kind": "capture"} | more
    return StillRow(key=f"{s}/still/{n:03}", still_id=f"{n:03}", **fields)


def refused(code):
    return pytest.raises(BookError, check=lambda error: error.code == code and error.refused)


def test_a_session_is_created_once(ledger, s):
    assert ledger.session(s) is None
    assert ledger.start_session(session(s)) == (True, False, 1)
    assert ledger.start_session(session(s)) == (False, False, 1)
    assert ledger.session(s) == session(s)


def test_a_later_run_resumes_it_and_makes_it_live_again(ledger, s):
    ledger.start_session(session(s, title="A", notes="n"))
    ledger.complete_session(s, 99.0, FinalState(shots=3))
    assert ledger.start_session(session(s, runs=2, title="B")) == (False, True, 2)
    found = ledger.session(s)
    assert (found.status, found.ended_at_ms, found.final_state) == ("live", None, None)
    assert (found.title, found.notes, found.runs, found.started_at_ms) == ("B", "n", 2, 10.0)


def test_an_old_start_that_comes_late_changes_nothing(ledger, s):
    ledger.start_session(session(s, runs=3, title="new"))
    assert ledger.start_session(session(s, runs=2, title="old")) == (False, False, 3)
    assert ledger.session(s).title == "new"


def test_a_session_is_completed_once(ledger, s):
    ledger.start_session(session(s))
    state = FinalState(program_camera="a", verdicts={"AGREE": 3}, hold=False, unseen_ms=0.5)
    assert ledger.complete_session(s, 99.0, state)
    assert not ledger.complete_session(s, 99.0, state)
    with refused(Code.KEY_REUSED):
        ledger.complete_session(s, 100.0, state)
    found = ledger.session(s)
    assert (found.status, found.final_state, found.ended_at_ms) == ("completed", state, 99.0)
    ledger.start_session(session(s, title="told later"))
    assert (ledger.session(s).status, ledger.session(s).title) == ("completed", "told later")


def test_one_that_is_not_there_is_not_completed(ledger, s):
    with refused(Code.NO_SESSION):
        ledger.complete_session(s, 99.0, FinalState())


def test_a_key_stands_for_one_session(ledger, s):
    ledger.start_session(session(s))
    with refused(Code.KEY_REUSED):
        ledger.start_session(session(s).model_copy(update={"external_id": f"{s}-other"}))


def test_the_highest_revision_of_a_camera_counts(ledger, s):
    ledger.start_session(session(s))
    assert ledger.upsert_cameras([camera(s, 2, label="two")]) == (1, 0)
    assert ledger.upsert_cameras([camera(s, 1, label="one"), camera(s, 2, label="two")]) == (0, 2)
    assert ledger.upsert_cameras([camera(s, 3, label="three")]) == (1, 0)
    assert ledger.cameras(s) == (camera(s, 3, label="three"),)
    with refused(Code.KEY_REUSED):
        ledger.upsert_cameras([camera(s, 3, label="other")])


def test_events_are_written_once_and_kept_whole(ledger, s):
    ledger.start_session(session(s))
    claim = Claim(id="m1", type="cut", at_ms=1, recv_ms=2, camera="a", seq=3,
                  raw={"type": "cut", "deep": {"list": [1, 2.5, "ü", True]}})  # fmt: skip
    seen = Event(id="e1", type="cut", at_ms=3, from_camera="b", to_camera="a", confidence=0.9)
    rows = [event(s, 1, claim=claim, seen=seen, lag_ms=2.0), event(s, 2)]
    assert ledger.append_events(rows) == (2, 0)
    assert ledger.append_events([*rows, event(s, 3)]) == (1, 2)
    assert tuple(all_events(ledger, s)) == (*rows, event(s, 3))


def test_a_batch_with_a_bad_row_leaves_nothing(ledger, s):
    ledger.start_session(session(s))
    ledger.append_events([event(s, 1)])
    with refused(Code.KEY_REUSED):
        ledger.append_events([event(s, 2), event(s, 1, text="other")])
    with refused(Code.NO_SESSION):
        ledger.append_events([event(s, 3), event(s, 4, session_key=f"{s}-nowhere")])
    assert [row.seq for row in all_events(ledger, s)] == [1]


@pytest.mark.parametrize("bad", [{"confidence": float("nan")}, {"seq": 2**53 + 2}])
def test_what_no_ledger_can_hold_is_refused(ledger, s, bad):
    ledger.start_session(session(s))
    with refused(Code.BAD_VALUE):
        ledger.append_events([event(s, 1).model_copy(update=bad)])
    assert ledger.events(s) == ()


def test_pages_are_by_number_and_never_end_within_one(ledger, s):
    ledger.start_session(session(s))
    double = event(s, 3, key=f"{s}/seen/x3")
    ledger.append_events([event(s, n) for n in (5, 1, 4, 2, 3)] + [double])
    assert [row.seq for row in ledger.events(s, limit=3)] == [1, 2, 3, 3]
    assert [row.seq for row in ledger.events(s, 3, limit=10)] == [4, 5]
    assert ledger.events(s, 5) == ()
    assert [row.seq for row in all_events(ledger, s)] == [1, 2, 3, 3, 4, 5]


def test_stills_are_written_once_and_read_by_key(ledger, s):
    ledger.start_session(session(s))
    whole = still(s, 2, uri="file:///s.jpg", sha256="0" * 64, program_state="live",
                  program_camera="b", program_confidence=0.5, kind="marker")  # fmt: skip
    assert ledger.add_stills([whole, still(s, 1)]) == (2, 0)
    assert ledger.add_stills([still(s, 3), whole]) == (1, 1)
    assert tuple(all_stills(ledger, s)) == (still(s, 1), whole, still(s, 3))
    assert [row.still_id for row in ledger.stills(s, f"{s}/still/001", limit=1)] == ["002"]
    with refused(Code.KEY_REUSED):
        ledger.add_stills([still(s, 1, camera_id="b")])


def test_sessions_do_not_see_one_another_s_rows(ledger, s):
    for name in (s, f"{s}-b"):
        ledger.start_session(session(name))
        ledger.append_events([event(name, 1)])
        ledger.add_stills([still(name, 1)])
        ledger.upsert_cameras([camera(name)])
    assert [row.key for row in ledger.events(s)] == [f"{s}/seen/e1"]
    assert [row.key for row in ledger.stills(s)] == [f"{s}/still/001"]
    assert [row.key for row in ledger.cameras(s)] == [f"{s}/camera/a"]
    names = [row.key for row in ledger.sessions()]
    assert {s, f"{s}-b"} <= set(names)
    assert ledger.answers()


def test_a_hundred_rows_are_one_request(ledger, s):
    ledger.start_session(session(s))
    assert ledger.append_events([event(s, n) for n in range(1, 101)]) == (100, 0)
    assert len(list(all_events(ledger, s))) == 100
