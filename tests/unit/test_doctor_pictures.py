"""What the doctor tells from pictures: delays, twins, mirrors, views that are not as before."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import DELAY_MS, START_MS, Camera, cuts, frames, noisy

from tap.vocabulary import PROGRAM, Frame, Undecoded
from tap.witness.examine import Check, Health
from tap.witness.examine_pictures import Finding, examine_pictures, with_findings
from tap.witness.looks import LOOKS_FILE, Looks, last_looks

CAMERAS = {"cam-a": Camera(1), "cam-b": Camera(2), "cam-c": Camera(3)}
ON_STANDS = {name: Camera(camera.seed, still=True) for name, camera in CAMERAS.items()}


def shoot(cameras=CAMERAS, show=None, seconds=4.0) -> dict[str, list[Frame]]:
    show = show or cuts(cameras, [(0.0, "cam-a"), (2500.0, "cam-b")])
    out: dict[str, list[Frame]] = {name: [] for name in (*cameras, PROGRAM)}
    for frame in frames(cameras, show, seconds):
        out[frame.feed].append(frame)
    return out


def texts(findings) -> dict[str, str]:
    return {name: "; ".join(one.text for one in of) for name, of in findings.items()}


def changed(frames_of: list[Frame], change) -> list[Frame]:
    return [replace(frame, picture=np.ascontiguousarray(change(frame.luma))) for frame in frames_of]


def recoded(luma):
    coded = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    picture = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    return np.clip(picture.astype(np.float32) * 0.8 + 20, 0, 255).astype(np.uint8)


def test_the_delay_is_told_of_cameras_that_were_on_the_program() -> None:
    found = examine_pictures(shoot(), None)
    told = {name: dict(one.values) for name, of in found.items() for one in of}
    assert set(told) >= {"cam-a"}
    assert told["cam-a"]["delayMs"] == pytest.approx(DELAY_MS, abs=25)
    assert told["cam-a"]["mirrored"] is False
    assert found["cam-c"] == []


def test_a_camera_that_the_program_mirrors_is_told() -> None:
    feeds = shoot(show=lambda ms: noisy(CAMERAS["cam-a"].at(ms - DELAY_MS), ms)[:, ::-1])
    [one] = examine_pictures(feeds, None)["cam-a"]
    assert "mirrored" in one.text
    assert one.health is Health.WARNING
    assert one.values["mirrored"] is True


@pytest.mark.parametrize(("mirror", "words"), [(False, "same pictures as"), (True, "(mirrored)")])
def test_two_ids_with_the_same_pictures_are_a_fault(mirror: bool, words: str) -> None:
    feeds = shoot()
    late = [replace(frame, feed="cam-c", at_ms=frame.at_ms + 70) for frame in feeds["cam-a"]]
    flip = (lambda luma: recoded(luma[:, ::-1])) if mirror else recoded
    feeds["cam-c"] = changed(late, flip)
    found = examine_pictures(feeds, None)
    assert words in texts(found)["cam-a"]
    assert "cam-a" in texts(found)["cam-c"]
    assert max(one.health is Health.BAD for one in found["cam-c"])
    assert "same pictures" not in texts(found)["cam-b"]


def test_cameras_that_show_nothing_much_are_not_called_the_same() -> None:
    feeds = shoot()
    for name in ("cam-b", "cam-c"):
        feeds[name] = changed(feeds[name], lambda luma: noisy(np.full_like(luma, 90), 1.0))
    assert "same" not in str(texts(examine_pictures(feeds, None)))


def test_two_cameras_side_by_side_are_not_called_the_same() -> None:
    """The same scene from 3 % of its width further on, and half a degree turned."""
    feeds = shoot()

    def beside(luma):
        h, w = luma.shape
        turn = cv2.getRotationMatrix2D((w / 2, h / 2), 3.0, 1.03)
        turn[0, 2] += 0.03 * w
        return cv2.warpAffine(luma, turn, (w, h), borderMode=cv2.BORDER_REFLECT)

    feeds["cam-c"] = [replace(frame, feed="cam-c") for frame in changed(feeds["cam-a"], beside)]
    assert "same" not in str(texts(examine_pictures(feeds, None)))


# ---------------------------------------------------------------- against the last session


@pytest.fixture
def home(tmp_path):
    """A session was witnessed here, with a performer who walked about."""
    looks = Looks()
    for frame in (frame for of in shoot(ON_STANDS, seconds=6.0).values() for frame in of):
        luma = frame.luma.copy()
        x = int(frame.at_ms / 20) % 100
        luma[20:80, x : x + 30] = 200
        looks.see(replace(frame, picture=luma))
    folder = tmp_path / "sessions" / "monday"
    folder.mkdir(parents=True)
    looks.save(folder, "monday", START_MS)
    return tmp_path


def later(**changes) -> dict[str, list[Frame]]:
    feeds = shoot(ON_STANDS)
    for name, change in changes.items():
        camera = name.replace("_", "-")
        feeds[camera] = changed(feeds[camera], change)
    return feeds


def test_looks_are_small_and_come_back(home) -> None:
    before = last_looks(home)
    assert before is not None
    assert (before.session, set(before.grids)) == ("monday", set(CAMERAS))
    assert all(grid.shape == (36, 64) for grid in before.grids.values())
    assert (home / "sessions" / "monday" / LOOKS_FILE).stat().st_size < 4000 * len(CAMERAS)


def test_cameras_that_are_as_before_are_left_in_peace(home) -> None:
    found = examine_pictures(later(cam_b=recoded), last_looks(home))
    assert all(one.health is Health.OK for of in found.values() for one in of)
    assert all("as in monday" in texts(found)[name] for name in CAMERAS)
    assert found["cam-c"][-1].values["likeLastSession"] > 0.5


def test_a_camera_whose_picture_is_not_the_one_it_had(home) -> None:
    feeds = later(cam_a=lambda luma: luma[:, ::-1])
    other = Camera(9, still=True)
    feeds["cam-b"] = [
        replace(frame, picture=other.at(frame.at_ms - START_MS)) for frame in feeds["cam-b"]
    ]
    feeds["cam-c"] = [replace(frame, feed="cam-c") for frame in shoot(ON_STANDS)["cam-b"]]
    told = texts(examine_pictures(feeds, last_looks(home)))
    assert "is mirrored, against session monday" in told["cam-a"]
    assert "shows another view" in told["cam-b"]
    assert "shows what cam-b showed" in told["cam-c"]
    turned = later(cam_a=np.rot90)
    assert "turned" in texts(examine_pictures(turned, last_looks(home)))["cam-a"]


def test_the_session_that_ended_last_counts_and_damage_is_passed_over(home) -> None:
    short = {"session": "s", "atMs": 1, "cameras": {"a": {"portrait": False, "grid": "AAAA"}}}
    for name, text in (
        ("bad", "{"),
        ("short", json.dumps(short)),
        ("huge", "[" * 2_000_000),
    ):  # fmt: skip
        folder = home / "sessions" / name
        folder.mkdir()
        (folder / LOOKS_FILE).write_text(text, "utf-8")
    before = last_looks(home)
    assert before is not None
    assert before.session == "monday"
    assert last_looks(home / "nowhere") is None


def test_a_look_is_taken_from_what_sight_has_looked_at() -> None:
    looks, decoded = Looks(), []

    def late(frame):
        def decode():
            decoded.append(frame.at_ms - START_MS)
            return frame.luma

        return replace(frame, picture=Undecoded(decode))

    for n, frame in enumerate(map(late, shoot(seconds=4.0)["cam-a"])):
        looks.see(frame)
        if n % 20 == 3:
            _ = frame.luma
    assert len(decoded) == len(range(3, n, 20))


def test_a_session_too_short_leaves_no_look(tmp_path) -> None:
    looks = Looks()
    for frame in shoot(seconds=1.0)["cam-a"]:
        looks.see(frame)
    looks.save(tmp_path, "s", START_MS)
    assert not (tmp_path / LOOKS_FILE).exists()
    for frame in shoot(seconds=4.0)["cam-a"]:
        looks.see(frame)
    looks.save(tmp_path / "not there", "s", START_MS)  # no room: no fault


def test_the_worst_finding_decides() -> None:
    check = Check("cam-a", Health.OK, "fine", values={"fps": 25})
    whole = with_findings(
        check, [Finding("one", Health.BAD, "do this", {"a": 1}), Finding("two", Health.WARNING)]
    )
    assert (whole.health, whole.text, whole.advice) == (Health.BAD, "fine; one; two", "do this")
    assert whole.values == {"fps": 25, "a": 1}
    wrong = replace(check, health=Health.WRONG)
    assert with_findings(wrong, [Finding("x")]).health is Health.WRONG
