"""`tap rig`: the stand-in shoot, made and served."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tap.cli.terminal import progress, say, say_json, stderr, until_told

WebRtcCodecName = Literal["H264", "VP8"]

app = typer.Typer(
    help="A shoot that isn't there: make one with known truth, serve one as if it were live.",
    no_args_is_help=True,
)


@app.command("list", epilog="Example: tap rig list --json")
def list_recipes(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List the shoots that can be made."""
    from rich.table import Table

    from tap.rig import recipes

    known = {name: recipe.about for name, recipe in recipes.RECIPES.items()}
    if as_json:
        say_json({"recipes": known})
        return
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 3, 0, 0))
    for name, summary in known.items():
        table.add_row(name, summary)
    say(table)


@app.command(epilog="Example: tap rig make pose2sim four-cameras --seconds 60")
def make(
    name: Annotated[str, typer.Argument(help="A name of `tap rig list`.")],
    folder: Annotated[Path, typer.Argument(help="The folder to make; new or empty.")],
    seconds: Annotated[
        float | None, typer.Option(min=1, max=3600, help="How long the program runs.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another shoot.")] = 1,
) -> None:
    """Make a recorded shoot, with the truth beside it."""
    from tap.rig import recipes

    with progress(f"making {name}") as report:
        recipes.build(name, folder, recipes.Options(seconds=seconds, seed=seed), report)
    say(f"Made {folder}. Serve it: tap rig serve {folder}")


@app.command(epilog="Example: tap rig serve recordings/monday --write-config live.toml")
def serve(
    shoot: Annotated[Path, typer.Argument(help="The folder of a recorded shoot.")],
    *,
    host: Annotated[str, typer.Option(help="The address to serve at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    start_in: Annotated[
        float, typer.Option(min=0, max=3600, help="Seconds until the shoot begins.")
    ] = 5.0,
    write_config: Annotated[
        Path | None, typer.Option(help="Write a shoot.toml that points here.")
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="The ledger file to name in that shoot.toml.")
    ] = None,
    webrtc: Annotated[
        list[str] | None,
        typer.Option(help="A feed that the shoot.toml shall name over WebRTC; repeatable."),
    ] = None,
    codec: Annotated[WebRtcCodecName, typer.Option(help="The codec of WebRTC.")] = "H264",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Serve a recorded shoot as if it were live: MJPEG and WebRTC feeds, the director's wire.

    Plays it once, in real time, then ends. Ctrl-C ends it earlier.
    """
    from tap.rig.serve import RigServer

    with (
        until_told() as told,
        RigServer(shoot, host, port, start_in_s=start_in, codec=codec) as server,
    ):
        if write_config is not None:
            server.write_config(write_config, ledger=ledger, webrtc=webrtc or ())
        addresses = {feed: server.url(feed) for feed in server.feeds}
        if as_json:
            say_json(
                {
                    "feeds": addresses,
                    "whep": {feed: server.whep_url(feed) for feed in server.feeds},
                    "director": server.director_url,
                    "status": server.base_url + "/status",
                    "startMs": server.start_ms,
                    "shiftMs": server.shift_ms,
                    "durationMs": server.duration_ms,
                }
            )
        else:
            for feed, address in addresses.items():
                say(f"{feed:12} {address}")
            say(f"{'director':12} {server.director_url}")
            stderr().print(f"The shoot begins in {start_in:g} s. Ctrl-C ends it.")
        # Short waits: a signal is only heeded between two steps of the interpreter.
        while not (told.is_set() or server.finished.is_set()):
            told.wait(0.2)
