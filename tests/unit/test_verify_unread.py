"""A ledger that can't be asked for everything: verify says so, and finds no fault in it."""

import pytest
from sample_books import EVENTS, NAME, PLANTED, keep, key
from sample_session import sample

from tap.ledger import BookError, Code, EmbeddedLedger
from tap.ledger.queue import Op


class Partial(EmbeddedLedger):
    """Has no operation for some tables, and does not keep one field."""

    lacks = frozenset({"session", "cameras", "stills"})

    def _lack(self, name):
        if name in self.lacks:
            raise BookError(Code.UNSUPPORTED, f"the mapping has no operation {name}")

    def session(self, external_id):
        self._lack("session")
        return super().session(external_id)

    def cameras(self, session_key):
        self._lack("cameras")
        return super().cameras(session_key)

    def stills(self, session_key, after_key="", limit=500):
        self._lack("stills")
        return super().stills(session_key, after_key, limit)

    def events(self, *given):
        self._lack("events")
        return tuple(row.model_copy(update={"seen": None}) for row in super().events(*given))

    def kept(self, op, document):
        if op is Op.EVENT:
            return {name: value for name, value in document.items() if name != "seen"}
        return document


@pytest.fixture
def kept(tmp_path):
    given = sample()
    return keep(tmp_path, given.witness, given.claims)


def test_what_can_not_be_asked_for_is_named_and_no_fault(kept):
    ledger = Partial(kept.ledger, read_only=True)
    checked = kept.verify(ledger=ledger)
    assert checked.problems == ()
    assert set(checked.unread) == {
        "productionSessions", "productionCameras", "productionStills"
    }  # fmt: skip
    assert [finding.verdict.value for finding in checked.disagreements] == PLANTED


def test_what_can_be_asked_for_is_still_checked(kept):
    kept.sql(f"DELETE FROM {EVENTS} WHERE key = '{key('m3')}'")
    [problem] = kept.verify(ledger=Partial(kept.ledger, read_only=True)).problems
    assert problem.key == key("m3")


def test_without_events_there_is_nothing_to_check(kept):
    ledger = Partial(kept.ledger, read_only=True)
    ledger.lacks = frozenset({"events"})
    with pytest.raises(BookError, match="no operation events"):
        kept.verify(NAME, ledger=ledger)
