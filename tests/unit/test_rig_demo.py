"""The demo's own arithmetic: what was planted, and whether exactly that was found."""

import json

import pytest

from tap.errors import InputError
from tap.feeds.shoot import load_shoot
from tap.report.findings import Finding, Verification
from tap.rig.demo import Mistake, compare, planted_mistakes, sample_shoot
from tap.vocabulary import Claim, ClaimType, SessionName, VerdictCode

PLANTED = [
    Mistake("MISSED", "m1", 1000.0),
    Mistake("UNANNOUNCED", None, 2000.0),
    Mistake("WRONG_CAMERA", "m3", 3000.0),
]


def finding(code: VerdictCode, at_ms: float, claim_id: str | None = None) -> Finding:
    claim = None
    if claim_id is not None:
        claim = Claim(id=claim_id, type=ClaimType.CUT, at_ms=at_ms, recv_ms=at_ms)
    return Finding(
        key=f"{code}{at_ms}", at_ms=at_ms, claim=claim, verdict=code, confidence=0.9, text="why"
    )


def checked(*findings: Finding) -> Verification:
    return Verification(session=SessionName(external_id="s"), findings=findings)


ALL = (
    finding(VerdictCode.MISSED, 1000, "m1"),
    finding(VerdictCode.UNANNOUNCED, 2400),
    finding(VerdictCode.WRONG_CAMERA, 3000, "m3"),
    finding(VerdictCode.AGREE, 4000, "m4"),
)


def test_exactly_what_was_planted():
    assert compare(PLANTED, checked(*ALL)) == ([], [])


@pytest.mark.parametrize(
    ("findings", "missing", "surplus"),
    [
        (ALL[1:], ["MISSED"], 0),
        ((*ALL, finding(VerdictCode.LATE, 5000, "m5")), [], 1),
        ((*ALL, finding(VerdictCode.UNANNOUNCED, 2500)), [], 1),
        ((ALL[0], finding(VerdictCode.UNANNOUNCED, 9000), ALL[2]), ["UNANNOUNCED"], 1),
        ((finding(VerdictCode.LATE, 1000, "m1"), *ALL[1:]), ["MISSED"], 1),
        ((finding(VerdictCode.MISSED, 1000, "m9"), *ALL[1:]), ["MISSED"], 1),
    ],
)
def test_anything_else_is_said(findings, missing, surplus):
    left, more = compare(PLANTED, checked(*findings))
    assert [mistake.code for mistake in left] == missing
    assert len(more) == surplus


def test_the_sample_shoot_is_there_and_has_three_mistakes():
    shoot = sample_shoot()
    assert len(load_shoot(shoot).cameras) == 4
    mistakes = planted_mistakes(shoot, 1000.0)
    assert sorted(m.code for m in mistakes) == ["MISSED", "UNANNOUNCED", "WRONG_CAMERA"]
    assert mistakes[0].at_ms - planted_mistakes(shoot, 0.0)[0].at_ms == 1000.0


def test_a_truth_that_is_none_is_bad_input(tmp_path):
    with pytest.raises(InputError, match=r"truth\.json"):
        planted_mistakes(tmp_path, 0.0)
    (tmp_path / "truth.json").write_text(json.dumps({"verdicts": [{}]}), "utf-8")
    with pytest.raises(InputError, match=r"truth\.json"):
        planted_mistakes(tmp_path, 0.0)
