"""Evidence from the services of the settings, and then from where certificates lead to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import attrs
import httpx

from medsign.cms.context import PkiContext
from medsign.cms.evidence import Evidence
from medsign.cms.gather import carried_certificates, complete_chains, complete_statuses
from medsign.cms.policy import Policy
from medsign.codec.asn1 import Certificate, decode_crl, to_binary
from medsign.errors import (
    ApiError,
    BudgetExceeded,
    DeadlineExceeded,
    MalformedError,
    MedsignError,
    TransportError,
    UnexpectedAnswer,
)
from medsign.exchange import Answer, Flow, do
from medsign.gost import Provider
from medsign.pki.fetch import (
    OCSP_DIGESTS,
    OCSP_MEDIA,
    OcspExchange,
    ask_ocsp,
    remembered_first,
)
from medsign.pki.path import build_path
from medsign.pki.unfetched import Unfetched, Wanted

_MAX_QUESTIONS = 16


@attrs.frozen
class Gathered:
    """Evidence with what was fetched for it.

    Attributes:
        evidence: All of it.
        ocsp_responses: DER of the OCSP responses that were fetched.
        crls: DER of the revocation lists that were fetched.
        certificates: Certificates of issuers that were fetched.
        unfetched: What did not come.
    """

    evidence: Evidence
    ocsp_responses: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    unfetched: tuple[Unfetched, ...] = ()


def gathered(
    context: PkiContext, evidence: Evidence, policy: Policy, at: datetime
) -> Flow[Gathered]:
    """Return the evidence with what services give and, if asked for, what certificates lead to."""
    fetcher = context.fetcher(evidence.certificates)
    if fetcher is not None:
        fetcher.pool += yield from do(partial(carried_certificates, evidence.signature))
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
        return Gathered(evidence, tuple(answers), tuple(lists), unfetched=tuple(unfetched))
    # Evidence made after the moment of the verdict does not count, so it is not asked for.
    if context.clock.now() - at <= policy.clock_skew:
        evidence = yield from complete_statuses(fetcher, evidence, policy, at=at)
    return Gathered(
        evidence,
        (*answers, *(each.der for each in fetcher.responses)),
        (*lists, *(each.der for each in fetcher.crls)),
        tuple(fetcher.fetched),
        (*unfetched, *fetcher.unfetched),
    )


def ask_status(
    context: PkiContext, certificate: Certificate, issuer: Certificate
) -> Flow[OcspExchange]:
    """Ask the service of the settings, by the digest that it understood before."""
    assert context.ocsp_url is not None
    asked, answered = OCSP_MEDIA
    post = partial(post_question, context, "ocsp", context.ocsp_url, asked=asked, answered=answered)
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
    exchange = yield from ask_status(context, certificate, issuer)
    statuses = {each.status for each in exchange.answer.single_responses}
    if exchange.answer.nonce not in {None, exchange.nonce} and "revoked" not in statuses:
        raise UnexpectedAnswer("ocsp: the answer is to another question")
    return exchange.body


def _get_list(context: PkiContext, url: httpx.URL) -> Flow[bytes]:
    context = context.toward(url)
    request = context.request("GET", str(url), headers={"Accept": "application/pkix-crl"})
    body = (yield from context.roomy.fetch("crl", request)).body
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


def post_question(
    context: PkiContext,
    operation: str,
    url: httpx.URL,
    question: bytes,
    *,
    asked: str,
    answered: str,
) -> Flow[Answer]:
    """Post a question in DER to a service of the settings; see `PkiContext.toward`.

    Args:
        context: The settings.
        operation: Name for events.
        url: Where the service is.
        question: DER of the question.
        asked: Its media type.
        answered: The media type of the answer.
    """
    context = context.toward(url)
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
