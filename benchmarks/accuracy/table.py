"""The table: a row for each condition, all pooled, and the worst single condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.accuracy.conditions import ALIKE, CONDITIONS, HELD
from benchmarks.score import Scores, merge

Figures = dict[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of the table; `high`: more is better; `groups`: of which conditions it is asked."""

    title: str
    key: str
    high: bool
    goal: float
    worst_goal: float | None = None
    groups: tuple[str, ...] = ()
    digits: int = 4


COLUMNS = (
    Column("frames right", "frameAccuracy", True, 0.998, 0.98),
    Column("confid. wrong", "confidentWrongShare", False, 0.0005, 0.003),
    Column("cut F1", "cutF1", True, 0.995, 0.95),
    Column("soft F1", "softF1", True, 0.95, 0.9),
    Column("false/h held", "falseChangesPerHour", False, 0.2, 1.0, (HELD,), 1),
    Column("alike: off", "offCameraSaid", True, 0.99, 0.95, (ALIKE,)),
    Column("alike: blamed", "offCameraBlamed", False, 0.01, 0.05, (ALIKE,)),
    Column("ambig. recall", "ambiguousRecall", True, 0.98),
    Column("ambig. prec.", "ambiguousPrecision", True, 0.98),
    Column("delay err ms", "delayErrorMedianMs", False, 10.0, 33.0, (), 1),
    Column("ECE", "calibrationError", False, 0.01, 0.03),
    Column("Brier", "brier", False, 0.01, 0.03),
)
ALL, WORST, GOAL, WORST_GOAL = "all", "worst", "goal", "goal (worst)"


def rows(scores: Mapping[str, Scores]) -> dict[str, Figures]:
    """Every row by name: the conditions, then all pooled, and the worst."""
    table: dict[str, Figures] = {}
    for name, one in scores.items():
        figures = one.figures()
        table[name] = {
            **figures,
            **{column.key: None for column in COLUMNS if not _asked(column, name)},
        }
    every = merge(scores.values()).figures()
    worst: Figures = {}
    for column in COLUMNS:
        asked = {name: one for name, one in scores.items() if _asked(column, name)}
        if len(asked) < len(scores):
            every[column.key] = merge(asked.values()).figures()[column.key] if asked else None
        found = [value for name in asked if (value := table[name][column.key]) is not None]
        worst[column.key] = (min(found) if column.high else max(found)) if found else None
    table[ALL] = every
    table[WORST] = worst
    return table


def _asked(column: Column, name: str) -> bool:
    condition = CONDITIONS[name]
    if column.key == "delayErrorMedianMs" and condition.still:
        return False
    return not column.groups or condition.group in column.groups


def text(table: Mapping[str, Figures]) -> str:
    """The table in Markdown, its columns aligned."""
    goals: dict[str, Figures] = {
        GOAL: {column.key: column.goal for column in COLUMNS},
        WORST_GOAL: {column.key: column.worst_goal for column in COLUMNS},
    }
    lines = [["condition", *(column.title for column in COLUMNS)]]
    for name, figures in {**table, **goals}.items():
        lines.append([name, *(_cell(figures.get(column.key), column) for column in COLUMNS)])
    widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
    out = [_line(line, widths) for line in lines]
    out.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(out)


def _cell(value: float | None, column: Column) -> str:
    return "—" if value is None else f"{value:.{column.digits}f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "| " + " | ".join([first, *rest]) + " |"
