"""The bodies of `tap seal` and `tap verify --seal`."""

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tap.cli.terminal import progress, say, say_json
from tap.clock import SystemClock
from tap.config import (
    SESSION_ID,
    Config,
    default_key_path,
    load_config,
    load_key,
    load_or_make_key,
    read_public_key,
    session_folder,
    state_home,
)
from tap.errors import EXIT_COULD_NOT_WITNESS, EXIT_DISAGREEMENT, EXIT_OK, InputError
from tap.report.bundle import check_bundle, write_bundle
from tap.report.sealed import check_folder
from tap.report.wording import printable
from tap.seal import Gap, PublicKey, SealCheck
from tap.witness.ledgers import open_ledger
from tap.witness.seal import pinned_digest, seal_now, seal_state

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_SHOWN = 40
_MOST_GAPS = 5


def run_seal(
    session: str, *, config: Path | None, now: bool, bundle: Path | None, as_json: bool
) -> None:
    """Show how a session is sealed; with `now` seal its open end, with `bundle` export it."""
    settings = load_config(config) if config is not None else None
    folder = _folder(session, settings)
    sealed = False
    if now:
        path = settings.seal_key_path if settings is not None else default_key_path()
        signer = load_or_make_key(path, away_from=folder)
        name = seal_state(folder).session or folder.name
        sealed = seal_now(folder, name, signer, SystemClock())
    state = seal_state(folder)
    if bundle is not None:
        write_bundle(folder, bundle)
    if as_json:
        more = {"sealedNow": sealed, "bundle": str(bundle) if bundle is not None else None}
        say_json({"type": "seal", "folder": str(folder), **state.as_json(), **more})
        return
    if state.digest is None or state.key is None or state.sealed_at is None:
        say(f"{folder}: {state.records} records, not sealed")
        return
    key = PublicKey.read(state.key)
    say(printable(f"{state.session}: {state.records} records, {state.statements} statements"))
    say(f"last sealed {_when(state.sealed_at)} with the key {key.id}")
    say(f"public key  {key.hex}")
    say(f"digest      {state.digest}")
    if now:
        say("the open end is sealed now" if sealed else "nothing was open: tap had left in order")
    elif not state.closed:
        say("the end is open: tap is still running, or was killed; then seal it with --now")
    if bundle is not None:
        say(str(bundle))


def run_verify_seal(
    target: Path,
    *,
    keys: Sequence[str],
    pins: Sequence[str],
    session: str | None,
    config: Path | None,
    as_json: bool,
) -> int:
    """Check a seal; returns the exit code."""
    settings = load_config(config) if config is not None else None
    trusted = [read_public_key(text) for text in keys] or [_own_key(settings)]
    wanted = [_digest(text) for text in pins]
    if settings is not None:
        wanted += _pinned(settings, session)
    elif session is not None:
        raise InputError(
            "--session: expected the shoot's configuration with --config too, to look for the "
            "digest in its ledger, got none; give it, or the digest itself with --pin"
        )
    with progress("checking the seal"):
        look = check_folder if target.is_dir() else check_bundle
        found = look(target, trusted, wanted)
    code = EXIT_DISAGREEMENT if found.problems else EXIT_OK
    if code == EXIT_OK and not found.closed:
        code = EXIT_COULD_NOT_WITNESS
    if as_json:
        say_json({"type": "seal-check", **_as_json(found)})
    else:
        _show(found, pinned=len(wanted), own=not keys, in_folder=target.is_dir())
    return code


def _folder(session: str, settings: Config | None) -> Path:
    folder = Path(session)
    if folder.is_dir():
        return folder
    if re.match(SESSION_ID, session):
        return session_folder(settings.home if settings is not None else state_home(), session)
    raise InputError(
        f"--session: expected a session's id or its folder, got {ascii(session)[:80]}; correct it"
    )


def _own_key(settings: Config | None) -> PublicKey:
    path = settings.seal_key_path if settings is not None else default_key_path()
    signer = load_key(path)
    if signer is None:
        raise InputError(
            f"expected a public key to check with, got none, and {path} isn't there; give the "
            "seal-key.pub of whoever sealed it with --key, as you had it from them"
        )
    return signer.public


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text.strip().lower()):
        raise InputError(
            f"--pin: expected a digest of 64 hexadecimal digits, got {ascii(text)[:80]}; give the "
            "one that `tap seal` showed or the ledger has"
        )
    return text.strip().lower()


def _pinned(settings: Config, session: str | None) -> list[str]:
    name = session or settings.session.external_id
    with closing(open_ledger(settings, read_only=True)) as ledger:
        found = pinned_digest(ledger, name)
    if found is None:
        raise InputError(
            f"expected the digest of {name} in the ledger, found none: it is written when a "
            "session is completed; leave --config out to check without it"
        )
    return [found]


def _show(found: SealCheck, *, pinned: int, own: bool, in_folder: bool) -> None:
    for problem in found.problems[:_MOST_SHOWN]:
        say(printable(f"{problem.fault.value}: {problem.place}: {problem.text}"))
    if len(found.problems) > _MOST_SHOWN:
        say(f"and {len(found.problems) - _MOST_SHOWN} more; --json has all")
    what = f"{found.records} records, {found.statements} statements, {len(found.files)} files"
    say(printable(f"{found.session or 'no session'}: {what}"))
    if found.sealed_at is not None:
        say(f"last sealed {_when(found.sealed_at)}, digest {found.digest}")
    for gap in found.gaps[:_MOST_GAPS]:
        say(_gap(gap))
    if len(found.gaps) > _MOST_GAPS:
        say(f"and {len(found.gaps) - _MOST_GAPS} more such gaps; --json has all")
    if found.found:
        names = ", ".join(found.found[:_MOST_GAPS])
        say(printable(f"not sealed when made, found or missed by a later run: {names}"))
    if found.problems:
        say(f"NOT AS SEALED: {len(found.problems)} faults")
        return
    if own:
        say("checked with this machine's own key: no key was given")
    if not in_folder:
        say("a bundle has the hashes of the pictures, not the pictures: check those in the folder")
    if found.closed:
        say("AS SEALED, to its end" + (f", and as {pinned} pinned" if pinned else ""))
    else:
        say(
            "AS SEALED as far as it goes, but its end is open: what may have followed can't be told"
        )


def _gap(gap: Gap) -> str:
    return f"nobody vouches for {_when(gap.start_ms)} to {_when(gap.end_ms)}: {gap.why}"


def _as_json(found: SealCheck) -> dict[str, object]:
    return {
        "session": found.session,
        "records": found.records,
        "statements": found.statements,
        "checkpoints": found.checkpoints,
        "files": len(found.files),
        "found": list(found.found),
        "keys": list(found.signers),
        "digest": found.digest,
        "sealedAt": found.sealed_at,
        "closed": found.closed,
        "gaps": [asdict(gap) for gap in found.gaps],
        "problems": [asdict(problem) for problem in found.problems],
    }


def _when(at_ms: float) -> str:
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return f"{at_ms:.0f} ms"
