"""What time stamps of a signature cover, octet for octet (ETSI EN 319 122-1 5.5 and A.1.5)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from datetime import datetime

import attrs

from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    SignedData,
    SignerInfo,
    decode_revocation_references,
    decode_signed_data,
    decode_tst_info,
    der,
    oids,
)
from medsign.codec.asn1.cms import CMS_LIMITS, SignedDataFields, signed_data_fields
from medsign.codec.asn1.door import SEQUENCE, SET, Element, constructed, open_der
from medsign.codec.asn1.encoded import Encoded
from medsign.codec.asn1.keys import encode_algorithm, read_algorithm
from medsign.errors import BudgetExceeded, MalformedError
from medsign.gost import Provider
from medsign.pki.signatures import hash_octets

_UNDER_EVIDENCE_STAMP = (oids.SIGNATURE_TIME_STAMP, oids.CERTIFICATE_REFS, oids.REVOCATION_REFS)


def under_evidence_stamp(signer: SignerInfo) -> bytes:
    """Return what the CAdES-C time stamp covers: the value, its stamp and the references.

    Of each attribute the type and the set of values are taken, without the SEQUENCE around them.
    """
    return b"".join(
        (
            signer.signature,
            *(
                der.oid(oid) + der.tlv(SET, *each.values)
                for oid in _UNDER_EVIDENCE_STAMP
                for each in signer.unsigned_attributes
                if each.oid == oid
            ),
        )
    )


def hash_index(
    message: SignedData, signer: SignerInfo, hash_oid: str, *, provider: Provider | None = None
) -> bytes:
    """Return DER of an ATSHashIndexV3: digests of all that an archive time stamp protects.

    Raises:
        Unavailable: The digest algorithm is not known.
    """
    listed = (
        der.sequence(*(der.octets(hash_octets(hash_oid, each, provider=provider)) for each in part))
        for part in _indexed(message, signer)
    )
    return der.sequence(encode_algorithm(AlgorithmIdentifier(hash_oid)), *listed)


def listed(
    index: bytes, message: SignedData, signer: SignerInfo, *, provider: Provider | None = None
) -> SignedData:
    """Return a message with one signature and no more evidence than an index lists.

    Lists and answers beside the signature count only all together, for it is not told which
    element of theirs is which.

    Raises:
        MalformedError: It is no ATSHashIndexV3.
        Unavailable: The digest algorithm is not known.
    """
    hash_oid, (_, revocations, attributes) = _read_index(index)

    def is_in(part: Container[bytes], element: bytes) -> bool:
        return hash_octets(hash_oid, element, provider=provider) in part

    kept = (
        attrs.evolve(a, values=tuple(v for v in a.values if is_in(attributes, der.oid(a.oid) + v)))
        for a in signer.unsigned_attributes
    )
    whole = all(is_in(revocations, each) for each in _elements(_fields(message).revocations))
    return attrs.evolve(
        message,
        crls=message.crls if whole else (),
        ocsp_responses=message.ocsp_responses if whole else (),
        signers=(attrs.evolve(signer, unsigned_attributes=tuple(kept)),),
    )


def referred(
    signer: SignerInfo, things: Iterable[Encoded], *, provider: Provider | None = None
) -> Iterator[Encoded]:
    """Yield those that the references to revocation evidence name (CAdES-C).

    Raises:
        MalformedError: The references cannot be read.
        Unavailable: A digest algorithm is not known.
    """
    values = signer.unsigned_values(oids.REVOCATION_REFS)
    proofs = [each for value in values for each in decode_revocation_references(value)]
    lists = {(each.hash_oid, each.digest) for proof in proofs for each in proof.crls}
    answers = {(each.hash_oid, each.digest) for proof in proofs for each in proof.ocsp_responses}
    named = lists | answers
    algorithms = {oid for oid, _ in named if oid}
    for each in things if named else ():
        digests = {(oid, hash_octets(oid, each.der, provider=provider)) for oid in algorithms}
        if digests & named:
            yield each


def index_algorithm(index: bytes) -> str:
    """Return the identifier of the digest of an index.

    Raises:
        MalformedError: It is no ATSHashIndexV3.
    """
    return _read_index(index)[0]


def index_holds(
    index: bytes, message: SignedData, signer: SignerInfo, *, provider: Provider | None = None
) -> bool:
    """Tell whether all that an index lists is there, and all older time stamps are listed.

    A former archive time stamp must be listed too: the later one is to prove that it existed.

    Raises:
        MalformedError: It is no ATSHashIndexV3.
        Unavailable: The digest algorithm is not known.
    """
    hash_oid, names = _read_index(index)
    present = [
        {hash_octets(hash_oid, each, provider=provider) for each in part}
        for part in _indexed(message, signer)
    ]
    older = (
        *((oids.SIGNATURE_TIME_STAMP, each) for each in signer.time_stamp_tokens),
        *((oids.ESC_TIME_STAMP, each) for each in signer.unsigned_values(oids.ESC_TIME_STAMP)),
        *((oids.ARCHIVE_TIME_STAMP_V3, each) for each in _before(index, signer)),
    )
    stamps = {hash_octets(hash_oid, der.oid(oid) + each, provider=provider) for oid, each in older}
    complete = all(named <= there for named, there in zip(names, present, strict=True))
    return complete and stamps <= names[-1]


def under_archive_stamp(
    message: SignedData, signer: SignerInfo, content_digest: bytes, index: bytes
) -> bytes:
    """Return what an archive time stamp covers (ETSI EN 319 122-1 5.5.3).

    Args:
        message: The message.
        signer: One of its signatures.
        content_digest: Digest of the content by the algorithm of the stamp's imprint.
        index: DER of the ATSHashIndexV3.
    """
    elements = _fields(message).signers.each(SEQUENCE, "signerInfo")
    own = list(elements)[message.signers.index(signer)]
    fields = [each.der for each in own.each(None, "field") if each.tag != constructed(1)]
    return b"".join((der.oid(message.content_type), content_digest, *fields, index))


def _read_index(index: bytes) -> tuple[str, tuple[set[bytes], ...]]:
    names = ("certificatesHashIndex", "crlsHashIndex", "unsignedAttrValuesHashIndex")
    with open_der("hash index", index, CMS_LIMITS).fields() as fields:
        hash_oid = read_algorithm(fields.sequence("hashIndAlgorithm")).oid
        parts = [fields.sequence(name).each(None, "hash") for name in names]
    return hash_oid, tuple({each.contents for each in part} for part in parts)


def _before(index: bytes, signer: SignerInfo) -> list[bytes]:
    """Return the archive time stamps that are older than the one with an index."""
    made: dict[bytes, datetime] = {}
    own: list[datetime] = []
    for value in signer.unsigned_values(oids.ARCHIVE_TIME_STAMP_V3):
        try:
            token = decode_signed_data(value)
            moment = decode_tst_info(token.content or b"").gen_time
        except (MalformedError, BudgetExceeded):
            continue  # what cannot be read proves nothing
        made[value] = moment
        if any(index in each.unsigned_values(oids.ARCHIVE_HASH_INDEX_V3) for each in token.signers):
            own.append(moment)
    return [value for value, moment in made.items() if own and moment < max(own)]


def _indexed(message: SignedData, signer: SignerInfo) -> tuple[list[bytes], ...]:
    fields = _fields(message)
    values = [der.oid(a.oid) + value for a in signer.unsigned_attributes for value in a.values]
    return _elements(fields.certificates), _elements(fields.revocations), values


def _elements(element: Element | None) -> list[bytes]:
    return [each.der for each in element.each(None, "element")] if element else []


def _fields(message: SignedData) -> SignedDataFields:
    return signed_data_fields(open_der("signed data", message.der, CMS_LIMITS))
