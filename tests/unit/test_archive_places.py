"""Where shoots are found, and what tells that one has changed."""

import os
import shutil

import fsspec
import pytest
from tests.small_shoot import make_small_shoot

from tap.archive.identity import How, answering, material
from tap.archive.places import find_shoots, named_files, opened
from tap.errors import InputError
from tap.feeds.shoot import load_shoot
from tap.witness.replay import replay


@pytest.fixture(scope="module")
def shoot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shoots") / "small"
    folder.mkdir()
    return make_small_shoot(folder)


@pytest.fixture
def remote(shoot):
    """The same shoot in a storage that is no file system (and knows only one reader of a file)."""
    files = fsspec.filesystem("memory")
    files.put(f"{shoot}/", "/archive/day/small", recursive=True)
    yield "memory://archive"
    files.rm("/archive", recursive=True)


def test_shoots_are_found_in_folders_below(tmp_path, shoot):
    for place in ("b", "a/one", "a/two", ".hidden", "1/2/3/4/5"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "shoot.json").touch()
    (tmp_path / "a/one/inner").mkdir()
    (tmp_path / "a/one/inner/shoot.json").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    found = [os.path.relpath(place, tmp_path) for place in find_shoots(str(tmp_path))]
    assert found == ["a/one", "a/two", "b"]
    assert find_shoots(str(shoot)) == [str(shoot)]


def test_a_place_without_shoots_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"found no shoot\.json"):
        find_shoots(str(tmp_path))
    with pytest.raises(InputError, match="expected a folder"):
        find_shoots(str(tmp_path / "none"))
    with pytest.raises(InputError, match="without user and password"):
        find_shoots("ftp://me:secret@host/shoots")
    with pytest.raises(InputError, match="fsspec can read"):
        find_shoots("nosuch://host/shoots")


def test_a_shoot_at_an_address_is_witnessed_the_same(tmp_path, shoot):
    (place,) = find_shoots(f"file://{shoot.parent}")
    assert place == f"file://{shoot}"
    replay(shoot, tmp_path / "here")
    with opened(place) as there:
        replay(there.folder, tmp_path / "there", files=there.files)
        assert not list(there.folder.glob("*.mkv"))
    one, other = ((tmp_path / name) for name in ("here", "there"))
    assert (one / "witness.json").read_bytes() == (other / "witness.json").read_bytes()
    pictures = [
        sorted(file.name for file in (each / "evidence").iterdir()) for each in (one, other)
    ]
    assert pictures[0] == pictures[1] != []


def test_shoots_are_found_below_an_address(remote):
    assert [place.split("://")[1].strip("/") for place in find_shoots(remote)] == [
        "archive/day/small"
    ]


def test_what_is_missing_at_an_address_is_said(remote):
    fsspec.filesystem("memory").rm("/archive/day/small/slow.mkv")
    with (
        opened(f"{remote}/day/small") as there,
        pytest.raises(InputError, match=r"no file 'slow\.mkv'"),
    ):
        load_shoot(there.folder, there.files)
    with pytest.raises(InputError, match="found nothing there"), opened(f"{remote}/none"):
        pass


def test_a_shoot_changes_with_any_of_its_files(tmp_path, shoot, remote):
    copy = tmp_path / "copy"
    shutil.copytree(shoot, copy)
    before = material(str(copy))
    assert before == material(str(copy))
    assert (
        before.size
        == sum(file.stat().st_size for file in copy.iterdir()) + (copy / "a.mkv").stat().st_size
    )  # it is a camera's and the program's
    for name in ("shoot.json", "director.jsonl", "slow.mkv"):
        with (copy / name).open("ab") as file:
            file.write(b" ")
        after = material(str(copy))
        assert after.digest != before.digest
        before = after
    (copy / "slow.mkv").unlink()
    assert material(str(copy)).digest != before.digest
    place = f"{remote}/day/small"
    first = material(place)
    fsspec.filesystem("memory").pipe_file("/archive/day/small/slow.mkv", b"other")
    assert material(place).digest != first.digest
    assert material(f"{remote}/none").size == 0


def test_files_that_lead_out_are_not_looked_at(tmp_path):
    listing = tmp_path / "shoot.json"
    listing.write_text(
        '{"director": "../d", "cameras": [{"media": "/m"}], "program": {"media": 3}}'
    )
    assert named_files(listing) == []
    for text in ("[]", '{"cameras": 3}', "{", '{"cameras": [3], "program": {}}'):
        listing.write_text(text)
        assert named_files(listing) == []


def test_another_way_of_asking_is_another_program():
    assert answering(How()) == answering(How())
    assert len({answering(How()), answering(How(hindsight=True)), answering(How(profile="x"))}) == 3
