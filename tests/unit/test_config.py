"""shoot.toml: what is accepted, and the sentence and line for what is not."""

import os
import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.claims import load_profile
from tap.config import (
    Config,
    address_of,
    ice_login,
    load_config,
    require_startable,
    webrtc_source,
    write_template,
)
from tap.config.start import token_of
from tap.errors import EXIT_BAD_INPUT, InputError
from tap.toml_lines import key_lines

GOOD = """\
[session]
external_id = "shoot-1"

[[cameras]]
id = "cam-a"
url = "http://127.0.0.1:8081/stream"

[[cameras]]
id = "cam-b"
file = "media/b.mp4"

[program]
url = "http://127.0.0.1:8087/mjpeg"
"""


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("TAP_"):
            monkeypatch.delenv(name)


def load(folder: Path, text: str) -> Config:
    path = folder / "shoot.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        load(folder, text)
    assert caught.value.exit_code == EXIT_BAD_INPUT
    return str(caught.value)


# ---------------------------------------------------------------- what is accepted


def test_a_whole_file(tmp_path):
    config = load(tmp_path, GOOD)
    assert [camera.id for camera in config.cameras] == ["cam-a", "cam-b"]
    assert [camera.kind for camera in config.cameras] == ["mjpeg", "media"]
    assert config.cameras[1].file == tmp_path / "media" / "b.mp4"
    assert list(config.feeds()) == ["cam-a", "cam-b", "program"]
    assert config.director is None
    assert config.tolerances.hold_ms == 10_000


def test_the_environment_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_SESSION__TITLE", "from outside")
    monkeypatch.setenv("TAP_TOLERANCES__AFTER_MS", "500")
    monkeypatch.setenv("TAP_DIRECTOR__URL", "ws://127.0.0.1:1/d")
    monkeypatch.setenv("TAP_HOME", str(tmp_path / "home"))
    config = load(tmp_path, GOOD.replace("[[cameras]]", 'title = "inside"\n[[cameras]]', 1))
    assert config.session.title == "from outside"
    assert config.session.external_id == "shoot-1"
    assert config.tolerances.after_ms == 500
    assert config.director is not None
    assert config.director.url == "ws://127.0.0.1:1/d"
    assert config.ledger_path == tmp_path / "home" / "ledger.sqlite"


def test_the_template_loads_and_names_every_key(tmp_path):
    path = tmp_path / "shoot.toml"
    write_template(path)
    config = load_config(path)
    assert len(config.cameras) == 2
    text = path.read_text("utf-8")
    sections = ["session", "director", "ledger", "tolerances", "record", "seal"]
    for section in sections:
        keys = getattr(config, section).__class__.model_fields
        part = text.split(f"\n[{section}]", 1)[1].split("\n[", 1)[0]
        missing = [key for key in keys if f"{key} = " not in part and not key.startswith("token_")]
        assert missing == [], section
    for key in config.cameras[0].__class__.model_fields:
        assert f"{key} = " in text


def test_the_template_with_every_line_in_force_loads_too(tmp_path):
    path = tmp_path / "shoot.toml"
    write_template(path)
    lines = [
        line.removeprefix("# ") if line.startswith("# ") and " = " in line else line
        for line in path.read_text("utf-8").splitlines()
        if not line.startswith("# file = ")
    ]
    text = "\n".join(lines)
    embedded = "".join(
        line + "\n" for line in lines if not line.startswith(('url = "https', "role", "still_urls"))
    )
    assert load(tmp_path, embedded).cameras[0].token_env == "CAM_A_TOKEN"
    text = text.replace('kind = "embedded"', 'kind = "convex"').replace('path = "ledger', "#")
    config = load(tmp_path, text)
    assert (config.ledger.url, config.ledger.role) == ("https://NAME.convex.site", "author")


def test_the_template_is_not_written_over_a_file(tmp_path):
    path = tmp_path / "shoot.toml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="--force"):
        write_template(path)
    assert path.read_text("utf-8") == "mine"
    write_template(path, force=True)
    assert path.read_text("utf-8") != "mine"


# ---------------------------------------------------------------- what is not


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        (
            'external_id = "',
            'titel = "x"\nexternal_id = "',
            2,
            ["titel", 'mean "title"', "[session"],
        ),
        ('external_id = "shoot-1"', "", 1, ["external_id", "missing", "shoot-2026"]),
        ('external_id = "shoot-1"', 'external_id = "a/b"', 2, ["external_id", "a/b"]),
        ('"cam-b"', '"cam b"', 9, ['"id"', "[[cameras]] number 2", "cam b"]),
        ('"cam-b"', '"cam-a"', 9, ["no other camera has", "cam-a"]),
        ('"cam-b"', '"program"', 9, ["program"]),
        ('file = "media/b.mp4"', "", 8, ["url or file", "neither"]),
        ('file = "media/b.mp4"', 'file = "b"\nurl = "http://b"', 8, ["url or file", "both"]),
        ('"http://127.0.0.1:8087/mjpeg"', '"ftp://x"', 13, ["http://", "ftp://x"]),
        ('"http://127.0.0.1:8087/mjpeg"', '"http://x:99999/"', 13, ["http://", "99999"]),
        ("[program]", '[ledger]\nkind = "redis"\n[program]', 13, ['"embedded"', "redis"]),
        ("[program]", '[ledger]\nkind = "convex"\n[program]', 12, ["url", "convex.site"]),
        ("[program]", '[ledger]\nurl = "https://x"\n[program]', 12, ["embedded", "path"]),
        ("[program]", '[ledger]\nrole = "witness"\n[program]', 12, ["another writer", "convex"]),
        (
            "[program]",
            '[ledger]\nkind = "convex"\nurl = "http://10.0.0.5"\n[program]',
            12,
            ["https://", "never sent in the clear"],
        ),
        ("[program]", "[tolerances]\nafter_ms = true\n[program]", 13, ["ms", "true"]),
        ("[program]", "[tolerances]\nhold_ms = nan\n[program]", 13, ["ms", "NaN"]),
        ("[program]", "[tolerances]\nafter_ms = 5000\n[program]", 12, ["window_ms", "too small"]),
        ("[program]", '[director]\nurl = "tcp://x"\n[program]', 13, ["ws://", "tcp://x"]),
        ("[program]", "[progrma]", 12, ["progrma", 'mean "program"']),
        ("[program]", "[program", 12, ["TOML"]),
        ('"cam-b"', '"cam-b"\nkind = "webrtc"', 8, ["kind", "file"]),
        ('"cam-b"', '"cam-b"\ntoken_env = "a b"', 10, ["environment variable", "a b"]),
    ],
)
def test_one_sentence_with_file_and_line(tmp_path, old, new, line, words):
    text = complaint(tmp_path, GOOD.replace(old, new, 1)).splitlines()
    assert any(
        part.startswith(f"shoot.toml, line {line}: ") and all(word in part for word in words)
        for part in text
    ), text


def test_all_problems_are_listed_in_the_order_of_the_file(tmp_path):
    text = GOOD.replace('"cam-a"', '"cam a"').replace('"cam-b"', '"cam b"')
    text = text.replace("8087/mjpeg", "8087/mj peg")
    lines = complaint(tmp_path, text).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "shoot.toml, line 5",
        "shoot.toml, line 9",
        "shoot.toml, line 13",
    ]


def test_a_secret_in_an_address_is_refused_and_not_repeated(tmp_path):
    text = complaint(tmp_path, GOOD.replace("http://127.0.0.1:8087", "http://me:hush@x"))
    assert "token_env" in text
    assert "hush" not in text


def test_a_wrong_variable_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TAP_TOLERANCES__AFTER_MS", "soon")
    assert "environment variable TAP_TOLERANCES__AFTER_MS: " in complaint(tmp_path, GOOD)
    monkeypatch.delenv("TAP_TOLERANCES__AFTER_MS")
    monkeypatch.setenv("TAP_SESION__TITLE", "x")
    assert "TAP_SESION__TITLE" in complaint(tmp_path, GOOD)
    monkeypatch.delenv("TAP_SESION__TITLE")
    monkeypatch.setenv("TAP_CAMERAS", "not json")
    assert "cameras" in complaint(tmp_path, GOOD)


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="tap init"):
        load_config(tmp_path / "absent.toml")
    with pytest.raises(InputError, match=r"shoot\.toml|readable"):
        load_config(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'title = "\xff"')
    with pytest.raises(InputError, match="UTF-8"):
        load_config(tmp_path / "latin.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="at most"):
        load_config(tmp_path / "huge.toml")


# ---------------------------------------------------------------- before a start


@pytest.mark.parametrize("name", ["token", "Key", "access_token", "apiKey", "sig", "passwd"])
def test_a_token_in_a_query_is_refused_and_not_repeated(tmp_path, name):
    url = f"http://127.0.0.1:8087/mjpeg?x=1&{name}=hush-hush"
    text = complaint(tmp_path, GOOD.replace("http://127.0.0.1:8087/mjpeg", url))
    assert f'token_name = "{name}"' in text
    assert "hush" not in text


def test_other_words_in_a_query_are_fine(tmp_path):
    url = "http://127.0.0.1:8087/mjpeg?monkey=2&size=640&author=x"
    path = tmp_path / "shoot.toml"
    path.write_text(GOOD.replace("http://127.0.0.1:8087/mjpeg", url), "utf-8")
    assert load_config(path).program.url == url


def test_secrets_come_from_the_environment(tmp_path):
    text = GOOD.replace('"cam-a"', '"cam-a"\ntoken_env = "CAM_TOKEN"').replace("media/b", "b")
    (tmp_path / "b.mp4").write_bytes(b"")
    config = load(tmp_path, text)
    with pytest.raises(InputError, match="CAM_TOKEN"):
        require_startable(config, {})
    require_startable(config, {"CAM_TOKEN": "hush"})
    assert token_of(config.cameras[0], {"CAM_TOKEN": "hush"}) == "hush"
    assert token_of(config.cameras[1], {}) is None


@pytest.mark.parametrize(
    ("keys", "url", "headers"),
    [
        ("", "http://x/s?a=1", {"Authorization": "Bearer h&sh"}),
        ('token_in = "query"', "http://x/s?a=1&token=h%26sh", {}),
        ('token_in = "query"\ntoken_name = "key"', "http://x/s?a=1&key=h%26sh", {}),
        ('token_in = "header"\ntoken_name = "X-Key"', "http://x/s?a=1", {"X-Key": "h&sh"}),
    ],
)
def test_a_secret_goes_where_the_far_side_looks(tmp_path, keys, url, headers):
    text = GOOD.replace("http://127.0.0.1:8087/mjpeg", "http://x/s?a=1")
    program = load(tmp_path, f'{text}token_env = "T"\n{keys}\n').program
    address = address_of(program, load_profile("motionmix"), {"T": "h&sh"})
    assert (address.whole, address.headers) == (url, headers)
    assert "sh" not in repr(address)


def test_the_profile_says_where_the_director_looks_for_a_secret(tmp_path):
    text = GOOD + '[director]\nurl = "ws://x/d"\ntoken_env = "T"\n'
    director = load(tmp_path, text).director
    assert director is not None
    assert address_of(director, load_profile("tap"), {"T": "s"}).whole == "ws://x/d?token=s"
    assert address_of(director, None, {"T": "s"}).headers == {"Authorization": "Bearer s"}


def test_an_unknown_route_and_absent_media_are_said_at_the_start(tmp_path):
    text = GOOD.replace('"cam-a"', '"cam-a"\nkind = "webrtc"\nroute = "hero"')
    with pytest.raises(InputError) as caught:
        require_startable(load(tmp_path, text), {})
    cam_a, cam_b = str(caught.value).splitlines()
    assert cam_a.startswith("cam-a: ")
    assert 'route = "hero"' in cam_a
    assert "it has none" in cam_a
    assert cam_b.startswith("cam-b: ")
    assert "found none" in cam_b


def test_a_profile_is_a_name_or_a_file_beside_the_configuration(tmp_path):
    text = GOOD.replace('file = "media/b.mp4"', 'url = "http://b"')
    text += '[director]\nurl = "ws://x"\nprofile = "mine.toml"\n'
    with pytest.raises(InputError, match=r"director: .*mine\.toml"):
        require_startable(load(tmp_path, text), {})
    with pytest.raises(InputError, match=r"director: .*tap"):
        require_startable(load(tmp_path, text.replace("mine.toml", "nobody")), {})
    require_startable(load(tmp_path, text.replace("mine.toml", "motionmix")), {})


# ---------------------------------------------------------------- lines


def test_lines_of_nested_tables_arrays_and_strings():
    text = '''# a comment with [brackets] = 1
top = """
[not.a.table]
x = 1
"""
[a.b]
"quoted key" = 1
c.d = { e = 1, f = [1, {g = 2}] }
[[a.list]]
x = 1
[[a.list]]
x = 2
[a.list.inner]
y = [
  1, # one ]
  """
two""",
  'three',
]
z = 1979-05-27 07:32:00
[["q.r"]]
end = 'C:\\'
'''
    tomllib.loads(text)
    lines = key_lines(text)
    assert lines[("top",)] == 2
    assert lines[("a", "b", "quoted key")] == 7
    assert lines[("a", "b", "c", "d", "f", 1, "g")] == 8
    assert lines[("a", "list")] == 9
    assert lines[("a", "list", 1)] == 11
    assert lines[("a", "list", 1, "x")] == 12
    assert lines[("a", "list", 1, "inner")] == 13
    assert lines[("a", "list", 1, "inner", "y", 1)] == 16
    assert lines[("a", "list", 1, "inner", "y", 2)] == 18
    assert lines[("a", "list", 1, "inner", "z")] == 20
    assert lines[("q.r", 0, "end")] == 22


_KEYS = st.text(min_size=1, max_size=6) | st.sampled_from(["a", "b", "a.b", "#", "[x]", "="])
_SCALARS = st.one_of(
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.text(max_size=12),
    st.sampled_from(['"""', "'''", "a\n[b]\nc = 1", "# x", "\\", '"', "],}"]),
    st.dates(),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=10,
)


def _paths(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from _paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield (*path, index)
            yield from _paths(item, (*path, index))


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
@settings(max_examples=150, deadline=None)
def test_every_key_of_any_document_has_a_line(document):
    text = tomlkit.dumps(document)
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a document that the writer itself gets wrong says nothing about lines
    lines = key_lines(text)
    height = text.count("\n") + 1
    for path in _paths(read):
        assert 1 <= lines[path] <= height


# ---------------------------------------------------------------- WebRTC

ROUTES = """
name = "mine"
[message]
type = "type"
[routes.hero]
kind = "webrtc"
path = "/watch/{feed}"
token_parameter = "key"
[routes.hero.signalling]
kind = "websocket"
offers = "server"
sdp = "data.sdp"
hello = { op = "watch", camera = "{feed}" }
[routes.plain]
kind = "webrtc"
path = "/offer"
signalling = { kind = "http", sdp = "answer.sdp" }
"""


def webrtc(tmp_path, keys):
    """Camera cam-a of a configuration, over WebRTC, and the profile beside it."""
    (tmp_path / "mine.toml").write_text(ROUTES, "utf-8")
    old = 'url = "http://127.0.0.1:8081/stream"'
    text = GOOD.replace(old, "\n".join(['kind = "webrtc"', *keys]), 1)
    return text, load_profile(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("keys", "url", "kind", "sdp"),
    [
        (['url = "http://h/x"', 'signalling = "whep"'], "http://h/x", "whep", "sdp"),
        (['url = "ws://h"'], "ws://h/watch/cam-a", "websocket", "data.sdp"),
        (['url = "wss://h/own?a=1"'], "wss://h/own?a=1", "websocket", "data.sdp"),
        (['url = "http://h/"', 'signalling = "http"'], "http://h/offer", "http", "answer.sdp"),
        (['url = "http://h"', 'route = "plain"'], "http://h/offer", "http", "answer.sdp"),
        (['url = "http://h/w"'], "http://h/w", "whep", "sdp"),
    ],
)
def test_a_webrtc_feed_has_the_words_and_the_path_of_its_route(tmp_path, keys, url, kind, sdp):
    text, profile = webrtc(tmp_path, keys)
    feed = load(tmp_path, text).cameras[0]
    found, words = webrtc_source("cam-a", feed, profile)
    assert (found, words.kind, words.sdp) == (url, kind, sdp)


def test_a_route_that_does_not_fit_its_address_is_said(tmp_path):
    text, profile = webrtc(tmp_path, ['url = "http://h/x"', 'route = "hero"'])
    with pytest.raises(InputError, match="ws:// or wss://"):
        webrtc_source("cam-a", load(tmp_path, text).cameras[0], profile)
    text, profile = webrtc(tmp_path, ['url = "http://h/x"', 'route = "phone"'])
    with pytest.raises(InputError, match="hero, plain"):
        webrtc_source("cam-a", load(tmp_path, text).cameras[0], profile)


def test_a_turn_server_s_login_comes_from_the_environment(tmp_path):
    keys = [
        'url = "http://h/x"',
        'ice_servers = ["turn:10.0.0.1:3478"]',
        'ice_user_env = "TU"',
        'ice_secret_env = "TS"',
    ]
    text, _ = webrtc(tmp_path, keys)
    feed = load(tmp_path, text).cameras[0]
    assert ice_login(feed, {"TU": "me", "TS": "s3cret"}) == ("me", "s3cret")
    with pytest.raises(InputError, match="TS"):
        ice_login(feed, {"TU": "me"})


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (['url = "ws://h"', 'signalling = "whep"'], ["ws://", "websocket"]),
        (['url = "http://h"', 'signalling = "websocket"'], ["ws://", "websocket"]),
        (['url = "http://h"', 'signalling = "whip"'], ['"whep", "http" or "websocket"']),
        (['url = "http://h"', 'codecs = ["AV1"]'], ["AV1"]),
        (['url = "http://h"', "codecs = []"], ["H264"]),
        (['url = "http://h"', 'ice_servers = ["http://x"]'], ["stun:HOST:PORT"]),
        (['url = "http://h"', "max_kbps = -1"], ["kbit/s"]),
        (['url = "http://me:pw@h"'], ["secret"]),
    ],
)
def test_wrong_webrtc_keys_get_a_sentence(tmp_path, keys, words):
    text = complaint(tmp_path, webrtc(tmp_path, keys)[0])
    assert all(word in text for word in words), text


def test_webrtc_keys_need_a_webrtc_feed(tmp_path):
    text = GOOD.replace('id = "cam-a"', 'id = "cam-a"\nmax_kbps = 100', 1)
    assert 'kind = "webrtc" with it' in complaint(tmp_path, text)
    text = GOOD.replace("http://", "ws://", 1)
    assert "an http:// address instead" in complaint(tmp_path, text)


# ---------------------------------------------------------------- far cameras

NEAR = 'url = "http://127.0.0.1:8081/stream"'


def test_a_far_camera(tmp_path):
    far = 'kind = "edge"\nurl = "nats://10.0.0.5:4222/cam-a"\ntoken_env = "NATS_TOKEN"'
    camera = load(tmp_path, GOOD.replace(NEAR, far)).cameras[0]
    assert (camera.kind, camera.url) == ("edge", "nats://10.0.0.5:4222/cam-a")
    assert token_of(camera, {"NATS_TOKEN": "x"}) == "x"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('url = "nats://10.0.0.5:4222/cam-a"', 'expected nats:// with kind = "edge"'),
        ('kind = "edge"\nurl = "http://10.0.0.5/cam-a"', 'expected nats:// with kind = "edge"'),
        ('kind = "edge"\nurl = "nats://10.0.0.5:4222"', "the name that `tap edge` sends it under"),
        ('kind = "edge"\nurl = "nats://10.0.0.5/a.b"', "the name that `tap edge` sends it under"),
        ('kind = "edge"\nurl = "nats://me:secret@10.0.0.5/a"', "a secret stands in this address"),
        ('kind = "edge"\nfile = "a.mp4"', "does not go with file"),
    ],
)
def test_wrong_far_cameras_get_a_sentence(tmp_path, lines, words):
    said = complaint(tmp_path, GOOD.replace(NEAR, lines))
    assert words in said
    assert "secret@" not in said


def test_the_program_is_not_far(tmp_path):
    far = GOOD.replace(
        'url = "http://127.0.0.1:8087/mjpeg"', 'kind = "edge"\nurl = "nats://10.0.0.5/program"'
    )
    assert "expected the whole pictures of the program" in complaint(tmp_path, far)
