"""A sheet to draw on: text, boxes, bars, pictures and colour scales, made with OpenCV alone."""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from tap.vocabulary import Luma

Colour = tuple[int, int, int]
"""Blue, green, red."""


def _hex(text: str) -> Colour:
    return int(text[5:7], 16), int(text[3:5], 16), int(text[1:3], 16)


PAPER, INK, SOFT = _hex("#ffffff"), _hex("#1b1d21"), _hex("#575c66")
LINE, PANEL, HATCH = _hex("#c9cdd4"), _hex("#f4f5f7"), _hex("#8a909c")
WRONG, AGREE, BLACK = _hex("#b3360a"), _hex("#00694d"), _hex("#101114")
CAMERAS = tuple(
    _hex(text)
    for text in (
        "#e69f00",
        "#56b4e9",
        "#009e73",
        "#f0e442",
        "#0072b2",
        "#d55e00",
        "#cc79a7",
        "#9a8fe0",
    )
)
"""As on the page: colours of Okabe and Ito, told apart with any kind of colour vision."""

_TO_WRONG = ("#fbfaf8", "#f6cfae", "#e98f4f", "#b3360a", "#4a1200")
_TO_AGREE = ("#f4f5f7", "#c4e4d7", "#63b899", "#00694d", "#003326")
PLAIN, BOLD = 400, 700


def scale(values: npt.NDArray[np.floating], most: float, *, good: bool) -> Luma:
    """Values 0 .. `most` of any (h, w) as colours (h, w, 3): light to dark green, or to orange."""
    stops = np.array([_hex(text) for text in (_TO_AGREE if good else _TO_WRONG)], np.float64)
    place = np.clip(np.asarray(values, np.float64) / most, 0.0, 1.0) * (len(stops) - 1)
    low = np.minimum(place.astype(np.int64), len(stops) - 2)
    share = (place - low)[..., None]
    return np.asarray(stops[low] * (1 - share) + stops[low + 1] * share, np.uint8)


@cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")


class Sheet:
    """A (h, w, 3) BGR picture; x and y in px from the top left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels: Luma = np.full((height, width, 3), PAPER, np.uint8)

    # ------------------------------------------------------------------ text

    @staticmethod
    def width_of(text: str, size: int, weight: int = PLAIN) -> int:
        """How wide a text is, in px."""
        if not text:
            return 0
        box = cv2.getTextSize((4096, 256), text, (0, 0), _font(), size, weight)
        return int(box[2])

    def text(
        self,
        text: str,
        at: tuple[int, int],
        size: int = 15,
        colour: Colour = INK,
        weight: int = PLAIN,
        *,
        right: bool = False,
        room: int | None = None,
    ) -> int:
        """Write one line on the baseline `at`; returns its width. `right`: it ends there.

        What is wider than `room` is cut short.
        """
        if room is not None:
            text = shorten(text, room, size, weight)
        if not text:
            return 0
        wide = self.width_of(text, size, weight)
        x = at[0] - wide if right else at[0]
        cv2.putText(self.pixels, text, (x, at[1]), colour, _font(), size, weight)
        return wide

    def paragraph(
        self, lines: Sequence[str], at: tuple[int, int], size: int, colour: Colour = INK
    ) -> int:
        """Write lines below each other, the first on the baseline `at`; returns the next one."""
        x, y = at
        for line in lines:
            self.text(line, (x, y), size, colour)
            y += round(1.5 * size)
        return y

    # ------------------------------------------------------------------ shapes

    def box(self, x: int, y: int, w: int, h: int, colour: Colour) -> None:
        """A filled box."""
        if w > 0 and h > 0:
            cv2.rectangle(self.pixels, (x, y), (x + w - 1, y + h - 1), colour, cv2.FILLED)

    def frame(
        self, x: int, y: int, w: int, h: int, *, colour: Colour = LINE, thick: int = 1
    ) -> None:
        """The outline of a box."""
        cv2.rectangle(self.pixels, (x, y), (x + w - 1, y + h - 1), colour, thick)

    def line(self, points: Sequence[tuple[float, float]], colour: Colour, thick: int = 1) -> None:
        """A line through points, smooth."""
        eighths = np.round(np.array(points, np.float64) * 8).astype(np.int32)
        cv2.polylines(self.pixels, [eighths], False, colour, thick, cv2.LINE_AA, 3)

    def dot(self, at: tuple[float, float], colour: Colour, radius: int = 4) -> None:
        """A filled circle."""
        centre = (round(at[0] * 8), round(at[1] * 8))
        cv2.circle(self.pixels, centre, radius * 8, colour, cv2.FILLED, cv2.LINE_AA, 3)

    def bar(self, x: int, y: int, w: int, h: int, *, share: float, colour: Colour) -> None:
        """A bar that is filled up to `share`, 0 .. 1."""
        self.box(x, y, w, h, PANEL)
        self.box(x, y, round(w * min(1.0, max(0.0, share))), h, colour)

    def picture(
        self, picture: Luma, x: int, y: int, w: int, h: int, *, sharp: bool = False
    ) -> None:
        """A (h, w, 3) picture scaled to a box; `sharp`: its pixels become squares."""
        shrinks = picture.shape[1] > w
        how = cv2.INTER_NEAREST if sharp else cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        self.pixels[y : y + h, x : x + w] = cv2.resize(picture, (w, h), interpolation=how)

    def hatch(self, x: int, y: int, w: int, h: int) -> None:
        """Slanted lines: there is nothing to show here."""
        part = self.pixels[y : y + h, x : x + w]
        rows, columns = np.indices(part.shape[:2])
        part[(rows + columns) % 10 < 1] = LINE

    def shade(self, x: int, y: int, w: int, h: int, *, colour: Colour, share: float) -> None:
        """A translucent box."""
        if w > 0 and h > 0:
            part = self.pixels[y : y + h, x : x + w]
            mixed = part * (1 - share) + np.array(colour, np.float64) * share
            self.pixels[y : y + h, x : x + w] = np.asarray(mixed, np.uint8)

    def png(self) -> bytes:
        """The sheet as a PNG file."""
        _, coded = cv2.imencode(".png", self.pixels)
        return coded.tobytes()


def shorten(text: str, room: int, size: int, weight: int = PLAIN) -> str:
    """`text`, cut so that it is at most `room` px wide."""
    if Sheet.width_of(text, size, weight) <= room:
        return text
    while text and Sheet.width_of(text + "…", size, weight) > room:
        text = text[:-1]
    return text + "…" if text else ""


def wrap(text: str, room: int, size: int, weight: int = PLAIN) -> list[str]:
    """`text` in lines of at most `room` px."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and Sheet.width_of(longer, size, weight) > room:
            lines.append(line)
            longer = word
        line = shorten(longer, room, size, weight)
    return [*lines, line] if line else lines
