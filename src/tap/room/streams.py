"""The two endless answers, events and pictures: bounded in number, and in patience with readers."""

import asyncio
from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tap.room.board import Board
from tap.room.board import Message as Numbered
from tap.room.thumbnails import MEDIA_TYPE, Thumbnails

MOST_STREAMS = 250
PATIENCE_S = 20.0
"""A reader that takes nothing for so long is hung up on."""
PING_S = 15
RETRY_MS = 500
"""How soon a page that lost the stream tries again."""
MOST_AT_ONCE = 100


class Places:
    """How many streams there are, and whether there is room for one more."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most = most
        self.taken = 0
        self.hung_up = 0
        """Readers that took nothing for so long that they were given up."""

    @property
    def full(self) -> bool:
        """Whether all are taken."""
        return self.taken >= self._most

    def seated(self, answer: ASGIApp) -> Response:
        """`answer`, which holds a place for as long as it is being given."""
        return _Seated(self, answer)


class _Seated(Response):
    def __init__(self, places: Places, answer: ASGIApp) -> None:
        super().__init__()
        self._places, self._answer = places, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._places.taken += 1
        try:
            await self._answer(scope, receive, send)
        except TimeoutError:  # the reader's affair; what is left undone makes the server hang up
            self._places.hung_up += 1
        finally:
            self._places.taken -= 1


async def messages(board: Board, last_id: str | None) -> AsyncIterator[ServerSentEvent]:
    """Everything after `last_id`, then what comes: numbered messages all, of statuses the latest.

    Begins with a `reset`, the whole latest state, where nothing can be resumed; a reader that
    falls too far behind gets another.
    """
    run, number = board.run, board.resume(last_id)
    if number is None:
        why = "new" if not last_id else "hole" if last_id.startswith(f"{run}-") else "restart"
        number = board.messages.last
        yield _event(board.afresh(why), RETRY_MS)
    told = ""
    while True:
        news = board.news
        if run != board.run or not board.messages.holds_after(number):
            run, number = board.run, board.messages.last
            yield _event(board.afresh("hole"))
        batch = board.messages.after(number, MOST_AT_ONCE)
        for message in batch:
            yield _event(message)
        number += len(batch)
        status = board.status_text()
        if status and status != told:
            told = status
            yield ServerSentEvent(event="status", data=status)
        if batch:
            continue
        if board.over:
            yield ServerSentEvent(event="over", data="{}")
            return
        await news.wait()


def _event(message: Numbered, retry: int | None = None) -> ServerSentEvent:
    return ServerSentEvent(event=message.kind, id=message.id, data=message.data, retry=retry)


def event_stream(board: Board, last_id: str | None) -> EventSourceResponse:
    """The stream of Server-Sent Events."""
    return EventSourceResponse(messages(board, last_id), ping=PING_S, send_timeout=PATIENCE_S)


class PictureStream(StreamingResponse):
    """The stream of pictures; gives up on a reader that takes nothing."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__(thumbnails.stream(), media_type=MEDIA_TYPE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; to HEAD without the pictures, which never end."""
        if scope["method"] == "HEAD":
            await Response(media_type=MEDIA_TYPE)(scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """As usual, with patience."""

        async def patient(message: Message) -> None:
            async with asyncio.timeout(PATIENCE_S):
                await send(message)

        await super().stream_response(patient)
