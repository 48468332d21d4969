"""The recorded director's wire: when each line goes out, and as what."""

import json

import pytest

from tap.errors import InputError
from tap.rig.serve_director import read_director, restamped

T0 = 1_789_000_000_000


def lines_of(tmp_path, *messages):
    file = tmp_path / "director.jsonl"
    file.write_text(
        "\n".join(m if isinstance(m, str) else json.dumps(m) for m in messages), "utf-8"
    )
    return read_director(file)


def test_lines_go_out_when_they_were_received_else_sent_else_with_the_one_before(tmp_path):
    lines = lines_of(
        tmp_path,
        {"type": "cut", "atMs": T0, "recvMs": T0 + 5},
        {"type": "cut", "atMs": T0 + 100},
        {"type": "cut"},
        "no message at all",
        {"type": "cut", "atMs": True},
        {"type": "cut", "atMs": T0 + 50},  # stamped out of order
        {"type": "cut", "atMs": T0 + 200},
    )
    assert [line.at_ms - T0 for line in lines] == [5, 100, 100, 100, 100, 100, 200]


def test_a_stamp_far_ahead_holds_up_nothing(tmp_path):
    lines = lines_of(
        tmp_path,
        {"type": "cut", "atMs": T0},
        {"type": "cut", "atMs": T0 + 7_200_000},
        {"type": "cut", "atMs": T0 + 300},
        {"type": "session.end", "atMs": T0 + 400_000},
    )
    assert [line.at_ms - T0 for line in lines] == [0, 0, 300, 400_000]


@pytest.mark.parametrize(
    ("recorded", "sent"),
    [
        ({"type": "cut", "atMs": 1000, "recvMs": 1005}, {"type": "cut", "atMs": 1500}),
        ({"type": "cut", "atMs": 1000.5}, {"type": "cut", "atMs": 1500.5}),
        ({"type": "cut", "recvMs": 1005}, {"type": "cut"}),
        ({"raw": {"recvMs": 1, "atMs": 7}, "recvMs": 9}, {"recvMs": 1, "atMs": 507}),
    ],
)
def test_messages_are_stamped_anew(recorded, sent):
    assert json.loads(restamped(json.dumps(recorded), 500.0)) == sent


@pytest.mark.parametrize(
    "text", ["not json {", "[1, 2]", '{"type": "cut"}', '{"atMs": "soon"}', "NaN"]
)
def test_what_has_no_time_goes_out_as_it_is(text):
    assert restamped(text, 500.0) == text


def test_what_was_no_message_goes_out_as_it_came():
    recorded = {"unreadable": "oops {", "problem": "not JSON", "recvMs": 5}
    assert restamped(json.dumps(recorded), 500.0) == "oops {"


def test_an_absent_file_is_bad_input(tmp_path):
    with pytest.raises(InputError, match=r"director\.jsonl"):
        read_director(tmp_path / "director.jsonl")
