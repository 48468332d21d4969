"""What really happened in a made-up shoot: the `tap-truth/1` document (see benchmarks/README.md).

It follows the displayed pixels: where the program repeats or drops frames, so does the truth.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tap.rig.plan import Expected, Take
from tap.rig.switcher import Label, Shown, Switcher
from tap.vocabulary import EventType, ShotState

FORMAT = "tap-truth/1"
Json = dict[str, Any]


def truth_of(
    switcher: Switcher,
    frames: Sequence[Shown],
    times_ms: Sequence[int],
    *,
    seen_by: Sequence[str],
    start_ms: int,
    session: str,
) -> Json:
    """The truth of a shoot.

    `times_ms` are the Unix times of `frames` as written, `seen_by` the tapped cameras, `start_ms`
    the Unix time at which the cameras' clocks began. Raises ValueError where the plan expects a
    verdict on a take that never reached the program.
    """
    events, by_take = _events(switcher, frames, times_ms)
    offset_ms = start_ms + switcher.program.starts_ms
    return {
        "format": FORMAT,
        "session": {"externalId": session},
        "program": {"frameIntervalMs": 1000.0 / switcher.program.fps},
        "frames": [
            {"atMs": at, **_label_json(frame.label)}
            for frame, at in zip(frames, times_ms, strict=True)
        ],
        "events": events,
        "verdicts": [_verdict(expected, by_take, offset_ms) for expected in switcher.plan.expected],
        "cameras": [_camera(switcher, name, frames, times_ms, start_ms) for name in seen_by],
    }


def _label_json(label: Label) -> Json:
    return {"state": label.state.value, "camera": label.camera, "cameras": list(label.cameras)}


def _events(
    switcher: Switcher, frames: Sequence[Shown], times_ms: Sequence[int]
) -> tuple[list[Json], dict[int, Json]]:
    """Every change that can be seen, and the event of each take."""
    events: list[Json] = []
    by_take: dict[int, Json] = {}
    for index in range(1, len(frames)):
        before, now = frames[index - 1], frames[index]
        if now.step.take == before.step.take:
            continue
        take = switcher.take_of(now)
        settled = switcher.label_of(take.on, now.at_ms)
        left = switcher.label_of(switcher.take_of(before).on, before.at_ms)
        if settled == left or ShotState.UNSEEN in {settled.state, left.state}:
            continue
        event = _event(frames, times_ms, index, take=take, left=left, settled=settled)
        events.append(event)
        by_take[now.step.take] = event
    events += _freezes(switcher, frames, times_ms)
    events.sort(key=lambda event: float(event["atMs"]))
    for number, event in enumerate(events, start=1):
        event["id"] = f"e{number}"
    return events, by_take


def _event(
    frames: Sequence[Shown],
    times_ms: Sequence[int],
    index: int,
    *,
    take: Take,
    left: Label,
    settled: Label,
) -> Json:
    """The change to what `frames[index]` is the first frame of, as far as it is to be seen. A soft
    one whose mixed frames were never shown (under a freeze) is a cut to whoever looks."""
    end = index
    while end < len(frames) and frames[end].step.take == frames[index].step.take:
        if frames[end].step.progress is None:
            break
        end += 1
    soft = frames[index].step.progress is not None
    mixed = [n for n in range(index, end) if frames[n].label.state is ShotState.TRANSITION]
    if mixed:
        index, end = mixed[0], mixed[-1] + 1
    until = times_ms[min(end, len(frames) - 1)]
    return {
        "id": "",
        "type": (take.how if soft else EventType.CUT).value,
        "atMs": times_ms[index],
        "durationMs": until - times_ms[index] if soft else 0,
        "from": None if left.state is ShotState.AMBIGUOUS else left.camera,
        "to": None if settled.state is ShotState.AMBIGUOUS else settled.camera,
        "frame": index,
        **({"orTo": settled.camera} if settled.state is ShotState.AMBIGUOUS else {}),
    }


def _freezes(switcher: Switcher, frames: Sequence[Shown], times_ms: Sequence[int]) -> list[Json]:
    """The planned freezes as shown: from the frozen picture to the next that moves."""
    events: list[Json] = []
    for start_ms, length_ms in switcher.plan.freezes:
        still = [
            index
            for index, frame in enumerate(frames)
            if start_ms < frame.at_ms < start_ms + length_ms and frame.tick != frame.source_tick
        ]
        if not still:
            continue
        first, after = max(0, still[0] - 1), min(still[-1] + 1, len(frames) - 1)
        name = frames[still[0]].label.camera
        events.append(
            {
                "id": "",
                "type": EventType.FREEZE.value,
                "atMs": times_ms[first],
                "durationMs": times_ms[after] - times_ms[first],
                "from": name,
                "to": name,
                "frame": first,
            }
        )
    return events


def _verdict(expected: Expected, by_take: dict[int, Json], offset_ms: float) -> Json:
    event: Json | None = None
    if expected.take is not None:
        event = by_take.get(expected.take)
        if event is None:
            raise ValueError(f"take {expected.take} has a verdict but never reached the program")
    return {
        "code": expected.code.value,
        "claimId": expected.claim_id,
        "eventId": event["id"] if event else None,
        "atMs": event["atMs"] if event else round(offset_ms + expected.at_ms),
        "planted": expected.planted,
    }


def _camera(
    switcher: Switcher,
    name: str,
    frames: Sequence[Shown],
    times_ms: Sequence[int],
    start_ms: int,
) -> Json:
    """How late the program showed a camera, as the two files' clocks have it: the only delay that
    anyone can see. `pathDelayMs` is what the switcher was set to, where that stays the same."""
    ages = [
        at - start_ms - told
        for frame, at in zip(frames, times_ms, strict=True)
        if frame.tick == frame.source_tick and frame.label.camera == name
        for used, told in frame.used
        if used == name
    ]
    low, middle, high = np.percentile(ages, (5, 50, 95)) if ages else (None, None, None)
    return {
        "id": name,
        "delayMs": middle,
        "delayLowMs": low,
        "delayHighMs": high,
        "pathDelayMs": switcher.delay_ms(name, 0.0) if switcher.steady(name) else None,
    }
