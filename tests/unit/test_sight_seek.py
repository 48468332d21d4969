"""An inset is sought in all sizes only where one may cover what is hidden."""

import cv2
import numpy as np
from tests.unit.sample_pictures import noisy, texture

from tap.sight import seek
from tap.sight.covering import Covering, blocks_in
from tap.sight.look import BLOCKS, WHOLE, Rect

BIG, SMALL = texture(9, 90, 160), texture(5, 270, 480)
RECT = Rect(0.05, 0.1, 0.55, 0.6)
SIZE = (8, 4)


def covering(hidden):
    """Of a big camera that is seen everywhere else."""
    lacking = np.where(hidden, 10.0, -10.0)
    return Covering(hidden.ravel(), np.full(BLOCKS, 10.0), lacking.ravel(), SIZE)


def under(rect):
    return blocks_in(rect, *SIZE).reshape(4, 8)


def program(rect=RECT):
    picture = BIG.copy()
    x0, y0, x1, y1 = (round(v) for v in (rect.x0 * 160, rect.y0 * 90, rect.x1 * 160, rect.y1 * 90))
    picture[y0:y1, x0:x1] = cv2.resize(SMALL, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return noisy(picture, 1)


def pictures():
    return [seek.Picture(n, False, 0, luma) for n, luma in ((1, SMALL), (2, texture(6, 270, 480)))]


def test_what_is_there_is_found_where_it_covers_what_is_hidden():
    [*hits] = seek.seek(program(), pictures(), WHOLE, covering(under(RECT)))
    assert hits[0].number == 1
    assert hits[0].rect.near(RECT, 0.03)


def test_what_the_big_camera_sees_as_well_is_found_in_the_inset():
    """It correlates with the big camera's own picture more than with the inset, over which a text
    runs."""
    small = cv2.resize(SMALL, (80, 45), interpolation=cv2.INTER_AREA)
    picture = BIG.copy()
    picture[45:90, 80:160] = small
    picture[9:54, 8:88] = small
    cv2.putText(picture, "and so", (14, 30), cv2.FONT_HERSHEY_DUPLEX, 0.3, 200)
    hits = seek.seek(picture, pictures(), WHOLE, covering(under(RECT)))
    assert hits
    assert all(hit.rect.near(RECT, 0.06) for hit in hits)


def test_what_is_hidden_in_all_corners_is_not_sought_further(monkeypatch):
    """Nothing of the shape of a camera covers that and nothing else."""
    hidden = np.zeros((4, 8), np.bool_)
    hidden[::3, ::7] = True
    sought = []
    monkeypatch.setattr(seek, "find_shrunk", lambda *a: sought.extend(a[3]) or [])
    assert not seek.seek(program(), pictures(), WHOLE, covering(hidden))
    assert not sought


def by_hand(hidden, rect):
    inside = blocks_in(rect, *SIZE)
    slack = Rect(rect.x0 - 0.5 / 8, rect.y0 - 0.5 / 4, rect.x1 + 0.5 / 8, rect.y1 + 0.5 / 4)
    touched = blocks_in(slack, *SIZE)
    flat = hidden.ravel()
    beside = np.where(flat, -10.0, 10.0)[~touched].sum()
    covered = (flat & inside).sum() >= 0.6 * inside.sum() > 0
    return (flat & touched).sum() >= 0.6 * flat.sum() and beside >= 0 and covered


def test_any_rect_is_told_as_if_block_by_block():
    random = np.random.default_rng(7)
    told = []
    for _ in range(500):
        (x0, x1), (y0, y1) = np.sort(random.uniform(0, 1, (2, 2)), axis=1).tolist()
        hidden = under(Rect(x0, y0, x1, y1)) ^ (random.random((4, 8)) < 0.15)
        moved = random.uniform(-0.1, 0.1, 4)
        rect = Rect(x0 + moved[0], y0 + moved[1], x1 + moved[2], y1 + moved[3])
        told.append(covering(hidden).by(rect))
        assert told[-1] == by_hand(hidden, rect)
    assert 50 < sum(told) < 450


def test_all_places_of_a_size_are_told_at_once():
    random = np.random.default_rng(8)
    lefts, tops = np.linspace(-0.1, 0.7, 23), np.linspace(-0.1, 0.7, 17)
    told = []
    for _ in range(60):
        hidden = random.random((4, 8)) < random.uniform(0.1, 0.7)
        wide, high = random.uniform(0.3, 0.8, 2)
        cover = covering(hidden)
        found = cover.where(wide, high, lefts, tops)
        places = [[Rect(x, y, x + wide, y + high) for x in lefts] for y in tops]
        assert found.tolist() == [[cover.by(place) for place in row] for row in places]
        told.append(found.any())
    assert any(told)
    assert not all(told)
