"""Why the answer is what it is, in plain sentences."""

from tap.report.explained import Against, Answer, Candidate, Explanation, Lie, State
from tap.report.wording import length, offset, percent
from tap.vocabulary import ShotState

_FITS = 0.7
"""A camera that explains this part of what the best one does fits too."""
_WORTH = 0.2
"""Below this part of the picture, at which delay a camera fits best is chance."""
_LIKELY = 0.08
_UNLIKELY = 0.01
_SHIFTED = 0.004
_STEADY_NATS = 1.0
_AS_USUAL = 0.85

_WHY_NOT = {
    Against.WEAK: "no camera explains enough of it to be believed",
    Against.UNLIKE: "the picture is less like {0} than {0}'s own pictures always are",
    Against.UNTIMELY: (
        "what stands still in it fits {0}, what moves does not: it is not {0}'s picture of that "
        "moment"
    ),
    Against.ELSEWHEN: "it fits {0} best at a delay that {0} does not have",
    Against.REPLAYED: "it is one of {0}'s older pictures: a replay, not live",
    Against.PLAIN: "it is one plain colour, in which there is nothing to recognise",
}


def headline(explanation: Explanation) -> str:
    """The answer in a few words: `cam-b is live`."""
    shot = explanation.shot
    names = _and(shot.cameras)
    return {
        ShotState.LIVE: f"{names} is live",
        ShotState.TRANSITION: f"A transition, {' to '.join(shot.cameras)}",
        ShotState.COMPOSED: f"{names}, both on screen",
        ShotState.AMBIGUOUS: f"Ambiguous: {_or(shot.cameras)}",
        ShotState.OFF_CAMERA: "Off camera",
        ShotState.BLACK: "Black",
        ShotState.UNSEEN: "Unseen",
    }[shot.state]


def certainty(explanation: Explanation) -> str:
    """How sure: `99.9 % sure`."""
    shot, frame = explanation.shot, explanation.frame
    if shot.state is ShotState.UNSEEN or frame is None:
        return "nothing is claimed"
    if frame.key != shot.key:
        return f"{percent(shot.confidence)} sure"
    one = " that it is one of them" if shot.state is ShotState.AMBIGUOUS else ""
    return f"{percent(frame.confidence)} sure{one}"


def sentences(explanation: Explanation) -> list[str]:
    """The whole reasoning, one plain sentence or two an item."""
    said = [_opening(explanation)]
    if explanation.frame is None:
        return said
    said += [_fits(explanation)] if explanation.best else []
    said += _why(explanation)
    said += _around(explanation)
    said += _placed(explanation)
    if explanation.only_seconds is not None:
        said.append(
            f"Only {length(1000 * explanation.only_seconds)} before that moment were looked at: "
            "a replay of the whole recording knows more, and may say something else."
        )
    return said


def place(lie: Lie) -> str:
    """A placement in a few words: `mirrored, zoomed 1.12 times, off the middle`."""
    words = ["mirrored"] if lie.mirror else []
    if lie.zoom > 1.01:
        words.append(f"zoomed {lie.zoom:.2f}\N{MULTIPLICATION SIGN}")
    if lie.crop < 0.98:
        words.append(f"cropped to {100 * lie.crop:.0f} %")
    x0, y0, x1, y1 = lie.on
    if x1 - x0 < 0.99:
        words.append(f"in {100 * (x1 - x0):.0f} % of the width")
    if y1 - y0 < 0.99:
        words.append(f"in {100 * (y1 - y0):.0f} % of the height")
    middle = ((lie.of[0] + lie.of[2]) / 2, (lie.of[1] + lie.of[3]) / 2)
    if max(abs(middle[0] - 0.5), abs(middle[1] - 0.5)) > _SHIFTED:
        words.append("off the middle")
    return ", ".join(words) or "whole, as it is"


def part(share: float) -> str:
    """A share as a whole per cent: `87 %`."""
    return f"{100 * max(0.0, share):.0f} %"


# ---------------------------------------------------------------- one after the other


def _opening(explanation: Explanation) -> str:
    at = offset(explanation.at_ms, explanation.program_start_ms)
    shot, frame = explanation.shot, explanation.frame
    start = explanation.program_start_ms
    if frame is None:
        return (
            f"At {at} nothing can be said: {shot.reason or 'no picture was seen'}, from "
            f"{offset(shot.start_ms, start)} to {offset(shot.end_ms, start)}."
        )
    opening = f"At {at} (frame {explanation.number}) the program {_shows(shot, explanation)}"
    if frame.key != shot.key:
        by_itself = _shows(frame, explanation)
        return (
            f"{opening}. By itself this frame {by_itself} ({percent(frame.confidence)}); it is "
            "taken for part of what lies around it."
        )
    if shot.state is ShotState.UNSEEN:
        return f"{opening}."
    one = " that it is one of them" if shot.state is ShotState.AMBIGUOUS else ""
    return f"{opening}; tap is {percent(frame.confidence)} sure{one}."


def _shows(answer: Answer, explanation: Explanation) -> str:
    names = _and(answer.cameras)
    if answer.state is ShotState.TRANSITION and answer.cameras:
        return f"is changing {' to '.join(answer.cameras)}"
    if answer.state is ShotState.UNSEEN:
        reason = answer.reason or (explanation.frame.reason if explanation.frame else "")
        return f"can't be told, for lack of pictures ({reason or 'no frames'})"
    return {
        ShotState.LIVE: f"shows {names}",
        ShotState.TRANSITION: "is changing",
        ShotState.COMPOSED: f"shows {names} together",
        ShotState.AMBIGUOUS: f"shows {_or(answer.cameras)}, and the pictures can't tell which",
        ShotState.OFF_CAMERA: "shows no camera that tap sees"
        + (f", but an older picture of {names}" if names else ""),
        ShotState.BLACK: "is black",
    }[answer.state]


def _fits(explanation: Explanation) -> str:
    best = explanation.best
    if best is None or best.match is None:
        return ""
    match = best.match
    sentence = f"{best.id} explains {part(match.fit)} of the picture"
    if best.known:
        usual = best.usual_fit
        if _AS_USUAL < match.fit / max(usual, 1e-6) < 1 / _AS_USUAL:
            sentence += f", as it usually does ({part(usual)})"
        else:
            sentence += f"; it usually explains {part(usual)}"
    else:
        sentence += "; it was never recognised on this program before"
    sentence += f". {_late(best)}" if match.fit > _WORTH else "."
    others = [c for c in explanation.candidates if c.match is not None and c is not best]
    if others and others[0].match is not None:
        named = [f"{c.id} {part(c.match.fit)}" for c in others[:3] if c.match is not None]
        sentence += f" Next: {', '.join(named)}."
    return sentence


def _late(candidate: Candidate) -> str:
    match = candidate.match
    if match is None:
        return ""
    lag = f"It fits best {abs(match.lag_ms):.0f} ms {'late' if match.lag_ms >= 0 else 'early'}"
    low, high = candidate.delay_low_ms, candidate.delay_high_ms
    if low is None or high is None:
        return f"{lag}; its delay is not known yet."
    known = f"the delay known for it ({low:.0f} to {high:.0f} ms)"
    inside = low - 1 <= match.lag_ms <= high + 1
    return f"{lag}, {'within' if inside else 'outside of'} {known}."


def _why(explanation: Explanation) -> list[str]:
    """What decides for this state, and not for another."""
    shot = explanation.shot
    best = explanation.best
    said: list[str] = []
    pair = shot.state in (ShotState.TRANSITION, ShotState.COMPOSED)
    if not pair and shot.state is not ShotState.BLACK:
        said += _off(explanation)
    if shot.state is ShotState.AMBIGUOUS:
        said.append(_rivals(explanation))
    if pair:
        said += _pair(explanation)
    if shot.state is ShotState.BLACK or explanation.flat == "black":
        said.append("The picture is dark all over and has no contrast: black needs no matching.")
    if explanation.repeat:
        said.append(
            "The picture repeats the one before it, so it says what that one said, at a fifth of "
            "the weight."
        )
    for candidate in explanation.candidates:
        if candidate.blind or candidate.lacking:
            when = "for long" if candidate.blind else "just then"
            said.append(
                f"{candidate.id} gave no new pictures {when}, when this one would have been taken: "
                "that it does not fit is no evidence against it."
            )
    if best is not None and shot.state is ShotState.LIVE and best.id not in shot.cameras:
        said.append(f"{best.id} fits this single picture best, but {_and(shot.cameras)} is on air.")
    return said


def _off(explanation: Explanation) -> list[str]:
    shot, best = explanation.shot, explanation.best
    name = best.id if best else "any camera"
    if explanation.against is Against.REPLAYED and shot.cameras:
        name = shot.cameras[0]
    why = _WHY_NOT.get(explanation.against, "").format(name)
    if not why:
        if shot.state is not ShotState.OFF_CAMERA:
            return []
        return ["This picture alone would not say so: those around it do."]
    sentence = why[0].upper() + why[1:] + f" (test: {explanation.against.value})"
    if explanation.against in (Against.UNLIKE, Against.UNTIMELY):
        sentence = sentence[:-1] + (
            f" at {explanation.odd:+.2f}, where \N{MINUS SIGN}1 is as ever and 0 the limit)"
        )
    if shot.state is ShotState.OFF_CAMERA:
        return [f"{sentence}."]
    return [f"Against {name} speaks that {sentence[0].lower()}{sentence[1:]}."]


def _rivals(explanation: Explanation) -> str:
    best = explanation.best
    if best is None or best.match is None:
        return "No camera fits better than another."
    close = [
        f"{c.id} explains {part(c.match.fit)}"
        for c in explanation.candidates
        if c.match is not None and c is not best and c.match.fit > _FITS * best.match.fit
    ]
    likely = [f"{s.name} {percent(s.honest)}" for s in explanation.states if s.honest > _LIKELY]
    odds = f"In all: {', '.join(likely)}."
    if not close:
        return f"No other camera fits this picture as well, but those around it leave doubt. {odds}"
    return f"Others fit nearly as well: {', '.join(close)}. {odds}"


def _pair(explanation: Explanation) -> list[str]:
    frame = explanation.frame
    pair = next((s for s in explanation.states if len(s.cameras) == 2), None)
    if frame is None or pair is None:
        return []
    if frame.state is ShotState.LIVE:
        alone = f"This frame shows {frame.cameras[0]} alone, as far as can be told: it lies on the "
        return [alone + "line that the mixed frames around it draw, at the edge of the change."]
    if frame.state not in (ShotState.TRANSITION, ShotState.COMPOSED):
        return ["The change goes through pictures that show neither of the two."]
    share = explanation.share
    first, second = pair.cameras
    if pair.composed:
        how = f"{first} and {second} are in it, each in a part of its own"
    elif explanation.split:
        how = f"{second} fills {part(share)} of it, {first} the rest"
    else:
        how = f"it is a mix of {part(1 - share)} {first} and {part(share)} {second}"
    return [f"Two cameras explain the picture better than one: {how}."]


def _around(explanation: Explanation) -> list[str]:
    """What the picture alone says, where the pictures around it overrule it; who comes next."""
    states = explanation.states
    said: list[str] = []
    alone = max(states, key=lambda s: s.nats)
    if alone is not states[0] and alone.nats - states[0].nats > _STEADY_NATS:
        said.append(
            f"Of this picture alone {alone.name} would be the answer, by "
            f"{alone.nats - states[0].nats:.0f} nats; the pictures around it say {states[0].name}."
        )
    second = _second(states)
    if second is not None and explanation.shot.state is not ShotState.AMBIGUOUS:
        said.append(f"The next likely answer is {second.name}, with {percent(second.honest)}.")
    return said


def _second(states: tuple[State, ...]) -> State | None:
    return states[1] if len(states) > 1 and states[1].honest > _UNLIKELY else None


def _placed(explanation: Explanation) -> list[str]:
    shown = explanation.shot.cameras or ((explanation.best.id,) if explanation.best else ())
    plain = place(Lie())
    placed = [
        f"{c.id} is {place(c.lie)}"
        for c in explanation.candidates
        if c.id in shown and place(c.lie) != plain
    ]
    return [f"In the program {_and(placed)}."] if placed else []


def _and(names: tuple[str, ...] | list[str]) -> str:
    return " and ".join(names)


def _or(names: tuple[str, ...] | list[str]) -> str:
    return " or ".join(names)
