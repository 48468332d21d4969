"""The page in a real browser: nothing goes wrong, keys work, and axe-core finds nothing serious."""

import json

import pytest
from tests import browser, long_session, standin

from tap.witness.page import session_page

pytestmark = [
    pytest.mark.skipif(browser.CHROMIUM is None, reason="NOT RUN: there is no Chromium here"),
    pytest.mark.timeout(300),
]
FORMS = {
    "light": {"width": 1280},
    "dark": {"width": 1280, "dark": True},
    "phone": {"width": 390},
    "phone, dark": {"width": 390, "dark": True},
}


@pytest.fixture(scope="module")
def tab():
    with browser.chromium() as page:
        yield page


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A page of half an hour, a few hundred cuts."""
    folder = tmp_path_factory.mktemp("long") / "session"
    long_session.make(folder, cuts=300, length_ms=1_800_000.0)
    page = session_page(folder)
    return page.rename(folder.parent / "alone.html").as_uri()  # away from its pictures


@pytest.fixture
def opened(tab, address):
    tab.look()
    tab.problems.clear()
    tab.requests.clear()
    tab.open(address)
    return tab


def where(tab) -> str:
    return tab.run("document.getElementById('explorer-where').textContent")


def marks(tab) -> int:
    return tab.run("document.querySelectorAll('#explorer-view path.v-wrong').length")


def test_it_opens_from_disk_without_a_word_or_a_request(opened, address):
    assert opened.problems == []
    outside = [url for url in opened.requests if not url.startswith("data:image/jpeg;")]
    assert outside == [address]
    assert opened.run("document.querySelectorAll('.exhibit').length") > 10
    shown = opened.run(
        "Promise.all([...document.images].slice(0, 40).map((i) => { i.loading = 'eager';"
        " return i.decode().then(() => i.naturalWidth); }))"
    )
    assert min(shown) > 100


def test_every_camera_has_a_lane_with_claims_above_what_was_seen(opened):
    told, seen = (
        opened.run(
            f"[...document.querySelectorAll('#explorer-view rect{css}')]"
            ".map((r) => [r.classList[1] || r.classList[0], +r.getAttribute('y')])"
        )
        for css in (".told", '[height="13"]')
    )
    assert len(told) > 200
    assert len(seen) > 200
    lanes = opened.run(
        "[...document.querySelectorAll('#explorer-view .lane-name')].map(t => t.textContent)"
    )
    assert lanes == [*long_session.CAMERAS, "verdicts"]
    assert {y % 34 for _, y in told} == {(22 + 5) % 34}
    assert {y % 34 for _, y in seen} == {(22 + 16) % 34}


def test_the_timeline_is_worked_by_keys(opened):
    opened.run("document.getElementById('explorer').focus()")
    assert where(opened) == "0:00.000 to 30:00.000"
    whole = marks(opened)
    opened.key("+")
    assert where(opened) == "7:30.000 to 22:30.000"
    assert 0 < marks(opened) < whole
    opened.key("ArrowRight")
    assert where(opened) == "11:15.000 to 26:15.000"
    opened.key("End")
    assert where(opened) == "15:00.000 to 30:00.000"
    opened.key("Home")
    assert where(opened) == "0:00.000 to 15:00.000"
    opened.key("-")
    assert marks(opened) == whole
    for _ in range(20):
        opened.key("+")
    assert where(opened).count(":") == 2
    opened.key("n")
    assert where(opened).startswith("Disagreement 1 of ")
    opened.key("n")
    assert where(opened).startswith("Disagreement 2 of ")
    opened.key("p")
    opened.key("Enter")
    assert opened.run("document.activeElement.id") == "f1"
    assert opened.problems == []


def test_buttons_do_what_the_keys_do(opened):
    opened.run("document.querySelector('button[data-act=\"+\"]').click()")
    assert where(opened) == "7:30.000 to 22:30.000"
    opened.run("document.querySelector('button[data-act=\"0\"]').click()")
    assert where(opened) == "0:00.000 to 30:00.000"


def test_a_code_picks_verdicts_pictures_and_marks(opened):
    def count(css: str) -> int:
        return opened.run(
            f"[...document.querySelectorAll('{css}')].filter((e) => !e.hidden).length"
        )

    exhibits, rows = count(".exhibit"), count("#verdicts tbody tr")
    opened.run(
        "(() => { const c = document.getElementById('choice'); c.value = 'MISSED';"
        " c.dispatchEvent(new Event('change')); })()"
    )
    opened.run("new Promise((done) => setTimeout(done, 50))")
    missed = count("#verdicts tbody tr")
    assert 0 < missed < rows
    assert count(".exhibit") == missed < exhibits
    assert marks(opened) == missed
    assert opened.run("document.getElementById('shown').textContent") == f"{missed} of {rows} shown"


def test_print_shows_the_rows_and_not_the_tools(opened):
    opened.run("dispatchEvent(new Event('beforeprint'))")
    opened.send("Emulation.setEmulatedMedia", media="print")
    shown = opened.run(
        "['#rows .row', '#explorer', '#explorer-tools', '#choice']"
        ".map((css) => document.querySelector(css).getClientRects().length > 0)"
    )
    opened.send("Emulation.setEmulatedMedia", media="")
    assert shown == [True, False, False, False]


def test_without_scripts_everything_but_the_zoom_is_there(opened, address):
    opened.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        opened.open(address)
        shown = opened.run(
            "['#rows .row', '#verdicts', '.exhibit', '#explorer']"
            ".map((css) => document.querySelector(css).getClientRects().length > 0)"
        )
    finally:
        opened.send("Emulation.setScriptExecutionDisabled", value=False)
    assert shown == [True, True, True, False]


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_wider_than_the_screen(opened, form):
    opened.look(**FORMS[form])
    assert opened.run("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("form", FORMS)
def test_axe_finds_nothing_serious(opened, form):
    try:
        standin.build()
    except standin.UnbuiltError as error:
        pytest.skip(f"NOT RUN: axe-core could not be fetched ({error})")
    axe = standin.ROOT / "node_modules" / "axe-core" / "axe.min.js"
    opened.look(**FORMS[form])
    opened.run(axe.read_text(encoding="utf-8") + "; 0")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = opened.run(
        f"axe.run({{runOnly: {json.dumps(tags)}}}).then((r) => JSON.stringify(r.violations.map("
        "(v) => [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200),"
        " v.nodes[0].failureSummary.slice(0, 300)])))"
    )
    assert json.loads(found) == []
