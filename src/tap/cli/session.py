"""The bodies of `watch`, `record`, `replay` and `verify`."""

from pathlib import Path

from tap.cli.live_view import live_view
from tap.cli.terminal import progress, say, say_json, until_told
from tap.clock import SystemClock
from tap.config import load_config, require_startable
from tap.vocabulary import DISAGREEMENTS, Witness


def summary(witness: Witness) -> str:
    """One sentence on what a session came to."""
    disagreed = sum(verdict.code in DISAGREEMENTS for verdict in witness.verdicts)
    return (
        f"{witness.session.external_id}: {len(witness.shots)} shots, {len(witness.events)} events, "
        f"{len(witness.verdicts)} verdicts, {disagreed} of them disagree"
    )
