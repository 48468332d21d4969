"""The body of `explain`."""

from pathlib import Path

from tap.cli.terminal import progress, say, say_json
from tap.errors import InputError
from tap.report.explain import write_png
from tap.report.explain_words import certainty, headline, sentences
from tap.report.wording import printable
from tap.witness.explain import explain


def run_explain(
    shoot: Path, at: str, *, out: Path | None, seconds: float | None, as_json: bool
) -> None:
    """Explain one moment: sentences to read, a picture to look at."""
    if out is not None and out.suffix.lower() != ".png":
        raise InputError(f"--out: expected a file that ends with .png, got {str(out)!r}")
    with progress(f"looking at {shoot.name or shoot}") as report:
        explanation = explain(shoot, at, seconds=seconds, progress=report)
    since_start = (explanation.at_ms - explanation.program_start_ms) / 1000
    path = write_png(explanation, out or Path(f"explain-{since_start:.3f}.png"))
    said = sentences(explanation)
    if as_json:
        say_json(
            {"type": "explanation", **explanation.as_json(), "why": said, "picture": str(path)}
        )
        return
    say(printable(f"{headline(explanation)} ({certainty(explanation)})"))
    for sentence in said:
        say(printable(sentence))
    say(str(path))
