"""verify from a recording: what was seen is seen again, what was said is the ledger's."""

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from sample_books import EVENTS, NAME, PLANTED, keep, key, problems
from sample_session import START_MS, sample

from tap.errors import InputError
from tap.feeds.shoot import load_shoot
from tap.report.findings import Fault, Pick
from tap.witness.evidence import ShootPictures
from tap.witness.verify import SEEN_AGAIN

CAMERAS = ("cam-a", "cam-b", "cam-c", "cam-d")
FPS = 10


def film(path: Path, grey: list[int]) -> None:
    """A frame of each grey, 10 a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for level in grey:
            picture = np.full((48, 64, 3), level, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)


@pytest.fixture
def shoot(tmp_path) -> Path:
    """A recording whose program is dark for 12.5 s and bright from there on."""
    folder = tmp_path / "shoot"
    (folder / "media").mkdir(parents=True)
    for place, camera in enumerate(CAMERAS):
        film(folder / "media" / f"{camera}.avi", [60 + 40 * place] * (65 * FPS))
    film(folder / "media" / "program.avi", [10] * 125 + [240] * (65 * FPS - 125))
    document = {
        "format": "tap-shoot/1",
        "session": {"externalId": NAME},
        "cameras": [
            {"id": camera, "media": f"media/{camera}.avi", "startedAtMs": START_MS}
            for camera in CAMERAS
        ],
        "program": {"media": "media/program.avi", "startedAtMs": START_MS},
    }
    (folder / "shoot.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def kept(tmp_path):
    given = sample()
    return keep(tmp_path, given.witness, given.claims)


def later(witness, off_ms: float):
    """The same sight, each change seen a little later, under other names."""
    return witness.model_copy(
        update={
            "events": tuple(
                event.model_copy(update={"id": f"again-{event.id}", "at_ms": event.at_ms + off_ms})
                for event in witness.events
            ),
            "shots": tuple(
                shot.model_copy(
                    update={"start_ms": shot.start_ms + off_ms, "end_ms": shot.end_ms + off_ms}
                )
                for shot in witness.shots
            ),
        }
    )


def brightness(jpeg: bytes) -> float:
    return float(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).mean())


def test_the_ledger_s_claims_are_judged_by_what_is_seen_again(kept, shoot):
    asked = []

    def see_again(folder, out):
        asked.append((folder, out))
        return later(sample().witness, 40)

    checked = kept.verify(folder=None, replay=shoot, see_again=see_again)
    assert asked == [(shoot, kept.out / SEEN_AGAIN)]
    assert checked.basis == "recording"
    assert [finding.verdict.value for finding in checked.disagreements] == PLANTED
    assert problems(checked) == []
    assert all(finding.ledger_verdict is finding.verdict for finding in checked.findings)
    page = (kept.out / "report.html").read_text()
    assert page.count("<img ") == 4 + 4 + 3
    assert "held against the recording" in page


def test_a_ledger_that_hides_a_mistake_is_found_from_the_recording(kept, shoot):
    silent = next(k for k, verdict in kept.verdicts() if verdict == "UNANNOUNCED")
    missed = next(k for k, verdict in kept.verdicts() if verdict == "MISSED")
    last = kept.verdicts()[-1][0]
    kept.sql(
        f"""UPDATE "{EVENTS}" SET verdict = 'AGREE' WHERE key = '{missed}'""",
        f"""DELETE FROM "{EVENTS}" WHERE key = '{silent}'""",
    )
    checked = kept.verify(
        folder=None, replay=shoot, see_again=lambda *_: later(sample().witness, -40)
    )
    found = problems(checked)
    assert (Fault.DIFFERENT_VERDICT, missed) in found
    assert (Fault.MISSING, f"{NAME}/seen/again-{silent.rsplit('/', 1)[1]}") in found
    assert last not in [k for _, k in found]


def test_with_the_journal_at_hand_rows_are_checked_against_it_too(kept, shoot):
    kept.sql(f"""UPDATE "{EVENTS}" SET text = 'x' WHERE key = '{key("m3")}'""")
    checked = kept.verify(replay=shoot, see_again=lambda *_: sample().witness)
    assert problems(checked) == [(Fault.ALTERED, key("m3"))]


def test_a_recording_that_is_none_is_a_clear_sentence_and_nothing_is_written(kept, tmp_path):
    with pytest.raises(InputError, match=r"shoot\.json"):
        kept.verify(folder=None, replay=tmp_path / "nowhere")
    assert not kept.out.exists()


def test_pictures_come_from_both_sides_of_the_change(shoot):
    pictures = ShootPictures(load_shoot(shoot))
    at_ms = START_MS + 12_500
    before = pictures.at("program", at_ms, Pick.LAST_BEFORE)
    after = pictures.at("program", at_ms, Pick.FIRST_FROM)
    assert before is not None
    assert after is not None
    assert brightness(before.jpeg) < 40
    assert brightness(after.jpeg) > 200
    camera = pictures.at("cam-c", at_ms)
    assert camera is not None
    assert abs(brightness(camera.jpeg) - 140) < 10
    assert pictures.at("cam-z", at_ms) is None
    assert pictures.at("program", START_MS - 1000) is None
