"""The seal's core: canonical records, the Merkle tree, the chain, and what a check finds."""

import hashlib
import json
import random

import pytest
from benchmarks.sealing import ATTACKS, attacked, made, remembering
from hypothesis import given, settings
from hypothesis import strategies as st

from tap.seal import Chain, ChainState, PublicKey, Record, Seal, Signer, Tree, check, parse
from tap.seal.chain import SIGNED
from tap.seal.found import SealFault

SIGNER = Signer.make()


def hashed(prefix: bytes, *parts: bytes) -> bytes:
    return hashlib.sha256(prefix + b"".join(parts)).digest()


def tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashed(b"\x01", tree_hash(leaves[:split]), tree_hash(leaves[split:]))


class TestTree:
    @pytest.mark.parametrize("size", [*range(20), 255, 256, 257])
    def test_its_root_is_that_of_rfc_6962(self, size):
        leaves = [hashed(b"\x00", bytes([n % 256, n // 256])) for n in range(size)]
        tree = Tree()
        for leaf in leaves:
            tree = tree.add(leaf)
        assert tree.root() == tree_hash(leaves)
        assert Tree.unpacked(size, tree.packed()) == tree

    def test_peaks_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match="peaks"):
            Tree.unpacked(3, b"\x00" * 32)


class TestRecord:
    def test_a_leaf_is_the_hash_of_its_canonical_json(self):
        record = Record(7, "claim", "claim/é\n", '{"a": 1.0}')
        text = '{"body":"{\\"a\\": 1.0}","key":"claim/é\\n","kind":"claim","seq":7}'
        assert record.envelope().decode() == text
        assert record.leaf() == hashed(b"\x00", text.encode())

    def test_two_spellings_of_one_value_are_two_records(self):
        assert Record(1, "a", "b", '{"x":1}').leaf() != Record(1, "a", "b", '{"x":1.0}').leaf()

    def test_what_has_no_spelling_is_refused(self):
        with pytest.raises(ValueError, match="UTF-8"):
            Record(1, "a", "b", "\ud800").leaf()


class TestStatement:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("[]", "an object"),
            ("[" * 3000, "flat|JSON|Expecting"),
            ('{"n":1}', "size"),
            ('{"at":1,"leaves":["aa"],"n":1,"prev":"","size":1}', "64"),
            ('{"at":1,"leaves":[],"n":true,"prev":"","size":1}', "n"),
            ('{"at":1,"leaves":[],"n":1,"opens":{"format":"x"},"prev":"","size":1}', "tap-seal/1"),
            (json.dumps({"at": 1, "leaves": ["a" * 64], "n": 1, "prev": "", "size": 0}), "no more"),
            ("x" * 2_000_000, "at most"),
        ],
    )
    def test_what_is_none_is_refused_in_words(self, text, why):
        with pytest.raises(ValueError, match=why):
            parse(text)

    @given(st.integers(0, 40), st.booleans(), st.one_of(st.none(), st.integers(0, 9)))
    def test_it_is_read_back_as_it_was_written(self, count, checkpoint, unsealed):
        leaves = [hashed(b"\x00", bytes([n])) for n in range(count)]
        chain = Chain(SIGNER, "s/ü#1")
        _, seal = chain.next(ChainState(), leaves, 5.4, checkpoint=checkpoint, unsealed=unsealed)
        statement = parse(seal.text)
        assert statement.text() == seal.text
        assert (statement.root is not None) == checkpoint
        assert statement.leaves == tuple(leaf.hex() for leaf in leaves)
        assert seal.signed_by(SIGNER.public)
        assert not seal.signed_by(Signer.make().public)

    def test_a_signature_of_another_purpose_does_not_count(self):
        _, seal = Chain(SIGNER, "s").next(ChainState(), (), 1, checkpoint=False, unsealed=0)
        other = Seal(1, seal.text, SIGNER.sign(seal.text.encode()))
        assert seal.signature == SIGNER.sign(SIGNED + seal.text.encode())
        assert not other.signed_by(SIGNER.public)


class TestKeys:
    def test_public_keys_come_as_pem_or_hex(self):
        key = SIGNER.public
        assert PublicKey.read(key.pem()) == PublicKey.read(f" {key.hex}\n") == key
        assert len(key.id) == 16

    @pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "-----BEGIN PUBLIC KEY-----\n", "é"])
    def test_others_are_refused(self, text):
        with pytest.raises(ValueError, match="public key"):
            PublicKey.read(text)

    def test_private_keys_are_read_back(self):
        assert Signer.read(SIGNER.pem()).public == SIGNER.public
        with pytest.raises(ValueError, match="private key"):
            Signer.read(SIGNER.public.pem().encode())


@pytest.fixture(scope="module")
def session():
    return made(600, 1, SIGNER)


@pytest.fixture(scope="module")
def other():
    return made(600, 2, SIGNER, "shoot-2")


class TestCheck:
    def test_an_honest_session_is_as_it_was_sealed(self, session):
        found = session.check([session.seals[-1].digest, session.seals[17].digest])
        assert found.problems == ()
        assert (found.session, found.closed, found.gaps) == ("shoot-1", True, ())
        assert (found.records, found.statements) == (len(session.records), len(session.seals))
        assert found.digest == session.seals[-1].digest
        assert found.signers == (SIGNER.public.hex,)
        assert len(found.files) == sum(record.kind == "file" for record in session.records)

    def test_without_the_key_nothing_is_believed(self, session):
        found = check(session.records, session.seals, [Signer.make().public])
        assert found.problems[0].fault is SealFault.NOT_SIGNED
        assert "not given" in found.problems[0].text
        assert not found.closed
        assert found.files == {}

    def test_a_session_without_statements_is_not_sealed(self, session):
        found = check(session.records, (), [SIGNER.public])
        assert any("not sealed" in problem.text for problem in found.problems)

    def place(self, session, records=None, seals=None):
        altered = type(session)(
            tuple(records or session.records), tuple(seals or session.seals), session.key
        )
        return [(problem.fault, problem.place) for problem in altered.check().problems]

    def test_an_altered_record_is_located(self, session):
        records = list(session.records)
        records[99] = Record(100, records[99].kind, records[99].key, records[99].body + " ")
        assert self.place(session, records) == [(SealFault.ALTERED, "record 100")]

    def test_a_dropped_record_is_located(self, session):
        records = [r for r in session.records if r.seq != 100]
        assert self.place(session, records) == [(SealFault.MISSING, "record 100")]

    def test_moved_records_are_located(self, session):
        records = list(session.records)
        records[99], records[100] = records[100], records[99]
        assert self.place(session, records) == [(SealFault.OUT_OF_ORDER, "record 100")]

    def test_records_that_are_gone_are_told_of_together(self, session):
        records = [r for r in session.records if r.seq not in (3, 4, 5, 100)]
        assert self.place(session, records) == [
            (SealFault.MISSING, "records 3 to 5"),
            (SealFault.MISSING, "record 100"),
        ]

    def test_a_record_that_stands_there_twice_is_located(self, session):
        records = [*session.records, session.records[99]]
        assert self.place(session, records) == [(SealFault.OUT_OF_ORDER, "record 100")]

    def test_a_number_that_was_turned_costs_no_other_record(self, session):
        records = list(session.records)
        records[99] = Record(300, records[99].kind, records[99].key, records[99].body)
        assert self.place(session, records) == [
            (SealFault.ALTERED, "record 300"),
            (SealFault.MISSING, "record 100"),
        ]

    def test_an_added_record_is_located(self, session):
        records = [*session.records, Record(len(session.records) + 1, "event", "x", "{}")]
        assert self.place(session, records) == [(SealFault.ADDED, f"record {len(records)}")]

    def test_a_dropped_statement_is_located_and_its_records_are_not_blamed(self, session):
        seals = [seal for seal in session.seals if seal.n != 50]
        assert self.place(session, seals=seals) == [(SealFault.MISSING, "statement 50")]

    def test_an_altered_statement_is_located_and_its_records_are_not_blamed(self, session):
        seals = list(session.seals)
        text = seals[49].text.replace('"at":17', '"at":18')
        seals[49] = Seal(50, text, seals[49].signature)
        assert self.place(session, seals=seals) == [(SealFault.NOT_SIGNED, "statement 50")]

    def test_the_tail_of_another_session_is_located(self, session, other):
        seals = [*session.seals[:50], *other.seals[50:]]
        size = parse(session.seals[49].text).size
        records = [*session.records[:size], *other.records[size:]]
        found = self.place(session, records, seals)
        assert found[0] == (SealFault.FOREIGN, "statement 51")
        assert (SealFault.ADDED, f"record {size + 1}") in found
        assert (SealFault.ADDED, f"record {size}") not in found

    def test_an_end_that_was_cut_off_shows_as_open_and_against_a_pin(self, session):
        seals = session.seals[:80]
        records = session.records[: parse(seals[-1].text).size]
        cut = type(session)(records, seals, session.key)
        assert cut.check().problems == ()
        assert not cut.check().closed
        [problem] = cut.check([session.seals[-1].digest]).problems
        assert problem.fault is SealFault.NOT_PINNED
        assert cut.check([session.seals[70].digest]).problems == ()

    def test_time_without_a_sign_of_life_is_a_gap(self):
        def beat(seq, at_ms, kind="beat"):
            return Record(seq, kind, f"{kind}/{seq}", json.dumps({"atMs": at_ms}))

        records = [beat(1, 0, "run"), beat(2, 4000), beat(3, 9500), beat(4, 9600, "run")]
        records += [beat(5, 12_000, "close")]
        chain, leaves = Chain(SIGNER, "s"), [record.leaf() for record in records]
        _, seal = chain.next(ChainState(), leaves, 1, checkpoint=True, unsealed=0)
        found = check(records, [seal], [SIGNER.public])
        assert [(gap.start_ms, gap.end_ms, gap.why) for gap in found.gaps] == [
            (4000, 9500, "no sign of life"),
            (9500, 9600, "tap was not running"),
        ]

    def test_records_that_stood_there_unsealed_are_told_of(self):
        record = Record(1, "event", "e", "{}")
        chain = Chain(SIGNER, "s")
        _, seal = chain.next(ChainState(), [record.leaf()], 1, checkpoint=True, unsealed=1)
        [problem] = check([record], [seal], [SIGNER.public]).problems
        assert problem.fault is SealFault.ADDED
        assert "records 1 to 1" in problem.text

    @pytest.mark.parametrize("body", ["[]", "x", '{"atMs":"x"}', "{}", "[" * 9999])
    def test_a_sign_of_life_that_is_none_is_told_of(self, body):
        record = Record(1, "beat", "b", body)
        _, seal = Chain(SIGNER, "s").next(
            ChainState(), [record.leaf()], 1, checkpoint=True, unsealed=0
        )
        [problem] = check([record], [seal], [SIGNER.public]).problems
        assert problem.place == "record 1"

    def test_a_wrong_merkle_root_under_a_right_signature_is_found(self, session):
        state, seals = ChainState(), []
        chain = Chain(SIGNER, "s")
        records = [Record(n, "event", f"e{n}", "{}") for n in (1, 2)]
        state, seal = chain.next(state, [records[0].leaf()], 1, checkpoint=True, unsealed=0)
        seals.append(seal)
        # A state that someone put another tree into.
        state = ChainState(state.n, state.prev, Tree().add(b"\x00" * 32))
        seals.append(chain.next(state, [records[1].leaf()], 1, checkpoint=True)[1])
        [problem] = check(records, seals, [SIGNER.public]).problems
        assert problem.place == "checkpoint 2"


def turned(session, chance):
    """The session with one bit of its content turned, and the place that must be named."""
    records, seals = list(session.records), list(session.seals)
    if chance.random() < 0.5:
        at = chance.randrange(len(records))
        fields = {"seq": records[at].seq, "kind": records[at].kind, "key": records[at].key}
        fields["body"] = records[at].body
        name = chance.choice(["seq", "kind", "key", "body", "body", "body"])
        fields[name] = _turned(fields[name], chance)
        # A number that was turned makes one record missing and another one too many.
        place = f"record {records[at].seq}"
        records[at] = Record(**fields)
    else:
        at = chance.randrange(len(seals))
        place = f"statement {seals[at].n}"
        n, text, signature = seals[at].n, seals[at].text, seals[at].signature
        if chance.random() < 0.3:
            signature = _turned(signature, chance)
        else:
            text = _turned(text, chance)
        seals[at] = Seal(n, text, signature)
    return type(session)(tuple(records), tuple(seals), session.key), place


def _turned(value, chance):
    if isinstance(value, int):
        return value ^ (1 << chance.randrange(20))
    content = value.encode() if isinstance(value, str) else value
    changed = bytearray(content)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    if isinstance(value, bytes):
        return bytes(changed)
    return changed.decode(errors="surrogateescape")


@pytest.mark.parametrize(
    ("size", "times"),
    [
        (600, 150),
        pytest.param(10_000, 2000, marks=[pytest.mark.campaign, pytest.mark.timeout(1800)]),
    ],
)
def test_every_single_bit_that_is_turned_is_found_and_located(size, times):
    session, chance = made(size, 1, SIGNER), random.Random(size)
    assert session.check().problems == ()
    with remembering():
        for number in range(times):
            altered, place = turned(session, chance)
            named = [problem.place for problem in altered.check().problems]
            assert place in named, (number, place, named)


@pytest.mark.parametrize(
    ("size", "times"),
    [(600, 56), pytest.param(10_000, 200, marks=[pytest.mark.campaign, pytest.mark.timeout(900)])],
)
def test_every_attack_on_the_structure_is_found(size, times):
    session, chance = made(size, 1, SIGNER), random.Random(size)
    other = made(size, 2, SIGNER, "shoot-2")
    with remembering():
        for number in range(times):
            kind = ATTACKS[number % len(ATTACKS)]
            altered = attacked(kind, session, other, chance)
            assert altered.check([session.seals[-1].digest]).problems, kind


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=30)), min_size=1, max_size=20))
def test_whatever_is_sealed_is_checked_as_sealed(contents):
    texts = [(k, b) for k, b in contents if (k + b).isprintable()]
    records = [Record(n, "event", key, body) for n, (key, body) in enumerate(texts, 1)]
    state, seals, chain = ChainState(), [], Chain(SIGNER, "s")
    for n, record in enumerate(records):
        unsealed = 0 if n == 0 else None
        state, seal = chain.next(
            state, [record.leaf()], n, checkpoint=n % 3 == 0, unsealed=unsealed
        )
        seals.append(seal)
    if records:
        assert check(records, seals, [SIGNER.public]).problems == ()
