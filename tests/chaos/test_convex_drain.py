"""After an hour without a ledger: how fast it catches up, how soon it is ready again.

Against a plain sink that answers as the contract says and keeps only keys: the stand-in looks
through all its rows for each new one, which would be measured instead.
"""

import json
import resource
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests import standin

from tap.ledger import (
    BookError,
    Bookkeeper,
    CameraFacts,
    Code,
    ConvexLedger,
    FactKind,
    Journal,
    SessionFacts,
    SessionRow,
)
from tap.ledger.outbox import Outbox
from tap.ledger.queue import Op, Outgoing
from tap.ledger.rows import DirectorEventRow
from tap.vocabulary import Claim, Event, Shot, Verdict


class Sink(ThreadingHTTPServer):
    """Takes rows; counts requests, those in flight at once, and keys."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.keys: list[str] = []
        self.requests = self.in_flight = self.most_in_flight = 0
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        sink = self.server
        with sink.lock:
            sink.requests += 1
            sink.in_flight += 1
            sink.most_in_flight = max(sink.most_in_flight, sink.in_flight)
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("rows", [])
        with sink.lock:
            sink.keys += [row["key"] for row in rows]
            sink.in_flight -= 1
        self.answer({"ok": True, "inserted": len(rows), "duplicates": 0})

    def do_GET(self):
        self.answer({"ok": True, "authorized": True})

    def answer(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def sink():
    sink = Sink()
    yield sink
    sink.shutdown()
    sink.server_close()


def fill(journal, count):
    row = DirectorEventRow(
        key="", session_key="s", seq=0, type="cut", source="witness", at_ms=0.0, camera="cam-a",
        verdict="UNANNOUNCED", confidence=1.0, text="The program cut to cam-a unannounced.",
    ).document()  # fmt: skip
    with journal.transaction():
        for n in range(count):
            key = f"s/seen/e{n}"
            out = Outgoing(Op.EVENT, key, row | {"key": key})
            journal.append(FactKind.VERDICT, f"v{n}", {"n": n}, [out], at_ms=1.0)


def drain(tmp_path, sink, count):
    journal = Journal(tmp_path / "journal.sqlite")
    fill(journal, count)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outbox = Outbox(journal.queue, ConvexLedger(sink.url))
    began = time.perf_counter()
    outbox.start()
    while outbox.status().pending:
        time.sleep(0.05)
    took = time.perf_counter() - began
    outbox.stop()
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    journal.close()
    assert sink.keys == [f"s/seen/e{n}" for n in range(count)]
    assert sink.most_in_flight == 1
    print(
        f"{count} rows in {took:.1f} s: {count / took:.0f} a second in {sink.requests} requests, "
        f"{sink.requests / took:.1f} a second, {grown_mib:.0f} MiB more"
    )
    return grown_mib


def test_it_catches_up_with_one_request_in_flight(tmp_path, sink):
    drain(tmp_path, sink, 1000)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_thousand_in_whole_batches_and_little_memory(tmp_path, sink):
    grown_mib = drain(tmp_path, sink, 20_000)
    assert sink.requests <= 201
    assert grown_mib < 64


@pytest.mark.parametrize("seconds", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_a_row_is_there_soon_after_it_was_made(tmp_path, far, seconds):
    """On the stand-in, 20 facts a second: from the call that journals one to the answer for it."""
    ledger = ConvexLedger(far.url, token=standin.TOKEN)
    ledger.start_session(SessionRow(key="s", external_id="s", started_at_ms=0))
    made, there = {}, {}
    append = ledger.append_events

    def timed(rows):
        answer = append(rows)
        there.update((row.key, time.perf_counter()) for row in rows)
        return answer

    ledger.append_events = timed
    journal = Journal(tmp_path / "journal.sqlite")
    outbox = Outbox(journal.queue, ledger)
    outbox.start()
    row = DirectorEventRow(
        key="", session_key="s", seq=0, type="cut", source="witness", at_ms=0.0,
        verdict="UNANNOUNCED", confidence=1.0, text="…",
    ).document()  # fmt: skip
    for n in range(20 * seconds):
        key = f"s/seen/e{n}"
        made[key] = time.perf_counter()
        out = Outgoing(Op.EVENT, key, row | {"key": key})
        journal.append(FactKind.VERDICT, key, {}, [out])
        outbox.notify()
        time.sleep(0.05)
    assert outbox.flush(10)
    outbox.stop()
    journal.close()
    ledger.close()
    took = sorted(there[key] - made[key] for key in made)
    p50, p99 = took[len(took) // 2], took[int(0.99 * len(took))]
    print(f"{len(took)} rows: p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms")
    assert len(took) == len({row["key"] for row in far.tables()["productionDirectorEvents"]})


class Away(ConvexLedger):
    """Not reachable."""

    def append_events(self, rows):
        self.reached.set()
        raise BookError(Code.UNREACHABLE, "nobody there")

    start_session = upsert_cameras = append_events


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_hundred_thousand_waiting_rows_keep_nobody_waiting(tmp_path):
    """Ready: the journal is open, its rows are counted, the first request is on its way."""
    journal = Journal(tmp_path / "journal.sqlite")
    fill(journal, 100_000)
    journal.close()
    ledger = Away("http://127.0.0.1:9")
    ledger.reached = threading.Event()
    began = time.perf_counter()
    journal = Journal(tmp_path / "journal.sqlite")
    outbox = Outbox(journal.queue, ledger)
    outbox.start()
    assert outbox.status().pending == 100_000
    assert ledger.reached.wait(10)
    took = time.perf_counter() - began
    outbox.stop()
    journal.close()
    print(f"100,000 rows waiting: ready after {took:.3f} s")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_session_of_a_hundred_thousand_facts_is_taken_up_whole(tmp_path):
    """With all that its judge needs again: 25,000 cuts, of four facts each."""
    ledger = Away("http://127.0.0.1:9")
    ledger.reached = threading.Event()
    books = Bookkeeper(Journal(tmp_path / "journal.sqlite"), ledger, external_id="s")
    books.begin(SessionFacts("s"), [CameraFacts("cam-a")], 0.0)
    with books._journal.transaction():
        for n in range(25_000):
            at = 1000.0 * n
            raw = {"type": "cut", "id": f"m{n}", "at": at, "camera": "cam-a"}
            claim = Claim(id=f"m{n}", type="cut", at_ms=at, recv_ms=at, camera="cam-a", raw=raw)
            event = Event(id=f"e{n}", type="cut", at_ms=at + 150, to_camera="cam-a")
            books.claim(claim)
            books.event(event)
            books.shot(Shot(start_ms=at, end_ms=at + 1000, state="live", camera="cam-a"))
            verdict = Verdict(code="AGREE", claim_id=claim.id, event_id=event.id, at_ms=at,
                              confidence=0.9, text="The program cut to cam-a.")  # fmt: skip
            books.verdict(verdict, claim, event)
    books.close(0.1)
    took = []
    for _ in range(3):
        began = time.perf_counter()
        books = Bookkeeper(Journal(tmp_path / "journal.sqlite"), ledger, external_id="s")
        begun = books.begin(SessionFacts("s"), [CameraFacts("cam-a")], 0.0)
        took.append(time.perf_counter() - began)
        assert len(begun.verdicts) == len(begun.claims) == 25_000
        books.close(0.1)
    print(f"100,000 facts read back: {min(took):.2f} s of {took}")
