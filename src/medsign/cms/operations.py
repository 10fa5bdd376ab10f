"""Signing and verifying with the services of a CA at hand: OCSP (RFC 6960) and TSP (RFC 3161)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

import attrs

from medsign.cms.collect import collect
from medsign.cms.content import Content
from medsign.cms.context import PkiContext
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
from medsign.cms.gather import (
    complete_chain,
    explained,
)
from medsign.cms.policy import DEFAULT, Policy
from medsign.cms.report import Report
from medsign.cms.services import Gathered, ask_status, gathered, post_question
from medsign.cms.sign import add_timestamp, sign, signature_value
from medsign.codec.asn1 import (
    Certificate,
    RevocationList,
    decode_timestamp_request,
    decode_timestamp_response,
    to_binary,
)
from medsign.errors import (
    BudgetExceeded,
    ConfigError,
    MalformedError,
    UnexpectedAnswer,
)
from medsign.exchange import Flow, do
from medsign.gost import DigestAlgorithm
from medsign.pki.revocation import (
    RevocationEvidence,
    RevocationFacts,
    check_revocation,
    decide_revocation,
)
from medsign.pki.signing import Signer
from medsign.pki.timestamp import (
    TimestampFacts,
    check_timestamp_response,
    message_imprint,
    timestamp_request,
)
from medsign.pki.unfetched import Unfetched

_TSP = ("application/timestamp-query", "application/timestamp-reply")


@attrs.frozen(kw_only=True)
class CertificateStatus:
    """What an OCSP service, or a list, said about a certificate.

    Attributes:
        facts: The status and what speaks for it.
        response: DER of the whole answer, to keep as evidence; empty when there is none.
        crls: DER of the lists that were fetched.
        unfetched: What could not be had from the addresses in the certificate.
    """

    facts: RevocationFacts
    response: bytes = attrs.field(default=b"", repr=False)
    crls: tuple[bytes, ...] = attrs.field(default=(), repr=False)
    unfetched: tuple[Unfetched, ...] = ()


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
        certificates: Certificates of issuers that were fetched.
        unfetched: What could not be had from the addresses in certificates.
    """

    report: Report
    facts: Facts = attrs.field(repr=False)
    ocsp_responses: tuple[bytes, ...] = attrs.field(default=(), repr=False)
    crls: tuple[bytes, ...] = attrs.field(default=(), repr=False)
    certificates: tuple[Certificate, ...] = attrs.field(default=(), repr=False)
    unfetched: tuple[Unfetched, ...] = ()


def status(
    context: PkiContext, certificate: Certificate, issuer: Certificate
) -> Flow[CertificateStatus]:
    """Ask whether a certificate is good now (F137).

    The service of the settings is asked; without one, the places that the certificate names, when
    following them is on. A status of "revoked" or "unknown" is a result, not an error.

    Args:
        certificate: The certificate asked about.
        issuer: Its issuer.

    Raises:
        ConfigError: No OCSP service is set, and addresses are not followed.
        UnexpectedAnswer: The answer is no OCSP answer, or the service is not ready.
    """
    if context.ocsp_url is None:
        return (yield from _followed_status(context, certificate, issuer))
    asked = yield from ask_status(context, certificate, issuer)
    evidence = RevocationEvidence(responses=(asked.answer,))
    check = partial(check_revocation, certificate, issuer, evidence, nonce=asked.nonce)
    now = context.clock.now()
    facts = yield from do(
        partial(check, at=now, candidates=context.intermediates, provider=context.provider)
    )
    return CertificateStatus(facts=facts, response=asked.body)


def _followed_status(
    context: PkiContext, certificate: Certificate, issuer: Certificate
) -> Flow[CertificateStatus]:
    fetcher = context.fetcher(context.intermediates)
    if fetcher is None:
        raise ConfigError("no OCSP service is set")
    facts = decide_revocation((), at=context.clock.now())
    for source in fetcher.follow.sources:
        if (yield from fetcher.status(certificate, issuer, source)):
            facts = yield from do(partial(fetcher.weigh, certificate, issuer))
        if facts.status != "unknown":
            break
    return CertificateStatus(
        facts=facts,
        response=b"".join(each.der for each in fetcher.responses[:1]),
        crls=tuple(each.der for each in fetcher.crls),
        unfetched=tuple(fetcher.unfetched),
    )


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
    asked, answered = _TSP
    post = post_question(
        context, "timestamp", context.tsp_url, question, asked=asked, answered=answered
    )
    body = (yield from post).body
    try:
        answer = decode_timestamp_response(body)
    except (MalformedError, BudgetExceeded) as error:
        raise UnexpectedAnswer(f"tsp: {error}") from error
    check = partial(
        check_timestamp_response,
        answer,
        decode_timestamp_request(question),
        context.trust,
        provider=context.provider,
    )
    facts = yield from do(partial(check, intermediates=context.intermediates))
    inside = answer.token.certificates if answer.token else ()
    fetcher = context.fetcher((*inside, *context.intermediates))
    if fetcher and facts.certificate and facts.path and facts.path.anchor is None:
        yield from complete_chain(fetcher, facts.certificate, at=facts.path.at)
        facts = yield from do(partial(check, intermediates=tuple(fetcher.pool)))
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
    ocsp_responses: Iterable[bytes] = (),
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
        ocsp_responses: OCSP responses at hand, in DER.
        ask: Whether to fetch what is missing, where services are set or addresses are followed.
            What could not be fetched is no error: the verdict says what is missing and why.

    Returns:
        The verdict, also for a file that is no signature at all.

    Raises:
        MalformedError: One of the OCSP responses is none.
    """
    evidence = Evidence(
        signature=signature,
        content=content,
        trust=context.trust,
        certificates=(*context.intermediates, *certificates),
        crls=tuple(crls),
        accredited=context.accredited,
    ).with_fetched(ocsp_responses=ocsp_responses)
    moment = at or context.clock.now()
    found = (yield from gathered(context, evidence, policy, moment)) if ask else Gathered(evidence)
    facts = yield from do(partial(collect, found.evidence, at=moment, provider=context.provider))
    return Verification(
        report=explained(decide(facts, policy, at=moment), found.unfetched),
        facts=facts,
        ocsp_responses=found.ocsp_responses,
        crls=found.crls,
        certificates=found.certificates,
        unfetched=found.unfetched,
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
        found = yield from gathered(context, evidence, DEFAULT, context.clock.now())
        evidence = found.evidence
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
