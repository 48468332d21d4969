"""The books of a session: what goes in, which rows come of it, and nothing twice."""

import pytest

from tap.clock import ManualClock
from tap.ledger import (
    BookError,
    Bookkeeper,
    CameraFacts,
    EmbeddedLedger,
    FactKind,
    Journal,
    SessionFacts,
    all_events,
    all_stills,
    read_journal,
)
from tap.vocabulary import Claim, ClaimType, Event, EventType, Shot, ShotState, Verdict, VerdictCode

SESSION = SessionFacts("shoot-1", title="Autumn", mode="manual")
CAMERAS = (CameraFacts("cam-a", role="hero", source="http://a/stream"), CameraFacts("cam-b"))


class Desk:
    """A bookkeeper who can be sent home in the middle of it, and comes back."""

    def __init__(self, folder):
        self.folder = folder
        self.store = EmbeddedLedger(folder / "ledger.sqlite")
        self.clock = ManualClock()
        self.books = None

    def begin(self, session=SESSION, cameras=CAMERAS, at_ms=1000.0):
        journal = Journal(self.folder / "journal.sqlite")
        external_id = session.external_id
        self.books = Bookkeeper(journal, self.store, external_id=external_id, clock=self.clock)
        return self.books.begin(session, cameras, at_ms)

    def crash(self):
        """What a kill leaves: the files as they are."""
        self.books._outbox.stop()
        self.books._journal.close()

    def rows(self, session_key="shoot-1"):
        assert self.books._outbox.flush(20)
        return list(all_events(self.store, session_key))

    def close(self):
        if self.books is not None:
            self.books.close()
        self.store.close()


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def cut(claim_id="m1", at=2000.0, recv=None, **more):
    fields = {"type": ClaimType.CUT, "camera": "cam-b"} | more
    raw = {"type": str(fields["type"]), "id": claim_id}
    received = at + 5 if recv is None else recv
    return Claim(**({"id": claim_id, "at_ms": at, "recv_ms": received, "raw": raw} | fields))


def seen(event_id="cut-2150", at=2150.0, kind=EventType.CUT):
    return Event(
        id=event_id, type=kind, at_ms=at, from_camera="cam-a", to_camera="cam-b", confidence=0.99
    )


def agree(claim_id="m1", event_id="cut-2150", code=VerdictCode.AGREE, at=2150.0):
    lag = None if claim_id is None or event_id is None else 150.0
    return Verdict(
        code=code, claim_id=claim_id, event_id=event_id, at_ms=at, lag_ms=lag, confidence=0.99,
        text="It did.",
    )  # fmt: skip


def note(claim_id, at=2000.0, code=VerdictCode.NOTED):
    return Verdict(code=code, claim_id=claim_id, at_ms=at, confidence=1, text="Noted.")


SHOT = Shot(start_ms=0, end_ms=2150, state=ShotState.LIVE, camera="cam-a", confidence=0.97)


class TestRows:
    def test_a_session_and_its_cameras_are_there_from_the_start(self, desk):
        begun = desk.begin()
        assert (begun.resumed, begun.run, begun.claims) == (False, 1, ())
        desk.rows()
        session = desk.store.session("shoot-1")
        assert (session.kind, session.title, session.mode) == (
            "photoshoot_performance",
            "Autumn",
            "manual",
        )
        assert (session.status, session.started_at_ms, session.runs) == ("live", 1000.0, 1)
        cameras = desk.store.cameras("shoot-1")
        assert [(c.key, c.role, c.rev) for c in cameras] == [
            ("shoot-1/camera/cam-a", "hero", 1),
            ("shoot-1/camera/cam-b", None, 1),
        ]

    def test_a_verdict_on_a_message_and_a_change(self, desk):
        desk.begin()
        assert desk.books.claim(cut())
        desk.books.event(seen())
        desk.books.verdict(agree(), cut(), seen())
        [row] = desk.rows()
        assert (row.key, row.seq, row.type, row.source) == (
            "shoot-1/claim/m1",
            1,
            "cut",
            "director",
        )
        assert (row.at_ms, row.camera, row.from_camera) == (2000.0, "cam-b", "cam-a")
        assert (row.verdict, row.lag_ms, row.confidence) == ("AGREE", 150.0, 0.99)
        assert row.claim == cut()
        assert row.seen == seen()

    def test_a_change_that_nobody_announced(self, desk):
        desk.begin()
        dissolve = seen("dissolve-2150", kind=EventType.DISSOLVE)
        desk.books.event(dissolve)
        unannounced = agree(None, dissolve.id, VerdictCode.UNANNOUNCED)
        desk.books.verdict(unannounced, None, dissolve)
        [row] = desk.rows()
        assert (row.key, row.type, row.source) == (
            "shoot-1/seen/dissolve-2150",
            "dissolve",
            "witness",
        )
        assert (row.at_ms, row.camera, row.from_camera, row.claim) == (
            2150.0,
            "cam-b",
            "cam-a",
            None,
        )

    @pytest.mark.parametrize("kind", list(ClaimType))
    def test_every_type_of_message_gets_its_row(self, desk, kind):
        desk.begin()
        claim = cut(type=kind, mode="ghost" if kind is ClaimType.MODE else None)
        desk.books.claim(claim)
        desk.books.verdict(note("m1"), claim)
        [row] = desk.rows()
        expected = {"unknown": "message", "unreadable": "message", "still": "still_capture"}
        assert row.type == expected.get(kind.value, kind.value)

    def test_a_message_that_no_ledger_can_hold_is_kept_whole(self, desk):
        desk.begin()
        raw = {
            "$type": "x",
            "deep": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],
            "seq": 2**62,
            "text": "\ud800",
        }
        claim = cut(type=ClaimType.UNKNOWN, seq=2**62).model_copy(update={"raw": raw})
        assert desk.books.claim(claim)
        desk.books.verdict(note("m1"), claim)
        [row] = desk.rows()
        assert set(row.claim.raw) == {"json"}
        desk.crash()
        assert desk.begin().claims == (claim,)
        assert not desk.books.claim(claim)

    def test_ids_can_not_pass_for_other_keys(self, desk):
        odd = SessionFacts("a/b#2")
        desk.begin(odd)
        for claim_id in ("m", "m", "m#2", "m%232", "a/claim/m"):
            desk.books.claim(cut(claim_id, recv=len(claim_id) + len(desk.rows("a%2Fb%232"))))
            code = VerdictCode.DUPLICATE if len(desk.rows("a%2Fb%232")) == 1 else VerdictCode.MISSED
            desk.books.verdict(agree(claim_id, None, code))
        keys = [row.key for row in desk.rows("a%2Fb%232")]
        names = ["m", "m#2", "m%232", "m%25232", "a%2Fclaim%2Fm"]
        assert keys == [f"a%2Fb%232/claim/{name}" for name in names]

    def test_a_number_that_is_none_is_refused_before_the_journal(self, desk):
        desk.begin()
        desk.books.claim(cut())
        wrong = agree("m1", None).model_copy(update={"confidence": float("nan")})
        with pytest.raises(BookError, match="confidence"):
            desk.books.verdict(wrong, cut())
        assert list(desk.books._journal.records(FactKind.VERDICT)) == []


class TestStills:
    def still(self, claim_id="m1", **more):
        return cut(claim_id, type=ClaimType.STILL, **({"still_id": "s1", "kind": "capture"} | more))

    def test_a_still_gets_a_row_with_the_program_at_its_time(self, desk):
        desk.begin()
        claim = self.still(uri="file:1.jpg", sha256="ab" * 32)
        desk.books.claim(claim)
        desk.books.verdict(note("m1"), claim, program=SHOT)
        [row] = desk.rows()
        assert row.type == "still_capture"
        [still] = all_stills(desk.store, "shoot-1")
        assert (still.key, still.still_id, still.camera_id) == ("shoot-1/still/s1", "s1", "cam-b")
        assert (still.program_camera, still.program_confidence) == ("cam-a", 0.97)
        assert (still.kind, still.uri, still.sha256) == ("capture", "file:1.jpg", "ab" * 32)

    def test_the_program_is_told_only_where_it_was_seen(self, desk):
        desk.begin()
        desk.books.shot(SHOT)
        running = Shot(start_ms=2150, end_ms=3000, state=ShotState.BLACK, confidence=0.9)
        for n, at in enumerate((2000.0, 2500.0, 3500.0)):
            claim = self.still(f"m{n}", at=at, still_id=f"s{n}")
            desk.books.claim(claim)
            desk.books.verdict(note(f"m{n}"), claim, program=running)
        desk.rows()
        stills = list(all_stills(desk.store, "shoot-1"))
        assert [(s.program_state, s.program_camera, s.program_confidence) for s in stills] == [
            ("live", "cam-a", 0.97),
            ("black", None, 0.9),
            (None, None, None),
        ]

    def test_one_told_twice_is_one_and_two_messages_about_one_are_two(self, desk):
        desk.begin()
        told = [self.still(recv=1), self.still(recv=2), self.still("m2", kind="marker")]
        for claim in told:
            desk.books.claim(claim)
        desk.books.verdict(note("m1"))
        desk.books.verdict(note("m1", code=VerdictCode.DUPLICATE))
        desk.books.verdict(note("m2"))
        assert [row.type for row in desk.rows()] == ["still_capture"] * 2 + ["still_marker"]
        stills = list(all_stills(desk.store, "shoot-1"))
        assert [(s.key, s.kind) for s in stills] == [
            ("shoot-1/still/s1", "capture"),
            ("shoot-1/still/s1#2", "marker"),
        ]

    def test_one_without_an_id_is_named_by_its_message(self, desk):
        desk.begin()
        desk.books.claim(self.still(still_id=None))
        desk.books.verdict(note("m1"))
        desk.rows()
        assert [s.still_id for s in all_stills(desk.store, "shoot-1")] == ["m1"]

    def test_one_without_a_camera_is_an_event_alone(self, desk):
        desk.begin()
        desk.books.claim(self.still(camera=None))
        desk.books.verdict(note("m1"))
        assert len(desk.rows()) == 1
        assert list(all_stills(desk.store, "shoot-1")) == []


class TestCameras:
    def test_what_is_learnt_is_added_and_nothing_is_forgotten(self, desk):
        desk.begin()
        desk.books.camera(CameraFacts("cam-b", label="left"))
        desk.books.camera(CameraFacts("cam-b", label="left"))
        registration = cut(
            type=ClaimType.CAMERA, camera="cam-b", role="wide", placement="2 m", raw={}
        )
        desk.books.claim(registration)
        desk.books.camera(CameraFacts("cam-new"))
        desk.rows()
        _, known, new = desk.store.cameras("shoot-1")
        assert (known.label, known.role, known.placement, known.rev) == ("left", "wide", "2 m", 3)
        assert (new.camera_id, new.role, new.rev) == ("cam-new", None, 1)

    def test_a_resumed_session_knows_them(self, desk):
        desk.begin()
        desk.books.camera(CameraFacts("cam-b", label="left"))
        desk.crash()
        desk.begin(cameras=(CameraFacts("cam-b", role="wide"), CameraFacts("cam-b", role="wide")))
        desk.rows()
        found = desk.store.cameras("shoot-1")[1]
        assert (found.label, found.role, found.rev) == ("left", "wide", 3)


class TestSession:
    def test_the_director_may_tell_what_the_configuration_did_not(self, desk):
        desk.begin(SessionFacts("shoot-1", title="Ours"))
        start = cut(type=ClaimType.SESSION_START, title="Theirs", notes="rain", mode="ghost")
        desk.books.claim(start)
        desk.rows()
        session = desk.store.session("shoot-1")
        assert (session.title, session.notes, session.mode) == ("Ours", "rain", "ghost")
        assert (session.runs, session.status) == (1, "live")

    def test_it_is_completed_once_and_resumed_after_that(self, desk):
        desk.begin()
        desk.books.complete(9000.0, {"programCamera": "cam-a", "verdicts": {"AGREE": 2}})
        desk.books.complete(9500.0, {"programCamera": "cam-b"})
        desk.rows()
        session = desk.store.session("shoot-1")
        assert (session.status, session.ended_at_ms) == ("completed", 9000.0)
        assert session.final_state.verdicts == {VerdictCode.AGREE: 2}
        assert desk.books.status().differing == 1
        desk.crash()
        assert desk.begin(SessionFacts("shoot-1"), at_ms=10_000.0).run == 2
        desk.rows()
        session = desk.store.session("shoot-1")
        assert (session.status, session.runs, session.started_at_ms) == ("live", 2, 1000.0)
        assert session.title == "Autumn"
        desk.books.complete(11_000.0, {})
        desk.rows()
        assert desk.store.session("shoot-1").ended_at_ms == 11_000.0

    def test_a_wrong_final_state_is_named(self, desk):
        desk.begin()
        with pytest.raises(BookError, match=r"verdicts\.PERFECT"):
            desk.books.complete(1.0, {"verdicts": {"PERFECT": 1}})

    def test_it_has_to_be_begun_once_and_by_its_name(self, desk):
        desk.begin()
        with pytest.raises(BookError, match="once"):
            desk.books.begin(SESSION)
        desk.crash()
        journal = Journal(desk.folder / "journal.sqlite")
        desk.books = Bookkeeper(journal, desk.store, external_id="other")
        with pytest.raises(BookError, match="begin it first"):
            desk.books.claim(cut())
        with pytest.raises(BookError, match="shoot-1"):
            desk.books.begin(SESSION)


class TestAgain:
    def test_everything_handed_in_again_changes_nothing(self, desk):
        desk.begin()
        self.hand_in(desk)
        before = desk.rows()
        stills = list(all_stills(desk.store, "shoot-1"))
        desk.crash()
        begun = desk.begin()
        assert (begun.resumed, begun.run) == (True, 2)
        assert [claim.id for claim in begun.claims] == ["m1", "m1", "m2", "m3"]
        assert begun.events == (seen(), seen("cut-5000", 5000.0))
        assert begun.shots == (SHOT,)
        assert set(begun.verdicts) == {row.key for row in before}
        assert self.hand_in(desk) == [False] * 4
        assert desk.rows() == before
        assert list(all_stills(desk.store, "shoot-1")) == stills
        status = desk.books.status()
        assert (status.pending, status.parked, status.differing) == (0, 0, 0)

    def hand_in(self, desk):
        books = desk.books
        claims = [cut(recv=2001), cut(recv=2400), cut("m2", type=ClaimType.UNREADABLE, camera=None)]
        claims.append(cut("m3", type=ClaimType.STILL, still_id="s"))
        new = [books.claim(claim) for claim in claims]
        books.event(seen())
        books.event(seen("cut-5000", 5000.0))
        books.shot(SHOT)
        books.verdict(note("m1", code=VerdictCode.DUPLICATE))
        books.verdict(note("m2"))
        books.verdict(note("m3"))
        books.verdict(agree())
        books.verdict(agree(None, "cut-5000", VerdictCode.UNANNOUNCED, 5000.0))
        return new

    def test_the_first_verdict_stands(self, desk):
        desk.begin()
        desk.books.claim(cut())
        desk.books.event(seen())
        desk.books.verdict(agree())
        desk.crash()
        desk.begin()
        desk.books.verdict(note("m1", code=VerdictCode.UNSEEN))
        desk.books.verdict(agree(None, "cut-2150", VerdictCode.UNANNOUNCED))
        [row] = desk.rows()
        assert row.verdict == "AGREE"
        assert desk.books.status().differing == 2

    def test_rows_not_sent_before_the_end_are_sent_in_the_next_run(self, desk):
        desk.begin()
        desk.rows()
        desk.books._outbox.stop()
        for n in range(5):
            desk.books.claim(cut(f"m{n}"))
            desk.books.verdict(agree(f"m{n}", None, VerdictCode.MISSED))
        assert desk.books.status().pending == 5
        desk.clock.sleep(3)
        assert desk.books.status().oldest_age_ms == 3000.0
        desk.crash()
        desk.begin()
        assert [row.seq for row in desk.rows()] == [1, 2, 3, 4, 5]

    def test_a_verdict_needs_its_facts(self, desk):
        desk.begin()
        for verdict in (agree("m9", None), agree(None, "e9"), agree(None, None)):
            with pytest.raises(BookError, match="verdict on"):
                desk.books.verdict(verdict)
        assert desk.rows() == []


def test_closing_sends_what_waits_and_lets_go_of_the_journal(desk):
    desk.begin()
    desk.books.claim(cut())
    desk.books.verdict(agree("m1", None, VerdictCode.MISSED))
    status = desk.books.close(timeout_s=20)
    assert (status.pending, status.sent) == (0, 4)
    with read_journal(desk.folder / "journal.sqlite") as journal:
        assert [fact.kind for fact in journal.records()] == [
            "run", "session", "camera", "camera", "claim", "verdict",
        ]  # fmt: skip
    desk.books = None


def test_what_the_disk_refused_can_be_handed_in_again(desk):
    desk.begin()
    desk.rows()
    database = desk.books._journal._database
    [(pages,)] = database.execute("PRAGMA page_count")
    database.execute(f"PRAGMA max_page_count = {pages}")
    big = cut(type=ClaimType.CAMERA, camera="cam-b", role="r" * 20_000)
    with pytest.raises(BookError, match="full"):
        desk.books.claim(big)
    database.execute("PRAGMA max_page_count = 1000000")
    assert desk.books.claim(big)
    desk.books.verdict(note("m1"), big)
    assert [row.key for row in desk.rows()] == ["shoot-1/claim/m1"]
    assert desk.store.cameras("shoot-1")[1].rev == 2


def test_a_verdict_that_the_disk_refused_is_still_about_its_message(desk):
    desk.begin()
    desk.rows()
    for recv in (1, 2):
        desk.books.claim(cut(recv=recv))
    database = desk.books._journal._database
    [(pages,)] = database.execute("PRAGMA page_count")
    database.execute(f"PRAGMA max_page_count = {pages}")
    repeated = note("m1", code=VerdictCode.DUPLICATE)
    repeated = repeated.model_copy(update={"text": "x" * 20_000})
    with pytest.raises(BookError, match="full"):
        desk.books.verdict(repeated)
    database.execute("PRAGMA max_page_count = 1000000")
    desk.books.verdict(repeated)
    assert [row.key for row in desk.rows()] == ["shoot-1/claim/m1#2"]
