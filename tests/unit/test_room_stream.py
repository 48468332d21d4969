"""The room's fan-out: the witness never waits, and who reads misses nothing or is told so."""

import asyncio
import json

import pytest

from tap.room.backlog import Backlog
from tap.room.board import SHOWN_AFRESH, Board
from tap.room.inbox import Found, Inbox
from tap.room.streams import PictureStream, Places, event_stream, messages
from tap.room.thumbnails import Thumbnail, Thumbnails
from tap.vocabulary import Claim, ClaimType, Event, EventType, ShotState, Verdict, VerdictCode
from tap.witness.onlooker import ProgramNow, Proof
from tap.witness.status import FeedStatus, LiveStatus

T0 = 1_789_000_000_000.0


def claim(number: int) -> Claim:
    return Claim(
        id=f"m{number}", type=ClaimType.CUT, at_ms=T0 + number, recv_ms=T0 + number, camera="cam-a"
    )


def status(elapsed_ms: float) -> LiveStatus:
    return LiveStatus(session="s", elapsed_ms=elapsed_ms, feeds=(FeedStatus("cam-a", "live"),))


def board() -> Board:
    return Board(lambda: T0)


class Reader:
    """Reads a stream by hand, one event at a time."""

    def __init__(self, of: Board, last_id: str | None = None) -> None:
        self._stream = messages(of, last_id)

    async def next(self) -> tuple[str, str | None, dict]:
        event = await asyncio.wait_for(anext(self._stream), 5)
        return event.event, event.id, json.loads(event.data)

    async def until(self, kind: str) -> list[tuple[str, str | None, dict]]:
        got = [await self.next()]
        while got[-1][0] != kind:
            got.append(await self.next())
        return got


# ---------------------------------------------------------------- the backlog


def test_a_backlog_numbers_from_one_and_forgets_the_oldest():
    backlog: Backlog[str] = Backlog(3)
    assert [backlog.add(item) for item in "abcde"] == [1, 2, 3, 4, 5]
    assert (backlog.oldest, backlog.last) == (3, 5)
    assert backlog.after(3) == ["d", "e"]
    assert backlog.after(0) == ["c", "d", "e"]
    assert [backlog.holds_after(n) for n in range(1, 7)] == [False, True, True, True, True, False]


@pytest.mark.parametrize(
    ("after", "limit", "items", "following"),
    [
        (None, 2, "de", None),
        (0, 2, "cd", 4),
        (3, 1, "d", 4),
        (4, 9, "e", None),
        (5, 9, "", None),
        (99, 9, "", None),
    ],
)
def test_pages_of_a_backlog(after, limit, items, following):
    backlog: Backlog[str] = Backlog(3)
    for item in "abcde":
        backlog.add(item)
    page = backlog.page(after, limit)
    assert ("".join(page.items), page.next, page.oldest) == (items, following, 3)


# ---------------------------------------------------------------- the witness's side


def test_notes_are_kept_while_nobody_takes_them_and_a_loss_is_told():
    inbox = Inbox(most=3)
    for number in range(5):
        inbox.claim(claim(number))
    notes, lost = inbox.take()
    assert [note.id for note in notes] == ["m2", "m3", "m4"]
    assert lost
    inbox.claim(claim(5))
    notes, lost = inbox.take()
    assert [note.id for note in notes] == ["m5"]
    assert not lost


def test_many_notes_ring_once_and_none_is_forgotten():
    async def main() -> tuple[int, list[str]]:
        inbox, rings, taken = Inbox(), 0, []

        def answer() -> None:
            nonlocal rings
            rings += 1
            taken.extend(note.id for note in inbox.take()[0])

        inbox.open(asyncio.get_running_loop(), answer)
        await asyncio.sleep(0)
        await asyncio.to_thread(lambda: [inbox.claim(claim(n)) for n in range(100)])
        await asyncio.sleep(0)
        before = rings
        inbox.claim(claim(100))
        await asyncio.sleep(0)
        return rings - before, taken

    rings, taken = asyncio.run(main())
    assert rings == 1
    assert taken == [f"m{n}" for n in range(101)]


def test_a_closed_room_is_no_concern_of_the_witness():
    loop = asyncio.new_event_loop()
    inbox = Inbox()
    inbox.open(loop, lambda: None)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    inbox.claim(claim(1))
    inbox.status(status(1))
    assert len(inbox.take()[0]) == 2


# ---------------------------------------------------------------- who reads


def test_a_new_reader_gets_everything_and_then_what_comes():
    async def main() -> None:
        of = board()
        of.take([claim(1), status(10)])
        reader = Reader(of)
        kind, first_id, data = await reader.next()
        assert (kind, data["why"]) == ("reset", "new")
        assert [item["id"] for item in data["claims"]] == ["m1"]
        assert (await reader.next())[0] == "status"
        of.take([ProgramNow(T0, ShotState.LIVE, "cam-a"), claim(2)])
        kind, second_id, data = await reader.next()
        assert (kind, data["camera"]) == ("program", "cam-a")
        assert int(second_id.split("-")[1]) == int(first_id.split("-")[1]) + 1
        assert (await reader.next())[2]["id"] == "m2"

    asyncio.run(main())


def test_a_reader_that_comes_back_misses_nothing():
    async def main() -> None:
        of = board()
        of.take([claim(n) for n in range(10)])
        reader = Reader(of, f"{of.run}-4")
        got = [await reader.next() for _ in range(6)]
        assert [data["id"] for _, _, data in got] == [f"m{n}" for n in range(4, 10)]
        assert of.began_afresh == 0

    asyncio.run(main())


@pytest.mark.parametrize("last", ["{run}-1", "{run}-99999", "{run}-x", "{run}-", "{run}-²"])
def test_a_hole_too_large_begins_afresh(last):
    async def main() -> None:
        of = board()
        of.take([claim(n) for n in range(of.messages._items.maxlen + 50)])
        kind, number, data = await Reader(of, last.format(run=of.run)).next()
        assert (kind, data["why"]) == ("reset", "hole")
        assert number == f"{of.run}-{of.messages.last}"
        assert of.began_afresh == 1

    asyncio.run(main())


def test_a_number_of_another_run_means_nothing():
    async def main() -> None:
        of = board()
        of.take([claim(1)])
        assert (await Reader(of, "00000000-1").next())[2]["why"] == "restart"

    asyncio.run(main())


def test_a_sleeper_gets_the_latest_state_and_never_an_old_status():
    async def main() -> None:
        of = board()
        of.take([status(1)])
        reader = Reader(of)
        await reader.until("status")
        for n in range(of.messages._items.maxlen + 10):
            of.take([claim(n), status(2 + n)])
        got = await reader.until("status")
        assert [kind for kind, _, _ in got] == ["reset", "status"]
        assert got[0][2]["why"] == "hole"
        assert got[1][2]["elapsedMs"] == of.status.elapsed_ms

    asyncio.run(main())


def test_what_the_room_itself_lost_begins_everybody_afresh():
    async def main() -> None:
        of = board()
        of.take([claim(1)])
        reader = Reader(of)
        await reader.next()
        of.take([claim(9)], lost=True)
        kind, _, data = await reader.next()
        assert (kind, data["why"]) == ("reset", "hole")
        assert [item["id"] for item in data["claims"]] == ["m1", "m9"]

    asyncio.run(main())


def test_the_end_comes_after_the_last_message():
    async def main() -> None:
        of = board()
        reader = Reader(of)
        await reader.next()
        of.take([claim(1)])
        of.close()
        assert [kind for kind, _, _ in await reader.until("over")] == ["claim", "over"]
        with pytest.raises(StopAsyncIteration):
            await reader.next()

    asyncio.run(main())


def test_a_verdict_names_its_pictures_and_both_cameras():
    of = board()
    event = Event(id="e1", type=EventType.CUT, at_ms=T0, to_camera="cam-b", confidence=0.9)
    verdict = Verdict(
        code=VerdictCode.WRONG_CAMERA, claim_id="m1", event_id="e1", at_ms=T0, confidence=0.9,
        text="bad\x1b[31m text",
    )  # fmt: skip
    proofs = (Proof("after", "program", "program-1.jpg"), Proof("told", "cam-a", "cam-a-2.jpg"))
    of.take([Found(verdict, claim(1), event, proofs)])
    (shape,) = of.verdicts
    assert (shape.told, shape.seen, shape.disagrees) == ("cam-a", "cam-b", True)
    assert [picture.url for picture in shape.pictures] == [
        "/evidence/program-1.jpg",
        "/evidence/cam-a-2.jpg",
    ]
    assert "\x1b" not in shape.text
    assert of.shows("cam-a-2.jpg")
    assert not of.shows("cam-a-3.jpg")


def test_a_note_that_cannot_be_shown_costs_itself_and_is_told_of():
    async def main() -> None:
        of = board()
        reader = Reader(of)
        await reader.next()
        strange = claim(2).model_copy(update={"at_ms": float("nan")})
        of.take([claim(1), strange, claim(3)])
        kind, _, data = await reader.next()
        assert (kind, data["why"]) == ("reset", "hole")
        assert [item["id"] for item in data["claims"]] == ["m1", "m3"]

    asyncio.run(main())


def test_a_page_that_begins_is_given_a_bounded_past():
    of = board()
    of.take([claim(n) for n in range(SHOWN_AFRESH + 40)])
    given = json.loads(of.afresh("new").data)["claims"]
    assert [item["id"] for item in given] == [f"m{n}" for n in range(40, SHOWN_AFRESH + 40)]


@pytest.mark.parametrize("stream", ["events", "pictures"])
def test_a_reader_that_takes_nothing_is_hung_up_on(monkeypatch, stream):
    async def main() -> int:
        of, places = board(), Places()
        of.take([status(1)])
        thumbnails = Thumbnails({}, lambda: 0.0)
        thumbnails._made["cam-a"] = Thumbnail("cam-a", 0, T0, b"picture")
        answer = event_stream(of, None) if stream == "events" else PictureStream(thumbnails)
        never = asyncio.Event()

        async def receive() -> dict:
            await never.wait()
            return {}

        async def send(message: dict) -> None:
            if message["type"] == "http.response.body":
                await never.wait()

        scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.3"}}
        await asyncio.wait_for(places.seated(answer)(scope, receive, send), 5)
        assert places.taken == 0
        return places.hung_up

    monkeypatch.setattr("tap.room.streams.PATIENCE_S", 0.05)
    assert asyncio.run(main()) == 1
