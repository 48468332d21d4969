"""The scorer on cases small enough to count by hand, and on witnesses that must fail."""

import copy
import json

import numpy as np
import pytest
from benchmarks.documents import BadDocumentError
from benchmarks.perfect import perfect_witness
from benchmarks.score import main, merge, score

T0 = 1_789_000_000_000
STEP = 40


def frames(*runs: tuple[int, str, str | None, list[str]]) -> list[dict]:
    """Runs of (count, state, camera, cameras), a frame each 40 ms."""
    labels = [run[1:] for run in runs for _ in range(run[0])]
    return [
        {"atMs": T0 + index * STEP, "state": state, "camera": camera, "cameras": cameras}
        for index, (state, camera, cameras) in enumerate(labels)
    ]


def live(count: int, camera: str) -> tuple[int, str, str | None, list[str]]:
    return count, "live", camera, [camera]


def event(id_: str, kind: str, frame: int, to: str | None, duration: int = 0) -> dict:
    at_ms = T0 + frame * STEP
    return {"id": id_, "type": kind, "atMs": at_ms, "durationMs": duration, "from": None, "to": to}


def verdict(code: str, claim: str | None, frame: int, event_id: str | None = None) -> dict:
    planted = code != "AGREE"
    at_ms = T0 + frame * STEP
    return {"code": code, "claimId": claim, "eventId": event_id, "atMs": at_ms, "planted": planted}


@pytest.fixture
def truth() -> dict:
    """100 frames of a, 100 of b, a dissolve of 20, 80 of c, 50 of slate."""
    return {
        "format": "tap-truth/1",
        "session": {"externalId": "s"},
        "program": {"frameIntervalMs": STEP},
        "frames": frames(
            live(100, "a"),
            live(100, "b"),
            (20, "transition", None, ["b", "c"]),
            live(80, "c"),
            (50, "off_camera", None, []),
        ),
        "events": [
            event("e1", "cut", 100, "b"),
            event("e2", "dissolve", 200, "c", 20 * STEP),
            event("e3", "cut", 300, None),
        ],
        "verdicts": [
            verdict("AGREE", "m1", 100, "e1"),
            verdict("MISSED", "m2", 150),
            verdict("WRONG_CAMERA", "m3", 200, "e2"),
            verdict("UNANNOUNCED", None, 300, "e3"),
        ],
        "cameras": [{"id": "a", "delayMs": 180.0}, {"id": "b", "delayMs": 200.0}],
    }


@pytest.fixture
def witness(truth: dict) -> dict:
    return perfect_witness(truth)


def figures(witness: dict, truth: dict) -> dict:
    return score(witness, truth).figures()


def test_the_perfect_witness_has_full_marks(witness, truth):
    got = figures(witness, truth)
    assert got["frames"] == 350 - 3 * 2 - 2  # two frames at each of four edges are left out
    for name in ("frameAccuracy", "coverage", "cutF1", "softF1", "softKindAccuracy"):
        assert got[name] == 1.0, name
    for name in ("verdictPrecision", "verdictRecall", "faultPrecision", "faultRecall"):
        assert got[name] == 1.0, name
    for name in ("confidentWrongRate", "brier", "calibrationError", "falseCutsPerHour"):
        assert got[name] == 0.0, name
    assert got["delayErrorMaxMs"] == 0.0


def test_a_wrong_camera_counts_frame_by_frame(witness, truth):
    witness["shots"][0] |= {"camera": "b", "cameras": ["b"], "confidence": 0.97}
    got = figures(witness, truth)
    assert got["frameAccuracy"] == pytest.approx(1 - 99 / 342)
    assert got["confidentWrongFrames"] == 99
    assert got["brier"] == pytest.approx(99 * 0.97**2 / 342)
    assert got["calibrationError"] == pytest.approx(99 * 0.97 / 342, abs=0.01)


def test_wrong_without_confidence_is_no_confident_error(witness, truth):
    witness["shots"][0] |= {"camera": "b", "cameras": ["b"], "confidence": 0.6}
    got = figures(witness, truth)
    assert got["confidentWrongFrames"] == 0
    assert got["frameAccuracy"] < 0.75


@pytest.mark.parametrize(
    ("state", "camera", "cameras"),
    [
        ("black", None, []),
        ("off_camera", None, []),
        ("transition", None, ["a", "b"]),
        ("composed", None, ["a", "b"]),
        ("ambiguous", None, ["b", "c"]),
        ("live", "c", ["c"]),
    ],
)
def test_any_wrong_assertion_is_confidently_wrong(witness, truth, state, camera, cameras):
    witness["shots"][0] |= {"state": state, "camera": camera, "cameras": cameras}
    assert figures(witness, truth)["confidentWrongFrames"] == 99


@pytest.mark.parametrize(("state", "cameras"), [("unseen", []), ("ambiguous", ["a", "c"])])
def test_leaving_it_open_is_not_right_and_not_wrong(witness, truth, state, cameras):
    witness["shots"][0] |= {"state": state, "camera": None, "cameras": cameras}
    got = figures(witness, truth)
    assert got["confidentWrongFrames"] == 0
    assert got["brier"] == 0.0
    assert got["frameAccuracy"] == pytest.approx(1 - 99 / 342)
    assert got["coverage"] == pytest.approx(1 - 99 / 342)


def test_a_coin_flip_between_twins_is_wrong(witness, truth):
    for frame in truth["frames"][:100]:
        frame |= {"state": "ambiguous", "camera": None, "cameras": ["a", "d"]}
    assert figures(witness, truth)["confidentWrongFrames"] == 99
    witness["shots"][0] |= {"state": "ambiguous", "camera": None, "cameras": ["d", "a"]}
    assert figures(witness, truth)["frameAccuracy"] == 1.0


def test_edges_are_forgiven_by_one_frame_and_no_more(witness, truth):
    def moved(by: int) -> float:
        bent = copy.deepcopy(witness)
        bent["shots"][0]["endMs"] += by * STEP
        bent["shots"][1]["startMs"] += by * STEP
        return figures(bent, truth)["frameAccuracy"]

    assert moved(1) == 1.0
    assert moved(-1) == 1.0
    assert moved(2) == pytest.approx(1 - 1 / 342)
    assert moved(-3) == pytest.approx(1 - 2 / 342)


def test_time_that_no_shot_covers_is_not_right(witness, truth):
    witness["shots"] = witness["shots"][1:]
    got = figures(witness, truth)
    assert got["frameAccuracy"] == pytest.approx(1 - 99 / 342)
    assert got["confidentWrongFrames"] == 0


@pytest.mark.parametrize(
    ("by", "f1"), [(0, 1.0), (1, 1.0), (-1, 1.0), (2, 0.5), (-2, 0.5), (40, 0.5)]
)
def test_a_cut_counts_within_one_frame(witness, truth, by, f1):
    witness["events"][0]["atMs"] += by * STEP
    assert figures(witness, truth)["cutF1"] == f1


def test_a_cut_to_another_camera_is_no_hit(witness, truth):
    witness["events"][0]["to"] = "c"
    got = figures(witness, truth)
    assert got["cutPrecision"] == got["cutRecall"] == 0.5


def test_one_true_cut_pays_for_one_told_cut(witness, truth):
    witness["events"].append({**witness["events"][0], "id": "again"})
    got = figures(witness, truth)
    assert got["cutRecall"] == 1.0
    assert got["cutPrecision"] == pytest.approx(2 / 3)
    assert got["falseCutsPerHour"] == pytest.approx(1 / (350 * 0.04 / 3600))


def test_a_dissolve_told_as_a_cut_fails_both_ways(witness, truth):
    witness["events"][1]["type"] = "cut"
    got = figures(witness, truth)
    assert got["softF1"] == 0.0
    assert got["cutPrecision"] == pytest.approx(2 / 3)


def test_soft_changes_match_by_start_or_overlap(witness, truth):
    def f1(start: int, duration: int, kind: str = "dissolve") -> tuple[float, float | None]:
        witness["events"][1] = event("x", kind, start, "c", duration * STEP)
        got = figures(witness, truth)
        return got["softF1"], got["softKindAccuracy"]

    assert f1(204, 0) == (1.0, 1.0)
    assert f1(215, 20) == (1.0, 1.0)
    assert f1(200, 20, "wipe") == (1.0, 0.0)
    assert f1(221, 20) == (0.0, None)
    assert f1(180, 15) == (0.0, None)


def test_verdicts_are_known_by_claim_or_by_moment(witness, truth):
    witness["verdicts"][1]["code"] = "AGREE"  # the missed cut, waved through
    witness["verdicts"][3]["atMs"] += 2 * STEP  # the unannounced one, misplaced
    got = figures(witness, truth)
    assert got["verdictRecall"] == got["verdictPrecision"] == 0.5
    assert got["faultRecall"] == pytest.approx(1 / 3)
    assert got["faultPrecision"] == pytest.approx(1 / 2)


def test_notes_are_free_but_invented_faults_are_not(witness, truth):
    witness["verdicts"].append(verdict("NOTED", "m9", 10))
    witness["verdicts"].append(verdict("UNSEEN", "m8", 10))
    assert figures(witness, truth)["verdictPrecision"] == 1.0
    witness["verdicts"].append(verdict("LATE", "m9", 10))
    got = figures(witness, truth)
    assert got["verdictPrecision"] == pytest.approx(4 / 5)
    assert got["faultPrecision"] == pytest.approx(3 / 4)


def test_blind_time_is_not_held_against_anyone(witness, truth):
    for frame in truth["frames"][20:60]:
        frame |= {"state": "unseen", "camera": None, "cameras": ["a"]}
    assert figures(witness, truth)["frameAccuracy"] == 1.0
    witness["events"].append(event("x", "cut", 40, "b"))
    assert figures(witness, truth)["cutPrecision"] == 1.0
    witness["shots"][0] |= {"camera": "b", "cameras": ["b"]}
    assert figures(witness, truth)["confidentWrongFrames"] > 90


def test_delay_errors(witness, truth):
    witness["cameras"] = [{"id": "a", "delayMs": 187.0}, {"id": "b", "delayMs": None}]
    got = figures(witness, truth)
    assert got["delayErrorMedianMs"] == got["delayErrorMaxMs"] == 7.0


def test_shuffled_cameras_cannot_win(witness, truth):
    names = {"a": "b", "b": "c", "c": "a"}
    for shot in witness["shots"]:
        shot["camera"] = names.get(shot["camera"])
        shot["cameras"] = [names[name] for name in shot["cameras"]]
    for one in witness["events"]:
        one["to"] = names.get(one["to"])
    got = figures(witness, truth)
    assert got["frameAccuracy"] < 0.2
    assert got["cutF1"] == 0.5  # the slate needs no camera
    assert got["confidentWrongRate"] > 0.8


def test_the_empty_witness_scores_nothing(truth):
    empty = {
        "format": "tap-witness/1", "shots": [], "events": [], "verdicts": [], "cameras": [],
    }  # fmt: skip
    got = figures(empty, truth)
    assert got["frameAccuracy"] == got["cutF1"] == got["softF1"] == got["verdictRecall"] == 0.0
    assert got["confidentWrongRate"] is None
    assert got["verdictPrecision"] is None


def test_calibration_is_measured(truth):
    honest = perfect_witness(truth, confidence=0.8)
    got = figures(honest, truth)
    assert got["calibrationError"] == pytest.approx(0.2)
    assert got["brier"] == pytest.approx(0.04)


def test_merging_pools_counts(witness, truth):
    bad = copy.deepcopy(witness)
    bad["events"] = []
    one, other = score(witness, truth), score(bad, truth)
    pooled = merge([one, other])
    assert pooled.cuts.hits == 2
    assert pooled.figures()["cutRecall"] == 0.5
    assert pooled.figures()["frames"] == 684
    assert np.array_equal(pooled.bins, one.bins + other.bins)
    assert one.cuts.hits == 2, "merging must not change the parts"


BAD = [
    (("format",), "tap-witness/2"),
    (("shots",), None),
    (("shots", 0), []),
    (("shots", 0, "state"), "on"),
    (("shots", 0, "state"), 3),
    (("shots", 0, "startMs"), float("nan")),
    (("shots", 0, "startMs"), True),
    (("shots", 0, "endMs"), 5),
    (("shots", 0, "confidence"), 1.2),
    (("shots", 0, "confidence"), None),
    (("shots", 0, "camera"), None),
    (("shots", 0, "cameras"), "a"),
    (("shots", 0, "endMs"), T0 + 10_000),
    (("events", 0, "atMs"), "now"),
    (("events", 1, "id"), "e1"),
    (("events", 0, "to"), 7),
    (("verdicts", 0, "code"), None),
    (("cameras", 0, "delayMs"), "late"),
]


@pytest.mark.parametrize(("path", "value"), BAD, ids=[str(path) for path, _ in BAD])
def test_malformed_witnesses_are_refused(witness, truth, path, value):
    part = witness
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(BadDocumentError):
        score(witness, truth)


@pytest.mark.parametrize("document", [None, [], "x", 3])
def test_what_is_no_object_is_refused(witness, truth, document):
    with pytest.raises(BadDocumentError):
        score(document, truth)
    with pytest.raises(BadDocumentError):
        score(witness, document)


def test_malformed_truth_is_refused(witness, truth):
    for key, value in (("frames", []), ("program", {}), ("program", {"frameIntervalMs": 0})):
        with pytest.raises(BadDocumentError):
            score(witness, {**truth, key: value})
    truth["frames"][5]["atMs"] = truth["frames"][4]["atMs"]
    with pytest.raises(BadDocumentError):
        score(witness, truth)


def test_the_command(tmp_path, witness, truth, capsys):
    said, so = tmp_path / "witness.json", tmp_path / "truth.json"
    said.write_text(json.dumps(witness))
    so.write_text(json.dumps(truth))
    assert main([str(said), str(so), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cutF1"] == 1.0
    assert main([str(said), str(so), str(said), str(so)]) == 0
    assert "frameAccuracy" in capsys.readouterr().out
    assert main([str(said)]) == 2
    assert main([str(so), str(so)]) == 2
    said.write_text("{")
    assert main([str(said), str(so)]) == 2
    assert main([str(tmp_path / "none"), str(so)]) == 2
    assert "Can't score" in capsys.readouterr().err
