"""A running session on a terminal: redrawn in place, or as calm lines, or as lines of JSON."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tap.cli.terminal import say_json, stdout
from tap.vocabulary import DISAGREEMENTS, ShotState, Verdict
from tap.witness.status import FeedStatus, LiveStatus

Show = Callable[[LiveStatus], None]

TAIL = 6
REDRAW_EVERY_MS = 1_000.0
LINE_EVERY_MS = 10_000.0
JSON_EVERY_MS = 1_000.0
_STATE_STYLES = {"live": "green", "ended": "dim", "connecting": "yellow", "backoff": "yellow"}


@contextmanager
def live_view(*, as_json: bool = False, console: Console | None = None) -> Generator[Show]:
    """A function to call with each new status; what it does suits whoever is looking."""
    console = console or stdout()
    if as_json:
        yield _JsonLines().show
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield _Redrawn(live).show
    else:
        yield _PlainLines(console).show


# ---------------------------------------------------------------- redrawn in place


class _Redrawn:
    """At once where something happened, else once a second: calm over a slow line."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._told: object = None
        self._next = 0.0

    def show(self, status: LiveStatus) -> None:
        told = (
            status.camera,
            status.state,
            tuple(feed.state for feed in status.feeds),
            status.verdicts[-1:],
            status.hold,
            status.ledger.way,
        )
        if told == self._told and time.monotonic() < self._next:
            return
        self._told, self._next = told, time.monotonic() + REDRAW_EVERY_MS / 1000
        self._live.update(picture(status), refresh=True)


def picture(status: LiveStatus) -> RenderableType:
    """The whole status, for a terminal of 80 columns or more."""
    return Group(
        _heading(status),
        _feeds(status.feeds),
        _program(status),
        _verdicts(status),
        _books(status),
    )


def _heading(status: LiveStatus) -> RenderableType:
    line = Table.grid(padding=(0, 2))
    clock = _clock(status.elapsed_ms)
    if status.total_ms:
        bar = ProgressBar(
            total=status.total_ms, completed=min(status.elapsed_ms, status.total_ms), width=24
        )
        line.add_row(Text(status.session, "bold"), f"{clock} of {_clock(status.total_ms)}", bar)
    else:
        line.add_row(Text(status.session, "bold"), clock)
    return Group(line, _situation(status))


def _situation(status: LiveStatus) -> Text:
    line = Text(f"mode {status.mode or 'unknown'}, {status.stills} stills, ", "dim", no_wrap=True)
    line.append("HOLD" if status.hold else "no hold", "bold reverse" if status.hold else "dim")
    return line


def _feeds(feeds: tuple[FeedStatus, ...]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("feed", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("fps", "size", "delay", "last seen"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="ellipsis", no_wrap=True, ratio=1)
    for feed in feeds:
        table.add_row(
            feed.id,
            Text(feed.state, _STATE_STYLES.get(feed.state, "red")),
            "" if feed.fps is None else f"{feed.fps:.1f}",
            "" if feed.size is None else f"{feed.size[0]}x{feed.size[1]}",
            _delay(feed),
            _ago(feed.age_ms),
            Text(_trouble(feed), "yellow"),
        )
    return table


def _program(status: LiveStatus) -> Text:
    line = Text("on program  ", "dim")
    line.append(_on_program(status), "bold green" if status.state is ShotState.LIVE else "bold")
    line.append(f"  {status.confidence:.1%}", "default")
    if status.runner_up is not None:
        line.append(f"   then {status.runner_up} {status.runner_up_confidence:.1%}", "dim")
    return line


def _verdicts(status: LiveStatus) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="ellipsis", no_wrap=True)
    table.add_row(Text("verdicts", "dim"), _counts(status) or "none yet")
    shown = status.verdicts[-TAIL:]
    for verdict in shown:
        table.add_row(Text(verdict.code.value, _verdict_style(verdict)), verdict.text)
    for _ in range(TAIL - len(shown)):  # a view that keeps its height doesn't jump
        table.add_row("", "")
    return table


def _books(status: LiveStatus) -> Text:
    ill = "bold red" if status.ledger.way == "paused" else "yellow"
    return Text(_books_line(status), ill if status.ledger.note else "dim")


# ---------------------------------------------------------------- lines


class _PlainLines:
    """A line for each new verdict, each change on program or of a feed, and now and then all."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._verdicts = _NewVerdicts()
        self._on_program = ""
        self._feeds: dict[str, str] = {}
        self._next_ms = 0.0

    def show(self, status: LiveStatus) -> None:
        at = _clock(status.elapsed_ms)
        for feed in status.feeds:
            if self._feeds.get(feed.id) != feed.state:
                self._feeds[feed.id] = feed.state
                why = _trouble(feed) if feed.state != "live" else ""
                self._line(f"{at}  {feed.id} is {feed.state}  {why}".rstrip())
        if (now := _on_program(status)) != self._on_program:
            self._on_program = now
            self._line(f"{at}  on program: {now} ({status.confidence:.1%})")
        for verdict in self._verdicts.of(status):
            self._line(f"{at}  {verdict.code.value}: {verdict.text}")
        if status.elapsed_ms >= self._next_ms:
            self._next_ms = status.elapsed_ms + LINE_EVERY_MS
            total = f" of {_clock(status.total_ms)}" if status.total_ms else ""
            seen = sum(feed.state == "live" for feed in status.feeds)
            self._line(
                f"{at}{total}  {seen} of {len(status.feeds)} feeds live; "
                f"verdicts: {_counts(status) or 'none yet'}; {_books_line(status)}"
            )

    def _line(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False)


class _JsonLines:
    """Every verdict once, and the status once a second."""

    def __init__(self) -> None:
        self._verdicts = _NewVerdicts()
        self._next = 0.0

    def show(self, status: LiveStatus) -> None:
        for verdict in self._verdicts.of(status):
            say_json({"type": "verdict", **verdict.model_dump(mode="json", by_alias=True)})
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + JSON_EVERY_MS / 1000
            say_json(status.as_json())


class _NewVerdicts:
    """Those verdicts of a tail that were not in the tails before."""

    def __init__(self) -> None:
        self._seen: tuple[Verdict, ...] = ()

    def of(self, status: LiveStatus) -> list[Verdict]:
        new = [verdict for verdict in status.verdicts if verdict not in self._seen]
        self._seen = status.verdicts
        return new


# ---------------------------------------------------------------- words


def _trouble(feed: FeedStatus) -> str:
    """What is wrong with a feed; nothing, where all is well."""
    if feed.state != "live":
        return feed.note or ""
    return f"{feed.dropped} dropped" if feed.dropped else ""


def _delay(feed: FeedStatus) -> str:
    """How late the program shows it, and how unevenly its pictures come."""
    if feed.delay_ms is None:
        return ""
    jitter = "" if feed.jitter_ms is None else f" ±{feed.jitter_ms:.0f}"
    return f"{feed.delay_ms:.0f}{jitter} ms"


def _on_program(status: LiveStatus) -> str:
    if status.state is ShotState.LIVE and status.camera is not None:
        return status.camera
    return status.state.value.replace("_", " ")


def _counts(status: LiveStatus) -> str:
    return ", ".join(f"{count} {code}" for code, count in sorted(status.counts.items()) if count)


def _books_line(status: LiveStatus) -> str:
    director = "no director" if status.director is None else f"director {status.director}"
    line = f"{director}, {status.claims} messages; ledger {status.ledger.rows} rows"
    if status.ledger.waiting:
        line += f", {status.ledger.waiting} waiting"
    if status.ledger.parked:
        line += f", {status.ledger.parked} refused"
    if not status.ledger.note:
        return line
    way, ms = status.ledger.way, status.ledger.way_ms
    since = f" for {ms / 1000:.0f} s" if ms is not None else ""
    return f"{line}; {way.upper() if way == 'paused' else way}{since}: {status.ledger.note}"


def _verdict_style(verdict: Verdict) -> str:
    if verdict.code in DISAGREEMENTS:
        return "bold red"
    return "green" if verdict.code.value in ("AGREE", "HOLD_KEPT") else "dim"


def _clock(ms: float) -> str:
    minutes, seconds = divmod(int(ms // 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def _ago(age_ms: float | None) -> str:
    if age_ms is None:
        return "never"
    return "now" if age_ms < 1000 else f"{age_ms / 1000:.0f} s ago"
