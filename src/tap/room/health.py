"""Whether tap sees everything and its books are kept, in sentences."""

from tap.room.shapes import Health
from tap.witness.status import FeedStatus, LiveStatus

SILENT_MS = 3000.0
"""Without a status for so long the witness itself is in trouble."""
STALE_MS = 3000.0
"""Without a picture for so long a feed is stale."""
LATE_MS = 10_000.0
"""Once its oldest row has waited for so long, the outbox is late."""


def health(status: LiveStatus | None, status_ms: float | None, now_ms: float) -> Health:
    """What is wrong at this moment, if anything."""
    if status is None or status_ms is None:
        return Health(ok=False, problems=["tap has not begun to look yet."])
    since_ms = now_ms - status_ms
    problems: list[str] = []
    if since_ms > SILENT_MS:
        problems.append(f"tap itself has said nothing for {since_ms / 1000:.0f} s.")
    for feed in status.feeds:
        problem = _feed(feed, since_ms)
        if problem is not None:
            problems.append(problem)
    if status.director is not None and status.director != "live":
        problems.append("The director's wire is not connected.")
    ledger = status.ledger
    if ledger.way != "open":
        problems.append(f"The way to the ledger is {ledger.way}: {ledger.note or 'no reason told'}")
    elif ledger.oldest_ms is not None and ledger.oldest_ms > LATE_MS:
        problems.append(
            f"The outbox is late: {ledger.waiting} rows wait, the oldest for "
            f"{ledger.oldest_ms / 1000:.0f} s."
        )
    return Health(ok=not problems, problems=problems)


def _feed(feed: FeedStatus, since_ms: float) -> str | None:
    if feed.state != "live":
        return f"{feed.id} is {feed.state}: {feed.note or 'no reason told'}"
    if feed.age_ms is None or feed.age_ms + since_ms > STALE_MS:
        return f"{feed.id} is stale: no picture for {STALE_MS / 1000:.0f} s."
    return None
