"""The session for Prometheus, read from the board when it is asked for."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from tap.room.board import Board
from tap.room.health import health
from tap.room.streams import Places
from tap.room.thumbnails import Thumbnails
from tap.vocabulary import PROGRAM, ShotState
from tap.witness.status import FeedStatus, LedgerStatus, LiveStatus

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics(Collector):
    """`text` is the whole answer."""

    def __init__(self, board: Board, places: Places, thumbnails: Thumbnails) -> None:
        self._board, self._places, self._thumbnails = board, places, thumbnails
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self, now_ms: float) -> bytes:
        """In Prometheus's text format."""
        self._now_ms = now_ms
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Nothing ahead of time: what there is depends on the session."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every figure."""
        board, status = self._board, self._board.status
        well = health(status, board.status_ms, self._now_ms)
        yield _gauge("tap_healthy", "1 if every source is seen and the books are kept.", well.ok)
        yield _gauge("tap_room_streams", "Streams being read.", self._places.taken)
        yield _counter(
            "tap_room_resets",
            "Readers that got the latest state instead of all.",
            board.began_afresh,
        )
        yield _counter(
            "tap_room_hung_up", "Readers that took nothing for too long.", self._places.hung_up
        )
        yield _counter(
            "tap_room_pictures_passed_over",
            "Times a reader was too slow for pictures.",
            self._thumbnails.passed_over,
        )
        if status is not None:
            yield from _session(status)
            yield from _program(status)
            yield from _feeds(status.feeds)
            yield from _ledger(status.ledger)


def _session(status: LiveStatus) -> Iterator[Metric]:
    yield _gauge(
        "tap_session_seconds", "How long this run of tap has looked.", status.elapsed_ms / 1000
    )
    yield _gauge(
        "tap_director_connected",
        "1 if the director's wire is connected.",
        status.director == "live",
    )
    yield _gauge("tap_hold", "1 while the director holds a camera.", status.hold)
    yield _counter("tap_messages", "Messages of the director.", status.claims)
    yield _counter("tap_stills", "Stills the director took.", status.stills)
    verdicts = CounterMetricFamily("tap_verdicts", "Findings, by code.", labels=["code"])
    for code, count in sorted(status.counts.items()):
        verdicts.add_metric([code], count)
    yield verdicts


def _program(status: LiveStatus) -> Iterator[Metric]:
    live = GaugeMetricFamily("tap_program_live", "1 for the camera on program.", labels=["camera"])
    for feed in status.feeds:
        if feed.id != PROGRAM:
            live.add_metric([feed.id], float(feed.id == status.camera))
    yield live
    state = GaugeMetricFamily("tap_program_state", "1 for what program shows.", labels=["state"])
    for value in ShotState:
        state.add_metric([value.value], float(value is status.state))
    yield state
    yield _gauge("tap_program_confidence", "How sure the camera is, 0 to 1.", status.confidence)


def _feeds(feeds: tuple[FeedStatus, ...]) -> Iterator[Metric]:
    up = GaugeMetricFamily("tap_feed_up", "1 if pictures come, and differ.", labels=["feed"])
    dropped = CounterMetricFamily("tap_feed_dropped", "Pictures not used.", labels=["feed"])
    for feed in feeds:
        up.add_metric([feed.id], float(feed.state == "live"))
        dropped.add_metric([feed.id], feed.dropped)
    yield up
    yield dropped
    for name, told, per_second, field in (
        ("tap_feed_distinct_fps", "Distinct pictures per second.", 1.0, "fps"),
        ("tap_feed_age_seconds", "Since the last picture.", 1000.0, "age_ms"),
        ("tap_feed_delay_seconds", "How late the program shows it.", 1000.0, "delay_ms"),
        ("tap_feed_jitter_seconds", "How unevenly pictures come.", 1000.0, "jitter_ms"),
    ):
        family = GaugeMetricFamily(name, told, labels=["feed"])
        for feed in feeds:
            value: float | None = getattr(feed, field)
            if value is not None:
                family.add_metric([feed.id], value / per_second)
        yield family


def _ledger(ledger: LedgerStatus) -> Iterator[Metric]:
    yield _counter("tap_ledger_rows", "Rows that are in the ledger.", ledger.rows)
    yield _gauge("tap_ledger_waiting", "Rows that wait to be sent.", ledger.waiting)
    yield _gauge("tap_ledger_parked", "Rows that the ledger refused.", ledger.parked)
    yield _gauge(
        "tap_ledger_oldest_seconds",
        "How long the oldest row has waited.",
        (ledger.oldest_ms or 0.0) / 1000,
    )
    yield _gauge("tap_ledger_open", "1 if the way to the ledger is open.", ledger.way == "open")


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=float(value))


def _counter(name: str, told: str, value: float) -> Metric:
    return CounterMetricFamily(name, told, value=float(value))
