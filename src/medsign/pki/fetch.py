"""What is missing is fetched from where the certificates say, when that was asked for.

Flows of the exchange, so both colours have them. The addresses are a stranger's: every request
goes through `medsign.transport.UrlGuard`, and one verification sends only so many of them in so
much time. What does not come is no error; it is noted and stands in the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TypeVar

import attrs

from medsign.codec.asn1 import (
    BasicOcspResponse,
    Certificate,
    DistributionPoint,
    OcspResponse,
    RevocationList,
    decode_crl,
    decode_ocsp_response,
    decode_signed_data,
    oids,
    to_binary,
)
from medsign.errors import (
    AddressRefused,
    ApiError,
    BudgetExceeded,
    DeadlineExceeded,
    MalformedError,
    MedsignError,
    TransportError,
    UnexpectedAnswer,
)
from medsign.exchange import Answer, Context, Flow, do
from medsign.exchange.redaction import redact
from medsign.gost import Provider
from medsign.pki.cache import EvidenceCache, Failure
from medsign.pki.claims import EvidencePolicy, Source
from medsign.pki.ocsp import ocsp_request, single_response
from medsign.pki.problems import ProblemCode
from medsign.pki.revocation import RevocationEvidence, RevocationFacts, check_revocation
from medsign.pki.signatures import verify_signature
from medsign.pki.trust import TrustStore, read_certificates
from medsign.pki.unfetched import Unfetched, Wanted
from medsign.transport.guard import UrlGuard, guarded, host_of

T = TypeVar("T")

OCSP_DIGESTS = (oids.SHA1, oids.STREEBOG_256, oids.STREEBOG_512, oids.SHA256)
"""Digests by which services are asked about a certificate, in this order."""

OCSP_MEDIA = ("application/ocsp-request", "application/ocsp-response")
# A service that does not know the digest says that it may not, or cannot, answer.
_ASK_OTHERWISE = {"unauthorized", "malformedRequest"}
_MAX_ISSUERS = 16
_UNFETCHED = (
    AddressRefused,
    ApiError,
    BudgetExceeded,
    DeadlineExceeded,
    MalformedError,
    TransportError,
    UnexpectedAnswer,
)
# An answer prepared beforehand repeats no number; one that repeats another is not ours.
_ANY_NONCE = EvidencePolicy(nonce_required=False)


class _Spent(BudgetExceeded):
    """A verification has asked enough; it is not the address's fault."""


@attrs.frozen(kw_only=True)
class FollowUrls:
    """That addresses in certificates are followed, and how far.

    Attributes:
        guard: Which of them may be asked at all.
        sources: Where the status is looked for, the first that knows it being enough.
        max_urls: Places of one kind that are looked at of one certificate, and addresses of one.
        max_fetches: Requests of one verification.
        max_bytes: Size of certificates and OCSP answers.
        max_list_bytes: Size of a list; those of Russian authorities have tens of megabytes.
        seconds: Time for one request.
        total_seconds: Time for all requests of one verification.

    Example:
        >>> FollowUrls(guard=UrlGuard(hosts=(".nalog.test",))).sources
        ('ocsp', 'crl')
    """

    guard: UrlGuard = attrs.field(factory=UrlGuard)
    sources: tuple[Source, ...] = ("ocsp", "crl")
    max_urls: int = 3
    max_fetches: int = 16
    max_bytes: int = 1024 * 1024
    max_list_bytes: int = 48 * 1024 * 1024
    seconds: float = 10.0
    total_seconds: float = 30.0


@attrs.frozen(kw_only=True)
class OcspExchange:
    """A question about a certificate and its answer.

    Attributes:
        body: DER of the whole response.
        answer: The answer in it.
        nonce: The number that it should repeat.
        hash_oid: The digest that the service understood.
    """

    body: bytes = attrs.field(repr=False)
    answer: BasicOcspResponse
    nonce: bytes
    hash_oid: str


def ask_ocsp(
    post: Callable[[bytes], Flow[Answer]],
    certificate: Certificate,
    issuer: Certificate,
    *,
    entropy: Callable[[int], bytes],
    digests: Iterable[str] = OCSP_DIGESTS,
    provider: Provider | None = None,
) -> Flow[OcspExchange]:
    """Ask a service about a certificate, by other digests when it does not know it by the first.

    Services differ in whether they know certificates by SHA-1 or by Streebog, and what is not in
    their index they call unknown, or refuse.

    Args:
        post: Sends a question.
        certificate: The certificate asked about.
        issuer: Its issuer.
        entropy: Source of nonces.
        digests: OIDs of the digests to try.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        UnexpectedAnswer: None of the answers is one.
    """
    found: OcspExchange | None = None
    said = "nothing"
    for hash_oid in digests:
        nonce = entropy(16)
        question = ocsp_request(certificate, issuer, nonce, hash_oid=hash_oid, provider=provider)
        body = (yield from post(question)).body
        try:
            response = decode_ocsp_response(body)
        except (MalformedError, BudgetExceeded) as error:
            raise UnexpectedAnswer(f"ocsp: {error}") from error
        said = response.status
        if response.basic is not None:
            found = OcspExchange(body=body, answer=response.basic, nonce=nonce, hash_oid=hash_oid)
            single = single_response(response.basic, certificate, issuer, provider=provider)
            if single is not None and single.status != "unknown":
                break
        elif said not in _ASK_OTHERWISE:
            break
    if found is None:
        raise UnexpectedAnswer(f"ocsp: the service answered {said}")
    return found


def remembered_first(word: str | None, digests: Iterable[str]) -> tuple[str, ...]:
    """Return digests with the one that a service understood before in front."""
    known = [word] if word in OCSP_DIGESTS else []
    return tuple(dict.fromkeys([*known, *digests]))


def read_issuers(data: bytes) -> tuple[Certificate, ...]:
    """Read what ``caIssuers`` points to: a certificate (DER, PEM) or many (PEM, PKCS #7).

    Raises:
        MalformedError: It is none of these.
        BudgetExceeded: It is too large.
    """
    try:
        found = tuple(islice(read_certificates(data), _MAX_ISSUERS))
    except MalformedError:
        found = ()
    return found or decode_signed_data(to_binary(data)).certificates[:_MAX_ISSUERS]


@attrs.define(kw_only=True)
class Fetcher:
    """The requests of one verification.

    Attributes:
        context: Whose clock and events are used.
        follow: The bounds.
        cache: Where fetched things are kept.
        entropy: Source of nonces.
        trust: Whom to trust for indirect lists.
        pool: Certificates at hand; those that are fetched are added.
        provider: Who computes.
        fetched: Certificates of issuers that were found.
        crls: Lists that were found.
        responses: OCSP responses that were found, each with an answer in it.
        unfetched: What was not found.
    """

    context: Context
    follow: FollowUrls
    cache: EvidenceCache
    entropy: Callable[[int], bytes]
    trust: TrustStore = attrs.field(factory=TrustStore)
    pool: list[Certificate] = attrs.field(factory=list[Certificate])
    provider: Provider | None = None
    fetched: list[Certificate] = attrs.field(factory=list[Certificate])
    crls: list[RevocationList] = attrs.field(factory=list[RevocationList])
    responses: list[OcspResponse] = attrs.field(factory=list[OcspResponse])
    unfetched: list[Unfetched] = attrs.field(factory=list[Unfetched])
    _sent: int = attrs.field(init=False, default=0)
    _deadline: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._deadline = self.context.clock.monotonic() + self.follow.total_seconds

    def issuers(self, certificate: Certificate) -> Flow[tuple[Certificate, ...]]:
        """Fetch who issued a certificate, whose key is sure to have signed it; the first found."""

        def read(body: bytes) -> tuple[Certificate, ...]:
            found = read_issuers(body)
            if not any(self._signed(certificate, each) for each in found):
                raise UnexpectedAnswer("no certificate there is the issuer's")
            return found

        for url in certificate.ca_issuer_urls[: self.follow.max_urls]:
            found = yield from self._piece(
                "issuer",
                certificate,
                url,
                url,
                partial(self._get, "issuer", url, "application/pkix-cert"),
                read,
                lambda found: min(each.not_after for each in found),
            )
            if found:
                self.pool += found
                self.fetched += found
                return found
        return ()

    def status(self, certificate: Certificate, issuer: Certificate, source: Source) -> Flow[bool]:
        """Fetch the status of a certificate from one kind of source; false when nothing came."""
        before = len(self.crls) + len(self.responses)
        if source == "ocsp":
            yield from self._answers(certificate, issuer)
        else:
            yield from self._lists(certificate, issuer)
        return len(self.crls) + len(self.responses) > before

    def _answers(self, certificate: Certificate, issuer: Certificate) -> Flow[None]:
        nonce: bytes | None = None

        def ask(url: str) -> Flow[bytes]:
            nonlocal nonce
            exchange = yield from self._ask(certificate, issuer, url)
            nonce = exchange.nonce
            return exchange.body

        def term(response: OcspResponse) -> datetime | None:
            evidence = RevocationEvidence(responses=(response.basic,) if response.basic else ())
            return _term(self._weigh(certificate, issuer, evidence, nonce=nonce))

        for url in certificate.ocsp_urls[: self.follow.max_urls]:
            response = yield from self._piece(
                "ocsp",
                certificate,
                url,
                f"{url} {certificate.fingerprint}",
                partial(ask, url),
                decode_ocsp_response,
                term,
            )
            if response:
                self.responses.append(response)
                return

    def _lists(self, certificate: Certificate, issuer: Certificate) -> Flow[None]:
        fresher: list[DistributionPoint] = [*certificate.freshest_crl]
        for point in certificate.crl_distribution_points[: self.follow.max_urls]:
            if crl := (yield from self._list_of(point, certificate, issuer)):
                fresher += crl.freshest_crl
                known = yield from do(partial(self.weigh, certificate, issuer))
                if known.claim:
                    break
        for point in tuple(dict.fromkeys(fresher))[: self.follow.max_urls]:
            yield from self._list_of(point, certificate, issuer)

    def _list_of(
        self, point: DistributionPoint, certificate: Certificate, issuer: Certificate
    ) -> Flow[RevocationList | None]:
        """Fetch the list of a point: its addresses all lead to the same one."""

        def term(crl: RevocationList) -> datetime | None:
            return _term(self._weigh(certificate, issuer, RevocationEvidence(crls=(crl,))))

        for url in point.urls[: self.follow.max_urls]:
            crl = yield from self._piece(
                "crl",
                certificate,
                url,
                f"{url} {issuer.fingerprint}",
                partial(self._get, "crl", url, "application/pkix-crl"),
                lambda body: decode_crl(to_binary(body)),
                term,
            )
            if crl is not None:
                if crl not in self.crls:
                    self.crls.append(crl)
                return crl
        return None

    def _piece(
        self,
        wanted: Wanted,
        certificate: Certificate,
        url: str,
        key: str,
        fetch: Callable[[], Flow[bytes]],
        read: Callable[[bytes], T],
        term: Callable[[T], datetime | None],
    ) -> Flow[T | None]:
        """Return one thing, out of the cache or from its address, ``None`` when it cannot be had.

        Args:
            wanted: What it is.
            certificate: The certificate that names the address.
            url: The address.
            key: Its name in the cache.
            fetch: Asks for it.
            read: Decodes it; it is used only when this succeeds.
            term: Says up to when it may be kept; evidence that is forged it refuses.
        """
        cache, now = self.cache, self.context.clock.now()
        key = f"{wanted} {key}"
        held = yield from do(partial(cache.find, key, now=now))
        if isinstance(held, bytes):
            try:
                return (yield from do(partial(read, held)))
            except _UNFETCHED:
                pass  # it serves another certificate with the same address
        # A forged certificate must not spoil an address for the genuine one.
        silent, useless = f"silent {url}", f"{key} {certificate.fingerprint}"
        for place in (silent, useless):
            held = yield from do(partial(cache.find, place, now=now))
            if isinstance(held, Failure):
                self._miss(wanted, certificate, url, held)
                return None
        try:
            body = yield from fetch()
            found = yield from do(partial(read, body))
            until = yield from do(partial(term, found))
        except _UNFETCHED as error:
            failure = _failure(error)
            self._miss(wanted, certificate, url, failure)
            # That the time of the verification is over says nothing about the address.
            if self._left() > 0 and not isinstance(error, _Spent):
                place = silent if isinstance(error, TransportError) else useless
                yield from do(partial(cache.fail, place, failure, now=now))
            return None
        yield from do(partial(cache.keep, key, body, now=now, until=until))
        return found

    def _get(self, operation: str, url: str, accept: str) -> Flow[bytes]:
        return (yield from self._guarded(operation, url, accept=accept)).body

    def _ask(self, certificate: Certificate, issuer: Certificate, url: str) -> Flow[OcspExchange]:
        asked, answered = OCSP_MEDIA
        key = f"digest {issuer.fingerprint} {url}"

        def post(question: bytes) -> Flow[Answer]:
            return self._guarded("ocsp", url, content=question, content_type=asked, accept=answered)

        now = self.context.clock.now()
        word = yield from do(partial(self.cache.recall, key, now=now))
        exchange = yield from ask_ocsp(
            post,
            certificate,
            issuer,
            entropy=self.entropy,
            digests=remembered_first(word, OCSP_DIGESTS),
            provider=self.provider,
        )
        yield from do(partial(self.cache.remember, key, exchange.hash_oid, now=now))
        return exchange

    def _guarded(
        self,
        operation: str,
        url: str,
        *,
        accept: str,
        content: bytes | None = None,
        content_type: str = "",
    ) -> Flow[Answer]:
        left = self._left()
        if left <= 0:
            raise _Spent("seconds of fetching", self.follow.total_seconds)
        if self._sent >= self.follow.max_fetches:
            raise _Spent("addresses asked", self.follow.max_fetches)
        self._sent += 1
        return guarded(
            self.context,
            operation,
            self.follow.guard,
            url,
            method="GET" if content is None else "POST",
            content=content,
            content_type=content_type,
            accept=accept,
            seconds=min(self.follow.seconds, left),
            max_bytes=self.follow.max_list_bytes if operation == "crl" else self.follow.max_bytes,
        )

    def _left(self) -> float:
        return self._deadline - self.context.clock.monotonic()

    def weigh(self, certificate: Certificate, issuer: Certificate) -> RevocationFacts:
        """Return the status of a certificate now, by all that was found."""
        answers = (each.basic for each in self.responses)
        evidence = RevocationEvidence(
            crls=tuple(self.crls), responses=tuple(each for each in answers if each)
        )
        return self._weigh(certificate, issuer, evidence)

    def _weigh(
        self,
        certificate: Certificate,
        issuer: Certificate,
        evidence: RevocationEvidence,
        *,
        nonce: bytes | None = None,
    ) -> RevocationFacts:
        return check_revocation(
            certificate,
            issuer,
            evidence,
            at=self.context.clock.now(),
            policy=_ANY_NONCE,
            nonce=nonce,
            candidates=self.pool,
            trust=self.trust,
            provider=self.provider,
        )

    def _signed(self, certificate: Certificate, issuer: Certificate) -> bool:
        return issuer.subject.matches(certificate.issuer) and bool(
            verify_signature(
                issuer.public_key,
                certificate.signature_algorithm,
                certificate.tbs_der,
                certificate.signature,
                provider=self.provider,
            )
        )

    def _miss(self, wanted: Wanted, certificate: Certificate, url: str, failure: Failure) -> None:
        self.unfetched.append(
            Unfetched(
                wanted=wanted,
                certificate=certificate.fingerprint,
                host=redact(host_of(url)),
                code=failure.code,
                reason=failure.reason,
            )
        )


def _term(facts: RevocationFacts) -> datetime | None:
    """Return up to when fetched evidence may be kept; without a term only briefly.

    Raises:
        UnexpectedAnswer: It is forged, or an answer to somebody else.
    """
    if not facts.claims:
        raise UnexpectedAnswer("it says nothing about this certificate")
    if all(each.forged for each in facts.claims):
        raise UnexpectedAnswer("its signature is not good")
    unfit = {problem.code for each in facts.claims for problem in each.unfit}
    # A revocation is never thrown away, whomever it was told to.
    if ProblemCode.NONCE_MISMATCH in unfit and facts.status != "revoked":
        raise UnexpectedAnswer("it is an answer to another question")
    return facts.claim.next_update if facts.claim else None


def _failure(error: MedsignError) -> Failure:
    return Failure(code=error.code, reason=error.diagnostics())
