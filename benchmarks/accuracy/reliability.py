"""The reliability diagram: what was said with which confidence, against how often it was so."""

from pathlib import Path

from benchmarks.score import BINS, Scores

_SIDE, _MARGIN = 320, 48


def bins(scores: Scores) -> list[tuple[float, float, int, float, float]]:
    """Rows of (from, to, frames, mean confidence, share right), without the empty ones."""
    found: list[tuple[float, float, int, float, float]] = []
    for index, (count, confidence, right) in enumerate(scores.bins.tolist()):
        if count:
            low, high = index / BINS, (index + 1) / BINS
            found.append((low, high, int(count), confidence / count, right / count))
    return found


def text(scores: Scores) -> str:
    """The diagram as a table."""
    lines = ["| confidence  | frames | said   | so     |", "|---|---:|---:|---:|"]
    for low, high, count, said, so in bins(scores):
        lines.append(f"| {low:.2f}…{high:.2f} | {count:6d} | {said:.4f} | {so:.4f} |")
    return "\n".join(lines)


def write_svg(scores: Scores, file: Path) -> None:
    """The diagram as a picture: one disc a bin, its area the share of frames."""
    whole = _SIDE + 2 * _MARGIN
    rows = bins(scores)
    most = max((count for _, _, count, _, _ in rows), default=1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}" font-size="12">',
        f'<rect width="{whole}" height="{whole}" fill="white"/>',
        f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" stroke="#999" stroke-dasharray="4"/>',
        f'<path d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}" stroke="#333" fill="none"/>',
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<text x="{_x(tick)}" y="{_y(0) + 18}" text-anchor="middle">{tick}</text>')
        parts.append(f'<text x="{_x(0) - 8}" y="{_y(tick) + 4}" text-anchor="end">{tick}</text>')
    parts.append(f'<text x="{whole / 2}" y="{whole - 8}" text-anchor="middle">confidence</text>')
    parts.append(f'<text x="{_x(0)}" y="{_y(1) - 14}">share right</text>')
    for _, _, count, said, so in rows:
        radius = 2.5 + 9.0 * (count / most) ** 0.5
        parts.append(
            f'<circle cx="{_x(said):.1f}" cy="{_y(so):.1f}" r="{radius:.1f}" '
            'fill="#1f77b4" fill-opacity="0.6"/>'
        )
    file.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def _x(value: float) -> float:
    return _MARGIN + value * _SIDE


def _y(value: float) -> float:
    return _MARGIN + (1.0 - value) * _SIDE
