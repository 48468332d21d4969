"""What the room answers, as data: the models that its OpenAPI document is made of.

Times are Unix milliseconds on the clock of tap's machine, lengths of time are milliseconds.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from tap.report.findings import Role
from tap.vocabulary import ClaimType, EventType, ShotState, VerdictCode

Millis = Annotated[float, Field(description="Unix ms, or a length of time in ms")]


class Shape(BaseModel):
    """Base: immutable, camelCase outside."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid"
    )

    def content(self) -> dict[str, Any]:
        """For JSON."""
        return self.model_dump(mode="json", by_alias=True)


class ProgramShape(Shape):
    """What the program shows now, as far as can be told before anything after it is seen."""

    state: ShotState
    camera: str | None
    confidence: float
    runner_up: str | None
    runner_up_confidence: float


class FeedShape(Shape):
    """A camera, or the program, as a source of pictures. `fps` counts distinct pictures."""

    id: str
    role: str | None
    label: str | None
    state: str
    fps: float | None
    size: tuple[int, int] | None
    delay_ms: float | None
    jitter_ms: float | None
    age_ms: float | None
    dropped: int
    note: str | None


class LedgerShape(Shape):
    """How the books stand. `way` is open, closed or paused; `parked` rows were refused."""

    rows: int
    waiting: int
    note: str | None
    parked: int
    way: str
    way_ms: float | None
    oldest_ms: float | None


class StatusShape(Shape):
    """The whole session at one moment. `nowMs` is when this was answered."""

    type: Literal["status"] = "status"
    now_ms: Millis
    session: str
    title: str | None
    started_ms: float | None
    elapsed_ms: float
    total_ms: float | None
    mode: str | None
    hold: bool
    stills: int
    program: ProgramShape
    feeds: list[FeedShape]
    director: str | None
    claims: int
    counts: dict[str, int]
    ledger: LedgerShape


class ClaimShape(Shape):
    """A message of the director, in brief; the whole message is in the ledger."""

    seq: int
    id: str
    type: ClaimType
    at_ms: Millis
    camera: str | None
    transition: EventType | None


class AngleChangeShape(Shape):
    """A change that was seen on the program. `from` and `to` are null for no camera and black."""

    seq: int
    id: str
    type: EventType
    at_ms: Millis
    duration_ms: float
    from_camera: str | None = Field(serialization_alias="from", validation_alias="from")
    to_camera: str | None = Field(serialization_alias="to", validation_alias="to")
    confidence: float
    frame: int | None


class PictureShape(Shape):
    """A picture that was kept as evidence: whose it is, what it is there to show, its address."""

    role: Role
    feed: str
    url: str


class VerdictShape(Shape):
    """A finding. `told` and `seen` are the cameras that were named and that came."""

    seq: int
    code: VerdictCode
    title: str
    disagrees: bool
    claim_id: str | None
    event_id: str | None
    at_ms: Millis
    lag_ms: float | None
    confidence: float
    text: str
    told: str | None
    seen: str | None
    pictures: list[PictureShape]


class ProgramChangeShape(Shape):
    """The program seems to show something else from `atMs` on."""

    seq: int
    at_ms: Millis
    state: ShotState
    camera: str | None


class Page(Shape):
    """What every list answers: `next` is what to ask for as `after`; null at the end.

    `oldest` is the lowest number still held; lower ones are in the ledger only.
    """

    next: int | None
    oldest: int | None


class AngleChanges(Page):
    """Changes seen on the program, in the order in which they were settled."""

    items: list[AngleChangeShape]


class Verdicts(Page):
    """Findings, in the order in which they were made."""

    items: list[VerdictShape]


class Cameras(Shape):
    """Every camera, and the program as the last."""

    items: list[FeedShape]


class Health(Shape):
    """Whether tap sees everything and its books are kept; each problem is a sentence."""

    ok: bool
    problems: list[str]


class Refusal(Shape):
    """Why there is no answer: what was expected, what came, what to do."""

    error: str
