"""Packets to pictures: order, loss, bounds, and what strangers may send."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap.feeds import webrtc_rtp
from tap.feeds.webrtc_rtp import Assembler, Packet, SenderClock

KEY = b"\x00\x00\x00\x9d\x01\x2a\x80\x02\xe0\x01"  # how a VP8 key picture of 640 x 480 begins
DELTA = b"\x01" + b"d" * 9
START_MS = 1_000_000.0


def stream(pictures, *, first_seq=0, parts=3, key_every=0):
    """Packets of so many pictures; the first is a key picture, 40 ms apart, 1 ms a packet."""
    out = []
    for n in range(pictures):
        key = n == 0 or (key_every and n % key_every == 0)
        for part in range(parts):
            head = (KEY if key else DELTA) if part == 0 else b""
            out.append(
                Packet(
                    ssrc=1,
                    seq=(first_seq + len(out)) & 0xFFFF,
                    timestamp=(n * 3600) & 0xFFFFFFFF,
                    marker=part == parts - 1,
                    data=head + f"{n}.{part};".encode(),
                    at_ms=START_MS + 40 * n + part,
                )
            )
    return out


def taken(assembler, packets):
    """The pictures that come of packets, in the order of `packets`."""
    return [coded for packet in packets for coded in assembler.add(packet)]


def numbers(coded):
    return [picture.timestamp // 3600 for picture in coded]


def test_pictures_come_whole_with_their_last_packet_and_at_their_first():
    out = taken(Assembler("VP8"), stream(4))
    assert numbers(out) == [0, 1, 2, 3]
    assert [picture.at_ms - START_MS for picture in out] == [0, 40, 80, 120]
    assert [picture.key for picture in out] == [True, False, False, False]
    assert out[1].data == DELTA + b"1.0;1.1;1.2;"


@pytest.mark.parametrize("first_seq", [0, 65530, 65535])
def test_order_is_restored_across_the_turn_of_the_numbers(first_seq):
    packets = stream(30, first_seq=first_seq)
    shuffled = [packets[0]]
    generator = random.Random(1)
    for n in range(1, len(packets), 4):
        group = packets[n : n + 4]
        generator.shuffle(group)
        shuffled += group
    assert numbers(taken(Assembler("VP8"), [*shuffled, *packets])) == list(range(30))


def test_a_lost_packet_is_asked_for_at_once_again_and_not_for_ever():
    assembler = Assembler("VP8")
    packets = stream(3)
    taken(assembler, [*packets[:4], *packets[5:]])
    now = START_MS + 90
    assert assembler.to_ask(now) == [4]
    assert assembler.to_ask(now + 10) == []
    assert assembler.to_ask(now + 41) == [4]
    asked = [assembler.to_ask(now + 41 * n) for n in range(2, 30)]
    assert sum(map(len, asked)) == webrtc_rtp.MAX_ASKED - 2
    late = replace(packets[4], at_ms=now + 60)
    out = assembler.add(late)
    assert numbers(out) == [1, 2]
    # In order, as over TCP: nothing is there before what was sent before it.
    assert [p.at_ms for p in out] == [
        max(START_MS + 40, late.at_ms - webrtc_rtp.LONGEST_MS),
        now + 60,
    ]
    assert assembler.to_ask(now + 500) == []


def test_what_is_lost_for_good_costs_the_pictures_up_to_the_next_key_and_no_more():
    assembler = Assembler("VP8")
    packets = stream(10, key_every=6)
    out = taken(assembler, [*packets[:7], *packets[8:12]])  # picture 2 lacks its middle
    assert numbers(out) == [0, 1]
    assert not assembler.needs_key
    assert assembler.pass_time(START_MS + 300) == []
    assert assembler.pass_time(START_MS + 121 + webrtc_rtp.PATIENCE_MS) == []
    assert assembler.needs_key
    assert assembler.lost == 1
    assert numbers(taken(assembler, packets[12:])) == [6, 7, 8, 9]
    assert assembler.left_out == 3  # 3, 4 and 5 came whole
    assert not assembler.needs_key


def test_a_stream_that_is_joined_in_its_middle_waits_for_a_key_picture():
    packets = stream(9, key_every=5)
    assembler = Assembler("VP8")
    assert numbers(taken(assembler, packets[4:])) == [5, 6, 7, 8]


def test_a_sender_that_begins_anew_is_followed():
    assembler = Assembler("VP8")
    taken(assembler, stream(5))
    again = [replace(p, ssrc=2) for p in stream(4, first_seq=40_000)]
    assert numbers(taken(assembler, again)) == [0, 1, 2, 3]
    far = stream(4, first_seq=20_000)
    assert numbers(taken(assembler, [replace(p, ssrc=2) for p in far])) == [0, 1, 2, 3]


def test_padding_between_pictures_is_no_picture_and_no_gap():
    packets = stream(3)
    padded = [*packets[:3], replace(packets[2], seq=3, marker=False, data=b"")]
    padded += [replace(p, seq=p.seq + 1) for p in packets[3:]]
    assert numbers(taken(Assembler("VP8"), padded)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("data", "known", "key"),
    [
        (b"\0\0\0\1\x67sps\0\0\0\1\x68pps\0\0\0\1\x65idr", False, True),
        (b"\0\0\0\1\x65idr", False, False),
        (b"\0\0\0\1\x65idr", True, True),
        (b"\0\0\0\1\x41p", True, False),
        (b"\0\0\1", True, False),
    ],
)
def test_h264_begins_where_its_parameters_are_known(data, known, key):
    assembler = Assembler("H264", has_parameters=known)
    packet = Packet(1, 9, 0, marker=True, data=data, at_ms=START_MS)
    assert bool(assembler.add(packet)) is key


def test_what_never_becomes_a_picture_does_not_pile_up():
    assembler = Assembler("VP8")
    one = stream(1)[0]
    assembler.add(one)
    big = b"x" * 60_000
    for n in range(2, 3000):  # packet 1 is missing: nothing can be handed out
        assembler.add(replace(one, seq=n & 0xFFFF, marker=False, data=big))
        assert assembler._bytes <= webrtc_rtp.MAX_BYTES
    every_other = Assembler("VP8")
    for n in range(0, 20_000, 2):
        every_other.add(replace(one, seq=n & 0xFFFF, marker=False))
        assert len(every_other._packets) <= webrtc_rtp.MAX_PACKETS
        assert len(every_other._noticed) <= webrtc_rtp.MAX_MISSING
    assert every_other.needs_key


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFFFFFF),
            st.booleans(),
            st.sampled_from([b"", b"\0", KEY, DELTA, b"\0\0\1", b"\0\0\0\1\x67"]),
            st.integers(0, 400),
        ),
        max_size=60,
    ),
    st.sampled_from(["H264", "VP8"]),
)
def test_whatever_comes_it_holds_no_more_than_it_got_and_its_times_never_fall(packets, codec):
    assembler = Assembler(codec)
    now, last, got = START_MS, 0.0, 0
    for ssrc, seq, timestamp, marker, data, wait in packets:
        now += wait
        got += len(data)
        out = assembler.add(Packet(ssrc, seq, timestamp, marker, data, now))
        for picture in [*out, *assembler.pass_time(now)]:
            assert last <= picture.at_ms <= now
            last = picture.at_ms
        assembler.to_ask(now)
        assert 0 <= assembler._bytes <= got
        assert assembler._bytes == sum(len(p.data) for p in assembler._packets.values())


def test_the_sender_s_clock_counts_from_its_last_report_across_the_turn():
    clock = SenderClock()
    assert clock.source_ms(0) is None
    clock.report(int((2_208_988_800 + 1_700_000_000.25) * 2**32), 0xFFFFFF00)
    assert clock.source_ms(0xFFFFFF00) == pytest.approx(1_700_000_000_250, abs=0.01)
    assert clock.source_ms((0xFFFFFF00 + 9000) & 0xFFFFFFFF) == pytest.approx(
        1_700_000_000_350, abs=0.01
    )
    assert clock.source_ms(0xFFFFFF00 - 9000) == pytest.approx(1_700_000_000_150, abs=0.01)
    clock.report(12345, 0)
    assert clock.source_ms(0) is None
