"""What the doctor finds out about the ledger: is it there, does it know tap, whose time has it?"""

import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from tap.config import Config
from tap.errors import InputError
from tap.ledger import BesideLedger, BookError, Code, ConvexLedger
from tap.ledger.convex import Pulse
from tap.witness.examine import Check, Health
from tap.witness.ledgers import open_ledger

_FAR_MS = 5_000.0
"""Its clock is told to the second only; further off than this is another time."""


def examine_ledger(config: Config) -> Check:
    """One check of the ledger that `config` names. Raises nothing."""
    if config.ledger.kind == "embedded":
        return _file(config.ledger_path)
    try:
        with closing(open_ledger(config)) as ledger:
            convex = ledger.convex if isinstance(ledger, BesideLedger) else ledger
            if not isinstance(convex, ConvexLedger):
                raise TypeError(type(convex).__name__)
            return _deployment(convex, config.session.external_id)
    except InputError as error:
        return Check("ledger", Health.WRONG, str(error))


def _deployment(ledger: ConvexLedger, session: str) -> Check:
    now_ms = time.time() * 1000
    try:
        pulse = ledger.pulse()
        authorized = pulse.authorized
        if authorized is None and ledger.has("session"):
            ledger.session(session)  # no word about it: whoever may read is let in
            authorized = True
    except BookError as error:
        if error.code is Code.DENIED:
            return _denied(ledger)
        advice = "check [ledger] url and mapping; rows will wait in the journal meanwhile"
        return Check("ledger", Health.BAD, str(error), advice)
    if authorized is False:
        return _denied(ledger)
    return _clock(ledger, pulse, now_ms)


def _clock(ledger: ConvexLedger, pulse: Pulse, now_ms: float) -> Check:
    values = {"tookMs": round(pulse.took_ms, 1)}
    if pulse.server_ms is not None:
        values["clockMs"] = round(pulse.server_ms - now_ms)
        if abs(pulse.server_ms - now_ms) > _FAR_MS:
            text = f"{ledger.url} answers, but its clock is {values['clockMs'] / 1000:+.0f} s off"
            return Check("ledger", Health.WARNING, text, "set this host's clock", values)
    text = f"{ledger.url} answers in {pulse.took_ms:.0f} ms and lets tap in"
    return Check("ledger", Health.OK, text, values=values)


def _denied(ledger: ConvexLedger) -> Check:
    text = f"{ledger.url} answers, but does not let tap in"
    advice = "compare the token that token_env names with the deployment's own"
    return Check("ledger", Health.BAD, text, advice)


def _file(path: Path) -> Check:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            with closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as ledger:
                ledger.execute("BEGIN IMMEDIATE")
                ledger.execute("SELECT count(*) FROM sqlite_master").fetchone()
                ledger.execute("ROLLBACK")
            return Check("ledger", Health.OK, f"{path} can be written")
        with tempfile.TemporaryFile(dir=path.parent):
            return Check("ledger", Health.OK, f"{path} can be made")
    except sqlite3.OperationalError as error:
        advice = "end the program that holds it, or give another path in [ledger]"
        return Check("ledger", Health.BAD, f"{path} can't be written now ({error})", advice)
    except sqlite3.DatabaseError as error:
        advice = "move that file away, or give another path in [ledger]"
        return Check("ledger", Health.WRONG, f"{path} is no ledger ({error})", advice)
    except OSError as error:
        advice = "give another path in [ledger], or correct the permissions"
        return Check("ledger", Health.WRONG, f"{path} can't be written ({error.strerror})", advice)
