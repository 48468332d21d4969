"""Profiles: what ships, what a user may write, what is wrong with it."""

import json

import pytest

from tap.claims import Parser, load_profile, shipped_profiles
from tap.claims.fields import FIELDS
from tap.errors import InputError
from tap.vocabulary import ClaimType, EventType

NOW = 1_789_000_000_000.0

OTHER = """
name = "other"

[message]
type = "d.eventType"
id = "d.uid"
at = { path = "d.when", unit = "iso" }
seq = "n"

[types.cut]
names = ["SceneChanged", "7"]
fields = { camera = "d.data.scenes.0", durationMs = { path = "d.data.seconds", unit = "s" } }
constants = { transition = "Mix" }

[types.mode]
names = ["Auto"]
constants = { mode = "auto" }

[transitions]
Mix = "dissolve"

[cameras]
"Scene 1" = "cam-a"
2 = "cam-b"

[wire]
token_parameter = "key"
"""


@pytest.fixture
def other(tmp_path):
    path = tmp_path / "other.toml"
    path.write_text(OTHER)
    return Parser(load_profile(path), ("cam-a", "cam-b"))


def test_what_ships():
    assert shipped_profiles() == ["motionmix", "tap"]


def test_the_canonical_profile_is_whole():
    profile = load_profile("tap")
    assert not profile.partial
    assert (
        set(profile.types)
        == set(FIELDS)
        == set(ClaimType)
        - {
            ClaimType.UNKNOWN,
            ClaimType.UNREADABLE,
        }
    )
    for kind, wording in profile.types.items():
        assert wording.names == (kind.value,)
        assert {name: place.path for name, place in wording.fields.items()} == {
            name: name for name in FIELDS[kind]
        }


def test_another_system(other):
    message = {
        "n": 3,
        "d": {
            "eventType": "SceneChanged",
            "uid": 12,
            "when": "2026-09-10T02:26:40+02:00",
            "data": {"scenes": ["Scene 1"], "seconds": 0.5},
        },
    }
    claim = other.parse(json.dumps(message), 1_789_000_000_500.0)
    assert claim.problem is None
    assert claim.type is ClaimType.CUT
    assert (claim.id, claim.seq, claim.camera) == ("12", 3, "cam-a")
    assert (claim.transition, claim.duration_ms) == (EventType.DISSOLVE, 500.0)
    assert claim.at_ms == 1_789_000_000_000.0


def test_types_and_cameras_by_number(other):
    message = {"d": {"eventType": 7, "data": {"scenes": [2]}}}
    assert other.parse(json.dumps(message), NOW).camera == "cam-b"


def test_constants_fill_what_is_never_sent(other):
    claim = other.parse('{"d":{"eventType":"Auto"}}', NOW)
    assert (claim.type, claim.mode) == (ClaimType.MODE, "auto")


@pytest.mark.parametrize("scenes", [[], {}, "Scene 1", None])
def test_paths_that_lead_nowhere(other, scenes):
    message = {"d": {"eventType": "SceneChanged", "data": {"scenes": scenes}}}
    assert other.parse(json.dumps(message), NOW).problem == "camera: expected a value, got none"


@pytest.mark.parametrize("when", ["2026-09-10T02:26:40", "soon", 5, "9999-99-99", [], "\x00"])
def test_bad_dates(other, when):
    message = {"d": {"eventType": "Auto", "when": when}}
    assert "date and time" in (other.parse(json.dumps(message), NOW).problem or "")


# ---------------------------------------------------------------- the seed system


@pytest.fixture
def phone() -> Parser:
    return Parser(load_profile("motionmix"), ("cam-a",), sender="cam-a")


def test_motionmix_is_partial_and_says_where_things_are():
    profile = load_profile("motionmix")
    assert profile.partial
    assert profile.routes["phone"].path == "/stream"
    assert profile.routes["phone"].ports == (8081,)
    assert profile.routes["lane"].ports == (8087, 8088, 8089)
    assert profile.routes["switcher"].path is None
    assert profile.wire.kind == "sse"


def test_a_phone_speaks_of_itself(phone):
    claim = phone.parse('{"file":"IMG_1.HEIC"}', NOW, "still_captured")
    assert (claim.type, claim.camera, claim.kind) == (ClaimType.STILL, "cam-a", "capture")
    assert claim.raw == {"event": "still_captured", "data": {"file": "IMG_1.HEIC"}}


def test_two_stills_without_id_are_two(phone):
    ids = {phone.parse("{}", NOW + n, "still_captured").id for n in range(2)}
    assert len(ids) == 2


@pytest.mark.parametrize("event", ["status", "session_changed", "brand_new"])
def test_names_without_a_known_meaning_are_kept(phone, event):
    claim = phone.parse("plain text", NOW, event)
    assert claim.type is ClaimType.UNKNOWN
    assert claim.raw == {"event": event, "data": "plain text"}


def test_a_still_from_nobody_knows_where():
    parser = Parser(load_profile("motionmix"), ("cam-a",))
    assert parser.parse("{}", NOW, "still_captured").type is ClaimType.UNREADABLE


def test_the_event_name_cannot_be_forged(phone):
    claim = phone.parse('{"event":"still_captured"}', NOW, "status")
    assert claim.type is ClaimType.UNKNOWN


# ---------------------------------------------------------------- what a user gets wrong

MINIMAL = 'name = "x"\n[message]\ntype = "t"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = ", "expected TOML"),
        ('name = "x"', "message: Field required"),
        ("colour = 1\n" + MINIMAL, "colour: Extra inputs"),
        (MINIMAL + "[types.cut]\nnames = []", "types.cut.names"),
        (MINIMAL + "[types.jump]\nnames = ['j']", "types.jump"),
        (MINIMAL + "[types.unknown]\nnames = ['j']", "no message that can be mapped"),
        (MINIMAL + "[types.cut]\nnames = ['j']\nfields = { colour = 'x' }", 'no field "colour"'),
        (MINIMAL + "[types.cut]\nnames = ['j']\nfields = { camera = 'a..b' }", "camera.path"),
        (MINIMAL + "[types.cut]\nnames = ['j']\n[types.hold]\nnames = ['j']", "two messages"),
        (MINIMAL + "[transitions]\nMix = 'morph'", "transitions.Mix"),
        (MINIMAL + "[wire]\nkind = 'pigeon'", "wire.kind"),
        ("x" * 300_000, "at most"),
        ("\xff", "expected TOML"),
    ],
)
def test_a_wrong_profile_is_explained(tmp_path, text, problem):
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError) as caught:
        load_profile(path)
    assert problem in str(caught.value)
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize("name", ["nosuch", "../tap", "missing.toml"])
def test_a_profile_that_is_not_there(name):
    with pytest.raises(InputError, match="profile"):
        load_profile(name)
