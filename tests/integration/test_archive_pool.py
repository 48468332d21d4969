"""`tap replay --jobs`: real processes, one bad shoot, kills, and what is done again."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
import typer
from tests.dask_cluster import wait_for
from tests.made_shoot import make
from typer import BadParameter

from tap.archive import pool
from tap.archive.identity import How
from tap.archive.run import begin
from tap.cli.app import app
from tap.clock import SystemClock
from tap.errors import FeedError, InputError
from tap.witness.replay import replay

SHOOTS = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def shoots(tmp_path_factory):
    """Four shoots, two folders deep, and one that is none."""
    root = tmp_path_factory.mktemp("shoots")
    make(root / "day" / "a")
    for name in SHOOTS[1:]:
        shutil.copytree(root / "day" / "a", root / "day" / name)
    (root / "bad").mkdir()
    (root / "bad" / "shoot.json").write_text('{"format": "tap-shoot/1"}')
    return root


@pytest.fixture(scope="module")
def said(shoots, tmp_path_factory):
    out = tmp_path_factory.mktemp("one")
    replay(shoots / "day" / "a", out)
    return (out / "witness.json").read_bytes()


@pytest.fixture
def tap(tmp_path):
    """Starts `tap` with a home of its own."""
    home = {**os.environ, "TAP_HOME": str(tmp_path / "home"), "COLUMNS": "200"}

    def start(*arguments):
        command = [sys.executable, "-m", "tap", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=home, **pipes)

    return start


def result(process):
    out, err = process.communicate(timeout=100)
    assert "Traceback" not in err, err
    return process.returncode, json.loads(out) if out.startswith(("{", "[")) else out, err


def records(out):
    return {file.parent.name: file.read_bytes() for file in out.glob("shoots/*/witness.json")}


@pytest.mark.slow
def test_many_shoots_one_of_them_bad_and_nothing_twice(tap, shoots, said, tmp_path):
    out = tmp_path / "archive"
    code, seen, _ = result(tap("replay", "--jobs", 2, shoots, "--out", out, "--json"))
    assert (code, seen["done"], seen["failed"], seen["digest"]) == (2, 4, 1, None)
    by_name = {one["shoot"]: one for one in seen["shoots"]}
    assert "session" in by_name["bad"]["error"]
    assert len({by_name[name]["digest"] for name in SHOOTS}) == 1
    assert records(out) == dict.fromkeys(SHOOTS, said)
    assert sorted(file.name for file in out.iterdir()) == ["jobs.sqlite", "parquet", "shoots"]
    # The record of one is as whole as that of `tap replay` of one shoot.
    assert (out / "shoots/a/report.html").is_file()
    assert (out / "shoots/a/seal-key.pub").is_file()

    before = {name: (out / "shoots" / name).stat().st_ino for name in SHOOTS}
    (shoots / "bad" / "shoot.json").rename(shoots / "bad" / "gone.json")
    try:
        os.utime(shoots / "day/b/media/program.mkv")
        (out / "shoots/c/witness.json").write_text("altered")
        code, seen, _ = result(tap("replay", "--jobs", 1, shoots / "day", "--out", out, "--json"))
    finally:
        (shoots / "bad" / "gone.json").rename(shoots / "bad" / "shoot.json")
    assert (code, seen["done"]) == (2, 4)  # the bad one is still in the table
    after = {name: (out / "shoots" / name).stat().st_ino for name in SHOOTS}
    assert {name for name in SHOOTS if before[name] != after[name]} == {"b", "c"}
    assert records(out) == dict.fromkeys(SHOOTS, said)

    code, rows, _ = result(tap("archive", "query", out, "agreement", "--json"))
    assert (code, len(rows), rows[-1]["shoot"]) == (0, 5, "all")
    assert rows[-1]["agree"] == 4 * rows[0]["agree"] > 0
    _, text, _ = result(tap("archive", "query", out, "delay", "--csv"))
    assert text.splitlines()[0].startswith("camera,shoots,measured")
    assert len(text.splitlines()) == 4
    code, text, _ = result(tap("archive", "status", out))
    assert (code, "5 shoots" in text) == (0, True)


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_killed_and_run_again_it_goes_on(tap, shoots, said, tmp_path, sign):
    out = tmp_path / "archive"
    first = tap("replay", "--jobs", 2, shoots / "day", "--out", out, "--json")
    wait_for(lambda: list(out.glob("shoots/*/witness.json")))
    first.send_signal(sign)
    if sign == signal.SIGINT:
        code, seen, _ = result(first)
        assert code == 3
        assert 1 <= seen["done"] < 4
        assert seen["waiting"] == 4 - seen["done"]
    else:
        first.communicate(timeout=30)  # its workers, which hold the pipes, end as well
        assert first.returncode == -sign
    done = {file.parent.name: file.stat().st_ino for file in out.glob("shoots/*/witness.json")}
    assert 1 <= len(done) < 4
    code, seen, _ = result(tap("replay", "--out", out, "--jobs", 2, "--json"))
    assert (code, seen["done"]) == (0, 4)
    assert records(out) == dict.fromkeys(SHOOTS, said)
    again = {file.parent.name: file.stat().st_ino for file in out.glob("shoots/*/witness.json")}
    assert all(again[name] == done[name] for name in done) or sign == signal.SIGKILL
    assert not (out / "work").exists()


@pytest.mark.slow
def test_a_worker_that_dies_costs_one_attempt(tap, shoots, said, tmp_path):
    out = tmp_path / "archive"
    process = tap("replay", "--jobs", 1, shoots / "day", "--out", out, "--json")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        process.communicate()
        pytest.skip("NOT RUN: this system does not list a process's children")
    wait_for(lambda: list(out.glob("work/*.shoot/journal.sqlite")))

    def workers():
        pids = children.read_text().split()
        return [
            p for p in pids if b"resource_tracker" not in Path(f"/proc/{p}/cmdline").read_bytes()
        ]

    os.kill(int(workers()[0]), signal.SIGKILL)
    code, seen, _ = result(process)
    assert (code, seen["done"]) == (0, 4)
    assert sorted(one["attempts"] for one in seen["shoots"]) == [1, 1, 1, 2]
    assert records(out) == dict.fromkeys(SHOOTS, said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("replay --out nowhere", "expected an archive to go on with"),
        ("replay --jobs 2 none --out o", "expected a folder with shoots"),
        ("replay --jobs 2 --cluster tcp://x:1 --out o", "got both"),
        ("replay s3://bucket/x --out o", "fsspec can read"),
        ("archive query nowhere rhythm", "tap archive export"),
        ("archive query nowhere weather", "rhythm, agreement, delay"),
        ("archive query nowhere", "one question"),
        ("archive status nowhere", "expected an archive"),
    ],
)
def test_what_can_not_be_done_is_said_in_a_sentence(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, BadParameter), match=said):
        typer.main.get_command(app).main(arguments.split(), standalone_mode=False)
    assert not list(tmp_path.iterdir())


def test_a_wrong_profile_is_said_once_and_before_anything_is_done(tmp_path, shoots):
    command = ["replay", "--jobs", "2", str(shoots), "--out", str(tmp_path / "o")]
    with pytest.raises(InputError, match="nosuch"):
        typer.main.get_command(app).main([*command, "--profile", "nosuch"], standalone_mode=False)
    assert not list(tmp_path.iterdir())


def test_workers_that_can_not_begin_end_it(tmp_path, shoots, monkeypatch):
    """As when the table can't be opened: nothing is tried for ever."""
    monkeypatch.setenv("TAP_HOME", str(tmp_path / "home"))
    out = tmp_path / "archive"
    with closing(begin(out, [str(shoots)], How(), SystemClock())) as table:
        crew = pool.Crew(tmp_path / "elsewhere", How())
        (tmp_path / "elsewhere").write_text("no folder")
        with pytest.raises(FeedError, match="before they begin"):
            pool.work_through(crew, table, 1, look=lambda _: None, told=threading.Event())


def test_without_the_extra_it_is_said_how_to_get_it(tmp_path, monkeypatch, shoots):
    for module in ("distributed", "duckdb", "fsspec.core"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("TAP_HOME", str(tmp_path / "home"))
    for arguments in (
        ("archive", "query", str(tmp_path), "rhythm"),
        ("replay", "s3://bucket/x", "--out", str(tmp_path)),
        ("replay", str(shoots / "bad"), "--cluster", "tcp://x:1", "--out", str(tmp_path / "o")),
    ):
        with pytest.raises(InputError, match=r"pip install 'tap-witness\[archive\]'"):
            typer.main.get_command(app).main(arguments, standalone_mode=False)
