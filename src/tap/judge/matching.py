"""Which message belongs to which change of the program.

Both are ordered, and a message is likelier to belong to a picture in time than to one out of time,
to the first of two pictures than to the second, and to a near one than to a far one.
"""

from collections.abc import Iterable, Sequence

from tap.judge.pending import Change, Pool, Told
from tap.judge.tolerances import Tolerances
from tap.vocabulary import EventType

_RIVALS = 32
"""Messages on either side that are weighed against one another."""


def told_in_time(change: Change, told: Pool[Told], tolerances: Tolerances) -> Told | None:
    """The message that this change follows in time, to the right camera.

    Sound messages go before faulty ones. Among messages that repeat one another the nearest wins;
    a message that comes again after another camera was told belongs to a later change.
    """
    near = told.between(change.at_ms - tolerances.after_ms, change.at_ms + tolerances.before_ms)
    for faulty in (False, True):
        alike = [one for one in near if (one.fault is not None) is faulty]
        run = _first_run(alike, change.event.to_camera)
        if run:
            return min(run, key=lambda one: (abs(one.lag_ms(change)), one.order))
    return None


def _first_run(told: Iterable[Told], camera: str | None) -> list[Told]:
    """The first messages in a row that name the camera."""
    run: list[Told] = []
    for one in told:
        if one.camera == camera:
            run.append(one)
        elif run:
            break
    return run


def change_in_time(told: Told, changes: Pool[Change], tolerances: Tolerances) -> Change | None:
    """The nearest settled change that a message arriving late still finds waiting, in time."""
    near = changes.between(told.at_ms - tolerances.before_ms, told.at_ms + tolerances.after_ms)
    right = [
        one
        for one in near
        if one.settled and not one.reverted and one.event.to_camera == told.camera
    ]
    return min(right, key=lambda one: (abs(told.lag_ms(one)), one.order), default=None)


def change_to_right_camera(
    told: Told, all_told: Pool[Told], changes: Pool[Change], tolerances: Tolerances
) -> Change | None:
    """The change that a message gets when all messages to its camera take the nearest they can.

    Pairs are made by rising distance, so no message takes the change of one that fits it better.
    """
    window = tolerances.window_ms
    wanted = _settled(changes.between(told.at_ms - window, told.at_ms + window), told.camera)
    if not wanted:
        return None
    rivals = [one for one in all_told.around(told.at_ms, _RIVALS) if one.camera == told.camera]
    if told not in rivals:  # more than that at the very same time
        rivals.append(told)
    pairs = sorted(
        (
            (one.fault is not None, abs(one.lag_ms(change)), one.order, change.order, one, change)
            for one in rivals
            for change in wanted
            if abs(one.lag_ms(change)) <= window
        ),
        key=lambda pair: pair[:4],
    )
    taken: set[int] = set()
    for *_, one, change in pairs:
        if id(one) in taken or id(change) in taken:
            continue
        if one is told:
            return change
        taken |= {id(one), id(change)}
    return None


def change_to_another(
    told: Told, all_told: Pool[Told], changes: Pool[Change], tolerances: Tolerances
) -> Change | None:
    """The nearest change in time that went elsewhere and that no other message explains better."""
    near = changes.between(told.at_ms - tolerances.before_ms, told.at_ms + tolerances.after_ms)
    for change in sorted(near, key=lambda one: (abs(told.lag_ms(one)), one.order)):
        elsewhere = change.settled and not change.reverted
        if elsewhere and change.event.to_camera != told.camera:
            rivals = all_told.around(change.at_ms, _RIVALS)
            if not any(_fits_better(one, told, change, tolerances) for one in rivals):
                return change
    return None


def _fits_better(one: Told, told: Told, change: Change, tolerances: Tolerances) -> bool:
    """Whether `one` explains the change better than `told`, which names another camera."""
    if one is told:
        return False
    lag_ms = one.lag_ms(change)
    if one.camera == change.event.to_camera:
        return abs(lag_ms) <= tolerances.window_ms
    nearer = (abs(lag_ms), one.order) < (abs(told.lag_ms(change)), told.order)
    return tolerances.agrees(lag_ms) and nearer and one.fault is None


def could_take(change: Change, told: Pool[Told], tolerances: Tolerances) -> list[Told]:
    """The waiting messages that may yet turn out to belong to a change."""
    window = tolerances.window_ms
    return [
        one
        for one in told.between(change.at_ms - window, change.at_ms + window)
        if one.camera == change.event.to_camera or tolerances.agrees(one.lag_ms(change))
    ]


def undone(
    change: Change, later: Sequence[Change], until_ms: float, tolerances: Tolerances
) -> Change | None:
    """The cut that took this change back within a few frames, known by `until_ms`.

    A change that takes time is none: nobody slips into a dissolve, and where one begins is known
    only when it is over.
    """
    for other in later:
        if other.order <= change.order or other.at_ms > until_ms:
            continue
        back = (
            other.event.type is EventType.CUT
            and other.event.to_camera == change.event.from_camera
            and other.event.from_camera == change.event.to_camera
        )
        if back and not other.reverted and _frames_apart(change, other) <= tolerances.revert_frames:
            return other
        return None
    return None


def _frames_apart(change: Change, other: Change) -> float:
    """Program frames between two changes; at 25 a second where their numbers aren't known."""
    if change.event.frame is not None and other.event.frame is not None:
        return other.event.frame - change.event.frame
    return (other.at_ms - change.at_ms) / 40.0


def _settled(changes: Iterable[Change], camera: str) -> list[Change]:
    return [one for one in changes if one.settled and one.event.to_camera == camera]
