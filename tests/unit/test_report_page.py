"""The page: whole, self-contained, bounded, and safe whatever the session says."""

import re
import time
from html.parser import HTMLParser

import pytest
from sample_session import START_MS, DrawnPictures, Sample, cut, jpeg, sample

from tap.errors import InputError
from tap.report import page as page_module
from tap.report.findings import Fault, LedgerProblem, Pick, Verification
from tap.report.gather import findings_of
from tap.report.page import render_page, write_page
from tap.report.pictures import NoPictures, Still, thumbnail
from tap.vocabulary import (
    CameraSeen,
    Claim,
    ClaimType,
    Coverage,
    Indistinguishable,
    SessionName,
    Shot,
    ShotState,
    Verdict,
    VerdictCode,
    Witness,
)


class Elements(HTMLParser):
    """Collects tags, attributes and visible text."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def checked(given: Sample, **more) -> Verification:
    findings = findings_of(given.witness, given.claims)
    rest = {"rows": len(findings), "cameras": given.witness.cameras}
    rest |= {"coverage": given.witness.coverage} | more
    return Verification(session=given.witness.session, findings=findings, **rest)


def test_page_shows_every_disagreement_with_pictures_of_both_sides():
    given = sample()
    elements = Elements(render_page(given.witness, checked(given), DrawnPictures()))
    assert not elements.open
    exhibits = [a["id"] for a in elements.all("article")]
    assert exhibits == ["f1", "f2", "f3"]
    alts = [a["alt"] or "" for a in elements.all("img")]
    # Wrong camera and never happened: before, after, seen, told. Not announced has no told one.
    assert len(alts) == 4 + 4 + 3
    assert alts[:4] == [
        "Program, last picture before: program at 0:12.460",
        "Program, first picture after: program at 0:12.500",
        "Seen on program: cam-c at 0:12.325",
        "Named by the director: cam-b at 0:12.290",
    ]
    assert "Of 23 changes that the director announced, 21 came on program as said" in elements.text
    assert "wrong camera: 1, never happened: 1, not announced: 1" in elements.text


def test_a_picture_whose_own_time_is_not_known_does_not_claim_one():
    class Untimed(DrawnPictures):
        def at(self, feed, at_ms, pick=Pick.NEAREST):
            return Still(at_ms, jpeg(feed, at_ms, (32, 18)))

    given = sample()
    alts = [
        a["alt"] for a in Elements(render_page(given.witness, checked(given), Untimed())).all("img")
    ]
    assert alts[0] == "Program, last picture before: program just before 0:12.500"
    assert alts[1] == "Program, first picture after: program at 0:12.500"


def test_each_marker_of_a_disagreement_leads_to_its_exhibit():
    given = sample()
    elements = Elements(render_page(given.witness, checked(given), NoPictures()))
    ids = {a["id"] for _, a in elements.found if "id" in a}
    targets = {(a["href"] or "")[1:] for a in elements.all("a")}
    assert {"f1", "f2", "f3", "main"} <= targets <= ids


def test_each_camera_has_a_lane_and_its_time_on_program():
    given = sample(cuts=4, faults=False)
    text = render_page(given.witness, checked(given), NoPictures())
    for camera in ("cam-a", "cam-b", "cam-c", "cam-d"):
        assert f"<title>{camera}: on program</title>" in text
    assert "<title>0:00.000 to 0:02.500: cam-a, 99.8 %</title>" in text


def test_every_state_is_drawn_and_explained():
    step = 1000.0
    states = [state for state in ShotState if state is not ShotState.LIVE]
    shots = tuple(
        Shot(start_ms=START_MS + i * step, end_ms=START_MS + (i + 1) * step, state=state)
        for i, state in enumerate(states)
    )
    witness = Witness(
        session=SessionName(external_id="s"),
        shots=shots,
        cameras=(CameraSeen(id="cam-a", gaps=((START_MS, START_MS + 500, "no frames"),)),),
        coverage=Coverage(program_frames=9, unseen=((START_MS, START_MS + 700, "program down"),)),
    )
    text = render_page(witness, checked(Sample(witness, ())), NoPictures())
    for state in states:
        assert f'<rect class="program-bar st-{state.value}"' in text
        assert f"</svg>{state.value.replace('_', ' ')}</li>" in text
    words = Elements(text).text
    assert "cam-a: no picture for 0.5 s: no frames" in words
    assert "0:00.000 to 0:00.700 (0.7 s): program down" in words


def test_cameras_that_could_not_be_told_apart_are_named_with_the_time():
    given = sample(cuts=4, faults=False)
    text = render_page(given.witness, checked(given), NoPictures())
    assert "would not have been seen" not in text
    short = Indistinguishable(
        cameras=("cam-a", "cam-b"), intervals=((START_MS, START_MS + 900),), total_ms=900
    )
    spans = tuple((START_MS + 1000 * n, START_MS + 1000 * n + 492) for n in range(25))
    long = Indistinguishable(cameras=("cam-b", "cam-d"), intervals=spans, total_ms=12_300)
    coverage = given.witness.coverage.model_copy(update={"indistinguishable": (short, long)})
    witness = given.witness.model_copy(update={"coverage": coverage})
    words = Elements(render_page(witness, checked(given), NoPictures())).text
    one = "A cut between cam-b and cam-d would not have been seen for 12.3 s: they showed the same."
    two = "A cut between cam-a and cam-b would not have been seen for 0.9 s: they showed the same."
    assert words.index(one) < words.index(two)
    assert "0:01.000 to 0:01.492" in words
    assert "and 5 more, in witness.json" in words


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}\x00\u202e'


def test_hostile_text_stays_text():
    claim = Claim(
        id=HOSTILE, type=ClaimType.MODE, at_ms=START_MS + 10, recv_ms=START_MS + 10, mode=HOSTILE
    )
    given = sample(cuts=6)
    wrong = next(v for v in given.witness.verdicts if v.code is VerdictCode.WRONG_CAMERA)
    said = Verdict(
        code=VerdictCode.NOTED, claim_id=HOSTILE, at_ms=START_MS + 10, confidence=1, text=HOSTILE
    )
    witness = given.witness.model_copy(
        update={
            "session": SessionName(external_id=HOSTILE, kind=HOSTILE),
            "verdicts": (said, wrong.model_copy(update={"text": HOSTILE})),
            "cameras": (CameraSeen(id=HOSTILE, gaps=((START_MS, START_MS + 1, HOSTILE),)),),
            "coverage": Coverage(
                unseen=((START_MS, START_MS + 5, HOSTILE),),
                indistinguishable=(
                    Indistinguishable(
                        cameras=(HOSTILE, HOSTILE), intervals=((START_MS, START_MS + 5),)
                    ),
                ),
            ),
        }
    )
    problem = LedgerProblem(fault=Fault.EXTRA, table=HOSTILE, key=HOSTILE, text=HOSTILE)
    given = Sample(witness, (*given.claims, claim))
    text = render_page(witness, checked(given, problems=(problem,)), NoPictures())
    elements = Elements(text)
    assert len(elements.all("script")) == 1
    assert elements.all("img") == []
    assert not any(name.startswith("on") for _, a in elements.found for name in a)
    assert "{{7*7}}" in elements.text
    assert "\x00" not in text
    assert "\u202e" not in text


def test_page_reaches_for_nothing_outside_itself():
    given = sample()
    text = render_page(given.witness, checked(given), DrawnPictures())
    elements = Elements(text)
    reaching = [
        value
        for _, a in elements.found
        for name, value in a.items()
        if name in ("src", "href", "srcset", "data", "action", "poster")
    ]
    assert reaching
    assert all((v or "").startswith(("data:image/jpeg;base64,", "#")) for v in reaching)
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text


def test_policy_pins_exactly_the_style_and_script_in_the_page():
    import base64
    import hashlib

    given = sample(cuts=2)
    text = render_page(given.witness, checked(given), NoPictures())
    policy = next(
        a["content"] or ""
        for a in Elements(text).all("meta")
        if a.get("http-equiv") == "Content-Security-Policy"
    )
    for tag in ("style", "script"):
        inside = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert len(inside) == 1
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "style=" not in text


def test_two_hours_of_1500_cuts_stay_small_and_quick():
    given = sample(cuts=1500, every_ms=4800)
    one = {feed: jpeg(feed, START_MS, (1920, 1080)) for feed in ("program", "cam-a", "cam-b")}

    class Stored(DrawnPictures):
        def at(self, feed, at_ms, pick=None):
            return Still(at_ms, one.get(feed, one["program"]))

    begun = time.process_time()
    text = render_page(given.witness, checked(given), Stored())
    assert time.process_time() - begun < 10
    assert len(text.encode()) < 15 * 2**20
    elements = Elements(text)
    assert len(elements.all("article")) == 187
    assert elements.text.count("no picture kept") == 0
    rows = text.split("<tbody>")[-2].count("<tr ")
    assert rows == len(given.witness.verdicts)


def test_pictures_stop_at_the_budget(monkeypatch):
    given = sample()
    monkeypatch.setattr(page_module, "PICTURE_BUDGET", 1)
    elements = Elements(render_page(given.witness, checked(given), DrawnPictures()))
    assert len(elements.all("img")) == 1
    assert elements.text.count("no picture kept") == 10


def test_too_many_verdicts_are_cut_off_and_said(monkeypatch):
    given = sample(cuts=20, faults=False)
    monkeypatch.setattr(page_module, "MOST_LISTED", 15)
    elements = Elements(render_page(given.witness, checked(given), NoPictures()))
    assert "And 5 more, in the session's files." in elements.text


@pytest.mark.parametrize("at_ms", [0.0, -1e15, 1e18, START_MS - 10 * 365 * 86400e3])
def test_a_message_far_from_the_session_does_not_stretch_the_timeline(at_ms):
    given = sample(cuts=3, faults=False)
    claim = cut(99, at_ms, "cam-b")
    stray = Verdict(code="CLOCK_SUSPECT", claim_id="m99", at_ms=at_ms, confidence=1, text="off")
    witness = given.witness.model_copy(update={"verdicts": (*given.witness.verdicts, stray)})
    text = render_page(witness, checked(Sample(witness, (*given.claims, claim))), NoPictures())
    assert text.count('<svg class="timeline"') == 1
    assert "0:02.500: cam-a" in text


def test_a_session_without_anything_is_still_a_page():
    witness = Witness(session=SessionName(external_id="empty"))
    elements = Elements(render_page(witness, checked(Sample(witness, ())), NoPictures()))
    assert "tap saw no picture of the program." in elements.text


def test_faults_of_the_ledger_are_named_by_key():
    given = sample(faults=False)
    problem = LedgerProblem(
        fault=Fault.MISSING, table="productionDirectorEvents", key="k/12", text="Not in the ledger."
    )
    words = Elements(
        render_page(given.witness, checked(given, problems=(problem,)), NoPictures())
    ).text
    assert "missing productionDirectorEvents k/12 Not in the ledger." in words
    assert "1 fault in 24 rows (missing: 1)" in words


def test_without_a_ledger_the_page_does_not_speak_of_rows():
    given = sample(faults=False)
    words = Elements(
        render_page(given.witness, checked(given, ledger_checked=False), NoPictures())
    ).text
    assert "No ledger was part of this check." in words
    assert "The ledger" not in words.replace("No ledger", "")


def test_written_page_is_the_rendered_one_and_leaves_no_half(tmp_path):
    given = sample(cuts=2)
    path = write_page(
        tmp_path / "deep" / "report.html", given.witness, checked(given), NoPictures()
    )
    assert path.read_text(encoding="utf-8") == render_page(
        given.witness, checked(given), NoPictures()
    )
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_messages_with_nothing_to_see_do_not_say_that_nothing_changed():
    claim = Claim(id="x", type=ClaimType.MODE, at_ms=START_MS, recv_ms=START_MS, mode="auto")
    noted = Verdict(code=VerdictCode.NOTED, claim_id="x", at_ms=START_MS, confidence=1, text="ok")
    witness = sample(cuts=1).witness.model_copy(update={"verdicts": (noted,)})
    text = render_page(witness, checked(Sample(witness, (claim,))), NoPictures())
    row = text.split('data-code="NOTED"')[1].split("</tr>")[0]
    assert "<td>mode → auto</td><td>–</td>" in row  # noqa: RUF001


def test_page_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    given = sample(cuts=1)
    with pytest.raises(InputError, match=r"Expected to write .*give another place"):
        write_page(tmp_path / "file" / "p.html", given.witness, checked(given), NoPictures())


class TestThumbnail:
    """Evidence made small."""

    @pytest.mark.parametrize(
        ("size", "small"),
        [((1920, 1080), (480, 270)), ((1080, 1920), (270, 480)), ((320, 240), (320, 240))],
    )
    def test_longer_side_is_at_most_480(self, size, small):
        made = thumbnail(jpeg("cam-a", START_MS, size))
        assert made is not None
        assert (made.width, made.height) == small
        assert made.uri.startswith("data:image/jpeg;base64,/9j/")

    @pytest.mark.parametrize("damage", [b"", b"\xff\xd8", b"GIF89a", b"\xff" * 100])
    def test_what_is_no_jpeg_gives_none(self, damage):
        assert thumbnail(damage) is None

    def test_a_header_that_promises_too_much_is_never_decoded(self):
        good = jpeg("cam-a", START_MS, (64, 48))
        at = good.index(b"\xff\xc0")
        huge = good[: at + 5] + b"\xff\xff\xff\xff" + good[at + 9 :]
        assert thumbnail(huge) is None
