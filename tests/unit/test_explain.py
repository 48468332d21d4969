"""`tap explain`: the same answer as a replay, and why."""

import json
import shutil
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests import made_shoot

from tap.cli import main
from tap.errors import InputError
from tap.feeds.media import MediaReader
from tap.feeds.shoot import load_shoot
from tap.report.explain import MOST_ROWS, WIDTH, draw
from tap.report.explain_words import headline, place, sentences
from tap.report.explained import Against, Answer, Lie
from tap.report.sheet import Sheet, scale, wrap
from tap.sight import Sight
from tap.vocabulary import PROGRAM, ShotState
from tap.witness.explain import explain, laid, moment
from tap.witness.explain_look import left_over
from tap.witness.models import learnt_settings
from tap.witness.order import in_order
from tap.witness.replay import replay

MOMENTS = (1.6, 5.3)


@pytest.fixture(scope="module")
def seen(short_shoot, tmp_path_factory):
    """The moment at 2.2 s, explained once."""
    return explain(short_shoot, "2.2")


@pytest.fixture(scope="module")
def rulings(short_shoot):
    """Every ruling of sight over the whole shoot."""
    shoot, out = load_shoot(short_shoot), []
    readers = [MediaReader(c.media, c.id, c.started_at_ms) for c in shoot.cameras]
    readers.append(MediaReader(shoot.program.media, PROGRAM, shoot.program.started_at_ms))
    sight = Sight(
        [c.id for c in shoot.cameras],
        learnt_settings(),
        explain=lambda e, d, r, c: out.append(r),
    )
    for frame in in_order([iter(reader) for reader in readers]):
        sight.see(frame)
    sight.finish()
    return out


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Runs `tap explain ARGS` in an empty folder: (exit code, stdout, stderr)."""

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["tap", "explain", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        out = capsys.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    monkeypatch.delenv("TAP_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    return call


# ---------------------------------------------------------------- the answer


def test_it_says_what_a_replay_says(short_shoot, rulings, tmp_path):
    witness = replay(short_shoot, tmp_path / "out")
    for at_s in MOMENTS:
        said = explain(short_shoot, str(at_s))
        at_ms = said.at_ms
        [shot] = [s for s in witness.shots if s.start_ms <= at_ms < s.end_ms]
        assert (said.shot.state, said.shot.cameras) == (shot.state, shot.cameras)
        assert said.shot.confidence == pytest.approx(shot.confidence, abs=0.02)
        [ruling] = [r for r in rulings if r.at_ms <= at_ms < r.end_ms]
        assert said.number == ruling.index
        assert said.frame == Answer(
            ruling.state, ruling.cameras, ruling.confidence, ruling.at_ms, ruling.end_ms
        )


def test_all_cameras_are_candidates_and_the_live_one_comes_first(seen):
    assert sorted(c.id for c in seen.candidates) == list(made_shoot.CAMERAS)
    assert seen.order == made_shoot.CAMERAS
    best = seen.candidates[0]
    assert best.id == seen.shot.cameras[0] == seen.best.id == "cam-b"
    assert best.match.lag_ms == pytest.approx(made_shoot.DELAY_MS, abs=60)
    assert best.match.fit > 0.5 > max(c.match.fit for c in seen.candidates[1:])
    assert float(np.abs(best.match.residual).mean()) < 5
    assert best.picture.shape == seen.program.shape
    grey = [cv2.cvtColor(p, cv2.COLOR_BGR2GRAY).ravel() for p in (best.picture, seen.program)]
    assert np.corrcoef(grey)[0, 1] > 0.95


def test_the_states_are_probabilities_of_what_it_could_be(seen):
    assert seen.states[0].name == "cam-b"
    assert {s.name for s in seen.states} >= {*made_shoot.CAMERAS, "off camera", "black"}
    assert 0.99 < sum(s.honest for s in seen.states) <= 1.0001


def test_less_may_be_looked_at(short_shoot):
    said = explain(short_shoot, "6", seconds=2)
    assert said.shot.cameras == ("cam-c",)
    assert said.only_seconds == 2
    assert "Only 2.0 s" in sentences(said)[-1]


def test_where_the_program_gave_nothing_it_is_unseen(short_shoot, tmp_path):
    folder = tmp_path / "shoot"
    shutil.copytree(short_shoot, folder)
    content = json.loads((folder / "shoot.json").read_text("utf-8"))
    end_ms = content["program"]["startedAtMs"] + made_shoot.DURATION_MS
    content["endedAtMs"] = end_ms + 3000
    (folder / "shoot.json").write_text(json.dumps(content), "utf-8")
    said = explain(folder, str(end_ms + 2000))
    assert (said.shot.state, said.frame) == (ShotState.UNSEEN, None)
    assert len(said.candidates) == 3
    assert "no program frames" in sentences(said)[0]
    assert draw(said).pixels.shape[1] == WIDTH
    json.dumps(said.as_json(), allow_nan=False)


# ---------------------------------------------------------------- the moment


@pytest.mark.parametrize(
    ("text", "ms"),
    [("0", 0), ("12.5", 12_500), ("1:02.5", 62_500), ("1:00:01", 3_601_000), ("0:07", 7000)],
)
def test_times(text, ms):
    assert moment(text, 5e11) == 5e11 + ms


def test_unix_ms_is_a_time_too():
    assert moment("1789000001000", 5.0) == 1789000001000


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "0:61", "1:2:3:4", "12s", "1:99:00"])
def test_what_is_no_time(text):
    with pytest.raises(InputError, match="expected a time"):
        moment(text, 0.0)


@pytest.mark.parametrize("at", ["9999", "-1", "noon", "8:00", "1000000000"])
def test_bad_times_are_bad_input(run, short_shoot, at):
    code, out, err = run(short_shoot, "--at", at)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "expected a time" in err
    assert at == "noon" or "0:00.000 to 0:07." in err or "0:00.000 to 0:08." in err


# ---------------------------------------------------------------- the command


def test_the_command_writes_a_picture_and_says_why(run, short_shoot, tmp_path):
    code, out, _ = run(short_shoot, "--at", "0:02.2")
    assert code == 0
    assert out.startswith("cam-b is live (")
    assert "cam-b explains" in out
    picture = cv2.imread(str(tmp_path / "explain-2.200.png"))
    assert picture.shape[1] == WIDTH
    assert 800 < picture.shape[0] < 3000


def test_the_command_prints_json(run, short_shoot, tmp_path):
    code, out, _ = run(short_shoot, "--at", "2.2", "--json", "--out", tmp_path / "why.png")
    said = json.loads(out)
    assert code == 0
    assert said["type"] == "explanation"
    assert said["answer"]["camera"] == "cam-b"
    assert said["candidates"][0]["camera"] == "cam-b"
    first = said["candidates"][0]
    assert len(first["match"]["blocks"]) == 32
    assert len(first["curve"]["nats"]) == len(first["curve"]["lagMs"]) > 20
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")


def test_another_kind_of_file_is_refused(run, short_shoot):
    code, _, err = run(short_shoot, "--at", "2", "--out", "why.jpg")
    assert code == 2
    assert ".png" in err


# ---------------------------------------------------------------- words and drawing


def _as(seen, state, cameras=(), **changes):
    """The explanation, as if the answer were another one."""
    shot = replace(seen.shot, state=state, cameras=tuple(cameras))
    return replace(
        seen,
        shot=shot,
        frame=replace(seen.frame, state=shot.state, cameras=shot.cameras),
        **changes,
    )


@pytest.mark.parametrize(
    ("state", "cameras", "changes", "words"),
    [
        (ShotState.OFF_CAMERA, (), {"against": Against.UNLIKE, "odd": 0.8}, "test: unlike"),
        (ShotState.OFF_CAMERA, (), {"against": Against.UNTIMELY}, "test: untimely"),
        (ShotState.OFF_CAMERA, (), {"against": Against.ELSEWHEN}, "test: elsewhen"),
        (ShotState.OFF_CAMERA, ("cam-a",), {"against": Against.REPLAYED}, "cam-a's older pictures"),
        (ShotState.OFF_CAMERA, (), {}, "those around it do"),
        (ShotState.AMBIGUOUS, ("cam-b", "cam-c"), {}, "cam-b or cam-c"),
        (ShotState.TRANSITION, ("cam-a", "cam-b"), {"share": 0.25}, "25 % "),
        (ShotState.COMPOSED, ("cam-a", "cam-b"), {"share": 0.5, "split": True}, "fills 50 %"),
        (ShotState.BLACK, (), {"flat": "black"}, "dark all over"),
        (ShotState.UNSEEN, (), {}, "lack of pictures"),
        (ShotState.LIVE, ("cam-b",), {"repeat": True}, "repeats the one before"),
    ],
)
def test_every_answer_has_its_reason_and_can_be_drawn(seen, state, cameras, changes, words):
    said = _as(seen, state, cameras, **changes)
    assert words in " ".join(sentences(said))
    assert headline(said)
    assert draw(said).pixels.shape[1] == WIDTH


def test_a_frame_that_is_taken_for_its_neighbours_says_so(seen):
    odd = replace(seen, frame=replace(seen.frame, state=ShotState.BLACK, cameras=()))
    assert "By itself this frame is black" in sentences(odd)[0]


def test_a_camera_without_pictures_is_no_evidence(seen):
    blind = replace(seen.candidates[1], blind=True, match=None, picture=None)
    said = replace(seen, candidates=(seen.candidates[0], blind))
    assert any(f"{blind.id} gave no new pictures" in text for text in sentences(said))
    assert draw(said)


def test_many_cameras_fit_on_the_sheet(seen):
    many = tuple(replace(seen.candidates[0], id=f"camera-{n}" * 6) for n in range(40))
    sheet = draw(replace(seen, candidates=many))
    assert sheet.pixels.shape[0] < 1200 + 320 * MOST_ROWS


def test_placements_in_words():
    assert place(Lie()) == "whole, as it is"
    assert place(Lie(of=(0.1, 0.1, 0.9, 0.9), mirror=True)).startswith("mirrored, zoomed 1.25")
    assert "75 % of the width" in place(Lie(on=(0.125, 0, 0.875, 1)))


def test_a_camera_is_laid_into_the_program():
    ramp = np.tile(np.arange(0, 200, 2, dtype=np.uint8)[None, :, None], (50, 1, 3))
    whole = laid(ramp, Lie(), (100, 50))
    assert np.abs(whole.astype(int) - ramp).max() <= 1
    flipped = laid(ramp, Lie(mirror=True), (100, 50))
    assert np.abs(flipped.astype(int) - ramp[:, ::-1]).max() <= 2
    boxed = laid(ramp, Lie(on=(0.25, 0, 0.75, 1)), (100, 50))
    assert (boxed[:, :25] == 255).all()
    assert (boxed[:, 75:] == 255).all()
    zoomed = laid(ramp, Lie(of=(0.5, 0.5, 1, 1)), (100, 50))
    assert zoomed[25, 2, 0] == pytest.approx(ramp[0, 51, 0], abs=3)


def test_gain_and_offset_leave_nothing_over():
    grid = np.random.default_rng(1).uniform(0, 255, (36, 64)).astype(np.float32)
    assert np.abs(left_over(0.5 * grid + 20, grid)).max() < 0.01
    assert np.abs(left_over(255 - grid, grid)).max() > 10
    assert left_over(grid.T, grid.T).shape == (64, 36)


def test_text_stays_in_its_room():
    assert Sheet.width_of(" ".join(["word"] * 20), 15) > 200
    assert all(Sheet.width_of(line, 15) <= 200 for line in wrap("word " * 20 + "w" * 200, 200, 15))


def test_scales_run_from_light_to_dark():
    for good in (True, False):
        ramp = scale(np.linspace(0, 2, 9)[None, :], 1.0, good=good).sum(axis=2)[0].astype(int)
        assert (np.diff(ramp) <= 0).all()
        assert ramp[4] == ramp[8]
