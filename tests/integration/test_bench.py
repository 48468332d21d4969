"""What `tap bench` measures by: pictures from a mill, watched over real sockets."""

import json
import subprocess
import sys

import pytest

from tap.feeds.jpeg import check_jpeg
from tap.rig.carry import bare, carried, milled
from tap.rig.mill import LOOP, PROGRAM_SIZE, Mill, grind

SMALL = Mill(2, (320, 180), 12_000)


def test_pictures_have_about_the_size_that_was_asked_for_and_differ():
    one, two = grind(SMALL)
    assert len(one.pictures) == len(one.on_program) == LOOP
    assert len({*one.pictures, *two.pictures}) == 2 * LOOP
    assert all(check_jpeg(picture) == (320, 180) for picture in one.pictures)
    assert check_jpeg(one.on_program[0]) == PROGRAM_SIZE
    assert 8_000 < len(one.pictures[0]) <= 12_000


@pytest.mark.slow
def test_a_mill_is_watched_and_what_is_said_agrees():
    with milled(SMALL) as mill:
        least = bare(mill, 1.0)
        seen = carried(mill, 6.0, settle_s=8.0)
    assert 0 < least.reading < 1
    assert least.decoding_all > least.decoding_program > 0
    assert seen.cpu > 0
    # A machine that is busy may lose pictures; it must not tell of another camera for that.
    assert seen.program_frames > 100
    assert seen.codes.get("AGREE", 0) >= 1
    assert "WRONG_CAMERA" not in seen.codes


@pytest.mark.parametrize("size", ["1920", "axb", "1920x", "10x10", "9000x9000"])
def test_a_size_that_is_none(size):
    done = subprocess.run(
        [sys.executable, "-m", "tap", "bench", "--size", size],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--size: expected" in done.stderr.replace("\n", " ")
    assert not done.stdout


@pytest.mark.slow
def test_the_command_says_how_many_cameras_fit():
    done = subprocess.run(
        [sys.executable, "-m", "tap", "bench", "--size", "320x180", "--kb", "10", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["type"] == "bench"
    assert told["few"]["cpu"] > 0
    assert told["more"]["program_frames"] > 100
    # 0 is an answer as well: of a machine that lost pictures, because it is busy.
    assert told["cameras"] >= 6 or told["few"]["program_lost"] or told["few"]["cpu"] > 1
