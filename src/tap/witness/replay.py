"""`tap replay`: a recorded shoot through the same core as a live one."""

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

from tap.claims import Devices, Parser, load_profile, read_claims
from tap.errors import InputError
from tap.feeds.media import LOCAL_FILES, Files, MediaReader, Reader
from tap.feeds.record import ENDED_AT
from tap.feeds.shoot import Shoot, load_shoot, recordings
from tap.judge import Tolerances
from tap.ledger import CameraFacts, EmbeddedLedger, SessionFacts
from tap.report.folder import (
    JOURNAL_FILE,
    PICTURES_FOLDER,
    PUBLIC_KEY_FILE,
    REPORT_FILE,
    VERIFY_FILE,
    WITNESS_FILE,
)
from tap.seal import Signer
from tap.sight import SightSettings
from tap.vocabulary import PROGRAM, Frame, Witness
from tap.witness.evidence import ShootPictures
from tap.witness.models import learnt_settings
from tap.witness.order import Observation, in_order
from tap.witness.session import HINDSIGHT, Plan, Session

LEDGER = "ledger.sqlite"
_OURS = (JOURNAL_FILE, WITNESS_FILE, HINDSIGHT, LEDGER, REPORT_FILE, VERIFY_FILE, PUBLIC_KEY_FILE)

Progress = Callable[[float], None]
Readers = Callable[[Shoot], Sequence[Reader]]
"""Gives the frames of each camera, in the order of the shoot, and of the program, which is last."""


def replay(
    folder: Path,
    out: Path,
    *,
    sight: SightSettings | None = None,
    tolerances: Tolerances | None = None,
    profile: str = "tap",
    hindsight: bool = False,
    signer: Signer | None = None,
    progress: Progress | None = None,
    files: Files = LOCAL_FILES,
    readers: Readers | None = None,
) -> Witness:
    """Witness the `tap-shoot/1` folder; leave the record, the books and the page in `out`.

    `files` says where the media are, `readers` who reads them. `progress` hears the part done,
    0 .. 1. With `hindsight`, `hindsight.json` says where knowing everything leads to another
    answer. With `signer`, the record is sealed as a live one is: that says that the record was not
    altered since, not that the recording wasn't before. Raises
    `InputError` for a bad shoot, before anything is written.
    """
    shoot = load_shoot(folder, files)
    sight = sight or learnt_settings()
    if readers is not None:
        reading = readers(shoot)
    else:
        reading = media_readers(shoot, files, late=not sight.full_look)
    cameras = [camera.id for camera in shoot.cameras]
    parser = Parser(load_profile(profile), cameras, devices=Devices(cameras))
    claims = read_claims(shoot.director, parser) if shoot.director is not None else iter(())
    _prepare(out)
    ordered = in_order([*(iter(reader) for reader in reading), claims])
    first = next(ordered, None)
    if first is None:
        raise InputError(f"{folder}: expected pictures to look at, got none in any media file")
    store = EmbeddedLedger(out / LEDGER)
    session = Session(
        Plan(
            session=_session_facts(shoot),
            cameras=_camera_facts(shoot),
            folder=out,
            store=store,
            sight=sight,
            tolerances=tolerances or Tolerances(),
            pictures=ShootPictures(shoot, files),
            hindsight=hindsight,
            signer=signer,
        ),
        _time_of(first),
    )
    last_ms = _time_of(first)
    end_ms = _end_ms(shoot, reading[-1])
    for number, observation in enumerate(chain([first], ordered)):
        session.observe(observation)
        last_ms = _time_of(observation)
        session.pass_time(last_ms)
        if progress is not None and number % 100 == 0:
            progress(min(1.0, (last_ms - _time_of(first)) / max(end_ms - _time_of(first), 1.0)))
    ended_ms = watched_until(shoot)
    if ended_ms is not None and ended_ms > last_ms:
        session.core.pass_time(ended_ms)
    witness = session.finish(
        last_ms, complete=True, dropped={reader.feed: reader.damaged for reader in reading}
    )
    store.close()
    if progress is not None:
        progress(1.0)
    return witness


def media_readers(
    shoot: Shoot, files: Files = LOCAL_FILES, *, late: bool = False
) -> list[MediaReader]:
    """Readers of a shoot's media: the cameras in order, and the program last.

    `late`: cameras' JPEGs are decoded when somebody looks at them.
    """
    return [
        MediaReader(part.media, feed, part.started_at_ms, files, late=late and feed != PROGRAM)
        for feed, part in recordings(shoot)
    ]


def _prepare(out: Path) -> None:
    """Make `out` ready: what an earlier replay left there goes."""
    out.mkdir(parents=True, exist_ok=True)
    for name in _OURS:
        for file in out.glob(f"{name}*"):
            file.unlink()
    for picture in (out / PICTURES_FOLDER).glob("*.jpg"):
        picture.unlink()


def _session_facts(shoot: Shoot) -> SessionFacts:
    session = shoot.session
    return SessionFacts(
        external_id=session.external_id,
        kind=session.kind,
        title=session.title,
        notes=session.notes,
        mode=session.mode,
    )


def _camera_facts(shoot: Shoot) -> list[CameraFacts]:
    return [
        CameraFacts(id=camera.id, role=camera.role, label=camera.label, source=camera.media.name)
        for camera in shoot.cameras
    ]


def watched_until(shoot: Shoot) -> float | None:
    """Until when a recorded live session was watched, where the recording says so."""
    ended = (shoot.model_extra or {}).get(ENDED_AT)
    return float(ended) if isinstance(ended, int | float) else None


def _end_ms(shoot: Shoot, program: Reader) -> float:
    return shoot.program.started_at_ms + (program.duration_ms or 60_000.0)


def _time_of(observation: Observation) -> float:
    return observation.at_ms if isinstance(observation, Frame) else observation.recv_ms
