"""How messages are shown to whoever writes a profile, and the example in the documentation."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap.claims import Parser, load_profile, skeleton, understood
from tap.claims.fields import FIELDS
from tap.claims.understood import MAX_PATHS
from tap.vocabulary import EventType

DOCS = Path(__file__).parents[2] / "docs" / "profiles.md"
NOW = 1_764_115_209_000.0


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def example(tmp_path):
    path = tmp_path / "studio.toml"
    path.write_text(block("toml"), "utf-8")
    return load_profile(path)


def test_the_example_in_the_documentation_reads_its_messages(example) -> None:
    parser = Parser(example, ["cam-a", "cam-b", "cam-c"])
    claims = [parser.parse(line, NOW) for line in block("json").splitlines()]
    assert [claim.type.value for claim in claims] == ["cut", "cut", "proposal", "accept", "unknown"]
    assert [claim.camera for claim in claims] == ["cam-b", "cam-a", "cam-c", None, None]
    assert claims[0].at_ms == 1_764_115_201_250.0
    assert (claims[1].transition, claims[1].duration_ms) == (EventType.DISSOLVE, 400.0)
    assert claims[3].proposal == claims[2].id == "19"
    assert not any(understood(claim, example).ignored for claim in claims[:4])
    assert understood(claims[4], example).ignored == ("body.red.0",)


def test_the_documentation_lists_every_type_and_field() -> None:
    text = DOCS.read_text("utf-8")
    for kind, fields in FIELDS.items():
        [row] = [line for line in text.splitlines() if line.startswith("|") and f"`{kind}`" in line]
        for name, field in fields.items():
            assert f"{name}{'*' if field.required else ''}" in re.split(r"[ ,|]+", row), kind


def test_what_was_read_and_what_was_not() -> None:
    profile = load_profile("tap")
    message = {
        "type": "cut", "camera": "cam-z", "id": 5, "atMs": NOW - 400_000,
        "extra": {"deep": [1, {"x": None}], "none": {}},
    }  # fmt: skip
    what = understood(Parser(profile, None).read(message, NOW), profile)
    assert what.told == {"camera": "cam-z"}
    assert what.read == {"type": "type", "id": "id", "atMs": "atMs", "camera": "camera"}
    assert what.ignored == ("extra.deep.0", "extra.deep.1.x", "extra.none")
    assert "60 s" in what.time
    assert what.as_json()["ignored"] == list(what.ignored)
    known = understood(Parser(profile, ["cam-a"]).read(message, NOW), profile)
    assert known.claim.type.value == "unreadable"
    assert known.read == {}
    assert "camera" in known.ignored
    noise = understood(Parser(profile, None).parse("rubbish", NOW), profile)
    assert (noise.ignored, noise.type_name) == ((), None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=80,
)


@given(st.dictionaries(st.text(max_size=6), json_values), st.sampled_from(["tap", "motionmix"]))
def test_any_message_can_be_shown(message, name) -> None:
    profile = load_profile(name)
    what = understood(Parser(profile, None).read(message, NOW), profile)
    json.dumps(what.as_json())
    assert len(what.ignored) <= MAX_PATHS


def test_the_beginning_of_a_profile_is_toml_and_obeys_nobody() -> None:
    name = 'x"\n[types.cut]\x1b[31m'
    text = skeleton("tap", {name: (3, ("a\nb", "c")), "TAKE": (1, ())})
    assert text.isascii() or "…" in text
    assert "\x1b" not in text
    assert tomllib.loads(text) == {}
    wanted = [line[2:] for line in text.splitlines() if line.startswith("# names")]
    assert [tomllib.loads(line)["names"] for line in wanted] == [[name], ["TAKE"]]
