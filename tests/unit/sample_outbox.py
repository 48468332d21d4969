"""An outbox and a ledger at the end of a bad line, for its tests."""

from tap.ledger import BookError, Code, EmbeddedLedger, FactKind, all_events
from tap.ledger.queue import Op, Outgoing
from tap.ledger.rows import DirectorEventRow


class Wire(EmbeddedLedger):
    """A ledger whose way can be closed, and which may lose its answers."""

    def __init__(self, path):
        super().__init__(path)
        self.faults = []
        self.calls = []
        self.in_flight = 0

    def append_events(self, rows):
        assert self.in_flight == 0, "two requests at once"
        self.in_flight += 1
        try:
            self.calls.append([row.key for row in rows])
            fault = self.faults.pop(0) if self.faults else None
            if fault == "drop":
                raise BookError(Code.UNREACHABLE, "No answer.")
            if isinstance(fault, Exception):
                raise fault
            answer = super().append_events(rows)
            if fault == "commit then drop":
                raise BookError(Code.UNREACHABLE, "No answer.")
            return answer
        finally:
            self.in_flight -= 1


def event(key, session="s"):
    return DirectorEventRow(
        key=key,
        session_key=session,
        seq=0,
        type="cut",
        source="witness",
        at_ms=0,
        verdict="UNANNOUNCED",
        confidence=1,
        text="",
    )


def put(journal, first, last, bad=()):
    with journal.transaction():
        for n in range(first, last):
            row = event(f"k{n}", "nowhere" if n in bad else "s")
            out = Outgoing(Op.EVENT, row.key, row.document())
            journal.append(FactKind.VERDICT, f"v{n}", {}, [out])


def keys(ledger):
    return [row.key for row in all_events(ledger, "s")]


def drain(outbox):
    while True:
        try:
            if not outbox.push():
                return
        except BookError:
            continue
