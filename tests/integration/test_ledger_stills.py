"""The bytes of stills: brought where the configuration allows, once, and never in events' way."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests import standin

from tap.errors import InputError
from tap.ledger import ConvexLedger, FactKind, Journal, SessionRow, StillRow, stills
from tap.ledger.outbox import Outbox
from tap.ledger.queue import Op, Outgoing
from tap.ledger.stills import StillUploader, fetch_still, is_allowed

PICTURE = b"\xff\xd8" + b"a picture" * 1000


@pytest.fixture
def sent(tmp_path, far):
    """A session with stills in the ledger; the journal says where their bytes are."""

    def send(*uris, **more):
        journal = Journal(tmp_path / "journal.sqlite")
        ledger = ConvexLedger(far.url, token=standin.TOKEN)
        ledger.start_session(SessionRow(key="s", external_id="s", started_at_ms=0))
        for n, uri in enumerate(uris):
            row = StillRow(
                key=f"s/still/{n}", session_key="s", still_id=str(n), camera_id="a", at_ms=1.0,
                kind="capture", uri=uri, **more,
            )  # fmt: skip
            out = Outgoing(Op.STILL, row.key, row.document())
            journal.append(FactKind.STILL, f"still/{n}", row.document(), [out])
        outbox = Outbox(journal.queue, ledger)
        while outbox.push():
            pass
        journal.close()
        return ledger

    return send


def rows(far):
    return {row["key"]: row for row in far.tables()["productionStills"]}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "stills"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(PICTURE)
    (folder / "b.jpg").write_bytes(PICTURE[::-1])
    return folder


def test_files_under_an_allowed_folder_are_brought_once(tmp_path, folder, sent, far):
    ledger = sent((folder / "a.jpg").as_uri(), (folder / "b.jpg").as_uri(), None)
    uploader = StillUploader(tmp_path / "journal.sqlite", ledger, [folder.as_uri()])
    assert uploader.round() == stills.Carried(attached=2)
    found = rows(far)
    assert found["s/still/0"]["size"] == len(PICTURE)
    assert found["s/still/0"]["storageId"]
    assert "storageId" not in found["s/still/2"]
    uploads = far.stats()["byPath"]
    again = StillUploader(tmp_path / "journal.sqlite", ledger, [folder.as_uri()])
    assert again.round() == stills.Carried(known=2)
    assert sum("upload?" in path for path in far.stats()["byPath"]) == sum(
        "upload?" in path for path in uploads
    )
    assert [row.uri is not None for row in ledger.stills("s")] == [True, True, False]


def test_bytes_of_another_digest_are_not_brought(tmp_path, folder, sent, far):
    ledger = sent((folder / "a.jpg").as_uri(), sha256="0" * 64)
    uploader = StillUploader(tmp_path / "journal.sqlite", ledger, [folder.as_uri()])
    for _ in range(stills.TRIES):
        uploader.round()
    assert uploader.carried == stills.Carried(refused=1)
    assert "storageId" not in rows(far)["s/still/0"]


def test_a_file_that_comes_later_is_brought_later(tmp_path, folder, sent, far):
    ledger = sent((folder / "late.jpg").as_uri())
    uploader = StillUploader(tmp_path / "journal.sqlite", ledger, [folder.as_uri()])
    assert uploader.round().waiting == 1
    (folder / "late.jpg").write_bytes(PICTURE)
    assert uploader.round() == stills.Carried(attached=1)
    assert rows(far)["s/still/0"]["size"] == len(PICTURE)


def test_a_thread_of_its_own_brings_them(tmp_path, folder, sent, far, monkeypatch):
    monkeypatch.setattr(stills, "_LOOK_S", 0.05)
    ledger = sent((folder / "a.jpg").as_uri())
    uploader = StillUploader(tmp_path / "journal.sqlite", ledger, [folder.as_uri()])
    uploader.start()
    for _ in range(200):
        if uploader.carried.attached:
            break
        threading.Event().wait(0.05)
    uploader.stop()
    assert uploader.carried == stills.Carried(attached=1)


class Pictures(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302 if "moved" in self.path else 200)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(PICTURE)

    def log_message(self, *args):
        pass


@pytest.fixture
def web():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/stills/"
    server.shutdown()
    server.server_close()


def test_addresses_under_an_allowed_one_are_fetched(web, monkeypatch):
    assert fetch_still(f"{web}a.jpg", [web]) == PICTURE
    with pytest.raises(InputError, match="302"):
        fetch_still(f"{web}moved.jpg", [web])
    monkeypatch.setattr(stills, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="at most 100 bytes"):
        fetch_still(f"{web}a.jpg", [web])


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("https://cam.local/stills/a.jpg", True),
        ("https://cam.local:443/other/a.jpg", False),
        ("https://cam.local/stills/../secret", False),
        ("https://cam.local/stills/%2e%2e/secret", False),
        ("https://cam.local/stillsecret", False),
        ("http://cam.local/stills/a.jpg", False),
        ("https://evil.local/stills/a.jpg", False),
        ("https://cam.local@evil.local/stills/a.jpg", False),
        ("https://me:pw@cam.local/stills/a.jpg", False),
        ("https://cam.local:99999/stills/a.jpg", False),
        ("ftp://cam.local/stills/a.jpg", False),
        ("file:///mnt/stills/a.jpg", True),
        ("file:///mnt/stills/../../etc/passwd", False),
        ("file:///etc/passwd", False),
        ("/mnt/stills/a.jpg", False),
        ("", False),
    ],
)
def test_nothing_else_is_touched(uri, allowed):
    starts = ["https://cam.local/stills/", "file:///mnt/stills/", "ftp://cam.local/"]
    assert is_allowed(uri, starts) is allowed
    if not allowed:
        with pytest.raises(InputError, match="still_urls"):
            fetch_still(uri, starts)


def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path, folder):
    (tmp_path / "secret").write_text("x")
    (folder / "c.jpg").symlink_to(tmp_path / "secret")
    assert not is_allowed((folder / "c.jpg").as_uri(), [folder.as_uri()])
