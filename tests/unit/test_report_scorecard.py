"""The scorecard, the curves of delay and the data of the timeline that can be zoomed."""

import json

import pytest
from sample_session import START_MS, Sample, cut, sample
from typer.testing import CliRunner

from tap.cli.app import app
from tap.ledger import Bookkeeper, CameraFacts, EmbeddedLedger, Journal, SessionFacts
from tap.report.curves import curves, drift_ppm
from tap.report.explorer import explorer_data
from tap.report.findings import Verification
from tap.report.gather import findings_of
from tap.report.scorecard import score
from tap.report.timeline import draw
from tap.vocabulary import CameraSeen, SessionName, Verdict, VerdictCode, Witness
from tap.witness.evidence import write_witness


def scored(given: Sample):
    return score(given.witness, findings_of(given.witness, given.claims))


def test_figures_are_counted_from_the_record():
    figures = dict(scored(sample()).figures)
    # 24 cuts of which one was not announced, one never came, one went to another camera.
    assert figures["Changes announced"] == "23"
    assert figures["Changes seen"] == "23"
    assert figures["Never happened"] == "1"
    assert figures["Not announced"] == "1"
    assert figures["Wrong camera"] == "1"
    assert figures["Call to air, median"] == "+143 ms"
    assert figures["Shot length, median"] == "2.5 s"
    assert figures["Shortest and longest shot"] == "2.5 s, 5.0 s"
    assert figures["Changes a minute"] == "22.1"


def test_charts_count_every_value_once():
    card = scored(sample())
    by_title = {chart.title: chart for chart in card.charts}
    assert [(label, count) for label, count, _ in by_title["Call to air"].bars] == [
        ("100 to 200", 21)
    ]
    assert sum(count for _, count, _ in by_title["Shot lengths"].bars) == 24
    assert sum(count for _, count, _ in by_title["Rhythm"].bars) == 23
    assert max(share for _, _, share in by_title["Rhythm"].bars) == 1.0


def test_shares_of_the_cameras_make_up_the_program():
    card = scored(sample(faults=False))
    assert sum(float(share.split()[0]) for _, _, share, _ in card.shares) == pytest.approx(
        100, abs=0.3
    )
    assert sum(times for *_, times in card.shares) == 25


def test_a_lag_beyond_all_bins_is_still_counted():
    given = sample(cuts=2, faults=False)
    late = given.witness.verdicts[0].model_copy(update={"code": "LATE", "lag_ms": -9000.0})
    witness = given.witness.model_copy(update={"verdicts": (late, given.witness.verdicts[1])})
    card = score(witness, findings_of(witness, given.claims))
    bars = card.charts[0].bars
    assert bars[0][:2] == ("under -200", 1)
    assert bars[-1][:2] == ("100 to 200", 1)
    assert sum(count for _, count, _ in bars) == 2


def test_nothing_seen_is_nothing_scored():
    card = score(Witness(session=SessionName(external_id="s")), ())
    assert card.charts == ()
    assert dict(card.figures)["Changes a minute"] == "–"  # noqa: RUF001


# ---------------------------------------------------------------- delays


def camera(delays) -> CameraSeen:
    points = tuple((START_MS + at, d, d - 10, d + 10) for at, d in delays)
    return CameraSeen(id="cam-a", delay_ms=points[-1][1] if points else None, delays=points)


def test_drift_is_the_slope_of_the_delay():
    points = camera([(n * 10_000, 180 + n * 0.5) for n in range(60)]).delays
    assert drift_ppm(points) == pytest.approx(50.0)
    assert drift_ppm(points[:5]) is None, "less than a minute says nothing"


def test_a_curve_says_jumps_in_words_and_stays_in_its_frame():
    steps = [(n * 10_000, 180.0 if n < 30 else 400.0) for n in range(60)]
    [curve] = curves([camera(steps), camera([(0, 1.0)]), camera([])], START_MS, START_MS + 600_000)
    said = "From 180 to 400 ms, between 180 and 400; 1 jump of 60 ms or more."
    assert curve.words == said, "a straight line through a jump says nothing"
    numbers = [tuple(map(float, p.split(","))) for p in f"{curve.line} {curve.band}".split()]
    assert all(52 <= x <= 550 and 8 <= y <= 100 for x, y in numbers)
    assert [label for _, label in curve.ticks] == ["170 ms", "290 ms", "410 ms"]


def test_a_curve_says_drift_in_words():
    [curve] = curves(
        [camera([(n * 1e4, 180 + n * 0.5) for n in range(60)])], START_MS, START_MS + 6e5
    )
    assert curve.words == "From 180 to 210 ms, between 180 and 210; drift +50 ppm."
    [still] = curves([camera([(n * 1e4, 180.0) for n in range(60)])], START_MS, START_MS + 6e5)
    assert still.words.endswith("; drift +0 ppm.")


def test_a_flat_delay_looks_flat():
    [curve] = curves([camera([(0, 180.0), (9000, 181.0)])], START_MS, START_MS + 10_000)
    ys = [float(p.split(",")[1]) for p in curve.line.split()]
    assert max(ys) - min(ys) < 5


# ---------------------------------------------------------------- the timeline's data


def explored(given: Sample):
    findings = findings_of(given.witness, given.claims)
    numbers = {f.key: n for n, f in enumerate((f for f in findings if f.disagrees), start=1)}
    drawn = draw(given.witness, findings, numbers)
    return json.loads(explorer_data(given.witness, findings, drawn, numbers))


def test_the_data_have_what_was_said_and_what_was_seen():
    given = sample(cuts=4, faults=False)
    data = explored(given)
    assert [name for name, _ in data["cameras"]] == ["cam-a", "cam-b", "cam-c", "cam-d"]
    assert [shot[:2] for shot in data["shots"]] == [
        [0, 2500], [2500, 5000], [5000, 7500], [7500, 10_000], [10_000, 12_500]
    ]  # fmt: skip
    assert [shot[3] for shot in data["shots"]] == [[0], [1], [2], [3], [0]]
    assert data["told"] == [
        [2357, 4857, 1], [4857, 7357, 2], [7357, 9857, 3], [9857, 12_500, 0]
    ]  # fmt: skip
    assert [verdict[2:] for verdict in data["verdicts"]] == [[0, 0]] * 4


def test_disagreements_bear_their_numbers_in_the_data():
    data = explored(sample())
    wrong = [v for v in data["verdicts"] if v[2] == 1]
    assert [v[3] for v in wrong] == [1, 2, 3]
    assert [data["codes"][v[1]] for v in wrong] == ["WRONG_CAMERA", "MISSED", "UNANNOUNCED"]


def test_messages_far_away_stay_on_the_edge():
    given = sample(cuts=2, faults=False)
    stray = cut(99, 0.0, "cam-b")
    verdict = Verdict(
        code=VerdictCode.CLOCK_SUSPECT, claim_id="m99", at_ms=0, confidence=1, text=""
    )
    witness = given.witness.model_copy(update={"verdicts": (*given.witness.verdicts, verdict)})
    data = explored(Sample(witness, (*given.claims, stray)))
    assert data["told"][0] == [0, 2357, 1]


# ---------------------------------------------------------------- the command


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A session in tap's home, as a live one leaves it."""
    monkeypatch.setenv("TAP_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    given = sample()
    folder = tmp_path / "sessions" / given.witness.session.external_id
    folder.mkdir(parents=True)
    store = EmbeddedLedger(tmp_path / "elsewhere.sqlite")
    books = Bookkeeper(
        Journal(folder / "journal.sqlite"), store, external_id=given.witness.session.external_id
    )
    books.begin(
        SessionFacts(given.witness.session.external_id), [CameraFacts(id="cam-a")], START_MS
    )
    for claim in given.claims:
        books.claim(claim)
    books.close()
    store.close()
    write_witness(folder / "witness.json", given.witness)
    return folder


def tap(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_report_writes_the_page_of_a_session(record):
    done = tap("report", "--session", record.name)
    assert done.exit_code == 0, done.output
    page = (record / "report.html").read_text()
    assert "3 disagreements were found" in page
    assert "No ledger was part of this check." in page
    assert tap("report", str(record), "--out", str(record / "again.html")).exit_code == 0
    assert (record / "again.html").read_text() == page


def test_report_keeps_what_verify_found_of_the_ledger(record):
    given = sample()
    checked = Verification(
        session=given.witness.session, findings=findings_of(given.witness, given.claims), rows=24,
        cameras=given.witness.cameras, coverage=given.witness.coverage,
    )  # fmt: skip
    (record / "verify.json").write_text(checked.to_json())
    assert tap("report", "--session", record.name).exit_code == 0
    page = (record / "report.html").read_text()
    assert "24 rows were held against" in page
    write_witness(record / "witness.json", given.witness)  # seen anew: the check is of the past
    import os

    os.utime(record / "verify.json", ns=(1, 1))
    assert tap("report", "--session", record.name).exit_code == 0
    assert "No ledger was part of this check." in (record / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--session", "../../etc"], "expected the id of a session"),
        (["--session", "none"], "expected the record of a session"),
        (["nowhere"], "expected the record of a session"),
        (["folder", "--session", "both"], "expected one session"),
    ],
)
def test_a_session_that_is_not_there_is_one_sentence(record, arguments, said):
    done = tap("report", *arguments)
    assert said in str(done.exception)
    done = tap("export", *arguments, "--to", "edl")
    assert said in str(done.exception)


def test_export_finds_a_live_session_and_its_messages(record):
    done = tap("export", "--session", record.name, "--to", "csv", "--as-told", "--rate", "25")
    assert done.exit_code == 0, done.output
    rows = (record / "cuts-as-told.csv").read_text().splitlines()
    assert len(rows) == 1 + 1 + 23
    assert rows[1].split(",")[11] == "untold"
