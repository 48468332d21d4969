"""`tap demo`: a shoot over real sockets, tap beside it, and the director's three mistakes."""

import os
import shutil
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import cast

import tomlkit

from tap.cli.session import show_check, watch_shown
from tap.cli.terminal import progress, say, say_json, stderr
from tap.config import Config, load_config
from tap.errors import EXIT_DISAGREEMENT, EXIT_OK, InputError
from tap.ledger import LedgerReader, all_events, all_stills
from tap.report.findings import Verification
from tap.report.folder import REPORT_FILE
from tap.rig import demo
from tap.witness.ledgers import open_ledger
from tap.witness.verify import verify

_CLOSING_MS = 5000.0
"""From the director's last word to the end: the judge's patience, and what is on its way."""

_KEPT = {"TAP_DEBUG", "TAP_CACHE"}


def run_demo(
    *,
    footage: str | None,
    out: Path,
    keep: Path | None,
    deployment: tuple[str, str | None] | None,
    as_json: bool,
) -> int:
    """Play, witness, check; returns the exit code. `deployment`: address and token's variable."""
    if footage is None:
        shoot = demo.sample_shoot()
    else:
        with progress(f"making a shoot of {footage} (once; it is kept)") as report:
            shoot = demo.footage_shoot(footage, report)
    live = _fresh(out / "live")
    _set_apart(live)
    config, ledger = live / "shoot.toml", live / "ledger.sqlite"
    with demo.served(shoot, config, ledger) as address:
        if not as_json:
            stderr().print(
                f"A shoot of {address['durationMs'] / 1000:.0f} s is played over "
                f"{len(address['feeds'])} MJPEG feeds and a WebSocket; tap watches."
            )
        if deployment is not None:
            _put_on_convex(config, *deployment)
        settings = load_config(config)
        total_ms = address["durationMs"] + 1000 * demo.START_IN_S + _CLOSING_MS
        watch_shown(settings, record_to=keep, as_json=as_json, total_ms=total_ms)
    with closing(open_ledger(settings, read_only=True)) as books:
        checked = verify(
            settings.session.external_id,
            ledger=books,
            folder=settings.session_folder,
            out=out,
            tolerances=settings.tolerances.for_judge(),
        )
        rows = _rows(books, settings)
    planted = demo.planted_mistakes(shoot, address["shiftMs"])
    return _conclude(checked, planted, rows, out, as_json=as_json)


def _conclude(
    checked: Verification,
    planted: list[demo.Mistake],
    rows: dict[str, int],
    out: Path,
    *,
    as_json: bool,
) -> int:
    """Say what was found of what was planted; returns the exit code."""
    missed, surplus = demo.compare(planted, checked)
    if as_json:
        say_json(
            {
                "type": "demo",
                "ledger": rows,
                "planted": len(planted),
                "found": len(planted) - len(missed),
                "notFound": [mistake.code for mistake in missed],
                "surplus": surplus + [problem.text for problem in checked.problems],
                "page": str(out / REPORT_FILE),
            }
        )
    else:
        show_check(checked, out, as_json=False)
        say("ledger: " + ", ".join(f"{count} {table}" for table, count in rows.items()))
        say(f"found {len(planted) - len(missed)} of the director's {len(planted)} mistakes")
        for mistake in missed:
            say(f"not found: {mistake.code} {mistake.claim_id or ''}")
        for text in surplus:
            say(f"not planted: {text}")
        say(f"open {(out / REPORT_FILE).absolute()}")
    return EXIT_DISAGREEMENT if missed or surplus or checked.problems else EXIT_OK


def _put_on_convex(config: Path, url: str, token_env: str | None) -> None:
    """Name a deployment in the demo's shoot.toml, so that other commands find its ledger too. The
    session gets a name of its own: the deployment keeps what earlier demos left there."""
    shoot = tomlkit.parse(config.read_text(encoding="utf-8"))
    session = cast("dict[str, str]", shoot["session"])
    session["external_id"] = f"{session['external_id']}-{time.time():.0f}"
    told = {"token_env": token_env} if token_env else {}
    shoot["ledger"] = {"kind": "convex", "url": url} | told
    config.write_text(tomlkit.dumps(shoot), encoding="utf-8")


def _rows(books: LedgerReader, settings: Config) -> dict[str, int]:
    """How many rows of each kind the session has in the ledger."""
    session = books.session(settings.session.external_id)
    if session is None:
        raise InputError(
            f"expected the session {settings.session.external_id!r} in the ledger, found none; "
            "run the demo again"
        )
    types = Counter(row.type.value for row in all_events(books, session.key))
    return {
        f"session ({session.status})": 1,
        "cameras": len(books.cameras(session.key)),
        "director events": types.total(),
        "stills": sum(1 for _ in all_stills(books, session.key)),
    }


def _fresh(folder: Path) -> Path:
    """`folder`, empty: what an earlier demo left there goes."""
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f'{folder}: expected a folder that can be written, got "{error.strerror or error}"; '
            "give another with --out"
        ) from error
    return folder


def _set_apart(home: Path) -> None:
    """Keep the demo's state apart from the user's own, whatever the user has set."""
    for name in [name for name in os.environ if name.upper().startswith("TAP_")]:
        if name.upper() not in _KEPT:
            del os.environ[name]
    os.environ["TAP_HOME"] = str(home.absolute())
