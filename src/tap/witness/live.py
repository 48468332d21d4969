"""`tap watch`: beside a shoot, as it happens. The only place that owns its threads.

Feeds and the director's wire each have a thread and put what they get into the `Sequencer`; one
thread, the caller's, takes it out in order and runs the session. tap reads; it switches nothing.
"""

import threading
from collections.abc import Callable, Mapping
from math import ceil
from pathlib import Path

from tap.claims import to_line
from tap.clock import Clock
from tap.config import (
    Config,
    require_startable,
)
from tap.errors import InputError
from tap.feeds.edge import EdgeFeed
from tap.feeds.feed import LiveFeed
from tap.feeds.health import FeedState
from tap.feeds.mjpeg import MjpegFeed
from tap.ledger import BookStatus
from tap.report.folder import JOURNAL_FILE
from tap.vocabulary import PROGRAM, Frame, ShotState, Witness
from tap.witness.ledgers import still_uploader
from tap.witness.looks import Looks
from tap.witness.onlooker import Onlooker, ProgramNow
from tap.witness.order import GivenUp, Observation, Sequencer
from tap.witness.parts import devices_of, director_of, parser_of, plan_of, recorder_of
from tap.witness.session import Session
from tap.witness.status import FeedStatus, LedgerStatus, LiveStatus
from tap.witness.together import Together
from tap.witness.trim import Trimmer
from tap.witness.wires import live_feed

POLL_S = 0.01
STATUS_EVERY_MS = 250.0
LINGER_MS = 1500.0
"""After the director's last word, and the judge's patience, pictures may still be on their way."""
ALL_ENDED_MS = 2000.0
"""Every feed having ended for so long, nothing more is expected."""
WAITING_FRAMES, WAITING_FAR = 2000, 150
"""Pictures that may wait to be looked at; so many more for each far camera, as they are small."""
VERDICTS_SHOWN = 20
"""A status has so many of the last verdicts, or all since the status before, if they are more."""
STILLS_S = 20.0
"""How long the end waits for the bytes of stills; `tap ledger push` brings the rest."""

OnStatus = Callable[[LiveStatus], None]


def watch(
    config: Config,
    *,
    clock: Clock,
    record_to: Path | None = None,
    on_status: OnStatus | None = None,
    stop: threading.Event | None = None,
    onlooker: Onlooker | None = None,
    full_look: bool = False,
) -> Witness:
    """Witness a live shoot until the director ends it, every feed has ended, or `stop` is set.

    Leaves the record in `config.home`/sessions/ID. With `full_look` every picture of every camera
    is looked at. Raises `InputError` where the configuration
    cannot be started; a feed that is down is waited for and shown, never an error.
    """
    session = Watch(
        config, clock=clock, record_to=record_to, onlooker=onlooker, full_look=full_look
    )
    return session.run(on_status, stop)


class Watch:
    """One live session from start to end."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock,
        record_to: Path | None = None,
        onlooker: Onlooker | None = None,
        full_look: bool = False,
    ) -> None:
        require_startable(config)
        if config.director is not None and config.director.url is None:
            raise InputError(
                "director.file: a live shoot needs the director's address: give url, "
                "or replay the recording with `tap replay`"
            )
        self._config = config
        self._clock = clock
        self._feeds = {
            name: live_feed(name, feed, config, clock, late=name != PROGRAM and not full_look)
            for name, feed in config.feeds().items()
        }
        self._devices = devices_of(config, clock)
        self._parser = parser_of(config, [parser for parser, _ in self._devices])
        self._director = director_of(config, clock, self._parser)
        self._wires = [wire for _, wire in self._devices]
        if self._director is not None:
            self._wires.append(self._director)
        self._far = {
            name: feed.picture for name, feed in self._feeds.items() if isinstance(feed, EdgeFeed)
        }
        self._sequencer = Sequencer(
            tuple(self._feeds),
            restamp=self._parser.received_at,
            limit=WAITING_FRAMES + WAITING_FAR * len(self._far),
            far=self._far,
            promised={
                name: feed.promised_ms
                for name, feed in self._feeds.items()
                if isinstance(feed, MjpegFeed)
            },
        )
        self._plan = plan_of(config, full_look=full_look)
        self._onlooker = onlooker
        self._shown: tuple[ShotState, str | None] | None = None
        self._told = 0
        """How many verdicts the last status was told with: the next one has all that came since."""
        self._together = Together()
        self._session = Session(
            self._plan, clock.now_ms(), onlooker, far=self._far, look_at=self._together
        )
        self._stills = still_uploader(config, self._plan.store, self._plan.folder / JOURNAL_FILE)
        self._recorder = recorder_of(config, record_to, clock) if record_to is not None else None
        self._looks = Looks()
        self._began_ms = clock.now_ms()
        self._ask_ms = 0.0
        """Until then the feeds need not be asked whether they have ended."""
        self._described = {camera.id: (camera.role, camera.label) for camera in config.cameras}

    def run(
        self, on_status: OnStatus | None = None, stop: threading.Event | None = None
    ) -> Witness:
        """Watch to the end; see `watch`."""
        stop = stop or threading.Event()
        trimmer = Trimmer(self._clock.now_ms())
        for feed in self._feeds.values():
            feed.start(self._frame)
        for wire in self._wires:
            wire.remember(self._session.claims)
            wire.start(self._sequencer.put)
        if self._stills is not None:
            self._stills.start()
        told_ms = 0.0
        try:
            while not (stop.is_set() or self._is_over()):
                self._step()
                self._tell_program()
                now = self._clock.now_ms()
                if now - told_ms >= STATUS_EVERY_MS:
                    self._tell(on_status)
                    told_ms = now
                trimmer.tick(now)
        finally:
            trimmer.close()
            witness = self._end()
            self._together.close()
        self._tell(on_status)
        return witness

    # ------------------------------------------------------------------ while it runs

    def _step(self) -> None:
        now = self._clock.now_ms()
        for observation in self._sequencer.take(now, wait_s=POLL_S):
            self._observe(observation)
        self._session.core.pass_time(self._sequencer.passed_ms(self._clock.now_ms()))
        self._session.pass_time(self._clock.now_ms())

    def _observe(self, observation: Observation | GivenUp) -> None:
        if isinstance(observation, GivenUp):
            self._session.core.give_up(observation)
            return
        if self._recorder is not None:
            if isinstance(observation, Frame):
                self._recorder.frame(observation)
            else:
                self._recorder.director_line(to_line(observation))
        if isinstance(observation, Frame):
            self._looks.see(observation)
        self._session.observe(observation)

    def _is_over(self) -> bool:
        now, ended = self._clock.now_ms(), self._session.ended_ms
        patience = self._config.tolerances.window_ms + self._config.tolerances.settle_ms
        if ended is not None and now > ended + patience + LINGER_MS:
            return True
        if now < self._ask_ms:
            return False
        self._ask_ms = now + STATUS_EVERY_MS
        feeds = [feed.health() for feed in self._feeds.values()]
        last = max(health.last_frame_ms or self._began_ms for health in feeds)
        over = all(health.state is FeedState.STOPPED for health in feeds)
        return over and now > last + ALL_ENDED_MS

    def _end(self) -> Witness:
        for feed in self._feeds.values():
            feed.stop()
        for wire in self._wires:
            wire.stop()
        for observation in self._sequencer.rest():
            self._observe(observation)
        # In whole ms, as a recording has it: its replay must end where this did.
        ended_ms = ceil(self._sequencer.passed_ms(self._clock.now_ms()))
        self._session.core.pass_time(ended_ms)
        if self._recorder is not None:
            self._recorder.close(ended_ms)
        # Without a director nobody else will ever say that the session is over.
        complete = self._session.ended_ms is not None or self._director is None
        witness = self._session.finish(
            self._clock.now_ms(),
            complete=complete,
            dropped={name: self._dropped(name, feed) for name, feed in self._feeds.items()},
        )
        self._looks.save(self._plan.folder, self._session.name.external_id, self._clock.now_ms())
        if self._stills is not None:
            self._stills.stop()
            self._stills.round(STILLS_S)
        self._plan.store.close()
        return witness

    # ------------------------------------------------------------------ what it shows

    def _frame(self, frame: Frame) -> None:
        """A picture, on its feed's thread."""
        self._sequencer.put(frame)
        if self._onlooker is not None:
            self._onlooker.frame(frame)

    def _tell(self, on_status: OnStatus | None) -> None:
        if on_status is None and self._onlooker is None:
            return
        status = self.status()
        if on_status is not None:
            on_status(status)
        if self._onlooker is not None:
            self._onlooker.status(status)
        self._told = len(self._session.core.verdicts)

    def _tell_program(self) -> None:
        """Tell the onlooker at once of what the program shows, if that is something new."""
        if self._onlooker is None:
            return
        shown = self._on_program()
        if shown != self._shown:
            self._shown = shown
            now = self._session.core.now
            at_ms = now.at_ms if now is not None else self._clock.now_ms()
            self._onlooker.program(ProgramNow(at_ms, *shown))

    def _on_program(self) -> tuple[ShotState, str | None]:
        """Provisionally, the program's state and camera."""
        core = self._session.core
        now, running = core.now, core.running
        camera = now.camera if now is not None else None
        if camera is not None:
            return ShotState.LIVE, camera
        return running.state if running is not None else ShotState.UNSEEN, None

    def status(self) -> LiveStatus:
        """The session at this moment."""
        now_ms, session, core = self._clock.now_ms(), self._session, self._session.core
        now, books = core.now, session.book_status
        delays = core.delays
        shown = len(core.verdicts) - VERDICTS_SHOWN
        state, camera = self._on_program()
        return LiveStatus(
            session=session.name.external_id,
            elapsed_ms=now_ms - self._began_ms,
            title=self._config.session.title,
            started_ms=self._began_ms,
            mode=session.mode,
            hold=session.held,
            stills=session.stills,
            feeds=tuple(
                self._feed_status(name, feed, delays, now_ms) for name, feed in self._feeds.items()
            ),
            state=state,
            camera=camera,
            confidence=now.confidence if now is not None else 0.0,
            runner_up=now.runner_up if now is not None else None,
            runner_up_confidence=now.runner_up_confidence if now is not None else 0.0,
            director=self._director_word(),
            claims=len(session.claims),
            verdicts=tuple(core.verdicts.since(min(shown, self._told))),
            counts=dict(session.counts),
            ledger=_ledger_status(books, now_ms, *session.in_memory),
        )

    def _director_word(self) -> str | None:
        if self._director is None:
            return None
        return "live" if self._director.health().connected else "waiting"

    def _feed_status(
        self, name: str, feed: LiveFeed, delays: Mapping[str, float], now_ms: float
    ) -> FeedStatus:
        health = feed.health()
        role, label = self._described.get(name, (None, None))
        return FeedStatus(
            id=name,
            state=health.state.value,
            fps=health.distinct_fps,
            size=health.size,
            delay_ms=delays.get(name),
            jitter_ms=health.jitter_ms,
            age_ms=now_ms - health.last_frame_ms if health.last_frame_ms is not None else None,
            dropped=self._dropped(name, feed),
            note=health.detail or None,
            role=role,
            label=label,
        )

    def _dropped(self, name: str, feed: LiveFeed) -> int:
        """Pictures of a feed that came and could not be used, for whatever reason."""
        health, sequencer = feed.health(), self._sequencer
        lost = sequencer.late[name] + sequencer.overrun[name]
        return health.dropped + health.damaged + lost


def _ledger_status(books: BookStatus, now_ms: float, held: int, why: str | None) -> LedgerStatus:
    since = books.way_since_ms
    note = books.reason
    if held:
        note = f"{held} facts are in memory only, pictures are given up: {why}"
    return LedgerStatus(
        rows=books.sent,
        waiting=books.pending + held,
        note=note,
        parked=books.parked,
        way=books.way.value,
        way_ms=max(0.0, now_ms - since) if since is not None else None,
        oldest_ms=books.oldest_age_ms,
    )
