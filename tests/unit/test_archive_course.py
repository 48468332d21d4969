"""One shoot's way over a cluster, walked here in one process, step by step."""

from dataclasses import replace

import pytest
from tests.made_shoot import make

from tap.archive import tasks
from tap.archive.course import Course, Cutting
from tap.archive.identity import How, answering
from tap.archive.lumas import read_lumas, told_beside, write_lumas
from tap.archive.tasks import Charge, OtherProgramError
from tap.errors import FeedError, InputError
from tap.feeds.media import Reduced, reduced
from tap.feeds.pieces import SeamError
from tap.witness.replay import replay

ALWAYS = Cutting(from_ms=0, every_ms=4000)


@pytest.fixture(scope="module")
def shoot(tmp_path_factory):
    return make(tmp_path_factory.mktemp("shoot") / "short")


@pytest.fixture(scope="module")
def said(shoot, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    replay(shoot, out)
    return (out / "witness.json").read_bytes()


@pytest.fixture
def charge(shoot, tmp_path):
    return Charge(str(shoot), tmp_path, How(), answering(How()))


def walk(course, *, last_first=False, spoil=None):
    """Do every step; `spoil(step)` may give another result, or raise. The names of the steps."""
    steps, names = course.start(), []
    while steps:
        step = steps.pop() if last_first else steps.pop(0)
        names.append(step.name)
        try:
            result = spoil(step) if spoil else None
            steps += step.then(step.task(*step.args) if result is None else result)
        except SeamError:
            steps += step.fits()
    return names


@pytest.mark.parametrize("last_first", [False, True])
def test_in_pieces_and_in_any_order_it_is_the_same_byte_for_byte(charge, said, last_first):
    course = Course(charge, ALWAYS, charge.out / "decoded")
    names = walk(course, last_first=last_first)
    assert (course.replayed.folder / "witness.json").read_bytes() == said
    assert course.pieces == sum(name.startswith("decode") for name in names) == 11
    assert course.part == 1.0
    assert not course.unfit


def test_a_short_shoot_is_not_cut(charge, said):
    course = Course(charge, Cutting(), charge.out / "decoded")
    assert walk(course) == ["look over", "look"]
    assert (course.replayed.folder / "witness.json").read_bytes() == said


def test_pieces_that_do_not_fit_are_decoded_in_one(charge, said):
    def spoil(step):
        if step.name == "decode cam-a 1" and step.args[2].digest:
            raise SeamError("it's another file")
        if step.name == "decode cam-b 0" and step.args[2].digest:
            decoded = step.task(*step.args)
            return replace(decoded, seams=replace(decoded.seams, tail=["other"]))
        return None

    course = Course(charge, ALWAYS, charge.out / "decoded")
    names = walk(course, spoil=spoil)
    assert course.unfit == {"cam-a", "cam-b"}
    assert names.count("decode cam-a 0") == 2
    assert names.count("look") == 1
    assert (course.replayed.folder / "witness.json").read_bytes() == said


def test_what_was_decoded_before_is_taken(charge, said, monkeypatch):
    first = Course(charge, ALWAYS, charge.out / "decoded")
    walk(first)
    (charge.out / "decoded/cam-a/piece-00001.json").unlink()  # it was being written
    read = []
    whole = tasks.read_piece
    monkeypatch.setattr(tasks, "read_piece", lambda *a: read.append(a[1]) or whole(*a))
    second = Course(charge, ALWAYS, charge.out / "decoded")
    walk(second)
    assert len(read) == 1
    assert (second.replayed.folder / "witness.json").read_bytes() == said


def test_another_program_is_refused(charge):
    other = replace(charge, program="other")
    for task, args in (
        (tasks.look_over, ()),
        (tasks.witness_whole, ()),
        (tasks.cut_media, ("a.mkv", 4000.0)),
    ):
        with pytest.raises(OtherProgramError, match="the very tap"):
            task(other, *args)


def test_a_bad_shoot_says_so_before_anything_is_done(charge):
    course = Course(replace(charge, place=str(charge.out)), ALWAYS, charge.out)
    (step,) = course.start()
    with pytest.raises(InputError, match="no such file"):
        step.task(*step.args)


# ---------------------------------------------------------------- the files between


def test_reduced_pictures_come_back_as_they_were(shoot, tmp_path):
    with tasks.open_media(str(shoot), "media/cam-a.mkv") as file:
        pictures = list(map(_reduced, file.pictures()))
    pictures[3:3] = [Reduced(None, None), Reduced(17.25, None)]
    path = tmp_path / "some" / "x.lumas"
    assert write_lumas(path, pictures, lambda: {"seen": 1}) == len(pictures)
    assert told_beside(path) == {"seen": 1}
    back = list(read_lumas(path))
    assert [p.pts_ms for p in back] == [p.pts_ms for p in pictures]
    assert all(
        (a.luma is None and b.luma is None) or ((a.luma == b.luma).all() and a.size == b.size)
        for a, b in zip(back, pictures, strict=True)
    )
    assert sorted(file.name for file in path.parent.iterdir()) == ["x.json", "x.lumas"]


def _reduced(picture):
    return reduced(picture)._replace(encoded=None)


def test_a_file_that_was_not_finished_is_not_there(tmp_path):
    def broken():
        yield Reduced(0.0, None)
        raise SeamError("no")

    path = tmp_path / "x.lumas"
    with pytest.raises(SeamError):
        write_lumas(path, broken(), dict)
    assert told_beside(path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [5, 20, 40, -1])
def test_a_damaged_file_is_refused(shoot, tmp_path, cut):
    path = tmp_path / "x.lumas"
    with tasks.open_media(str(shoot), "media/cam-a.mkv") as file:
        write_lumas(path, [_reduced(next(file.pictures()))], dict)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(FeedError):
        list(read_lumas(path))
    path.unlink()
    with pytest.raises(FeedError, match="every worker sees"):
        list(read_lumas(path))
