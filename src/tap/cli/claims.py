"""`tap claims`: the director's messages, and how tap understands them."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="What the director says, and how tap understands it.", no_args_is_help=True)


@app.callback()
def _claims() -> None:
    """A group, so that its one command keeps its name."""


@app.command(epilog="Example: tap claims tail ws://192.168.1.10:9404/director --profile mine.toml")
def tail(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A ws, wss, http or https address, or a file of recorded messages.",
            show_default="the director of --config",
        ),
    ] = None,
    *,
    profile: Annotated[
        str | None,
        typer.Option(
            help="How messages are worded: a name or a .toml file.",
            show_default="the configuration's, else tap",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Take the director and cameras from here.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option(help="The camera that the feed belongs to, for a phone's events.")
    ] = None,
    token_env: Annotated[
        str | None, typer.Option(help="The variable that holds the token.")
    ] = None,
    token_in: Annotated[
        str | None, typer.Option(help='"query" or "header".', show_default="the profile's")
    ] = None,
    token_name: Annotated[
        str | None, typer.Option(help="The name of the query parameter or header.")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Also write the messages to this file, which this command reads too."),
    ] = None,
    count: Annotated[int, typer.Option(min=0, help="End after so many messages; 0: don't.")] = 0,
    seconds: Annotated[float, typer.Option(min=0, help="End after so long; 0: don't.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Show the director's messages as they come, each beside how it was understood.

    Without a configuration any camera may be named. At the end stand the types that the profile
    doesn't know, as the beginning of one that does. Exits with 3 where nothing was heard.
    """
    from tap.cli.tail import run_tail

    token = {"token_env": token_env, "token_in": token_in, "token_name": token_name}
    raise typer.Exit(
        run_tail(
            source,
            profile=profile,
            config_file=config,
            sender=sender,
            token=token,
            keep=keep,
            count=count,
            seconds=seconds,
            as_json=as_json,
        )
    )
