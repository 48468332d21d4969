"""Gathers what an export needs: the record, the messages, the recordings, the rate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from tap.claims import Parser, load_profile, read_claims
from tap.errors import InputError
from tap.feeds.probe import MediaFacts, probe
from tap.feeds.shoot import Shoot, load_shoot
from tap.rates import Rate, nearest_rate, rate_of
from tap.report.exports.cutlist import Recording, cut_list
from tap.report.exports.edl import write_edl
from tap.report.exports.fcp7 import write_fcp7
from tap.report.exports.fcpxml import write_fcpxml
from tap.report.exports.model import CutList, View
from tap.report.exports.otio import write_otio
from tap.report.exports.plain import write_csv, write_jsonl, write_webvtt
from tap.report.files import write_text
from tap.report.folder import journalled_claims
from tap.vocabulary import PROGRAM, Claim, ShotState, Witness
from tap.witness.evidence import load_witness

_CLOSE = Fraction(1, 200)
"""A mean rate within half a per cent of one that editors know is taken for it."""

Writer = Callable[[CutList], Sequence[str]]

FORMS: dict[str, tuple[str, Writer]] = {
    "otio": ("otio", lambda cuts: [write_otio(cuts)]),
    "edl": ("edl", write_edl),
    "fcp7": ("xml", lambda cuts: [write_fcp7(cuts)]),
    "fcpxml": ("fcpxml", lambda cuts: [write_fcpxml(cuts)]),
    "csv": ("csv", lambda cuts: [write_csv(cuts)]),
    "jsonl": ("jsonl", lambda cuts: [write_jsonl(cuts)]),
    "webvtt": ("vtt", lambda cuts: [write_webvtt(cuts)]),
}
"""Each form's ending, and what writes it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export. `rate` None: the program's own; `out` None: beside the record."""

    form: str
    view: View = View.SEEN
    rate: str | None = None
    start: str | None = None
    shoot: Path | None = None
    profile: str = "tap"
    out: Path | None = None


def export(folder: Path, wanted: Wanted) -> tuple[CutList, list[Path]]:
    """Write the cut list of the session in `folder`; also the paths of the files, in order.

    `folder` holds `witness.json` (a live session's, or what replay left). Raises `InputError` and
    `LedgerError`.
    """
    witness = load_witness(folder)
    shoot = load_shoot(wanted.shoot) if wanted.shoot is not None else None
    facts = _probed(shoot) if shoot is not None else {}
    if shoot is not None:
        _same_session(witness, shoot)
    rate = (
        rate_of(wanted.rate) if wanted.rate is not None else own_rate(witness, facts.get(PROGRAM))
    )
    cuts = cut_list(
        witness,
        _claims(folder, shoot, witness, wanted.profile),
        rate=rate,
        view=wanted.view,
        recordings=_recordings(shoot, facts) if shoot is not None else None,
        start=wanted.start,
    )
    cuts = _with_notes(cuts, facts)
    ending, write = FORMS[wanted.form]
    out = wanted.out or folder / f"cuts-as-{wanted.view.value}.{ending}"
    texts = write(cuts)
    names = [out] if len(texts) == 1 else [_part(out, n) for n in range(1, len(texts) + 1)]
    return cuts, [write_text(name, text) for name, text in zip(names, texts, strict=True)]


def own_rate(witness: Witness, program: MediaFacts | None) -> Rate:
    """The program's own rate, as editors know it: from its recording, or from the record.

    Raises `InputError` where it is near none of them.
    """
    if program is not None:
        return program_rate(witness.session.external_id, program)
    return _known_rate(witness.session.external_id, _mean_rate(witness), steady=True, lost=True)


def program_rate(session: str, program: MediaFacts) -> Rate:
    """The rate of a recorded program; the nearest one where it is not steady.

    Raises `InputError` where it is steady and near none that editors know.
    """
    return _known_rate(session, program.fps, steady=program.steady)


def _known_rate(
    session: str, measured: Fraction | None, *, steady: bool, lost: bool = False
) -> Rate:
    """`lost`: pictures may be missing, so that the rate was higher than what was measured."""
    if measured is None:
        raise InputError(
            f"{session}: expected pictures enough to measure the program's rate, got too few; "
            "give one with --rate."
        )
    rate = nearest_rate(measured)
    if steady and abs(rate.fps / measured - 1) > _CLOSE:
        raise InputError(
            f"{session}: expected a program of a rate that editors know, got "
            f"{float(measured):.3f} frames/s"
            + (
                ", for pictures were lost, or came at no steady rate; give the rate with --rate, "
                "or the recording with --shoot."
                if lost
                else f"; give one with --rate, {rate.name} is nearest."
            )
        )
    return rate


def _mean_rate(witness: Witness) -> Fraction | None:
    """Pictures by time, of the times in which there were any."""
    blind = sum(
        Fraction(s.end_ms) - Fraction(s.start_ms)
        for s in witness.shots
        if s.state is ShotState.UNSEEN
    )
    numbered = [event for event in witness.events if event.frame is not None]
    if len(numbered) > 1 and not blind:
        first, last = numbered[0], numbered[-1]
        frames = (last.frame or 0) - (first.frame or 0)
        seconds = (Fraction(last.at_ms) - Fraction(first.at_ms)) / 1000
        if frames > 0 and seconds > 0:
            return frames / seconds
    if not witness.shots or not witness.coverage.program_frames:
        return None
    seconds = (
        Fraction(witness.shots[-1].end_ms) - Fraction(witness.shots[0].start_ms) - blind
    ) / 1000
    return witness.coverage.program_frames / seconds if seconds > 0 else None


def _probed(shoot: Shoot) -> dict[str, MediaFacts]:
    found = {camera.id: probe(camera.media) for camera in shoot.cameras}
    found[PROGRAM] = probe(shoot.program.media)
    return found


def _recordings(shoot: Shoot, facts: dict[str, MediaFacts]) -> dict[str, Recording]:
    files = [(c.id, c.media, c.started_at_ms, c.label) for c in shoot.cameras]
    files.append((PROGRAM, shoot.program.media, shoot.program.started_at_ms, "program"))
    return {
        feed: Recording(
            id=feed,
            path=path,
            first_ms=started_ms + float(facts[feed].first_s * 1000),
            duration_s=facts[feed].duration_s,
            size=facts[feed].size,
            label=label,
            timecode=facts[feed].timecode,
        )
        for feed, path, started_ms, label in files
    }


def _claims(folder: Path, shoot: Shoot | None, witness: Witness, profile: str) -> list[Claim]:
    """The messages: the journal's, or the recording's where there is no journal."""
    told = journalled_claims(folder if folder.is_dir() else folder.parent)
    if told or shoot is None or shoot.director is None:
        return told
    parser = Parser(load_profile(profile), [seen.id for seen in witness.cameras])
    return list(read_claims(shoot.director, parser))


def _same_session(witness: Witness, shoot: Shoot) -> None:
    seen, recorded = witness.session.external_id, shoot.session.external_id
    if seen != recorded:
        raise InputError(
            f"{shoot.folder}: expected the recording of the session {seen!r}, got that of "
            f"{recorded!r}; give the shoot that this record was made from."
        )


def _with_notes(cuts: CutList, facts: dict[str, MediaFacts]) -> CutList:
    """The cut list with what is to be said of the recordings' rates."""
    notes = list(cuts.notes)
    for feed, fact in facts.items():
        if not fact.steady:
            notes.append(
                f"The recording of {feed} has no steady rate: its pictures are put on the grid of "
                f"{cuts.rate.name} frames/s, which an editor may do a frame differently."
            )
        elif fact.fps is not None and abs(cuts.rate.fps / fact.fps - 1) > _CLOSE:
            notes.append(
                f"The recording of {feed} has {float(fact.fps):.2f} frames/s; its times are "
                f"counted at the timeline's {cuts.rate.name}."
            )
    return replace(cuts, notes=tuple(notes))


def _part(out: Path, number: int) -> Path:
    return out.with_name(f"{out.stem}-{number}{out.suffix}")
