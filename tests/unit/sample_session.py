"""A session for the tests of verify and report: generated shots, events, claims and verdicts."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from tap.report.findings import Pick
from tap.report.pictures import Still
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
CAMERAS = ("cam-a", "cam-b", "cam-c", "cam-d")
DELAY_MS = {"cam-a": 180.0, "cam-b": 210.0, "cam-c": 175.0, "cam-d": 260.0}


@dataclass(frozen=True)
class Sample:
    """A witness and the claims that its verdicts name."""

    witness: Witness
    claims: tuple[Claim, ...]


def cut(number: int, at_ms: float, camera: str, **more: Any) -> Claim:
    """A director's cut, as received 5 ms after it was sent."""
    return Claim(
        id=f"m{number}",
        type=ClaimType.CUT,
        at_ms=at_ms,
        recv_ms=at_ms + 5,
        sent_ms=at_ms,
        seq=number,
        camera=camera,
        raw={"type": "cut", "id": f"m{number}", "camera": camera, "atMs": at_ms, "seq": number},
        **more,
    )


def sample(
    cuts: int = 24, every_ms: float = 2500.0, faults: bool = True, cameras: int = 4
) -> Sample:
    """A session that cuts from camera to camera; with `faults`, every eighth cut goes wrong.

    The faults take turns: wrong camera, never happened, not announced.
    """
    names = [*CAMERAS, *(f"cam-{n}" for n in range(5, 100))][:cameras]
    live, start, number_of_fault = names[0], START_MS, 0
    shots: list[Shot] = []
    events: list[Event] = []
    claims: list[Claim] = []
    verdicts: list[Verdict] = []
    for n in range(1, cuts + 1):
        at, told = START_MS + n * every_ms, names[(names.index(live) + 1) % len(names)]
        kind = ("wrong", "missed", "silent")[number_of_fault % 3] if faults and n % 8 == 5 else ""
        number_of_fault += bool(kind)
        goes_to = names[(names.index(told) + 1) % len(names)] if kind == "wrong" else told
        claim = cut(n, at - 143, told) if kind != "silent" else None
        if claim is not None:
            claims.append(claim)
        if kind == "missed":
            text = f"{told} was announced, but the program stayed on {live} for 3 s."
            verdicts.append(_verdict(VerdictCode.MISSED, claim, None, text))
            continue
        shots.append(_live(start, at, live, names))
        event = Event(
            id=f"e{n}", type=EventType.CUT, at_ms=at, from_camera=live, to_camera=goes_to,
            confidence=0.997, frame=round((at - START_MS) / 40),
        )  # fmt: skip
        events.append(event)
        code, text = {
            "wrong": (VerdictCode.WRONG_CAMERA, f"{told} was announced, but {goes_to} came."),
            "silent": (VerdictCode.UNANNOUNCED, f"The program cut to {goes_to} unannounced."),
        }.get(kind, (VerdictCode.AGREE, f"{goes_to} came 143 ms after it was announced."))
        verdicts.append(_verdict(code, claim, event, text))
        live, start = goes_to, at
    shots.append(_live(start, START_MS + (cuts + 1) * every_ms, live, names))
    witness = Witness(
        session=SessionName(external_id="shoot-2026-11-22-a"),
        shots=tuple(shots),
        events=tuple(events),
        verdicts=tuple(verdicts),
        cameras=tuple(
            CameraSeen(
                id=name, delay_ms=DELAY_MS.get(name), delay_low_ms=DELAY_MS.get(name, 0) - 2,
                delay_high_ms=DELAY_MS.get(name, 0) + 3, frames_seen=1200, frames_dropped=3,
            )
            for name in names
        ),
        coverage=Coverage(program_frames=round((shots[-1].end_ms - START_MS) / 40)),
    )  # fmt: skip
    return Sample(witness, tuple(claims))


def _live(start: float, end: float, camera: str, names: list[str]) -> Shot:
    return Shot(
        start_ms=start, end_ms=end, state=ShotState.LIVE, camera=camera, cameras=(camera,),
        confidence=0.998, runner_up=names[(names.index(camera) + 2) % len(names)],
        runner_up_confidence=0.001,
    )  # fmt: skip


def _verdict(code: VerdictCode, claim: Claim | None, event: Event | None, text: str) -> Verdict:
    return Verdict(
        code=code,
        claim_id=claim.id if claim else None,
        event_id=event.id if event else None,
        at_ms=event.at_ms if event else claim.at_ms if claim else 0.0,
        lag_ms=event.at_ms - claim.at_ms if event and claim else None,
        confidence=0.99,
        text=text,
    )


def jpeg(feed: str, at_ms: float, size: tuple[int, int] = (1280, 720)) -> bytes:
    """A picture that says whose it is and when: a stage in the camera's own colour."""
    hue = (sum(feed.encode()) * 37) % 180
    width, height = size
    hsv = np.zeros((height, width, 3), np.uint8)
    hsv[..., 0], hsv[..., 1] = hue, 140
    hsv[..., 2] = np.linspace(60, 230, height, dtype=np.uint8)[:, None]
    picture = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    x = int((at_ms / 7) % width)
    cv2.ellipse(picture, (x, height * 2 // 3), (60, 180), 0, 0, 360, (40, 30, 30), -1)
    cv2.circle(picture, (x, height // 3 + 20), 55, (150, 180, 220), -1)
    text = f"{feed} {(at_ms - START_MS) / 1000:.3f}"
    cv2.putText(picture, text, (30, 90), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 4)
    return cv2.imencode(".jpg", picture)[1].tobytes()


class DrawnPictures:
    """Pictures drawn on demand; counts how many were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float, Pick]] = []

    def at(self, feed: str, at_ms: float, pick: Pick = Pick.NEAREST) -> Still | None:
        self.asked.append((feed, at_ms, pick))
        if pick is Pick.LAST_BEFORE:
            at_ms -= 40
        return Still(at_ms, jpeg(feed, at_ms))
