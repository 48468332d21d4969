"""A phone's own events among the director's messages, and read again to the very same."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tap.claims import DeviceParser, Devices, Parser, dump_line, load_profile
from tap.claims.record import from_line

NOW = 1_789_000_000_000.0
CAMERAS = ["cam-a", "cam-b"]


def phone(sender: str = "cam-b") -> DeviceParser:
    return DeviceParser(load_profile("motionmix"), CAMERAS, sender)


def again(claim, profile: str = "tap"):
    """The claim as a recording gives it back."""
    parser = Parser(load_profile(profile), CAMERAS, devices=Devices(CAMERAS))
    return from_line(json.loads(dump_line(claim)), parser, 0.0)


def test_a_still_of_a_phone_names_its_camera_and_how_it_was_read() -> None:
    claim = phone().parse('{"n": 1}', NOW, "still_captured")
    assert (claim.type.value, claim.camera, claim.kind) == ("still", "cam-b", "capture")
    assert claim.id.startswith("cam-b:content-")
    assert claim.raw == {
        "device": "cam-b",
        "profile": "motionmix",
        "message": {"event": "still_captured", "data": {"n": 1}},
    }
    assert again(claim) == claim
    assert again(claim, "motionmix") == claim


def test_two_phones_that_say_the_same_are_two() -> None:
    assert phone("cam-a").parse("ok", NOW, "status").id != phone().parse("ok", NOW, "status").id


def test_a_later_time_of_receipt_is_taken_as_for_any_message() -> None:
    parser = Parser(load_profile("tap"), CAMERAS, devices=Devices(CAMERAS, [phone()]))
    moved = parser.received_at(phone().parse("ok", NOW, "status"), NOW + 5)
    assert moved == phone().parse("ok", NOW + 5, "status")


@given(
    st.binary(max_size=60) | st.sampled_from([b"{}", b"null", b"[1]", b'{"a":NaN}', b"x" * 70000])
)
def test_whatever_a_phone_says_comes_back_from_a_recording(data) -> None:
    for event in ("still_captured", "status", "new"):
        claim = phone().parse(data, NOW, event)
        assert again(claim) == claim
    plain = DeviceParser(load_profile("tap"), CAMERAS, "cam-a").parse(data, NOW)
    assert again(plain) == plain


def test_a_director_that_frames_its_messages_so_is_not_believed() -> None:
    claim = phone().parse('{"n": 1}', NOW, "still_captured")
    parser = Parser(load_profile("tap"), CAMERAS, devices=Devices(CAMERAS))
    forged = parser.parse(json.dumps(dict(claim.raw)), NOW)
    assert forged.type.value == "unreadable"
    assert "framed by tap" in (forged.problem or "")
    assert again(forged) == forged
    for change in ({"device": "cam-z"}, {"profile": "nobody"}, {"message": "x"}, {"device": []}):
        line = {**claim.raw, **change, "recvMs": NOW}
        assert from_line(line, parser, 0.0).type.value == "unreadable"
