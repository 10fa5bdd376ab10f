"""Signing and verifying with the services of a CA at hand: OCSP (RFC 6960) and TSP (RFC 3161)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from itertools import islice

import attrs
import httpx

from medsign.cms.collect import MAX_CARRIED, carried, collect, only
from medsign.cms.content import Content
from medsign.cms.decide import decide
from medsign.cms.evidence import Evidence
from medsign.cms.extend import (
    Form,
    add_archive_timestamp,
    add_evidence_timestamp,
    add_references,
    add_values,
    archive_value,
    evidence_value,
    form_of,
)
from medsign.cms.facts import Facts
from medsign.cms.policy import DEFAULT, Policy
from medsign.cms.report import Report
from medsign.cms.sign import add_timestamp, sign, signature_value
from medsign.codec.asn1 import (
    Certificate,
    RevocationList,
    decode_crl,
    decode_ocsp_response,
    decode_signed_data,
    decode_timestamp_request,
    decode_timestamp_response,
    to_binary,
)
from medsign.errors import (
    ApiError,
    BudgetExceeded,
    ConfigError,
    DeadlineExceeded,
    MalformedError,
    TransportError,
    UnexpectedAnswer,
)
from medsign.exchange import Context, Flow, do
from medsign.gost import DigestAlgorithm, Provider
from medsign.pki.accredited import AccreditedList
from medsign.pki.ocsp import ocsp_request
from medsign.pki.path import build_path
from medsign.pki.revocation import RevocationEvidence, RevocationFacts, check_revocation
from medsign.pki.signing import Signer
from medsign.pki.timestamp import (
    TimestampFacts,
    check_timestamp_response,
    message_imprint,
    timestamp_request,
)
from medsign.pki.trust import TrustStore

_MAX_QUESTIONS = 16
_OCSP = ("application/ocsp-request", "application/ocsp-response")
_TSP = ("application/timestamp-query", "application/timestamp-reply")


def _urls(addresses: Iterable[str | httpx.URL]) -> tuple[httpx.URL, ...]:
    return tuple(map(httpx.URL, addresses))


@attrs.frozen(kw_only=True)
class PkiContext(Context):
    """Settings of the services that prove things about certificates and signatures.

    Attributes:
        trust: Whom to trust; by default nobody.
        intermediates: Certificates of authorities at hand.
        ocsp_url: Where to ask for the status of certificates, or ``None``. Only this address is
            asked: those in certificates come from whoever made the certificate.
        tsp_url: Where time stamps are given, or ``None``.
        crl_urls: Where revocation lists are; roots publish one and answer no OCSP.
        accredited: The list of accredited authorities, for whether signatures are qualified ones.
        provider: Who computes; by default `medsign.gost.default_provider`.
        entropy: Source of nonces.
    """

    trust: TrustStore = attrs.field(factory=TrustStore, repr=False)
    intermediates: tuple[Certificate, ...] = attrs.field(default=(), repr=False)
    ocsp_url: httpx.URL | None = attrs.field(
        default=None, converter=attrs.converters.optional(httpx.URL)
    )
    tsp_url: httpx.URL | None = attrs.field(
        default=None, converter=attrs.converters.optional(httpx.URL)
    )
    crl_urls: tuple[httpx.URL, ...] = attrs.field(default=(), converter=_urls)
    accredited: AccreditedList | None = attrs.field(default=None, repr=False)
    provider: Provider | None = attrs.field(default=None, repr=False)
    entropy: Callable[[int], bytes] = attrs.field(default=secrets.token_bytes, repr=False)


@attrs.frozen(kw_only=True)
class CertificateStatus:
    """What an OCSP service said about a certificate.

    Attributes:
        facts: The status and what speaks for it.
        response: DER of the whole answer, to keep as evidence.
    """

    facts: RevocationFacts
    response: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class TimeStamp:
    """A time stamp that has been checked against its request.

    Attributes:
        facts: When it was made and by whom.
        response: DER of the whole answer, to keep as evidence.
    """

    facts: TimestampFacts
    response: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Verification:
    """A verdict together with all that it rests on.

    Attributes:
        report: The verdict.
        facts: What was found; can be decided again later, offline.
        ocsp_responses: DER of the OCSP answers that were fetched.
        crls: DER of the revocation lists that were fetched.
    """

    report: Report
    facts: Facts = attrs.field(repr=False)
    ocsp_responses: tuple[bytes, ...] = attrs.field(default=(), repr=False)
    crls: tuple[bytes, ...] = attrs.field(default=(), repr=False)


def status(
    context: PkiContext, certificate: Certificate, issuer: Certificate
) -> Flow[CertificateStatus]:
    """Ask the OCSP service whether a certificate is good now (F137).

    A status of "revoked" or "unknown" is a result, not an error.

    Args:
        certificate: The certificate asked about.
        issuer: Its issuer.

    Raises:
        ConfigError: No OCSP service is set.
        UnexpectedAnswer: The answer is no OCSP answer, or the service is not ready.
    """
    if context.ocsp_url is None:
        raise ConfigError("no OCSP service is set")
    nonce = context.entropy(16)
    question = ocsp_request(certificate, issuer, nonce, provider=context.provider)
    body = yield from _post(context, "ocsp", context.ocsp_url, question, _OCSP)
    try:
        answer = decode_ocsp_response(body)
    except (MalformedError, BudgetExceeded) as error:
        raise UnexpectedAnswer(f"ocsp: {error}") from error
    if answer.basic is None:
        raise UnexpectedAnswer(f"ocsp: the service answered {answer.status}")
    facts = yield from do(
        partial(
            check_revocation,
            certificate,
            issuer,
            RevocationEvidence(responses=(answer.basic,)),
            at=context.clock.now(),
            nonce=nonce,
            provider=context.provider,
        )
    )
    return CertificateStatus(facts=facts, response=body)


def timestamp(context: PkiContext, data: bytes) -> Flow[TimeStamp]:
    """Have octets stamped with the time (F152).

    Args:
        data: What to stamp; only its Streebog-256 digest is sent.

    Raises:
        ConfigError: No time stamp service is set.
        UnexpectedAnswer: The service gave no stamp, or one that is not good.
    """
    if context.tsp_url is None:
        raise ConfigError("no time stamp service is set")
    imprint = message_imprint(data, DigestAlgorithm.STREEBOG_256, provider=context.provider)
    nonce = int.from_bytes(context.entropy(8), "big")
    question = timestamp_request(imprint, nonce=nonce)
    body = yield from _post(context, "timestamp", context.tsp_url, question, _TSP)
    try:
        answer = decode_timestamp_response(body)
    except (MalformedError, BudgetExceeded) as error:
        raise UnexpectedAnswer(f"tsp: {error}") from error
    facts = yield from do(
        partial(
            check_timestamp_response,
            answer,
            decode_timestamp_request(question),
            context.trust,
            intermediates=context.intermediates,
            provider=context.provider,
        )
    )
    if facts.problems:
        # A bad stamp would only be noticed years later, when the certificate has expired.
        codes = ", ".join(sorted({str(problem.code) for problem in facts.problems}))
        raise UnexpectedAnswer(f"tsp: the time stamp is not good: {codes}")
    return TimeStamp(facts=facts, response=body)


def sign_document(
    context: PkiContext,
    content: Content,
    signer: Signer,
    *,
    at: datetime | None = None,
    detached: bool = True,
    stamped: bool = True,
) -> Flow[bytes]:
    """Sign a document of any format: CAdES-T, or CAdES-BES without a stamp (F011, F074).

    Args:
        content: The document: octets, a file, or its digest.
        signer: The key with its certificate.
        at: The signing time to claim; now by default.
        detached: Whether the document stays out of the signature file.
        stamped: Whether to add a time stamp, which needs the service.

    Returns:
        DER of the signature file.

    Raises:
        ConfigError: A stamp was asked for and no service is set.
        UnexpectedAnswer: The service gave no good stamp.
    """
    moment = at or context.clock.now()
    make = partial(sign, content, signer, at=moment, detached=detached, provider=context.provider)
    signature = yield from do(partial(make, chain=context.intermediates))
    if not stamped:
        return signature
    stamp = yield from timestamp(context, signature_value(signature))
    return add_timestamp(signature, stamp.response)


def verify_document(
    context: PkiContext,
    signature: bytes,
    content: Content | None = None,
    *,
    policy: Policy = DEFAULT,
    at: datetime | None = None,
    certificates: Iterable[Certificate] = (),
    crls: Iterable[RevocationList] = (),
    ask: bool = True,
) -> Flow[Verification]:
    """Verify a signature file and say why, with OCSP answers fetched where they are needed.

    Args:
        signature: DER, BER, PEM or base64.
        content: The document, for a detached signature.
        policy: What is demanded.
        at: The moment of the verdict; now by default.
        certificates: Certificates that may help.
        crls: Revocation lists at hand.
        ask: Whether to fetch revocation lists and OCSP answers, where services are set. What could
            not be fetched is no error: the verdict says what is missing.

    Returns:
        The verdict, also for a file that is no signature at all.
    """
    evidence = Evidence(
        signature=signature,
        content=content,
        trust=context.trust,
        certificates=(*context.intermediates, *certificates),
        crls=tuple(crls),
        accredited=context.accredited,
    )
    moment = at or context.clock.now()
    lists, answers = (yield from _fetched(context, evidence, moment)) if ask else ([], [])
    full = evidence.with_fetched(crls=lists, ocsp_responses=answers)
    facts = yield from do(partial(collect, full, at=moment, provider=context.provider))
    return Verification(
        report=decide(facts, policy, at=moment),
        facts=facts,
        ocsp_responses=tuple(answers),
        crls=tuple(lists),
    )


def extend_signature(
    context: PkiContext,
    signature: bytes,
    content: Content | None = None,
    *,
    form: Form = Form.X_LONG_TYPE_1,
    signer_index: int = 0,
    certificates: Iterable[Certificate] = (),
    crls: Iterable[RevocationList] = (),
) -> Flow[bytes]:
    """Make a signature last: fetch what proves it good and put it in, up to a form of CAdES.

    Args:
        signature: DER, BER, PEM or base64.
        content: The document, for a detached signature; without it only the rest is judged, and
            there is no CAdES-A.
        form: How far to go; a signature that is there already stays as it is.
        signer_index: Which of the signatures.
        certificates: Certificates that may help.
        crls: Revocation lists at hand.

    Returns:
        DER of the signature file.

    Raises:
        ConfigError: A stamp is needed and no service is set.
        UnexpectedAnswer: The service gave no good stamp.
        UsageError: The signature is not good, or what would prove it good could not be had.
        MalformedError: It is no signature.
    """
    longer = to_binary(signature)
    if form_of(longer, signer_index) < Form.T <= form:
        stamp = yield from timestamp(context, signature_value(longer, signer_index))
        longer = add_timestamp(longer, stamp.response, signer_index=signer_index)
    evidence = Evidence(
        signature=longer,
        content=content,
        trust=context.trust,
        certificates=(*context.intermediates, *certificates),
        crls=tuple(crls),
    )
    steps = {Form.T: add_references, Form.C: add_values}
    if form_of(longer, signer_index) in steps and form > Form.T:
        lists, answers = yield from _fetched(context, evidence, context.clock.now())
        evidence = evidence.with_fetched(crls=lists, ocsp_responses=answers)
    while (present := form_of(longer, signer_index)) < form and present in steps:
        step = partial(steps[present], evidence, at=context.clock.now(), signer_index=signer_index)
        longer = yield from do(partial(step, provider=context.provider))
        evidence = attrs.evolve(evidence, signature=longer)
    if form_of(longer, signer_index) < Form.X_LONG_TYPE_1 <= form:
        stamp = yield from timestamp(context, evidence_value(longer, signer_index))
        longer = add_evidence_timestamp(longer, stamp.response, signer_index=signer_index)
    if form_of(longer, signer_index) < Form.A <= form:
        which = partial(archive_value, longer, content, signer_index=signer_index)
        covered = yield from do(partial(which, provider=context.provider))
        stamp = yield from timestamp(context, covered)
        add = partial(add_archive_timestamp, longer, stamp.response, content)
        add = partial(add, signer_index=signer_index, provider=context.provider)
        longer = yield from do(add)
    return longer


def _fetched(
    context: PkiContext, evidence: Evidence, at: datetime
) -> Flow[tuple[list[bytes], list[bytes]]]:
    """Return revocation lists and OCSP answers, as far as services are set and answer."""
    lists: list[bytes] = []
    answers: list[bytes] = []
    for url in context.crl_urls:
        lists += yield from _unless_refused(_get_list(context, url))
    if context.ocsp_url is not None:
        questions = yield from do(partial(_questions, evidence, at, context.provider))
        for certificate, issuer in questions:
            answers += yield from _unless_refused(_ask(context, certificate, issuer))
    return lists, answers


def _ask(context: PkiContext, certificate: Certificate, issuer: Certificate) -> Flow[bytes]:
    return (yield from status(context, certificate, issuer)).response


def _get_list(context: PkiContext, url: httpx.URL) -> Flow[bytes]:
    request = context.request("GET", str(url), headers={"Accept": "application/pkix-crl"})
    body = (yield from context.fetch("crl", request)).body
    try:
        decode_crl(to_binary(body))
    except (MalformedError, BudgetExceeded) as error:
        raise UnexpectedAnswer(f"crl: {error}") from error
    return body


def _unless_refused(asked: Flow[bytes]) -> Flow[list[bytes]]:
    """Return the evidence, or none: what is missing then stands in the report."""
    try:
        return [(yield from asked)]
    except (ApiError, TransportError, UnexpectedAnswer, DeadlineExceeded):
        return []


def _post(
    context: PkiContext, operation: str, url: httpx.URL, question: bytes, media: tuple[str, str]
) -> Flow[bytes]:
    asked, answered = media
    request = context.request(
        "POST", str(url), content=question, content_type=asked, headers={"Accept": answered}
    )
    return (yield from context.fetch(operation, request)).body


def _questions(
    evidence: Evidence, at: datetime, provider: Provider | None
) -> list[tuple[Certificate, Certificate]]:
    """List the certificates whose status has to be asked, each with its issuer."""
    try:
        message = decode_signed_data(to_binary(evidence.signature))
    except (MalformedError, BudgetExceeded):
        return []
    inside = only(Certificate, islice(carried(message), MAX_CARRIED))
    pool = (*evidence.certificates, *inside)
    found: dict[Certificate, Certificate] = {}
    for certificate in inside:
        path = build_path(certificate, evidence.trust, pool, at=at, provider=provider)
        if path.anchor is None:
            continue  # whom nobody vouches for, nobody is asked about
        for each in path.chain:
            issuer = path.issuer_of(each)
            if issuer is not None and each not in evidence.trust:
                found.setdefault(each, issuer)
    # A file stuffed with certificates must not turn one verification into a thousand requests.
    return list(found.items())[:_MAX_QUESTIONS]
