"""verify: a session in a real ledger, with each kind of fault planted; exactly those are found."""

import json
import sqlite3

import pytest
from sample_books import EVENTS, NAME, PLANTED, Kept, keep, key, problems
from sample_session import START_MS, jpeg, sample

from tap.errors import InputError
from tap.judge import Tolerances
from tap.ledger import DirectorEventRow, EmbeddedLedger
from tap.report.findings import Fault
from tap.report.folder import picture_name
from tap.report.page import write_session_page
from tap.vocabulary import Claim, ClaimType, Shot, ShotState, VerdictCode
from tap.witness.evidence import load_witness
from tap.witness.rejudge import rejudge
from tap.witness.verify import match_rows


def with_still(claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
    at = START_MS + 31_100
    still = Claim(
        id="s1", type=ClaimType.STILL, at_ms=at, recv_ms=at, camera="cam-a", still_id="s1",
        raw={"type": "still"},
    )  # fmt: skip
    return tuple(sorted((*claims, still), key=lambda claim: claim.recv_ms))


@pytest.fixture
def kept(tmp_path) -> Kept:
    given = sample()
    return keep(tmp_path, given.witness, with_still(given.claims))


def test_an_honest_ledger_has_no_fault_and_the_director_s_mistakes_are_found(kept):
    checked = kept.verify()
    assert problems(checked) == []
    assert [finding.verdict.value for finding in checked.disagreements] == PLANTED
    assert checked.counts == {
        "AGREE": 21, "WRONG_CAMERA": 1, "MISSED": 1, "UNANNOUNCED": 1, "NOTED": 1
    }  # fmt: skip
    assert checked.exit_code == 1
    assert checked.rows == 1 + 4 + 25 + 1
    assert all(finding.ledger_verdict is finding.verdict for finding in checked.findings)


def test_a_clean_session_exits_with_0(tmp_path):
    given = sample(cuts=6, faults=False)
    checked = keep(tmp_path, given.witness, given.claims).verify()
    assert (checked.exit_code, checked.disagreements, checked.problems) == (0, (), ())


def test_a_session_that_tap_could_not_see_exits_with_3(tmp_path):
    given = sample(cuts=6, faults=False)
    blind = Shot(start_ms=START_MS, end_ms=START_MS + 17_500, state=ShotState.UNSEEN)
    witness = given.witness.model_copy(update={"shots": (blind,), "events": ()})
    checked = keep(tmp_path, witness, given.claims).verify()
    assert checked.counts == {"UNSEEN": 6}
    assert checked.exit_code == 3


def test_verify_json_holds_the_findings(kept):
    checked = kept.verify()
    document = json.loads((kept.out / "verify.json").read_text())
    assert document["format"] == "tap-verify/1"
    assert document["session"]["externalId"] == NAME
    assert document["counts"] == checked.counts
    assert document["exitCode"] == 1
    wrong = next(f for f in document["findings"] if f["verdict"] == "WRONG_CAMERA")
    assert wrong["claim"]["camera"] == "cam-b"
    assert "raw" not in wrong["claim"]
    assert (wrong["seen"]["from"], wrong["seen"]["to"]) == ("cam-a", "cam-c")
    assert (wrong["lagMs"], wrong["ledgerVerdict"]) == (143, "WRONG_CAMERA")
    assert [p["role"] for p in wrong["pictures"]] == ["before", "after", "matched", "told"]
    assert (kept.out / "report.html").read_text().startswith("<!doctype html>")


def test_page_takes_the_pictures_that_the_session_kept(kept):
    pictures = kept.folder / "evidence"
    pictures.mkdir()
    for feed, offset in [("program", 12_460), ("program", 12_500), ("cam-c", 12_320)]:
        at_ms = START_MS + offset
        (pictures / picture_name(feed, at_ms)).write_bytes(jpeg(feed, at_ms, (64, 36)))
    kept.verify()
    page = (kept.out / "report.html").read_text()
    assert page.count("<img ") == 3
    assert 'alt="Seen on program: cam-c at 0:12.320"' in page


def test_a_session_s_own_page_needs_no_ledger(kept):
    page = write_session_page(kept.folder, load_witness(kept.folder))
    assert page == kept.folder / "report.html"
    text = page.read_text()
    assert text.count("<article ") == 3
    assert "Of 23 changes that the director announced, 21 came on program as said" in text
    assert "No ledger was part of this check." in text


# ---------------------------------------------------------------- planted in the ledger


def test_a_missing_row_is_named(kept):
    kept.sql(f"""DELETE FROM "{EVENTS}" WHERE key = '{key("m7")}'""")
    checked = kept.verify()
    assert problems(checked) == [(Fault.MISSING, key("m7"))]
    assert checked.exit_code == 1


def test_the_last_row_missing_is_named_too(kept):
    last = kept.verdicts()[-1][0]
    kept.sql(f"""DELETE FROM "{EVENTS}" WHERE key = '{last}'""")
    assert problems(kept.verify()) == [(Fault.MISSING, last)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("verdict = 'AGREE'", "verdict"),
        ('"lagMs" = 100.0', "lagMs"),
        ("confidence = 0.5", "confidence"),
        ("camera = 'cam-d'", "camera"),
        ("text = 'all fine'", "text"),
        ("source = 'witness'", "source"),
        ("seen = NULL", "seen"),
        ("claim = json_set(claim, '$.camera', 'cam-d')", "claim.camera"),
        ("claim = json_set(claim, '$.raw.camera', 'cam-d')", "claim.raw.camera"),
    ],
)
def test_an_altered_row_is_named_with_the_field(kept, change, field):
    wrong = next(k for k, verdict in kept.verdicts() if verdict == "WRONG_CAMERA")
    kept.sql(f"""UPDATE "{EVENTS}" SET {change} WHERE key = '{wrong}'""")
    checked = kept.verify()
    assert problems(checked) == [(Fault.ALTERED, wrong)]
    assert f"{field}: expected" in checked.problems[0].text
    assert [finding.verdict.value for finding in checked.disagreements] == PLANTED


@pytest.mark.parametrize(
    "change", ["verdict = 'BANANA'", "claim = '{}'", "type = NULL", "text = NULL"]
)
def test_a_row_that_is_no_row_any_more_is_named(kept, change):
    kept.sql(f"""UPDATE "{EVENTS}" SET {change} WHERE key = '{key("m7")}'""")
    assert problems(kept.verify()) == [(Fault.ALTERED, key("m7"))]


def test_swapped_rows_are_named(kept):
    (one, _), (other, _) = kept.verdicts()[3:5]
    kept.sql(
        f"""UPDATE "{EVENTS}" SET seq = 5 WHERE key = '{one}'""",
        f"""UPDATE "{EVENTS}" SET seq = 4 WHERE key = '{other}'""",
    )
    assert sorted(problems(kept.verify())) == sorted(
        [(Fault.OUT_OF_ORDER, one), (Fault.OUT_OF_ORDER, other)]
    )


def test_an_invented_row_is_named(kept):
    columns = 'source, "sessionKey", type, "atMs", verdict, confidence, text'
    kept.sql(
        f"""INSERT INTO "{EVENTS}" (_id, _creationTime, key, seq, {columns})
        SELECT 'x', 1.0, 'forged', 99, {columns} FROM "{EVENTS}" WHERE key = '{key("m7")}'"""
    )
    assert problems(kept.verify()) == [(Fault.EXTRA, "forged")]


def test_rows_of_session_cameras_and_stills_are_checked_too(kept):
    kept.sql(
        'UPDATE "productionSessions" SET "startedAtMs" = 5',
        f"UPDATE \"productionCameras\" SET role = 'hero' WHERE key = '{NAME}/camera/cam-b'",
        "UPDATE \"productionStills\" SET sha256 = 'ff'",
    )
    assert problems(kept.verify()) == [
        (Fault.ALTERED, NAME),
        (Fault.ALTERED, f"{NAME}/camera/cam-b"),
        (Fault.ALTERED, f"{NAME}/still/s1"),
    ]


def test_a_row_twice_is_named(kept):
    class Doubling(EmbeddedLedger):
        def events(self, session_key, after_seq=0, limit=500):
            page = super().events(session_key, after_seq, limit)
            return tuple(row for row in page for _ in range(1 + (row.key == key("m7"))))

    store = Doubling(kept.ledger, read_only=True)
    assert problems(kept.verify(ledger=store)) == [(Fault.DUPLICATE, key("m7"))]
    store.close()


def test_several_faults_at_once_are_each_named_once(kept):
    silent = next(k for k, verdict in kept.verdicts() if verdict == "UNANNOUNCED")
    kept.sql(
        f"""DELETE FROM "{EVENTS}" WHERE key = '{silent}'""",
        f"""UPDATE "{EVENTS}" SET verdict = 'MISSED' WHERE key = '{key("m3")}'""",
        f"""DELETE FROM "{EVENTS}" WHERE key = '{key("m9")}'""",
    )
    assert sorted(problems(kept.verify())) == sorted(
        [(Fault.MISSING, silent), (Fault.ALTERED, key("m3")), (Fault.MISSING, key("m9"))]
    )


# ---------------------------------------------------------------- tampered evidence


def test_an_altered_document_does_not_match_the_digest_in_the_ledger(kept):
    file = kept.folder / "witness.json"
    file.write_text(file.read_text().replace('"confidence": 0.998', '"confidence": 0.997', 1))
    assert problems(kept.verify()) == [(Fault.ALTERED, NAME)]


def test_journal_and_ledger_altered_alike_are_found_by_judging_again(kept):
    kept.sql(f"""UPDATE "{EVENTS}" SET verdict = 'AGREE' WHERE key = '{missed(kept)}'""")
    connection = sqlite3.connect(kept.folder / "journal.sqlite")
    with connection:
        connection.execute("UPDATE outbox SET body = replace(body, '\"MISSED\"', '\"AGREE\"')")
    connection.close()
    checked = kept.verify()
    assert problems(checked) == [(Fault.DIFFERENT_VERDICT, missed(kept, "AGREE"))]
    assert "says AGREE, but what was seen gives MISSED" in checked.problems[0].text


def missed(kept: Kept, verdict: str = "MISSED") -> str:
    return key(next(f.claim.id for f in kept.verify().disagreements if f.verdict == "MISSED"))


# ---------------------------------------------------------------- without the journal


@pytest.fixture
def no_journal(kept) -> Kept:
    for file in kept.folder.glob("journal.sqlite*"):
        file.unlink()
    return kept


def test_without_a_journal_the_ledger_s_own_claims_are_judged(no_journal):
    checked = no_journal.verify()
    assert problems(checked) == []
    assert [finding.verdict.value for finding in checked.disagreements] == PLANTED


def test_without_a_journal_a_missing_row_leaves_a_hole_in_the_numbers(no_journal):
    before = no_journal.verdicts()
    place = next(i for i, (_, verdict) in enumerate(before) if verdict == "MISSED")
    no_journal.sql(f"""DELETE FROM "{EVENTS}" WHERE key = '{before[place][0]}'""")
    assert problems(no_journal.verify()) == [(Fault.MISSING, before[place + 1][0])]


def test_without_a_journal_a_changed_verdict_contradicts_what_was_seen(no_journal):
    wrong = next(k for k, verdict in no_journal.verdicts() if verdict == "WRONG_CAMERA")
    no_journal.sql(f"""UPDATE "{EVENTS}" SET verdict = 'AGREE' WHERE key = '{wrong}'""")
    assert problems(no_journal.verify()) == [(Fault.DIFFERENT_VERDICT, wrong)]


def test_without_a_journal_a_row_that_cannot_be_read_is_known_by_its_number(no_journal):
    no_journal.sql(f"""UPDATE "{EVENTS}" SET verdict = 'BANANA' WHERE seq = 1""")
    found = problems(no_journal.verify())
    assert (Fault.ALTERED, f"{NAME} seq 1") in found


# ---------------------------------------------------------------- sessions that were cut off


def test_a_session_that_was_killed_is_judged_as_far_as_it_went(tmp_path):
    given = sample()
    kept = keep(tmp_path, given.witness, given.claims, end=False)
    checked = kept.verify()
    assert problems(checked) == []
    assert [finding.verdict.value for finding in checked.disagreements] == PLANTED


def test_rows_that_still_wait_say_so(tmp_path):
    given = sample(cuts=3, faults=False)
    kept = keep(tmp_path, given.witness, given.claims)
    connection = sqlite3.connect(kept.folder / "journal.sqlite")
    with connection:
        connection.execute(f"UPDATE outbox SET state = 'pending' WHERE key = '{key('m2')}'")
    connection.close()
    assert problems(kept.verify()) == []  # the ledger has it: only the answer was lost
    kept.sql(f"""DELETE FROM "{EVENTS}" WHERE key = '{key("m2")}'""")
    checked = kept.verify()
    assert problems(checked) == [(Fault.MISSING, key("m2"))]
    assert "still waits to be sent" in checked.problems[0].text


# ---------------------------------------------------------------- without a ledger, wrong input


def test_without_a_ledger_the_verdicts_alone_are_checked(kept):
    checked = kept.verify(ledger=None)
    assert not checked.ledger_checked
    assert [finding.verdict.value for finding in checked.disagreements] == PLANTED
    assert all(finding.ledger_verdict is None for finding in checked.findings)


def test_a_session_that_is_not_there_is_a_clear_sentence(kept):
    with pytest.raises(InputError, match=rf"'other' in the ledger, which has {NAME}; give the id"):
        kept.verify("other")
    with pytest.raises(InputError, match=rf"of the session 'other', got that of '{NAME}'"):
        kept.verify("other", ledger=None)


def test_no_evidence_is_a_clear_sentence(kept, tmp_path):
    with pytest.raises(InputError, match="give the recording with --replay"):
        kept.verify(folder=None)
    with pytest.raises(InputError, match=r"expected witness.json or journal.sqlite"):
        kept.verify(folder=tmp_path / "nowhere")


def test_damaged_evidence_is_a_clear_sentence(kept):
    (kept.folder / "witness.json").write_text("{")
    with pytest.raises(InputError, match=r"witness\.json: expected JSON"):
        kept.verify()
    assert not kept.out.exists()


# ---------------------------------------------------------------- judging again, matching


def test_judging_again_gives_what_the_sample_was_made_with():
    given = sample()
    found = rejudge(NAME, given.witness, given.claims, Tolerances())
    assert {(j.verdict.code, j.verdict.claim_id, j.verdict.event_id) for j in found} == {
        (v.code, v.claim_id, v.event_id) for v in given.witness.verdicts
    }


def test_messages_with_one_id_keep_their_own_rows():
    given = sample(cuts=2, faults=False)
    again = given.claims[0].model_copy(update={"recv_ms": given.claims[0].recv_ms + 300})
    found = rejudge(NAME, given.witness, (given.claims[0], again, given.claims[1]), Tolerances())
    codes = {j.key: j.verdict.code for j in found}
    assert codes == {
        key("m1"): VerdictCode.AGREE,
        key("m1#2"): VerdictCode.DUPLICATE,
        key("m2"): VerdictCode.AGREE,
    }


def test_an_accepted_proposal_names_its_camera():
    at = START_MS + 2400
    proposal = Claim(
        id="p", type=ClaimType.PROPOSAL, at_ms=at - 900, recv_ms=at - 900, camera="cam-b"
    )
    accept = Claim(id="a", type=ClaimType.ACCEPT, at_ms=at, recv_ms=at, proposal="p")
    given = sample(cuts=1, faults=False)
    found = {j.key: j for j in rejudge(NAME, given.witness, (proposal, accept), Tolerances())}
    assert found[key("a")].verdict.code is VerdictCode.AGREE
    assert found[key("a")].claim.camera == "cam-b"


def test_a_change_seen_some_frames_off_is_still_the_same_row():
    given = sample()
    judged = rejudge(NAME, given.witness, given.claims, Tolerances())
    silent = next(j for j in judged if j.verdict.code is VerdictCode.UNANNOUNCED)

    def row(name: str, off_ms: float, camera: str | None) -> DirectorEventRow:
        return DirectorEventRow(
            key=name, session_key=NAME, seq=1, type="cut", source="witness", confidence=1, text="",
            at_ms=silent.event.at_ms + off_ms, camera=camera, verdict="UNANNOUNCED",
        )  # fmt: skip

    here = silent.event.to_camera
    rows = [row("far", 80, here), row("near", -40, here), row("other", 0, "cam-x")]
    assert match_rows([silent], rows)[silent.key].key == "near"
    assert match_rows([silent], [row("late", 501, here)]) == {}
