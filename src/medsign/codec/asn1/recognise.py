"""Telling what some bytes are by looking at them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from medsign.codec.asn1.cms import SignedData, decode_signed_data
from medsign.codec.asn1.crl import RevocationList, decode_crl
from medsign.codec.asn1.door import Limits
from medsign.codec.asn1.keys import (
    PrivateKeyInfo,
    SubjectPublicKeyInfo,
    decode_private_key,
    decode_spki,
)
from medsign.codec.asn1.ocsp import (
    BasicOcspResponse,
    OcspRequest,
    OcspResponse,
    decode_basic_ocsp_response,
    decode_ocsp_request,
    decode_ocsp_response,
)
from medsign.codec.asn1.pem import to_binary
from medsign.codec.asn1.tsp import (
    TimeStampRequest,
    TimeStampResponse,
    TstInfo,
    decode_timestamp_request,
    decode_timestamp_response,
    decode_tst_info,
)
from medsign.codec.asn1.x509 import (
    Certificate,
    CertificateRequest,
    decode_certificate,
    decode_request,
)
from medsign.errors import MalformedError

Recognised: TypeAlias = (
    Certificate
    | CertificateRequest
    | RevocationList
    | SignedData
    | OcspRequest
    | OcspResponse
    | BasicOcspResponse
    | TimeStampRequest
    | TimeStampResponse
    | TstInfo
    | SubjectPublicKeyInfo
    | PrivateKeyInfo
)

RECOGNISE_LIMITS = Limits(max_bytes=1 << 26, max_elements=2_000_000)

_DECODERS: tuple[Callable[[bytes, Limits], Recognised], ...] = (
    decode_certificate,
    decode_signed_data,
    decode_crl,
    decode_request,
    decode_ocsp_response,
    decode_basic_ocsp_response,
    decode_timestamp_response,
    decode_ocsp_request,
    decode_timestamp_request,
    decode_tst_info,
    decode_spki,
    decode_private_key,
)


def recognise(data: bytes, limits: Limits = RECOGNISE_LIMITS) -> Recognised:
    """Decode an object of any kind this room knows, in DER, PEM or base64.

    The structures differ in their first fields, so that at most one decoder accepts the bytes.

    Raises:
        MalformedError: No decoder accepts them; the error is of the one that came farthest.
        BudgetExceeded: They are too large.

    Example:
        >>> recognise(b"MAA=")
        Traceback (most recent call last):
        medsign.errors.MalformedError: malformed certificate: tbsCertificate is missing
    """
    binary = to_binary(data)
    farthest = MalformedError("ASN.1 object", "", "not known")
    for decode in _DECODERS:
        try:
            return decode(binary, limits)
        except MalformedError as error:
            if (
                error.where.count(".") > farthest.where.count(".")
                or farthest.what == "ASN.1 object"
            ):
                farthest = error
    raise farthest
