"""The bodies of `watch`, `record` and `replay`."""

from pathlib import Path

from tap.cli.live_view import live_view
from tap.cli.terminal import progress, say, say_json, until_told
from tap.clock import SystemClock
from tap.config import load_config
from tap.vocabulary import DISAGREEMENTS, Witness
from tap.witness.live import watch
from tap.witness.replay import replay


def run_watch(config: Path, *, record_to: Path | None, as_json: bool) -> None:
    """Witness live until the session ends or the user has seen enough."""
    settings = load_config(config)
    with until_told() as told, live_view(as_json=as_json) as show:
        witness = watch(
            settings, clock=SystemClock(), record_to=record_to, on_status=show, stop=told
        )
    _conclude(witness, as_json=as_json)


def run_replay(shoot: Path, out: Path, *, profile: str, as_json: bool) -> None:
    """Witness a recording."""
    with progress(f"looking at {shoot.name or shoot}") as report:
        witness = replay(shoot, out, profile=profile, progress=report)
    _conclude(witness, as_json=as_json)
    if not as_json:
        say(f"{out / 'witness.json'}\n{out / 'report.html'}")


def _conclude(witness: Witness, *, as_json: bool) -> None:
    if as_json:
        say_json({"type": "witness", **witness.model_dump(mode="json", by_alias=True)})
    else:
        say(summary(witness))


def summary(witness: Witness) -> str:
    """One sentence on what a session came to."""
    disagreed = sum(verdict.code in DISAGREEMENTS for verdict in witness.verdicts)
    return (
        f"{witness.session.external_id}: {len(witness.shots)} shots, {len(witness.events)} events, "
        f"{len(witness.verdicts)} verdicts, {disagreed} of them disagree"
    )
