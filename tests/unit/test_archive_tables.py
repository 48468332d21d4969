"""An archive's tables and the questions to them."""

import pytest

from tap.archive.identity import Material
from tap.archive.jobs import JobTable
from tap.archive.questions import Question, ask
from tap.archive.run import Outcome
from tap.archive.tables import COLUMNS, export
from tap.clock import ManualClock
from tap.errors import InputError
from tap.vocabulary import (
    CameraSeen,
    Coverage,
    Event,
    EventType,
    SessionName,
    Shot,
    ShotState,
    Verdict,
    VerdictCode,
    Witness,
)
from tap.witness.evidence import write_witness

T = 1_789_000_000_000.0


def witness(name, delay_ms, codes):
    """A minute: cam-a 20 s, cam-b 40 s; a cut, a dissolve and a freeze."""
    return Witness(
        session=SessionName(external_id=name),
        shots=(
            Shot(start_ms=T, end_ms=T + 20_000, state=ShotState.LIVE, camera="cam-a"),
            Shot(start_ms=T + 20_000, end_ms=T + 60_000, state=ShotState.LIVE, camera="cam-b"),
        ),
        events=(
            Event(id="e1", type=EventType.CUT, at_ms=T + 20_000, from_camera="cam-a"),
            Event(id="e2", type=EventType.DISSOLVE, at_ms=T + 30_000),
            Event(id="e3", type=EventType.FREEZE, at_ms=T + 40_000),
        ),
        verdicts=tuple(
            Verdict(code=code, at_ms=T + n, lag_ms=100.0 + n, confidence=0.9, text="it's so")
            for n, code in enumerate(codes)
        ),
        cameras=(
            CameraSeen(
                id="cam-a",
                delay_ms=delay_ms,
                delay_low_ms=delay_ms - 5,
                delay_high_ms=delay_ms + 5,
                frames_dropped=2,
                gaps=((T, T + 500, "no frames"),),
                delays=((T, delay_ms, 0, 1), (T + 5000, delay_ms + 3, 0, 1)),
            ),
            CameraSeen(id="cam-b"),
        ),
        coverage=Coverage(program_frames=1500, unseen=((T, T + 10, "it's gone"),)),
    )


@pytest.fixture
def archive(tmp_path):
    agree, late, unseen = VerdictCode.AGREE, VerdictCode.LATE, VerdictCode.UNSEEN
    table = JobTable(tmp_path / "jobs.sqlite", ManualClock())
    shoots = {"one": (180.0, (agree, agree, agree, late)), "two": (240.0, (agree, unseen))}
    table.enter([(f"/x/{n}", Material("d", 1)) for n in (*shoots, "bad")], "p", lambda job: True)
    while (job := table.claim("far-host 1")) is not None:
        if job.name == "bad":
            table.failed(job, "no shoot", 2)
            continue
        write_witness(
            tmp_path / "shoots" / job.name / "witness.json", witness("s", *shoots[job.name])
        )
        table.done(job, f"digest-{job.name}", 1.0)
    jobs = table.jobs()
    table.close()
    export(jobs, tmp_path)
    return tmp_path, jobs


def named(answer):
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def test_the_tables_hold_what_the_records_say(archive):
    out, _ = archive
    counts = {name: ask(out, f"SELECT count(*) FROM {name}").rows[0][0] for name in COLUMNS}
    assert counts == {
        "shoots": 2,
        "shots": 4,
        "events": 6,
        "verdicts": 6,
        "cameras": 4,
        "delays": 4,
        "unseen": 4,
    }
    sql = "SELECT shoot, place, program_frames, end_ms - start_ms, digest FROM shoots ORDER BY 1"
    assert ask(out, sql).rows[0] == ("one", "/x/one", 1500, 60_000.0, "digest-one")
    gaps = ask(out, "SELECT feed, reason FROM unseen WHERE shoot = 'two' ORDER BY feed").rows
    assert gaps == [("cam-a", "no frames"), ("program", "it's gone")]
    assert not list(out.glob(".tables-*"))


def test_rhythm(archive):
    rows = {row["shoot"]: row for row in named(ask(archive[0], Question.RHYTHM))}
    assert list(rows) == ["one", "two", "all"]
    one, every = rows["one"], rows["all"]
    assert (one["minutes"], one["changes"], one["changes_per_min"], one["soft"]) == (1, 2, 2, 1)
    assert (one["shot_median_s"], one["shot_longest_s"]) == (30, 40)
    assert (every["minutes"], every["changes"], every["live_shots"]) == (2, 4, 4)


def test_agreement_counts_what_was_decided(archive):
    rows = {row["shoot"]: row for row in named(ask(archive[0], Question.AGREEMENT))}
    assert [rows[name]["agreement_rate"] for name in ("one", "two", "all")] == [0.75, 1.0, 0.8]
    assert (rows["all"]["undecided"], rows["all"]["late_or_early"]) == (1, 1)


def test_delay_of_each_camera_over_all_shoots(archive):
    a, b = named(ask(archive[0], Question.DELAY))
    assert (a["camera"], a["shoots"], a["measured"]) == ("cam-a", 2, 2)
    assert (a["delay_min_ms"], a["delay_median_ms"], a["delay_max_ms"]) == (180, 210, 240)
    assert (a["interval_median_ms"], a["wander_median_ms"], a["frames_dropped"]) == (10, 3, 4)
    assert (b["camera"], b["measured"], b["delay_median_ms"]) == ("cam-b", 0, None)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM read_csv('/etc/hostname')", "Permission"),
        ("SELECT * FROM '/etc/hostname'", "etc/hostname"),
        ("COPY shots TO 'x.csv'", "one SELECT"),
        ("DROP VIEW shots", "one SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("SET enable_external_access = true", "one SELECT"),
        ("", "one SELECT"),
        ("SELECT nothing FROM shots", "nothing"),
        ("SELEC", "SELEC"),
    ],
)
def test_questions_read_the_tables_and_nothing_else(archive, sql, said):
    with pytest.raises(InputError, match=said):
        ask(archive[0], sql)


def test_an_archive_without_tables_says_how_to_get_them(tmp_path):
    with pytest.raises(InputError, match="tap archive export"):
        ask(tmp_path, Question.DELAY)


def test_the_digest_of_all_is_of_what_was_found(archive):
    _, jobs = archive
    outcome = Outcome(tuple(jobs))
    assert (outcome.digest, outcome.exit_code) == (None, 2)
    good = Outcome(tuple(job for job in jobs if job.name != "bad"))
    assert good.digest == Outcome(tuple(reversed(good.jobs))).digest
    assert good.exit_code == 0
