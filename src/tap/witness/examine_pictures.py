"""What the doctor sees only with all feeds side by side: delays, twins, mirrors, other views."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from tap.sight import Sight
from tap.sight.look import Floats, blocks, unit
from tap.vocabulary import PROGRAM, Frame
from tap.witness.examine import Check, Health
from tap.witness.looks import Remembered, grid_of, likeness
from tap.witness.models import learnt_settings
from tap.witness.order import in_order

_TWINS = 0.96
"""Likeness of pictures from which on they are the same picture, coded twice: two cameras side by
side stay below 0.9 where anything stands at a distance."""
_SAMPLES = 8
_TEXTURED, _BLOCKS = 20.0, 8
_OTHER, _SAME = 0.3, 0.6
"""Likeness of two looks below which the view is another, and above which it is the same."""
_CLEARLY = 0.2


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to add to a feed's check."""

    text: str
    health: Health = Health.OK
    advice: str = ""
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


Findings = dict[str, list[Finding]]


def examine_pictures(frames: Mapping[str, Sequence[Frame]], before: Remembered | None) -> Findings:
    """What the feeds' pictures tell of each other and of the last session, by feed.

    `frames` are those of some seconds of each live feed, in order.
    """
    seen = {name: _one_way_up(of) for name, of in frames.items() if of}
    cameras = {name: of for name, of in seen.items() if name != PROGRAM}
    findings: Findings = {name: [] for name in seen}
    if PROGRAM in seen and cameras:
        _on_program(cameras, seen[PROGRAM], findings)
    _twins(cameras, findings)
    if before is not None:
        _as_before(cameras, before, findings)
    return findings


def _one_way_up(frames: Sequence[Frame]) -> list[Frame]:
    """The frames that are as high and wide as the last: a device may be turned meanwhile."""
    last = frames[-1].luma.shape
    return [frame for frame in frames if frame.luma.shape == last]


def with_findings(check: Check, findings: Sequence[Finding]) -> Check:
    """The check with what else was found; the worst of it decides how bad it is."""
    order = list(Health)
    for one in findings:
        check = replace(
            check,
            health=max(check.health, one.health, key=order.index),
            text=f"{check.text}; {one.text}",
            advice="; ".join(filter(None, (check.advice, one.advice))),
            values={**check.values, **one.values},
        )
    return check


# ---------------------------------------------------------------- on the program


def _on_program(
    cameras: Mapping[str, Sequence[Frame]], program: Sequence[Frame], findings: Findings
) -> None:
    """Let sight look: how late the program shows a camera, and whether flipped."""
    sight = Sight(tuple(cameras), learnt_settings())
    for frame in in_order([iter(of) for of in (*cameras.values(), program)]):
        if isinstance(frame, Frame):
            sight.see(frame)
    sight.finish()
    live: dict[str, float] = {}
    for shot, _ in sight.take()[0]:
        if shot.camera is not None:
            live[shot.camera] = live.get(shot.camera, 0.0) + shot.end_ms - shot.start_ms
    for camera in sight.cameras_seen():
        if camera.id not in live or camera.delay_ms is None:
            continue
        late = round(camera.delay_ms)
        text = f"the program shows it {late} ms later"
        values: dict[str, Any] = {"delayMs": late, "mirrored": camera.mirrored}
        advice, health = "", Health.OK
        if camera.mirrored:
            text += ", mirrored"
            health, advice = Health.WARNING, "tap bears that; check that the flip is meant"
        findings[camera.id].append(Finding(text, health, advice, values))


# ---------------------------------------------------------------- two ids, one picture


def _twins(cameras: Mapping[str, Sequence[Frame]], findings: Findings) -> None:
    for one, other in combinations(cameras, 2):
        plain, flipped = (
            # Both ways: of the two, the one that shows fewer pictures has them all in the other.
            max(
                _fit(cameras[one], cameras[other], mirror=mirror),
                _fit(cameras[other], cameras[one], mirror=mirror),
            )
            for mirror in (False, True)
        )
        fit = max(plain, flipped)
        if fit < _TWINS:
            continue
        how = " (mirrored)" if flipped > plain else ""
        for name, twin in ((one, other), (other, one)):
            findings[name].append(
                Finding(
                    f"shows the same pictures as {twin}{how}",
                    Health.BAD,
                    "two ids with one picture can't be told apart: correct one of the addresses",
                    {"samePicturesAs": twin},
                )
            )


def _fit(some: Sequence[Frame], others: Sequence[Frame], *, mirror: bool) -> float:
    """How well pictures of one feed are found among those of another, the median; 0 if unknown."""
    wanted = [some[n] for n in np.linspace(0, len(some) - 1, min(_SAMPLES, len(some)), dtype=int)]
    if grid_of(wanted[0]).shape != grid_of(others[0]).shape:
        return 0.0
    there = np.stack([_units(frame, mirror=False)[0] for frame in others])
    fits: list[float] = []
    for frame in wanted:
        units, lengths = _units(frame, mirror=mirror)
        textured = lengths > _TEXTURED
        if int(textured.sum()) >= _BLOCKS:
            along = np.einsum("nbp,bp->nb", there[:, textured], units[textured])
            fits.append(float(along.mean(axis=1).max()))
    return float(np.median(fits)) if len(fits) > len(wanted) // 2 else 0.0


def _units(frame: Frame, *, mirror: bool) -> tuple[Floats, Floats]:
    return unit(blocks(grid_of(frame, mirror=mirror)))


# ---------------------------------------------------------------- the last session


def _as_before(
    cameras: Mapping[str, Sequence[Frame]], before: Remembered, findings: Findings
) -> None:
    """Whether each camera shows what it showed in the session before."""
    for name, frames in cameras.items():
        then = before.grids.get(name)
        if then is None:
            continue
        now: Floats = np.stack([grid_of(frame) for frame in frames]).mean(axis=0)
        if now.shape != then.shape:
            findings[name].append(
                _changed(before, "is turned the other way (portrait or landscape)", {})
            )
            continue
        own, flipped = likeness(now, then), likeness(now[:, ::-1], then)
        if own is None or flipped is None:
            continue
        values = {"likeLastSession": round(own, 2)}
        others = {
            other: like
            for other, grid in before.grids.items()
            if other != name and (like := likeness(now, grid)) is not None
        }
        best = max(others, key=lambda other: others[other], default=None)
        clear = max(_SAME, own + _CLEARLY)
        if flipped >= clear:
            findings[name].append(_changed(before, "is mirrored", values))
        elif best is not None and others[best] >= clear:
            findings[name].append(_changed(before, f"shows what {best} showed", values))
        elif own < _OTHER:
            findings[name].append(_changed(before, "shows another view", values))
        else:
            findings[name].append(Finding(f"as in {before.session}", values=values))


def _changed(before: Remembered, what: str, values: Mapping[str, Any]) -> Finding:
    return Finding(
        f"{what}, against session {before.session}",
        Health.WARNING,
        "moved, flipped, another lens or another device: check that it is meant",
        {**values, "changed": True},
    )
