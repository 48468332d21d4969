"""The check's table in the terminal, and the words that page and table share."""

import pytest
from rich.console import Console
from sample_session import START_MS, cut, sample

from tap.report import wording
from tap.report.findings import Fault, LedgerProblem, Verification
from tap.report.gather import findings_of
from tap.report.table import findings_table, problems_table
from tap.vocabulary import Coverage, Shot, ShotState, Verdict, VerdictCode


def shown(table) -> list[str]:
    console = Console(width=120, color_system=None, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(table)
    return [line.rstrip() for line in console.export_text().splitlines()]


def checked(**more) -> Verification:
    given = sample(**more)
    findings = findings_of(given.witness, given.claims)
    return Verification(
        session=given.witness.session, findings=findings, coverage=given.witness.coverage
    )


def test_disagreements_come_first_and_are_marked_by_more_than_colour():
    lines = shown(findings_table(checked()))
    assert lines[0].split() == ["time", "claim", "seen", "lag", "verdict", "confidence"]
    assert [line.split("✗ ")[1].split()[0] for line in lines[1:4]] == [
        "WRONG_CAMERA", "MISSED", "UNANNOUNCED"
    ]  # fmt: skip
    assert all("✓ AGREE" in line for line in lines[5:])
    assert "cut → cam-b" in lines[1]
    assert "cut cam-a → cam-c" in lines[1]
    assert "+143 ms" in lines[1]
    assert "no change" in lines[2]
    assert "nothing" in lines[3]


def test_a_long_session_is_cut_off_and_says_so():
    lines = shown(findings_table(checked(cuts=200), most=10))
    assert len(lines) == 12
    assert "and 190 more in verify.json" in lines[-1]


def test_faults_of_the_ledger_by_key_without_markup_or_control():
    problem = LedgerProblem(fault=Fault.MISSING, table="t", key="[red]k\x1b[2J", text="gone")
    lines = shown(problems_table(checked().model_copy(update={"problems": (problem,)})))
    assert "[red]k [2J" in lines[1]


@pytest.mark.parametrize(
    ("at_ms", "words"),
    [(0, "0:00.000"), (62_345, "1:02.345"), (3_723_456, "1:02:03.456"), (-1500, "−0:01.500")],  # noqa: RUF001
)
def test_times_into_the_session(at_ms, words):
    assert wording.offset(START_MS + at_ms, START_MS) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "100 %"), (0.99996, "99.9 %"), (0.999, "99.9 %"), (0.9949, "99.5 %"), (0.0, "0.0 %")],
)
def test_a_probability_is_never_rounded_up_to_certainty(share, words):
    assert wording.percent(share) == words


@pytest.mark.parametrize(
    ("ms", "words"),
    [(400, "0.4 s"), (59_949, "59.9 s"), (185_000, "3 min 05 s"), (7_441_000, "2 h 04 min")],
)
def test_durations(ms, words):
    assert wording.length(ms) == words


def test_headline_of_a_clean_session():
    given = sample(cuts=10, faults=False)
    findings = findings_of(given.witness, given.claims)
    clean = Verification(session=given.witness.session, findings=findings, rows=17)
    assert wording.headline(given.witness.shots, clean) == (
        (
            "tap watched the program for 27.5 s; for 100 % of that it names one live camera, "
            "and it was never blind."
        ),
        (
            "Of 10 changes that the director announced, 10 came on program as said, "
            "and nothing contradicts the director."
        ),
        (
            "The ledger's 17 rows were held against tap's own evidence: "
            "none is missing, extra or altered."
        ),
    )


def test_headline_says_where_tap_was_blind_and_what_it_could_not_judge():
    given = sample(cuts=4, faults=False)
    blind = Shot(
        start_ms=given.witness.shots[-1].end_ms,
        end_ms=given.witness.shots[-1].end_ms + 2500,
        state=ShotState.UNSEEN,
    )
    verdict = Verdict(
        code=VerdictCode.UNSEEN, claim_id="m9", at_ms=blind.start_ms, confidence=0, text=""
    )
    claims = (*given.claims, cut(9, blind.start_ms, "cam-a"))
    witness = given.witness.model_copy(update={"verdicts": (*given.witness.verdicts, verdict)})
    found = Verification(
        session=witness.session,
        findings=findings_of(witness, claims),
        coverage=Coverage(unseen=((blind.start_ms, blind.end_ms, "program down"),)),
    )
    watched, judged, _ = wording.headline((*witness.shots, blind), found)
    assert "for 83.3 % of that it names one live camera, and for 2.5 s it was blind" in watched
    assert judged.startswith("Of 5 changes that the director announced, 4 came on program as said")
    assert judged.endswith("; 1 could not be judged.")
