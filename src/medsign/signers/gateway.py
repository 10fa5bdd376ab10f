"""Signed requests and signed answers («Подпись запроса»): RFC 9421 with GOST R 34.10-2012.

What is signed is decided by `_to_cover` alone, for those who sign and those who verify. The
algorithm is that of the key, and the key that of a certificate, so no name of an algorithm stands
in the message (RFC 9421 §3.2, steps 6 and 7). Each sending has a nonce of its own, the repeat of a
request too.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from typing import Any, Final, TypeVar

import attrs
import httpx

from medsign.clock import Clock, SystemClock, aware
from medsign.codec.asn1 import Certificate
from medsign.codec.fields import (
    Bare,
    InnerList,
    Item,
    Member,
    decode_dictionary,
    encode_dictionary,
    encode_member,
)
from medsign.errors import (
    BudgetExceeded,
    InvalidKey,
    MalformedError,
    NotAuthentic,
    Unavailable,
    UsageError,
)
from medsign.exchange import Answer, Context, Do
from medsign.exchange.body import content_of
from medsign.gost import DigestAlgorithm, Provider, default_provider, digest
from medsign.pki.keys import public_key
from medsign.pki.signing import Signer, sign
from medsign.transport.auth import Authorisation, Steps

C = TypeVar("C", bound=Context)
M = TypeVar("M", InnerList, Item)

LABEL: Final = "medsign"
SKEW: Final = timedelta(minutes=5)
"""How far the clocks of two parties may differ, and how long a signed message is taken."""

COVERED: Final = (
    "authorization",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "n3-organization",
    "x-api-key",
)
"""Fields that are signed wherever they are present: who asks, for whom, and how a body is read."""

# Whoever sends rubbish makes us read a field anew for each component that is in it.
_MAX_COMPONENTS: Final = 64
_DIGESTS: Final = {
    DigestAlgorithm.STREEBOG_256: "streebog-256",
    DigestAlgorithm.STREEBOG_512: "streebog-512",
}
# RFC 9110 §5.5; a line feed in a value would begin a line of the signature base.
_VALUE: Final = re.compile(r"[\t -~]*")


def _by_lower_name(headers: Mapping[str, str]) -> dict[str, str]:
    # A name in capitals would be no field that has to be signed.
    found: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        found[lower] = f"{found[lower]}, {value}" if lower in found else value
    return found


@attrs.frozen(kw_only=True)
class HttpMessage:
    """What a signature covers: a request, or an answer with its request.

    Attributes:
        method: In capital letters; empty for an answer.
        target: The absolute URL as it was asked; empty for an answer.
        status: Status code of an answer; 0 for a request.
        headers: Header fields by name, lines of one name joined by commas.
        body: The whole content, or what yields it in pieces.
        request: What is answered.
    """

    method: str = ""
    target: str = attrs.field(default="", repr=False)
    status: int = 0
    headers: Mapping[str, str] = attrs.field(converter=_by_lower_name, repr=False)
    body: bytes | Iterable[bytes] = attrs.field(default=b"", repr=False)
    request: HttpMessage | None = attrs.field(default=None, repr=False)

    @classmethod
    def of_request(cls, request: httpx.Request) -> HttpMessage:
        """Return the parts of a request of httpx; a body that streams is not read here."""
        return cls(
            method=request.method,
            target=target_of(request.url),
            headers=dict(request.headers),
            body=content_of(request),
        )

    def value(self, component: Item) -> str:
        """Return what stands in the signature base for a component (RFC 9421 §2).

        Raises:
            NotAuthentic: The message has no such component, or it is of a kind not met here.
        """
        name, about = component.value, dict(component.parameters)
        of_request, key = about.pop("req", False), about.pop("key", None)
        source = self.request if of_request else self
        if source and isinstance(name, str) and type(of_request) is bool and not about:
            if key is None and (found := source._plain(name)) is not None:
                return found
            if isinstance(key, str) and (member := _dictionary(source, name).get(key)):
                return encode_member(member)
        raise NotAuthentic("coverage", f"no component {encode_member(component)} in the message")

    def _plain(self, name: str) -> str | None:
        match name:
            case "@method":
                return self.method or None
            case "@target-uri":
                return self.target or None
            case "@status":
                return str(self.status) if self.status else None
            case _:
                found = self.headers.get(name)
                return None if found is None else found.strip(" \t")


@attrs.frozen(kw_only=True)
class SignedBy:
    """What a verified signature says of itself.

    Attributes:
        key_id: SHA-256 fingerprint of the signer's certificate, hexadecimal.
        nonce: Never used twice by one signer.
        created: When it was made, aware.
    """

    key_id: str
    nonce: str = attrs.field(repr=False)
    created: datetime


def target_of(url: httpx.URL) -> str:
    """Return the whole URL as it is sent; the text of some URLs hides their query."""
    return f"{url.scheme}://{url.netloc.decode()}{url.raw_path.decode()}"


def sign_message(
    message: HttpMessage,
    signer: Signer,
    *,
    at: datetime,
    nonce: str,
    also: Iterable[str] = (),
    provider: Provider | None = None,
) -> dict[str, str]:
    """Return the fields to add to a message.

    Args:
        message: A request, or an answer whose request has been signed.
        signer: The key with its certificate.
        at: The moment of signing, aware.
        nonce: ASCII text that this signer has never used before.
        also: Names of further fields to sign where they are present, beside `COVERED`.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        UsageError: A field that is signed, or the nonce, holds more than printable ASCII.
        NotAuthentic: The request of an answer is not signed.
    """
    algorithm = signer.digest_algorithm
    hashed = Item(digest(algorithm, message.body, provider=provider))
    fields = {
        "content-digest": encode_dictionary({_DIGESTS[algorithm]: hashed}),
        "date": format_datetime(aware(at), usegmt=True),
    }
    message = attrs.evolve(message, headers={**message.headers, **fields})
    parameters: dict[str, Bare] = {
        "created": int(at.timestamp()),
        "nonce": nonce,
        "keyid": signer.certificate.fingerprint,
        "tag": LABEL,
    }
    covered = InnerList(tuple(_to_cover(message, also)), parameters)
    value = sign(signer, _base(message, covered), provider=provider)
    return fields | {
        "signature-input": encode_dictionary({LABEL: covered}),
        "signature": encode_dictionary({LABEL: Item(value)}),
    }


def verify_message(
    message: HttpMessage,
    certificate_of: Callable[[str], Certificate | None],
    *,
    at: datetime,
    skew: timedelta = SKEW,
    also: Iterable[str] = (),
    provider: Provider | None = None,
) -> SignedBy:
    """Check the signature of a message; whether a request is new, `NonceMemory` can tell.

    Args:
        message: A request, or an answer with its request.
        certificate_of: Returns the certificate with a fingerprint, where its owner may sign.
        at: The present moment, aware.
        skew: How old, or ahead of time, a message may be.
        also: Names of further fields that must be signed where they are present, beside `COVERED`:
            those by which your service decides, for instance that of its API key.
        provider: Who computes; by default `medsign.gost.default_provider`.

    Raises:
        NotAuthentic: The signature is missing or does not hold; `reason` says why.
    """
    at = aware(at)
    covered = _covered(message, also)
    value = _member(message, "signature", Item).value
    match dict(covered.parameters):
        case {"alg": _}:
            raise NotAuthentic("malformed", "the algorithm is that of the key, and is not named")
        case {"created": int(created), "nonce": str(nonce), "keyid": str(key_id), "tag": tag} if (
            tag == LABEL
        ):
            moment = _moment(created)
        case _:
            raise NotAuthentic("malformed", "created, nonce, keyid and our tag are required")
    if abs(at - moment) > skew or abs(moment - _date(message)) > skew:
        raise NotAuthentic("time", "too old, or from a clock that is wrong")
    if (until := covered.parameters.get("expires")) is not None and _moment(until) < at:
        raise NotAuthentic("time", "over, by its own word")
    certificate = certificate_of(key_id)
    if certificate is None:
        raise NotAuthentic("key", "the certificate is not one that may sign here")
    if not certificate.not_before <= moment + skew or moment > certificate.not_after:
        raise NotAuthentic("key", "the certificate was not valid at that moment")
    try:
        key = public_key(certificate.public_key)
    except (Unavailable, InvalidKey) as error:
        raise NotAuthentic("key", "not a key of GOST R 34.10-2012") from error
    algorithm, provider = key.params.digest, provider or default_provider()
    hashed = Item(digest(algorithm, message.body, provider=provider))
    if _dictionary(message, "content-digest").get(_DIGESTS[algorithm]) != hashed:
        raise NotAuthentic("digest", "the body is not the one that was signed")
    try:
        base = _base(message, covered)
    except UsageError as error:
        raise NotAuthentic("malformed", str(error)) from error
    signed = digest(algorithm, base, provider=provider)
    if not (isinstance(value, bytes) and provider.verify(key, signed, value)):
        raise NotAuthentic("value", "the signature does not hold")
    return SignedBy(key_id=key_id, nonce=nonce, created=moment)


@attrs.define(eq=False, kw_only=True)
class RequestSignature(Authorisation):
    """Signs each sending of a request, after another scheme has put in its token.

    Args:
        signer: The key of the clinic's system with its certificate.
        inner: How requests are authorised besides, or ``None``; the field it writes is signed.
        also: Names of further fields to sign where they are present.
        clock: Where time is taken from.
        entropy: Source of nonces.
    """

    signer: Signer = attrs.field(repr=False)
    inner: Authorisation | None = None
    also: tuple[str, ...] = ()
    clock: Clock = attrs.field(factory=SystemClock, repr=False)
    entropy: Callable[[int], bytes] = attrs.field(default=secrets.token_bytes, repr=False)

    def steps(self, request: httpx.Request) -> Steps:
        """Sign the request each time it is about to leave."""
        inner = self.inner.steps(request) if self.inner else _alone(request)
        answer: Any = None
        while True:
            try:
                step = inner.send(answer)
            except StopIteration:
                return
            if step is request:
                yield Do(partial(self._sign, request))
            answer = yield step

    def _sign(self, request: httpx.Request) -> None:
        fields = sign_message(
            HttpMessage.of_request(request),
            self.signer,
            at=self.clock.now(),
            nonce=urlsafe_b64encode(self.entropy(16)).decode(),
            also=(*self.also, self.inner.field) if self.inner else self.also,
        )
        request.headers.update(fields)


@attrs.frozen(kw_only=True)
class Gateway:
    """The gateway between a clinic and its services, which wants requests signed.

    Args:
        signer: The key of the clinic's system with its certificate.
        certificate: That of the gateway; its answers must be signed by it. Without one, answers
            are believed as they come, as the TLS connection vouches for them.
        successor: The one that the gateway changes to; both are believed, so that the day of the
            change is no day without answers.
        also: Names of further fields that are signed where they are present.
        clock: Where time is taken from.

    Example:
        >>> import httpx
        >>> from medsign.sandbox import Sandbox
        >>> with Sandbox(signed_requests=True) as sandbox:
        ...     with sandbox.connect(gateway=sandbox.gateway()) as window:
        ...         list(window.ca.certificates())
        []
    """

    signer: Signer = attrs.field(repr=False)
    certificate: Certificate | None = attrs.field(default=None, repr=False)
    successor: Certificate | None = attrs.field(default=None, repr=False)
    also: tuple[str, ...] = ()
    clock: Clock = attrs.field(factory=SystemClock, repr=False)

    def guard(self, context: C) -> C:
        """Return the settings of a service with its traffic signed both ways."""
        inner = context.auth
        if not isinstance(inner, Authorisation | None):
            raise UsageError("requests are signed after an Authorisation of medsign")
        auth = RequestSignature(signer=self.signer, inner=inner, also=self.also, clock=self.clock)
        judge = self.judge if self.certificate else context.judge
        return attrs.evolve(context, auth=auth, judge=judge)

    def judge(self, request: httpx.Request, answer: Answer) -> None:
        """Refuse an answer that the gateway did not give to this very request.

        Raises:
            NotAuthentic: What became of the request is unknown.
        """
        message = HttpMessage(
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body,
            request=HttpMessage.of_request(request),
        )
        try:
            verify_message(message, self._own, at=self.clock.now())
        except NotAuthentic as error:
            if error.reason == "missing" and answer.status == 401:
                # Such a refusal is never signed, so it is a hint and proves nothing.
                hint = "an unsigned 401: perhaps the gateway takes our signature or clock for wrong"
                raise NotAuthentic("missing", hint) from error
            raise

    def _own(self, key_id: str) -> Certificate | None:
        known = filter(None, (self.certificate, self.successor))
        return next((each for each in known if each.fingerprint == key_id), None)


def _to_cover(message: HttpMessage, also: Iterable[str]) -> Iterator[Item]:
    """Yield what must be signed: all that changes what is done, or who is believed.

    An answer is bound to the request it is to: by its signature, which covers its nonce, and by
    what was asked, so that this can be read from the answer alone (RFC 9421 §2.4). The value of
    the signature is covered together with what it was made over: alone, it could be passed off as
    the signature of something else under another key.
    """
    if message.request:
        yield Item("@status")
        yield from (Item(part, {"req": True}) for part in ("@method", "@target-uri"))
        for part in ("signature-input", "signature"):
            yield Item(part, {"req": True, "key": LABEL})
    else:
        yield from (Item("@method"), Item("@target-uri"))
    yield from (Item("date"), Item("content-digest"))
    fields = {*COVERED, *(name.lower() for name in also)}
    yield from (Item(name) for name in sorted(fields) if name in message.headers)


def _covered(message: HttpMessage, also: Iterable[str]) -> InnerList:
    covered = _member(message, "signature-input", InnerList)
    if len(covered.items) > _MAX_COMPONENTS:
        raise NotAuthentic("malformed", "more components than any message of ours has")
    listed = set(map(_identity, covered.items))
    missing = [each for each in _to_cover(message, also) if _identity(each) not in listed]
    if missing:
        raise NotAuthentic("coverage", f"{encode_member(InnerList(tuple(missing)))} not signed")
    if len(listed) < len(covered.items):
        raise NotAuthentic("malformed", "a component is listed twice")
    return covered


def _identity(component: Item) -> str:
    # Parameters in another order name the same component (RFC 9421 §2).
    return encode_member(Item(component.value, dict(sorted(component.parameters.items()))))


def _base(message: HttpMessage, covered: InnerList) -> bytes:
    values = [(item, message.value(item)) for item in covered.items]
    for item, value in values:
        if not _VALUE.fullmatch(value):
            name = encode_member(item)
            raise UsageError(f"{name} holds more than printable ASCII (RFC 9421 §2.5)")
    lines = [f"{encode_member(item)}: {value}" for item, value in values]
    return "\n".join([*lines, f'"@signature-params": {encode_member(covered)}']).encode("ascii")


def _dictionary(message: HttpMessage, field: str) -> dict[str, Member]:
    if field not in message.headers:
        raise NotAuthentic("missing", f"no {field} in the message")
    try:
        return decode_dictionary(message.headers[field], field)
    except (MalformedError, BudgetExceeded) as error:
        raise NotAuthentic("malformed", str(error)) from error


def _member(message: HttpMessage, field: str, kind: type[M]) -> M:
    found = _dictionary(message, field).get(LABEL)
    if not isinstance(found, kind):
        raise NotAuthentic("missing", f"no {LABEL!r} in {field}")
    return found


def _moment(seconds: Any) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise NotAuthentic("malformed", "created or expires is no moment") from None


def _date(message: HttpMessage) -> datetime:
    try:
        return aware(parsedate_to_datetime(message.headers.get("date", "")))
    except (ValueError, OverflowError):
        raise NotAuthentic("malformed", "date is no moment") from None


def _alone(request: httpx.Request) -> Steps:
    yield request
