"""Looks over a configuration before a shoot: can every feed be seen, every message be heard?"""

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tap.clock import Clock
from tap.config import Config, load_or_make_key, start_problems
from tap.errors import EXIT_BAD_INPUT, EXIT_COULD_NOT_WITNESS, EXIT_OK, InputError
from tap.witness.examine import (
    Check,
    Health,
    LookedAt,
    examine_director,
    examine_events,
    examine_file,
    examine_live,
)
from tap.witness.examine_ledger import examine_ledger
from tap.witness.examine_pictures import examine_pictures, with_findings
from tap.witness.looks import last_looks
from tap.witness.wires import live_feed

Progress = Callable[[float], None]

LOOK_S = 3.0
_LITTLE_DISK = 5e9
_NO_DISK = 5e8
_STEP_MS = 50.0
_EARLIEST_MS = 1_735_689_600_000.0  # 2025: a host that is before that never learnt the time


def examine(
    config: Config,
    *,
    clock: Clock,
    look_s: float = LOOK_S,
    progress: Progress = lambda part: None,
) -> list[Check]:
    """A check of everything that `config` names, in its order. Takes a little over `look_s`.

    All feeds and the director are looked at side by side, `look_s` seconds each; then the feeds'
    pictures are held against each other, against the program, and against how each camera looked
    in the last session. Raises nothing for what is wrong: that is what the checks say.
    """
    wrong = start_problems(config)
    checks = [Check(name, Health.WRONG, *_split(text)) for name, text in wrong.items()]
    startable = {name: feed for name, feed in config.feeds().items() if name not in wrong}
    with ThreadPoolExecutor(max_workers=2 * len(startable) + 2) as pool:
        looks: list[Future[Check]] = [pool.submit(_clock, clock, look_s)]
        live_looks: list[Future[LookedAt]] = []
        for name, feed in startable.items():
            if feed.file is not None:
                looks.append(pool.submit(examine_file, name, feed.file))
            else:
                live = live_feed(name, feed, config, clock)
                live_looks.append(pool.submit(examine_live, name, live, clock, look_s))
        looks.extend(
            pool.submit(examine_events, camera, config, clock, look_s)
            for camera in config.cameras
            if camera.events_url is not None and camera.id not in wrong
        )
        if config.director is not None and "director" not in wrong:
            looks.append(pool.submit(examine_director, config.director, config, clock, look_s))
        steps = len(looks) + len(live_looks)
        for done, look in enumerate(looks, start=1):
            checks.append(look.result())
            progress(done / steps)
        seen = [look.result() for look in live_looks]
        progress(1.0)
    checks.extend(_compared(seen, config))
    if config.director is None:
        text = "no [director] in the configuration: tap will only say what it sees"
        checks.append(Check("director", Health.WARNING, text))
    if "ledger" not in wrong:
        checks.append(examine_ledger(config))
    checks.append(_seal_key(config))
    checks.extend(_disk(name, folder) for name, folder in _folders(config).items())
    feeds = [subject for name in config.feeds() for subject in (name, f"{name} events")]
    order = ["clock", *feeds, "director", "ledger", "seal key"]
    return sorted(checks, key=lambda c: order.index(c.subject) if c.subject in order else 99)


def _compared(seen: Sequence[LookedAt], config: Config) -> list[Check]:
    """The live feeds' checks, with what only shows side by side."""
    frames = {one.check.subject: one.frames for one in seen}
    found = examine_pictures(frames, last_looks(config.home))
    return [with_findings(one.check, found.get(one.check.subject, ())) for one in seen]


def exit_code(checks: Sequence[Check]) -> int:
    """2 where the configuration is at fault, 3 where a shoot could not be witnessed now, else 0."""
    found = {check.health for check in checks}
    if Health.WRONG in found:
        return EXIT_BAD_INPUT
    return EXIT_COULD_NOT_WITNESS if Health.BAD in found else EXIT_OK


def _split(text: str) -> tuple[str, str]:
    """A problem's sentence without its subject: what is wrong, what to do."""
    _, _, sentence = text.partition(": ")
    found, _, advice = sentence.rpartition("; ")
    return (found, advice) if found else (sentence, "")


# ---------------------------------------------------------------- this host


def _clock(clock: Clock, seconds: float) -> Check:
    """tap bears a wall clock that is set while it runs; but a host that is being set is a host
    whose times can't be compared with the director's."""
    now_ms = time.time() * 1000
    if now_ms < _EARLIEST_MS:
        text = f"this host says it is {time.strftime('%Y-%m-%d', time.gmtime())}"
        advice = "set the clock, or turn on time synchronisation"
        return Check("clock", Health.BAD, text, advice)
    began = time.monotonic() * 1000
    clock.sleep(seconds)
    step_ms = (time.time() * 1000 - now_ms) - (time.monotonic() * 1000 - began)
    values = {"stepMs": round(step_ms, 1)}
    if abs(step_ms) > _STEP_MS:
        text = f"the wall clock moved by {step_ms:+.0f} ms within {seconds:g} s"
        advice = "let time synchronisation settle before the shoot"
        return Check("clock", Health.WARNING, text, advice, values)
    return Check("clock", Health.OK, "runs evenly", values=values)


def _seal_key(config: Config) -> Check:
    """Makes the key where there is none yet: a shoot is no time to find that it can't be made."""
    path = config.seal_key_path
    try:
        signer = load_or_make_key(path, away_from=config.session_folder)
    except InputError as error:
        found, _, advice = str(error).rpartition("; ")
        return Check("seal key", Health.WRONG, found, advice)
    text = f"the record will be sealed with the key {signer.public.id} in {path}"
    return Check("seal key", Health.OK, text, values={"publicKey": signer.public.hex})


def _folders(config: Config) -> dict[str, Path]:
    embedded = config.ledger.kind == "embedded"
    folders = {"disk": config.ledger_path.parent if embedded else config.home}
    if config.record.dir is not None:
        folders["recording disk"] = config.record.dir
    return folders


def _disk(subject: str, folder: Path) -> Check:
    there = next((part for part in (folder, *folder.parents) if part.exists()), Path())
    free = shutil.disk_usage(there).free
    health = Health.OK if free >= _LITTLE_DISK else Health.WARNING
    if free < _NO_DISK:
        health = Health.BAD
    text = f"{free / 1e9:.1f} GB free at {there}"
    advice = "" if health is Health.OK else "make room before the shoot"
    return Check(subject, health, text, advice, {"freeBytes": free})
