"""tap's own evidence: the document is exact and checked, the pictures are found by time."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_session import START_MS, jpeg, sample

from tap.errors import InputError
from tap.feeds.media import MediaReader
from tap.feeds.shoot import load_shoot
from tap.report.findings import Pick
from tap.report.folder import PICTURES_FOLDER, FolderPictures, journalled_claims, picture_name
from tap.report.gather import findings_of
from tap.vocabulary import PROGRAM, Event, EventType, SessionName, Witness
from tap.witness.evidence import ShootPictures, load_witness, witness_text, write_witness
from tap.witness.replay import replay


def test_document_comes_back_as_it_was_written(tmp_path):
    witness = sample().witness
    path = write_witness(tmp_path / "witness.json", witness)
    assert load_witness(path) == witness
    assert load_witness(tmp_path) == witness
    assert [file.name for file in tmp_path.iterdir()] == ["witness.json"]


def test_document_has_the_names_of_the_format(tmp_path):
    document = json.loads(witness_text(sample(cuts=2).witness))
    assert list(document) == [
        "format", "session", "shots", "events", "verdicts", "cameras", "coverage"
    ]  # fmt: skip
    assert document["format"] == "tap-witness/1"
    assert list(document["events"][0])[:6] == ["id", "type", "atMs", "durationMs", "from", "to"]
    assert document["verdicts"][0]["claimId"] == "m1"


def test_equal_sessions_give_equal_bytes_and_one_item_a_line():
    text = witness_text(sample(cuts=5).witness)
    assert text == witness_text(sample(cuts=5).witness)
    assert text.endswith("}\n")
    assert sum(line.startswith('    {"id": "e') for line in text.splitlines()) == 5


@pytest.mark.parametrize(
    ("number", "written"),
    [(143.0, "143"), (0.99849, "0.998"), (-0.0001, "0"), (1789000000000.1234, "1789000000000.123")],
)
def test_numbers_have_one_way_to_be_written(number, written):
    event = Event(id="e", type=EventType.CUT, at_ms=number)
    text = witness_text(Witness(session=SessionName(external_id="s"), events=(event,)))
    assert f'"atMs": {written},' in text


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
@settings(max_examples=50, deadline=None)
def test_writing_what_was_read_changes_nothing(number):
    event = Event(id="e", type=EventType.CUT, at_ms=number)
    text = witness_text(Witness(session=SessionName(external_id="s"), events=(event,)))
    assert witness_text(Witness.model_validate_json(text)) == text


def test_not_a_number_is_never_written():
    event = Event(id="e", type=EventType.CUT, at_ms=float("nan"))
    with pytest.raises(ValueError, match="finite"):
        witness_text(Witness(session=SessionName(external_id="s"), events=(event,)))


GOOD = witness_text(sample(cuts=3).witness)


@pytest.mark.parametrize(
    ("damaged", "sentence"),
    [
        ("", "expected JSON"),
        (GOOD[: len(GOOD) // 2], "expected JSON"),
        ("[" * 100_000, "expected JSON"),
        ("[]", "expected a document of format tap-witness/1, got 'list'"),
        ('{"format": "tap-shoot/1"}', "expected a document of format tap-witness/1"),
        ('{"format": "tap-witness/1"}', "session: Field required"),
        (GOOD.replace('"type": "cut"', '"type": "jump"', 1), "events.0.type"),
        (GOOD.replace('"confidence": 0.998', '"confidence": "high"', 1), "shots.0.confidence"),
        (GOOD.replace('"confidence": 0.998', '"confidence": NaN', 1), "NaN is no number"),
        (GOOD.replace('"confidence": 0.998', '"confidence": 1e999', 1), "finite"),
        (GOOD.replace('"id": "e2"', '"id": "e1"', 1), "expected one event of id 'e1', got more"),
        (GOOD.replace('"id": "cam-b"', '"id": "../b"', 1), "expected a camera id, got '../b'"),
        (GOOD.replace('"id": "cam-b"', '"id": "program"', 1), "expected a camera id"),
        (GOOD.replace('"id": "cam-b"', '"id": "cam-a"', 1), "expected one camera of id 'cam-a'"),
        (GOOD.replace(f'"startMs": {START_MS:.0f}', '"startMs": 9e15', 1), "ends before it starts"),
        (GOOD.replace(f'"endMs": {START_MS + 2500:.0f}', '"endMs": 9e15', 1), "overlaps"),
    ],
)
def test_a_damaged_document_is_one_clear_sentence(tmp_path, damaged, sentence):
    file = tmp_path / "witness.json"
    file.write_text(damaged, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_witness(file)
    said = str(caught.value)
    assert said.startswith(str(file))
    assert sentence in said
    assert len(said) < 600
    assert "\n" not in said


def test_a_document_that_is_not_there_not_text_or_too_big(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="there is no such file"):
        load_witness(tmp_path)
    file = tmp_path / "witness.json"
    file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="expected UTF-8"):
        load_witness(file)
    monkeypatch.setattr("tap.witness.evidence.MAX_WITNESS_BYTES", 3)
    with pytest.raises(InputError, match="expected at most 3 bytes, got 4"):
        load_witness(file)


class TestFolderPictures:
    """Pictures by source and time."""

    @pytest.fixture
    def pictures(self, tmp_path: Path) -> FolderPictures:
        for feed, at_ms in [("cam-a", 1000), ("cam-a", 1040), ("cam-a", 1080), ("cam-a-1", 1055)]:
            (tmp_path / picture_name(feed, at_ms)).write_bytes(f"{feed} {at_ms}".encode())
        for other in ("notes.txt", "cam-a-.jpg", "cam-a-12x.jpg", "-5.jpg"):
            (tmp_path / other).write_bytes(b"not a picture")
        (tmp_path / "cam-a-1050.jpg").mkdir()
        return FolderPictures(tmp_path, tolerance_ms=100)

    @pytest.mark.parametrize(
        ("at_ms", "pick", "found"),
        [
            (1041, Pick.NEAREST, 1040),
            (1065, Pick.NEAREST, 1080),
            (1040, Pick.LAST_BEFORE, 1000),
            (1040.5, Pick.LAST_BEFORE, 1040),
            (1040, Pick.FIRST_FROM, 1040),
            (1041, Pick.FIRST_FROM, 1080),
            (900, Pick.NEAREST, 1000),
            (899, Pick.NEAREST, None),
            (1000, Pick.LAST_BEFORE, None),
            (1081, Pick.FIRST_FROM, None),
            (1180, Pick.NEAREST, 1080),
            (1181, Pick.NEAREST, None),
        ],
    )
    def test_the_picture_that_is_meant(self, pictures, at_ms, pick, found):
        still = pictures.at("cam-a", at_ms, pick)
        assert (still and still.at_ms) == found
        if still is not None:
            assert still.jpeg == f"cam-a {found}".encode()

    def test_a_camera_whose_name_ends_in_a_number_is_not_mixed_up(self, pictures):
        still = pictures.at("cam-a-1", 1055)
        assert still is not None
        assert still.jpeg == b"cam-a-1 1055"

    def test_no_folder_no_feed_no_picture(self, pictures, tmp_path):
        assert pictures.at("cam-z", 1000) is None
        assert FolderPictures(tmp_path / "absent").at("cam-a", 1000) is None

    def test_a_picture_gone_since_it_was_listed_is_none(self, pictures, tmp_path):
        assert pictures.at("cam-a", 1000) is not None
        (tmp_path / picture_name("cam-a", 1000)).unlink()
        assert pictures.at("cam-a", 1000) is None

    def test_a_huge_file_is_not_read(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tap.report.folder.MAX_PICTURE_BYTES", 10)
        (tmp_path / picture_name("cam-a", 5)).write_bytes(jpeg("cam-a", START_MS, (8, 8)))
        assert FolderPictures(tmp_path).at("cam-a", 5) is None


def test_pictures_of_a_recording_bear_their_own_times(short_shoot):
    """Both sides of a change are two pictures: were they named alike, one would cover the other."""
    shoot = load_shoot(short_shoot)
    pictures = ShootPictures(shoot)
    program = shoot.program
    frames = [f.at_ms for f in MediaReader(program.media, PROGRAM, program.started_at_ms)]
    at_ms = frames[40]
    before = pictures.at(PROGRAM, at_ms, Pick.LAST_BEFORE)
    after = pictures.at(PROGRAM, at_ms, Pick.FIRST_FROM)
    assert (before.at_ms, after.at_ms) == (frames[39], frames[40])
    assert before.jpeg != after.jpeg
    coded = [f.encoded for f in MediaReader(program.media, PROGRAM, program.started_at_ms)]
    assert (before.jpeg, after.jpeg) == (coded[39], coded[40]), "the camera's own bytes"
    between = at_ms - 7
    assert pictures.at(PROGRAM, between, Pick.LAST_BEFORE).at_ms == frames[39]
    assert pictures.at(PROGRAM, between, Pick.FIRST_FROM).at_ms == frames[40]
    assert pictures.at(PROGRAM, between).at_ms == frames[39]
    assert pictures.at(PROGRAM, frames[-1] + 900, Pick.FIRST_FROM).at_ms == frames[-1]


def test_a_replay_keeps_both_sides_of_every_disagreement(short_shoot, tmp_path):
    witness = replay(short_shoot, tmp_path / "seen")
    kept = FolderPictures(tmp_path / "seen" / PICTURES_FOLDER)
    wrong = [f for f in findings_of(witness, journalled_claims(tmp_path / "seen")) if f.disagrees]
    assert wrong
    for finding in wrong:
        for ref in finding.pictures:
            assert kept.at(ref.feed, ref.at_ms, ref.pick) is not None, ref
