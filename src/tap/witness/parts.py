"""The parts of a live session, as the configuration has them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tap.claims import DeviceParser, Devices, LiveClaims, Parser, live_claims, load_profile
from tap.clock import Clock
from tap.config import (
    Config,
    FeedConfig,
    address_of,
    events_address_of,
    load_or_make_key,
    secrets_of,
)
from tap.feeds.record import REENCODED, ShootRecorder
from tap.feeds.shoot import ShootCamera, ShootSession
from tap.ledger import CameraFacts, SessionFacts
from tap.witness.ledgers import open_ledger
from tap.witness.models import learnt_settings
from tap.witness.session import Plan


def parser_of(config: Config, devices: Sequence[DeviceParser]) -> Parser:
    """What understands the director's messages, by its profile, beside those of the cameras."""
    profile = load_profile(config.director.profile if config.director is not None else "tap")
    cameras = [camera.id for camera in config.cameras]
    return Parser(profile, cameras, devices=Devices(cameras, devices))


def devices_of(config: Config, clock: Clock) -> list[tuple[DeviceParser, LiveClaims]]:
    """What listens to the cameras' own events."""
    cameras = [camera.id for camera in config.cameras]
    found: list[tuple[DeviceParser, LiveClaims]] = []
    for camera in config.cameras:
        if camera.events_url is not None:
            parser = DeviceParser(load_profile(camera.events_profile), cameras, camera.id)
            address = events_address_of(camera, parser.profile)
            hide = secrets_of(config)
            headers = address.headers
            wire = live_claims(address.whole, parser, clock, headers=headers, hide=hide)
            found.append((parser, wire))
    return found


def director_of(config: Config, clock: Clock, parser: Parser) -> LiveClaims | None:
    """What listens to the director; None if no address is configured."""
    director = config.director
    if director is None or director.url is None:
        return None
    address = address_of(director, parser.profile)
    hide = secrets_of(config)
    return live_claims(address.whole, parser, clock, headers=address.headers, hide=hide)


def recorder_of(config: Config, folder: Path, clock: Clock) -> ShootRecorder:
    """What records the feeds into a folder that `tap replay` takes."""
    session = config.session
    return ShootRecorder(
        folder,
        ShootSession(
            external_id=session.external_id,
            title=session.title,
            notes=session.notes,
            mode=session.mode,
        ),
        [
            ShootCamera.model_construct(
                id=camera.id, role=camera.role, label=camera.label, **_pictures(camera)
            )
            for camera in config.cameras
        ],
        clock.now_ms(),
        program=_pictures(config.program),
    )


def _pictures(feed: FeedConfig) -> dict[str, Any]:
    """What a recording says of a feed whose pictures are tap's own JPEGs, not those received."""
    return {REENCODED: True} if feed.kind in ("webrtc", "edge") else {}


def plan_of(config: Config, *, full_look: bool) -> Plan:
    """What is to be witnessed, and where the record goes."""
    session = config.session
    return Plan(
        session=SessionFacts(
            external_id=session.external_id,
            title=session.title,
            notes=session.notes,
            mode=session.mode,
        ),
        cameras=[
            CameraFacts(
                id=camera.id,
                role=camera.role,
                label=camera.label,
                source=camera.url or (camera.file.name if camera.file else None),
                placement=camera.placement,
            )
            for camera in config.cameras
        ],
        folder=config.session_folder,
        store=open_ledger(config),
        sight=learnt_settings(hold_ms=config.tolerances.hold_ms, full_look=full_look),
        tolerances=config.tolerances.for_judge(),
        signer=load_or_make_key(config.seal_key_path, away_from=config.session_folder),
    )
