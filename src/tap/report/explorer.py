"""What the timeline that can be zoomed is drawn from: short lists of numbers, read by the page.

All times are whole ms from the session's start. Cameras, states and codes are named once and
referred to by their place.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tap.report import wording
from tap.report.findings import IN_DOUBT, Finding
from tap.report.timeline import MOST_BARS, MOST_MARKS, Timeline
from tap.vocabulary import ShotState, VerdictCode, Witness

_AGREES, _WRONG, _DOUBT, _NOTED = range(4)


def explorer_data(
    witness: Witness, findings: Sequence[Finding], drawn: Timeline, numbers: Mapping[str, int]
) -> str:
    """The JSON text for the page; `numbers` gives disagreements (by key) their number."""
    place = {camera: index for index, camera in enumerate(drawn.colours)}
    states = [state.value for state in ShotState]
    codes = [code.value for code in VerdictCode]

    def ms(at_ms: float) -> int:
        return round(min(max(at_ms, drawn.start_ms), drawn.end_ms) - drawn.start_ms)

    shots: list[list[Any]] = []
    for shot in witness.shots[:MOST_BARS]:
        cameras = (shot.camera,) if shot.state is ShotState.LIVE else shot.cameras
        places = [place[c] for c in cameras if c is not None and c in place]
        row = [ms(shot.start_ms), ms(shot.end_ms), states.index(shot.state.value), places]
        shots.append([*row, wording.percent(shot.confidence)])
    data = {
        "length": ms(drawn.end_ms),
        "cameras": [[wording.clip(c, 64), colour] for c, colour in drawn.colours.items()],
        "states": [state.replace("_", " ") for state in states],
        "codes": codes,
        "titles": [wording.TITLES[code] for code in VerdictCode],
        "shots": shots,
        "told": _told(findings, place, ms(drawn.end_ms), ms),
        "gaps": [
            [place[seen.id], ms(start), ms(end), wording.clip(reason, 80)]
            for seen in witness.cameras
            if seen.id in place
            for start, end, reason in seen.gaps[: MOST_BARS // 10]
        ],
        "verdicts": [
            [ms(f.at_ms), codes.index(f.verdict.value), _kind(f), numbers.get(f.key, 0)]
            for f in findings[:MOST_MARKS]
        ],
    }
    return json.dumps(data, separators=(",", ":"), ensure_ascii=True)


def _told(
    findings: Sequence[Finding], place: Mapping[str, int], end: int, ms: Any
) -> list[list[int]]:
    """[from, to, camera]: which camera the director's words had on program."""
    claims = [f.claim for f in findings if f.claim is not None and f.claim.type in wording.CHANGES]
    said = sorted(
        (ms(claim.at_ms), place[claim.camera])
        for claim in claims
        if claim.camera is not None and claim.camera in place
    )[:MOST_MARKS]
    ends = [at for at, _ in said[1:]] + [end] * bool(said)
    return [[at, until, camera] for (at, camera), until in zip(said, ends, strict=True)]


def _kind(finding: Finding) -> int:
    if finding.disagrees:
        return _WRONG
    if finding.verdict is VerdictCode.NOTED:
        return _NOTED
    return _DOUBT if finding.verdict in IN_DOUBT else _AGREES
