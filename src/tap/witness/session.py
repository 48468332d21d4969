"""A session being witnessed: the core, the books it keeps and the pictures that prove it.

Live and replay differ only in where observations come from; from here on they are the same.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tap.errors import InputError
from tap.judge import Tolerances
from tap.ledger import (
    Bookkeeper,
    BookStatus,
    CameraFacts,
    Journal,
    LedgerStore,
    SessionFacts,
    sealed_with,
)
from tap.report.files import write_text
from tap.report.folder import JOURNAL_FILE, PICTURES_FOLDER, WITNESS_FILE, picture_name
from tap.report.gather import findings_of
from tap.report.page import write_session_page
from tap.report.pictures import Pictures
from tap.report.sealed import write_public_key
from tap.seal import Signer
from tap.sight import SightSettings
from tap.vocabulary import (
    COMMANDED,
    DISAGREEMENTS,
    Claim,
    ClaimType,
    Event,
    Frame,
    LookAt,
    SessionName,
    Shot,
    Verdict,
    Witness,
    when_asked,
)
from tap.witness.core import Core, Listener
from tap.witness.evidence import witness_text, write_witness
from tap.witness.far import Fetch
from tap.witness.keeper import EvidenceKeeper
from tap.witness.onlooker import Onlooker, Proof
from tap.witness.order import Observation
from tap.witness.patience import Patience
from tap.witness.vouching import Vouching

_log = logging.getLogger(__name__)

HINDSIGHT = "hindsight.json"
LAST_PATIENCE_S = 30.0
"""How long the end of a session waits for room on the disk."""
MOST_LOOKED_UP = 200
"""Disagreements of which pictures are looked up in a recording: each is a search in a file."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be witnessed, and where the record goes."""

    session: SessionFacts
    cameras: Sequence[CameraFacts]
    folder: Path
    store: LedgerStore
    sight: SightSettings
    tolerances: Tolerances
    pictures: Pictures | None = None
    """Where the pictures can be looked up later; None: keep those that matter as they pass."""
    hindsight: bool = False
    """Also leave `hindsight.json`: where knowing everything leads to another answer."""
    signer: Signer | None = None
    """Seals the record; None: it isn't sealed."""


class Session:
    """Takes observations in order; keeps the record. One thread at a time may use it."""

    def __init__(
        self,
        plan: Plan,
        at_ms: float,
        onlooker: Onlooker | None = None,
        *,
        far: Mapping[str, Fetch] | None = None,
        look_at: LookAt = when_asked,
    ) -> None:
        """`far`: for each camera whose whole pictures are elsewhere, how to fetch one. `look_at` as
        for `Sight`."""
        plan.folder.mkdir(parents=True, exist_ok=True)
        self._folder = plan.folder
        self._pictures = plan.pictures
        self._hindsight = plan.hindsight
        self._onlooker = onlooker
        self._said: list[Claim] = []
        self.stills = 0
        self._ready = False
        self._closed: BookStatus | None = None
        self.name = SessionName(external_id=plan.session.external_id, kind=plan.session.kind)
        self.counts: Counter[str] = Counter()
        self.mode = plan.session.mode
        self.held = False
        self.ended_ms: float | None = None
        """When the director said that the session is over."""
        if plan.signer is not None:
            _leave_public_key(plan.folder, plan.signer)
        seal = sealed_with(plan.signer, plan.session.external_id)
        journal = Journal(plan.folder / JOURNAL_FILE, sealing=seal)
        self.books = Bookkeeper(journal, plan.store, external_id=plan.session.external_id)
        begun = self.books.begin(plan.session, plan.cameras, at_ms)
        self.resumed = begun.resumed
        # Pictures that can be looked up later need not be held while they pass.
        passing = plan.pictures is None
        self._evidence = EvidenceKeeper(plan.folder / PICTURES_FOLDER, far=far) if passing else None
        self._patience = Patience(self._give_up_pictures)
        self._vouching = Vouching(self.books, self._patience, plan.folder, self._evidence, at_ms)
        self._vouching.take_stock(begun.files)
        self.core = Core(
            [camera.id for camera in plan.cameras],
            sight=plan.sight,
            tolerances=plan.tolerances,
            listener=Listener(event=self._event, shot=self._shot, verdict=self._verdict),
            hindsight=plan.hindsight,
            look_at=look_at,
        )
        for claim in begun.claims:
            self._heed(claim)
        # A session that was completed goes on; one that was only ended is yet to be completed.
        self.ended_ms = begun.ended_ms
        if begun.resumed:
            if onlooker is not None:
                for event in begun.events:
                    onlooker.event(event)
            self.core.restore(begun.claims, begun.events, begun.shots)
        self._ready = True

    @property
    def claims(self) -> Sequence[Claim]:
        """Messages taken so far, those of earlier runs included."""
        return self._said

    @property
    def book_status(self) -> BookStatus:
        """How the books stand; after the end, how they stood then."""
        return self._closed or self.books.status()

    @property
    def in_memory(self) -> tuple[int, str | None]:
        """How many facts are in memory only, for want of room on the disk, and why."""
        return self._patience.held, self._patience.reason

    def _give_up_pictures(self, size: int) -> int:
        return self._evidence.free(size) if self._evidence is not None else 0

    def observe(self, observation: Observation) -> None:
        """The next frame or claim, in order."""
        if isinstance(observation, Frame):
            if self._evidence is not None:
                self._evidence.frame(observation)
            self.core.frame(observation)
        elif self._is_new(observation):
            self._heed(observation)
            self.core.claim(observation)

    def pass_time(self, at_ms: float) -> None:
        """Time goes on (Unix ms): give signs of life, and write facts that the journal had no
        room for, if there is some now."""
        self._vouching.pass_time(at_ms, self._seen)
        self._patience.catch_up()

    def _seen(self) -> dict[str, Any]:
        running = self.core.running
        seen = {
            "untilMs": self.core.until_ms,
            "programFrames": self.core.program_frames,
            "state": running.state.value if running is not None else None,
            "camera": running.camera if running is not None else None,
        }
        return {name: value for name, value in seen.items() if value is not None}

    def _is_new(self, claim: Claim) -> bool:
        """Journal a message; False where an earlier run has. One that is held is new."""
        known = False

        def write() -> None:
            nonlocal known
            known = not self.books.claim(claim)

        self._patience.write(write)
        return not known

    def finish(self, at_ms: float, *, complete: bool, dropped: Mapping[str, int]) -> Witness:
        """Settle everything, write the record, and complete the session in the ledger.

        `dropped` counts, by feed, the pictures that came and could not be used.
        """
        self.core.finish()
        self._patience.settle(LAST_PATIENCE_S)
        witness = _with_dropped(self.core.record(self.name), dropped)
        write_witness(self._folder / WITNESS_FILE, witness)
        if self._hindsight:
            text = self.core.in_hindsight().model_dump_json(by_alias=True, indent=1)
            write_text(self._folder / HINDSIGHT, text + "\n")
            self._vouching.file(HINDSIGHT)
        if self._evidence is not None:
            self._evidence.close()
        if self._pictures is not None:
            self._look_up(witness, self._pictures)
        self._vouching.pictures()
        self._vouching.file(WITNESS_FILE)
        if complete:
            ended_ms = self.ended_ms or at_ms
            state = self._final_state(witness, ended_ms)
            self._patience.write(lambda: self.books.complete(ended_ms, state))
        self._vouching.leave(at_ms)
        self._patience.settle(LAST_PATIENCE_S)
        self._closed = self.books.close(timeout_s=10.0)
        write_session_page(self._folder, witness)
        return witness

    def _look_up(self, witness: Witness, pictures: Pictures) -> None:
        """Keep the pictures of each disagreement, as a live session does while they pass."""
        folder = self._folder / PICTURES_FOLDER
        folder.mkdir(exist_ok=True)
        kept: set[str] = set()
        told = [f for f in findings_of(witness, self._said) if f.verdict in DISAGREEMENTS]
        for finding in told[:MOST_LOOKED_UP]:
            for ref in finding.pictures:
                still = pictures.at(ref.feed, ref.at_ms, ref.pick)
                if still is not None:
                    name = picture_name(ref.feed, still.at_ms)
                    (folder / name).write_bytes(still.jpeg)
                    kept.add(f"{PICTURES_FOLDER}/{name}")
        for name in sorted(kept):
            self._vouching.file(name)

    # ------------------------------------------------------------------ what it hears

    def _heed(self, claim: Claim) -> None:
        """What a message says of the session itself."""
        self._said.append(claim)
        self.stills += claim.type is ClaimType.STILL
        if self._onlooker is not None:
            self._onlooker.claim(claim)
        if claim.type is ClaimType.MODE:
            self.mode = claim.mode
        elif claim.type in (ClaimType.HOLD, ClaimType.RELEASE):
            self.held = claim.type is ClaimType.HOLD
        elif claim.type is ClaimType.SESSION_END:
            self.ended_ms = claim.at_ms

    def _event(self, event: Event) -> None:
        self._patience.write(lambda: self.books.event(event))
        if self._evidence is not None and event.type in COMMANDED:
            self._evidence.pin(event, self.core.delays, self.core.running)
        if self._onlooker is not None:
            self._onlooker.event(event)

    def _shot(self, shot: Shot) -> None:
        self._patience.write(lambda: self.books.shot(shot))

    def _verdict(self, verdict: Verdict, claim: Claim | None, event: Event | None) -> None:
        running = self.core.running if self._ready else None
        self._patience.write(lambda: self.books.verdict(verdict, claim, event, running))
        self.counts[verdict.code.value] += 1
        proofs: tuple[Proof, ...] = ()
        if self._ready and self._evidence is not None:
            proofs = self._evidence.keep(verdict, claim, event, self.core.delays, running)
        if self._onlooker is not None:
            self._onlooker.verdict(verdict, claim, event, proofs)

    def _final_state(self, witness: Witness, ended_ms: float) -> dict[str, Any]:
        """How things stood at the session's end; tap may have watched on for some seconds."""
        until_then = [shot for shot in witness.shots if shot.start_ms <= ended_ms]
        last = until_then[-1] if until_then else None
        unseen = witness.coverage.unseen
        unseen_ms = sum(max(0.0, min(end, ended_ms) - start) for start, end, _ in unseen)
        return {
            "programState": last.state.value if last else "unseen",
            "programCamera": last.camera if last else None,
            "mode": self.mode,
            "hold": self.held,
            "verdicts": dict(sorted(self.counts.items())),
            "shots": len(witness.shots),
            "programFrames": witness.coverage.program_frames,
            "unseenMs": unseen_ms,
            "evidenceDigest": hashlib.sha256(witness_text(witness).encode()).hexdigest(),
        }


def _leave_public_key(folder: Path, signer: Signer) -> None:
    """A full disk is no reason not to witness: the journal has the key as well."""
    try:
        write_public_key(folder, signer.public)
    except (OSError, InputError) as error:
        _log.error("the public key of the seal can't be written to %s: %s", folder, error)


def _with_dropped(witness: Witness, dropped: Mapping[str, int]) -> Witness:
    cameras = tuple(
        camera.model_copy(update={"frames_dropped": dropped.get(camera.id, 0)})
        for camera in witness.cameras
    )
    return witness.model_copy(update={"cameras": cameras})
