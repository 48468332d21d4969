"""The command line's edge: help, exit codes, sentences instead of tracebacks."""

import json
import subprocess
import sys

import pytest

from tap.cli import main
from tap.cli.app import app
from tap.errors import FeedError, InputError


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs `tap ARGS` in this process: (exit code, stdout, stderr)."""

    def call(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tap", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        out = capsys.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    monkeypatch.delenv("TAP_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return call


COMMANDS = [
    "watch",
    "record",
    "replay",
    "explain",
    "verify",
    "seal",
    "demo",
    "init",
    "doctor",
    "rig",
]


def test_help_names_every_command(run):
    code, out, _ = run("--help")
    assert code == 0
    for command in COMMANDS:
        assert f" {command} " in out


@pytest.mark.parametrize(
    "command",
    [[name] for name in COMMANDS if name != "rig"]
    + [["rig", n] for n in ("make", "serve", "list")]
    + [["archive", n] for n in ("status", "export", "query")],
)
def test_every_command_has_help_with_an_example(run, command):
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert f"Example: tap {' '.join(command)}" in out


@pytest.mark.parametrize(
    "args", [["watch", "--bogus"], ["bogus"], ["replay"], ["rig", "serve", "x", "--port", "99999"]]
)
def test_wrong_usage_is_bad_input(run, args):
    code, _, err = run(*args)
    assert code == 2
    assert "Error" in err


def test_init_then_init_again(run, tmp_path):
    path = tmp_path / "shoot.toml"
    assert run("init", str(path))[0] == 0
    code, _, err = run("init", str(path))
    assert code == 2
    assert err.startswith("tap: ")
    assert "--force" in err
    assert run("init", str(path), "--force")[0] == 0


@pytest.mark.parametrize("command", ["watch", "doctor"])
def test_an_absent_configuration_is_one_sentence(run, tmp_path, command):
    code, out, err = run(command, "--config", str(tmp_path / "none.toml"))
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "tap init" in err


def test_every_problem_of_a_configuration_is_a_line(run, tmp_path):
    path = tmp_path / "shoot.toml"
    path.write_text("[session]\nexternal_id = 1\ntitel = 2\n", "utf-8")
    code, _, err = run("watch", "--config", str(path))
    assert code == 2
    assert all(line.startswith("tap: shoot.toml, line ") for line in err.splitlines())
    assert len(err.splitlines()) == 4


def test_errors_end_with_their_own_exit_code(run, monkeypatch):
    def fail(error):
        def command(**_):
            raise error

        monkeypatch.setattr("tap.cli.app.say", lambda _: command())
        return run("--version")

    assert fail(FeedError("no picture came")) == (3, "", "tap: no picture came\n")
    assert fail(InputError("a\nb")) == (2, "", "tap: a\ntap: b\n")
    code, _, err = fail(RuntimeError("boom"))
    assert code == 3
    assert "TAP_DEBUG=1" in err
    assert "Traceback" not in err
    monkeypatch.setenv("TAP_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["tap", "--version"])
    with pytest.raises(RuntimeError):
        main()


def test_recipes_are_listed_for_programs_too(run):
    code, out, _ = run("rig", "list", "--json")
    assert code == 0
    assert "pose2sim" in json.loads(out)["recipes"]


def test_help_needs_none_of_the_heavy_libraries():
    code = (
        "import sys; from tap.cli.app import app; "
        "print({'cv2', 'av', 'numpy', 'pydantic', 'httpx', 'aiortc'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_app_is_the_console_script():
    assert app.info.name == "tap"
