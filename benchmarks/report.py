"""How large the page of a two-hour session is, how long it takes to write and to open.

`python -m benchmarks.report` makes a session of 1,500 cuts (tests/long_session.py), writes its page
as `tap report` does, opens it in Chromium where there is one, and writes each export.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median

from tests import browser, long_session

from tap.report.exports.model import View
from tap.witness.exporting import FORMS, Wanted, export
from tap.witness.page import session_page

OPENINGS = 5


def measure(folder: Path) -> dict[str, float | int]:
    """Seconds and bytes."""
    session = long_session.make(folder / "session")
    begun, worked = time.perf_counter(), time.process_time()
    page = session_page(session)
    found: dict[str, float | int] = {
        "pageBytes": page.stat().st_size,
        "buildSeconds": time.perf_counter() - begun,
        "buildProcessorSeconds": time.process_time() - worked,
    }
    if browser.CHROMIUM is not None:
        with browser.chromium() as tab:
            tab.look()
            loads = [tab.open(page.as_uri()) for _ in range(OPENINGS)]
            found["loadSecondsMedian"], found["loadSecondsWorst"] = median(loads), max(loads)
            found["consoleProblems"] = len(tab.problems)
    for form in FORMS:
        begun = time.perf_counter()
        export(session, Wanted(form=form, view=View.SEEN, out=folder / f"cuts.{form}"))
        found[f"exportSeconds.{form}"] = time.perf_counter() - begun
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
    for name, value in found.items():
        print(f"{name:28} {value:,.2f}" if isinstance(value, float) else f"{name:28} {value:,}")
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
