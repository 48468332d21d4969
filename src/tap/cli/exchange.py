"""The commands that exchange cuts with others: `export` for editors, `import` for judgement."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tap.cli.options import AsJson

CameraNames = Annotated[
    list[str] | None,
    typer.Option(help="What the file calls a camera: NAME=CAMERA. May be given many times."),
]


class ExportForm(StrEnum):
    """What `export` writes."""

    OTIO = "otio"
    EDL = "edl"
    FCP7 = "fcp7"
    FCPXML = "fcpxml"
    CSV = "csv"
    JSONL = "jsonl"
    WEBVTT = "webvtt"


class ImportForm(StrEnum):
    """What `import` reads."""

    EDL = "edl"
    DRP = "drp"
    CSV = "csv"
    OBS = "obs"


def add_to(app: typer.Typer) -> None:
    """Make them commands of `app`."""
    app.command(
        epilog="Example: tap export --session shoot-2026-11-22-a --to fcpxml --shoot recordings/mon"
    )(export)
    app.command(
        "import", epilog="Example: tap import atem.drp --from drp --shoot recordings/monday"
    )(import_)


def export(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder that `tap replay` left, or its witness.json.")
    ] = None,
    *,
    to: Annotated[ExportForm, typer.Option(help="The kind of file to write.")],
    session: Annotated[
        str | None, typer.Option(help="A session that was witnessed live, by its id.")
    ] = None,
    as_told: Annotated[
        bool,
        typer.Option(
            "--as-told/--as-seen", help="What the director said, or what the pictures show."
        ),
    ] = False,
    shoot: Annotated[
        Path | None,
        typer.Option(help="The recorded shoot: its files are cut, at their own place in time."),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            help="Frames a second: 23.976, 24, 25, 29.97, 29.97df, 30, 50, 59.94, 59.94df or 60.",
            show_default="the program's own",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="The timecode of the first frame.", show_default="00:00:00:00"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file to write.", show_default="beside the record")
    ] = None,
    profile: Annotated[
        str, typer.Option(help="How the recorded director words messages: a name or a .toml file.")
    ] = "tap",
    as_json: AsJson = False,
) -> None:
    """Write the cut list for an editor: the program, cut over the cameras' recordings.

    Every camera has a full-length track of its own, every verdict is a marker. As seen, it needs
    no director: a shoot that nobody logged has its cut list from the pictures alone.
    """
    from tap.cli.export import run_export
    from tap.report.exports.model import View
    from tap.witness.exporting import Wanted

    wanted = Wanted(
        form=to.value,
        view=View.TOLD if as_told else View.SEEN,
        rate=rate,
        start=start,
        shoot=shoot,
        profile=profile,
        out=out,
    )
    run_export(folder, session, wanted, as_json=as_json)


def import_(
    file: Annotated[Path, typer.Argument(help="The file of another system.")],
    *,
    form: Annotated[
        ImportForm,
        typer.Option(
            "--from",
            help="What it is: a CMX 3600 EDL, an ATEM's .drp, a CSV table, or a log of "
            "obs-websocket events.",
        ),
    ],
    shoot: Annotated[
        Path | None, typer.Option(help="The recorded shoot that the claims are about.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the claims to this file, not into a shoot.")
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Add to the messages that the shoot has already.")
    ] = False,
    camera: CameraNames = None,
    rate: Annotated[
        str | None,
        typer.Option(help="The rate of its timecode.", show_default="the shoot's program's"),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="The timecode at which the program's recording begins.",
            show_default="the file's first",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="The moment of that timecode: Unix ms, or ISO 8601 with its zone.",
            show_default="when the shoot's program begins",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take what another system says of a shoot as claims, to be judged like a director's.

    `tap replay` then holds them against the pictures.
    """
    from tap.cli.export import run_import
    from tap.witness.importing import Request

    request = Request(
        file=file,
        form=form.value,
        shoot=shoot,
        out=out,
        merge=merge,
        rate=rate,
        at=at,
        start=start,
        cameras=tuple(camera or ()),
    )
    run_import(request, as_json=as_json)
