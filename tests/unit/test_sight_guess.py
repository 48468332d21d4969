"""A camera whose pictures are missing just then is not named for lack of a better answer."""

from tests.unit.sample_pictures import DELAY_MS, Camera, cuts, noisy, watch

from tap.vocabulary import ShotState

CAMERAS = {"cam-a": Camera(1), "cam-b": Camera(2, lost=(4600, 5000))}
PLAIN = cuts(CAMERAS, [(0, "cam-a"), (1520, "cam-b"), (3000, "cam-a")])
UNTAPPED = Camera(9)


def test_two_strange_pictures_while_a_camera_gives_none_are_not_its():
    def show(ms):
        if 4920 <= ms < 5000:
            return noisy(UNTAPPED.at(ms - DELAY_MS), ms)
        return PLAIN(ms)

    seen = watch(CAMERAS, show, 7.0)
    assert [kind for kind, *_ in seen.told()] == ["cut", "cut"]
    assert seen.state_at(4960) is ShotState.UNSEEN
    assert "cam-b" in seen.shot_at(4960)[1]
    assert seen.camera_at(4880) == seen.camera_at(5040) == "cam-a"


def test_a_cut_to_a_camera_some_of_whose_pictures_are_missing_is_that_cut():
    cameras = {**CAMERAS, "cam-b": Camera(2, lost=(4760, 4870))}
    show = cuts(cameras, [(0, "cam-a"), (1520, "cam-b"), (3000, "cam-a"), (4960, "cam-b")])
    seen = watch(cameras, show, 7.0)
    assert seen.told()[2:] == [("cut", 4960, "cam-a", "cam-b")]


def test_nine_cameras_that_all_fall_silent_are_unseen_and_nothing_breaks():
    cameras = {f"cam-{n}": Camera(n, lost=(2000, 1e12)) for n in range(1, 10)}
    strange = Camera(40)

    def show(ms):
        return cuts(cameras, [(0, "cam-1")])(ms) if ms < 2000 else noisy(strange.at(ms), ms)

    seen = watch(cameras, show, 7.0)
    assert seen.state_at(6800) is ShotState.UNSEEN
