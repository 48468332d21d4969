"""The commands before a shoot: `init`, `discover`, `doctor` and `bench`."""

from pathlib import Path
from typing import Annotated

import typer

from tap.cli.options import SHOOT_TOML, AsJson, ConfigFile
from tap.cli.terminal import progress, say, say_json


def add_to(app: typer.Typer) -> None:
    """Make them commands of `app`."""
    app.command(epilog="Example: tap init shoot.toml")(init)
    app.command(epilog="Example: tap discover 192.168.1.0/28 --thumbnails seen --write")(discover)
    app.command(epilog="Example: tap doctor --config shoot.toml")(doctor)
    app.command(epilog="Example: tap bench --size 1280x720 --kb 80")(bench)


def init(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = SHOOT_TOML,
    force: Annotated[bool, typer.Option(help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a commented shoot.toml to begin from."""
    from tap.config import write_template

    write_template(path, force=force)
    say(f"Wrote {path}. Set the addresses in it, then check them: tap doctor --config {path}")


def discover(
    targets: Annotated[
        list[str] | None,
        typer.Argument(help="Hosts, HOST:PORT or subnets to ask, besides what announces itself."),
    ] = None,
    *,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            help="Whose routes and service types are looked for: a name or a .toml file.",
            show_default="all that come with tap",
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0.2, max=60, help="Seconds to listen for announcements.")
    ] = 3.0,
    bonjour: Annotated[
        bool, typer.Option("--bonjour/--no-bonjour", help="Listen for announcements.")
    ] = True,
    interface: Annotated[
        list[str] | None,
        typer.Option(help="Listen on this address of this host.", show_default="all but loopback"),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.3, max=30, help="How long to watch each stream.")
    ] = 2.0,
    limit: Annotated[
        float, typer.Option(min=1, max=600, help="Seconds after which no new address is asked.")
    ] = 60.0,
    max_hosts: Annotated[
        int, typer.Option(min=1, max=4096, help="How many hosts may be asked.")
    ] = 256,
    webrtc: Annotated[
        bool,
        typer.Option(
            "--webrtc",
            help="Open the profiles' WebRTC routes as a viewer does, which posts an offer.",
        ),
    ] = False,
    token_env: Annotated[
        str | None,
        typer.Option(help="The variable with a token for hosts that are named one by one."),
    ] = None,
    thumbnails: Annotated[
        Path | None, typer.Option(help="Save a picture of each feed in this folder.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Add the feeds that --config lacks to it.")
    ] = False,
    config: ConfigFile = SHOOT_TOML,
    as_json: AsJson = False,
) -> None:
    """List the feeds on the network: those that announce themselves, and those where you say.

    Asks with GET and OPTIONS alone (but for --webrtc), and only addresses that you name or that
    announced themselves. Exits with 3 where nothing answered.
    """
    from tap.cli.discover import run_discover
    from tap.discover import Bounds

    raise typer.Exit(
        run_discover(
            targets or [],
            profiles=profile or [],
            bonjour_s=wait if bonjour else 0.0,
            interfaces=interface or [],
            bounds=Bounds(look_s=seconds, all_s=limit, webrtc=webrtc),
            max_hosts=max_hosts,
            token_env=token_env,
            thumbnails=thumbnails,
            write_to=config if write else None,
            as_json=as_json,
        )
    )


def doctor(
    config: ConfigFile = SHOOT_TOML,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=600, help="How long to look at each feed.")
    ] = 3.0,
    as_json: AsJson = False,
) -> None:
    """Check every feed, token, clock and ledger of a configuration, and say what is wrong.

    Exits with 2 where the configuration is at fault, with 3 where something can't be reached.
    """
    from tap.cli.checks import checks_table
    from tap.clock import SystemClock
    from tap.config import load_config
    from tap.witness.doctor import examine, exit_code

    settings = load_config(config)
    with progress("checking") as report:
        checks = examine(settings, clock=SystemClock(), look_s=seconds, progress=report)
    if as_json:
        say_json({"checks": [check.as_json() for check in checks]})
    else:
        say(checks_table(checks))
    raise typer.Exit(exit_code(checks))


def bench(
    size: Annotated[
        str, typer.Option(metavar="WIDTHxHEIGHT", help="The size of the cameras' pictures.")
    ] = "1920x1080",
    kb: Annotated[
        int, typer.Option(min=5, max=4000, help="How many kB a picture has, about.")
    ] = 200,
    as_json: AsJson = False,
) -> None:
    """Measure how many MJPEG cameras this machine will carry.

    Draws moving cameras and a program, serves them on loopback at 30 pictures a second and watches
    them, 10 s with two cameras and 10 s with six. It takes about two minutes; close what else
    runs, or leave it running to see what is left.
    """
    from tap.cli.bench import run_bench

    run_bench(size, kb, as_json=as_json)
