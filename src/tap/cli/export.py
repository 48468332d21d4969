"""The bodies of `export`, `import` and the page of `report`."""

import re
from pathlib import Path

from tap.cli.terminal import say, say_json
from tap.config import SESSION_ID, load_config, session_folder, state_home
from tap.errors import InputError
from tap.report.exports.model import CutList
from tap.report.folder import WITNESS_FILE
from tap.witness.exporting import Wanted, export
from tap.witness.importing import Request, bring_in
from tap.witness.page import session_page


def run_export(folder: Path | None, session: str | None, wanted: Wanted, *, as_json: bool) -> None:
    """Write the cut list of a session, and say where it is and what to know of it."""
    cuts, files = export(find_record(folder, session), wanted)
    if as_json:
        say_json(_as_json(cuts, files))
        return
    changes = max(0, len(cuts.segments) - 1)
    say(
        f"{cuts.title} as {cuts.view.value}: {changes} changes over {cuts.length} frames at "
        f"{cuts.rate.name} frames/s, from {cuts.label(0)}; no change was moved by more than "
        f"{float(cuts.snap * 1000):.1f} ms"
    )
    for note in cuts.notes:
        say(note)
    for file in files:
        say(str(file))


def find_record(folder: Path | None, session: str | None) -> Path:
    """The folder with a session's `witness.json`. Raises `InputError` where there is none."""
    if (folder is None) == (session is None):
        raise InputError(
            "expected one session; give its id with --session, or the folder of a replay."
        )
    if session is not None and not re.match(SESSION_ID, session):
        raise InputError(f"expected the id of a session, got {session[:80]!r}; correct it.")
    place = folder if folder is not None else session_folder(state_home(), session or "")
    record = place / WITNESS_FILE if place.is_dir() else place
    if not record.is_file():
        raise InputError(
            f"{record}: expected the record of a session, found no such file; a live session "
            "writes it at its end, a recorded one is witnessed with `tap replay`."
        )
    return place


def _as_json(cuts: CutList, files: list[Path]) -> dict[str, object]:
    return {
        "type": "export",
        "session": cuts.title,
        "view": cuts.view.value,
        "rate": cuts.rate.name,
        "frames": cuts.length,
        "segments": len(cuts.segments),
        "startTimecode": cuts.label(0),
        "furthestMovedMs": float(cuts.snap * 1000),
        "notes": list(cuts.notes),
        "files": [str(file) for file in files],
    }


def run_import(request: Request, *, as_json: bool) -> None:
    """Bring in claims, and say how many and where they are."""
    imported, file = bring_in(request)
    if as_json:
        say_json(
            {
                "type": "import",
                "claims": len(imported.messages),
                "notes": list(imported.notes),
                "file": str(file),
            }
        )
        return
    for note in imported.notes:
        say(note)
    say(f"{len(imported.messages)} claims in {file}, to be judged with `tap replay`")


def run_page(
    folder: Path | None,
    session: str | None,
    *,
    config: Path,
    shoot: Path | None,
    out: Path | None,
) -> None:
    """Write a session's page, and say where it is."""
    if folder is None and session is None:
        settings = load_config(config)
        folder = settings.session_folder
    elif folder is None and config.is_file():
        settings = load_config(config)
        if settings.session.external_id == session:  # its own home, which TAP_HOME need not name
            folder, session = settings.session_folder, None
    record = find_record(folder, session)
    say(str(session_page(record, shoot=shoot, out=out)))
