"""The commands for recordings: `replay` of one or many shoots, and `archive` to ask them all."""

from pathlib import Path
from typing import Annotated

import typer

from tap.cli.options import AsJson, Look, LookOption

app = typer.Typer(
    help="Many recorded shoots as one archive: how it stands, its tables, questions to them.",
    no_args_is_help=True,
)
Archive = Annotated[Path, typer.Argument(help="The folder that `tap replay --out` was given.")]


def add_to(app: typer.Typer) -> None:
    """Make `replay` a command of `app`."""
    app.command(
        epilog="Example: tap replay recordings/monday --out monday-seen; of many: "
        "tap replay --jobs 4 recordings --out archive"
    )(replay)


def replay(
    shoots: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SHOOT…",
            help="The folder of a recorded shoot, or folders that hold such folders; with "
            "--cluster also addresses (fsspec).",
        ),
    ] = None,
    *,
    out: Annotated[
        Path, typer.Option(help="The folder for witness.json and the page; of many: the archive.")
    ],
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            help="Replay many shoots with so many processes.",
            show_default="as many as there are cores",
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Replay on the Dask scheduler at this address: tcp://HOST:8786."
        ),
    ] = None,
    piece: Annotated[
        float,
        typer.Option(
            min=4, max=3600, help="With --cluster: seconds of a piece that long shoots are cut to."
        ),
    ] = 120.0,
    cut_from: Annotated[
        float, typer.Option(min=0, help="With --cluster: minutes above which a shoot is long.")
    ] = 10.0,
    hindsight: Annotated[
        bool,
        typer.Option(
            "--hindsight", help="Also look at the whole recording, and say where that differs."
        ),
    ] = False,
    profile: Annotated[
        str, typer.Option(help="How the recorded director words messages: a name or a .toml file.")
    ] = "tap",
    look: LookOption = Look.LAZY,
    as_json: AsJson = False,
) -> None:
    """Witness recorded shoots: the same eyes and the same judgement as live.

    One shoot leaves its record in --out. Many become an archive there: a job table, a record of
    each and tables for `tap archive query`. Killed and run again, it goes on where it was: what is
    done is done again only where the shoot or tap has changed. A bad shoot never stops the rest.

    On many shoots: exits with 2 where some are no good shoots, with 3 where some were not done.
    """
    from tap.archive.identity import How
    from tap.archive.places import is_url
    from tap.cli.session import run_replay
    from tap.feeds.shoot import SHOOT_FILE

    given = shoots or []
    if jobs is not None and cluster is not None:
        raise typer.BadParameter("expected --jobs or --cluster, got both")
    if jobs is None and cluster is None and len(given) == 1 and not is_url(given[0]):
        one = Path(given[0])
        if not one.is_dir() or (one / SHOOT_FILE).exists():
            how = How(profile=profile, hindsight=hindsight, full_look=look is Look.FULL)
            run_replay(one, out, how, as_json=as_json)
            return
    from tap.archive.course import Cutting
    from tap.claims import load_profile
    from tap.cli.archive_run import Wanted, run_archive

    load_profile(profile)  # a wrong one is said once, not by each shoot
    if Path(profile).is_file():
        profile = str(Path(profile).resolve())  # workers need not run in this folder
    how = How(profile=profile, hindsight=hindsight, full_look=look is Look.FULL)
    cutting = Cutting(from_ms=cut_from * 60_000, every_ms=piece * 1000)
    wanted = Wanted(out, how, jobs, cluster, cutting)
    raise typer.Exit(run_archive(given, wanted, as_json=as_json))


@app.command(epilog="Example: tap archive status archive")
def status(archive: Archive, as_json: AsJson = False) -> None:
    """Show how each shoot of an archive stands."""
    from tap.cli.archive_run import run_status

    run_status(archive, as_json=as_json)


@app.command(epilog="Example: tap archive export archive")
def export(archive: Archive, as_json: AsJson = False) -> None:
    """Write the archive's tables (Parquet) anew; `tap replay` of many shoots does so at its end."""
    from tap.cli.archive_run import run_export

    run_export(archive, as_json=as_json)


@app.command(epilog="Example: tap archive query archive delay --csv > delays.csv")
def query(
    archive: Archive,
    question: Annotated[
        str | None,
        typer.Argument(
            metavar="[rhythm|agreement|delay]",
            help="How often was cut and how long shots are; how often director and picture agree; "
            "how late each camera is.",
        ),
    ] = None,
    *,
    sql: Annotated[
        str | None, typer.Option(help="Ask this instead: one SELECT over the archive's tables.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask all shoots of an archive at once.

    The tables: shoots, shots, events, verdicts, cameras, delays, unseen; `tap archive query ARCHIVE
    --sql "DESCRIBE shots"` lists a table's columns. docs/archive.md says what they mean.
    """
    from tap.cli.archive_run import run_query

    run_query(archive, question, sql=sql, as_csv=as_csv, as_json=as_json)
