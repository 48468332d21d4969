"""From what came over the wire to a `Claim`, whatever it was that came."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from tap.claims import fields
from tap.claims.fields import FIELDS, Field
from tap.claims.profile import Place, Profile, Wording
from tap.claims.strict_json import (
    MAX_BYTES,
    BadMessageError,
    check_tree,
    decode_json,
    decode_text,
    digest,
    short,
)
from tap.vocabulary import Claim, ClaimType, EventType

CLOCK_SUSPECT_MS = 60_000.0
"""A sender's time this far from the time of receipt is not believed."""


DEVICE_FRAMES = frozenset(
    {
        frozenset({"device", "profile", "message"}),
        frozenset({"device", "profile", "text", "problem"}),
    }
)
"""Keys of what `devices` makes of a device's message: never those of a message off the wire."""


class ReadsFrames(Protocol):
    """Reads again what a device once said."""

    def read(self, raw: Mapping[str, Any], recv_ms: float) -> Claim | None:
        """The claim; None where `raw` is nothing of that kind."""
        ...


class Parser:
    """Reads messages worded as `profile` says, about the cameras known so far.

    `cameras` None: any camera may be named, for whoever doesn't know them yet. `sender` is the
    camera that the feed belongs to, where a device speaks only of itself.
    Never raises on input: what can't be understood is a claim too, `unreadable` or `unknown`.
    """

    def __init__(
        self,
        profile: Profile,
        cameras: Collection[str] | None,
        sender: str | None = None,
        *,
        devices: ReadsFrames | None = None,
    ) -> None:
        """`devices` reads, of what was kept, that which devices said."""
        self.profile = profile
        self.sender = sender
        self._cameras = set(cameras or ())
        self._any_camera = cameras is None
        self._devices = devices
        self._wordings = {
            name: (kind, wording)
            for kind, wording in profile.types.items()
            for name in wording.names
        }

    @property
    def cameras(self) -> frozenset[str]:
        """The cameras that messages may name."""
        return frozenset(self._cameras)

    def add_camera(self, camera: str) -> None:
        """From now on messages may name this camera too."""
        self._cameras.add(camera)

    def parse(self, data: str | bytes, recv_ms: float, event: str | None = None) -> Claim:
        """One message as received at `recv_ms` (Unix ms); `event` is its SSE event name."""
        try:
            text = decode_text(data)
            message = decode_json(text) if event is None else self._unwrap(text, event)
        except BadMessageError as error:
            return self.unreadable(data, str(error), recv_ms)
        if not isinstance(message, dict):
            return self.unreadable(data, f"expected an object, got {short(message)}", recv_ms)
        if frozenset(message) in DEVICE_FRAMES:
            return self.unreadable(data, "expected a message, got one framed by tap", recv_ms)
        return self.read(message, recv_ms)

    def read(self, message: Mapping[str, Any], recv_ms: float) -> Claim:
        """A message that is decoded already."""
        raw = dict(message)
        framed = self._devices.read(raw, recv_ms) if self._devices is not None else None
        if framed is not None:
            return framed
        try:
            check_tree(raw)
            return self._read(raw, recv_ms)
        except BadMessageError as error:
            return self._claim(raw, ClaimType.UNREADABLE, recv_ms, problem=str(error))

    def unreadable(self, data: str | bytes, problem: str, recv_ms: float) -> Claim:
        """What is no message: kept as text, at most 64 KiB of it."""
        if isinstance(data, str):
            data = data[:MAX_BYTES].encode("utf-8", "backslashreplace")
        text = data[:MAX_BYTES].decode("utf-8", "backslashreplace")
        text = text.encode()[:MAX_BYTES].decode("utf-8", "ignore")
        return self._claim({"text": text}, ClaimType.UNREADABLE, recv_ms, problem=problem)

    def received_at(self, claim: Claim, recv_ms: float) -> Claim:
        """The same message as if it had been received at another time.

        What depends on the time of receipt follows: the id of a message without any, and whether
        the sender's clock is believed.
        """
        text = text_of(claim)
        if text is not None:
            return self.unreadable(text, claim.problem or "", recv_ms)
        return self.read(claim.raw, recv_ms)

    def sent_ms(self, message: Mapping[str, Any]) -> float | None:
        """The sender's time of a decoded message, Unix ms; None where it has no valid one."""
        try:
            return self._time(message, self.profile.message.at)
        except BadMessageError:
            return None

    def cameras_of(self, claim: Claim) -> tuple[str, ...]:
        """The cameras that a registration or the start of a session names, known or not."""
        if claim.type is ClaimType.CAMERA and claim.camera is not None:
            return (claim.camera,)
        wording = self.profile.types.get(ClaimType.SESSION_START)
        if claim.type is not ClaimType.SESSION_START or wording is None:
            return ()
        value = _value(claim.raw, wording.fields.get("cameras"))
        return fields.camera_list(value) if value is not None else ()

    # ------------------------------------------------------------------ reading

    def _unwrap(self, text: str, event: str) -> Any:
        """An SSE message: its data, or its event name and its data where the profile says so."""
        if not self.profile.wire.wrap_event:
            return decode_json(text)
        try:
            data = decode_json(text)
        except BadMessageError:
            data = text
        message = {"event": event, "data": data}
        check_tree(message)
        return message

    def _read(self, raw: dict[str, Any], recv_ms: float) -> Claim:
        name = _value(raw, self.profile.message.type)
        if isinstance(name, int) and not isinstance(name, bool):
            name = str(fields.whole(name))
        if not isinstance(name, str) or not name:
            path = self.profile.message.type.path
            raise BadMessageError(f"{path}: expected the name of a type, got {short(name)}")
        kind, wording = self._wordings.get(name, (ClaimType.UNKNOWN, None))
        told = {} if wording is None else self._fields(raw, kind, wording)
        return self._claim(raw, kind, recv_ms, told=told)

    def _fields(self, raw: dict[str, Any], kind: ClaimType, wording: Wording) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for name, field in FIELDS[kind].items():
            place = wording.fields.get(name)
            value = _value(raw, place)
            if value is None:
                value, place = wording.constants.get(name), None
            if value is None and name == "camera" and wording.sender_is_camera:
                value = self.sender
            if value is None and not field.required:
                continue
            try:
                if value is None:
                    raise BadMessageError("expected a value, got none")
                read = self._field(kind, name, field, value, place)
            except BadMessageError as error:
                raise BadMessageError(f"{name}: {error}") from error
            if field.attribute is not None:
                told[field.attribute] = read
        return told

    def _field(
        self, kind: ClaimType, name: str, field: Field, value: Any, place: Place | None
    ) -> Any:
        if field.read is None:
            return fields.time_ms(value, place.unit if place is not None else "ms")
        if name == "transition":
            return self._transition(value)
        if name == "camera":
            if isinstance(value, str | int) and str(value) in self.profile.cameras:
                value = self.profile.cameras[str(value)]
            known = self._any_camera or kind is ClaimType.CAMERA
            if fields.camera_id(value) not in self._cameras and not known:
                raise BadMessageError(f"expected a known camera, got {short(value)}")
        return field.read(value)

    def _transition(self, value: Any) -> EventType:
        transition = self.profile.transitions.get(fields.text(value))
        if transition is None:
            names = ", ".join(self.profile.transitions)
            raise BadMessageError(f"expected one of {names}, got {short(value)}")
        return transition

    def _time(self, raw: Mapping[str, Any], place: Place | None) -> float | None:
        value = _value(raw, place)
        if value is None or place is None:
            return None
        try:
            return fields.time_ms(value, place.unit)
        except BadMessageError as error:
            raise BadMessageError(f"{place.path}: {error}") from error

    # ------------------------------------------------------------------ the claim

    def _claim(
        self,
        raw: dict[str, Any],
        kind: ClaimType,
        recv_ms: float,
        *,
        told: dict[str, Any] | None = None,
        problem: str | None = None,
    ) -> Claim:
        """A claim with what all have. One that has a problem is believed nothing but its id."""
        envelope = self.profile.message
        if problem is not None:
            own_id = _or_none(raw, envelope.id)
            own_id = own_id or _derived_id(raw, recv_ms)
            return Claim(
                id=own_id, type=kind, at_ms=recv_ms, recv_ms=recv_ms, problem=problem, raw=raw
            )
        sent_ms = self._time(raw, envelope.at)
        seq = _value(raw, envelope.seq)
        own_id = _value(raw, envelope.id)
        suspect = sent_ms is not None and abs(sent_ms - recv_ms) > CLOCK_SUSPECT_MS
        anonymous = own_id is None and sent_ms is None and seq is None
        return Claim(
            id=(
                _derived_id(raw, recv_ms if anonymous else None)
                if own_id is None
                else fields.identifier(own_id)
            ),
            type=kind,
            at_ms=recv_ms if sent_ms is None or suspect else sent_ms,
            recv_ms=recv_ms,
            sent_ms=sent_ms,
            seq=None if seq is None else fields.whole(seq),
            clock_suspect=suspect,
            raw=raw,
            **(told or {}),
        )


def text_of(claim: Claim) -> str | None:
    """The text of what was no message; None for messages."""
    text = claim.raw.get("text")
    alone = claim.type is ClaimType.UNREADABLE and len(claim.raw) == 1
    return text if alone and isinstance(text, str) else None


def _or_none(raw: dict[str, Any], place: Place | None) -> str | None:
    """A message's own id if it has a proper one."""
    try:
        return fields.identifier(_value(raw, place))
    except BadMessageError:
        return None


def _derived_id(raw: dict[str, Any], recv_ms: float | None) -> str:
    """An id from a message's content, so that a message sent again has the same one.

    A message without id, time and number looks like any other of its kind, and a second one is
    likelier a new one than a repetition: its time of receipt tells them apart.
    """
    return f"content-{digest(raw if recv_ms is None else [raw, recv_ms])[:40]}"


def _value(raw: Any, place: Place | None) -> Any:
    """The value at a place; None where there is none."""
    if place is None:
        return None
    value = raw
    for key in place.path.split("."):
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and len(key) < 6:
            value = value[int(key)] if int(key) < len(value) else None
        else:
            return None
    return value
