"""How a message was understood: what was read from where, and what was left unread.

This is what `tap claims tail` shows, and how a profile for an unknown system is written.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tap.claims.profile import Place, Profile
from tap.vocabulary import Claim, ClaimType

MAX_PATHS = 64
"""Paths of a message that are told; a longer message has more."""
_ENVELOPE = {"type": "type", "id": "id", "at": "atMs", "seq": "seq"}
_TOLD = (
    "camera", "transition", "duration_ms", "mode", "proposal", "expires_ms", "rationale",
    "still_id", "kind", "uri", "sha256", "role", "placement", "source", "label", "bar", "phase",
    "session_id", "title", "notes", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Understood:
    """One message beside what tap made of it."""

    claim: Claim
    type_name: str | None
    """What the message calls its own type, where it says so."""
    told: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """tap's fields that it filled."""
    read: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where each came from: tap's field by the message's path."""
    ignored: tuple[str, ...] = ()
    """Paths of the message that nothing was read from."""

    @property
    def time(self) -> str:
        """Whose time the message is judged by."""
        if self.claim.clock_suspect:
            return "received (its clock is more than 60 s off)"
        return "received" if self.claim.sent_ms is None else "sent"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        claim = self.claim
        return {
            "raw": dict(claim.raw),
            "type": claim.type.value,
            "typeName": self.type_name,
            "id": claim.id,
            "atMs": claim.at_ms,
            "recvMs": claim.recv_ms,
            "sentMs": claim.sent_ms,
            "timeFrom": self.time,
            "seq": claim.seq,
            "camera": claim.camera,
            "told": dict(self.told),
            "readFrom": dict(self.read),
            "ignored": list(self.ignored),
            "problem": claim.problem,
        }


def understood(claim: Claim, profile: Profile) -> Understood:
    """What `profile` reads in the message of `claim`, and what it doesn't."""
    raw = claim.raw
    envelope = {
        name: place
        for key, name in _ENVELOPE.items()
        if (place := getattr(profile.message, key)) is not None
    }
    wording = profile.types.get(claim.type)
    fields = dict(wording.fields) if wording is not None else {}
    places: dict[str, Place] = {**envelope, **fields}
    paths = list(_leaves(raw))
    read = {
        name: place.path
        for name, place in places.items()
        if any(_under(path, place.path) for path in paths)
    }
    ignored = [path for path in paths if not any(_under(path, p) for p in read.values())]
    name = _at(raw, profile.message.type.path)
    dumped = claim.model_dump(mode="json", include=set(_TOLD), exclude_none=True)
    if claim.type is ClaimType.UNREADABLE:
        read, ignored = {}, paths if set(raw) != {"text"} else []
    return Understood(
        claim=claim,
        type_name=str(name) if isinstance(name, str | int) else None,
        told=dumped,
        read=read,
        ignored=tuple(ignored),
    )


def skeleton(name: str, seen: Mapping[str, tuple[int, tuple[str, ...]]]) -> str:
    """The beginning of a profile's part for types that it doesn't know: TOML, all commented out.

    `seen` holds, by the system's name of a type, how often it came and which paths it has.
    """
    lines = [f"# What profile {name} doesn't know yet. Set the type and the fields that it means:"]
    for type_name, (count, paths) in seen.items():
        # In ASCII, so that no stranger's text is obeyed by a terminal or ends the comment.
        has = json.dumps(", ".join(paths))[1:-1] or "nothing else"
        lines += [
            "#",
            f"# [types.cut]          # {count} seen; it has: {has}",
            f"# names = [{json.dumps(type_name)}]",
            '# fields = { camera = "…" }',
        ]
    return "\n".join(lines) + "\n"


def _leaves(value: Any) -> Iterator[str]:
    """Paths of all values that are neither objects nor lists, at most `MAX_PATHS`."""
    waiting: list[tuple[Any, str]] = [(value, "")]
    told = 0
    while waiting and told < MAX_PATHS:
        one, at = waiting.pop()
        if isinstance(one, Mapping) and one:
            items = [(inner, _join(at, str(key))) for key, inner in one.items()]
            waiting += items[::-1]
        elif isinstance(one, list) and one:
            waiting += [(inner, _join(at, str(n))) for n, inner in enumerate(one)][::-1]
        elif at:
            told += 1
            yield at


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _under(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}.")


def _at(raw: Any, path: str) -> Any:
    value = raw
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
