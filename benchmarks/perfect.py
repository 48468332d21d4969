"""The witness that never errs: control of the scorer, and of rig and judge against each other."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any


def perfect_witness(truth: Mapping[str, Any], confidence: float = 1.0) -> dict[str, Any]:
    """The `tap-witness/1` document that says just what a `tap-truth/1` document holds."""
    frames = truth["frames"]

    def label(frame: Mapping[str, Any]) -> tuple[Any, ...]:
        return frame["state"], frame["camera"], tuple(frame["cameras"])

    shots: list[dict[str, Any]] = []
    for (state, camera, cameras), run in groupby(frames, label):
        start_ms = next(run)["atMs"]
        if shots:
            shots[-1]["endMs"] = start_ms
        shots.append(
            {
                "startMs": start_ms,
                "endMs": frames[-1]["atMs"] + truth["program"]["frameIntervalMs"],
                "state": state,
                "camera": camera,
                "cameras": list(cameras),
                "confidence": confidence,
            }
        )
    return {
        "format": "tap-witness/1",
        "session": dict(truth["session"]),
        "shots": shots,
        "events": [{**event, "confidence": confidence} for event in truth["events"]],
        "verdicts": [
            {
                **{key: value for key, value in verdict.items() if key != "planted"},
                "confidence": confidence,
                "text": "",
            }
            for verdict in truth["verdicts"]
        ],
        "cameras": [
            {"id": camera["id"], "delayMs": camera.get("pathDelayMs", camera["delayMs"])}
            for camera in truth["cameras"]
        ],
        "coverage": {"programFrames": len(frames), "unseen": []},
    }
