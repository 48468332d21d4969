"""Rows that should be against rows that are: what is missing, extra, altered, double, misplaced."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tap.report.findings import Fault, LedgerProblem
from tap.report.wording import clip, count

Document = Mapping[str, Any]

_NOTHING = object()


def compare_rows(
    table: str, expected: Sequence[Document], found: Sequence[Document]
) -> list[LedgerProblem]:
    """Every difference, named by the key of its row; none where both say the same.

    Fields that start with `_` are the ledger's own and are left out. Numbers are equal by value:
    a ledger may keep all of them as floats.
    """
    problems: list[LedgerProblem] = []
    there: dict[str, list[Document]] = defaultdict(list)
    for row in found:
        there[_key(row)].append(row)
    for row in expected:
        key = _key(row)
        copies = there.pop(key, [])
        if not copies:
            what = _what(row)
            problems.append(
                _problem(Fault.MISSING, table, key, f"The ledger has no row for {what}.")
            )
        if len(copies) > 1:
            text = f"The ledger has {len(copies)} rows with this key; one is right."
            problems.append(_problem(Fault.DUPLICATE, table, key, text))
        problems.extend(
            problem
            for copy in copies
            if (problem := _difference(table, key, row, copy)) is not None
        )
    for key, copies in there.items():
        text = f"tap has no record of this row ({_what(copies[0])})."
        problems.append(_problem(Fault.EXTRA, table, key, text))
    return problems


def check_order(table: str, found: Sequence[Document]) -> list[LedgerProblem]:
    """What the rows' own numbers tell, where tap's record is not at hand: 1, 2, 3 … by time."""
    problems: list[LedgerProblem] = []
    keys: set[str] = set()
    reached = 0
    for row in found:
        key, seq = _key(row), row.get("seq")
        if key in keys:
            text = "The ledger has more than one row with this key."
            problems.append(_problem(Fault.DUPLICATE, table, key, text))
        keys.add(key)
        number = _whole(seq)
        if number is None:
            text = f"Expected a whole number as seq, got {clip(repr(seq), 40)}."
            problems.append(_problem(Fault.ALTERED, table, key, text))
            continue
        if number <= reached:
            text = f"Its number {number} does not follow {reached}."
            problems.append(_problem(Fault.OUT_OF_ORDER, table, key, text))
        elif number > reached + 1:
            gone = count(number - reached - 1, "row")
            text = (
                f"Before this row (number {number}), {gone} after number {reached} can't be found."
            )
            problems.append(_problem(Fault.MISSING, table, key, text))
        reached = max(reached, number)
    return problems


def _whole(seq: Any) -> int | None:
    """A number that a ledger may have made a float; None for anything else."""
    if not isinstance(seq, int | float) or isinstance(seq, bool) or not 0 <= seq <= 2**53:
        return None
    return int(seq) if float(seq).is_integer() else None


def _difference(table: str, key: str, expected: Document, found: Document) -> LedgerProblem | None:
    if expected == found and _bools(expected) == _bools(found):
        return None
    differing = list(_differing("", expected, found))
    if not differing:
        return None
    if [path for path, _, _ in differing] == ["seq"]:
        _, wanted, got = differing[0]
        text = f"Expected at number {_short(wanted)}, found at number {_short(got)}."
        return _problem(Fault.OUT_OF_ORDER, table, key, text)
    shown = "; ".join(
        f"{path}: expected {_short(wanted)}, the ledger has {_short(got)}"
        for path, wanted, got in differing[:4]
    )
    more = f"; and {len(differing) - 4} more" if len(differing) > 4 else ""
    return _problem(Fault.ALTERED, table, key, f"{shown}{more}.")


def _bools(value: Any) -> int:
    """How many truth values there are: to Python they equal 1 and 0, to a ledger they don't."""
    if isinstance(value, bool):
        return 1
    if isinstance(value, Mapping):
        return sum(_bools(item) for item in value.values() if not isinstance(item, str | float))
    if isinstance(value, list):
        return sum(map(_bools, value))
    return 0


def _differing(path: str, expected: Any, found: Any) -> Iterable[tuple[str, Any, Any]]:
    """(path, expected, found) of each place where two JSON values differ."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        names = [*expected, *(name for name in found if name not in expected)]
        for name in names:
            if str(name).startswith("_") and not path:
                continue
            inner = f"{path}.{name}" if path else str(name)
            yield from _differing(inner, expected.get(name, _NOTHING), found.get(name, _NOTHING))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differing(f"{path}[{index}]", one, other)
    elif isinstance(expected, bool) is not isinstance(found, bool) or expected != found:
        yield path, expected, found


def _problem(fault: Fault, table: str, key: str, text: str) -> LedgerProblem:
    return LedgerProblem(fault=fault, table=table, key=key, text=text)


def _key(row: Document) -> str:
    return str(row.get("key", ""))


def _what(row: Document) -> str:
    """A row in a few words."""
    said = [str(row[name]) for name in ("type", "camera", "cameraId", "verdict") if name in row]
    return clip(" ".join(said) or "it", 80)


def _short(value: Any) -> str:
    return "nothing" if value is _NOTHING else clip(repr(value), 80)
