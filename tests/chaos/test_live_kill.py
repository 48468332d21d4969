"""tap is killed at random moments of a live session, again and again: the books stay whole."""

import copy
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests import made_shoot
from tests.chaos import bookcheck

from tap.config import default_key_path, load_or_make_key
from tap.judge import Tolerances
from tap.ledger import EmbeddedLedger
from tap.report.sealed import check_folder
from tap.rig import demo
from tap.witness.verify import verify

NURSERY = Path(__file__).with_name("nursery.py")
LIFE_S = (0.3, 2.5)


@contextmanager
def served(shoot: Path, home: Path, start_in_s: float) -> Iterator[Path]:
    """The shoot, live; gives the path of the configuration to watch it with."""
    toml = home / "shoot.toml"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TAP_")]:
            patch.delenv(name)
        patch.setenv("TAP_HOME", str(home))
        patch.setattr(demo, "START_IN_S", start_in_s)
        with demo.served(shoot, toml, home / "ledger.sqlite"):
            with toml.open("a") as file:
                file.write(f"\n[tolerances]\nwindow_ms = {made_shoot.WINDOW_MS}\n")
            yield toml


def problems(home: Path) -> list[str]:
    """What `tap verify` has to say against the ledger."""
    with closing(EmbeddedLedger(home / "ledger.sqlite", read_only=True)) as ledger:
        checked = verify(
            "short-shoot",
            ledger=ledger,
            folder=home / "sessions" / "short-shoot",
            out=home / "verified",
            tolerances=Tolerances(window_ms=made_shoot.WINDOW_MS),
        )
    sealed = check_folder(
        home / "sessions" / "short-shoot", [load_or_make_key(default_key_path()).public]
    )
    told = [f"seal: {problem.place}: {problem.text}" for problem in sealed.problems]
    return [problem.text for problem in checked.problems] + told


@contextmanager
def watchers(toml: Path) -> Iterator[Callable[[str], int]]:
    """A nursery of watchers (see there): "go" begins one, "wait" waits for its end."""
    with subprocess.Popen(
        [sys.executable, str(NURSERY), str(toml)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as nursery:

        def ask(what: str) -> int:
            assert nursery.stdin is not None
            assert nursery.stdout is not None
            print(what, file=nursery.stdin, flush=True)
            return int(nursery.stdout.readline())

        yield ask


def kill_again_and_again(
    ask: Callable[[str], int], home: Path, *, lives: int, seed: int
) -> bookcheck.Facts:
    """Begin watchers and kill each at a random moment; gives what the journal holds then."""
    journal = home / "sessions" / "short-shoot" / "journal.sqlite"
    chance = random.Random(seed)
    facts: bookcheck.Facts = {}
    for _ in range(lives):
        child = ask("go")
        time.sleep(chance.uniform(*LIFE_S))
        os.kill(child, signal.SIGKILL)
        assert ask("wait") == signal.SIGKILL, "it ended before it was killed"
        if journal.exists():
            now = bookcheck.read_facts(journal)
            assert bookcheck.lost_facts(facts, now) == []
            facts = now
    return facts


def books_of(home: Path, facts: bookcheck.Facts) -> bookcheck.Books:
    """The books of a session that is over, after a look whether all is well with them."""
    journal = home / "sessions" / "short-shoot" / "journal.sqlite"
    books = bookcheck.read_books(journal, home / "ledger.sqlite")
    runs = sum(kind == "run" for kind, _ in books.facts.values())
    assert bookcheck.lost_facts(facts, books.facts) == []
    assert bookcheck.faults(books, runs=runs) == []
    assert problems(home) == []
    return books


def test_three_kills_lose_and_repeat_nothing(short_shoot, tmp_path):
    shoot = made_shoot.loop(short_shoot, tmp_path / "shoot", 2)
    with served(shoot, tmp_path, 2.0) as toml:
        with watchers(toml) as ask:
            facts = kill_again_and_again(ask, tmp_path, lives=3, seed=7)
        command = [sys.executable, "-m", "tap", "watch", "--config", str(toml), "--json"]
        last = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert last.returncode == 0, last.stderr
    books = books_of(tmp_path, facts)
    assert books.tables["productionSessions"][0]["runs"] == 4
    codes = [row["verdict"] for row in books.tables["productionDirectorEvents"]]
    assert "AGREE" in codes


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_hundred_kills_lose_and_repeat_nothing(short_shoot, tmp_path):
    shoot = made_shoot.loop(short_shoot, tmp_path / "shoot", 45)
    with served(shoot, tmp_path, 2.0) as toml, watchers(toml) as ask:
        facts = kill_again_and_again(ask, tmp_path, lives=200, seed=20261122)
        ask("go")
        assert ask("wait") == 0
    books = books_of(tmp_path, facts)
    # A life may end before its run is journalled.
    assert 160 <= books.tables["productionSessions"][0]["runs"] <= 201
    assert len(books.tables["productionDirectorEvents"]) >= 100


# ---------------------------------------------------------------- the check itself


def sound_books() -> bookcheck.Books:
    """The books of a small session, as they should be."""
    facts: bookcheck.Facts = {"run/1": ("run", "{}")}
    rows = []
    for number, (code, change) in enumerate((("AGREE", "cut-1"), ("NOTED", None)), start=1):
        claim, key = f"m{number}", f"s/claim/m{number}"
        verdict = {"code": code, "claimId": claim, "text": code}
        facts[f"claim/{claim}"] = ("claim", json.dumps({"id": claim}))
        facts[f"verdict/claim/{claim}"] = (
            "verdict",
            json.dumps({"row": key, "verdict": verdict}),
        )
        rows.append(
            {
                "key": key,
                "seq": number,
                "verdict": code,
                "text": code,
                "claim": json.dumps({"id": claim}),
                "seen": json.dumps({"id": change}) if change else None,
            }
        )
    facts["event/cut-1"] = ("event", json.dumps({"id": "cut-1", "type": "cut"}))
    session = {"key": "s", "runs": 1, "status": "completed", "endedAtMs": 1.0}
    tables = {"productionSessions": [session], "productionDirectorEvents": rows}
    return bookcheck.Books(tables, facts, 0)


def test_the_check_finds_nothing_in_sound_books():
    assert bookcheck.faults(sound_books(), runs=1) == []


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda b: b.tables["productionDirectorEvents"].pop(), "has 0 rows"),
        (
            lambda b: b.tables["productionDirectorEvents"].append(
                copy.copy(b.tables["productionDirectorEvents"][0])
            ),
            "has 2 rows",
        ),
        (
            lambda b: b.tables["productionDirectorEvents"].append(
                {**b.tables["productionDirectorEvents"][0], "key": "s/claim/m1#2", "seq": 3}
            ),
            "rests on no verdict",
        ),
        (lambda b: b.tables["productionDirectorEvents"][1].update(seq=3), "without a gap"),
        (lambda b: b.tables["productionDirectorEvents"][1].update(text="x"), "not as it was"),
        (lambda b: b.tables["productionSessions"][0].update(status="live"), "not completed"),
        (lambda b: b.tables["productionSessions"][0].update(runs=2), "2 runs counted"),
        (lambda b: b.tables["productionSessions"].append({"key": "t"}), "2 sessions"),
        (lambda b: b.facts.update({"event/e": ("event", '{"id": "e", "type": "cut"}')}), "change"),
        (lambda b: b.facts.update({"claim/m9": ("claim", '{"id": "m9"}')}), "no row about message"),
    ],
)
def test_the_check_finds_each_kind_of_harm(harm, said):
    books = sound_books()
    harm(books)
    assert any(said in fault for fault in bookcheck.faults(books, runs=1))


def test_facts_that_go_or_change_are_found():
    before = {"a": ("run", "1"), "b": ("run", "2")}
    assert bookcheck.lost_facts(before, dict(before)) == []
    assert bookcheck.lost_facts(before, {"a": ("run", "1")}) == ["b"]
    assert bookcheck.lost_facts(before, {**before, "b": ("run", "3")}) == ["b"]
