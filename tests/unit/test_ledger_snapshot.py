"""Snapshot ZIPs: what is written is read back; what is no snapshot is refused, whatever it is."""

import json
import zipfile

import pytest

from tap.errors import InputError
from tap.ledger import (
    BookError,
    CameraRow,
    DirectorEventRow,
    EmbeddedLedger,
    FinalState,
    SessionRow,
    SnapshotLedger,
    StillRow,
    Tables,
    all_events,
    all_stills,
    snapshot,
    write_snapshot,
)
from tap.ledger.carry import carry, tables_of
from tap.vocabulary import Claim

EVENTS = "productionDirectorEvents"


def event(n, **more):
    fields = {"key": f"s/seen/e{n}", "session_key": "s", "type": "cut", "source": "witness"}
    fields |= {"at_ms": 1.0 * n, "verdict": "UNANNOUNCED", "confidence": 0.5, "text": "…"}
    return DirectorEventRow(**(fields | {"seq": n} | more))


@pytest.fixture
def ledger(tmp_path):
    ledger = EmbeddedLedger(tmp_path / "ledger.sqlite")
    ledger.start_session(SessionRow(key="s", external_id="s", started_at_ms=1, title="Größe"))
    ledger.upsert_cameras([CameraRow(key="s/camera/a", session_key="s", camera_id="a", rev=2)])
    claim = Claim(id="m", type="cut", at_ms=1, recv_ms=1, raw={"n": 3, "deep": [{"x": 1}, True]})
    ledger.append_events([event(1), event(2, claim=claim), event(3)])
    ledger.add_stills(
        [StillRow(key="s/still/1", session_key="s", still_id="1", camera_id="a", at_ms=1,
                  kind="marker")]
    )  # fmt: skip
    ledger.complete_session("s", 9.0, FinalState(shots=2))
    yield ledger
    ledger.close()


@pytest.fixture
def zipped(ledger, tmp_path):
    return write_snapshot(tmp_path / "s.zip", tables_of(ledger, ledger.sessions()))


def test_what_is_written_is_read_back(ledger, zipped):
    read = SnapshotLedger(zipped)
    assert read.sessions() == ledger.sessions()
    assert read.session("s") == ledger.session("s")
    assert read.session("t") is None
    assert read.cameras("s") == ledger.cameras("s")
    assert tuple(all_events(read, "s")) == tuple(all_events(ledger, "s"))
    assert tuple(all_stills(read, "s")) == tuple(all_stills(ledger, "s"))
    assert read.faults("s") == []


def test_it_has_the_layout_and_the_numbers_of_convex(zipped):
    with zipfile.ZipFile(zipped) as archive:
        names = set(archive.namelist())
        lines = archive.read(f"{EVENTS}/documents.jsonl").decode().splitlines()
        tables = [json.loads(x) for x in archive.read("_tables/documents.jsonl").splitlines()]
    assert {"README.md", f"{EVENTS}/generated_schema.jsonl"} <= names
    assert {"name": EVENTS, "id": 10003} in tables
    assert '"seq":1.0' in lines[0]
    assert '"n":3.0' in lines[1]
    assert "_id" not in json.loads(lines[0])


def test_it_can_be_carried_into_another_ledger_once(zipped, tmp_path):
    source = SnapshotLedger(zipped)
    target = EmbeddedLedger(tmp_path / "other.sqlite")
    done = carry(source, source.sessions(), target)
    assert (done.sessions, done.written, done.known) == (1, 6, 0)
    assert target.session("s").status == "completed"
    assert tuple(all_events(target, "s")) == tuple(all_events(source, "s"))
    again = carry(source, source.sessions(), target)
    assert (again.written, again.known) == (0, 6)
    target.close()


def pack(path, **tables):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in tables.items():
            archive.writestr(f"{name}/documents.jsonl", lines)
    return path


def documents(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_rows_that_are_none_and_rows_that_nobody_owns_are_named(tmp_path):
    session = SessionRow(key="s", external_id="s", started_at_ms=1).document()
    good, bad = event(1).document(), event(2).document() | {"seq": "two"}
    lost = event(3).document() | {"sessionKey": "gone"}
    odd = event(4).document() | {"atMs": {"$float": "AAAAAAAA+H8="}, "seq": 4.0, "_id": "x"}
    path = pack(
        tmp_path / "s.zip",
        productionSessions=documents(session),
        productionDirectorEvents=documents(good, bad, lost, odd),
    )
    read = SnapshotLedger(path)
    found = {fault.key: fault for fault in read.faults("s")}
    assert set(found) == {"s/seen/e2", "s/seen/e3"}
    assert found["s/seen/e3"].orphan
    assert not found["s/seen/e2"].orphan
    assert [row.key for row in all_events(read, "s")] == ["s/seen/e1", "s/seen/e4"]


def test_a_session_that_is_there_twice_is_named(tmp_path):
    row = SessionRow(key="s", external_id="s", started_at_ms=1).document()
    path = pack(tmp_path / "s.zip", productionSessions=documents(row, row))
    [fault] = SnapshotLedger(path).faults("s")
    assert fault.double


def test_a_session_row_that_is_none_is_told(tmp_path):
    path = pack(tmp_path / "s.zip", productionSessions=documents({"externalId": "s", "key": "s"}))
    with pytest.raises(BookError, match="can't be read"):
        SnapshotLedger(path).session("s")


class TestHostile:
    def test_no_zip_and_no_snapshot(self, tmp_path):
        (tmp_path / "a").write_bytes(b"not a zip")
        for path in (tmp_path / "a", tmp_path / "nowhere.zip", pack(tmp_path / "b", other="")):
            with pytest.raises(InputError, match="expected a snapshot ZIP"):
                SnapshotLedger(path)

    @pytest.mark.parametrize("line", ["{", "[1]", "nothing", "[" * 100_000, '"x"'])
    def test_lines_that_are_no_documents(self, tmp_path, line):
        path = pack(tmp_path / "s.zip", productionSessions=line + "\n")
        with pytest.raises(InputError, match="line 1 of productionSessions"):
            SnapshotLedger(path)

    def test_a_bomb_is_stopped_while_it_unpacks(self, tmp_path, monkeypatch):
        monkeypatch.setattr(snapshot, "MAX_UNPACKED", 3 * 2**20)
        path = pack(tmp_path / "s.zip", productionSessions="{}\n" * 2_000_000)
        assert path.stat().st_size < 100_000
        with pytest.raises(InputError, match="when unpacked"):
            SnapshotLedger(path)

    def test_a_line_without_an_end_is_stopped(self, tmp_path):
        path = pack(tmp_path / "s.zip", productionSessions=" " * (8 * 2**20))
        with pytest.raises(InputError, match="a line of more than"):
            SnapshotLedger(path)

    def test_too_many_rows_are_stopped(self, tmp_path, monkeypatch):
        monkeypatch.setattr(snapshot, "MAX_ROWS", 10)
        path = pack(tmp_path / "s.zip", productionSessions="{}\n" * 11)
        with pytest.raises(InputError, match="more than 10 rows"):
            SnapshotLedger(path)

    def test_paths_that_lead_elsewhere_are_never_followed(self, tmp_path):
        path = tmp_path / "deep" / "s.zip"
        path.parent.mkdir()
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../../evil/documents.jsonl", "{}")
            archive.writestr("/etc/evil", "{}")
            archive.writestr("productionSessions/documents.jsonl", "")
        assert SnapshotLedger(path).sessions() == ()
        assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["s.zip"]

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_table_that_is_there_twice_is_refused(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
            for _ in range(2):
                archive.writestr("productionSessions/documents.jsonl", "")
        with pytest.raises(InputError, match="more than once"):
            SnapshotLedger(tmp_path / "s.zip")

    def test_a_damaged_member_is_told(self, tmp_path):
        path = pack(tmp_path / "s.zip", productionSessions="{}\n" * 5000)
        data = bytearray(path.read_bytes())
        data[80:90] = b"\xff" * 10
        path.write_bytes(data)
        with pytest.raises(InputError, match="expected a snapshot ZIP"):
            SnapshotLedger(path)

    def test_a_place_that_can_not_be_written(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match="place to write"):
            write_snapshot(tmp_path / "file" / "s.zip", Tables())
