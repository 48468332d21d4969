"""Gathers the session report: the ledger's rows, how they got there, and what is still open."""

import shlex
from collections import Counter
from pathlib import Path
from typing import Any

from tap.config import Config
from tap.ledger import (
    DirectorEventRow,
    FactKind,
    LedgerReader,
    SessionRow,
    StillRow,
    read_journal,
)
from tap.ledger.convex import load_mapping
from tap.ledger.convex.mapping import WRITES, Mapping
from tap.ledger.queue import Op, State
from tap.ledger.rows import CAMERAS, DIRECTOR_EVENTS, SESSIONS, STILLS
from tap.report.folder import JOURNAL_FILE
from tap.report.production import LONGEST_WALK, Endpoint, Example, Run, SessionReport, Step
from tap.vocabulary import DISAGREEMENTS, VerdictCode
from tap.witness.books import Books, read_books

_PURPOSES = {
    "start_session": "creates the session, or resumes it",
    "upsert_cameras": "registers cameras; the highest revision counts",
    "append_events": "adds director events, up to 100 at a time",
    "add_stills": "adds stills",
    "still_upload_url": "asks where a still's bytes go",
    "attach_still": "gives a still its bytes",
    "complete_session": "ends the session and keeps its final state",
    "session": "reads the session, to verify",
    "sessions": "lists sessions",
    "cameras": "reads its cameras, to verify",
    "events": "reads its events page by page, to verify",
    "stills": "reads its stills page by page, to verify",
    "head": "counts what is there",
    "health": "asks whether the deployment answers and lets tap in",
}
_OPEN = frozenset({VerdictCode.UNSEEN, VerdictCode.AMBIGUOUS, VerdictCode.CLOCK_SUSPECT})


def session_report(config: Config, ledger: LedgerReader, config_file: Path) -> SessionReport:
    """The report on the configured session. Raises `InputError` and `LedgerError`."""
    name = config.session.external_id
    books = read_books(ledger, name)
    convex = config.ledger.kind == "convex"
    mapping = load_mapping(config.ledger.mapping) if convex else None
    journal = config.session_folder / JOURNAL_FILE
    sent = _sent(journal) if journal.is_file() else {}
    session = books.session
    walk = _walk(session, books.events, books.stills)
    half = LONGEST_WALK // 2
    shown = walk if len(walk) <= LONGEST_WALK else walk[:half] + walk[-half:]
    return SessionReport(
        session_id=name,
        title=session.title,
        kind=session.kind,
        status=session.status,
        started_at_ms=session.started_at_ms,
        ended_at_ms=session.ended_at_ms,
        ledger=(config.ledger.url or "") if convex else str(config.ledger_path),
        transport=mapping.transport if mapping is not None else "embedded",
        mapping=mapping.name if mapping is not None else None,
        role=config.ledger.role,
        endpoints=_endpoints(mapping, books, config.ledger.role) if mapping is not None else (),
        runs=_runs(session, journal),
        event_ids=tuple(row.key for row in books.events),
        examples=_examples(books),
        remembers=_remembers(books),
        walk=tuple(shown),
        unlisted_steps=len(walk) - len(shown),
        metrics=_metrics(books, sent),
        commands=_commands(name, config_file),
        left=_left(books, sent),
    )


def _endpoints(mapping: Mapping, books: Books, role: str) -> tuple[Endpoint, ...]:
    """Those that this session needed; what there was no row for was not asked."""
    unused: set[str] = {"head"}
    if not books.stills:
        unused |= {"add_stills", "still_upload_url", "attach_still"}
    if not books.cameras:
        unused.add("upsert_cameras")
    if books.session.status != "completed":
        unused.add("complete_session")
    if role == "witness":
        unused |= set(WRITES) - {"append_events"}
    found: list[Endpoint] = []
    for operation, call in mapping.operations.items():
        if operation in unused:
            continue
        if call.function is not None and mapping.transport == "functions":
            kind = "mutation" if operation in WRITES else "query"
            address = f"{kind} {call.function}"
        else:
            method = call.method or ("POST" if operation in WRITES else "GET")
            address = f"{method} {call.path}"
        found.append(Endpoint(operation=operation, address=address, purpose=_PURPOSES[operation]))
    return tuple(found)


def _runs(session: SessionRow, journal: Path) -> tuple[Run, ...]:
    if journal.is_file():
        with read_journal(journal) as opened:
            return tuple(
                Run(id=fact.key, at_ms=fact.body.get("atMs"))
                for fact in opened.records(FactKind.RUN)
            )
    return tuple(Run(id=f"run/{number}") for number in range(1, session.runs + 1))


def _examples(books: Books) -> tuple[Example, ...]:
    found = [Example(type=SESSIONS, id=books.session.key, payload=books.session.document())]
    if books.cameras:
        row = books.cameras[0]
        found.append(Example(type=CAMERAS, id=row.key, payload=row.document()))
    types: set[tuple[str, str]] = set()
    for event in books.events:
        kind = (event.type.value, event.source.value)
        if kind not in types:
            types.add(kind)
            name = f"{DIRECTOR_EVENTS}, {event.type.value} ({event.source.value})"
            found.append(Example(type=name, id=event.key, payload=event.document()))
    if books.stills:
        still = books.stills[0]
        found.append(Example(type=STILLS, id=still.key, payload=still.document()))
    return tuple(found)


def _remembers(books: Books) -> tuple[str, ...]:
    session = books.session
    lines = [f"{SESSIONS}: the session {session.external_id}, {session.status}"]
    if session.final_state is not None:
        lines.append(f"{SESSIONS}: its final state, with the digest of tap's evidence")
    lines.append(f"{CAMERAS}: {len(books.cameras)} cameras")
    types = Counter((row.source.value, row.type.value) for row in books.events)
    for (source, kind), count in sorted(types.items()):
        told = "that the director told" if source == "director" else "that nobody announced"
        lines.append(f"{DIRECTOR_EVENTS}: {count} {kind} {told}, each with a verdict")
    kinds = Counter(row.kind for row in books.stills)
    lines += [f"{STILLS}: {count} of kind {kind}" for kind, count in sorted(kinds.items())]
    return tuple(lines)


def _walk(
    session: SessionRow, events: list[DirectorEventRow], stills: tuple[StillRow, ...]
) -> list[Step]:
    steps = [Step(at_ms=session.started_at_ms, key=session.key, what="tap joins", text="the start")]
    for row in events:
        camera = f" {row.camera}" if row.camera else ""
        what = f"{row.source.value}: {row.type.value}{camera}"
        text = f"{row.verdict.value}: {row.text}"
        steps.append(Step(at_ms=row.at_ms, seq=row.seq, key=row.key, what=what, text=text))
    for still in stills:
        shown = still.program_camera or (still.program_state or "not seen")
        steps.append(
            Step(
                at_ms=still.at_ms,
                key=still.key,
                what=f"still {still.kind} {still.camera_id}",
                text=f"the program showed {shown}",
            )
        )
    if session.ended_at_ms is not None:
        steps.append(Step(at_ms=session.ended_at_ms, key=session.key, what="the end", text=""))
    return sorted(steps, key=lambda step: step.at_ms)


def _sent(journal: Path) -> dict[State, list[tuple[Op, str, str | None]]]:
    found: dict[State, list[tuple[Op, str, str | None]]] = {state: [] for state in State}
    with read_journal(journal) as opened:
        for row in opened.queue.rows():
            found[row.state].append((row.op, row.key, row.reason))
    return found


def _metrics(books: Books, sent: dict[State, Any]) -> dict[str, float | int | str]:
    verdicts = Counter(row.verdict.value for row in books.events)
    metrics: dict[str, float | int | str] = {
        "rows": books.rows,
        "director events": len(books.events),
        "stills": len(books.stills),
    }
    metrics |= {f"verdict {code}": count for code, count in sorted(verdicts.items())}
    lags = sorted(row.lag_ms for row in books.events if row.lag_ms is not None)
    if lags:
        metrics["median lag from message to picture (ms)"] = round(lags[len(lags) // 2], 1)
    state = books.session.final_state
    if state is not None:
        told = {
            "shots": state.shots,
            "program frames": state.program_frames,
            "time unseen (ms)": state.unseen_ms,
            "SHA-256 of the evidence": state.evidence_digest,
        }
        metrics |= {name: value for name, value in told.items() if value is not None}
    metrics |= {f"rows {state.value}": len(rows) for state, rows in sent.items()}
    return metrics


def _commands(name: str, config_file: Path) -> tuple[str, ...]:
    config, session = shlex.quote(str(config_file)), shlex.quote(name)
    export = shlex.quote(f"{name}.zip")
    return (
        f"tap ledger show --config {config} --session {session}",
        f"tap verify --config {config} --session {session}",
        f"tap ledger export {export} --config {config} --session {session}",
        f"tap verify --config {config} --session {session} --snapshot {export}",
        f"tap report --config {config} --session {session} --format md",
    )


def _left(books: Books, sent: dict[State, list[tuple[Op, str, str | None]]]) -> tuple[str, ...]:
    lines: list[str] = []
    if books.session.status != "completed":
        lines.append("The session is not completed.")
    waiting, parked = sent.get(State.PENDING, []), sent.get(State.PARKED, [])
    if waiting:
        lines.append(f"{len(waiting)} rows wait to be sent: tap ledger push.")
    lines += [f"{key} was refused: {reason}" for _, key, reason in parked]
    lines += [f"{table} could not be read from this ledger." for table in books.unread]
    lines += [f"{problem.key}: {problem.text}" for problem in books.problems]
    doubtful = Counter(row.verdict for row in books.events if row.verdict in _OPEN)
    lines += [f"{count} verdicts are {code.value}." for code, count in doubtful.items()]
    wrong = [row for row in books.events if row.verdict in DISAGREEMENTS]
    lines += [f"{row.key} disagrees ({row.verdict.value}): {row.text}" for row in wrong]
    if any(row.uri is None for row in books.stills):
        lines.append("Stills that were told without an address have no bytes in the ledger.")
    return tuple(lines)
