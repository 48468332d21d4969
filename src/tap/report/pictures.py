"""Evidence pictures on a page: where they come from, and how they are made small."""

import base64
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from tap.errors import FeedError
from tap.feeds.jpeg import check_jpeg
from tap.report.findings import Pick

LONGEST_SIDE = 480
"""Longer side of a picture on the page, px."""

JPEG_QUALITY = 78


@dataclass(frozen=True, slots=True)
class Still:
    """One evidence picture: the JPEG's bytes and the time (Unix ms) its feed gave it."""

    at_ms: float
    jpeg: bytes


class Pictures(Protocol):
    """A place to look pictures up by feed and time."""

    def at(self, feed: str, at_ms: float, pick: Pick = Pick.NEAREST) -> Still | None:
        """The picture of `feed` at `at_ms` (Unix ms) as `pick` means it; None where none is near.

        Never raises for a picture that is absent or damaged.
        """
        ...


class NoPictures:
    """For a check that has none."""

    def at(self, feed: str, at_ms: float, pick: Pick = Pick.NEAREST) -> Still | None:
        """None, always."""
        return None


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture for the page: a data URI and its size in px."""

    uri: str
    width: int
    height: int


def thumbnail(jpeg: bytes, side: int = LONGEST_SIDE) -> Thumbnail | None:
    """The picture scaled so that its longer side is at most `side` px; None for no picture.

    Nothing is decoded before the header says that the size is sane, and the decoder itself skips
    what the small picture does not need.
    """
    try:
        longest = max(check_jpeg(jpeg))
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), _reduced(longest, side))
    except (FeedError, cv2.error):
        return None
    if picture is None:
        return None
    height, width = picture.shape[:2]
    scale = side / max(width, height)
    if scale < 1.0:
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    done, small = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        return None
    text = base64.b64encode(small.tobytes()).decode("ascii")
    return Thumbnail(f"data:image/jpeg;base64,{text}", width, height)


def _reduced(longest: int, side: int) -> int:
    """The coarsest decode that still has all the pixels the page shows."""
    if longest >= side * 8:
        return cv2.IMREAD_REDUCED_COLOR_8
    if longest >= side * 4:
        return cv2.IMREAD_REDUCED_COLOR_4
    if longest >= side * 2:
        return cv2.IMREAD_REDUCED_COLOR_2
    return cv2.IMREAD_COLOR
