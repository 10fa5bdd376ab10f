"""The list of accredited authorities is believed when the ministry has signed it, not otherwise."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import RevokedEntry
from medsign.codec.xml import canonical
from medsign.errors import BudgetExceeded, MalformedError, UsageError
from medsign.pki import RevocationEvidence, TrustStore, issuing
from medsign.pki.accredited import MAX_BYTES
from medsign.signers import SoftwareKey
from medsign.xmldsig import MINISTRY_OGRN, accredited_list, sign_enveloped, verify

from .conftest import START, resigned

AT = START + timedelta(days=60)
DAY = timedelta(days=1)
ROOT_NAME = "АккредитованныеУдостоверяющиеЦентры"


@pytest.fixture(scope="module")
def head():
    key = SoftwareKey.generate()
    name = issuing.subject_name(organization="Тестовый головной УЦ")
    root = issuing.issue_root(issuing.ROOT_CA, subject=name, signer=key, not_before=START)
    return key.certified(root)


def office(head, ogrn=MINISTRY_OGRN, **changes):
    key = SoftwareKey.generate()
    name = issuing.subject_name(organization="Тестовое ведомство", ogrn=ogrn)
    template = attrs.evolve(issuing.QUALIFIED, **changes)
    return key.certified(
        issuing.issue_certificate(
            template, subject=name, key=key.public_key, issuer=head, not_before=START
        )
    )


@pytest.fixture(scope="module")
def ministry(head):
    return office(head)


@pytest.fixture(scope="module")
def document(head):
    data = b64encode(head.certificate.der).decode()
    return f"""<?xml version="1.0" encoding="utf-8"?>
      <{ROOT_NAME}><Версия>7</Версия><Дата>{AT.isoformat()}</Дата>
        <УдостоверяющийЦентр><Название>Тестовый УЦ</Название>
          <ПрограммноАппаратныеКомплексы><ПрограммноАппаратныйКомплекс>
            <КлючиУполномоченныхЛиц><Ключ><Сертификаты><ДанныеСертификата>
              <Данные>{data}</Данные>
            </ДанныеСертификата></Сертификаты></Ключ></КлючиУполномоченныхЛиц>
          </ПрограммноАппаратныйКомплекс></ПрограммноАппаратныеКомплексы>
          <СтатусАккредитации><Статус>Действует</Статус>
            <ДействуетС>{START.isoformat()}</ДействуетС></СтатусАккредитации>
        </УдостоверяющийЦентр>
      </{ROOT_NAME}>""".encode()


@pytest.fixture(scope="module")
def signed(document, ministry):
    return sign_enveloped(document, ministry)


@pytest.fixture(scope="module")
def trust(head):
    return TrustStore([head.certificate])


def test_a_signed_list_is_read_and_names_its_signer(signed, trust, ministry, head):
    accredited = accredited_list(signed, trust, at=AT)
    assert accredited.snapshots[0].signed_by == ministry.certificate.fingerprint
    assert accredited.accreditation(head.certificate, at=AT).is_accredited


def test_the_certificate_of_the_signer_may_be_pinned_itself(signed, ministry):
    pinned = TrustStore([ministry.certificate])
    assert accredited_list(signed, pinned, at=AT).snapshots[0].version == "7"


def test_a_pinned_signer_needs_no_number(document, head):
    other = office(head, "1999900000000")
    pinned = TrustStore([other.certificate])
    assert accredited_list(sign_enveloped(document, other), pinned, at=AT)


def test_an_unsigned_list_is_refused(document, trust):
    with pytest.raises(MalformedError, match="there is no signature"):
        accredited_list(document, trust, at=AT)


def test_a_changed_list_is_refused(signed, trust):
    changed = signed.replace("Действует".encode(), "Действуeт".encode(), 1)
    with pytest.raises(MalformedError, match="digest-mismatch"):
        accredited_list(changed, trust, at=AT)


def test_a_list_of_a_stranger_is_refused(signed):
    with pytest.raises(MalformedError, match=r"path\.no_anchor"):
        accredited_list(signed, TrustStore(), at=AT)


def test_a_list_of_anybody_else_below_the_same_head_is_refused(document, head, trust):
    other = sign_enveloped(document, office(head, "1999900000000"))
    with pytest.raises(MalformedError, match="another ОГРН"):
        accredited_list(other, trust, at=AT)


def test_a_list_of_an_expired_signer_is_refused(signed, trust, ministry):
    late = ministry.certificate.not_after + DAY
    with pytest.raises(MalformedError, match=r"certificate\.expired"):
        accredited_list(signed, trust, at=late)


def test_a_key_for_other_work_signs_no_list(document, head, trust):
    agreeing = office(head, key_usage=frozenset({"keyAgreement"}))
    with pytest.raises(MalformedError, match="not for signatures"):
        accredited_list(sign_enveloped(document, agreeing), trust, at=AT)


def test_a_list_of_a_revoked_signer_is_refused(signed, trust, head, ministry):
    entry = RevokedEntry(serial_number=ministry.certificate.serial_number, revocation_date=START)
    crl = issuing.issue_crl(head, number=1, this_update=AT, next_update=AT + DAY, entries=[entry])
    with pytest.raises(MalformedError, match="revoked"):
        accredited_list(signed, trust, at=AT, evidence=RevocationEvidence(crls=(crl,)))
    clean = issuing.issue_crl(head, number=2, this_update=AT, next_update=AT + DAY)
    assert accredited_list(signed, trust, at=AT, evidence=RevocationEvidence(crls=(clean,)))


def test_a_signature_over_a_part_is_refused(document, ministry, trust):
    part = document.replace(
        "<УдостоверяющийЦентр>".encode(), '<УдостоверяющийЦентр Id="a">'.encode()
    )
    signed = sign_enveloped(part, ministry, element_id="a")
    with pytest.raises(MalformedError, match="whole list"):
        accredited_list(signed, trust, at=AT)


def test_a_signed_list_inside_a_forged_one_is_refused(signed, trust):
    inner = signed.partition(b"?>")[2] if signed.startswith(b"<?xml") else signed
    forged = f"<{ROOT_NAME}><Версия>8</Версия>{inner.decode()}</{ROOT_NAME}>".encode()
    with pytest.raises(MalformedError):
        accredited_list(forged, trust, at=AT)


def test_something_else_that_the_ministry_signed_is_no_list(ministry, trust):
    with pytest.raises(MalformedError, match="another root element"):
        accredited_list(sign_enveloped(b"<letter/>", ministry), trust, at=AT)


def test_a_moment_of_no_zone_is_refused(signed, trust):
    with pytest.raises(UsageError):
        accredited_list(signed, trust, at=AT.replace(tzinfo=None))


def test_a_list_larger_than_other_documents_is_read(signed, ministry, trust):
    def enlarge(root):
        signature = root.find("{*}Signature")
        root.remove(signature)
        root[0].tail = root[1].tail = " " * (9 << 20)
        octets = canonical(root, max_bytes=MAX_BYTES)
        root.append(signature)
        return octets

    large = resigned(signed, ministry, enlarge)
    assert len(large) > 18 << 20
    assert accredited_list(large, trust, at=AT).snapshots[0].version == "7"
    with pytest.raises(BudgetExceeded):
        verify(large)


@given(data=st.data())
def test_no_flipped_bit_is_read(data, signed, trust, ministry):
    bit = data.draw(st.integers(0, 8 * len(signed) - 1))
    spoilt = bytearray(signed)
    spoilt[bit // 8] ^= 1 << bit % 8
    try:
        accredited = accredited_list(bytes(spoilt), trust, at=AT)
    except MalformedError:
        return
    # White space and letters of prefixes are not signed; what was read is what was signed.
    assert accredited == accredited_list(signed, trust, at=AT)
