"""What devices say of themselves, framed so that it can stand among the director's messages.

A phone's events have a profile of their own, and don't name the camera. Such a claim's `raw` says
which camera and which profile it is to be read by, so that a recording or a journal is read again
to the very same claims: `{"device": …, "profile": …, "message": …}`, or `text` and `problem` in the
place of `message` where it was no message.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tap.claims.parse import DEVICE_FRAMES, Parser, text_of
from tap.claims.profile import Profile, load_profile, shipped_profiles
from tap.claims.strict_json import digest
from tap.vocabulary import Claim

_MAX_ID = 200


class DeviceParser:
    """Reads what the camera `sender` says, worded as `profile` says; never raises on input."""

    def __init__(self, profile: Profile, cameras: Collection[str], sender: str) -> None:
        self.profile = profile
        self.sender = sender
        self._inner = Parser(profile, cameras, sender)

    def parse(self, data: str | bytes, recv_ms: float, event: str | None = None) -> Claim:
        """One message as received; `event` is its SSE event name."""
        return self._framed(self._inner.parse(data, recv_ms, event))

    def unreadable(self, data: str | bytes, problem: str, recv_ms: float) -> Claim:
        """What is no message: kept as text."""
        return self._framed(self._inner.unreadable(data, problem, recv_ms))

    def read(self, frame: Mapping[str, Any], recv_ms: float) -> Claim:
        """A framed message once more, as it was."""
        if "text" in frame:
            return self.unreadable(str(frame["text"]), str(frame["problem"]), recv_ms)
        return self._framed(self._inner.read(frame["message"], recv_ms))

    def _framed(self, claim: Claim) -> Claim:
        text = text_of(claim)
        what: dict[str, Any] = (
            {"message": dict(claim.raw)}
            if text is None
            else {"text": text, "problem": claim.problem or ""}
        )
        own = f"{self.sender}:{claim.id}"
        if len(own) > _MAX_ID:
            own = f"{self.sender}:{digest(claim.id)[:40]}"
        frame = {"device": self.sender, "profile": self.profile.name, **what}
        return claim.model_copy(update={"id": own, "raw": frame})


class Devices:
    """Reads framed messages again: by the profiles of devices that are known, else by tap's own."""

    def __init__(self, cameras: Collection[str], parsers: Iterable[DeviceParser] = ()) -> None:
        self._cameras = tuple(cameras)
        self._parsers = {(one.sender, one.profile.name): one for one in parsers}

    def read(self, raw: Mapping[str, Any], recv_ms: float) -> Claim | None:
        """The claim of a framed message; None for anything else."""
        if frozenset(raw) not in DEVICE_FRAMES:
            return None
        device, name, message = raw["device"], raw["profile"], raw.get("message", {})
        if device not in self._cameras or not isinstance(message, dict):
            return None
        parser = self._parsers.get((device, str(name)))
        if parser is None:
            if name not in shipped_profiles():
                return None
            parser = DeviceParser(load_profile(name), self._cameras, device)
            self._parsers[device, name] = parser
        return parser.read(raw, recv_ms)
