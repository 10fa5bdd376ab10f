"""The contract with a certification authority, each operation once for both colours.

The authority checks documents and data by itself; a person acts at four points: sends the request,
is identified, pays, installs. Every call that changes something has an idempotency key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from urllib.parse import quote

import attrs

from medsign.ca.models import (
    Carrier,
    CertificateRequest,
    Correction,
    DocumentKind,
    Identify,
    Installed,
    IssuedCertificate,
    NewRequest,
    Revocation,
    RevocationReason,
    Scenario,
    Upload,
)
from medsign.ca.status import RequestState
from medsign.ca.subject import certificate_subject, renewal_obstacles
from medsign.cms.sign import sign
from medsign.codec import json
from medsign.codec.asn1 import Certificate, decode_certificate, decode_request
from medsign.errors import InvalidDocument, MalformedError, MedsignError, UnexpectedAnswer
from medsign.exchange import Context, Flow, Listing, Wait, do
from medsign.pki.signing import Signer
from medsign.status import State

_BUSY = {RequestState.DOCUMENTS_CHECK, RequestState.SMEV_CHECK, RequestState.ISSUING}


@attrs.frozen(kw_only=True)
class Order:
    """One certificate of a mass issue.

    Attributes:
        key: Idempotency key, for instance the number of the application in the МИС; next year's
            renewal needs another one, so the number of the employee alone will not do.
        new: The request.
        documents: Files by kind.
    """

    key: str
    new: NewRequest
    documents: Mapping[DocumentKind, bytes] = attrs.field(repr=False)


@attrs.frozen
class Batch:
    """What came of a mass issue: each order is in one of the two.

    Attributes:
        requests: Requests sent, by key of the order.
        failures: Errors, by key of the order; repeat those orders.
    """

    requests: Mapping[str, CertificateRequest]
    failures: Mapping[str, MedsignError]


def create(
    context: Context, new: NewRequest, *, key: str | None = None
) -> Flow[CertificateRequest]:
    """Create a request for a certificate (F065); documents go with it before `submit`.

    Args:
        new: For whom and with what key.
        key: Idempotency key; a second call with it creates nothing, and its PKCS#10 may be signed
            anew, by the same key.

    Raises:
        InvalidDocument: Data that the kind of applicant needs are missing; nothing was sent.
        MalformedError: There is no PKCS#10; nothing was sent.
        ApiError: The authority refused: the PKCS#10 is not signed by its key, or names another
            subject, or the key has a certificate or an open request already.
        UsageError: The key was used for other data or for another key of the applicant.
        OutcomeUnknown: Nobody knows yet whether it was done; call again with the key.
    """
    certificate_subject(new.applicant, new.subject)
    request = context.request("POST", "requests", body=new)
    # A PKCS#10 signed anew by the same key has other octets and asks for the same.
    same = attrs.evolve(new, pkcs10=decode_request(new.pkcs10).public_key.octets)
    answer = yield from context.create(
        "create", request, key, kind=CertificateRequest, identity=json.encode(same)
    )
    return context.read(CertificateRequest, answer)


def upload(
    context: Context, request_id: str, kind: DocumentKind, content: bytes
) -> Flow[CertificateRequest]:
    """Add a document to a request, or replace it.

    Args:
        request_id: Number of the request.
        kind: What document.
        content: PDF, JPEG or PNG.
    """
    path = f"{_request(request_id)}/documents/{kind.value}"
    return _put(context, "upload", path, Upload(content=content))


def correct(context: Context, request_id: str, correction: Correction) -> Flow[CertificateRequest]:
    """Replace data that a check refuted; `submit` sends them to be checked again.

    Args:
        request_id: Number of the request.
        correction: All data, and the key's request with them.
    """
    return _put(context, "correct", f"{_request(request_id)}/data", correction)


def submit(
    context: Context, request_id: str, *, key: str | None = None
) -> Flow[CertificateRequest]:
    """Send a request to be checked: documents, then data through СМЭВ (F128-F132).

    Raises:
        ApiError: ``document-missing``: the text names the kinds.
    """
    return _act(context, "submit", f"{_request(request_id)}/submission", None, key)


def apply(
    context: Context,
    new: NewRequest,
    documents: Mapping[DocumentKind, bytes],
    *,
    key: str | None = None,
) -> Flow[CertificateRequest]:
    """Create a request, add its documents and send it to be checked, in one call (F058).

    A repeat with the same key goes on where the first call stopped; the PKCS#10 may be signed anew.

    Args:
        new: For whom and with what key.
        documents: Files by kind; see `REQUIRED_DOCUMENTS`.
        key: Idempotency key.
    """
    key = key or context.new_key()
    created = yield from create(context, new, key=key)
    request = yield from get(context, created.id)
    if _code(request) != RequestState.DRAFT:
        return request
    for kind, content in documents.items():
        yield from upload(context, created.id, kind, content)
    return (yield from submit(context, created.id, key=f"{key}.submit"))


def apply_all(context: Context, orders: Iterable[Order]) -> Flow[Batch]:
    """Apply for the certificates of many employees; one failure does not stop the rest (F105).

    Args:
        orders: What to apply for; repeat the call to apply for what is missing.
    """
    requests: dict[str, CertificateRequest] = {}
    failures: dict[str, MedsignError] = {}
    for order in orders:
        try:
            requests[order.key] = yield from apply(
                context, order.new, order.documents, key=order.key
            )
        except MedsignError as error:
            failures[order.key] = error
    return Batch(requests, failures)


def identify(
    context: Context, request_id: str, scenario: Scenario, *, key: str | None = None
) -> Flow[CertificateRequest]:
    """Choose how the applicant is identified (F095); the answer says what to do.

    By certificate use `identify_by_certificate`.

    Args:
        request_id: Number of the request.
        scenario: The way; see `SCENARIOS` for what each authority offers.
        key: Idempotency key.

    Raises:
        ApiError: ``identification-not-available`` (through ЕБС, F079) or
            ``identification-not-allowed`` by this authority.
    """
    body = Identify(scenario=scenario)
    return _act(context, "identify", f"{_request(request_id)}/identification", body, key)


def identify_by_certificate(
    context: Context, request_id: str, new: NewRequest, signer: Signer, *, key: str | None = None
) -> Flow[CertificateRequest]:
    """Identify the applicant remotely by the valid certificate (F018, F020, F021, F107).

    The present certificate signs the statement; no visit is needed. It is allowed only while the
    certificate is valid and its data are unchanged, which is checked before anything is sent.

    Args:
        request_id: Number of the request.
        new: The request as it was created.
        signer: The present key and certificate.
        key: Idempotency key.

    Raises:
        InvalidDocument: The certificate is not valid now, is of another authority, or its data
            differ; nothing was sent.
        ApiError: The authority refused, for instance a revoked certificate.
    """
    now = context.clock.now()
    obstacles = renewal_obstacles(new.applicant, new.subject, signer.certificate, now)
    if obstacles:
        raise InvalidDocument("продление сертификата", ((o.value, o.label) for o in obstacles))
    request = yield from get(context, request_id)
    statement = request.statement.encode()
    make = partial(sign, statement, signer, at=now, detached=False)
    signed = yield from do(make)
    body = Identify(scenario=Scenario.BY_CERTIFICATE, signed_statement=signed)
    path = f"{_request(request_id)}/identification"
    return (yield from _act(context, "identify", path, body, key, identity=statement))


def get(context: Context, request_id: str) -> Flow[CertificateRequest]:
    """Ask where a request stands (F100)."""
    answer = yield from context.fetch("get", context.request("GET", _request(request_id)))
    return context.read(CertificateRequest, answer)


def requests(context: Context) -> Listing[CertificateRequest]:
    """List the clinic's requests, oldest first (F104)."""
    return context.pages("requests", "requests", CertificateRequest, {})


def wait(
    context: Context, request_id: str, *, every: float = 10.0, at_most: float = 600.0
) -> Flow[CertificateRequest]:
    """Ask again and again while the authority works by itself: checks, issues.

    It returns when a person has to act (correct, be identified, pay, install), when the request
    is over, or when the time is.

    Args:
        request_id: Number of the request.
        every: Seconds between questions.
        at_most: Seconds after which the last answer is returned as it is.
    """
    until = context.clock.monotonic() + at_most
    while True:
        request = yield from get(context, request_id)
        if _code(request) not in _BUSY or context.clock.monotonic() + every > until:
            return request
        yield Wait(every)


def download(context: Context, request_id: str) -> Flow[Certificate]:
    """Fetch the issued certificate.

    Raises:
        ApiError: It is not issued yet.
        UnexpectedAnswer: What came is no certificate.
    """
    path = f"{_request(request_id)}/certificate"
    request = context.request("GET", path, headers={"Accept": "application/pkix-cert"})
    answer = yield from context.fetch("download", request)
    try:
        return decode_certificate(answer.body)
    except MalformedError as error:
        raise UnexpectedAnswer(f"{context.service}: {error}") from error


def install(
    context: Context, request_id: str, carrier: Carrier, *, key: str | None = None
) -> Flow[CertificateRequest]:
    """Acknowledge that the certificate is installed (F093, F094).

    Args:
        request_id: Number of the request.
        carrier: Where it was put.
        key: Idempotency key.
    """
    body = Installed(carrier=carrier)
    return _act(context, "install", f"{_request(request_id)}/installation", body, key)


def cancel(
    context: Context, request_id: str, *, key: str | None = None
) -> Flow[CertificateRequest]:
    """Withdraw a request; once the certificate is being issued it is too late."""
    return _act(context, "cancel", f"{_request(request_id)}/cancellation", None, key)


def certificates(context: Context) -> Listing[IssuedCertificate]:
    """List the certificates issued to the clinic, oldest first (F101)."""
    return context.pages("certificates", "certificates", IssuedCertificate, {})


def certificate(context: Context, serial_number: str) -> Flow[IssuedCertificate]:
    """Ask where a certificate stands in the authority's register (F134).

    Args:
        serial_number: In hexadecimal, in any spelling: capitals, leading zeros, spaces, colons.
    """
    request = context.request("GET", _certificate(serial_number))
    answer = yield from context.fetch("certificate", request)
    return context.read(IssuedCertificate, answer)


def revoke(
    context: Context,
    serial_number: str,
    reason: RevocationReason = RevocationReason.UNSPECIFIED,
    *,
    key: str | None = None,
) -> Flow[IssuedCertificate]:
    """Revoke a certificate for good.

    Args:
        serial_number: In hexadecimal.
        reason: Why.
        key: Idempotency key.
    """
    return _change(context, "revoke", f"{_certificate(serial_number)}/revocation", key, reason)


def hold(
    context: Context, serial_number: str, *, key: str | None = None
) -> Flow[IssuedCertificate]:
    """Suspend a certificate; `unhold` ends it."""
    return _change(context, "hold", f"{_certificate(serial_number)}/hold", key)


def unhold(
    context: Context, serial_number: str, *, key: str | None = None
) -> Flow[IssuedCertificate]:
    """End the suspension of a certificate."""
    return _change(context, "unhold", f"{_certificate(serial_number)}/release", key)


def _request(request_id: str) -> str:
    return f"requests/{quote(request_id, safe='')}"


def _certificate(serial_number: str) -> str:
    # Windows shows capitals and spaces, OpenSSL colons, DER a zero before a high bit.
    number = re.sub(r"[\s:]", "", serial_number).lower().lstrip("0")
    return f"certificates/{quote(number or '0', safe='')}"


def _code(request: CertificateRequest) -> str | None:
    status = request.status
    return status.code if isinstance(status, State) else None


def _put(context: Context, name: str, path: str, body: object) -> Flow[CertificateRequest]:
    answer = yield from context.fetch(name, context.request("PUT", path, body=body))
    return context.read(CertificateRequest, answer)


def _act(
    context: Context,
    name: str,
    path: str,
    body: object,
    key: str | None,
    *,
    identity: bytes | None = None,
) -> Flow[CertificateRequest]:
    request = context.request("POST", path, body=body)
    answer = yield from context.create(
        name, request, key, kind=CertificateRequest, identity=identity
    )
    return context.read(CertificateRequest, answer)


def _change(
    context: Context,
    name: str,
    path: str,
    key: str | None,
    reason: RevocationReason | None = None,
) -> Flow[IssuedCertificate]:
    body = None if reason is None else Revocation(reason=reason)
    request = context.request("POST", path, body=body)
    answer = yield from context.create(name, request, key, kind=IssuedCertificate)
    return context.read(IssuedCertificate, answer)
