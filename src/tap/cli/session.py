"""The bodies of `watch`, `record`, `replay` and `verify`."""

import re
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from tap.archive.identity import How
from tap.cli.live_view import live_view
from tap.cli.terminal import progress, say, say_json, say_text, until_told
from tap.cli.web import Web, control_room
from tap.clock import SystemClock
from tap.config import (
    LEDGER_FILE,
    SESSION_ID,
    Config,
    default_key_path,
    load_config,
    load_or_make_key,
    session_folder,
    state_home,
)
from tap.errors import InputError
from tap.ledger import EmbeddedLedger, LedgerReader, SnapshotLedger
from tap.ledger.convex import load_mapping
from tap.report import wording
from tap.report.findings import Verification
from tap.report.folder import REPORT_FILE, VERIFY_FILE, WITNESS_FILE
from tap.report.table import findings_table, problems_table
from tap.vocabulary import DISAGREEMENTS, Witness
from tap.witness.ledgers import open_ledger
from tap.witness.live import watch
from tap.witness.models import learnt_settings
from tap.witness.production import session_report
from tap.witness.replay import replay
from tap.witness.status import LiveStatus
from tap.witness.verify import verify

# ---------------------------------------------------------------- watch, record, replay


def run_watch(
    config: Path,
    *,
    record_to: Path | None,
    as_json: bool,
    web: Web | None = None,
    full_look: bool = False,
) -> None:
    """Witness live until the session ends or the user has seen enough."""
    settings = load_config(config)
    record_to = record_to or settings.record.dir
    witness = watch_shown(
        settings, record_to=record_to, as_json=as_json, web=web, full_look=full_look
    )
    _conclude(witness, settings.session_folder, as_json=as_json)


def watch_shown(
    config: Config,
    *,
    record_to: Path | None,
    as_json: bool,
    total_ms: float | None = None,
    web: Web | None = None,
    full_look: bool = False,
) -> Witness:
    """Witness live, with a view of it in the terminal; `total_ms`: how long it will take."""
    clock = SystemClock()
    with (
        until_told() as told,
        control_room(web, config, clock) as onlooker,
        live_view(as_json=as_json) as show,
    ):

        def on_status(status: LiveStatus) -> None:
            show(replace(status, total_ms=total_ms))

        return watch(
            config,
            clock=clock,
            record_to=record_to,
            on_status=on_status,
            stop=told,
            onlooker=onlooker,
            full_look=full_look,
        )


def run_replay(shoot: Path, out: Path, how: How, *, as_json: bool) -> None:
    """Witness a recording."""
    with progress(f"looking at {shoot.name or shoot}") as report:
        signer = load_or_make_key(default_key_path(), away_from=out)
        witness = replay(
            shoot,
            out,
            profile=how.profile,
            hindsight=how.hindsight,
            sight=learnt_settings(full_look=how.full_look),
            signer=signer,
            progress=report,
        )
    _conclude(witness, out, as_json=as_json)


def _conclude(witness: Witness, folder: Path, *, as_json: bool) -> None:
    if as_json:
        say_json({"type": "witness", **witness.model_dump(mode="json", by_alias=True)})
        return
    disagreed = sum(verdict.code in DISAGREEMENTS for verdict in witness.verdicts)
    say(
        f"{witness.session.external_id}: {len(witness.shots)} shots, {len(witness.events)} events, "
        f"{len(witness.verdicts)} verdicts, {disagreed} of them disagree"
    )
    for name in (WITNESS_FILE, REPORT_FILE):
        say(str(folder / name))


# ---------------------------------------------------------------- verify


def run_verify(
    session: str | None,
    *,
    config: Path | None,
    shoot: Path | None,
    snapshot: Path | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Check a session; returns the exit code."""
    settings = load_config(config) if config is not None else None
    if session is None and settings is not None:
        session = settings.session.external_id
    tolerances = settings.tolerances.for_judge() if settings is not None else None
    home = settings.home if settings is not None else state_home()
    with progress("checking") as report, _ledger_to_check(settings, snapshot, home) as ledger:
        if session is None and shoot is None:
            raise InputError(f"expected a session to check, got none; {_known(ledger)}")
        folder = _evidence(home, session) if session is not None else None
        _require_known(session, ledger, folder, home)
        checked = verify(
            session,
            ledger=ledger if session else None,
            folder=folder,
            replay=shoot,
            see_again=partial(replay, tolerances=tolerances, progress=report),
            out=out or folder or Path("tap-verify"),
            tolerances=tolerances,
        )
    show_check(checked, out or folder or Path("tap-verify"), as_json=as_json)
    return checked.exit_code


@contextmanager
def _ledger_to_check(
    settings: Config | None, snapshot: Path | None, home: Path
) -> Generator[LedgerReader | None]:
    """The ledger to read; None where there is no file of one."""
    ledger: LedgerReader | None = None
    if snapshot is not None and settings is not None and settings.ledger.role == "witness":
        raise InputError(
            'role = "witness": expected to read the deployment itself, got --snapshot, which is '
            "not built for this role yet; leave --snapshot out"
        )
    if snapshot is not None:
        mapping = load_mapping(settings.ledger.mapping) if settings is not None else None
        ledger = SnapshotLedger(snapshot, mapping)
    elif settings is not None and settings.ledger.kind == "convex":
        ledger = open_ledger(settings)
    else:
        books = settings.ledger_path if settings is not None else home / LEDGER_FILE
        ledger = EmbeddedLedger(books, read_only=True) if books.is_file() else None
    try:
        yield ledger
    finally:
        if ledger is not None:
            ledger.close()


def _require_known(
    session: str | None, ledger: LedgerReader | None, folder: Path | None, home: Path
) -> None:
    if session is None or folder is not None:
        return
    if ledger is None:
        raise InputError(
            f"{home / LEDGER_FILE}: expected a ledger with the session {session!r}, found no such "
            "file; give the shoot's configuration with --config, or set TAP_HOME"
        )
    if ledger.session(session) is None:
        raise InputError(
            f"expected the session {session!r} in the ledger, found none; {_known(ledger)}"
        )


def run_report(session: str | None, *, config: Path, as_json: bool) -> None:
    """Print the session report."""
    settings = load_config(config)
    if session is not None:
        named = settings.session.model_copy(update={"external_id": session})
        settings = settings.model_copy(update={"session": named})
    with closing(open_ledger(settings, read_only=True)) as ledger:
        report = session_report(settings, ledger, config)
    say_text(report.to_json() if as_json else report.to_markdown())


def show_check(checked: Verification, folder: Path, *, as_json: bool) -> None:
    """The findings as a table, or as JSON."""
    if as_json:
        say(checked.to_json().rstrip())
        return
    say(findings_table(checked))
    if checked.problems:
        say(problems_table(checked))
    if checked.unread:
        say(f"not checked, for this ledger can't be asked for it: {', '.join(checked.unread)}")
    counts = ", ".join(f"{count} {code}" for code, count in checked.counts.items())
    say(f"{checked.session.external_id}: {counts or 'nothing was said or seen'}")
    say(f"{folder / VERIFY_FILE}\n{folder / REPORT_FILE}")


def _evidence(home: Path, session: str) -> Path | None:
    """tap's own folder of a session, where there is one."""
    folder = session_folder(home, session)
    return folder if re.match(SESSION_ID, session) and folder.is_dir() else None


def _known(ledger: LedgerReader | None) -> str:
    """Which sessions there are to check."""
    if ledger is None:
        return "give one with --session, or the shoot's configuration with --config"
    names = [row.external_id for row in ledger.sessions()][:10]
    known = f"the ledger has {', '.join(names)}" if names else "the ledger has none"
    return f"give one with --session: {wording.printable(known)}"
