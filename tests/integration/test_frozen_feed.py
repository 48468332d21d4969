"""A camera's feed freezes while the program goes on: recorded JPEGs, and what a replay says."""

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import DELAY_MS, START_MS, Camera, noisy

from tap.feeds.media import MediaReader
from tap.feeds.record import ShootRecorder
from tap.feeds.shoot import ShootCamera, ShootSession, recordings
from tap.sight.still import SAME_PICTURE
from tap.vocabulary import PROGRAM, Frame, ShotState, VerdictCode, Witness
from tap.witness.replay import replay

CAMERAS = {"cam-a": Camera(1), "cam-b": Camera(2), "cam-c": Camera(3)}
CUTS = [(0, "cam-a"), (2000, "cam-b"), (4000, "cam-a"), (9000, "cam-c")]
FROZEN = (6000.0, 8500.0)
"""Of cam-a, in ms of its own time."""
SECONDS, FPS = 13, 25


def jpeg(luma):
    return cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def sent(name, ms):
    """What a feed sends: a sensor's picture, with noise that never comes twice."""
    if name == "cam-a" and FROZEN[0] <= ms < FROZEN[1]:
        ms = FROZEN[0]
    return jpeg(noisy(CAMERAS[name].at(ms), ms + 1e6 * CAMERAS[name].seed))


def shown(ms):
    name = [camera for start, camera in CUTS if start <= ms][-1]
    return jpeg(noisy(CAMERAS[name].at(ms - DELAY_MS), ms))


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frozen") / "shoot"
    cameras = [ShootCamera(id=name, media="x", started_at_ms=0.0) for name in CAMERAS]
    with ShootRecorder(folder, ShootSession(external_id="s"), cameras, START_MS) as recorder:
        for n in range(SECONDS * FPS):
            ms = n * 1000.0 / FPS
            pictures = {**{name: sent(name, ms) for name in CAMERAS}, PROGRAM: shown(ms)}
            for feed, data in pictures.items():
                luma = np.zeros((90, 160), np.uint8)
                recorder.frame(Frame(feed, n, START_MS + ms, luma, (160, 90), data))
        for n, (ms, camera) in enumerate(CUTS[1:]):
            at_ms = round(START_MS + ms - 100)
            told = {"type": "cut", "id": f"m{n}", "atMs": at_ms, "camera": camera}
            recorder.director_line({**told, "recvMs": at_ms})
    return folder


def replayed(record, out, *, late):
    """The witness of the record; `late`: pictures are decoded when somebody looks at them."""
    return replay(
        record,
        out,
        readers=lambda shoot: [
            MediaReader(one.media, feed, one.started_at_ms, late=late)
            for feed, one in recordings(shoot)
        ],
    )


@pytest.fixture(scope="module")
def witness(record, tmp_path_factory) -> Witness:
    return replayed(record, tmp_path_factory.mktemp("late"), late=True)


def test_nothing_false_is_said_of_what_a_frozen_feed_hides(witness):
    assert [verdict.code for verdict in witness.verdicts] == 3 * [VerdictCode.AGREE]
    changes = [(e.from_camera, e.to_camera) for e in witness.events if e.type.value == "cut"]
    assert changes == [("cam-a", "cam-b"), ("cam-b", "cam-a"), ("cam-a", "cam-c")]
    assert ShotState.OFF_CAMERA not in {shot.state for shot in witness.shots}


def test_it_is_told_what_was_not_seen_and_why(witness):
    [[start_ms, end_ms, reason]] = witness.coverage.unseen
    assert reason == "no new pictures from cam-a"
    assert start_ms - START_MS == pytest.approx(FROZEN[0] + DELAY_MS, abs=120)
    assert end_ms - START_MS == pytest.approx(FROZEN[1] + DELAY_MS, abs=80)
    gaps = {camera.id: camera.gaps for camera in witness.cameras}
    assert [gap[2] for gap in gaps["cam-a"]] == [SAME_PICTURE]
    assert not gaps["cam-b"]
    assert not gaps["cam-c"]


def test_it_does_not_matter_when_pictures_are_decoded(record, witness, tmp_path):
    eager = replayed(record, tmp_path, late=False)
    assert (eager.shots, eager.events, eager.verdicts) == (
        witness.shots,
        witness.events,
        witness.verdicts,
    )
    assert eager.coverage == witness.coverage
    assert [camera.gaps for camera in eager.cameras] == [camera.gaps for camera in witness.cameras]
