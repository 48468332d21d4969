"""The program timeline as geometry: rows of bars and marks that the page's template draws as SVG.

A long session is folded into rows of equal length, like a score, so that it can be read and
printed without scrolling sideways. Units are SVG user units; x runs over `WIDTH`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tap.report import wording
from tap.report.findings import IN_DOUBT, Finding
from tap.vocabulary import Claim, ClaimType, Gap, Shot, ShotState, VerdictCode, Witness

WIDTH = 1200.0
GUTTER = 130.0
"""Room for the names of the lanes, on the left."""
MARGIN = 12.0

AXIS_H, SAID_H, PROGRAM_H, VERDICT_H, LANE_H = 20.0, 18.0, 28.0, 34.0, 16.0
"""Heights of the parts of a row, from the top: time, messages, program, verdicts, each camera."""
SAID_Y = AXIS_H
PROGRAM_Y = SAID_Y + SAID_H
VERDICT_Y = PROGRAM_Y + PROGRAM_H
LANES_Y = VERDICT_Y + VERDICT_H

COLOURS = 8
"""Cameras have as many colours; from the ninth on they come round again (lanes bear names)."""

MOST_ROWS = 24
MOST_BARS = 12_000
MOST_MARKS = 6_000
ONE_ROW_MS = 90_000.0
STRAY_MS = 60_000.0
"""How far outside the program's time a message still widens the timeline."""

_ROW_LENGTHS_MS = tuple(60_000.0 * m for m in (1, 2, 5, 10, 20, 30, 60, 120, 240, 480))
_TICKS_MS = tuple(1000.0 * s for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200))


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time. `css` picks its colour or pattern; `label` is set where there is room."""

    x: float
    width: float
    css: str
    title: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment. `level` lifts marks that would cover each other; `number` names a finding."""

    x: float
    css: str
    title: str
    number: int | None = None
    level: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """One camera: when it was on program, and when it gave nothing."""

    name: str
    full_name: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the timeline, `start_ms` to `end_ms`."""

    title: str
    height: float
    ticks: tuple[tuple[float, str], ...]
    said: tuple[Mark, ...]
    program: tuple[Bar, ...]
    verdicts: tuple[Mark, ...]
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All rows, and how many items were left out because there were too many to draw."""

    start_ms: float
    end_ms: float
    rows: tuple[Row, ...] = ()
    left_out: int = 0
    colours: Mapping[str, int] = field(default_factory=dict[str, int])


def extent(witness: Witness, findings: Sequence[Finding]) -> tuple[float, float]:
    """(start, end) Unix ms: the program's time, widened a little for messages around it."""
    times = [f.at_ms for f in findings if math.isfinite(f.at_ms)]
    if witness.shots:
        start, end = witness.shots[0].start_ms, witness.shots[-1].end_ms
    elif times:
        start = end = sorted(times)[len(times) // 2]
    else:
        return 0.0, 1000.0
    near = [t for t in times if start - STRAY_MS <= t <= end + STRAY_MS]
    return min([start, *near]), max([end, start + 1000.0, *near])


def draw(witness: Witness, findings: Sequence[Finding], numbers: Mapping[str, int]) -> Timeline:
    """Lay out the session. `numbers` gives disagreements (by key) the number they bear below."""
    start, end = extent(witness, findings)
    cameras = _cameras(witness)
    colours = {camera: index % COLOURS for index, camera in enumerate(cameras)}
    shots, marked = witness.shots[:MOST_BARS], findings[:MOST_MARKS]
    left_out = len(witness.shots) - len(shots) + len(findings) - len(marked)
    total = end - start
    length = total if total <= ONE_ROW_MS else _row_length(total)
    rows = max(1, math.ceil(total / length - 1e-9))
    judged: list[list[Finding]] = [[] for _ in range(rows)]
    told: list[list[Claim]] = [[] for _ in range(rows)]
    for finding in marked:
        judged[_row_of(finding.at_ms, start, length, rows)].append(finding)
        if finding.claim is not None:
            told[_row_of(finding.claim.at_ms, start, length, rows)].append(finding.claim)
    gaps = {seen.id: seen.gaps for seen in witness.cameras}
    drawn: list[Row] = []
    for index in range(rows):
        span = _Span(start + index * length, length, start)
        visible = [s for s in shots if s.end_ms > span.start_ms and s.start_ms < span.end_ms]
        drawn.append(
            Row(
                title=f"{span.offset(span.start_ms)} to {span.offset(span.end_ms)}",
                height=LANES_Y + len(colours) * LANE_H + 6,
                ticks=_ticks(span),
                said=tuple(_said(span, claim, colours) for claim in told[index]),
                program=tuple(_program_bar(span, shot, colours) for shot in visible),
                verdicts=_verdicts(span, judged[index], numbers),
                lanes=_lanes(span, visible, gaps, colours),
            )
        )
    return Timeline(start, end, tuple(drawn), left_out, colours)


@dataclass(frozen=True, slots=True)
class _Span:
    """A row's stretch of time, and where the session starts."""

    start_ms: float
    length_ms: float
    origin_ms: float

    def x(self, at_ms: float) -> float:
        share = (at_ms - self.start_ms) / self.length_ms
        return round(GUTTER + min(1.0, max(0.0, share)) * (WIDTH - GUTTER - MARGIN), 1)

    def offset(self, at_ms: float) -> str:
        return wording.offset(at_ms, self.origin_ms)

    @property
    def end_ms(self) -> float:
        return self.start_ms + self.length_ms


def _lanes(
    span: _Span,
    shots: Sequence[Shot],
    gaps: Mapping[str, Sequence[Gap]],
    colours: Mapping[str, int],
) -> tuple[Lane, ...]:
    return tuple(
        Lane(
            name=wording.clip(camera, 16),
            full_name=camera,
            y=LANES_Y + index * LANE_H,
            bars=_lane_bars(span, camera, shots, gaps.get(camera, ()), colours[camera]),
        )
        for index, camera in enumerate(colours)
    )


def _program_bar(span: _Span, shot: Shot, colours: Mapping[str, int]) -> Bar:
    css = f"st-{shot.state.value}"
    if shot.state is ShotState.LIVE and shot.camera is not None:
        css = f"c{colours[shot.camera]}"
    begin, end = span.x(shot.start_ms), span.x(shot.end_ms)
    what = wording.shown(shot)
    title = (
        f"{span.offset(shot.start_ms)} to "
        f"{span.offset(shot.end_ms)}: {what}, {wording.percent(shot.confidence)}"
    )
    width = max(0.5, round(end - begin, 1))
    fits = width > 9 + 6.2 * len(what)
    return Bar(begin, width, css, wording.clip(title, 200), what if fits else "")


def _lane_bars(
    span: _Span,
    camera: str,
    shots: Sequence[Shot],
    gaps: Sequence[Gap],
    colour: int,
) -> tuple[Bar, ...]:
    bars: list[Bar] = []
    for shot in shots:
        if camera == shot.camera or (camera in shot.cameras and shot.state is not ShotState.LIVE):
            sure = shot.state is ShotState.LIVE
            begin, end = span.x(shot.start_ms), span.x(shot.end_ms)
            css = f"c{colour}" if sure else f"c{colour} partly"
            title = f"{camera}: {'on program' if sure else wording.shown(shot)}"
            bars.append(Bar(begin, max(0.5, round(end - begin, 1)), css, wording.clip(title, 120)))
    for start_ms, end_ms, reason in _within_gaps(gaps, span):
        begin, end = span.x(start_ms), span.x(end_ms)
        title = wording.clip(
            f"{camera}: no picture for {wording.length(end_ms - start_ms)}: {reason}"
        )
        bars.append(Bar(begin, max(1.0, round(end - begin, 1)), "st-unseen", title))
    return tuple(bars)


def _said(span: _Span, claim: Claim, colours: Mapping[str, int]) -> Mark:
    css = "said-other"
    if claim.type in wording.CHANGES:
        colour = colours.get(claim.camera or "")
        css = "said-cut" if colour is None else f"said-cut c{colour}"
    elif claim.type in (ClaimType.HOLD, ClaimType.RELEASE):
        css = "said-hold"
    title = f"{span.offset(claim.at_ms)} said: {wording.said(claim)}"
    return Mark(span.x(claim.at_ms), css, title)


def _verdicts(
    span: _Span, findings: Sequence[Finding], numbers: Mapping[str, int]
) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    ends = [-100.0, -100.0]
    for finding in findings:
        x = span.x(finding.at_ms)
        title = wording.clip(f"{span.offset(finding.at_ms)} {finding.verdict}: {finding.text}")
        if finding.disagrees:
            level = 0 if x - ends[0] >= 15 else 1
            ends[level] = x
            number = numbers.get(finding.key)
            marks.append(Mark(x, "v-wrong", title, number, level))
        elif finding.verdict is VerdictCode.NOTED:
            marks.append(Mark(x, "v-noted", title))
        else:
            doubt = finding.verdict in IN_DOUBT
            marks.append(Mark(x, "v-doubt" if doubt else "v-agree", title))
    return tuple(marks)


def _cameras(witness: Witness) -> list[str]:
    """Registered cameras first, then any that only the shots name."""
    known = dict.fromkeys(seen.id for seen in witness.cameras)
    for shot in witness.shots:
        known.update(dict.fromkeys(c for c in (shot.camera, *shot.cameras) if c is not None))
    return list(known)


def _row_length(total_ms: float) -> float:
    for length in _ROW_LENGTHS_MS:
        if total_ms <= length * MOST_ROWS:
            return length
    return total_ms / MOST_ROWS


def _row_of(at_ms: float, start_ms: float, length_ms: float, rows: int) -> int:
    if not math.isfinite(at_ms):
        return 0
    return min(rows - 1, max(0, int((at_ms - start_ms) // length_ms)))


def _ticks(span: _Span) -> tuple[tuple[float, str], ...]:
    step = next((t for t in _TICKS_MS if span.length_ms / t <= 12), span.length_ms / 12)
    first = math.ceil((span.start_ms - span.origin_ms) / step)
    ticks: list[tuple[float, str]] = []
    for index in range(first, first + 14):
        at = span.origin_ms + index * step
        if at > span.end_ms:
            break
        x = span.x(at)
        ticks.append((x, span.offset(at)[:-4] if x < WIDTH - 50 else ""))  # no room for words
    return tuple(ticks)


def _within_gaps(gaps: Iterable[Gap], span: _Span) -> list[Gap]:
    inside = [g for g in gaps if g[1] >= span.start_ms and g[0] < span.end_ms]
    return inside[: MOST_BARS // 10]
