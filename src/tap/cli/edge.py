"""`tap edge`: the process beside cameras that are far from the witness."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tap.cli.options import AsJson
from tap.cli.terminal import say, say_json, stderr, until_told

if TYPE_CHECKING:
    from tap.clock import Clock
    from tap.edge.run import EdgeStatus
    from tap.feeds.feed import LiveFeed


def add_to(app: typer.Typer) -> None:
    """Make it a command of `app`."""
    app.command(
        epilog="Example: tap edge --feed cam-a=http://192.168.1.21:8081/stream --to nats://10.0.0.5"
    )(edge)


def edge(
    *,
    to: Annotated[str, typer.Option(help="The NATS server: nats://HOST:4222, or tls://HOST:4222.")],
    feed: Annotated[
        list[str] | None,
        typer.Option(help="ID=URL of an MJPEG stream, or ID=FILE, played in a loop; repeatable."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Send the cameras of this shoot.toml."),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(min=1, max=120, help="Most pictures a second.", show_default="all"),
    ] = None,
    token_env: Annotated[
        str | None, typer.Option(help="The variable with the NATS server's token.")
    ] = None,
    ring_mb: Annotated[
        int,
        typer.Option(min=1, max=65536, help="Memory for pictures that may be asked for, MB."),
    ] = 256,
    as_json: AsJson = False,
) -> None:
    """Send cameras to a witness that is far away: fingerprints, and pictures when it asks for them.

    Runs until Ctrl-C. A witness takes such a camera with kind = "edge" and
    url = "nats://HOST:4222/ID" in its shoot.toml. docs/edge.md says what is sent and what it costs.
    """
    from tap.clock import SystemClock
    from tap.config import token_of
    from tap.config.feeds import Token
    from tap.edge.run import Edge

    clock = SystemClock()
    running = Edge(
        _cameras(feed or [], config, clock),
        to,
        clock=clock,
        token=token_of(Token(token_env=token_env)),
        fps=fps,
        ring_bytes=ring_mb * 1024 * 1024,
    )
    console = stderr()
    last: list[EdgeStatus] = []

    def show(status: "EdgeStatus") -> None:
        rate = _kbps(status, last[0]) if last else 0.0
        last[:] = [status]
        if as_json:
            say_json(_document(status, rate))
        elif console.is_terminal:
            console.print(_line(status, rate), end="\r", soft_wrap=True)

    with until_told() as told:
        running.run(told, show)
    if not as_json:
        say(_line(last[0], 0.0) if last else "Nothing was sent.")


def _cameras(feeds: list[str], config: Path | None, clock: "Clock") -> "dict[str, LiveFeed]":
    """The feeds to send, by the name that they are sent under. Raises `InputError`."""
    from tap.config import load_config
    from tap.errors import InputError
    from tap.feeds.live_media import LiveMedia
    from tap.feeds.mjpeg import MjpegFeed
    from tap.witness.wires import live_feed

    cameras: dict[str, LiveFeed] = {}
    for text in feeds:
        name, separator, where = text.partition("=")
        if not separator or not where or name in cameras:
            raise InputError(
                f"--feed: expected ID=URL or ID=FILE, each ID once, got {name!r}; correct it"
            )
        if "://" in where:
            cameras[name] = MjpegFeed(name, where, clock=clock)
        else:
            cameras[name] = LiveMedia(name, Path(where), clock=clock, loop=True)
    if config is not None:
        shoot = load_config(config)
        for camera in shoot.cameras:
            if camera.kind != "edge" and camera.id not in cameras:
                cameras[camera.id] = live_feed(camera.id, camera, shoot, clock)
    return cameras


def _kbps(status: "EdgeStatus", before: "EdgeStatus") -> float:
    """kbit/s of a camera since the status before, which was a second ago."""
    return (status.bytes - before.bytes) * 8 / 1000 / max(1, len(status.feeds))


def _line(status: "EdgeStatus", rate: float) -> str:
    live = sum(1 for feed in status.feeds if feed.state.value == "live")
    return (
        f"{status.server}: {status.detail} {live} of {len(status.feeds)} cameras live, "
        f"{status.sent} fingerprints and {status.pictures} pictures sent, "
        f"{rate:.0f} kbit/s a camera"
    )


def _document(status: "EdgeStatus", rate: float) -> dict[str, object]:
    return {
        "server": status.server,
        "linked": status.linked,
        "detail": status.detail,
        "sent": status.sent,
        "messages": status.messages,
        "bytes": status.bytes,
        "leftOut": status.left_out,
        "pictures": status.pictures,
        "keptBytes": status.kept_bytes,
        "kbpsPerCamera": round(rate, 1),
        "feeds": {
            feed.feed: {
                "state": feed.state.value,
                "detail": feed.detail,
                "fps": round(feed.fps, 1),
                "damaged": feed.damaged,
            }
            for feed in status.feeds
        },
    }
