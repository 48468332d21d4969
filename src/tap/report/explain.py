"""An explanation as one picture: what the program showed, who explains it, and how well."""

from pathlib import Path

import numpy as np

from tap.errors import InputError
from tap.report.explain_words import certainty, headline, part, place, sentences
from tap.report.explained import Candidate, Explanation, Matched, State
from tap.report.sheet import (
    AGREE,
    BLACK,
    BOLD,
    CAMERAS,
    HATCH,
    INK,
    LINE,
    PANEL,
    PAPER,
    SOFT,
    WRONG,
    Colour,
    Sheet,
    scale,
    shorten,
    wrap,
)
from tap.report.wording import clip, lag, offset, percent, utc
from tap.vocabulary import Luma, ShotState

WIDTH = 1600
MARGIN = 40
MOST_ROWS = 8
"""Cameras that are drawn with pictures; the others stand in the table of states."""
MOST_STATES = 14
_INNER = WIDTH - 2 * MARGIN
_PROGRAM = (620, 400)
_TEXT, _LINE = 17, 26
_STATE_H = 27
_CELL_W, _CELL_H, _GAP = 344, 194, 22
_HEAD_H, _TITLES_H, _FOOT_H = 34, 36, 30
_MOST_GREY = 24.0
"""Grey levels of difference at the end of the colour scale."""


def write_png(explanation: Explanation, path: Path) -> Path:
    """Draw the explanation into a PNG file. Raises `InputError` where it can't be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw(explanation).png())
    except OSError as error:
        raise InputError(
            f"Expected to write {path}, but {error.strerror or error}; give another place."
        ) from error
    return path


def draw(explanation: Explanation) -> Sheet:
    """The whole sheet, 1600 px wide."""
    said = [wrap(text, _INNER - _PROGRAM[0] - 70, _TEXT) for text in sentences(explanation)]
    lines = sum(len(paragraph) for paragraph in said)
    program = _fitted(explanation.program, *_PROGRAM)
    top = max(program[1] + 34, lines * _LINE + 10 * len(said) + 90)
    states = explanation.states[:MOST_STATES]
    shown = explanation.candidates[:MOST_ROWS]
    row = _HEAD_H + _TITLES_H + _CELL_H + _FOOT_H
    states_h = 60 + _STATE_H * len(states) + 20 if states else 0
    left_out = len(explanation.candidates) - len(shown)
    height = 96 + top + states_h + row * len(shown) + (40 if left_out else 0) + 56
    sheet = Sheet(WIDTH, height)
    _title(sheet, explanation)
    _program(sheet, explanation, program)
    _reasons(sheet, explanation, said)
    y = 96 + top
    if states:
        _states(sheet, explanation, states, y)
        y += states_h
    for candidate in shown:
        _row(sheet, explanation, candidate, y)
        y += row
    if left_out:
        text = f"{left_out} more cameras fit worse; the JSON (--json) has all of them."
        sheet.text(text, (MARGIN, y + 20), 15, SOFT)
    _legend(sheet, height - 24)
    return sheet


# ---------------------------------------------------------------- the head


def _title(sheet: Sheet, explanation: Explanation) -> None:
    at = offset(explanation.at_ms, explanation.program_start_ms)
    where = clip(explanation.session, 80)
    sheet.box(0, 0, WIDTH, 56, PANEL)
    wide = sheet.text("tap explain", (MARGIN, 36), 19, INK, BOLD)
    sheet.text(f"{where}   {at}", (MARGIN + wide + 16, 36), 19, SOFT, room=900)
    sheet.text(utc(explanation.at_ms), (WIDTH - MARGIN, 36), 15, SOFT, right=True)


def _program(sheet: Sheet, explanation: Explanation, size: tuple[int, int]) -> None:
    y = 84
    colour = _colour_of(explanation, explanation.shot.cameras, explanation.shot.state)
    if explanation.program is None:
        _absent(sheet, (MARGIN, y, *size), "no program picture")
    else:
        sheet.picture(explanation.program, MARGIN, y, *size)
    sheet.frame(MARGIN - 3, y - 3, size[0] + 6, size[1] + 6, colour=colour, thick=3)
    frame = f"frame {explanation.number}" if explanation.number is not None else "last picture"
    sheet.text(f"Program, {frame}", (MARGIN, y + size[1] + 26), 15, SOFT)


def _reasons(sheet: Sheet, explanation: Explanation, said: list[list[str]]) -> None:
    x, y = MARGIN + _PROGRAM[0] + 36, 118
    room = WIDTH - MARGIN - x
    colour = _colour_of(explanation, explanation.shot.cameras, explanation.shot.state)
    sheet.box(x, y - 27, 10, 36, colour)
    words = shorten(headline(explanation), room - 240, 34, BOLD)
    wide = sheet.text(words, (x + 24, y), 34, INK, BOLD)
    sheet.text(certainty(explanation), (x + 44 + wide, y), 19, SOFT, room=room - wide - 44)
    y += 46
    for paragraph in said:
        for line in paragraph:
            sheet.text(line, (x, y), _TEXT)
            y += _LINE
        y += 10


# ---------------------------------------------------------------- states


def _states(sheet: Sheet, explanation: Explanation, states: tuple[State, ...], y: int) -> None:
    """A row for each state: nats of this picture, and both probabilities."""
    name_w, bar_w, gap = 250, 330, 90
    nats_x = MARGIN + name_w
    sharp_x = nats_x + bar_w + gap
    honest_x = sharp_x + 230 + gap
    note_x = honest_x + 230 + gap
    sheet.line([(MARGIN, y), (WIDTH - MARGIN, y)], LINE)
    y += 30
    sheet.text("What it could be", (MARGIN, y), 16, INK, BOLD)
    sheet.text("this picture alone, nats", (nats_x, y), 14, SOFT)
    sheet.text("sharp: dates changes", (sharp_x, y), 14, SOFT)
    sheet.text("honest: how sure", (honest_x, y), 14, SOFT)
    most = max([explanation.information, *(s.nats for s in states), 1.0])
    if explanation.flat or explanation.repeat:
        most = max([*(s.nats for s in states), 1.0])
    y += 16
    for state in states:
        colour = _colour_of(explanation, state.cameras, _kind(state))
        base = y + 17
        sheet.box(MARGIN, y + 4, 14, 14, colour)
        if len(state.cameras) > 1:
            first = _colour_of(explanation, state.cameras[:1], ShotState.LIVE)
            sheet.box(MARGIN, y + 4, 7, 14, first)
        sheet.text(state.name, (MARGIN + 24, base), 15, room=name_w - 40)
        sheet.bar(nats_x, y + 4, bar_w, 15, share=state.nats / most, colour=colour)
        nats = f"{state.nats:.0f}".replace("-", "\N{MINUS SIGN}")
        sheet.text(nats, (nats_x + bar_w + 10, base), 14, SOFT)
        for x, value in ((sharp_x, state.sharp), (honest_x, state.honest)):
            sheet.bar(x, y + 4, 230, 15, share=value, colour=colour)
            sheet.text(percent(value) if value > 5e-4 else "0 %", (x + 240, base), 14, SOFT)
        sheet.text(state.note, (note_x, base), 13, SOFT, room=WIDTH - MARGIN - note_x)
        y += _STATE_H


def _kind(state: State) -> ShotState:
    if state.cameras:
        return ShotState.LIVE
    return ShotState.BLACK if state.name == "black" else ShotState.OFF_CAMERA


# ---------------------------------------------------------------- one camera


def _row(sheet: Sheet, explanation: Explanation, candidate: Candidate, y: int) -> None:
    """A camera: its picture as aligned, the difference, each block's fit, fit over delay."""
    colour = _colour_of(explanation, (candidate.id,), ShotState.LIVE)
    sheet.line([(MARGIN, y), (WIDTH - MARGIN, y)], LINE)
    y += _HEAD_H
    sheet.box(MARGIN, y - 15, 18, 18, colour)
    wide = sheet.text(candidate.id, (MARGIN + 28, y), 20, INK, BOLD, room=420)
    sheet.text(_facts(candidate), (MARGIN + 48 + wide, y), 15, SOFT, room=_INNER - wide - 48)
    y += _TITLES_H
    xs = [MARGIN + n * (_CELL_W + _GAP) for n in range(4)]
    titles = ("its picture, as it would lie in the program", "what it leaves unexplained")
    for x, title in zip(xs, (*titles, "how well each block fits", "fit over delay"), strict=True):
        sheet.text(title, (x, y - 6), 13, SOFT)
    if candidate.picture is None:
        _absent(sheet, (xs[0], y, _CELL_W, _CELL_H), "no picture")
    else:
        size = _fitted(candidate.picture, _CELL_W, _CELL_H)
        sheet.picture(candidate.picture, xs[0], y, *size)
        sheet.frame(xs[0], y, *size)
    if candidate.match is None:
        for x in xs[1:3]:
            _absent(sheet, (x, y, _CELL_W, _CELL_H), "nothing to compare")
    else:
        _difference(sheet, explanation, candidate, candidate.match, (xs[1], y))
        _blocks(sheet, explanation, candidate, candidate.match, (xs[2], y))
    _curve(sheet, explanation, candidate, (xs[3], y), colour)


def _facts(candidate: Candidate) -> str:
    match = candidate.match
    if match is None:
        return "no frames that this picture could be one of"
    usual = f"usually {part(candidate.usual_fit)}" if candidate.known else "never recognised yet"
    words = [f"explains {part(match.fit)} ({usual})", f"its frame of {lag(match.lag_ms)}"]
    words[1] = f"shown {abs(match.lag_ms):.0f} ms {'late' if match.lag_ms >= 0 else 'early'}"
    if candidate.delay_ms is not None:
        words[1] += f" (known delay {candidate.delay_ms:.0f} ms)"
    words.append(place(candidate.lie))
    words.append(f"contrast {match.gain:.2f}\N{MULTIPLICATION SIGN}")
    odd = f"unlike {match.unlike:+.2f}, untimely {match.untimely:+.2f}"
    words.append(odd.replace("-", "\N{MINUS SIGN}"))
    if match.beside_cells is not None:
        words.append(f"beside {match.beside_cells:.2f} cells")
    return "   ".join(words)


def _difference(
    sheet: Sheet,
    explanation: Explanation,
    candidate: Candidate,
    match: Matched,
    at: tuple[int, int],
) -> None:
    if match.residual is None:
        _absent(sheet, (*at, _CELL_W, _CELL_H), "not remembered any more")
        return
    colours = scale(np.abs(match.residual), _MOST_GREY, good=False)
    _lay(sheet, explanation, candidate, colours, at)


def _blocks(
    sheet: Sheet,
    explanation: Explanation,
    candidate: Candidate,
    match: Matched,
    at: tuple[int, int],
) -> None:
    across = 4 if candidate.portrait else 8
    fits = match.blocks.reshape(-1, across)
    empty = match.information.reshape(-1, across) < 1.0
    colours = scale(fits, 1.0, good=True)
    colours[empty] = PAPER
    x, y, w, h = _lay(sheet, explanation, candidate, colours, at)
    down = fits.shape[0]
    for row in range(down):
        for column in range(across):
            left, top = x + column * w // across, y + row * h // down
            right, bottom = x + (column + 1) * w // across, y + (row + 1) * h // down
            sheet.frame(left, top, right - left + 1, bottom - top + 1, colour=PAPER)
            if empty[row, column]:
                sheet.hatch(left + 1, top + 1, right - left - 1, bottom - top - 1)
            elif w / across >= 24:
                fit = float(fits[row, column])
                text = f"{100 * max(0.0, fit):.0f}"
                middle = (left + right + Sheet.width_of(text, 12)) // 2
                ink = PAPER if fit > 0.55 else SOFT
                sheet.text(text, (middle, (top + bottom) // 2 + 5), 12, ink, right=True)
    sheet.frame(x, y, w, h)


def _lay(
    sheet: Sheet, explanation: Explanation, candidate: Candidate, colours: Luma, at: tuple[int, int]
) -> tuple[int, int, int, int]:
    """A map of the camera's part of the program, where that lies; returns x, y, w, h of it."""
    size = _fitted(explanation.program, _CELL_W, _CELL_H)
    on = candidate.lie.on
    x0, y0 = (round(max(0.0, on[n]) * size[n]) for n in (0, 1))
    x1, y1 = (round(min(1.0, on[n + 2]) * size[n]) for n in (0, 1))
    sheet.box(*at, *size, PANEL)
    box = (at[0] + x0, at[1] + y0, max(1, x1 - x0), max(1, y1 - y0))
    sheet.picture(colours, *box, sharp=True)
    sheet.frame(*at, *size)
    return box


def _curve(
    sheet: Sheet,
    explanation: Explanation,
    candidate: Candidate,
    at: tuple[int, int],
    colour: Colour,
) -> None:
    """Nats over lag: the band is the delay known, the dot the frame that was chosen."""
    x, y = at
    w, h = WIDTH - MARGIN - x, _CELL_H - 22
    lags, nats = candidate.lags_ms, candidate.curve
    sheet.box(x, y, w, h, PANEL)
    if len(lags) == 0:
        sheet.hatch(x, y, w, h)
        return
    low, high = min(-350.0, float(lags.min())), max(3200.0, float(lags.max()))
    most = max(explanation.information, float(nats.max()), 1.0)

    def across(ms: float) -> float:
        return x + (min(high, max(low, ms)) - low) / (high - low) * w

    def up(value: float) -> float:
        return y + h - 3 - max(0.0, value) / most * (h - 12)

    if candidate.delay_low_ms is not None and candidate.delay_high_ms is not None:
        left = round(across(candidate.delay_low_ms))
        wide = max(3, round(across(candidate.delay_high_ms)) - left)
        sheet.shade(left, y, wide, h, colour=AGREE, share=0.22)
    for ms in (0, 1000, 2000, 3000):
        sheet.line([(across(ms), y + h), (across(ms), y + h + 5)], HATCH)
        label = f"{ms} ms" if ms == 0 else f"{ms}"
        sheet.text(
            label, (round(across(ms)) - Sheet.width_of(label, 12) // 2, y + h + 19), 12, SOFT
        )
    points = [(across(float(ms)), up(float(v))) for ms, v in zip(lags, nats, strict=True)]
    sheet.line(points if len(points) > 1 else points * 2, BLACK, 1)
    if candidate.match is not None:
        chosen = candidate.match.lag_ms
        nearest = int(np.argmin(np.abs(lags - chosen)))
        sheet.dot((across(chosen), up(float(nats[nearest]))), BLACK, 6)
        sheet.dot((across(chosen), up(float(nats[nearest]))), colour, 4)
    sheet.frame(x, y, w, h)


# ---------------------------------------------------------------- small things


def _legend(sheet: Sheet, y: int) -> None:
    x = MARGIN
    for text, most, good in (
        (f"left over: 0 to {_MOST_GREY:.0f} grey levels, after each block's gain and offset", 1, 0),
        ("explained part of a block: 0 to 100 %; hatched: no picture in it", 1, 1),
    ):
        ramp = scale(np.linspace(0, 1, 96)[None, :], float(most), good=bool(good))
        sheet.picture(ramp, x, y - 12, 96, 13, sharp=True)
        sheet.frame(x, y - 12, 96, 13)
        x += 106 + sheet.text(text, (x + 106, y), 13, SOFT) + 30
    sheet.box(x, y - 12, 16, 13, PANEL)
    sheet.shade(x, y - 12, 16, 13, colour=AGREE, share=0.22)
    sheet.text("the delay known for the camera", (x + 26, y), 13, SOFT)


def _colour_of(explanation: Explanation, cameras: tuple[str, ...], state: ShotState) -> Colour:
    if state is ShotState.BLACK:
        return BLACK
    if state in (ShotState.OFF_CAMERA, ShotState.UNSEEN) or not cameras:
        return HATCH
    if state is ShotState.AMBIGUOUS:
        return WRONG
    if cameras[-1] not in explanation.order:
        return HATCH
    return CAMERAS[explanation.order.index(cameras[-1]) % len(CAMERAS)]


def _fitted(picture: Luma | None, width: int, height: int) -> tuple[int, int]:
    """(width, height) of a picture scaled into a box."""
    h, w = picture.shape[:2] if picture is not None else (9, 16)
    by = min(width / w, height / h)
    return max(1, round(w * by)), max(1, round(h * by))


def _absent(sheet: Sheet, box: tuple[int, int, int, int], text: str) -> None:
    x, y, w, h = box
    sheet.box(x, y, w, h, PANEL)
    sheet.hatch(x, y, w, h)
    wide = Sheet.width_of(text, 14)
    sheet.box(x + (w - wide) // 2 - 8, y + h // 2 - 16, wide + 16, 26, PANEL)
    sheet.text(text, (x + (w - wide) // 2, y + h // 2 + 3), 14, SOFT)
