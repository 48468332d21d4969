"""Far cameras: fingerprints, messages, clocks and order, without a network."""

import math
import struct
from contextlib import suppress
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.errors import InputError
from tap.feeds import edge_wire as wire
from tap.feeds.edge_clock import LONGEST_TRIP_MS, Offset, Sample, sample
from tap.feeds.edge_order import LONGEST_MS, START_MS, WINDOW, Epochs, Playout, Sequence
from tap.feeds.edge_wire import Batch, WireError
from tap.feeds.fingerprint import (
    LONGEST_SIDE,
    MAX_BYTES,
    Fingerprint,
    FingerprintError,
    fingerprint_of,
    jpeg_of,
    seen_in,
    size_for,
)
from tap.feeds.jpeg import decode_luma

SIDES = st.integers(16, 4096)

# ---------------------------------------------------------------- fingerprints


@given(SIDES, SIDES)
def test_every_shape_has_a_fingerprint_that_fits(width, height):
    wide, high = size_for(width, height)
    assert wide * high <= MAX_BYTES <= 200
    assert max(wide, high) <= LONGEST_SIDE
    if 0.25 < width / height < 4:
        assert abs(wide / high / (width / height) - 1) < 0.05


@pytest.mark.parametrize(
    ("full", "small"),
    [((1920, 1080), (18, 10)), ((1080, 1920), (10, 18)), ((640, 480), (16, 12))],
)
def test_usual_shapes(full, small):
    assert size_for(*full) == small


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000))
def test_a_fingerprint_comes_back_to_a_grey_level(seed):
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 16), np.uint8)
    luma = cv2.resize(coarse, (240, 135), interpolation=cv2.INTER_CUBIC)
    taken = fingerprint_of(luma, (1920, 1080))
    again, size = decode_luma(jpeg_of(taken))
    assert size == (18, 10) == again.shape[::-1]
    assert np.array_equal(again, seen_in(jpeg_of(taken)).luma)
    small = np.frombuffer(taken.data, np.uint8).reshape(10, 18)
    assert np.abs(again.astype(int) - small).max() <= 2


@pytest.mark.parametrize("bad", [(18, 10, 179), (33, 4, 132), (3, 10, 30), (14, 14, 196)])
def test_what_is_no_fingerprint_is_refused(bad):
    width, height, length = bad
    with pytest.raises(FingerprintError):
        jpeg_of(Fingerprint(width, height, bytes(length)))


# ---------------------------------------------------------------- messages


@st.composite
def batches(draw):
    width, height = draw(st.sampled_from([(18, 10), (10, 18), (16, 12), (4, 4)]))
    steps = draw(st.lists(st.floats(1.0, 500.0), max_size=wire.MOST_FRAMES - 1))
    at = [draw(st.floats(0.0, 2e12))]
    for step in steps:
        at.append(at[-1] + step)
    return Batch(
        draw(st.integers(1, 2**32 - 1)),
        draw(st.integers(0, 2**32 - 1)),
        (draw(st.integers(1, 65535)), draw(st.integers(1, 65535))),
        width,
        height,
        tuple(at),
        tuple(draw(st.binary(min_size=width * height, max_size=width * height)) for _ in at),
    )


@given(batches())
def test_fingerprints_come_over_as_they_were(batch):
    message = wire.pack_frames(batch)
    again = wire.unpack_frames(message)
    assert again.at_ms == pytest.approx(batch.at_ms, abs=0.06)
    assert (again.prints, again.epoch, again.first) == (batch.prints, batch.epoch, batch.first)
    assert (again.size, again.width, again.height) == (batch.size, batch.width, batch.height)


def test_a_frame_costs_less_than_200_bytes():
    taken = fingerprint_of(np.zeros((135, 240), np.uint8))
    batch = Batch(1, 2, (1920, 1080), 18, 10, (1.0, 34.0, 67.0), (taken.data,) * 3)
    assert len(wire.pack_frames(batch)) / 3 <= 200


@given(batches(), st.data())
def test_damaged_messages_are_refused_or_are_sane(batch, data):
    message = bytearray(wire.pack_frames(batch))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(message) - 1))
        message[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
        if not message:
            break
    with suppress(WireError):
        again = wire.unpack_frames(bytes(message))
        assert 1 <= len(again.prints) <= wire.MOST_FRAMES
        assert all(len(one) == again.width * again.height <= MAX_BYTES for one in again.prints)
        assert all(math.isfinite(at) for at in again.at_ms)
        assert all(a < b for a, b in pairwise(again.at_ms))


@given(st.binary(max_size=3000))
def test_no_bytes_bring_a_reader_down(message):
    for read in (
        wire.unpack_frames,
        wire.unpack_time_asked,
        wire.unpack_time_said,
        wire.unpack_picture_asked,
        wire.unpack_picture,
    ):
        with suppress(WireError):
            read(message)


def test_another_version_says_so():
    message = bytearray(wire.pack_frames(Batch(1, 0, (16, 16), 4, 4, (0.0,), (bytes(16),))))
    message[2] = 9
    with pytest.raises(WireError, match="version 1, got 9"):
        wire.unpack_frames(bytes(message))


def test_times_that_do_not_rise_are_refused():
    message = bytearray(wire.pack_frames(Batch(1, 0, (16, 16), 4, 4, (0.0, 5.0), (bytes(16),) * 2)))
    at = len(message) - 18
    message[at : at + 2] = struct.pack("<H", 0)
    with pytest.raises(WireError, match="order of their times"):
        wire.unpack_frames(bytes(message))


def test_a_picture_or_why_there_is_none():
    assert wire.unpack_picture(wire.pack_picture(b"jpeg")) == b"jpeg"
    with pytest.raises(WireError, match="no longer keeps"):
        wire.unpack_picture(wire.pack_picture(None, 1))
    with pytest.raises(WireError, match="not known"):
        wire.unpack_picture(wire.pack_picture(None, 77))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("nats://10.0.0.5:4222/cam-a", ("nats://10.0.0.5:4222", "cam-a")),
        ("tls://nats.example/b_2", ("tls://nats.example:4222", "b_2")),
        ("nats://[::1]:5000/x", ("nats://[::1]:5000", "x")),
    ],
)
def test_an_address_is_a_server_and_a_name(url, place):
    assert wire.place_of(url, "cam") == place


@pytest.mark.parametrize(
    "url",
    ["nats://h:4222", "nats://h/a.b", "nats://h/a/b", "http://h/a", "nats:///a", "nats://h/>"],
)
def test_other_addresses_are_refused(url):
    with pytest.raises(InputError, match="expected nats://HOST:4222/NAME"):
        wire.place_of(url, "cam")


# ---------------------------------------------------------------- clocks


@given(
    ahead=st.floats(-1e9, 1e9),
    there=st.floats(0, 500),
    back=st.floats(0, 500),
    held=st.floats(0, 500),
)
def test_the_offset_is_known_to_half_the_round_trip(ahead, there, back, held):
    sent = 1e12
    came = sent + there + ahead
    left = came + held
    found = sample(sent, came, left, sent + there + held + back)
    assert found is not None
    assert abs(found.ahead_ms - ahead) <= found.trip_ms / 2 + 0.01


@pytest.mark.parametrize(
    "stamps",
    [
        (0.0, 5.0, 4.0, 10.0),
        (0.0, 5.0, 50.0, 10.0),
        (0.0, math.nan, 5.0, 10.0),
        (0.0, math.inf, math.inf, 10.0),
        (0.0, 5.0, 5.0, LONGEST_TRIP_MS + 1),
    ],
)
def test_answers_that_can_not_be_are_no_sample(stamps):
    assert sample(*stamps) is None


def test_the_shortest_trip_counts():
    offset = Offset()
    for trip, ahead in ((40.0, 115.0), (2.0, 100.5), (60.0, 85.0)):
        offset.add(Sample(1000.0, ahead, trip))
    assert offset.best(1000.0).ahead_ms == 100.5
    assert offset.steps == 0


def test_a_clock_that_is_set_is_noticed_and_one_odd_answer_is_not_believed():
    offset = Offset()
    offset.add(Sample(0.0, 100.0, 2.0))
    offset.add(Sample(1000.0, 5000.0, 2.0))
    assert offset.best(1000.0).ahead_ms == 100.0
    offset.add(Sample(2000.0, 100.0, 2.0))
    offset.add(Sample(3000.0, 5000.0, 2.0))
    offset.add(Sample(4000.0, 5000.0, 2.0))
    assert offset.best(4000.0).ahead_ms == 5000.0
    assert offset.steps == 1


def test_an_old_sample_gives_way_to_a_new_one_as_clocks_drift():
    offset = Offset()
    offset.add(Sample(0.0, 100.0, 2.0))
    offset.add(Sample(60_000.0, 104.0, 8.0))
    assert offset.best(60_000.0).ahead_ms == 104.0


# ---------------------------------------------------------------- order


@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=8))
def test_each_frame_once_and_in_the_order_of_their_numbers(order, again):
    sequence = Sequence()
    placed: dict[int, float] = {}
    for number in [*order, *again]:
        at = sequence.take(number, 1000.0 + 33.3 * number)
        if at is not None:
            assert number not in placed
            placed[number] = at
    assert sequence.twice == len(again)
    assert sorted(placed) == list(range(12))
    times = [placed[number] for number in sorted(placed)]
    assert all(a < b for a, b in pairwise(times))
    assert sequence.missing == 0


def test_what_is_missing_is_counted_until_it_comes():
    sequence = Sequence()
    for number in (5, 6, 9):
        sequence.take(number, 100.0 * number)
    assert sequence.missing == 2
    sequence.take(7, 700.0)
    assert sequence.missing == 1


def test_a_frame_whose_time_is_not_between_its_neighbours_is_left_out():
    sequence = Sequence()
    sequence.take(1, 100.0)
    sequence.take(3, 150.0)
    assert sequence.take(2, 170.0) is None
    assert sequence.take(4, 140.0) == 151.0
    assert sequence.late == 1


def test_what_is_remembered_is_bounded():
    sequence = Sequence()
    for number in range(10_000):
        sequence.take(number, 10.0 * number)
    assert len(sequence._taken) <= 256 >= len(sequence._times) - 1
    assert sequence.take(3, 30.0) is None


def test_the_newest_process_is_listened_to():
    epochs = Epochs()
    assert epochs.take(1, 0.0)
    assert epochs.take(2, 100.0)
    assert not epochs.take(1, 200.0)
    assert epochs.take(2, 300.0)
    # The newer has fallen silent: the other was no older after all.
    assert epochs.take(1, 2400.0)
    assert not epochs.take(2, 2500.0)


def test_frames_are_placed_later_only_where_many_come_too_late():
    playout = Playout()
    for n in range(20 * WINDOW):
        playout.note(400.0 if n % 100 == 0 else 60.0)
    assert playout.ms == START_MS
    for _ in range(2 * WINDOW):
        playout.note(START_MS + 150.0)
    assert playout.ms == START_MS + 60.0
    for _ in range(100 * WINDOW):
        playout.note(10_000.0)
    assert playout.ms == LONGEST_MS
