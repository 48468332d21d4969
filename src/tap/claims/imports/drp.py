"""The `.drp` that an ATEM with ISO recording leaves: a head and then a JSON object a line.

The format is not published. What is relied on: `masterTimecode` and `videoMode` in the head,
`sources` with `name` and `_index_`, and in each line the first mix effect block's `source`; while
`transitionActive` is true a transition runs, which ends with the change of `source`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tap.claims.imports.told import Lines, Told
from tap.claims.strict_json import BadMessageError, decode_json
from tap.errors import InputError
from tap.rates import RATES, Rate

_MODE = re.compile(r"^\d{3,4}(?P<scan>[ip])(?P<rate>\d{2}(?:\.\d{1,3})?)$")
_KINDS = {"wipe": "wipe", "mix": "dissolve", "dip": "fade"}


@dataclass(slots=True)
class _State:
    """The program bus as far as it was read."""

    source: int | None = None
    mixing_since: Fraction | None = None
    kind: str = "mix"
    names: dict[int, str] = field(default_factory=dict[int, str])
    last_s: Fraction = Fraction(0)


def read_drp(lines: Lines) -> Iterator[Told]:
    """The changes of the first mix effect block, after what it showed at the start."""
    numbered = lines.numbered()
    if not numbered:
        raise InputError(f"{lines.path}: expected an ATEM's recording, got an empty file.")
    number, text = numbered[0]
    head = _object(lines, number, text)
    if "masterTimecode" not in head or "videoMode" not in head:
        raise lines.wrong(number, "the head of an ATEM's .drp with masterTimecode, videoMode", text)
    rate = _rate(lines, number, head)
    state = _State()
    for at, text_of_line in numbered:
        line = head if at == number else _object(lines, at, text_of_line)
        yield from _changes(lines, at, _line(lines, at, line, rate, state), state)


def _line(
    lines: Lines, number: int, line: Mapping[str, Any], rate: Rate, state: _State
) -> Mapping[str, Any]:
    """The line's mix effect block, once its time and its names are taken."""
    label = line.get("masterTimecode")
    try:
        at_s = rate.seconds(rate.frames(str(label)))
    except InputError as error:
        raise lines.wrong(number, f"a masterTimecode at {rate.name} frames/s", label) from error
    if at_s < state.last_s:
        raise lines.wrong(number, "times in order", label)
    state.last_s = at_s
    sources = line.get("sources")
    for source in sources if isinstance(sources, list) else []:
        if isinstance(source, dict) and isinstance(source.get("_index_"), int):
            name = source.get("name")
            if isinstance(name, str) and name.strip():
                state.names[source["_index_"]] = name.strip()
    blocks = line.get("mixEffectBlocks") or []
    if not isinstance(blocks, list):
        raise lines.wrong(number, "a list of mixEffectBlocks", blocks)
    found = [b for b in blocks if isinstance(b, dict) and b.get("_index_", 0) == 0]
    return found[0] if found else {}


def _changes(lines: Lines, number: int, block: Mapping[str, Any], state: _State) -> Iterator[Told]:
    if isinstance(block.get("transitionType"), str):
        state.kind = str(block["transitionType"]).lower()
    source = block.get("source")
    if source is not None and (isinstance(source, bool) or not isinstance(source, int)):
        raise lines.wrong(number, "the number of a source", source)
    if source is not None and source != state.source:
        first, state.source = state.source is None, source
        began = state.mixing_since if not first else None
        named = state.names.get(source)
        yield Told(
            line=number,
            names=(named, str(source)) if named else (str(source),),
            after_s=state.last_s if began is None else began,
            transition=None if began is None else _KINDS.get(state.kind, "dissolve"),
            duration_ms=None if began is None else float((state.last_s - began) * 1000),
            first=first,
        )
    active = block.get("transitionActive")
    if active is True and state.mixing_since is None:
        state.mixing_since = state.last_s
    elif active is False:
        state.mixing_since = None


def _object(lines: Lines, number: int, text: str) -> dict[str, Any]:
    try:
        found = decode_json(text)
    except BadMessageError as error:
        raise lines.wrong(number, "a JSON object", text, str(error)) from error
    if not isinstance(found, dict):
        raise lines.wrong(number, "a JSON object", text)
    return found


def _rate(lines: Lines, number: int, head: Mapping[str, Any]) -> Rate:
    found = _MODE.match(str(head["videoMode"]))
    if found is not None:
        wanted = Fraction(found["rate"]) / (2 if found["scan"] == "i" else 1)
        drop = ";" in str(head["masterTimecode"])
        for rate in RATES.values():
            # 29.97 is spelled with two digits; the rate behind it is exact.
            near = abs(rate.fps - wanted) < Fraction(1, 100)
            can_drop = rate.ntsc and rate.nominal != 24
            if near and (rate.drop == drop or not can_drop):
                return rate
    raise lines.wrong(number, "a videoMode such as 1080p25 or 1080p29.97", head["videoMode"])
