"""Time stamps (RFC 3161, Р 1323565.1.044-2022)."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs

from medsign.codec.asn1 import der
from medsign.codec.asn1.ber import to_der
from medsign.codec.asn1.cms import SignedData, read_signed_data
from medsign.codec.asn1.door import (
    BIT_STRING,
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OID,
    SEQUENCE,
    Element,
    Limits,
    constructed,
    context,
    open_der,
)
from medsign.codec.asn1.encoded import Encoded
from medsign.codec.asn1.extensions import Extension, read_extensions
from medsign.codec.asn1.keys import AlgorithmIdentifier, encode_algorithm, read_algorithm
from medsign.codec.asn1.names import GeneralName, encode_general_name, read_general_name

TSP_LIMITS = Limits(max_bytes=1 << 22, max_elements=200_000)

#: Names of ``PKIStatus`` by number.
STATUSES = (
    "granted",
    "grantedWithMods",
    "rejection",
    "waiting",
    "revocationWarning",
    "revocationNotification",
)
#: Names of ``PKIFailureInfo`` by bit (RFC 3161 2.4.2).
FAILURES = {
    0: "badAlg",
    2: "badRequest",
    5: "badDataFormat",
    14: "timeNotAvailable",
    15: "unacceptedPolicy",
    16: "unacceptedExtension",
    17: "addInfoNotAvailable",
    25: "systemFailure",
}


@attrs.frozen
class MessageImprint:
    """What is stamped: a digest and its algorithm."""

    algorithm: AlgorithmIdentifier
    digest: bytes


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TimeStampRequest(Encoded):
    """A request for a time stamp.

    Attributes:
        der: The whole request.
        imprint: What to stamp.
        policy: The policy asked for.
        nonce: The number that the stamp must repeat.
        cert_req: Whether the certificate of the service must come along.
        extensions: All the extensions.
    """

    der: bytes
    imprint: MessageImprint
    policy: str | None
    nonce: int | None
    cert_req: bool
    extensions: tuple[Extension, ...]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TimeStampResponse(Encoded):
    """What the service sent.

    Attributes:
        der: The whole response.
        status: A value of `STATUSES`, or the number as text.
        status_text: What the service says in words.
        failure: Values of `FAILURES`, an unknown bit as its number.
        token: The stamp; its content is a TSTInfo for `decode_tst_info`.
    """

    der: bytes
    status: str
    status_text: tuple[str, ...]
    failure: frozenset[str]
    token: SignedData | None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TstInfo(Encoded):
    """What a time stamp says.

    Attributes:
        der: The whole TSTInfo: the content that the service signed.
        policy: The policy of the service.
        imprint: What is stamped.
        serial_number: Number of the stamp.
        gen_time: When, UTC.
        accuracy: How far off ``gen_time`` may be; ``None`` when it is not said.
        ordering: Whether stamps of the service can be put in order by time alone.
        nonce: The nonce of the request, repeated.
        tsa: Name of the service.
        extensions: All the extensions.
    """

    der: bytes
    policy: str
    imprint: MessageImprint
    serial_number: int
    gen_time: datetime
    accuracy: timedelta | None
    ordering: bool
    nonce: int | None
    tsa: GeneralName | None
    extensions: tuple[Extension, ...]


def decode_timestamp_request(data: bytes, limits: Limits = TSP_LIMITS) -> TimeStampRequest:
    """Decode a request for a time stamp.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    root = open_der("time stamp request", data, limits)
    with root.fields() as fields:
        fields.integer("version")
        imprint = _read_imprint(fields.sequence("messageImprint"))
        policy = fields.maybe(OID, "reqPolicy")
        nonce = fields.maybe(INTEGER, "nonce")
        cert_req = fields.maybe(BOOLEAN, "certReq")
        extensions = read_extensions(fields.maybe(constructed(0), "extensions"))
    return TimeStampRequest(
        der=root.der,
        imprint=imprint,
        policy=policy.oid() if policy else None,
        nonce=nonce.integer() if nonce else None,
        cert_req=cert_req is not None and cert_req.boolean(),
        extensions=extensions,
    )


def decode_timestamp_response(data: bytes, limits: Limits = TSP_LIMITS) -> TimeStampResponse:
    """Decode a response of a time stamp service, DER or BER.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    what = "time stamp response"
    root = open_der(what, to_der(what, data, limits), limits)
    with root.fields() as fields:
        info = fields.sequence("status")
        token = fields.maybe(SEQUENCE, "timeStampToken")
    with info.fields() as fields:
        number = fields.integer("status")
        words = fields.maybe(SEQUENCE, "statusString")
        failure = fields.maybe(BIT_STRING, "failInfo")
    return TimeStampResponse(
        der=root.der,
        status=STATUSES[number] if 0 <= number < len(STATUSES) else str(number),
        status_text=tuple(each.text() for each in words.each(None, "text")) if words else (),
        failure=frozenset(
            FAILURES.get(bit, str(bit)) for bit in (failure.bit_numbers() if failure else ())
        ),
        token=read_signed_data(token) if token else None,
    )


def decode_tst_info(data: bytes, limits: Limits = TSP_LIMITS) -> TstInfo:
    """Decode the content of a time stamp: `SignedData.content` of the token.

    Raises:
        MalformedError: It is something else.
        BudgetExceeded: It is too large.
    """
    root = open_der("time stamp", data, limits)
    with root.fields() as fields:
        fields.integer("version")
        policy = fields.oid("policy")
        imprint = _read_imprint(fields.sequence("messageImprint"))
        serial = fields.integer("serialNumber")
        gen_time = fields.take(GENERALIZED_TIME, "genTime").generalized_time()
        accuracy = fields.maybe(SEQUENCE, "accuracy")
        ordering = fields.maybe(BOOLEAN, "ordering")
        nonce = fields.maybe(INTEGER, "nonce")
        tsa = fields.maybe(constructed(0), "tsa")
        extensions = read_extensions(fields.maybe(constructed(1), "extensions"))
    return TstInfo(
        der=root.der,
        policy=policy,
        imprint=imprint,
        serial_number=serial,
        gen_time=gen_time,
        accuracy=_read_accuracy(accuracy) if accuracy else None,
        ordering=ordering is not None and ordering.boolean(),
        nonce=nonce.integer() if nonce else None,
        tsa=read_general_name(tsa.only(None, "name")) if tsa else None,
        extensions=extensions,
    )


def encode_timestamp_request(
    imprint: MessageImprint,
    *,
    policy: str | None = None,
    nonce: int | None = None,
    cert_req: bool = True,
) -> bytes:
    """Encode a request for a time stamp.

    Args:
        imprint: What to stamp.
        policy: The policy wanted; ``None`` for the service's own.
        nonce: A random number that the stamp must repeat.
        cert_req: Whether the certificate of the service must come along.

    Example:
        >>> imprint = MessageImprint(AlgorithmIdentifier("1.2.643.7.1.1.2.2"), bytes(32))
        >>> decode_timestamp_request(encode_timestamp_request(imprint, nonce=7)).nonce
        7
    """
    return der.sequence(
        der.integer(1),
        _imprint(imprint),
        der.oid(policy) if policy else None,
        None if nonce is None else der.integer(nonce),
        der.true_or_absent(cert_req),
    )


def encode_tst_info(
    *,
    policy: str,
    imprint: MessageImprint,
    serial_number: int,
    gen_time: datetime,
    accuracy: timedelta | None = None,
    ordering: bool = False,
    nonce: int | None = None,
    tsa: GeneralName | None = None,
) -> bytes:
    """Encode what a time stamp says, to be signed as content of the type `oids.TST_INFO`.

    Raises:
        UsageError: The moment has no time zone.
    """
    return der.sequence(
        der.integer(1),
        der.oid(policy),
        _imprint(imprint),
        der.integer(serial_number),
        der.generalized_time(gen_time, fraction=True),
        _accuracy(accuracy) if accuracy is not None else None,
        der.true_or_absent(ordering),
        None if nonce is None else der.integer(nonce),
        der.explicit(0, encode_general_name(tsa)) if tsa else None,
    )


def encode_timestamp_response(
    token: bytes | None = None,
    *,
    status: str = "granted",
    text: str | None = None,
    failure: str | None = None,
) -> bytes:
    """Encode a response of a time stamp service.

    Args:
        token: DER of the stamp, ``None`` in a refusal.
        status: A value of `STATUSES`.
        text: What to say in words.
        failure: A value of `FAILURES`.
    """
    bits = [bit for bit, name in FAILURES.items() if name == failure]
    return der.sequence(
        der.sequence(
            der.integer(STATUSES.index(status)),
            der.sequence(der.text(text)) if text else None,
            der.named_bits(bits) if bits else None,
        ),
        token,
    )


def _read_imprint(element: Element) -> MessageImprint:
    with element.fields() as fields:
        return MessageImprint(
            read_algorithm(fields.sequence("hashAlgorithm")), fields.octets("hashedMessage")
        )


def _read_accuracy(element: Element) -> timedelta:
    with element.fields() as fields:
        seconds = fields.maybe(INTEGER, "seconds")
        millis = fields.maybe(context(0), "millis")
        micros = fields.maybe(context(1), "micros")
    try:
        return timedelta(
            seconds=seconds.integer() if seconds else 0,
            milliseconds=millis.integer() if millis else 0,
            microseconds=micros.integer() if micros else 0,
        )
    except OverflowError:
        raise element.error("longer than any time") from None


def _imprint(imprint: MessageImprint) -> bytes:
    return der.sequence(encode_algorithm(imprint.algorithm), der.octets(imprint.digest))


def _accuracy(accuracy: timedelta) -> bytes:
    millis, micros = divmod(accuracy.microseconds, 1000)
    return der.sequence(
        der.integer(accuracy.days * 86_400 + accuracy.seconds),
        der.integer(millis, context(0)) if millis else None,
        der.integer(micros, context(1)) if micros else None,
    )
