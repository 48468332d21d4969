"""A recorded shoot served live: times, order, content, ends, faults, and slow viewers."""

import asyncio
import json
import socket
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import httpx
import numpy as np
import pytest
import websockets
from websockets.sync.client import connect

from tap.clock import SystemClock
from tap.config import load_config
from tap.errors import InputError
from tap.rig.serve import RigServer
from tap.rig.serve_http import Token

T0 = 1_789_000_000_000


def picture(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A grey level that tells the index."""
    return np.full((height, width, 3), 10 + index * 6, np.uint8)


def write_media(path: Path, times_ms: list[int], codec: str, size=(64, 48)) -> list[bytes]:
    """A file with pictures at these times; the coded packets, in order."""
    coded = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            codec, rate=30, options={"bf": "0"} if codec != "mjpeg" else {}
        )
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, at_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(picture(index, *size), format="bgr24")
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            for packet in stream.encode(frame):
                coded.append(bytes(packet))
                container.mux(packet)
        for packet in stream.encode(None):
            coded.append(bytes(packet))
            container.mux(packet)
    return coded


CAM_A = [0, 40, 80, 160, 200, 240, 280, 320, 360, 400]
CAM_B = [0, 33, 66, 100, 133, 166, 200, 233, 266, 300]
MESSAGES = [
    {"type": "session.start", "id": "m0", "atMs": T0 - 100},
    {"type": "cut", "id": "m1", "atMs": T0 + 50, "recvMs": T0 + 55, "camera": "cam-b"},
    {"type": "session.end", "id": "m2", "atMs": T0 + 500},
]


@pytest.fixture
def shoot(tmp_path):
    folder = tmp_path / "shoot"
    (folder / "media").mkdir(parents=True)
    coded = {
        "cam-a": write_media(folder / "media/a.mkv", CAM_A, "mjpeg"),
        "cam-b": write_media(folder / "media/b.mkv", CAM_B, "libx264", (1280, 720)),
        "program": write_media(folder / "media/p.mkv", CAM_A, "mjpeg"),
    }
    (folder / "director.jsonl").write_text(
        "\n".join([json.dumps(MESSAGES[0]), "not json {", *map(json.dumps, MESSAGES[1:])]), "utf-8"
    )
    content = {
        "format": "tap-shoot/1",
        "session": {"externalId": "shoot-1", "title": "A title"},
        "cameras": [
            {"id": "cam-a", "role": "hero", "media": "media/a.mkv", "startedAtMs": T0},
            {"id": "cam-b", "placement": "left", "media": "media/b.mkv", "startedAtMs": T0 + 20},
        ],
        "program": {"media": "media/p.mkv", "startedAtMs": T0 + 100},
        "director": "director.jsonl",
    }
    (folder / "shoot.json").write_text(json.dumps(content), "utf-8")
    return folder, coded


def parts_of(url: str, **kwargs) -> list[tuple[float, float, bytes]]:
    """(arrival, X-Timestamp, JPEG) of every part until the stream ends, times in ms."""
    clock, found, buffer = SystemClock(), [], b""
    with httpx.stream("GET", url, timeout=10, trust_env=False, **kwargs) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("multipart/x-mixed-replace")
        for chunk in response.iter_raw():
            now, buffer = clock.now_ms(), buffer + chunk
            while (end := buffer.find(b"\r\n\r\n")) >= 0:
                fields = dict(
                    line.split(": ", 1)
                    for line in buffer[:end].decode().splitlines()
                    if ": " in line
                )
                length = int(fields["Content-Length"])
                if len(buffer) < end + 4 + length + 2:
                    break
                found.append(
                    (now, float(fields["X-Timestamp"]) * 1000, buffer[end + 4 : end + 4 + length])
                )
                buffer = buffer[end + 4 + length + 2 :]
    return found


def in_threads(**jobs):
    """The results of functions that run at the same time."""
    results = {}

    def run(name, job):
        results[name] = job()

    threads = [threading.Thread(target=run, args=item) for item in jobs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert set(results) == set(jobs)
    return results


def test_everything_comes_at_its_time_in_order_and_whole(shoot):
    folder, coded = shoot
    clock = SystemClock()

    def director():
        with connect(server.director_url, proxy=None) as wire:
            return [(clock.now_ms(), text) for text in wire]

    def events():
        response = httpx.get(server.base_url + "/events", timeout=10, trust_env=False)
        return [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]

    with RigServer(folder, start_in_s=1.0) as server:
        assert server.shift_ms == server.start_ms - (T0 - 100)
        got = in_threads(
            a=lambda: parts_of(server.url("cam-a")),
            b=lambda: parts_of(server.url("cam-b")),
            program=lambda: parts_of(server.url("program")),
            director=director,
            events=events,
        )
        assert server.finished.wait(5)
        status = httpx.get(server.base_url + "/status", trust_env=False).json()
        after = httpx.get(server.url("cam-a"), trust_env=False)
        shift = server.shift_ms

    for name, times, started in (
        ("a", CAM_A, T0),
        ("b", CAM_B, T0 + 20),
        ("program", CAM_A, T0 + 100),
    ):
        due = [shift + started + at for at in times]
        assert [round(stamp) for _, stamp, _ in got[name]] == [round(ms) for ms in due], name
        late = [arrived - ms for (arrived, _, _), ms in zip(got[name], due, strict=True)]
        assert min(late) >= -2, late
        assert np.median(late) < 40, late
    assert [jpeg for _, _, jpeg in got["a"]] == coded["cam-a"]
    assert [jpeg for _, _, jpeg in got["program"]] == coded["program"]
    for index, (_, _, jpeg) in enumerate(got["b"]):
        seen = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert seen.shape == (540, 960, 3)
        assert abs(int(seen.mean()) - (10 + index * 6)) <= 4

    texts = [text for _, text in got["director"]]
    assert texts[1] == "not json {"
    said = [json.loads(text) for text in (texts[0], *texts[2:])]
    assert said == [
        {**{k: v for k, v in m.items() if k != "recvMs"}, "atMs": m["atMs"] + shift}
        for m in MESSAGES
    ]
    wire_times = [T0 - 100, T0 - 100, T0 + 55, T0 + 500]
    late = [at - shift - due for (at, _), due in zip(got["director"], wire_times, strict=True)]
    assert min(late) >= -2
    assert np.median(late) < 40
    assert got["events"] == texts
    assert status["finished"]
    assert {feed["state"] for feed in status["feeds"].values()} == {"ended"}
    assert after.status_code == 410


def test_the_configuration_points_at_the_server(shoot, tmp_path):
    folder, _ = shoot
    path = tmp_path / "shoot.toml"
    with RigServer(folder, start_in_s=30) as server:
        server.write_config(path, ledger=tmp_path / "l.sqlite")
        config = load_config(path)
        assert config.session.external_id == "shoot-1"
        assert config.session.title == "A title"
        assert [(c.id, c.role, c.placement) for c in config.cameras] == [
            ("cam-a", "hero", None),
            ("cam-b", None, "left"),
        ]
        assert config.program.url == server.url("program")
        assert config.director is not None
        assert config.director.url == server.director_url
        assert config.ledger_path == tmp_path / "l.sqlite"


@pytest.mark.parametrize("where", ["query", "header"])
def test_a_token_is_asked_for_everywhere(shoot, tmp_path, where):
    folder, _ = shoot
    token = Token("hush", where, "X-Key" if where == "header" else "key")
    with RigServer(folder, start_in_s=1.0, token=token) as server:
        given = {"params": {"key": "hush"}} if where == "query" else {"headers": {"X-Key": "hush"}}
        for address in ("/cam-a/stream", "/cam-a/snapshot", "/events", "/status"):
            assert httpx.get(server.base_url + address, trust_env=False).status_code == 401
        assert httpx.get(server.base_url + "/status", trust_env=False, **given).status_code == 200
        with pytest.raises(websockets.InvalidStatus):
            connect(server.director_url, proxy=None)
        query = "?key=hush" if where == "query" else ""
        headers = given.get("headers")
        with connect(server.director_url + query, additional_headers=headers, proxy=None):
            pass
        assert len(parts_of(server.url("cam-a"), **given)) == len(CAM_A)
        server.write_config(tmp_path / "shoot.toml")
        camera = load_config(tmp_path / "shoot.toml").cameras[0]
        assert (camera.token_env, camera.token_in) == ("RIG_TOKEN", where)


def test_a_feed_can_be_paused_killed_and_revived(shoot):
    folder, _ = shoot
    with RigServer(folder, start_in_s=0.8) as server:
        server.pause("cam-a")
        server.kill("cam-b")
        time.sleep(0.05)
        assert httpx.get(server.url("cam-b"), trust_env=False).status_code == 503

        def revive():
            time.sleep(max(0.0, (server.shift_ms + T0 + 190 - SystemClock().now_ms()) / 1000))
            server.revive("cam-a")
            server.kill("program")

        def torn():
            with pytest.raises(httpx.RemoteProtocolError):
                parts_of(server.url("program"))
            return True

        got = in_threads(a=lambda: parts_of(server.url("cam-a")), torn=torn, revive=revive)
        times = [round(stamp - server.shift_ms - T0) for _, stamp, _ in got["a"]]
        assert times == [at for at in CAM_A if at >= times[0]]
        assert 160 < times[0] <= 320


def test_a_slow_viewer_holds_up_nobody(shoot):
    folder, _ = shoot
    with RigServer(folder, start_in_s=0.8) as server:
        address = (server.host, int(server.base_url.rsplit(":", 1)[1]))
        with socket.create_connection(address) as idle:
            idle.sendall(b"GET /cam-b/stream HTTP/1.1\r\nHost: x\r\n\r\n")  # and never reads
            assert len(parts_of(server.url("cam-b"))) == len(CAM_B)


def test_many_listeners_hear_the_same(shoot):
    folder, _ = shoot

    async def listen(url):
        async with websockets.connect(url, proxy=None) as wire:
            return [text async for text in wire]

    async def all_of(url):
        return await asyncio.gather(*(listen(url) for _ in range(5)))

    with RigServer(folder, start_in_s=0.8) as server:
        heard = asyncio.run(all_of(server.director_url))
    assert len(heard[0]) == 4
    assert all(one == heard[0] for one in heard)


def test_a_taken_port_and_an_absent_shoot_are_bad_input(shoot, tmp_path):
    folder, _ = shoot
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(InputError, match="free port"),
    ):
        RigServer(folder, port=taken.getsockname()[1]).start()
    with pytest.raises(InputError, match=r"shoot\.json"):
        RigServer(tmp_path / "none")
