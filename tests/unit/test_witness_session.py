"""A session from observations alone: its books, its record, its end, and being taken up again."""

import json
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from tests import made_shoot

from tap.claims import Parser, load_profile, read_claims
from tap.feeds.media import MediaReader
from tap.feeds.shoot import load_shoot
from tap.judge import Tolerances
from tap.ledger import (
    CameraFacts,
    EmbeddedLedger,
    FactKind,
    SessionFacts,
    all_events,
    read_journal,
)
from tap.report.sealed import check_folder
from tap.seal import SealCheck, Signer
from tap.sight import SightSettings
from tap.vocabulary import PROGRAM, Claim, ClaimType, Frame, ShotState, VerdictCode
from tap.witness.evidence import digest, load_witness
from tap.witness.order import Observation, in_order, place_of
from tap.witness.session import Plan, Session


@pytest.fixture(scope="module")
def observations(short_shoot) -> list[Observation]:
    """All of the short shoot, in order."""
    shoot = load_shoot(short_shoot)
    readers = [MediaReader(c.media, c.id, c.started_at_ms) for c in shoot.cameras]
    readers.append(MediaReader(shoot.program.media, PROGRAM, shoot.program.started_at_ms))
    parser = Parser(load_profile("tap"), made_shoot.CAMERAS)
    claims = read_claims(shoot.director, parser)
    return list(in_order([*(iter(reader) for reader in readers), claims]))


SIGNER = Signer.make()


def session(home: Path, at_ms: float) -> Session:
    """A session with its journal and ledger in `home`."""
    plan = Plan(
        session=SessionFacts(external_id="s", title="A shoot"),
        cameras=[CameraFacts(id=name) for name in made_shoot.CAMERAS],
        folder=home,
        store=EmbeddedLedger(home / "ledger.sqlite"),
        sight=SightSettings(),
        tolerances=Tolerances(window_ms=made_shoot.WINDOW_MS),
        signer=SIGNER,
    )
    home.mkdir(exist_ok=True)
    return Session(plan, at_ms)


def leave(one: Session) -> None:
    """As a kill would leave it, but for the lock, which goes with the process."""
    one.books._outbox.stop()
    one.books._journal.close()


def seal_of(home: Path) -> SealCheck:
    """How the session is sealed, held against the digest in its ledger where that has one."""
    state = rows_of(home)[0].final_state
    pins = [state.seal.digest] if state is not None and state.seal is not None else []
    return check_folder(home, [SIGNER.public], pins)


def rows_of(home: Path):
    with closing(EmbeddedLedger(home / "ledger.sqlite", read_only=True)) as ledger:
        return ledger.session("s"), list(all_events(ledger, "s"))


def start_of(observations: list[Observation]) -> float:
    return place_of(observations[0])[0]


def test_a_session_from_start_to_end(observations, tmp_path):
    one = session(tmp_path, start_of(observations))
    assert not one.resumed
    for observation in observations:
        one.observe(observation)
    assert one.mode == "ghost"
    assert one.counts["AGREE"] >= 3
    end = next(o for o in observations if getattr(o, "type", None) is ClaimType.SESSION_END)
    assert one.ended_ms == end.at_ms
    last_ms = place_of(observations[-1])[0]
    witness = one.finish(last_ms + 60_000, complete=True, dropped={"cam-b": 4})
    assert one.book_status.pending == 0, "its state can be asked for after the end"
    assert load_witness(tmp_path).verdicts == witness.verdicts
    assert {c.id: c.frames_dropped for c in witness.cameras} == {
        "cam-a": 0,
        "cam-b": 4,
        "cam-c": 0,
    }
    row, events = rows_of(tmp_path)
    assert (row.status, row.ended_at_ms, row.runs) == ("completed", end.at_ms, 1)
    assert row.final_state.program_camera == "cam-a"
    assert row.final_state.evidence_digest == digest(tmp_path / "witness.json")
    assert row.final_state.verdicts[VerdictCode.WRONG_CAMERA] == 1
    said = [o for o in observations if isinstance(o, Claim)]
    assert sorted(e.claim.id for e in events) == sorted(claim.id for claim in said)
    wrong = next(e for e in events if e.verdict is VerdictCode.WRONG_CAMERA)
    assert (wrong.claim.id, wrong.camera, wrong.seen.to_camera) == ("m-wrong", "cam-b", "cam-c")
    sealed = seal_of(tmp_path)
    assert (sealed.problems, sealed.closed, sealed.session) == ((), True, "s")
    pictures = {f"evidence/{path.name}" for path in (tmp_path / "evidence").iterdir()}
    assert set(sealed.files) == {*pictures, "witness.json"}
    (tmp_path / "witness.json").write_text("{}")
    assert [problem.place for problem in seal_of(tmp_path).problems] == ["file witness.json"]


def test_signs_of_life_come_often_enough_and_say_what_was_seen(observations, tmp_path):
    one = session(tmp_path, start_of(observations))
    for observation in observations:
        one.observe(observation)
        one.pass_time(place_of(observation)[0])
    last_ms = place_of(observations[-1])[0]
    for step in range(40):  # the feeds are gone; tap is not
        one.pass_time(last_ms + 500 * step)
    one.finish(last_ms + 20_000, complete=True, dropped={})
    with read_journal(tmp_path / "journal.sqlite") as journal:
        beats = [fact.body for fact in journal.records(FactKind.BEAT)]
    times = [start_of(observations), *(beat["atMs"] for beat in beats)]
    assert max(b - a for a, b in pairwise(times)) <= 5000
    frames = [beat["programFrames"] for beat in beats]
    assert frames == sorted(frames)
    assert frames[-1] == sum(getattr(o, "feed", None) == PROGRAM for o in observations)
    assert beats[0]["state"] in set(ShotState)
    assert seal_of(tmp_path).gaps == ()


def test_the_final_state_is_that_at_the_end_of_the_session(observations, tmp_path):
    one = session(tmp_path, start_of(observations))
    for observation in observations:
        one.observe(observation)
    one.core.pass_time(place_of(observations[-1])[0] + 5000)  # the feeds have gone meanwhile
    witness = one.finish(0.0, complete=True, dropped={})
    assert witness.shots[-1].state is ShotState.UNSEEN
    state = rows_of(tmp_path)[0].final_state
    assert (state.program_state, state.program_camera) == ("live", "cam-a")


def test_a_session_that_is_not_complete_stays_live(observations, tmp_path):
    one = session(tmp_path, start_of(observations))
    for observation in observations[:200]:
        one.observe(observation)
    one.finish(0.0, complete=False, dropped={})
    assert rows_of(tmp_path)[0].status == "live"


@pytest.mark.parametrize("part", [0.2, 0.55, 0.9])
def test_a_session_that_was_left_is_taken_up_with_every_row_once(observations, tmp_path, part):
    stop = int(len(observations) * part)
    one = session(tmp_path, start_of(observations))
    for observation in observations[:stop]:
        one.observe(observation)
    leave(one)
    left = seal_of(tmp_path)
    assert not left.closed
    # Of its last pictures it did not come to say anything.
    assert {problem.place.split()[0] for problem in left.problems} <= {"picture"}
    with read_journal(tmp_path / "journal.sqlite") as journal:
        before = {fact.key: fact.body for fact in journal.records()}
    two = session(tmp_path, place_of(observations[stop])[0])
    assert two.resumed
    assert len(two.claims) == sum(isinstance(o, Claim) for o in observations[:stop])
    assert two.mode == ("ghost" if part > 0.5 else None)
    for observation in observations[stop:]:
        two.observe(observation)
    two.finish(0.0, complete=True, dropped={})
    with read_journal(tmp_path / "journal.sqlite") as journal:
        after = {fact.key: fact.body for fact in journal.records()}
    assert before.items() <= after.items() or all(after[key] == before[key] for key in before)
    row, events = rows_of(tmp_path)
    assert (row.status, row.runs) == ("completed", 2)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    said = [o for o in observations if isinstance(o, Claim)]
    assert sorted(e.claim.id for e in events if e.claim) == sorted(c.id for c in said)
    sealed = seal_of(tmp_path)
    assert (sealed.problems, sealed.closed) == ((), True)
    assert {f"picture {name}" for name in sealed.found} == {p.place for p in left.problems}


def test_a_session_that_was_ended_and_not_completed_is_over(observations, tmp_path):
    """Killed between the director's last word and the completion: the next run completes."""
    one = session(tmp_path, start_of(observations))
    for observation in observations:
        one.observe(observation)
    ended_ms = one.ended_ms
    leave(one)
    two = session(tmp_path, place_of(observations[-1])[0] + 2000)
    assert two.ended_ms == ended_ms
    two.finish(0.0, complete=True, dropped={})
    row, _ = rows_of(tmp_path)
    assert (row.status, row.ended_at_ms, row.runs) == ("completed", ended_ms, 2)


def test_a_session_that_was_completed_goes_on_when_it_is_joined_again(observations, tmp_path):
    one = session(tmp_path, start_of(observations))
    for observation in observations:
        one.observe(observation)
    one.finish(0.0, complete=True, dropped={})
    two = session(tmp_path, place_of(observations[-1])[0] + 2000)
    assert two.ended_ms is None
    two.finish(0.0, complete=False, dropped={})
    row, _ = rows_of(tmp_path)
    assert (row.status, row.runs) == ("live", 2)


def test_pictures_are_kept_of_the_disagreement(observations, tmp_path):
    one = session(tmp_path, start_of(observations))
    for observation in observations:
        one.observe(observation)
    one.finish(0.0, complete=True, dropped={})
    kept = {path.name for path in (tmp_path / "evidence").iterdir()}
    assert any(PROGRAM in name for name in kept)
    assert any("cam-c" in name for name in kept)
    shown = {o.feed for o in observations if isinstance(o, Frame)}
    assert shown == {*made_shoot.CAMERAS, PROGRAM}
    assert json.loads((tmp_path / "witness.json").read_text("utf-8"))["format"] == "tap-witness/1"
