"""A session whose cuts fall on known frames of a known rate, for the tests of exports."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tap.rates import Rate
from tap.report.exports.cutlist import Recording
from tap.vocabulary import (
    CameraSeen,
    Claim,
    ClaimType,
    Coverage,
    Event,
    EventType,
    SessionName,
    Shot,
    ShotState,
    Verdict,
    VerdictCode,
    Witness,
)

START_MS = 1_789_000_000_000.0
CAMERAS = ("cam-a", "cam-b", "cam-c")
CUTS = (0, 37, 38, 101, 1000, 1799, 1800, 3601, 17_982, 20_000)
"""First frames of the shots: next to each other, and around the labels that drop-frame skips."""
END = 20_500


@dataclass(frozen=True)
class Cuts:
    """A witness, what was said, and the shots' (first frame, camera)."""

    witness: Witness
    claims: tuple[Claim, ...]
    plan: tuple[tuple[int, str], ...]


def at_ms(rate: Rate, frame: int, jitter_ms: float = 0.0) -> float:
    """When a program frame came, in whole ms as feeds have it."""
    return float(round(START_MS + frame * 1000 / rate.fps + Fraction(jitter_ms)))


def session(rate: Rate, frames=CUTS, end: int = END, jitter=lambda _: 0.0, told=True) -> Cuts:
    """Shots that begin with the given frames, cameras in turn; every change told, or none."""
    plan = tuple((frame, CAMERAS[n % 3]) for n, frame in enumerate(frames))
    times = [at_ms(rate, frame, jitter(frame) if n else 0.0) for n, (frame, _) in enumerate(plan)]
    shots, events, claims, verdicts = [], [], [], []
    for n, (_, camera) in enumerate(plan):
        until = times[n + 1] if n + 1 < len(plan) else at_ms(rate, end)
        shots.append(
            Shot(
                start_ms=times[n], end_ms=until, state=ShotState.LIVE, camera=camera,
                cameras=(camera,), confidence=0.99, runner_up=CAMERAS[(n + 1) % 3],
                runner_up_confidence=0.01,
            )
        )  # fmt: skip
        if n == 0:
            continue
        event = Event(
            id=f"e{n}", type=EventType.CUT, at_ms=times[n], from_camera=plan[n - 1][1],
            to_camera=camera, confidence=0.99, frame=plan[n][0],
        )  # fmt: skip
        events.append(event)
        code = VerdictCode.AGREE if told else VerdictCode.UNANNOUNCED
        if told:
            said = Claim(
                id=f"m{n}", type=ClaimType.CUT, at_ms=times[n], recv_ms=times[n], camera=camera
            )
            claims.append(said)
        verdicts.append(
            Verdict(
                code=code, claim_id=f"m{n}" if told else None, event_id=event.id,
                at_ms=times[n], lag_ms=0.0 if told else None, confidence=0.98,
                text=f"{camera} came <at once> & as said.",
            )
        )  # fmt: skip
    witness = Witness(
        session=SessionName(external_id="shoot-of-cuts"),
        shots=tuple(shots),
        events=tuple(events),
        verdicts=tuple(verdicts),
        cameras=tuple(CameraSeen(id=c, delay_ms=200.0, frames_seen=10) for c in CAMERAS),
        coverage=Coverage(program_frames=end),
    )
    return Cuts(witness, tuple(claims), plan)


def recordings(rate: Rate, *, late_ms: float = 0.0) -> dict[str, Recording]:
    """Files of all feeds; cameras begin 2 s before the program, `cam-c` later by `late_ms`."""
    length = Fraction(END + 200) / rate.fps
    found = {
        camera: Recording(
            id=camera,
            path=Path(f"/shoot/media/{camera} ä.mov"),
            first_ms=START_MS - 2000 + (late_ms if camera == "cam-c" else 0.0),
            duration_s=length,
            label=f"{camera} & co",
        )
        for camera in CAMERAS
    }
    found["program"] = Recording(
        id="program", path=Path("/shoot/media/program.mov"), first_ms=START_MS, duration_s=length
    )
    return found
