"""What of a verification is kept for the next one."""

from __future__ import annotations

import attrs
import pytest

from medsign.errors import UsageError
from medsign.gost import PortableProvider, PublicKey, param_set
from medsign.gost.once import verify_once

A256 = param_set("1.2.643.7.1.2.1.1.1")
STRANGER = PortableProvider()
KEY = STRANGER.generate(A256)
PUBLIC, DIGEST = KEY.public_key(), bytes(range(32))


class Counting(PortableProvider):
    """Tells how often it was asked."""

    def __init__(self, answer=None):
        super().__init__()
        self.asked = 0
        self.answer = answer

    def verify(self, key, digest, signature):
        self.asked += 1
        return super().verify(key, digest, signature) if self.answer is None else self.answer


@pytest.fixture(scope="module")
def signature():
    return STRANGER.sign(KEY, DIGEST)


def test_the_same_question_is_computed_once(signature):
    provider = Counting()
    again = PublicKey(A256, PUBLIC.x, PUBLIC.y)
    assert verify_once(provider, PUBLIC, DIGEST, signature)
    assert verify_once(provider, again, bytes(bytearray(DIGEST)), signature)
    assert provider.asked == 1


def test_a_good_signature_vouches_for_no_other_key_digest_or_value(signature):
    provider = Counting()
    other = STRANGER.generate(A256).public_key()
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    assert verify_once(provider, PUBLIC, DIGEST, signature)
    assert not verify_once(provider, other, DIGEST, signature)
    assert not verify_once(provider, PUBLIC, DIGEST[::-1], signature)
    assert not verify_once(provider, PUBLIC, DIGEST, flipped)
    assert provider.asked == 4


def test_the_same_numbers_on_another_curve_are_another_key(signature):
    provider = Counting(answer=True)
    renamed = PublicKey(attrs.evolve(A256, oid="1.2.3"), PUBLIC.x, PUBLIC.y)
    assert verify_once(provider, PUBLIC, DIGEST, signature)
    assert verify_once(provider, renamed, DIGEST, signature)
    assert provider.asked == 2


def test_what_one_provider_found_is_no_answer_of_another(signature):
    yes, no = Counting(answer=True), Counting(answer=False)
    assert verify_once(yes, PUBLIC, DIGEST, signature)
    assert not verify_once(no, PUBLIC, DIGEST, signature)


def test_a_provider_that_equals_another_is_still_asked_itself(signature):
    @attrs.define
    class Twin:
        answer: bool

        def __eq__(self, other):
            return True

        __hash__ = None

        def verify(self, key, digest, signature):
            return self.answer

    assert verify_once(Twin(answer=True), PUBLIC, DIGEST, signature)
    assert not verify_once(Twin(answer=False), PUBLIC, DIGEST, signature)


def test_a_mistake_of_the_caller_is_one_every_time(signature):
    provider = Counting()
    for _ in range(2):
        with pytest.raises(UsageError):
            verify_once(provider, PUBLIC, DIGEST[:31], signature)
    assert provider.asked == 2
