"""Verdicts in plain words: one sentence each, the same for the same finding everywhere."""

from tap.judge.pending import Change, Told
from tap.judge.timeline import Blind
from tap.judge.tolerances import Tolerances
from tap.vocabulary import SOFT, Claim, ClaimType, Event, EventType, Shot, ShotState, VerdictCode

_FAULTS = {
    VerdictCode.DUPLICATE: "A message with this id was received before",
    VerdictCode.OUT_OF_ORDER: "The message's sequence number went back",
    VerdictCode.CLOCK_SUSPECT: (
        "The sender's clock is more than a minute off, so the time of receipt counts"
    ),
}


def seconds(ms: float) -> str:
    """A length of time, in seconds."""
    return f"{ms / 1000.0:.2f} s"


def apart(lag_ms: float) -> str:
    """How a picture and its message lie in time."""
    if lag_ms < 0:
        return f"{seconds(-lag_ms)} before the message"
    return f"{seconds(lag_ms)} after the message"


def place(camera: str | None) -> str:
    """A camera, or that it is none."""
    return camera if camera is not None else "no camera"


def matched(code: VerdictCode, told: Told, change: Change, tolerances: Tolerances) -> str:
    """A message and the change to its camera."""
    event, camera = change.event, told.camera
    when = apart(told.lag_ms(change))
    if code is VerdictCode.REVERTED:
        return f"{reverted(change)} {camera} came {when}."
    if code is VerdictCode.SOFT:
        said = "as a soft change" if told.soft else "as a cut"
        return f"Told {said}, seen as a {_kind(event)}: {camera} came {when}."
    if code is VerdictCode.LATE:
        return f"The message is late: {camera} came {when}."
    if code is VerdictCode.EARLY:
        allowed = seconds(tolerances.after_ms)
        return f"The message is early: {camera} came {when}, more than the {allowed} allowed."
    how = f" by a {_kind(event)}" if event.type in SOFT else ""
    return f"{camera} came{how} {when}."


def late_arrival(told: Told, lag_ms: float) -> str:
    """A message that came so late that its change had its verdict already."""
    transit = seconds(told.claim.recv_ms - told.at_ms)
    return (
        f"The message arrived {transit} after its own time, {seconds(-lag_ms)} after {told.camera} "
        "came; by then that change had been recorded without it."
    )


def elsewhere(told: Told, change: Change, landing: Shot | None) -> str:
    """A message, and a change in time that did not go to its camera."""
    when = apart(told.lag_ms(change))
    went = place(change.event.to_camera)
    if change.event.to_camera is None and landing is not None:
        went = _picture(landing)
    return f"The message says {told.camera}; {when} the program went to {went}."


def standing(told: Told, shot: Shot) -> str:
    """A message, and a picture that shows no single camera although nothing was seen to change."""
    return f"The message says {told.camera}; the program showed {_picture(shot)}."


def missed(told: Told, stayed: str | None, *, live: bool, tolerances: Tolerances) -> str:
    """A message without a change. `stayed`: the one camera that was live all the time, if any."""
    window = seconds(tolerances.window_ms)
    start = f"The message says {told.camera}; "
    if stayed == told.camera:
        return f"{start}it was live already and nothing changed within {window}."
    if live:
        return f"{start}it was live by then, but on the word of another message."
    if stayed is not None:
        return f"{start}the program stayed on {stayed} for {window}."
    return f"{start}the program did not go there within {window}."


def unannounced(change: Change) -> str:
    """A change that nobody told."""
    return f"{_change(change.event)}, and no message says so."


def reverted(change: Change) -> str:
    """A cut and back."""
    other = change.undone_by or change.undoes
    first, last = (change, other) if change.undone_by is not None else (other, change)
    if first is None or last is None:
        return f"{_change(change.event)} and back."
    frames = (first.event.frame, last.event.frame)
    if frames[0] is not None and frames[1] is not None:
        length = f"{frames[1] - frames[0]} frames"
    else:
        length = seconds(last.at_ms - first.at_ms)
    return f"{_change(first.event)} and back after {length}."


def unseen(what: str, since_ms: float, blind: Blind) -> str:
    """tap was blind where it would have had to look."""
    lasted = seconds(blind.end_ms - blind.start_ms)
    return (
        f"{what}: not seen for {lasted}, {apart(blind.start_ms - since_ms)} and on "
        f"({blind.reason}); neither confirmed nor denied."
    )


def unheard(change: Change) -> str:
    """A change so close to the end that its message may not have arrived."""
    return f"{_change(change.event)}; the session ended before a message could have come."


def at_fault(fault: VerdictCode, told: Told | None = None, change: Change | None = None) -> str:
    """A message that is itself at fault, and the change it nevertheless belongs to."""
    text = _FAULTS[fault]
    if told is None or change is None:
        return f"{text}."
    return f"{text}; the program went to {place(change.event.to_camera)} {_lag(told, change)}."


def hold_kept(claim: Claim, shot: Shot | None, lasted_ms: float) -> str:
    """A hold in which nothing changed."""
    on = shot.camera if shot is not None else None
    stayed = f"stayed on {on}" if on is not None else "did not change"
    named = f", though the message names {claim.camera}" if claim.camera not in (None, on) else ""
    return f"The program {stayed} for the {seconds(lasted_ms)} of the hold{named}."


def hold_broken(event: Event, start_ms: float) -> str:
    """A hold that a change broke."""
    return f"{_change(event)} {seconds(event.at_ms - start_ms)} into the hold."


def hold_joined(shot: Shot, start_ms: float) -> str:
    """A hold in which a second camera came into the picture."""
    into = max(0.0, shot.start_ms - start_ms)
    return f"The program showed {_picture(shot)} {seconds(into)} into the hold."


def noted(claim: Claim) -> str:
    """A message that asks nothing of the program's picture."""
    match claim.type:
        case ClaimType.SESSION_START:
            return "The session started."
        case ClaimType.SESSION_END:
            return "The session ended."
        case ClaimType.MODE:
            return f"The mode is now {claim.mode}."
        case ClaimType.PROPOSAL:
            return f"A cut to {claim.camera} was proposed."
        case ClaimType.STILL:
            how = "marked" if claim.kind == "marker" else "taken"
            return f"A still of {claim.camera} was {how}."
        case ClaimType.CAMERA:
            return f"{claim.camera} was registered."
        case ClaimType.MUSIC:
            return f"Music: {claim.label}."
        case ClaimType.UNREADABLE:
            return f"The message could not be read: {claim.problem or 'no reason given'}."
        case _:
            return "A message of a kind that tap does not know was kept."


def no_effect(claim: Claim, problem: str) -> str:
    """An answer to a proposal that was not open."""
    word = "accept" if claim.type is ClaimType.ACCEPT else "veto"
    return f"The {word} has no effect: {problem}."


def vetoed(camera: str) -> str:
    """A proposal was turned down."""
    return f"The proposed cut to {camera} was vetoed."


def released(holds: int) -> str:
    """A release, and how many holds it ends."""
    return "The hold was released." if holds else "A release, but no hold was on."


def _kind(event: Event) -> str:
    length = f" of {seconds(event.duration_ms)}" if event.type in SOFT else ""
    return f"{event.type.value}{length}"


def _change(event: Event) -> str:
    verb = "cut" if event.type is EventType.CUT else "went"
    how = f" by a {_kind(event)}" if event.type in SOFT else ""
    return f"The program {verb} from {place(event.from_camera)} to {place(event.to_camera)}{how}"


def _lag(told: Told, change: Change) -> str:
    return apart(told.lag_ms(change))


def _picture(shot: Shot) -> str:
    cameras = " and ".join(shot.cameras)
    match shot.state:
        case ShotState.COMPOSED:
            return f"several cameras at once ({cameras})"
        case ShotState.AMBIGUOUS:
            return f"a picture that fits several cameras alike ({cameras})"
        case ShotState.BLACK:
            return "black"
        case ShotState.OFF_CAMERA:
            return "a picture that no tapped camera makes"
        case _:
            return place(shot.camera)
