"""The commands of `tap`. Each reads its arguments, calls one room, and says what came of it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tap.cli import archive, claims, edge, exchange, ledger, prepare, rig
from tap.cli.options import SHOOT_TOML, AsJson, ConfigFile, Look, LookOption
from tap.cli.terminal import say

app = typer.Typer(
    name="tap",
    help="An independent witness to a live multi-camera shoot: says from the pictures alone which "
    "camera was on program, and whether that agrees with what the director says.",
    epilog="Exit codes: 0 fine, 1 a disagreement was found (verify), 2 bad input or configuration, "
    "3 could not witness. TAP_DEBUG=1 shows where an error arose.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(archive.app, name="archive")
app.add_typer(claims.app, name="claims")
app.add_typer(ledger.app, name="ledger")
app.add_typer(rig.app, name="rig")


class ReportForm(StrEnum):
    """What the report is written as."""

    HTML = "html"
    MD = "md"
    JSON = "json"


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(version("tap-witness"))
        raise typer.Exit


@app.callback()
def _tap(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: tap watch --config shoot.toml --record recordings/monday --web")
def watch(
    config: ConfigFile = SHOOT_TOML,
    *,
    record: Annotated[
        Path | None, typer.Option(help="Also keep every feed and message in this folder.")
    ] = None,
    web: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:PORT]",
            help="Also serve a live page and its data, at 127.0.0.1:9440 unless told otherwise.",
        ),
    ] = None,
    web_open: Annotated[
        bool,
        typer.Option(
            "--web-open",
            help="Let others than this machine reach the page, with the token in TAP_WEB_TOKEN.",
        ),
    ] = False,
    look: LookOption = Look.LAZY,
    as_json: AsJson = False,
) -> None:
    """Witness a live shoot: watch every feed, judge every cut, write the ledger.

    Runs until the director ends the session or Ctrl-C, then completes the session's documents.
    """
    from tap.cli.session import run_watch
    from tap.cli.web import Web

    page = Web(web, off_loopback=web_open) if web is not None else None
    full = look is Look.FULL
    run_watch(config, record_to=record, as_json=as_json, web=page, full_look=full)


@app.command(epilog="Example: tap record recordings/monday --config shoot.toml")
def record(
    folder: Annotated[Path, typer.Argument(help="The folder to make; nothing may be there yet.")],
    config: ConfigFile = SHOOT_TOML,
    as_json: AsJson = False,
) -> None:
    """Witness a live shoot and keep every feed and message, to replay it later.

    The same as `tap watch --record FOLDER`.
    """
    from tap.cli.session import run_watch

    run_watch(config, record_to=folder, as_json=as_json)


archive.add_to(app)


@app.command(epilog="Example: tap explain recordings/monday --at 1:02.5 --out why.png")
def explain(
    shoot: Annotated[Path, typer.Argument(help="The folder of a recorded shoot.")],
    at: Annotated[
        str,
        typer.Option(help="The moment: seconds from the program's start, m:ss.mmm, or Unix ms."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The picture to write.", show_default="explain-SECONDS.png"),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=1, help="Look at only so much before it: quicker, but tap has learnt less by then."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show why tap says what it says of one moment: who explains the picture, how well, how late.

    Writes one picture, and says the reasons in sentences.
    """
    from tap.cli.explain import run_explain

    run_explain(shoot, at, out=out, seconds=seconds, as_json=as_json)


@app.command(epilog="Example: tap verify --session shoot-2026-11-22-a")
def verify(
    session: Annotated[
        str | None, typer.Option(help="The external id of a session in the ledger.")
    ] = None,
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Take ledger, tolerances and session from this file."),
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Judge from this recording, not from tap's own evidence.")
    ] = None,
    snapshot: Annotated[
        Path | None,
        typer.Option(help="Read the ledger from this snapshot ZIP of Convex, or of tap."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The folder for verify.json and the page.",
            show_default="the session's own, else tap-verify",
        ),
    ] = None,
    seal: Annotated[
        Path | None,
        typer.Option(help="Check the seal of this session's folder, or of a bundle, and no more."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="With --seal: a public key to trust, as a file or 64 hexadecimal digits.",
            show_default="this machine's own",
        ),
    ] = None,
    pin: Annotated[
        list[str] | None,
        typer.Option(help="With --seal: a digest kept elsewhere, which has to be found."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a session: re-judge it from the ledger and the evidence, and list what disagrees.

    The ledger is the one that --config names (embedded or Convex), a snapshot ZIP, or the
    embedded one in TAP_HOME.

    With --seal, says instead whether the record is as it was sealed, and where it isn't; --config
    then looks for the digest in that ledger.

    Exits with 1 where the pictures contradict what was said, or the record what was sealed; with 3
    where nothing is wrong with a seal but its end is open.
    """
    if seal is not None:
        if replay is not None or snapshot is not None or out is not None:
            raise typer.BadParameter("--seal goes with --key, --pin, --config and --json alone")
        from tap.cli.seal import run_verify_seal

        raise typer.Exit(
            run_verify_seal(
                seal,
                keys=key or (),
                pins=pin or (),
                session=session,
                config=config,
                as_json=as_json,
            )
        )
    if key or pin:
        raise typer.BadParameter("--key and --pin go with --seal")
    from tap.cli.session import run_verify

    raise typer.Exit(
        run_verify(
            session, config=config, shoot=replay, snapshot=snapshot, out=out, as_json=as_json
        )
    )


@app.command(epilog="Example: tap seal --session shoot-2026-11-22-a --bundle monday.seal")
def seal(
    session: Annotated[str, typer.Option(help="A session's external id, or its folder.")],
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Take tap's own folder and the key from this file."),
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Seal the end that a killed tap left open.")
    ] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Write all that is sealed to this file, to be checked elsewhere."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show how a session's record is sealed: the digest to keep elsewhere, the key to hand on.

    tap seals by itself, record by record, while it witnesses. docs/seal.md says what that proves
    and what it does not. Check a seal with: tap verify --seal FOLDER_OR_BUNDLE --key PUBLIC_KEY
    """
    from tap.cli.seal import run_seal

    run_seal(session, config=config, now=now, bundle=bundle, as_json=as_json)


@app.command(epilog="Example: tap report --session shoot-2026-11-22-a")
def report(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder that `tap replay` left, or its witness.json.")
    ] = None,
    *,
    session: Annotated[
        str | None, typer.Option(help="A session's id.", show_default="the configuration's")
    ] = None,
    config: ConfigFile = SHOOT_TOML,
    form: Annotated[
        ReportForm,
        typer.Option(
            "--format",
            help="html: the page with the pictures. md, json: the report for the production file.",
        ),
    ] = ReportForm.HTML,
    shoot: Annotated[
        Path | None, typer.Option(help="Take pictures from this recorded shoot (html).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The page to write.", show_default="beside the record")
    ] = None,
) -> None:
    """Write the page of a session: what was said, what was seen, and the pictures that prove it.

    One file that opens from disk, without network. With --format md or json, print the session
    report for the production file instead, from the configured ledger and tap's journal: which
    functions and endpoints were used, what the ledger remembers, the walk through the shoot.
    """
    if form is ReportForm.HTML:
        from tap.cli.export import run_page

        run_page(folder, session, config=config, shoot=shoot, out=out)
        return
    from tap.cli.session import run_report

    run_report(session, config=config, as_json=form is ReportForm.JSON)


exchange.add_to(app)


@app.command(epilog="Example: tap demo --footage pose2sim")
def demo(
    footage: Annotated[
        str | None,
        typer.Option(help="Play real footage of this name, fetched once, not the rendered shoot."),
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="The folder for what the demo writes.")] = Path(
        "demo-out"
    ),
    keep: Annotated[
        Path | None, typer.Option(help="Also keep a recording of the live session here.")
    ] = None,
    ledger_url: Annotated[
        str | None,
        typer.Option(
            help="Write to this Convex deployment, under a session id of its own.",
            show_default="the embedded ledger",
        ),
    ] = None,
    ledger_token_env: Annotated[
        str | None, typer.Option(help="The variable that holds that deployment's token.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play a shoot over real sockets, witness it live, and find the director's three mistakes.

    Takes about a minute. Exits with 0 when exactly the planted mistakes were found.
    """
    from tap.cli.demo import run_demo

    deployment = (ledger_url, ledger_token_env) if ledger_url is not None else None
    raise typer.Exit(
        run_demo(footage=footage, out=out, keep=keep, deployment=deployment, as_json=as_json)
    )


prepare.add_to(app)
edge.add_to(app)
