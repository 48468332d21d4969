"""The key that sessions are sealed with: made on first use, for this user's eyes alone."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import platformdirs

from tap.errors import InputError
from tap.seal import PublicKey, Signer

KEY_FILE = "seal-key.pem"
_OTHERS = 0o077
MAX_KEY_BYTES = 64 * 1024


def default_key_path() -> Path:
    """`TAP_SEAL__KEY`; else in the user's configuration folder."""
    told = os.environ.get("TAP_SEAL__KEY")
    return Path(told) if told else Path(platformdirs.user_config_dir("tap")) / "seal" / KEY_FILE


def load_or_make_key(path: Path, *, away_from: Path | None = None) -> Signer:
    """The key in `path`; a new one where there is none.

    `away_from` is the session's folder: a key in there would be handed on with the evidence.
    Raises `InputError` where others could read or exchange the key, or where it is none.
    """
    if away_from is not None and path.resolve().is_relative_to(away_from.resolve()):
        raise InputError(
            f"{path}: expected the seal's key outside the session's folder, got one in it; name "
            "another path as key in [seal]"
        )
    try:
        if not path.exists():
            _make(path)
        return _load(path)
    except OSError as error:
        raise InputError(
            f"{path}: expected the key that seals the session, but {error.strerror or error}; make "
            "its folder writable, or name another path as key in [seal]"
        ) from error


def load_key(path: Path) -> Signer | None:
    """The key in `path`, None where there is none. Raises as `load_or_make_key`."""
    return load_or_make_key(path) if path.exists() else None


def read_public_key(text: str) -> PublicKey:
    """The public key that a user gives: 64 hexadecimal digits, or the path of a PEM file.

    Raises `InputError`.
    """
    path = Path(text)
    try:
        if path.is_file():
            if path.stat().st_size > MAX_KEY_BYTES:
                raise ValueError("expected a public key, got a file far too large for one")
            text = path.read_text(encoding="ascii")
        return PublicKey.read(text)
    except (OSError, ValueError) as error:
        raise InputError(
            f"--key {ascii(str(path))[1:-1][:80]}: expected an Ed25519 public key, as a PEM file "
            f"or 64 hexadecimal digits, but {error}; give the seal-key.pub of whoever sealed it"
        ) from error


def _make(path: Path) -> None:
    """Another tap may do so at the same time: the first one's key counts."""
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".seal-key-")  # for its owner alone
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(Signer.make().pem())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _load(path: Path) -> Signer:
    if os.name == "posix":
        _require_private(path.parent, "folder", 0o700)
        _require_private(path, "file", 0o600)
    if path.stat().st_size > MAX_KEY_BYTES:
        raise InputError(f"{path}: expected a key of the seal, got a larger file; correct the path")
    try:
        signer = Signer.read(path.read_bytes())
    except ValueError as error:
        raise InputError(
            f"{path}: {error}; restore the key from a copy, or move the file away to have a new "
            "one made"
        ) from error
    _publish(path.with_suffix(".pub"), signer.public)
    return signer


def _publish(path: Path, key: PublicKey) -> None:
    """The public half beside it, for the user to hand on; not being able to is no harm."""
    with suppress(OSError):
        if not path.exists() or path.read_text(encoding="ascii", errors="replace") != key.pem():
            path.write_text(key.pem(), encoding="ascii")


def _require_private(path: Path, what: str, mode: int) -> None:
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise InputError(
            f"{path}: expected a {what} of your own for the seal's key, got one that belongs to "
            "another user; name another path as key in [seal]"
        )
    others = stat.S_IMODE(found.st_mode) & _OTHERS
    if others:
        raise InputError(
            f"{path}: expected a {what} that only you can use (mode {mode:04o}), got "
            f"{stat.S_IMODE(found.st_mode):04o}; correct it with: chmod {mode:o} {path}"
        )
