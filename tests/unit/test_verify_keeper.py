"""The keeper of evidence: the right pictures, within its budgets, and never in the way."""

import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tap.vocabulary import Claim, ClaimType, Event, EventType, Frame, Shot, ShotState, Verdict
from tap.witness import keeper as keeper_module
from tap.witness.keeper import EvidenceKeeper

T = 1_789_000_000_000
DELAYS = {"cam-a": 160.0, "cam-b": 240.0}
LUMA = np.zeros((9, 16), np.uint8)


def frame(feed: str, at_ms: float, size: int = 100) -> Frame:
    return Frame(feed, 0, at_ms, LUMA, (16, 9), encoded=f"{feed} {at_ms:.0f} ".encode().ljust(size))


def feed_all(keeper: EvidenceKeeper, until_ms: int, *, start_ms: int = 0, size: int = 100) -> None:
    """25 frames a second on every feed, [start, until)."""
    for offset in range(start_ms, until_ms, 40):
        for name in ("program", "cam-a", "cam-b"):
            keeper.frame(frame(name, T + offset, size))


def cut(event_id: str, offset: float, **more) -> Event:
    rest = {"from_camera": "cam-b", "to_camera": "cam-a"} | more
    return Event(id=event_id, type=EventType.CUT, at_ms=T + offset, **rest)


def verdict(code: str, event_id: str | None, offset: float, claim_id: str | None = None) -> Verdict:
    return Verdict(
        code=code, event_id=event_id, claim_id=claim_id, at_ms=T + offset, confidence=1, text=""
    )


def claim(offset: float, camera: str) -> Claim:
    at = T + offset
    return Claim(id="m", type=ClaimType.CUT, at_ms=at, recv_ms=at, camera=camera)


def names(folder) -> set[str]:
    return {file.name.replace(f"-{T // 10000}", "@") for file in folder.iterdir()}


def test_saves_both_sides_of_a_cut_and_the_camera_at_its_own_time(tmp_path):
    keeper = EvidenceKeeper(tmp_path)
    feed_all(keeper, 2000)
    proofs = keeper.keep(verdict("AGREE", "e1", 1000), None, cut("e1", 1000), DELAYS)
    kept = keeper.close()
    assert names(tmp_path) == {"program@0960.jpg", "program@1000.jpg", "cam-a@0840.jpg"}
    assert {proof.name for proof in proofs} == {file.name for file in tmp_path.iterdir()}
    assert [proof.role.value for proof in proofs] == ["before", "after", "matched"]
    assert (tmp_path / f"program-{T + 960}.jpg").read_bytes().startswith(b"program")
    assert (kept.saved, kept.lost, kept.absent) == (3, 0, 0)


def test_a_wrong_camera_also_keeps_the_one_that_was_named(tmp_path):
    keeper = EvidenceKeeper(tmp_path)
    feed_all(keeper, 2000)
    keeper.keep(verdict("WRONG_CAMERA", "e1", 1000), claim(900, "cam-b"), cut("e1", 1000), DELAYS)
    keeper.close()
    assert "cam-b@0760.jpg" in names(tmp_path)


def test_the_runner_up_is_kept_where_it_came_close(tmp_path):
    keeper = EvidenceKeeper(tmp_path)
    feed_all(keeper, 2000)
    shot = Shot(
        start_ms=T + 1000, end_ms=T + 2000, state=ShotState.LIVE, camera="cam-a",
        runner_up="cam-b", runner_up_confidence=0.2,
    )  # fmt: skip
    keeper.keep(verdict("AGREE", "e1", 1000), None, cut("e1", 1000), DELAYS, shot)
    keeper.close()
    assert "cam-b@0760.jpg" in names(tmp_path)


def test_pinned_pictures_of_a_change_outlast_the_thinning(tmp_path):
    keeper = EvidenceKeeper(tmp_path)
    feed_all(keeper, 1400)
    keeper.pin(cut("e1", 1120), DELAYS)
    feed_all(keeper, 20_000, start_ms=1400)
    keeper.keep(verdict("AGREE", "e1", 1120), None, cut("e1", 1120), DELAYS)
    keeper.close()
    assert names(tmp_path) == {"program@1080.jpg", "program@1120.jpg", "cam-a@0960.jpg"}


def test_without_a_pin_old_pictures_are_thinned_and_then_gone(tmp_path):
    keeper = EvidenceKeeper(tmp_path)
    feed_all(keeper, 6000)
    keeper.keep(verdict("AGREE", "e1", 1120), None, cut("e1", 1120), DELAYS)
    feed_all(keeper, 16_000, start_ms=6000)
    keeper.keep(verdict("AGREE", "e2", 1000), None, cut("e2", 1000), DELAYS)
    kept = keeper.close()
    assert names(tmp_path) == {"program@1000.jpg", "program@1200.jpg", "cam-a@1000.jpg"}
    assert kept.absent == 3


def test_memory_of_a_feed_is_bounded_in_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(keeper_module, "RING_BYTES", 10_000)
    keeper = EvidenceKeeper(tmp_path)
    feed_all(keeper, 8000, size=1000)
    for ring in keeper._rings.values():
        held = [*ring._old, *ring._new]
        assert ring._bytes == sum(h.size for h in held) <= 10_000
        assert held[-1].at_ms == T + 7960
    keeper.close()


def test_frames_that_step_back_in_time_are_left_out(tmp_path):
    keeper = EvidenceKeeper(tmp_path)
    for offset in (0, 40, 20, 40, 80):
        keeper.frame(frame("program", T + offset))
    assert [h.at_ms - T for h in keeper._rings["program"]._new] == [0, 40, 80]
    keeper.close()


def test_messages_with_nothing_to_see_keep_nothing(tmp_path):
    keeper = EvidenceKeeper(tmp_path)
    feed_all(keeper, 2000)
    keeper.keep(verdict("NOTED", None, 500, "m"), claim(500, "cam-a"), None, DELAYS)
    assert keeper.close().saved == 0


def test_frames_without_a_jpeg_are_kept_as_the_small_grey_picture(tmp_path):
    keeper = EvidenceKeeper(tmp_path)
    luma = np.full((90, 160), 200, np.uint8)
    for offset in (0, 40):
        keeper.frame(Frame("program", 0, T + offset, luma, (1920, 1080)))
    keeper.keep(verdict("UNANNOUNCED", "e1", 40), None, cut("e1", 40, to_camera=None), {})
    keeper.close()
    picture = cv2.imread(str(tmp_path / f"program-{T + 40}.jpg"), cv2.IMREAD_GRAYSCALE)
    assert picture.shape == (90, 160)
    assert abs(int(picture.mean()) - 200) < 3


def test_pictures_of_agreements_make_room_for_disagreements(tmp_path):
    keeper = EvidenceKeeper(tmp_path, budget_bytes=450)
    feed_all(keeper, 2000)
    keeper.keep(verdict("AGREE", "e1", 400), None, cut("e1", 400, to_camera=None), DELAYS)
    keeper.keep(verdict("UNANNOUNCED", "e2", 800), None, cut("e2", 800, to_camera=None), DELAYS)
    keeper.keep(verdict("UNANNOUNCED", "e3", 1200), None, cut("e3", 1200, to_camera=None), DELAYS)
    keeper.keep(verdict("AGREE", "e4", 1600), None, cut("e4", 1600, to_camera=None), DELAYS)
    kept = keeper.close()
    assert names(tmp_path) == {
        "program@0760.jpg", "program@0800.jpg", "program@1160.jpg", "program@1200.jpg",
    }  # fmt: skip
    assert (kept.saved, kept.evicted, kept.over_budget) == (6, 2, 2)


def test_a_picture_that_comes_to_matter_is_not_evicted(tmp_path):
    keeper = EvidenceKeeper(tmp_path, budget_bytes=250)
    feed_all(keeper, 2000)
    same = cut("e1", 800, to_camera=None)
    keeper.keep(verdict("AGREE", "e1", 800), None, same, DELAYS)
    keeper.keep(verdict("REVERTED", "e1", 800), None, same, DELAYS)
    keeper.keep(verdict("REVERTED", "e2", 1200), None, cut("e2", 1200, to_camera=None), DELAYS)
    kept = keeper.close()
    assert names(tmp_path) == {"program@0760.jpg", "program@0800.jpg"}
    assert kept.over_budget == 2


def test_what_an_earlier_run_left_counts_and_stays(tmp_path):
    (tmp_path / f"program-{T}.jpg").write_bytes(b"x" * 300)
    keeper = EvidenceKeeper(tmp_path, budget_bytes=350)
    feed_all(keeper, 1000)
    keeper.keep(verdict("UNANNOUNCED", "e", 800), None, cut("e", 800, to_camera=None), DELAYS)
    assert keeper.close().over_budget == 2
    assert (tmp_path / f"program-{T}.jpg").stat().st_size == 300


def test_a_full_disk_gives_up_pictures_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    keeper = EvidenceKeeper(tmp_path)
    feed_all(keeper, 1000)
    keeper.keep(verdict("UNANNOUNCED", "e", 800), None, cut("e", 800), DELAYS)
    kept = keeper.close()
    assert (kept.saved, kept.disk_full, kept.lost) == (0, 3, 3)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("when", ["from the start", "later"])
def test_a_folder_that_cannot_be_written_never_raises(tmp_path, when):
    folder = tmp_path / "evidence"
    if when == "from the start":
        folder.write_text("a file in the way")
    keeper = EvidenceKeeper(folder)
    if when == "later":
        folder.rmdir()
    feed_all(keeper, 1000)
    keeper.keep(verdict("UNANNOUNCED", "e", 800), None, cut("e", 800), DELAYS)
    assert keeper.close().failed == 3


def test_a_stuck_disk_costs_pictures_not_time(tmp_path, monkeypatch):
    import threading

    stuck = threading.Event()
    monkeypatch.setattr(keeper_module, "QUEUE_BYTES", 450)
    keeper = EvidenceKeeper(tmp_path)
    save = keeper._store.save
    monkeypatch.setattr(keeper._store, "save", lambda *a: (stuck.wait(30), save(*a))[1])
    feed_all(keeper, 2000)
    for n in range(4):
        offset = 400 * (n + 1)
        change = cut(f"e{n}", offset, to_camera=None)
        keeper.keep(verdict("AGREE", f"e{n}", offset), None, change, DELAYS)
    assert keeper.kept.too_busy == 4
    stuck.set()
    assert keeper.close().saved == 4
