"""Signing and verifying with the services of a CA at hand: OCSP (RFC 6960) and TSP (RFC 3161)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

import attrs
import httpx

from medsign.cms.collect import collect
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
from medsign.cms.gather import (
    carried_certificates,
    complete_chain,
    complete_chains,
    complete_statuses,
    explained,
)
from medsign.cms.policy import DEFAULT, Policy
from medsign.cms.report import Report
from medsign.cms.sign import add_timestamp, sign, signature_value
from medsign.codec.asn1 import (
    Certificate,
    RevocationList,
    decode_crl,
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
    MedsignError,
    TransportError,
    UnexpectedAnswer,
)
from medsign.exchange import Answer, Context, Flow, do
from medsign.gost import DigestAlgorithm, Provider
from medsign.pki.accredited import AccreditedList
from medsign.pki.cache import EvidenceCache
from medsign.pki.fetch import (
    OCSP_DIGESTS,
    OCSP_MEDIA,
    Fetcher,
    FollowUrls,
    OcspExchange,
    ask_ocsp,
    remembered_first,
)
from medsign.pki.path import build_path
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
from medsign.pki.trust import TrustStore
from medsign.pki.unfetched import Unfetched, Wanted

_MAX_QUESTIONS = 16
_TSP = ("application/timestamp-query", "application/timestamp-reply")


def _urls(addresses: Iterable[str | httpx.URL]) -> tuple[httpx.URL, ...]:
    return tuple(map(httpx.URL, addresses))


@attrs.frozen(kw_only=True)
class PkiContext(Context):
    """Settings of the services that prove things about certificates and signatures.

    Attributes:
        trust: Whom to trust; by default nobody.
        intermediates: Certificates of authorities at hand.
        ocsp_url: Where to ask for the status of certificates, or ``None``.
        tsp_url: Where time stamps are given, or ``None``.
        crl_urls: Where revocation lists are; roots publish one and answer no OCSP.
        accredited: The list of accredited authorities, for whether signatures are qualified ones.
        follow: How far addresses in certificates are followed for what is missing; by default not
            at all, because whoever made a certificate chose the addresses in it.
        cache: Where what came from such addresses is kept while it is valid.
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
    follow: FollowUrls | None = None
    cache: EvidenceCache = attrs.field(factory=EvidenceCache, repr=False)
    provider: Provider | None = attrs.field(default=None, repr=False)
    entropy: Callable[[int], bytes] = attrs.field(default=secrets.token_bytes, repr=False)

    def fetcher(self, at_hand: Iterable[Certificate]) -> Fetcher | None:
        """Return what follows addresses for one verification, ``None`` when that is off."""
        if self.follow is None:
            return None
        return Fetcher(
            context=self,
            follow=self.follow,
            cache=self.cache,
            entropy=self.entropy,
            trust=self.trust,
            pool=[*at_hand],
            provider=self.provider,
        )


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
    asked = yield from _ask(context, certificate, issuer)
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
    post = _post(context, "timestamp", context.tsp_url, question, asked=asked, answered=answered)
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
    found = (
        (yield from _gathered(context, evidence, policy, moment)) if ask else _Gathered(evidence)
    )
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
        found = yield from _gathered(context, evidence, DEFAULT, context.clock.now())
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


@attrs.frozen
class _Gathered:
    """Evidence with what was fetched for it."""

    evidence: Evidence
    ocsp_responses: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    unfetched: tuple[Unfetched, ...] = ()


def _gathered(
    context: PkiContext, evidence: Evidence, policy: Policy, at: datetime
) -> Flow[_Gathered]:
    """Return the evidence with what services give and, if asked for, what certificates lead to."""
    inside = yield from do(partial(carried_certificates, evidence.signature))
    fetcher = context.fetcher((*inside, *evidence.certificates))
    if fetcher is not None:
        evidence = yield from complete_chains(fetcher, evidence, policy, at=at)
    lists: list[bytes] = []
    answers: list[bytes] = []
    unfetched: list[Unfetched] = []
    for url in context.crl_urls:
        note = partial(_unfetched, "crl", url, "")
        lists += yield from _unless_refused(_get_list(context, url), note, unfetched)
    if context.ocsp_url is not None:
        questions = yield from do(partial(_questions, evidence, at, context.provider))
        for certificate, issuer in questions:
            note = partial(_unfetched, "ocsp", context.ocsp_url, certificate.fingerprint)
            asked = _own_answer(context, certificate, issuer)
            answers += yield from _unless_refused(asked, note, unfetched)
    evidence = evidence.with_fetched(crls=lists, ocsp_responses=answers)
    if fetcher is None:
        return _Gathered(evidence, tuple(answers), tuple(lists), unfetched=tuple(unfetched))
    # Evidence made after the moment of the verdict does not count, so it is not asked for.
    if at + policy.clock_skew >= context.clock.now():
        evidence = yield from complete_statuses(fetcher, evidence, policy, at=at)
    return _Gathered(
        evidence,
        (*answers, *(each.der for each in fetcher.responses)),
        (*lists, *(each.der for each in fetcher.crls)),
        tuple(fetcher.fetched),
        (*unfetched, *fetcher.unfetched),
    )


def _ask(context: PkiContext, certificate: Certificate, issuer: Certificate) -> Flow[OcspExchange]:
    """Ask the service of the settings, by the digest that it understood before."""
    assert context.ocsp_url is not None
    asked, answered = OCSP_MEDIA
    post = partial(_post, context, "ocsp", context.ocsp_url, asked=asked, answered=answered)
    key = f"digest {issuer.fingerprint} {context.ocsp_url}"
    now = context.clock.now()
    word = yield from do(partial(context.cache.recall, key, now=now))
    exchange = yield from ask_ocsp(
        post,
        certificate,
        issuer,
        entropy=context.entropy,
        digests=remembered_first(word, OCSP_DIGESTS),
        provider=context.provider,
    )
    yield from do(partial(context.cache.remember, key, exchange.hash_oid, now=now))
    return exchange


def _own_answer(context: PkiContext, certificate: Certificate, issuer: Certificate) -> Flow[bytes]:
    """Return the answer to our question; an old one is kept only when it says "revoked"."""
    exchange = yield from _ask(context, certificate, issuer)
    statuses = {each.status for each in exchange.answer.single_responses}
    if exchange.answer.nonce not in {None, exchange.nonce} and "revoked" not in statuses:
        raise UnexpectedAnswer("ocsp: the answer is to another question")
    return exchange.body


def _get_list(context: PkiContext, url: httpx.URL) -> Flow[bytes]:
    request = context.request("GET", str(url), headers={"Accept": "application/pkix-crl"})
    body = (yield from context.fetch("crl", request)).body
    try:
        decode_crl(to_binary(body))
    except (MalformedError, BudgetExceeded) as error:
        raise UnexpectedAnswer(f"crl: {error}") from error
    return body


def _unless_refused(
    asked: Flow[bytes], note: Callable[[MedsignError], Unfetched], unfetched: list[Unfetched]
) -> Flow[list[bytes]]:
    """Return the evidence, or none: what is missing then stands in the report."""
    try:
        return [(yield from asked)]
    except (ApiError, BudgetExceeded, TransportError, UnexpectedAnswer, DeadlineExceeded) as error:
        unfetched.append(note(error))
        return []


def _unfetched(wanted: Wanted, url: httpx.URL, certificate: str, error: MedsignError) -> Unfetched:
    return Unfetched(
        wanted=wanted,
        certificate=certificate,
        host=url.host,
        code=error.code,
        reason=error.diagnostics(),
    )


def _post(
    context: PkiContext,
    operation: str,
    url: httpx.URL,
    question: bytes,
    *,
    asked: str,
    answered: str,
) -> Flow[Answer]:
    request = context.request(
        "POST", str(url), content=question, content_type=asked, headers={"Accept": answered}
    )
    return context.fetch(operation, request)


def _questions(
    evidence: Evidence, at: datetime, provider: Provider | None
) -> list[tuple[Certificate, Certificate]]:
    """List the certificates whose status has to be asked, each with its issuer."""
    inside = carried_certificates(evidence.signature)
    pool = (*inside, *evidence.certificates)
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
