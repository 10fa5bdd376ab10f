"""What is done to signatures later, with services at hand: confirmed by others, renewed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from medsign.cms.content import Content
from medsign.cms.context import PkiContext
from medsign.cms.countersign import countersign
from medsign.cms.evidence import Evidence
from medsign.cms.extend import add_archive_timestamp, add_archive_values, archive_value
from medsign.cms.operations import timestamp, verify_document
from medsign.cms.policy import WITH_STAMP
from medsign.codec.asn1 import Certificate, RevocationList, to_binary
from medsign.exchange import Flow, do
from medsign.pki.signing import Signer


def countersign_signature(
    context: PkiContext,
    signature: bytes,
    signer: Signer,
    *,
    at: datetime | None = None,
    signer_index: int = 0,
) -> Flow[bytes]:
    """Confirm a signature with a countersignature; the document is not needed.

    Args:
        signature: DER, BER, PEM or base64.
        signer: The key with its certificate, which is sent along.
        at: The signing time to claim; now by default.
        signer_index: Which of the signatures is confirmed.

    Returns:
        DER of the signature file.

    Raises:
        MalformedError: It is no signature.
        UsageError: There is no such signature.
    """
    moment = at or context.clock.now()
    sign = partial(countersign, to_binary(signature), signer, at=moment, signer_index=signer_index)
    return (yield from do(partial(sign, provider=context.provider)))


def renew_archive(
    context: PkiContext,
    signature: bytes,
    content: Content | None = None,
    *,
    signer_index: int = 0,
    certificates: Iterable[Certificate] = (),
    crls: Iterable[RevocationList] = (),
) -> Flow[bytes]:
    """Renew a CAdES-A before the service of its last stamp ends: one more stamp on all of it.

    What proves the last stamp good is fetched and put into it first.

    Args:
        signature: DER, BER, PEM or base64.
        content: The document, for a detached signature.
        signer_index: Which of the signatures.
        certificates: Certificates that may help.
        crls: Revocation lists at hand.

    Returns:
        DER of the signature file.

    Raises:
        ConfigError: No time stamp service is set.
        UnexpectedAnswer: The service gave no good stamp.
        UsageError: The signature is no CAdES-A or not good, or the content is missing.
        MalformedError: It is no signature.
    """
    asked = yield from verify_document(
        context, signature, content, policy=WITH_STAMP, certificates=certificates, crls=crls
    )
    evidence = Evidence(
        signature=to_binary(signature),
        content=content,
        trust=context.trust,
        certificates=(*context.intermediates, *certificates, *asked.certificates),
        crls=tuple(crls),
    ).with_fetched(crls=asked.crls, ocsp_responses=asked.ocsp_responses)
    which: dict[str, Any] = {"signer_index": signer_index, "provider": context.provider}
    keep = partial(add_archive_values, evidence, at=context.clock.now(), **which)
    kept = yield from do(keep)
    covered = yield from do(partial(archive_value, kept, content, **which))
    stamp = yield from timestamp(context, covered)
    return (yield from do(partial(add_archive_timestamp, kept, stamp.response, content, **which)))
