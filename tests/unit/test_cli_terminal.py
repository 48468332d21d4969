"""The live view and the calm lines, on made-up statuses."""

import io
import json

import pytest
from rich.console import Console

from tap.cli.live_view import live_view, picture
from tap.cli.web import with_usual_address
from tap.vocabulary import ShotState, Verdict, VerdictCode
from tap.witness.status import FeedStatus, LedgerStatus, LiveStatus


def verdict(number: int, code: VerdictCode = VerdictCode.AGREE) -> Verdict:
    return Verdict(
        code=code, claim_id=f"m{number}", at_ms=number, confidence=0.9, text=f"says {number}"
    )


def status(elapsed_ms: float = 23_000, **changes) -> LiveStatus:
    values = {
        "session": "shoot-1",
        "elapsed_ms": elapsed_ms,
        "total_ms": 60_000,
        "feeds": (
            FeedStatus("cam-a", "live", 29.97, (1920, 1080), 181.2, 12),
            FeedStatus("cam-b", "stalled", age_ms=4200, note="no picture for 4 s [so far]"),
        ),
        "state": ShotState.LIVE,
        "camera": "cam-a",
        "confidence": 0.987,
        "runner_up": "cam-c",
        "runner_up_confidence": 0.01,
        "director": "live",
        "claims": 7,
        "verdicts": (verdict(1), verdict(2, VerdictCode.MISSED)),
        "counts": {"AGREE": 1, "MISSED": 1},
        "ledger": LedgerStatus(rows=12, waiting=2),
    }
    return LiveStatus(**{**values, **changes})


def drawn(what: LiveStatus, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, no_color=True).print(picture(what))
    return out.getvalue()


def test_the_picture_says_it_all_in_80_columns():
    text = drawn(status())
    for words in (
        "shoot-1", "00:23 of 01:00", "30.0", "1920x1080", "181 ms", "now", "4 s ago", "stalled",
        "on program  cam-a  98.7%", "then cam-c 1.0%", "1 AGREE, 1 MISSED", "says 2", "12 rows",
        "2 waiting", "[so far]",
    ):  # fmt: skip
        assert words in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_picture_keeps_its_height():
    many = tuple(verdict(n) for n in range(20))
    heights = {len(drawn(status(verdicts=tail)).splitlines()) for tail in ((), many[:3], many)}
    assert len(heights) == 1


def test_what_is_not_known_is_not_shown_as_something():
    text = drawn(LiveStatus("s", 0, feeds=(FeedStatus("cam-a", "connecting"),)))
    assert "never" in text
    assert "None" not in text
    assert "unseen" in text
    assert "none yet" in text


def test_lines_where_nobody_watches():
    out = io.StringIO()
    with live_view(console=Console(file=out, width=80)) as show:
        show(status(0, verdicts=(verdict(1),)))
        show(status(1000, verdicts=(verdict(1), verdict(2)), state=ShotState.BLACK, camera=None))
        show(status(2000, verdicts=(verdict(2), verdict(3)), state=ShotState.BLACK, camera=None))
    lines = out.getvalue().splitlines()
    assert [line for line in lines if "AGREE: " in line] == [
        "00:00  AGREE: says 1",
        "00:01  AGREE: says 2",
        "00:02  AGREE: says 3",
    ]
    assert [line for line in lines if "on program" in line] == [
        "00:00  on program: cam-a (98.7%)",
        "00:01  on program: black (98.7%)",
    ]
    assert sum("feeds live" in line for line in lines) == 1
    assert "00:00  cam-b is stalled  no picture for 4 s [so far]" in lines


def test_lines_of_json(capsys):
    with live_view(as_json=True) as show:
        show(status())
        show(status(verdicts=(verdict(2, VerdictCode.MISSED), verdict(3))))
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(item["type"], item.get("claimId")) for item in said] == [
        ("verdict", "m1"), ("verdict", "m2"), ("status", None), ("verdict", "m3"),
    ]  # fmt: skip
    assert said[2]["program"]["camera"] == "cam-a"
    assert said[2]["feeds"][0]["size"] == [1920, 1080]
    assert said[2]["ledger"] == {
        "rows": 12, "waiting": 2, "note": None,
        "parked": 0, "way": "open", "wayMs": None, "oldestMs": None,
    }  # fmt: skip


def test_it_is_redrawn_when_something_happens_and_else_once_a_second(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("tap.cli.live_view.time.monotonic", lambda: now[0])
    out = io.StringIO()
    drawings = []
    with live_view(console=Console(file=out, width=80, force_terminal=True)) as show:

        def written(what: LiveStatus) -> bool:
            before = out.tell()
            show(what)
            return out.tell() > before

        drawings = [
            written(status(0)),
            written(status(250)),
            written(status(500, camera="cam-b")),
            written(status(750, camera="cam-b")),
            written(status(750, camera="cam-b", hold=True)),
        ]
        now[0] += 1.1
        drawings.append(written(status(1600, camera="cam-b", hold=True)))
    assert drawings == [True, False, True, False, True, True]


def test_the_picture_says_mode_hold_stills_jitter_and_drops():
    feed = FeedStatus("cam-a", "live", delay_ms=180.0, jitter_ms=3.2, dropped=4)
    text = drawn(status(mode="ghost", hold=True, stills=2, feeds=(feed,)))
    for words in ("mode ghost", "HOLD", "2 stills", "180 ±3 ms", "4 dropped"):
        assert words in text


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("watch --web", "watch --web 127.0.0.1:9440"),
        ("watch --web --json", "watch --web 127.0.0.1:9440 --json"),
        ("watch --web 8000 --json", "watch --web 8000 --json"),
        ("watch --json", "watch --json"),
    ],
)
def test_web_may_stand_without_an_address(given, meant):
    assert with_usual_address(given.split()) == meant.split()
