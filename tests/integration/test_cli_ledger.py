"""`tap ledger` and `tap verify` as a user runs them, the ledger on the stand-in or embedded."""

import json
import os
import sys

import pytest
from tests import standin

from tap.cli import main
from tap.config import load_config, start_problems
from tap.ledger import (
    BookError,
    Bookkeeper,
    CameraFacts,
    Code,
    EmbeddedLedger,
    Journal,
    SessionFacts,
)
from tap.report.production import Example, SessionReport, Step
from tap.vocabulary import Claim, Event, Shot, Verdict
from tap.witness.examine_ledger import examine_ledger

SESSION = "cli-shoot"


class Nowhere(EmbeddedLedger):
    """A ledger that can't be reached."""

    def start_session(self, row):
        raise BookError(Code.UNREACHABLE, "nobody there")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A session that tap witnessed while the ledger was away."""
    for name in [name for name in os.environ if name.startswith("TAP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TAP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(standin.TOKEN_ENV, standin.TOKEN)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "home" / "sessions" / SESSION
    books = Bookkeeper(
        Journal(folder / "journal.sqlite"), Nowhere(tmp_path / "x.sqlite"), external_id=SESSION
    )
    books.begin(SessionFacts(SESSION, title="By hand"), [CameraFacts("cam-a")], 1e12)
    for n in range(5):
        at = 1e12 + 1000 * n
        claim = Claim(id=f"m{n}", type="cut", at_ms=at, recv_ms=at, camera="cam-a", raw={"n": n})
        event = Event(id=f"e{n}", type="cut", at_ms=at + 100, to_camera="cam-a", confidence=0.9)
        books.claim(claim)
        books.event(event)
        books.shot(Shot(start_ms=at + 100, end_ms=at + 1100, state="live", camera="cam-a"))
        books.verdict(
            Verdict(code="AGREE", claim_id=claim.id, event_id=event.id, at_ms=at, lag_ms=100,
                    confidence=0.9, text="It came."), claim, event,
        )  # fmt: skip
    books.complete(1e12 + 6000, {"shots": 5})
    books.close(timeout_s=0.1)
    return tmp_path


def configure(home, ledger):
    (home / "shoot.toml").write_text(
        f"""
[session]
external_id = "{SESSION}"
[[cameras]]
id = "cam-a"
url = "http://127.0.0.1:9/a"
[program]
url = "http://127.0.0.1:9/p"
[ledger]
{ledger}
""",
        "utf-8",
    )


def on_convex(home, far, token_env=standin.TOKEN_ENV):
    configure(home, f'kind = "convex"\nurl = "{far.url}"\ntoken_env = "{token_env}"')


@pytest.fixture
def tap(monkeypatch, capsys):
    """Run a command; its exit code and what it printed."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["tap", *words])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    def as_json(*words):
        code, out, err = run(*words, "--json")
        return code, json.loads(out) if out.strip() else err

    run.json = as_json
    return run


def test_what_waits_is_told_and_sent_by_hand(home, far, tap):
    on_convex(home, far)
    code, found = tap.json("ledger", "status")
    assert (code, found["pending"], found["sent"]) == (0, 8, 0)
    assert found["reason"] == "nobody there"
    assert found["way"] == "closed"
    assert found["oldestAgeMs"] >= 0
    code, found = tap.json("ledger", "push", "--seconds", "30")
    assert (code, found["pending"], found["sent"], found["way"]) == (0, 0, 8, "open")
    assert len(far.tables()["productionDirectorEvents"]) == 5
    code, out, _ = tap("ledger", "status")
    assert "8 rows sent, 0 waiting, 0 refused" in out


def test_a_way_that_stays_closed_ends_with_3(home, tap):
    configure(home, 'kind = "convex"\nurl = "http://127.0.0.1:9"')
    code, found = tap.json("ledger", "push", "--seconds", "1")
    assert (code, found["pending"], found["way"]) == (3, 8, "closed")


def test_the_rows_are_the_same_wherever_they_are_read(home, far, tap):
    on_convex(home, far)
    tap("ledger", "push")
    code, shown = tap.json("ledger", "show", "--session", SESSION)
    assert code == 0
    assert [row["key"] for row in shown["events"]] == [f"{SESSION}/claim/m{n}" for n in range(5)]
    assert tap("ledger", "export", "live.zip")[0] == 0
    assert tap("ledger", "export", "journal.zip", "--from", "journal")[0] == 0
    (home / "theirs.zip").write_bytes(far.export())
    for name in ("live.zip", "journal.zip", "theirs.zip"):
        _, found = tap.json("ledger", "show", "--session", SESSION, "--snapshot", name)
        assert found == shown, name
    configure(home, 'kind = "embedded"')
    code, done = tap.json("ledger", "import", "live.zip")
    assert (done["sessions"], done["written"]) == (1, 7)
    _, found = tap.json("ledger", "show", "--session", SESSION)
    assert found == shown
    _, listed = tap.json("ledger", "show")
    assert [row["externalId"] for row in listed["sessions"]] == [SESSION]
    code, out, _ = tap("ledger", "show", "--session", SESSION)
    assert "It came." in out
    code, out, _ = tap("ledger", "show")
    assert "By hand" in out


def test_verify_reads_each_of_them_and_says_the_same(home, far, tap):
    on_convex(home, far)
    tap("ledger", "push")
    (home / "s.zip").write_bytes(far.export())
    checks = [
        tap.json("verify", "--config", "shoot.toml", *more)
        for more in ([], ["--snapshot", "s.zip"], ["--session", SESSION, "--snapshot", "s.zip"])
    ]
    assert [code for code, _ in checks] == [0, 0, 0]
    assert checks[0][1]["rows"] == 7
    assert checks[0][1] == checks[1][1] == checks[2][1]


def test_the_session_report_tells_what_was_written_where(home, far, tap):
    on_convex(home, far)
    tap("ledger", "push")
    code, text, _ = tap("report", "--format", "json")
    report = json.loads(text)
    assert (code, report["sessionId"], report["status"]) == (0, SESSION, "completed")
    assert report["eventIds"] == [f"{SESSION}/claim/m{n}" for n in range(5)]
    addresses = {e["operation"]: e["address"] for e in report["endpoints"]}
    assert addresses["append_events"] == "POST /production/events"
    assert "add_stills" not in addresses
    assert report["examples"][2]["payload"]["claim"]["raw"] == {"n": 0}
    assert [run["id"] for run in report["runs"]] == ["run/1"]
    assert report["metrics"]["verdict AGREE"] == 5
    assert [step["what"] for step in report["walk"]][0::6] == ["tap joins", "the end"]
    assert standin.TOKEN not in text
    code, markdown, _ = tap("report", "--session", SESSION, "--format", "md")
    assert code == 0
    assert "## The walk through the shoot" in markdown
    assert "POST /production/sessions/complete" in markdown
    assert "tap verify --config shoot.toml" in markdown
    assert "director: cut cam-a" in markdown
    configure(home, 'kind = "embedded"')
    tap("ledger", "push")
    code, markdown, _ = tap("report", "--format", "md")
    assert code == 2  # sent to Convex: the journal does not send it elsewhere as well
    assert tap("ledger", "import", "none.zip")[0] == 2


def test_text_from_outside_is_no_markup_in_the_report():
    report = SessionReport(
        session_id="a|b`<script>", kind="k", status="live", started_at_ms=1e12, ledger="l",
        transport="http", role="author", event_ids=("x```y",),
        walk=(Step(at_ms=1e12, key="k", what="**bold** | cell", text="<b>\n# head"),),
        examples=(Example(type="t", id="i", payload={"raw": "```\n# out"}),),
    )  # fmt: skip
    text = report.to_markdown()
    assert "<script>" not in text
    assert "\n# head" not in text
    assert "\n# out" not in text
    assert text.count("```") % 2 == 0


def test_a_session_that_nobody_knows(home, far, tap):
    on_convex(home, far)
    for words in (["ledger", "show"], ["ledger", "export", "x.zip"], ["ledger", "status"]):
        code, _, err = tap(*words, "--session", "another")
        assert code == 2, words
        assert "another" in err


def test_the_doctor_looks_at_the_deployment(home, far, monkeypatch):
    monkeypatch.setenv("WRONG", "not-this-one")

    def ledger():
        config = load_config(home / "shoot.toml")
        check = examine_ledger(config)
        return check.health.value, check.text

    on_convex(home, far)
    health, text = ledger()
    assert (health, "lets tap in" in text) == ("ok", True)
    on_convex(home, far, "WRONG")
    health, text = ledger()
    assert (health, "does not let tap in" in text) == ("bad", True)
    mapping = '\nmapping = "reference-functions"'
    configure(home, f'kind = "convex"\nurl = "{far.url}"\ntoken_env = "WRONG"{mapping}')
    assert ledger()[0] == "bad"
    monkeypatch.setenv("ADMIN", standin.ADMIN_KEY)
    configure(home, f'kind = "convex"\nurl = "{far.url}"\ntoken_env = "ADMIN"{mapping}')
    assert ledger()[0] == "ok"
    configure(home, 'kind = "convex"\nurl = "http://127.0.0.1:9"')
    assert ledger()[0] == "bad"
    for wrong in (f'token_env = "UNSET"\nurl = "{far.url}"',
                  f'mapping = "nowhere.toml"\nurl = "{far.url}"'):  # fmt: skip
        configure(home, f'kind = "convex"\n{wrong}')
        assert ledger()[0] == "wrong"
        assert "ledger" in start_problems(load_config(home / "shoot.toml"))


def test_a_push_brings_the_bytes_of_stills_too(home, far, tap):
    (home / "stills").mkdir()
    (home / "stills" / "s1.jpg").write_bytes(b"\xff\xd8 a picture")
    folder = home / "home" / "sessions" / SESSION
    away = Nowhere(home / "y.sqlite")
    books = Bookkeeper(Journal(folder / "journal.sqlite"), away, external_id=SESSION)
    books.begin(SessionFacts(SESSION), [], 1e12)
    uri = (home / "stills" / "s1.jpg").as_uri()
    still = Claim(
        id="s1", type="still", at_ms=1e12 + 50, recv_ms=1e12 + 50, camera="cam-a", uri=uri
    )
    books.claim(still)
    books.verdict(
        Verdict(code="NOTED", claim_id="s1", at_ms=1e12 + 50, confidence=1, text="A still."), still
    )
    books.close(0.1)
    starts = f'still_urls = ["{(home / "stills").as_uri()}"]'
    configure(
        home,
        f'kind = "convex"\nurl = "{far.url}"\ntoken_env = "{standin.TOKEN_ENV}"\n{starts}',
    )
    code, found = tap.json("ledger", "push", "--seconds", "30")
    assert (code, found["pending"]) == (0, 0)
    assert found["stills"]["attached"] == 1
    [row] = far.tables()["productionStills"]
    assert row["size"] == 12.0
    assert tap("verify", "--config", "shoot.toml")[0] == 0


def test_what_role_witness_can_not_do_is_told(home, far, tap):
    on_convex(home, far)
    tap("ledger", "push")
    (home / "s.zip").write_bytes(far.export())
    configure(
        home, f'kind = "convex"\nurl = "{far.url}"\nrole = "witness"\ntoken_env = "STANDIN_TOKEN"'
    )
    for words in (
        ["ledger", "import", "s.zip"],
        ["verify", "-c", "shoot.toml", "--snapshot", "s.zip"],
    ):
        code, _, err = tap(*words)
        assert (code, 'role = "witness"' in err) == (2, True)
