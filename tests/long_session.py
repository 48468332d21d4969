"""A two-hour session of 1,500 cuts, kept by tap's own books, judge and keeper of evidence.

What was seen and said is generated; from there on it goes the way of a live session: the journal,
the judge, the pictures on disk, `witness.json`. `python -m tests.long_session FOLDER` writes one.
"""

import math
import sys
import time
from pathlib import Path

import numpy as np
from tests.unit.sample_session import jpeg

from tap.judge import Tolerances
from tap.ledger import Bookkeeper, CameraFacts, EmbeddedLedger, Journal, SessionFacts
from tap.report.folder import JOURNAL_FILE, PICTURES_FOLDER
from tap.report.gather import delays_of, shot_at
from tap.vocabulary import (
    PROGRAM,
    CameraSeen,
    Claim,
    ClaimType,
    Coverage,
    Event,
    EventType,
    Frame,
    SessionName,
    Shot,
    ShotState,
    Witness,
)
from tap.witness.evidence import write_witness
from tap.witness.keeper import EvidenceKeeper
from tap.witness.rejudge import rejudge

START_MS = 1_789_000_000_000.0
CAMERAS = ("wide", "left", "right", "close", "roof")
NAME = "two-hours"


def make(folder: Path, *, cuts: int = 1500, length_ms: float = 7_200_000.0, seed: int = 4) -> Path:
    """Write the session to `folder`, which must be new."""
    random = np.random.default_rng(seed)
    witness, claims = _seen_and_said(random, cuts, length_ms)
    judged = rejudge(f"session/{NAME}", witness, claims, Tolerances())
    verdicts = tuple(sorted((j.verdict for j in judged), key=lambda verdict: verdict.at_ms))
    witness = witness.model_copy(update={"verdicts": verdicts})
    folder.mkdir(parents=True)
    store = EmbeddedLedger(folder / "ledger.sqlite")
    journal = Journal(folder / JOURNAL_FILE)
    books = Bookkeeper(journal, store, external_id=NAME)
    books.begin(SessionFacts(NAME), [CameraFacts(id=c) for c in CAMERAS], START_MS)
    with journal.transaction():  # all at once: a test need not wait for 6,000 syncs
        for claim in claims:
            books.claim(claim)
        for event in witness.events:
            books.event(event)
        for shot in witness.shots:
            books.shot(shot)
    books.close()
    store.close()
    write_witness(folder / "witness.json", witness)
    keeper = EvidenceKeeper(folder / PICTURES_FOLDER)
    delays = delays_of(witness.cameras)
    pictures = {feed: jpeg(feed, START_MS, (1280, 720)) for feed in (*CAMERAS, PROGRAM)}
    for one in judged:
        at = one.event.at_ms if one.event is not None else one.verdict.at_ms
        for number, step in enumerate((-400, -200, -40, 0, 200, 1000)):
            for feed, content in pictures.items():
                frame = Frame(
                    feed, number, at + step, np.zeros((2, 2), np.uint8), (1280, 720), content
                )
                keeper.frame(frame)
        keeper.keep(one.verdict, one.claim, one.event, delays, shot_at(witness.shots, at))
        while keeper._jobs.qsize() > 100:  # live there are seconds between two verdicts
            time.sleep(0.001)
    keeper.close()
    return folder


def _seen_and_said(
    random: np.random.Generator, cuts: int, length_ms: float
) -> tuple[Witness, list[Claim]]:
    times = START_MS + np.sort(random.uniform(5_000, length_ms - 5_000, cuts)).round()
    shots: list[Shot] = []
    events: list[Event] = []
    claims: list[Claim] = []
    live, start = CAMERAS[0], START_MS
    for number, at_ms in enumerate(float(t) for t in times):
        if at_ms - start < 400:
            continue
        told = str(random.choice([c for c in CAMERAS if c != live]))
        chance = random.uniform()
        comes = told
        if chance < 0.03:
            comes = str(random.choice([c for c in CAMERAS if c not in (live, told)]))
        if not 0.03 <= chance < 0.06:
            said_ms = at_ms - round(float(random.gamma(4, 60)))
            claims.append(_cut(number, said_ms, told))
        if 0.06 < chance < 0.09:
            continue  # said, and nothing came
        shots.append(_shot(start, at_ms, live, random))
        events.append(
            Event(
                id=f"e{number}", type=EventType.CUT, at_ms=at_ms, from_camera=live, to_camera=comes,
                confidence=0.99, frame=round((at_ms - START_MS) / 40),
            )
        )  # fmt: skip
        live, start = comes, at_ms
    shots.append(_shot(start, START_MS + length_ms, live, random))
    cameras = tuple(_camera(n, name, length_ms) for n, name in enumerate(CAMERAS))
    witness = Witness(
        session=SessionName(external_id=NAME), shots=tuple(shots), events=tuple(events),
        cameras=cameras, coverage=Coverage(program_frames=round(length_ms / 40)),
    )  # fmt: skip
    return witness, sorted(claims, key=lambda claim: claim.recv_ms)


def _cut(number: int, at_ms: float, camera: str) -> Claim:
    return Claim(
        id=f"m{number}", type=ClaimType.CUT, at_ms=at_ms, recv_ms=at_ms + 4, sent_ms=at_ms,
        camera=camera, raw={"type": "cut", "id": f"m{number}", "camera": camera},
    )  # fmt: skip


def _shot(start: float, end: float, camera: str, random: np.random.Generator) -> Shot:
    return Shot(
        start_ms=start, end_ms=end, state=ShotState.LIVE, camera=camera, cameras=(camera,),
        confidence=float(random.uniform(0.97, 0.999)), runner_up=CAMERAS[0],
        runner_up_confidence=0.03,
    )  # fmt: skip


def _camera(number: int, name: str, length_ms: float) -> CameraSeen:
    """Delays that drift, waver and, on one camera, jump."""
    delays = []
    for at in range(0, int(length_ms), 25_000):
        delay = 150 + 40 * number + at * 2e-6 * number + 6 * math.sin(at / 4e5)
        delay += 220 if name == "right" and at > length_ms / 2 else 0
        delays.append((START_MS + at, round(delay, 1), round(delay - 9, 1), round(delay + 8, 1)))
    gap = (START_MS + 600_000.0, START_MS + 634_000.0, "no frames")
    return CameraSeen(
        id=name, delay_ms=delays[-1][1], delay_low_ms=delays[-1][2], delay_high_ms=delays[-1][3],
        frames_seen=round(length_ms / 33), frames_dropped=3 * number, delays=tuple(delays),
        gaps=(gap,) if name == "roof" else (),
    )  # fmt: skip


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))
