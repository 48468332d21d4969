"""The shoot folder: read whole, or refused with the file, the key and the reason."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.packet import Packet

from tap.errors import InputError
from tap.feeds.shoot import load_shoot


def media(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    coded = cv2.imencode(".jpg", np.zeros((32, 48), np.uint8))[1].tobytes()
    with av.open(str(path), "w", format="matroska") as file:
        stream = file.add_mux_stream("mjpeg", width=48, height=32)
        stream.time_base = Fraction(1, 1000)
        packet = Packet(coded)
        packet.stream, packet.pts, packet.dts = stream, 0, 0
        file.mux(packet)


def description() -> dict[str, Any]:
    return {
        "format": "tap-shoot/1",
        "session": {"externalId": "shoot-1", "notes": "n", "lighting": "soft"},
        "cameras": [
            {
                "id": "cam-a",
                "role": "hero",
                "media": "media/a.mkv",
                "startedAtMs": 1789000000000,
                "lens": 24,
            },
            {"id": "cam-b", "media": "media/b.mkv", "startedAtMs": 1789000000000.5},
        ],
        "program": {"media": "media/p.mkv", "startedAtMs": 1789000001000},
        "director": "director.jsonl",
        "weather": {"rain": False},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "abp":
        media(tmp_path / "media" / f"{name}.mkv")
    (tmp_path / "director.jsonl").write_text("")
    return tmp_path


def save(folder: Path, content: object) -> Path:
    (folder / "shoot.json").write_text(json.dumps(content))
    return folder


def test_a_shoot_is_read(folder: Path) -> None:
    shoot = load_shoot(save(folder, description()))
    assert shoot.folder == folder
    assert shoot.session.external_id == "shoot-1"
    assert shoot.session.kind == "photoshoot_performance"
    assert (shoot.session.notes, shoot.session.mode) == ("n", None)
    assert [c.id for c in shoot.cameras] == ["cam-a", "cam-b"]
    assert shoot.camera("cam-a").role == "hero"
    assert shoot.camera("cam-b").media == (folder / "media/b.mkv").resolve()
    assert shoot.camera("cam-b").started_at_ms == 1789000000000.5
    assert shoot.program.started_at_ms == 1789000001000
    assert shoot.director == (folder / "director.jsonl").resolve()


def test_unknown_keys_are_kept(folder: Path) -> None:
    written = load_shoot(save(folder, description())).model_dump(mode="json", by_alias=True)
    assert written["weather"] == {"rain": False}
    assert written["session"]["lighting"] == "soft"
    assert written["cameras"][0]["lens"] == 24


def test_the_director_may_be_absent(folder: Path) -> None:
    content = description()
    del content["director"]
    assert load_shoot(save(folder, content)).director is None


def change(content: dict[str, Any], key: str, value: object) -> None:
    *path, last = key.split(".")
    at: Any = content
    for step in path:
        at = at[int(step)] if step.isdigit() else at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", "tap-shoot/2", "format"),
        ("format", None, None),
        ("session", None, "session"),
        ("session.externalId", "", "session.externalId"),
        ("session.externalId", 7, "session.externalId"),
        ("cameras", [], "cameras"),
        ("cameras.0.id", "cam a", "cameras.0.id"),
        ("cameras.0.id", "x" * 65, "cameras.0.id"),
        ("cameras.0.id", "cam-a\n", "cameras.0.id"),
        ("cameras.1.id", "cam-a", "two cameras have the id 'cam-a'"),
        ("cameras.1.id", "program", "cameras.1.id"),
        ("cameras.1.media", "media/c.mkv", "cameras.1.media"),
        ("cameras.1.media", "/etc/hostname", "cameras.1.media"),
        ("cameras.1.media", "media/../../a.mkv", "cameras.1.media"),
        ("cameras.1.media", "", "cameras.1.media"),
        ("cameras.1.media", "director.jsonl", "cameras.1.media"),
        ("cameras.1.startedAtMs", "1789000000000", "cameras.1.startedAtMs"),
        ("cameras.1.startedAtMs", True, "cameras.1.startedAtMs"),
        ("cameras.1.startedAtMs", float("nan"), "cameras.1.startedAtMs"),
        ("cameras.1.startedAtMs", -1, "cameras.1.startedAtMs"),
        ("cameras.1.startedAtMs", None, "cameras.1.startedAtMs"),
        ("program", None, "program"),
        ("program.media", "director.jsonl", "program.media"),
        ("director", "nowhere.jsonl", "director"),
        ("director", "../director.jsonl", "director"),
    ],
)
def test_faults_name_the_file_and_the_key(
    folder: Path, key: str, value: object, said: str | None
) -> None:
    content = description()
    change(content, key, value)
    save(folder, content)
    before = sorted(folder.rglob("*"))
    if said is None:
        load_shoot(folder)
        return
    with pytest.raises(InputError) as caught:
        load_shoot(folder)
    assert str(folder / "shoot.json") in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "[" * 100_000, '"shoot"', "\udcff"])
def test_what_is_no_shoot_is_refused(folder: Path, text: str) -> None:
    (folder / "shoot.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"shoot\.json"):
        load_shoot(folder)


def test_a_missing_folder_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_shoot(tmp_path / "nowhere")


def test_links_out_of_the_folder_are_refused(folder: Path, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.mkv"
    media(outside)
    (folder / "media/b.mkv").unlink()
    (folder / "media/b.mkv").symlink_to(outside)
    with pytest.raises(InputError, match="leads out"):
        load_shoot(save(folder, description()))
