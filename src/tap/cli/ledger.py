"""`tap ledger`: what waits, sent by hand, carried elsewhere, looked at."""

from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tap.cli.options import SHOOT_TOML, AsJson, ConfigFile
from tap.cli.terminal import progress, say, say_json

if TYPE_CHECKING:
    from tap.config import Config
    from tap.ledger import LedgerReader, SessionRow
    from tap.witness.backlog import Backlog

app = typer.Typer(
    help="The ledger: what waits to be sent, sent by hand, exported, imported, looked at.",
    no_args_is_help=True,
)

SessionId = Annotated[
    str | None,
    typer.Option("--session", help="A session's external id.", show_default="the configuration's"),
]


class From(StrEnum):
    """Where an export is taken from."""

    LEDGER = "ledger"
    JOURNAL = "journal"


@app.command(epilog="Example: tap ledger status --json")
def status(
    config: ConfigFile = SHOOT_TOML, session: SessionId = None, as_json: AsJson = False
) -> None:
    """Show what waits to be sent, how old it is, and which rows were refused and why.

    Reads the session's journal; a running tap is not disturbed.
    """
    from tap.clock import SystemClock
    from tap.witness.backlog import backlog

    settings = _settings(config, session)
    found = backlog(settings.session_folder, settings.session.external_id, SystemClock())
    _show(found, as_json=as_json)


@app.command(epilog="Example: tap ledger push --seconds 600")
def push(
    config: ConfigFile = SHOOT_TOML,
    session: SessionId = None,
    seconds: Annotated[
        float, typer.Option(min=1, max=86_400, help="How long to try at most.")
    ] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Send what waits, refused rows included, without witnessing anything.

    Exits with 3 where something still waits or was refused again.
    """
    from tap.clock import SystemClock
    from tap.errors import EXIT_COULD_NOT_WITNESS, EXIT_OK
    from tap.witness.backlog import push as push_all

    settings = _settings(config, session)
    with progress("sending") as report:
        found = push_all(
            settings,
            settings.session_folder,
            clock=SystemClock(),
            patience_s=seconds,
            progress=report,
        )
    _show(found, as_json=as_json)
    raise typer.Exit(EXIT_COULD_NOT_WITNESS if found.pending or found.parked else EXIT_OK)


@app.command(epilog="Example: tap ledger export monday.zip --from journal")
def export(
    file: Annotated[Path, typer.Argument(help="The ZIP to write.")],
    *,
    config: ConfigFile = SHOOT_TOML,
    session: SessionId = None,
    every: Annotated[bool, typer.Option("--all", help="Every session of the ledger.")] = False,
    origin: Annotated[
        From, typer.Option("--from", help="The ledger, or what tap's own journal says.")
    ] = From.LEDGER,
    as_json: AsJson = False,
) -> None:
    """Write rows as a snapshot ZIP, in the layout of Convex's own exports."""
    from tap.ledger import read_journal, write_snapshot
    from tap.ledger.carry import tables_of, tables_of_journal
    from tap.ledger.convex import load_mapping
    from tap.witness.backlog import journal_path
    from tap.witness.ledgers import open_ledger

    settings = _settings(config, session)
    name = settings.session.external_id
    if origin is From.JOURNAL:
        with read_journal(journal_path(settings.session_folder, name)) as journal:
            tables = tables_of_journal(journal)
    else:
        with closing(open_ledger(settings, read_only=True)) as ledger:
            chosen = ledger.sessions() if every else [_one(ledger, name)]
            tables = tables_of(ledger, chosen)
    write_snapshot(file, tables, load_mapping(settings.ledger.mapping))
    counts = {
        "sessions": len(tables.sessions),
        "cameras": len(tables.cameras),
        "events": len(tables.events),
        "stills": len(tables.stills),
    }
    if as_json:
        say_json({"type": "export", "file": str(file), **counts})
    else:
        say(f"{file}: " + ", ".join(f"{count} {table}" for table, count in counts.items()))


@app.command("import", epilog="Example: tap ledger import monday.zip")
def import_(
    file: Annotated[Path, typer.Argument(help="A snapshot ZIP of Convex, or of tap.")],
    config: ConfigFile = SHOOT_TOML,
    session: Annotated[
        str | None, typer.Option(help="Only this session.", show_default="all in the file")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the sessions of a snapshot ZIP into the ledger; what is there already stays."""
    from tap.config import load_config
    from tap.errors import InputError
    from tap.ledger import SnapshotLedger
    from tap.ledger.carry import carry
    from tap.ledger.convex import load_mapping
    from tap.witness.ledgers import open_ledger

    settings = load_config(config)
    if settings.ledger.role == "witness":
        raise InputError(
            'role = "witness": expected a ledger of tap\'s own to import into, got one that '
            "another writer fills; give a configuration with another [ledger]"
        )
    source = SnapshotLedger(file, load_mapping(settings.ledger.mapping))
    chosen = source.sessions() if session is None else (_one(source, session),)
    with closing(open_ledger(settings)) as target:
        done = carry(source, chosen, target)
    if as_json:
        say_json(
            {
                "type": "import",
                "sessions": done.sessions,
                "written": done.written,
                "known": done.known,
            }
        )
    else:
        say(f"{done.sessions} sessions: {done.written} rows written, {done.known} were there")


@app.command(epilog="Example: tap ledger show --session shoot-2026-11-22-a --json")
def show(
    config: ConfigFile = SHOOT_TOML,
    session: Annotated[
        str | None, typer.Option(help="Show this one.", show_default="list all sessions")
    ] = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="Read this snapshot ZIP, not the ledger.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the sessions of the ledger, or show the rows of one."""
    from tap.config import load_config
    from tap.ledger import SnapshotLedger
    from tap.ledger.carry import tables_of
    from tap.ledger.convex import load_mapping
    from tap.report.ledger_table import rows_table, sessions_table
    from tap.witness.ledgers import open_ledger

    settings = load_config(config)
    reader: LedgerReader
    if snapshot is not None:
        reader = SnapshotLedger(snapshot, load_mapping(settings.ledger.mapping))
    else:
        reader = open_ledger(settings, read_only=True)
    with closing(reader) as ledger:
        if session is None:
            found = ledger.sessions()
            if as_json:
                say_json({"sessions": [row.document() for row in found]})
            else:
                say(sessions_table(found))
            return
        tables = tables_of(ledger, [_one(ledger, session)])
    if as_json:
        say_json(
            {
                "session": tables.sessions[0],
                "cameras": tables.cameras,
                "events": tables.events,
                "stills": tables.stills,
            }
        )
    else:
        say(rows_table(tables))


def _settings(config: Path, session: str | None) -> "Config":
    from tap.config import load_config

    settings = load_config(config)
    if session is None:
        return settings
    named = settings.session.model_copy(update={"external_id": session})
    return settings.model_copy(update={"session": named})


def _one(ledger: "LedgerReader", session: str) -> "SessionRow":
    from tap.errors import InputError
    from tap.report.wording import printable

    found = ledger.session(session)
    if found is None:
        names = ", ".join(row.external_id for row in ledger.sessions()[:10]) or "none"
        raise InputError(
            f"expected the session {session!r} in the ledger, which has {printable(names)}; give "
            "one of these with --session"
        )
    return found


def _show(found: "Backlog", *, as_json: bool) -> None:
    from tap.report.wording import printable

    if as_json:
        say_json({"type": "backlog", **found.as_json()})
        return
    say(f"{found.session}: {found.sent} rows sent, {found.pending} waiting, {found.parked} refused")
    if found.pending and found.oldest_age_ms is not None:
        say(f"the oldest has been waiting for {found.oldest_age_ms / 1000:.0f} s")
    if found.reason:
        way = f"the way is {found.way.value}"
        say(printable(f"{way}, {found.attempts} tries: {found.reason}"))
    if found.stills is not None:
        counts = found.stills
        say(f"stills: {counts.attached} given their bytes, {counts.known} had them")
    for row in found.refused:
        say(printable(f"refused {row.key}: {row.reason}"))
