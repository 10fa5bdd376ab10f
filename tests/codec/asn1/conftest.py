"""One invented specimen of every structure, made by our own encoders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from medsign.codec import asn1
from medsign.codec.asn1 import extension_values as ext
from medsign.codec.asn1 import oids
from medsign.codec.asn1.extensions import (
    AuthorityKeyIdentifier,
    IssuerSignTool,
    PrivateKeyUsagePeriod,
)

START = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
END = START + timedelta(days=450)
ALGORITHM = asn1.AlgorithmIdentifier(oids.GOST_SIGNATURE_256)
DIGEST = asn1.AlgorithmIdentifier(oids.STREEBOG_256)
SIGNATURE = bytes(range(64))


@attrs.frozen
class Specimen:
    """Bytes and the decoder that accepts them."""

    decode: Callable[[bytes], object]
    der: bytes


def _names() -> tuple[asn1.Name, asn1.Name]:
    issuer = asn1.make_name([(oids.COUNTRY, "RU"), (oids.COMMON_NAME, "Тестовый УЦ")])
    subject = asn1.make_name(
        [
            (oids.COUNTRY, "RU"),
            (oids.STATE, "78 г. Санкт-Петербург"),
            (oids.SURNAME, "Тестова"),
            (oids.GIVEN_NAME, "Анна Петровна"),
            (oids.INN, "999999999999"),
            (oids.SNILS, "99999999999"),
            (oids.EMAIL, "anna@example.test"),
        ]
    )
    return issuer, subject


@pytest.fixture(scope="session")
def spki() -> bytes:
    key = asn1.GostKeyInfo(
        oids.GOST_KEY_256, "1.2.643.2.2.36.0", oids.STREEBOG_256, bytes(range(64))
    )
    return asn1.encode_spki(key)


@pytest.fixture(scope="session")
def qualified_extensions() -> list[asn1.Extension]:
    """Return what a qualified certificate of a person has (приказ ФСБ 795)."""
    return [
        ext.key_usage("digitalSignature", "nonRepudiation", "keyEncipherment"),
        ext.identification_kind(0),
        ext.subject_key_identifier(bytes(20)),
        ext.extended_key_usage(oids.CLIENT_AUTH, oids.EMAIL_PROTECTION),
        ext.authority_information_access(
            ocsp=["http://ocsp.example.test/"], ca_issuers=["http://ca.example.test/ca.cer"]
        ),
        ext.certificate_policies(oids.POLICY_KC1, oids.POLICY_KC2),
        ext.private_key_usage_period(PrivateKeyUsagePeriod(START, END)),
        ext.issuer_sign_tool(
            IssuerSignTool("ПАК «Пример»", "УЦ «Пример»", "СФ/000-0001", "СФ/000-0002")
        ),
        ext.subject_sign_tool("СКЗИ «Пример» 1.0"),
        ext.crl_distribution_points("http://crl.example.test/ca.crl"),
        ext.authority_key_identifier(AuthorityKeyIdentifier(bytes(range(20)), (), 77)),
    ]


@pytest.fixture(scope="session")
def certificate(spki: bytes, qualified_extensions: list[asn1.Extension]) -> bytes:
    issuer, subject = _names()
    tbs = asn1.encode_certificate_tbs(
        serial_number=0x1234_5678_9ABC,
        issuer=issuer,
        subject=subject,
        not_before=START,
        not_after=END,
        public_key=spki,
        signature_algorithm=ALGORITHM,
        extensions=qualified_extensions,
    )
    return asn1.assemble_signed(tbs, ALGORITHM, SIGNATURE)


@pytest.fixture(scope="session")
def request_der(spki: bytes) -> bytes:
    _, subject = _names()
    info = asn1.encode_request_info(
        subject, spki, [ext.key_usage("digitalSignature"), ext.subject_sign_tool("СКЗИ «Пример»")]
    )
    return asn1.assemble_signed(info, ALGORITHM, SIGNATURE)


@pytest.fixture(scope="session")
def crl() -> bytes:
    issuer, _ = _names()
    tbs = asn1.encode_crl_tbs(
        issuer=issuer,
        this_update=START,
        next_update=END,
        entries=[
            asn1.RevokedEntry(serial_number=5, revocation_date=START, reason="keyCompromise"),
            asn1.RevokedEntry(serial_number=6, revocation_date=START, invalidity_date=START),
        ],
        signature_algorithm=ALGORITHM,
        extensions=[
            ext.crl_number(9),
            ext.authority_key_identifier(AuthorityKeyIdentifier(bytes(20))),
            ext.issuing_distribution_point(
                asn1.IssuingDistributionPoint(
                    only_user_certificates=True, only_reasons=frozenset({"keyCompromise"})
                )
            ),
        ],
    )
    return asn1.assemble_signed(tbs, ALGORITHM, SIGNATURE)


@pytest.fixture(scope="session")
def cert_id() -> asn1.CertId:
    return asn1.CertId(
        hash_oid=oids.STREEBOG_256,
        issuer_name_hash=bytes(32),
        issuer_key_hash=bytes(range(32)),
        serial_number=5,
    )


@pytest.fixture(scope="session")
def ocsp_response(cert_id: asn1.CertId, certificate: bytes) -> bytes:
    data = asn1.encode_ocsp_response_data(
        responder=bytes(20),
        produced_at=START,
        single_responses=[
            asn1.SingleResponse(
                cert_id=cert_id,
                status="revoked",
                this_update=START,
                next_update=END,
                revoked_at=START,
                reason="superseded",
                archive_cutoff=START,
            )
        ],
        nonce=b"0123456789abcdef",
    )
    return asn1.assemble_ocsp_response(data, ALGORITHM, SIGNATURE, [certificate])


@pytest.fixture(scope="session")
def signer(certificate: bytes) -> asn1.SignerInfo:
    owner = asn1.decode_certificate(certificate)
    attributes = asn1.encode_signed_attributes(
        content_type=oids.DATA,
        message_digest=bytes(32),
        signing_time=START,
        signing_certificate=asn1.EssCertId(
            hash_oid=oids.STREEBOG_256,
            digest=bytes(32),
            issuer=(asn1.GeneralName("directory", owner.issuer),),
            serial_number=owner.serial_number,
        ),
    )
    return asn1.SignerInfo(
        version=1,
        sid=asn1.IssuerAndSerial(owner.issuer, owner.serial_number),
        digest_algorithm=DIGEST,
        signature_algorithm=asn1.AlgorithmIdentifier(oids.GOST_KEY_256),
        signature=SIGNATURE,
        signed_attributes_der=attributes,
    )


@pytest.fixture(scope="session")
def signed_data(signer: asn1.SignerInfo, certificate: bytes, crl: bytes) -> bytes:
    return asn1.encode_signed_data(
        [signer], content="Согласие".encode(), certificates=[certificate], crls=[crl]
    )


@pytest.fixture(scope="session")
def tst_info() -> bytes:
    return asn1.encode_tst_info(
        policy="1.2.643.2.2.38.4",
        imprint=asn1.MessageImprint(DIGEST, bytes(32)),
        serial_number=42,
        gen_time=START + timedelta(milliseconds=250),
        accuracy=timedelta(seconds=1, microseconds=2003),
        nonce=99,
        tsa=asn1.GeneralName("directory", _names()[0]),
    )


@pytest.fixture(scope="session")
def specimens(
    certificate: bytes,
    request_der: bytes,
    crl: bytes,
    cert_id: asn1.CertId,
    ocsp_response: bytes,
    signer: asn1.SignerInfo,
    signed_data: bytes,
    tst_info: bytes,
    spki: bytes,
) -> dict[str, Specimen]:
    token = asn1.encode_signed_data([signer], content=tst_info, content_type=oids.TST_INFO)
    private = asn1.PrivateKeyInfo(oids.GOST_KEY_256, "1.2.643.2.2.36.0", oids.STREEBOG_256, 7)
    imprint = asn1.MessageImprint(DIGEST, bytes(32))
    return {
        "certificate": Specimen(asn1.decode_certificate, certificate),
        "request": Specimen(asn1.decode_request, request_der),
        "crl": Specimen(asn1.decode_crl, crl),
        "OCSP request": Specimen(
            asn1.decode_ocsp_request, asn1.encode_ocsp_request([cert_id], b"12345678")
        ),
        "OCSP response": Specimen(asn1.decode_ocsp_response, ocsp_response),
        "time stamp request": Specimen(
            asn1.decode_timestamp_request, asn1.encode_timestamp_request(imprint, nonce=3)
        ),
        "time stamp response": Specimen(
            asn1.decode_timestamp_response, asn1.encode_timestamp_response(token)
        ),
        "time stamp": Specimen(asn1.decode_tst_info, tst_info),
        "signed data": Specimen(asn1.decode_signed_data, signed_data),
        "public key": Specimen(asn1.decode_spki, spki),
        "private key": Specimen(asn1.decode_private_key, asn1.encode_private_key(private)),
    }
