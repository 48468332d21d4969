"""A picture in a picture, an older picture, a zoom, through sight as a whole."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from tests.unit.sample_pictures import (
    DELAY_MS,
    START_MS,
    Camera,
    cuts,
    frames,
    look_at,
    noisy,
    texture,
    watch,
)

from tap.sight import camera as sight_camera
from tap.sight import inset, seek
from tap.sight.behind import Behind
from tap.sight.compose import Composer
from tap.sight.evidence import Evidence
from tap.sight.eye import Eye
from tap.sight.infer import States
from tap.sight.look import BLOCKS, WHOLE, Rect, blocks, sample
from tap.sight.match import Mix, Seen
from tap.sight.memory import Memory
from tap.sight.past import Past
from tap.sight.settings import SightSettings
from tap.sight.sight import Sight
from tap.vocabulary import ShotState

CAMERAS = {"cam-a": Camera(1), "cam-b": Camera(2), "cam-c": Camera(3)}
A, B, C = CAMERAS
CUTS = cuts(CAMERAS, [(0, A), (1500, B), (3000, A)])


class Turning(Camera):
    """Films something that becomes another thing every second."""

    def at(self, ms):
        return texture(100 + int(max(0.0, ms) // 1000))


def live(name, ms):
    return CAMERAS[name].at(ms - DELAY_MS)


def with_inset(ms: float, share: float) -> np.ndarray:
    big, small = live(A, ms).copy(), live(B, ms)
    h, w = big.shape
    high, wide = round(h * share), round(w * share)
    at_y, at_x = h - high - 3, w - wide - 4
    big[at_y : at_y + high, at_x : at_x + wide] = cv2.resize(
        small, (wide, high), interpolation=cv2.INTER_AREA
    )
    return noisy(big, ms)


def after(seen, ms):
    """The shots that begin after `ms` of the program."""
    start = seen.pieces[0][0].start_ms
    return [shot for shot, _ in seen.pieces if shot.end_ms - start > ms + 400]


def test_no_inset_is_looked_for_in_what_comes_out_of_a_fade(monkeypatch):
    """A camera that does not lie yet where it is thought to looks covered there."""
    searched: list[float] = []
    search = inset.InsetFinder._search

    def noted(self, big, evidence, views):
        searched.append(evidence.at_ms - START_MS)
        return search(self, big, evidence, views)

    monkeypatch.setattr(inset.InsetFinder, "_search", noted)

    def show(ms):
        if ms < 4500:
            return CUTS(ms)
        share = min(1.0, abs(ms - 4900) / 400)
        return noisy(np.asarray(share * with_inset(ms, 0.55) + (1 - share) * 16, np.uint8), ms)

    seen = watch(CAMERAS, show, 8.0)
    assert not [ms for ms in searched if 4940 <= ms <= 5260]
    assert searched
    shot, _ = seen.shot_at(6000)
    assert (shot.state, shot.cameras) == (ShotState.COMPOSED, (A, B))


def test_a_large_inset_is_composed_of_two():
    def show(ms):
        return with_inset(ms, 0.55) if ms >= 4500 else CUTS(ms)

    seen = watch(CAMERAS, show, 7.0)
    late = after(seen, 4500)
    assert {shot.state for shot in late} == {ShotState.COMPOSED}
    assert {frozenset(shot.cameras) for shot in late} == {frozenset({A, B})}


def test_an_inset_that_was_found_late_is_looked_for_in_the_pictures_before(monkeypatch):
    searched, search = [], inset.InsetFinder._search

    def slow(finder, *arguments):
        searched.append(1)
        return search(finder, *arguments) if len(searched) > 3 else None

    monkeypatch.setattr(inset.InsetFinder, "_search", slow)
    seen = watch(CAMERAS, lambda ms: with_inset(ms, 0.55) if ms >= 4500 else CUTS(ms), 7.0)
    start = next(shot.start_ms for shot, _ in seen.pieces if shot.state is ShotState.COMPOSED)
    assert start - START_MS == pytest.approx(4500, abs=41)


@pytest.mark.parametrize("start", [5000, 5120, 5240, 5360])
def test_an_inset_that_comes_long_after_a_graphic_is_found_at_once(start, monkeypatch):
    """For a second something covers the picture that is no inset; the search has become rare."""
    graphic = np.random.default_rng(7).integers(0, 255, (60, 60), np.uint8)
    monkeypatch.setattr(Composer, "look_back", lambda *_: False)

    def show(ms):
        picture = with_inset(ms, 0.5) if ms >= start else CUTS(ms)
        if ms >= 3800:
            picture = picture.copy()
            picture[:60, :60] = graphic
        return picture

    seen = watch(CAMERAS, show, 7.0)
    found = next(shot.start_ms for shot, _ in seen.pieces if shot.state is ShotState.COMPOSED)
    assert found - START_MS == pytest.approx(start, abs=81)


@pytest.mark.parametrize(("found_now", "kept"), [(40.0, True), (140.0, False)])
def test_what_was_seen_side_by_side_stays_unless_a_camera_explains_more(
    monkeypatch, found_now, kept
):
    """A camera is placed anew: pictures that wait are seen anew, but what an inset is found by, the
    pictures before, is gone by then."""
    sight = Sight(list(CAMERAS), SightSettings())
    states = States(len(CAMERAS))
    old, new = (
        Evidence(9, 360.0, np.zeros((9, 16), np.uint8), np.zeros(states.count), [None] * 3)
        for _ in range(2)
    )
    old.composed = states.pair(0, 1)
    old.nats[old.composed], new.nats[0] = 100.0, found_now
    monkeypatch.setattr(Eye, "look_again", lambda *_, **__: new)
    monkeypatch.setattr(Eye, "explained", lambda _, evidence: evidence is new)
    assert (sight._seen_anew(old) is old) == kept


@pytest.mark.parametrize(("found_now", "kept"), [(40.0, True), (140.0, False)])
def test_a_blend_that_was_found_stays_unless_more_is_explained(monkeypatch, found_now, kept):
    """In a zoom the cameras lie elsewhere by now than they did in the pictures that wait."""
    sight = Sight(list(CAMERAS), SightSettings())
    states = States(len(CAMERAS))
    state = states.pair(0, 1)
    old, new = (
        Evidence(9, 360.0, np.zeros((9, 16), np.uint8), np.zeros(states.count), [None] * 3)
        for _ in range(2)
    )
    old.mixes[state] = Mix(100.0, 0.5, split=False, blocks=np.zeros(BLOCKS))
    old.nats[state], new.nats[state] = 100.0, found_now
    monkeypatch.setattr(Eye, "look_again", lambda *_, **__: new)
    monkeypatch.setattr(Eye, "explained", lambda *_: False)
    assert (sight._seen_anew(old) is old) == kept


def test_an_inset_of_a_camera_never_seen_that_is_not_mirrored_as_the_others_are():
    """... and over whose foot a ticker runs, from the start on."""
    plain = cuts(CAMERAS, [(0, A), (1500, C), (3000, A)])

    def show(ms):
        picture = plain(ms)[:, ::-1].copy()
        if ms >= 4500:
            small, (h, w) = live(B, ms), picture.shape
            high, wide = round(h * 0.55), round(w * 0.55)
            there = cv2.resize(small, (wide, high), interpolation=cv2.INTER_AREA)
            picture[h - high - 3 : h - 3, w - wide - 4 : w - 4] = there
        picture[-14:] = 40
        return picture

    seen = watch(CAMERAS, show, 7.0)
    late = after(seen, 4500)
    assert {shot.state for shot in late} == {ShotState.COMPOSED}
    assert {frozenset(shot.cameras) for shot in late} == {frozenset({A, B})}


@pytest.mark.parametrize(("middle", "found"), [((0.5, 0.55), False), ((0.66, 0.55), True)])
def test_what_is_about_the_middle_of_a_picture_is_no_inset(middle, found):
    """A camera that zooms shows there what one beside it shows closer."""

    def show(ms):
        if ms < 4500:
            return CUTS(ms)
        picture, small = live(A, ms).copy(), live(B, ms)
        h, w = picture.shape
        high, wide = round(h * 0.55), round(w * 0.55)
        y, x = round(middle[1] * h - high / 2), round(middle[0] * w - wide / 2)
        there = cv2.resize(small, (wide, high), interpolation=cv2.INTER_AREA)
        picture[y : y + high, x : x + wide] = there
        return noisy(picture, ms)

    states = {shot.state for shot in after(watch(CAMERAS, show, 7.0), 4500)}
    assert (states == {ShotState.COMPOSED}) == found


def test_a_small_inset_is_an_overlay():
    def show(ms):
        return with_inset(ms, 0.3) if ms >= 4500 else CUTS(ms)

    seen = watch(CAMERAS, show, 7.0)
    assert {(shot.state, shot.camera) for shot in after(seen, 4500)} == {(ShotState.LIVE, A)}
    assert [kind for kind, *_ in seen.told()] == ["cut", "cut"]


def test_a_zoom_of_the_program_is_no_cut():
    def show(ms):
        picture = CUTS(ms)
        zoom = 1.0 + 0.5 * min(1.0, max(0.0, (ms - 4000) / 2500))
        h, w = picture.shape
        matrix = np.array([[zoom, 0, (1 - zoom) * w / 2], [0, zoom, (1 - zoom) * h / 2]])
        return cv2.warpAffine(picture, matrix, (w, h))

    seen = watch(CAMERAS, show, 8.0)
    assert [(kind, to) for kind, _, _, to in seen.told()] == [("cut", B), ("cut", A)]
    assert {(shot.state, shot.camera) for shot in after(seen, 4000)} == {(ShotState.LIVE, A)}


def test_the_longer_past_finds_what_was_shown_before():
    camera, memory, past = Camera(5), Memory(1000.0), Past(0.0, 500.0)
    for n in range(300):
        picture = camera.at(40.0 * n)
        memory.add(40.0 * n, picture)
        past.add(40.0 * n, picture)
    old = Seen.of(blocks(sample(camera.at(2400.0), WHOLE, portrait=False)))
    fit, then_ms = past.best(old, memory, -np.inf, 9000.0)
    assert fit > 0.8
    assert then_ms == pytest.approx(2400.0, abs=60)
    other = Seen.of(blocks(sample(Camera(6).at(2400.0), WHOLE, portrait=False)))
    assert past.best(other, memory, -np.inf, 9000.0)[0] < 0.2
    assert past.best(old, memory, -np.inf, -1.0)[0] == 0.0
    assert past.best(old, memory, 4000.0, 9000.0)[0] < 0.8


def test_an_inset_stays_while_pictures_of_its_camera_are_missing():
    """... though hardly anything of the big picture is left to tell it by."""

    def show(ms):
        picture = CUTS(ms).copy() if ms < 4500 else with_inset(ms, 0.65)
        picture[:18] = 40
        return picture

    def lost(frame):
        since = frame.at_ms - START_MS
        return frame.feed == B and any(start < since < start + 160 for start in (5400, 5900))

    sight = Sight(list(CAMERAS))
    seen = look_at(sight, [f for f in frames(CAMERAS, show, 7.0) if not lost(f)])
    assert {shot.state for shot in after(seen, 4500)} == {ShotState.COMPOSED}


class Alike(Camera):
    """A camera whose upper part shows, enlarged, about what stands above a lower third."""

    def at(self, ms: float) -> np.ndarray:
        own, other = super().at(ms), CAMERAS[A].at(ms)
        part = other[round(0.41 * 90) : round(0.89 * 90), round(0.06 * 160) : round(0.54 * 160)]
        grown = cv2.resize(part, (160, 90), interpolation=cv2.INTER_LINEAR)
        return np.asarray(0.9 * grown + 0.1 * own, np.uint8)


def test_a_lower_third_is_no_inset_of_a_camera_that_shows_something_alike():
    """The camera on program is still to be seen where an inset would be."""
    cameras = {A: CAMERAS[A], B: Alike(2), C: CAMERAS[C]}
    plain = cuts(cameras, [(0, A), (1500, B), (3000, A), (6000, C)])

    def show(ms):
        picture = plain(ms).copy()
        if ms >= 4000:
            picture[round(0.7 * 90) : round(0.94 * 90), : round(0.8 * 160)] = 40
        return picture

    seen = watch(cameras, show, 8.0)
    assert {shot.state for shot in after(seen, 1500)} == {ShotState.LIVE}


class Stage(Camera):
    """A stage that stands still, and someone who walks on it; seen from `aside` px beside."""

    aside = 0

    def at(self, ms: float) -> np.ndarray:
        picture = self.world[20:110, 20 + self.aside : 180 + self.aside].copy()
        x = round(60 + 55 * np.sin(1.7 * ms / 1000.0)) - self.aside
        picture[25:85, x : x + 26] = super().at(ms)[25:85, x : x + 26]
        return picture


class Beside(Stage):
    aside = 3


def test_of_two_that_look_alike_the_inset_is_of_the_one_whose_moment_it_shows():
    """Its delay is not known yet: it was never on program before."""
    cameras = {A: CAMERAS[A], B: Stage(5), C: Beside(5)}
    plain = cuts(cameras, [(0, A), (1500, B), (3000, A)])

    def show(ms):
        picture = plain(ms).copy()
        if ms >= 4500:
            small = cv2.resize(cameras[C].at(ms - 900.0), (88, 50), interpolation=cv2.INTER_AREA)
            picture[37:87, 68:156] = small
        return noisy(picture, ms)

    seen = watch(cameras, show, 7.0)
    late = after(seen, 4500)
    assert {frozenset(shot.cameras) for shot in late} == {frozenset({A, C})}


def test_an_inset_in_the_picture_of_a_camera_that_was_never_on():
    """The first cut of the programme goes to it."""

    def show(ms):
        if ms < 1500:
            return noisy(live(C, ms), ms)
        return with_inset(ms, 0.55)

    seen = watch(CAMERAS, show, 5.0)
    late = after(seen, 1500)
    assert {(shot.state, frozenset(shot.cameras)) for shot in late} == {
        (ShotState.COMPOSED, frozenset({A, B}))
    }


def test_block_by_block_a_picture_tells_more_than_as_a_whole(monkeypatch):
    """... and than where its edges are seen: of two that look alike, the one that fits."""
    cameras = [sight_camera.Camera(SightSettings()) for _ in range(3)]
    finder = inset.InsetFinder(Eye(States(3), cameras, SightSettings()), cameras, 3000.0)
    evidence = Evidence(9, 360.0, live(A, 360.0), np.zeros(20), [None] * 3)
    evidence.matches[0] = SimpleNamespace(
        blocks=np.zeros(BLOCKS), information=np.ones(BLOCKS), index=0
    )
    hits = [seek.Hit(0.95, n, False, Rect(0.5, 0.5, 0.9, 0.9), 0) for n in (1, 2)]
    fits = {1: 0.576, 2: 0.334}
    monkeypatch.setattr(inset, "seek", lambda *_: hits)
    monkeypatch.setattr(finder, "_closest", lambda likely, _: likely)
    monkeypatch.setattr(finder, "_placed", lambda hit, *_: (inset.Placement(), 0, fits[hit.number]))
    monkeypatch.setattr(finder, "_shows", lambda *_: 0.0)
    monkeypatch.setattr(finder, "_is_all", lambda *_: False)
    told = {1: 0.558, 2: 1.0}
    monkeypatch.setattr(
        finder, "_outlined", lambda _, __, able: [(f * told[i.small], i) for f, i in able]
    )
    found = finder._search(0, evidence, None)
    assert found.small == 1
    assert found.rivals[2] < 0.7


@pytest.mark.parametrize("count", [3, 10, 20])
def test_pictures_all_along_the_past_of_every_camera_are_tried_however_many_there_are(
    monkeypatch, count
):
    cameras = [sight_camera.Camera(SightSettings()) for _ in range(count)]
    for camera in cameras:
        for n in range(90):
            camera.memory.add(40.0 * n, texture(1))
    finder = inset.InsetFinder(Eye(States(count), cameras, SightSettings()), cameras, 3200.0)
    tried = {n: set() for n in range(count)}

    def note(_program, pictures, *_):
        for picture in pictures:
            tried[picture.number].add(picture.index)
        return []

    monkeypatch.setattr(inset, "seek", note)
    match = SimpleNamespace(blocks=np.zeros(BLOCKS), information=np.ones(BLOCKS), index=0)
    evidence = Evidence(9, 3560.0, texture(1), np.zeros(500), [match] * count)
    for _ in range(-(-count // 8)):
        finder._search(0, evidence, None)
    assert {len(indices) for n, indices in tried.items() if n} == {7}


def test_an_inset_of_a_camera_that_was_never_on_and_is_late():
    """What it showed a moment ago is not what is in the inset."""
    late_ms = 2200.0
    cameras = CAMERAS | {B: Turning(2)}

    def show(ms):
        big, small = live(A, ms).copy(), cameras[B].at(ms - late_ms)
        if ms < 3500:
            return noisy(live(C if 1500 <= ms < 2500 else A, ms), ms)
        big[38:88, 68:157] = cv2.resize(small, (89, 50), interpolation=cv2.INTER_AREA)
        return noisy(big, ms)

    seen = watch(cameras, show, 7.0)
    assert {(shot.state, frozenset(shot.cameras)) for shot in after(seen, 3500)} == {
        (ShotState.COMPOSED, frozenset({A, B}))
    }


@pytest.mark.parametrize("known", [False, True])
def test_how_late_the_camera_of_an_inset_is_is_corrected_where_that_is_not_known(known):
    """While it held still, any of its pictures fitted."""
    camera = sight_camera.Camera(SightSettings())
    for n in range(90):
        camera.memory.add(40.0 * n, Turning(2).at(40.0 * n))
    if known:
        camera.delay = SimpleNamespace(locked=True, ms=700.0)
    finder = inset.InsetFinder(Eye(States(2), [camera] * 2, SightSettings()), [camera] * 2, 3200.0)
    picture = live(A, 3500.0).copy()
    picture[38:88, 68:157] = cv2.resize(
        camera.memory.luma(32), (89, 50), interpolation=cv2.INTER_AREA
    )
    on = Rect(68 / 160, 38 / 90, 157 / 160, 88 / 90)
    placement = inset.Placement(on=on)
    finder._found = inset.Inset(0, 1, placement, 700.0, np.zeros(BLOCKS, np.bool_), 0.5)
    evidence = Evidence(9, 3500.0, picture, np.zeros(8), [None] * 2)
    assert finder._is_later(evidence, inset.Views(picture)) == (not known)
    assert finder._found.lag_ms == pytest.approx(700.0 if known else 2200.0, abs=300)


@pytest.mark.parametrize(("wall", "covers"), [(0.3, True), (0.6, False)])
def test_an_inset_need_not_cover_a_wall_on_which_little_is_seen(wall, covers):
    """Of 8 blocks in it, 4 do not show the big camera; the rest do as far as ever."""
    camera = sight_camera.Camera(SightSettings())
    usual = np.full((4, 8), 0.6)
    usual[2, 4:] = wall
    for _ in range(10):
        camera.chart.learn(usual.ravel(), np.full(BLOCKS, 10.0), None)
    fits = usual.copy()
    fits[3, 4:] = 0.0
    match = SimpleNamespace(blocks=fits.ravel(), information=np.full(BLOCKS, 10.0))
    evidence = SimpleNamespace(matches=[match], luma=np.zeros((90, 160), np.uint8))
    assert Behind([camera]).covering(0, evidence).by(Rect(0.5, 0.5, 1.0, 1.0)) == covers


@pytest.mark.parametrize(("beside", "shown"), [(0.6, True), (0.0, False)])
def test_what_is_nowhere_beside_an_inset_is_not_behind_it(beside, shown):
    """Where the big picture is plain, that it does not fit tells little."""
    camera = sight_camera.Camera(SightSettings())
    for _ in range(10):
        camera.chart.learn(np.full(BLOCKS, 0.6), np.full(BLOCKS, 10.0), None)
    inside = np.zeros((4, 8), np.bool_)
    inside[2:, 4:] = True
    match = SimpleNamespace(
        blocks=np.where(inside, 0.0, beside).ravel(), information=np.where(inside, 10, 0.5).ravel()
    )
    evidence = SimpleNamespace(matches=[match], luma=np.zeros((90, 160), np.uint8))
    assert Behind([camera]).covering(0, evidence).by(Rect(0.5, 0.5, 1.0, 1.0)) == shown


def test_a_dissolve_is_not_searched_for_an_inset(monkeypatch):
    searched, search = [], inset.InsetFinder._search

    def counted(finder, big, evidence, views):
        searched.append(evidence.at_ms - START_MS)
        return search(finder, big, evidence, views)

    monkeypatch.setattr(inset.InsetFinder, "_search", counted)

    def show(ms):
        share = float(np.clip((ms - 4500) / 1000, 0, 1))
        mixed = (1 - share) * live(A, ms) + share * live(B, ms)
        return mixed.astype(np.uint8) if ms >= 4500 else CUTS(ms)

    watch(CAMERAS, show, 7.0)
    assert not [ms for ms in searched if 4700 < ms < 5300]


def test_a_repeated_picture_shows_the_inset_that_is_found_in_what_it_repeats(monkeypatch):
    cameras = [sight_camera.Camera(SightSettings()) for _ in range(3)]
    states = States(3)
    composer = Composer(Eye(states, cameras, SightSettings()), cameras, states, 3000.0)

    def found(evidence):
        evidence.composed = states.pair(0, 1)
        evidence.nats[evidence.composed] = 100.0
        return True

    monkeypatch.setattr(composer, "_is_in", found)
    composer._shown = 3
    earlier = [
        Evidence(n, 40.0 * n, live(A, 0), np.zeros(states.count), [None] * 3, repeat=n in (1, 2))
        for n in (3, 2, 1, 0)
    ]
    assert composer.look_back(earlier)
    assert [evidence.composed for evidence in earlier] == [states.pair(0, 1)] * 4
    assert all(evidence.nats.argmax() == states.pair(0, 1) for evidence in earlier)


def test_an_inset_of_a_camera_never_seen_is_held_to_the_others_under_what_lies_over_them():
    cameras = [sight_camera.Camera(SightSettings()) for _ in range(2)]
    under = np.where(np.arange(BLOCKS) < 12, 0.0, 0.9)
    for _ in range(60):
        cameras[0].chart.learn(under, np.full(BLOCKS, 10.0), None)
    cameras[0].confirmed, cameras[0].level = True, 0.55
    finder = inset.InsetFinder(Eye(States(2), cameras, SightSettings()), cameras, 3000.0)
    assert finder._worth(1) == pytest.approx(finder._worth(0), abs=0.01)
