"""Logs of obs-websocket 5 events: a JSON object a line, as the socket sent it, with a time added.

The protocol's events bear no time: whoever logged them has to have added one (`atMs`, `recvMs`,
`timestamp`, `time` …). OBS announces a scene when its transition *ends*; the claim is judged as
it was made.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tap.claims.imports.times import unix_ms
from tap.claims.imports.told import Lines, Told
from tap.claims.strict_json import BadMessageError, decode_json
from tap.errors import InputError

_TIMES = ("atMs", "recvMs", "receivedAt", "timestamp", "time", "ts", "datetime")
_SCENE = "CurrentProgramSceneChanged"
_EVENT_OP = 5


def read_obs(lines: Lines) -> Iterator[Told]:
    """Each change of the program scene; other events are passed over."""
    events = 0
    for number, text in lines.numbered():
        try:
            line = decode_json(text)
        except BadMessageError as error:
            raise lines.wrong(number, "a JSON object", text, str(error)) from error
        if not isinstance(line, dict):
            raise lines.wrong(number, "a JSON object", text)
        inner = line.get("d") if line.get("op") == _EVENT_OP else line
        event: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
        kind = event.get("eventType")
        events += isinstance(kind, str)
        if kind != _SCENE:
            continue
        data = event.get("eventData")
        scene = data.get("sceneName") if isinstance(data, dict) else None
        if not isinstance(scene, str) or not scene:
            raise lines.wrong(number, "the sceneName of the scene", data)
        yield Told(line=number, names=(scene,), at_ms=_time(lines, number, line, event))
    if not events:
        raise InputError(
            f"{lines.path}: expected events of obs-websocket, got none; give a log with one event "
            "a line, eventType and eventData in each."
        )


def _time(lines: Lines, number: int, line: Mapping[str, Any], event: Mapping[str, Any]) -> float:
    for holder in (line, event):
        for key in _TIMES:
            if key in holder:
                at_ms = unix_ms(holder[key])
                if at_ms is None:
                    raise lines.wrong(number, f"a Unix or ISO 8601 time in {key}", holder[key])
                return at_ms
    raise lines.wrong(
        number, f"a time ({', '.join(_TIMES)})", "none", "OBS sends none: let the logger add it"
    )
