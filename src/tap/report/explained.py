"""Why tap says what it says of one moment: everything that went into one answer, as data."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from tap.vocabulary import Luma, ShotState

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in fractions of a picture's width and height."""

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


class Against(StrEnum):
    """What speaks against the best camera being on program."""

    NOTHING = "nothing"
    WEAK = "weak"
    """It explains too little of the picture, whoever took it."""
    UNLIKE = "unlike"
    """The picture is less like the camera's than its own pictures always are."""
    UNTIMELY = "untimely"
    """What stands still fits, what moves does not."""
    ELSEWHEN = "elsewhen"
    """It fits best at a delay that the camera doesn't have."""
    REPLAYED = "replayed"
    """It is far older than the camera's delay allows."""
    PLAIN = "plain"
    """The picture is one plain colour: there is nothing to recognise."""


@dataclass(frozen=True, slots=True)
class Lie:
    """How a camera lies in the program: its part `of`, flipped if `mirror`, fills the part `on`."""

    on: Box = WHOLE
    of: Box = WHOLE
    mirror: bool = False

    @property
    def zoom(self) -> float:
        """How much larger the camera's picture is than if all of it filled its part: 1.0 none."""
        return 1.0 / max(self.of[2] - self.of[0], self.of[3] - self.of[1], 1e-6)

    @property
    def crop(self) -> float:
        """Part of the camera's picture, by area, that is shown."""
        return (self.of[2] - self.of[0]) * (self.of[3] - self.of[1])


@dataclass(frozen=True, slots=True)
class Matched:
    """The frame of a camera's memory that explains the program picture best."""

    frame_ms: float
    lag_ms: float
    fit: float
    """Part of the picture that it explains, 0 .. 1."""
    toll_nats: float
    gain: float
    blocks: Doubles
    """Part of each block that is explained (32,), row by row."""
    information: Doubles
    """Nats in each block (32,); a block without any holds no picture."""
    unlike: float
    untimely: float
    """How unlike the camera's pictures it is, and in what moves: -1 as ever, 0 at the limit."""
    beside_cells: float | None
    """How far beside the camera's picture the program's lies, in cells of the 64 by 36 grid."""
    residual: Floats | None
    """Grey levels (h, w) that are left in each cell after each block's own gain and offset."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of one camera at that moment. Times in ms."""

    id: str
    match: Matched | None
    usual_fit: float
    known: bool
    """Whether it was recognised on program before."""
    delay_ms: float | None
    delay_low_ms: float | None
    delay_high_ms: float | None
    lie: Lie
    portrait: bool
    blind: bool
    """It gave no pictures when this one must have been taken."""
    lacking: bool
    """The very frames that it should be one of are missing."""
    lags_ms: Doubles
    curve: Doubles
    """Nats (n,) that each remembered frame gains, by its lag (n,)."""
    picture: Luma | None = None
    """(h, w, 3) BGR as it would lie in the program; None where there is none."""


@dataclass(frozen=True, slots=True)
class State:
    """One state that the program could be in, and what speaks for it."""

    name: str
    cameras: tuple[str, ...]
    nats: float
    """Log likelihood of this picture alone, against one that has nothing to do with it."""
    sharp: float
    honest: float
    """Probability given the pictures around it: to date changes, and to say how sure that is."""
    note: str = ""
    composed: bool = False
    """A pair: each camera has a part of its own of the picture."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said: of the frame by itself, or of the shot that it is part of."""

    state: ShotState
    cameras: tuple[str, ...]
    confidence: float
    start_ms: float
    end_ms: float
    reason: str = ""

    @property
    def key(self) -> tuple[ShotState, tuple[str, ...]]:
        """What is shown, whatever the time and the confidence."""
        return self.state, self.cameras


@dataclass(frozen=True, slots=True)
class Explanation:
    """All about one moment of a recorded shoot. `frame` is None where the program gave no picture.

    `shot` is what `tap replay` says of that moment, `frame` what was said of the picture before its
    neighbours were heard: a single odd frame is taken for what lies around it.
    """

    session: str
    at_ms: float
    program_start_ms: float
    shot: Answer
    frame: Answer | None = None
    number: int | None = None
    """The program frame, counted from 0."""
    candidates: tuple[Candidate, ...] = ()
    """All cameras, best fit first."""
    states: tuple[State, ...] = ()
    """Most likely first; of the pairs only the best."""
    odd: float = -1.0
    against: Against = Against.NOTHING
    information: float = 0.0
    repeat: bool = False
    flat: str | None = None
    share: float = 0.0
    split: bool = False
    runner_up: str | None = None
    runner_up_confidence: float = 0.0
    order: tuple[str, ...] = ()
    """The cameras as the shoot names them: that is where their colours come from."""
    only_seconds: float | None = None
    """Looked at only so much of the recording before that moment."""
    program: Luma | None = field(default=None)
    """The program picture, (h, w, 3) BGR."""

    @property
    def best(self) -> Candidate | None:
        """The camera that explains most of the picture."""
        return next((c for c in self.candidates if c.match is not None), None)

    def as_json(self) -> dict[str, Any]:
        """Everything but the pictures, as plain JSON values with names in camelCase."""
        return {
            "session": self.session,
            "atMs": self.at_ms,
            "offsetMs": round(self.at_ms - self.program_start_ms, 3),
            "frame": self.number,
            "answer": _answer(self.shot),
            "byItself": _answer(self.frame) if self.frame is not None else None,
            "odd": round(self.odd, 4),
            "against": self.against.value,
            "information": round(self.information, 2),
            "repeat": self.repeat,
            "flat": self.flat,
            "share": round(self.share, 3),
            "split": self.split,
            "runnerUp": self.runner_up,
            "runnerUpConfidence": round(self.runner_up_confidence, 6),
            "onlySeconds": self.only_seconds,
            "states": [_state(state) for state in self.states],
            "candidates": [_candidate(candidate) for candidate in self.candidates],
        }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "state": answer.state.value,
        "camera": answer.cameras[0] if answer.state is ShotState.LIVE else None,
        "cameras": list(answer.cameras),
        "confidence": round(answer.confidence, 6),
        "startMs": answer.start_ms,
        "endMs": answer.end_ms,
        "reason": answer.reason,
    }


def _state(state: State) -> dict[str, Any]:
    return {
        "name": state.name,
        "cameras": list(state.cameras),
        "nats": round(state.nats, 3),
        "sharp": round(state.sharp, 6),
        "honest": round(state.honest, 6),
        "note": state.note,
        "composed": state.composed,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    lie, match = candidate.lie, candidate.match
    return {
        "camera": candidate.id,
        "usualFit": round(candidate.usual_fit, 4),
        "known": candidate.known,
        "delayMs": candidate.delay_ms,
        "delayLowMs": candidate.delay_low_ms,
        "delayHighMs": candidate.delay_high_ms,
        "placement": {
            "mirror": lie.mirror,
            "on": [round(x, 5) for x in lie.on],
            "of": [round(x, 5) for x in lie.of],
            "zoom": round(lie.zoom, 4),
            "crop": round(lie.crop, 4),
        },
        "blind": candidate.blind,
        "lacking": candidate.lacking,
        "curve": {"lagMs": _numbers(candidate.lags_ms, 1), "nats": _numbers(candidate.curve, 2)},
        "match": None if match is None else _match(match, portrait=candidate.portrait),
    }


def _match(match: Matched, *, portrait: bool) -> dict[str, Any]:
    return {
        "frameMs": match.frame_ms,
        "lagMs": match.lag_ms,
        "fit": round(match.fit, 4),
        "tollNats": round(match.toll_nats, 3),
        "gain": round(match.gain, 4),
        "unlike": round(match.unlike, 4),
        "untimely": round(match.untimely, 4),
        "besideCells": None if match.beside_cells is None else round(match.beside_cells, 3),
        "blocksAcross": 4 if portrait else 8,
        "blocks": _numbers(match.blocks, 4),
        "information": _numbers(match.information, 3),
        "residual": None
        if match.residual is None
        else round(float(np.sqrt(np.mean(match.residual**2))), 3),
    }


def _numbers(values: Doubles, digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
