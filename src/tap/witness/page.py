"""The page of a session that is over: from its folder, as it was left or as it was last checked."""

from pathlib import Path

from pydantic import ValidationError

from tap.errors import InputError
from tap.feeds.shoot import load_shoot
from tap.report.findings import Verification
from tap.report.folder import (
    PICTURES_FOLDER,
    REPORT_FILE,
    VERIFY_FILE,
    WITNESS_FILE,
    FolderPictures,
    journalled_claims,
)
from tap.report.gather import findings_of
from tap.report.page import write_page
from tap.report.pictures import Pictures
from tap.vocabulary import Witness
from tap.witness.evidence import ShootPictures, load_witness

MAX_VERIFY_BYTES = 256 * 2**20


def session_page(record: Path, *, shoot: Path | None = None, out: Path | None = None) -> Path:
    """Write the page of the session in `record`, a folder or its `witness.json`.

    What the last `tap verify` found of the ledger is on it, unless the record is newer. Pictures
    come from the session's own evidence, or from the recorded `shoot`. Raises `InputError` and
    `LedgerError`.
    """
    witness = load_witness(record)
    folder = record if record.is_dir() else record.parent
    pictures: Pictures = FolderPictures(folder / PICTURES_FOLDER)
    if shoot is not None:
        pictures = ShootPictures(load_shoot(shoot))
    checked = _last_check(folder, witness) or Verification(
        session=witness.session,
        ledger_checked=False,
        findings=findings_of(witness, journalled_claims(folder)),
        cameras=witness.cameras,
        coverage=witness.coverage,
    )
    return write_page(out or folder / REPORT_FILE, witness, checked, pictures)


def _last_check(folder: Path, witness: Witness) -> Verification | None:
    """What `tap verify` left, where it is on this record."""
    file = folder / VERIFY_FILE
    try:
        status = file.stat()
        older = status.st_mtime_ns < (folder / WITNESS_FILE).stat().st_mtime_ns
        if older or status.st_size > MAX_VERIFY_BYTES:
            return None
        checked = Verification.model_validate_json(file.read_bytes())
    except OSError:
        return None
    except ValidationError as error:
        raise InputError(
            f"{file}: expected what `tap verify` writes, got something else; check the session "
            "again, or remove the file."
        ) from error
    return checked if checked.session == witness.session else None
