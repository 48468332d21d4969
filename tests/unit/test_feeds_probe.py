"""What a media file is, from its time stamps alone."""

from fractions import Fraction

import av
import numpy as np
import pytest
from tests.unit.sample_cuts import session

from tap.errors import InputError
from tap.feeds.probe import probe
from tap.rates import RATES, nearest_rate, rate_of
from tap.vocabulary import SessionName, Witness
from tap.witness.exporting import own_rate, program_rate


def write(path, stamps, base=Fraction(1, 90_000), timecode=None):
    """A small file with a picture at each stamp, in ticks of `base`."""
    with av.open(str(path), "w") as out:
        if timecode is not None:
            out.metadata["timecode"] = timecode
        stream = out.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        stream.time_base = stream.codec_context.time_base = base
        for n, pts in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), n % 200, np.uint8), "rgb24")
            frame = frame.reformat(format="yuvj420p")
            frame.pts, frame.time_base = pts, base
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return path


@pytest.mark.parametrize("rate", [r for r in RATES.values() if not r.drop], ids=lambda r: r.name)
@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_a_steady_rate_is_found_from_stamps(tmp_path, rate, suffix):
    stamps = [round(n * 90_000 / rate.fps) for n in range(300)]
    facts = probe(write(tmp_path / f"steady.{suffix}", stamps))
    assert facts.steady
    assert nearest_rate(facts.fps) == rate
    assert program_rate("s", facts) == rate
    assert facts.pictures == 300
    assert facts.size == (64, 48)
    assert abs(facts.duration_s - 300 / rate.fps) < Fraction(1, 100)


def test_a_rate_that_varies_is_said_to(tmp_path):
    stamps = [round(n * 3000 + 1200 * (n % 3 == 1)) for n in range(90)]
    facts = probe(write(tmp_path / "wavers.mkv", stamps))
    assert not facts.steady
    assert program_rate("s", facts).name == "30"


def test_pictures_that_are_missing_make_a_rate_unsteady(tmp_path):
    stamps = [3000 * n for n in range(100) if not 40 <= n < 60]
    assert not probe(write(tmp_path / "gap.mkv", stamps)).steady


def test_a_files_own_timecode_is_found(tmp_path):
    stamps = [3600 * n for n in range(50)]
    facts = probe(write(tmp_path / "named.mov", stamps, timecode="10:00:00:00"))
    assert facts.timecode == "10:00:00:00"


def test_a_single_picture_has_no_rate(tmp_path):
    facts = probe(write(tmp_path / "one.mkv", [0]))
    assert facts.fps is None
    with pytest.raises(InputError, match="too few; give one with --rate"):
        program_rate("s", facts)


def test_a_steady_rate_that_no_editor_knows_is_told(tmp_path):
    facts = probe(write(tmp_path / "odd.mkv", [n * 6000 for n in range(60)]))
    with pytest.raises(InputError, match=r"got 15\.00\d frames/s; give one with --rate, 23\.976"):
        program_rate("s", facts)


def test_what_is_no_media_is_told(tmp_path):
    (tmp_path / "x.mkv").write_text("no")
    with pytest.raises(InputError, match="expected a media file"):
        probe(tmp_path / "x.mkv")


def test_a_record_without_pictures_has_no_rate():
    with pytest.raises(InputError, match="too few"):
        own_rate(Witness(session=SessionName(external_id="s")), None)


def test_a_record_with_lost_pictures_does_not_guess_a_rate():
    given = session(rate_of("25"), frames=(0, 100, 200), end=300)
    assert own_rate(given.witness, None).name == "25"
    lost = tuple(e.model_copy(update={"frame": e.frame * 17 // 20}) for e in given.witness.events)
    witness = given.witness.model_copy(update={"events": lost})
    with pytest.raises(InputError, match=r"got 21\.250 frames/s, for pictures were lost.*--shoot"):
        own_rate(witness, None)
