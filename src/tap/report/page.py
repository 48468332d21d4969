"""The page that a session leaves: one HTML file that opens from disk, without network.

All text from outside is escaped by the template engine; the page's own policy forbids every
script and style but its own, and every request.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from tap.report import curves, timeline, wording
from tap.report.explorer import explorer_data
from tap.report.files import write_text
from tap.report.findings import Finding, Pick, PictureRef, Role, Verification
from tap.report.folder import PICTURES_FOLDER, REPORT_FILE, FolderPictures, journalled_claims
from tap.report.gather import findings_of
from tap.report.pictures import LONGEST_SIDE, Pictures, Thumbnail, thumbnail
from tap.report.scorecard import score
from tap.vocabulary import (
    DISAGREEMENTS,
    CameraSeen,
    Gap,
    Indistinguishable,
    ShotState,
    VerdictCode,
    Witness,
)

MOST_SHOWN = 500
"""Disagreements shown with a section of their own."""

PICTURE_BUDGET = 9 * 2**20
"""All pictures of a page together, bytes as written."""

SIZES = ((200, LONGEST_SIDE), (500, 320), (900, 240))
"""Up to so many pictures on the page, each may be so large (longer side, px)."""
SMALLEST_SIDE = 176

MOST_LISTED = 5_000
MOST_PROBLEMS = 500
MOST_GAPS = 200
MOST_PAIRS = 200
MOST_STRETCHES = 20

CAPTIONS = {
    Role.BEFORE: "Program, last picture before",
    Role.AFTER: "Program, first picture after",
    Role.MATCHED: "Seen on program",
    Role.TOLD: "Named by the director",
    Role.RUNNER_UP: "Next best match",
}
NO_CHANGE = {
    Role.BEFORE: "Program, when it was said",
    Role.AFTER: "Program, a second later",
}
"""Captions where there was no change to show both sides of."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in place. `image` is None where tap has none of it."""

    caption: str
    feed: str
    when: str
    alt: str
    image: Thumbnail | None


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A disagreement with its pictures; `number` is the one that marks it on the timeline."""

    number: int
    title: str
    finding: Finding
    pictures: tuple[Shown, ...]


def render_page(witness: Witness, checked: Verification, pictures: Pictures) -> str:
    """The whole page. Needs no more than 15 MB, whatever the session's length.

    `checked.findings` are shown in the order they come; `pictures` is asked for those of the
    disagreements only, until the page's budget is used up.
    """
    numbers = {finding.key: n for n, finding in enumerate(checked.disagreements, start=1)}
    drawn = timeline.draw(witness, checked.findings, numbers)
    exhibits = tuple(_exhibits(checked, pictures, drawn.start_ms))
    listed = checked.findings[:MOST_LISTED]
    return _template().render(
        session=wording.clip(witness.session.external_id, 200),
        kind=wording.clip(witness.session.kind, 100),
        sentences=wording.headline(witness.shots, checked),
        checked=checked,
        counts=_counts(checked),
        timeline=drawn,
        explorer=explorer_data(witness, checked.findings, drawn, numbers),
        scorecard=score(witness, checked.findings),
        curves=curves.curves(witness.cameras, drawn.start_ms, drawn.end_ms),
        c=curves,
        t=timeline,
        exhibits=exhibits,
        more=len(checked.disagreements) - len(exhibits),
        findings=listed,
        unlisted=len(checked.findings) - len(listed),
        numbers=numbers,
        problems=checked.problems[:MOST_PROBLEMS],
        unlisted_problems=max(0, len(checked.problems) - MOST_PROBLEMS),
        cameras=[_camera(seen, drawn.end_ms - drawn.start_ms) for seen in witness.cameras],
        unseen=witness.coverage.unseen[:MOST_GAPS],
        unlisted_gaps=max(0, len(witness.coverage.unseen) - MOST_GAPS),
        alike=[_pair(pair) for pair in _longest(witness.coverage.indistinguishable)],
        unlisted_pairs=max(0, len(witness.coverage.indistinguishable) - MOST_PAIRS),
        program_frames=witness.coverage.program_frames,
        w=wording,
        titles=wording.TITLES,
        wrong_codes=DISAGREEMENTS,
        states=_states(witness),
        policy=_policy(),
        style=Markup(_asset("page.css")),  # noqa: S704 - our own file
        script=Markup(_script()),  # noqa: S704 - our own files
    )


def write_page(path: Path, witness: Witness, checked: Verification, pictures: Pictures) -> Path:
    """Render and write the page in one step; a reader never finds half of it.

    Raises `InputError` where `path` cannot be written.
    """
    return write_text(path, render_page(witness, checked, pictures))


def write_session_page(folder: Path, witness: Witness) -> Path:
    """The page of a session that has just been witnessed, from what its folder holds.

    No ledger is looked at; `tap verify` does that. Raises `InputError` and `LedgerError`.
    """
    checked = Verification(
        session=witness.session,
        ledger_checked=False,
        findings=findings_of(witness, journalled_claims(folder)),
        cameras=witness.cameras,
        coverage=witness.coverage,
    )
    pictures = FolderPictures(folder / PICTURES_FOLDER)
    return write_page(folder / REPORT_FILE, witness, checked, pictures)


def _exhibits(checked: Verification, pictures: Pictures, start_ms: float) -> Iterator[Exhibit]:
    left = PICTURE_BUDGET
    wanted = sum(len(finding.pictures) for finding in checked.disagreements[:MOST_SHOWN])
    side = next((side for most, side in SIZES if wanted <= most), SMALLEST_SIDE)
    for number, finding in enumerate(checked.disagreements[:MOST_SHOWN], start=1):
        shown: list[Shown] = []
        for ref in finding.pictures:
            at_ms, image = _look_up(pictures, ref, side) if left > 0 else (ref.at_ms, None)
            left -= len(image.uri) if image is not None else 0
            caption, when = CAPTIONS[ref.role], f"at {wording.offset(at_ms, start_ms)}"
            if ref.pick is Pick.LAST_BEFORE and at_ms >= ref.at_ms:  # its own time is not known
                when = f"just before {wording.offset(ref.at_ms, start_ms)}"
            if finding.seen is None:
                caption = NO_CHANGE.get(ref.role, caption)
            alt = f"{caption}: {ref.feed} {when}"
            shown.append(Shown(caption, ref.feed, when, alt, image))
        yield Exhibit(number, wording.TITLES[finding.verdict], finding, tuple(shown))


def _look_up(pictures: Pictures, ref: PictureRef, side: int) -> tuple[float, Thumbnail | None]:
    still = pictures.at(ref.feed, ref.at_ms, ref.pick)
    return (ref.at_ms, None) if still is None else (still.at_ms, thumbnail(still.jpeg, side))


def _counts(checked: Verification) -> list[tuple[VerdictCode, int]]:
    found = Counter(finding.verdict for finding in checked.findings)
    return [(code, found[code]) for code in VerdictCode if found[code]]


def _states(witness: Witness) -> list[str]:
    """The states without a camera's colour that the legend must explain."""
    used = {shot.state for shot in witness.shots} - {ShotState.LIVE}
    if any(seen.gaps for seen in witness.cameras):
        used.add(ShotState.UNSEEN)
    return [state.value for state in ShotState if state in used]


@dataclass(frozen=True, slots=True)
class _Camera:
    """A camera's line in the table of delays and health."""

    seen: CameraSeen
    delay: str
    interval: str
    gaps: Sequence[Gap]
    blind: str
    rate: str
    """Pictures a second, of the time in which there were any."""


def _camera(seen: CameraSeen, length_ms: float) -> _Camera:
    interval = wording.DASH
    if seen.delay_low_ms is not None and seen.delay_high_ms is not None:
        interval = f"{seen.delay_low_ms:.0f} to {seen.delay_high_ms:.0f} ms"
    blind = sum(max(0.0, gap[1] - gap[0]) for gap in seen.gaps)
    return _Camera(
        seen=seen,
        delay="not measured" if seen.delay_ms is None else f"{seen.delay_ms:.0f} ms",
        interval=interval,
        gaps=seen.gaps[:MOST_GAPS],
        blind=wording.length(blind) if seen.gaps else "none",
        rate=f"{1000 * seen.frames_seen / max(length_ms - blind, 1.0):.1f}",
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """A pair of cameras that could not be told apart, as it is listed."""

    text: str
    intervals: Sequence[tuple[float, float]]
    unlisted: int


def _pair(pair: Indistinguishable) -> _Pair:
    listed = pair.intervals[:MOST_STRETCHES]
    return _Pair(wording.unseen_cut(pair), listed, len(pair.intervals) - len(listed))


def _longest(pairs: Sequence[Indistinguishable]) -> list[Indistinguishable]:
    return sorted(pairs, key=lambda pair: -pair.total_ms)[:MOST_PAIRS]


@cache
def _asset(name: str) -> str:
    return files("tap.report").joinpath("templates", name).read_text(encoding="utf-8")


def _script() -> str:
    return _asset("page.js") + _asset("explorer.js")


@cache
def _policy() -> str:
    """The Content-Security-Policy: our own style and script by hash, pictures as data, no more."""

    def pin(text: str) -> str:
        digest = hashlib.sha256(text.encode("utf-8")).digest()
        return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"

    return (
        f"default-src 'none'; img-src data:; style-src {pin(_asset('page.css'))}; "
        f"script-src {pin(_script())}; base-uri 'none'; form-action 'none'"
    )


def _printable(value: object) -> object:
    """No control character and no change of writing direction reaches the page."""
    return wording.printable(value) if type(value) is str else value


@cache
def _template() -> Template:
    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
