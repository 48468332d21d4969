"""Convex's own Python client against the stand-in: a second implementation of the far side's API.

It is for tests only: tap itself speaks HTTP, for that client keeps the interpreter's lock while it
waits, and runs writes again after a reconnect.
"""

import pytest
from convex import ConvexError
from convex.http_client import ConvexHttpClient
from tests import standin

from tap.ledger import ConvexLedger, DirectorEventRow, SessionRow, all_events


@pytest.fixture
def official(far):
    client = ConvexHttpClient(far.url)
    client.set_admin_auth(standin.ADMIN_KEY)
    return client


@pytest.fixture
def ledger(far):
    ledger = ConvexLedger(far.url, token=standin.TOKEN)
    yield ledger
    ledger.close()


def event(n, **more):
    return DirectorEventRow(
        key=f"s/seen/e{n}", session_key="s", seq=n, type="cut", source="witness", at_ms=1.5,
        verdict="UNANNOUNCED", confidence=0.5, text="…", **more,
    )  # fmt: skip


SESSION = SessionRow(key="s", external_id="s", started_at_ms=10.0)


def test_what_it_writes_tap_reads(official, ledger):
    answer = official.mutation("production:startSession", {"row": SESSION.document()})
    assert answer == {"created": True, "resumed": False, "runs": 1.0}
    rows = [event(1).document(), event(2).document()]
    answer = official.mutation("production:appendEvents", {"rows": rows})
    assert answer == {"inserted": 2.0, "duplicates": 0.0}
    assert ledger.session("s") == SESSION
    assert list(all_events(ledger, "s")) == [event(1), event(2)]
    assert ledger.append_events([event(1), event(3)]) == (1, 1)


def test_what_tap_writes_it_reads(official, ledger):
    ledger.start_session(SESSION)
    ledger.append_events([event(1)])
    found = official.query("production:listEvents", {"session": "s", "afterSeq": 0, "limit": 10})
    assert found["rows"] == [event(1).document()]


def test_it_is_told_the_same_errors(official, ledger):
    ledger.start_session(SESSION)
    ledger.append_events([event(1)])
    with pytest.raises(ConvexError) as caught:
        official.mutation(
            "production:appendEvents", {"rows": [event(1, camera="other").document()]}
        )
    assert caught.value.data["code"] == "KEY_REUSED"


def test_without_the_key_it_finds_no_such_function(far):
    with pytest.raises(Exception, match="Could not find public function"):
        ConvexHttpClient(far.url).query("production:listSessions", {})
