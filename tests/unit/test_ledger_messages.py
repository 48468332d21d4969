"""Messages with one id, and which of them a verdict is about."""

from tap.ledger.messages import Messages
from tap.vocabulary import Claim, ClaimType, Verdict, VerdictCode


def message(claim_id="m", at=0.0, recv=None, kind=ClaimType.CUT, **raw):
    return Claim(
        id=claim_id, type=kind, at_ms=at, recv_ms=at if recv is None else recv, raw={"r": raw}
    )


def verdict(code, at=0.0, claim_id="m"):
    return Verdict(code=code, claim_id=claim_id, at_ms=at, confidence=1, text="")


def test_a_message_sent_again_is_another_fact():
    messages = Messages()
    first, again = message(at=1, recv=2), message(at=1, recv=5)
    assert messages.next_nth(first) == 1
    messages.add(first)
    assert not messages.met_again("as spelled the first time")
    assert messages.next_nth(again) == 2


def test_what_an_earlier_run_journalled_is_known_as_often_as_it_came():
    messages = Messages()
    twice = message(at=1, recv=2)
    messages.recall(twice, "spelled so")
    messages.recall(twice, "spelled so")
    assert [messages.met_again("spelled so") for _ in range(3)] == [True, True, False]
    assert not messages.met_again("spelled otherwise")
    assert messages.next_nth(twice) == 3


def test_the_repetition_may_get_its_verdict_first():
    messages = Messages()
    messages.add(message(recv=1))
    messages.add(message(recv=2))
    assert messages.judged(verdict(VerdictCode.DUPLICATE)) == 2
    assert messages.judged(verdict(VerdictCode.AGREE, at=40)) == 1
    assert messages.judged(verdict(VerdictCode.AGREE, at=40)) is None


def test_an_unreadable_message_is_no_repetition_and_is_told_apart_by_its_time():
    messages = Messages()
    messages.add(message(at=1))
    messages.add(message(at=2, kind=ClaimType.UNREADABLE))
    messages.add(message(at=3, kind=ClaimType.UNREADABLE))
    assert messages.judged(verdict(VerdictCode.NOTED, at=3)) == 3
    assert messages.judged(verdict(VerdictCode.NOTED, at=2)) == 2
    assert messages.judged(verdict(VerdictCode.MISSED, at=1)) == 1


def test_a_verdict_on_a_cut_is_not_given_to_an_unreadable_message():
    messages = Messages()
    messages.add(message(at=1, kind=ClaimType.UNKNOWN))
    messages.add(message(at=2))
    assert messages.judged(verdict(VerdictCode.AGREE, at=9)) == 2
    assert messages.judged(verdict(VerdictCode.NOTED, at=1)) == 1


def test_repetitions_get_their_verdicts_in_the_order_of_receipt():
    messages = Messages()
    for recv in (1, 2, 3):
        messages.add(message(at=1, recv=recv))
    given = [messages.judged(verdict(VerdictCode.DUPLICATE, at=1)) for _ in range(2)]
    assert given == [2, 3]
