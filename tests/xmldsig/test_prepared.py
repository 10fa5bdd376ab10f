"""Signing of XML in two halves, with what lies between them stored."""

from __future__ import annotations

import attrs
import pytest

from medsign.errors import MalformedError, UsageError
from medsign.gost import digest
from medsign.xmldsig import (
    PreparedXml,
    doctor_actor,
    finish,
    prepare_enveloped,
    prepare_message,
    sign_enveloped,
    sign_message,
    verify,
)

ACTOR = doctor_actor("999000000001", 3)
MESSAGE = b"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">
 <s:Body><period Id="P1"><day>1</day></period> tail <row Id="R1"/></s:Body>
</s:Envelope>"""
ORDER = "<приказ>о <b Id='B1'>приёме</b></приказ>".encode()


def restored(prepared: PreparedXml) -> PreparedXml:
    return PreparedXml.from_json(prepared.to_json())


def test_two_halves_are_as_good_as_the_whole(doctor):
    prepared = restored(prepare_message(MESSAGE, "P1", ACTOR, doctor.certificate))
    message = finish(prepared, doctor.sign_digest(prepared.digest))
    whole = sign_message(MESSAGE, "P1", ACTOR, doctor)
    (halves,), (at_once,) = verify(message), verify(whole)
    assert halves.is_intact
    assert halves == at_once
    assert len(message) == len(whole)


@pytest.mark.parametrize("element_id", [None, "B1"])
def test_an_enveloped_signature_is_made_in_two_halves(clinic, element_id):
    prepared = restored(prepare_enveloped(ORDER, clinic.certificate, element_id=element_id))
    assert len(prepared.digest) == 64
    (facts,) = verify(finish(prepared, clinic.sign_digest(prepared.digest)))
    assert facts.is_intact
    assert facts.certificate == clinic.certificate


def test_the_digest_is_of_the_signed_info(doctor):
    prepared = prepare_enveloped(ORDER, doctor.certificate)
    assert prepared.signed_info.startswith(b"<ds:SignedInfo")
    assert prepared.digest == digest(doctor.digest_algorithm, prepared.signed_info)


def test_a_second_signature_is_finished_beside_the_first(doctor, clinic):
    first = sign_message(MESSAGE, "P1", ACTOR, doctor)
    prepared = prepare_message(first, "R1", doctor_actor("999000000001", 4), clinic.certificate)
    message = finish(prepared, clinic.sign_digest(prepared.digest))
    assert [each.is_intact for each in verify(message)] == [True, True]
    inside = prepare_enveloped(message, doctor.certificate, element_id="R1")
    assert inside.number == 2


def test_an_empty_signature_of_somebody_else_is_not_filled(doctor):
    planted = sign_enveloped(b"<order/>", doctor)
    start, end = planted.index(b"<ds:SignatureValue>") + 19, planted.index(b"</ds:SignatureValue>")
    planted = planted[:start] + planted[end:]
    prepared = prepare_enveloped(planted, doctor.certificate)
    signed = finish(prepared, doctor.sign_digest(prepared.digest))
    assert signed.count(b"<ds:SignatureValue></ds:SignatureValue>") + signed.count(
        b"<ds:SignatureValue/>"
    )
    with pytest.raises(MalformedError, match="place"):
        finish(attrs.evolve(prepared, number=7), doctor.sign_digest(prepared.digest))


def test_a_value_by_another_key_is_refused(doctor, clinic):
    prepared = prepare_enveloped(ORDER, doctor.certificate)
    with pytest.raises(UsageError, match="not a signature by the key"):
        finish(prepared, clinic.sign_digest(bytes(64)))


def test_a_signature_is_not_finished_twice(doctor):
    prepared = prepare_enveloped(ORDER, doctor.certificate)
    value = doctor.sign_digest(prepared.digest)
    done = attrs.evolve(prepared, document=finish(prepared, value))
    with pytest.raises(MalformedError, match="place"):
        finish(done, value)


def test_nothing_of_the_document_stands_in_the_repr(doctor):
    assert "приёме" not in repr(prepare_enveloped(ORDER, doctor.certificate))
