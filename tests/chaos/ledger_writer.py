"""A tap that does nothing but keep books, as fast as it can, until it is killed.

Runs in a process of its own. It says of each fact that it is acknowledged, once the bookkeeper's
method has returned; its parent hears that even if it is the last thing it does.
"""

import os
from pathlib import Path
from uuid import uuid4

from tap.clock import SystemClock
from tap.config import load_or_make_key
from tap.ledger import (
    Bookkeeper,
    CameraFacts,
    ConvexLedger,
    EmbeddedLedger,
    Journal,
    Sealing,
    SessionFacts,
    outbox,
)
from tap.ledger.convex import load_mapping
from tap.ledger.queue import Outgoing
from tap.vocabulary import Claim, Event, Shot, Verdict

SESSION = "shoot"
LAST_WAIT_S = 60.0
TOKEN = "the-stand-in-s-token"

outbox.GATHER_S = 0.005  # send all the time, to be killed in the middle of it


class KeylessJournal(Journal):
    """What the journal would be without keys: it takes everything for new."""

    def append(self, kind, key, body, rows=(), *, at_ms=0.0):
        rows = [Outgoing(r.op, f"{r.key}~{uuid4()}", _renamed(r)) for r in rows]
        return super().append(kind, f"{key}~{uuid4()}", body, rows, at_ms=at_ms)


def _renamed(row):
    if row.op in ("session", "camera", "completion"):
        return row.body
    return {**row.body, "key": f"{row.body['key']}~{uuid4()}"}


def facts_of(step):
    """The facts of one step, as (name, method, arguments); a step's ids occur in no other."""
    at = 1000.0 * step
    claim = Claim(id=f"m{step}", type="cut", at_ms=at, recv_ms=at, camera="cam-a", raw={"n": step})
    event = Event(id=f"e{step}", type="cut", at_ms=at + 150, to_camera="cam-a", confidence=0.9)
    common = {"at_ms": at, "confidence": 0.9, "text": "…"}
    facts = [
        (f"claim/m{step}", "claim", (claim,)),
        (f"event/e{step}", "event", (event,)),
        (f"shot/{at!r}", "shot", (Shot(start_ms=at, end_ms=at + 1000, state="live"),)),
    ]
    agree = Verdict(code="AGREE", claim_id=claim.id, event_id=event.id, lag_ms=150, **common)
    if step % 3 == 0:  # sent twice; the repetition has its verdict first
        again = claim.model_copy(update={"recv_ms": at + 40})
        duplicate = Verdict(code="DUPLICATE", claim_id=claim.id, **common)
        facts += [
            (f"claim/m{step}#2", "claim", (again,)),
            (f"verdict/claim/m{step}#2", "verdict", (duplicate, claim, None)),
        ]
    facts.append((f"verdict/claim/m{step}", "verdict", (agree, claim, event)))
    if step % 4 == 0:
        soft = Event(id=f"d{step}", type="dissolve", at_ms=at + 600, from_camera="cam-a")
        unannounced = Verdict(code="UNANNOUNCED", event_id=soft.id, **common)
        facts += [
            (f"event/d{step}", "event", (soft,)),
            (f"verdict/seen/d{step}", "verdict", (unannounced, None, soft)),
        ]
    if step % 5 == 0:
        still = Claim(id=f"s{step}", type="still", at_ms=at, recv_ms=at, camera="cam-b")
        noted = Verdict(code="NOTED", claim_id=still.id, **common)
        facts += [
            (f"claim/s{step}", "claim", (still,)),
            (f"still/s{step}", "verdict", (noted, still, None)),
        ]
    if step % 7 == 0:
        camera = CameraFacts("cam-b", label=f"label {step}")
        facts.append((f"label {step}", "camera", (camera,)))
    return facts


def seal_key(folder):
    return load_or_make_key(folder / "key" / "seal-key.pem")


def open_books(folder, *, keys=True, url=None):
    if url:
        quick = load_mapping().model_copy(update={"requests_per_second": 1000.0})
        store = ConvexLedger(url, token=TOKEN, mapping=quick)
    else:
        store = EmbeddedLedger(folder / "ledger.sqlite")
    sealing = Sealing(seal_key(folder), SESSION, SystemClock())
    journal = (Journal if keys else KeylessJournal)(folder / "journal.sqlite", sealing=sealing)
    books = Bookkeeper(journal, store, external_id=SESSION)
    cameras = [CameraFacts("cam-a", role="hero"), CameraFacts("cam-b")]
    return store, books, books.begin(SessionFacts(SESSION), cameras, 0.0)


def write(folder, start, pipe, keys, url=None):
    """Write facts from step `start` on, for ever; each acknowledged name goes down `pipe`."""
    _, books, _ = open_books(Path(folder), keys=keys, url=url)
    out = pipe.fileno()
    step = start
    while True:
        for name, method, arguments in facts_of(step):
            getattr(books, method)(*arguments)
            os.write(out, f"{step} {name}\n".encode())
        step += 1


def finish(folder, keys, url=None):
    """The last run: send what is left and complete the session."""
    store, books, _ = open_books(Path(folder), keys=keys, url=url)
    books.complete(1e9, {"shots": 1})
    books.leave(1e9)
    status = books.close(timeout_s=LAST_WAIT_S)
    store.close()
    assert status.pending == 0, status
    return status
