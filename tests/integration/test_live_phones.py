"""A session in which the phones speak too: their events are claims, kept, recorded and replayed."""

import json
import threading
from contextlib import closing

import pytest
from tests.director_wire import wire
from tests.small_shoot import make_small_shoot

from tap.clock import SystemClock
from tap.config import load_config
from tap.ledger import all_events
from tap.rig.serve import RigServer
from tap.witness.doctor import examine
from tap.witness.examine import Health
from tap.witness.ledgers import open_ledger
from tap.witness.live import watch
from tap.witness.replay import replay

EVENTS = (
    b'event: still_captured\ndata: {"n":1}\n\n'
    b"event: status\ndata: ok\n\nevent: session_changed\ndata: {}\n\nevent: odd\ndata: \xff\n\n"
)


@pytest.mark.timeout(180)
def test_phones_are_heard_and_a_replay_hears_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_HOME", str(tmp_path / "home"))
    shoot = make_small_shoot(tmp_path)
    path = tmp_path / "shoot.toml"
    with (
        RigServer(shoot, start_in_s=1.0) as rig,
        wire("http", EVENTS, EVENTS) as one,
        wire("http", EVENTS, EVENTS) as other,
    ):
        rig.write_config(path, ledger=tmp_path / "ledger.sqlite")
        text = path.read_text("utf-8")
        for camera, url in (("cam-a", one), ("cam-b", other)):
            text = text.replace(f'id = "{camera}"\n', f'id = "{camera}"\nevents_url = "{url}"\n')
        path.write_text(text, "utf-8")
        config = load_config(path)
        stop = threading.Event()
        timer = threading.Timer(6.0, stop.set)
        timer.start()
        witness = watch(config, clock=SystemClock(), record_to=tmp_path / "kept", stop=stop)
        timer.join()
    with closing(open_ledger(config, read_only=True)) as ledger:
        claims = [row.claim for row in all_events(ledger, "shoot-1") if row.claim is not None]
    said = [claim for claim in claims if "device" in claim.raw]
    stills = [claim for claim in said if claim.type.value == "still"]
    # Events without id and time that come again after a break can't be told from new ones.
    assert {claim.camera for claim in stills} == {"cam-a", "cam-b"}
    assert {claim.raw["device"] for claim in said} == {"cam-a", "cam-b"}
    assert {claim.type.value for claim in said} == {"still", "unknown", "unreadable"}
    assert any("director" not in claim.raw and claim.type.value == "cut" for claim in claims)
    verdicts = [v.model_dump(mode="json") for v in witness.verdicts]
    assert {claim.id for claim in said} <= {verdict["claim_id"] for verdict in verdicts}

    again = replay(tmp_path / "kept", tmp_path / "again", tolerances=config.tolerances.for_judge())
    assert [v.model_dump(mode="json") for v in again.verdicts] == verdicts
    lines = (tmp_path / "kept" / "director.jsonl").read_text("utf-8").splitlines()
    assert sum("device" in json.loads(line) for line in lines) == len(said)


def test_the_doctor_hears_the_phones_and_bears_their_silence(tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_HOME", str(tmp_path))
    monkeypatch.setattr("tap.witness.examine.FIRST_PICTURE_S", 0.3)
    path = tmp_path / "shoot.toml"
    nobody = "http://127.0.0.1:9/x"
    with wire("http", EVENTS) as url:
        tables = [
            f'[[cameras]]\nid = "{name}"\nurl = "{nobody}"\nevents_url = "{events}"\n'
            for name, events in (("cam-a", url), ("cam-b", nobody))
        ]
        program = f'[program]\nurl = "{nobody}"\n'
        path.write_text(f'[session]\nexternal_id = "s"\n{"".join(tables)}{program}', "utf-8")
        checks = examine(load_config(path), clock=SystemClock(), look_s=1.0)
    found = {check.subject: check for check in checks}
    assert list(found)[1:5] == ["cam-a", "cam-a events", "cam-b", "cam-b events"]
    assert found["cam-a events"].values == {"messages": 4, "unreadable": 1, "unknown": 2}
    assert found["cam-b events"].health is Health.WARNING
    assert "stills come from the director alone" in found["cam-b events"].advice
