"""PySceneDetect's detectors: they find cuts in the program alone and can't name cameras.

They see the very pictures that `SceneManager` would give them, one after the other. With their
defaults they leave out cuts within 15 frames of another; `_fast` is without that.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.accuracy.baselines import documents
from benchmarks.accuracy.baselines.pictures import pictures

DEFAULT_FRAMES = 15
"""Their own `min_scene_len`."""


def content(folder: Path) -> dict[str, Any]:
    """The `tap-witness/1` document of ContentDetector with its defaults; it has no shots."""
    return _run(folder, "ContentDetector", DEFAULT_FRAMES)


def content_fast(folder: Path) -> dict[str, Any]:
    """The same, but shots may be one frame long."""
    return _run(folder, "ContentDetector", 1)


def adaptive(folder: Path) -> dict[str, Any]:
    """The `tap-witness/1` document of AdaptiveDetector with its defaults; it has no shots."""
    return _run(folder, "AdaptiveDetector", DEFAULT_FRAMES)


def adaptive_fast(folder: Path) -> dict[str, Any]:
    """The same, but shots may be one frame long."""
    return _run(folder, "AdaptiveDetector", 1)


def _run(folder: Path, name: str, min_scene_len: int) -> dict[str, Any]:
    import scenedetect  # noqa: PLC0415 - a benchmark-only dependency (make bench-deps)

    shoot = pictures(folder)
    make: Callable[..., Any] = getattr(scenedetect, name)
    detector = make(min_scene_len=min_scene_len)
    cuts: set[int] = set()
    position = None
    for number, picture in enumerate(shoot.scenes):
        # Frames are counted, not timed, as with a file of a steady rate.
        position = scenedetect.FrameTimecode(number, fps=1000.0 / shoot.interval_ms)
        cuts.update(int(cut.frame_num) for cut in detector.process_frame(position, picture))
    if position is not None:
        cuts.update(int(cut.frame_num) for cut in detector.post_process(position))
    return documents.of_cuts(shoot, [float(shoot.program.times_ms[at]) for at in sorted(cuts)])
