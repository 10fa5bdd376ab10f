"""What was found out about a signature, with no word on whether it is good enough.

Everything here is plain data: it can be stored beside the document and decided again years later,
under another policy and without a network.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import attrs

from medsign.codec import json
from medsign.pki.claims import Claim, Source, Status
from medsign.pki.problems import Problem
from medsign.pki.profile import Holder
from medsign.pki.revocation import RETIREMENTS

# What a signer may say about the meaning of his signature (ETSI EN 319 122-1 5.2.9, 5.2.3).
SIGNATURE_POLICY = "1.2.840.113549.1.9.16.2.15"
COMMITMENT = "1.2.840.113549.1.9.16.2.16"

Reference = Literal["match", "mismatch", "absent"]
Layer = Literal["signature", "evidence", "archive"]


@attrs.frozen(kw_only=True)
class StatusFacts:
    """What one genuine revocation list or OCSP answer says about one certificate.

    Attributes:
        status: ``good`` also means "not on the list".
        source: Which of the two it is.
        fingerprint: SHA-256 of the list or of the answer, hexadecimal.
        this_update: When the status was known to be true.
        next_update: When newer information was promised.
        revoked_at: Since when the certificate is revoked.
        reason: Why, in the words of RFC 5280 5.3.1.
        unfit: Because of what it shows nothing but that revocation.
    """

    status: Status
    source: Source
    fingerprint: str
    this_update: datetime
    next_update: datetime | None = None
    revoked_at: datetime | None = None
    reason: str | None = None
    unfit: tuple[Problem, ...] = ()

    @property
    def is_retirement(self) -> bool:
        """Whether the certificate is revoked for a reason that leaves its former use in force."""
        return self.reason in RETIREMENTS

    def claim(self) -> Claim:
        """Return the statement as the room of certificates weighs it."""
        return Claim(
            source=self.source,
            fingerprint=self.fingerprint,
            status=self.status,
            this_update=self.this_update,
            next_update=self.next_update,
            revoked_at=self.revoked_at,
            reason=self.reason,
            unfit=self.unfit,
        )


@attrs.frozen(kw_only=True)
class CertificateFacts:
    """One certificate of a chain.

    Attributes:
        fingerprint: SHA-256 of the certificate, hexadecimal.
        serial_number: Serial number, hexadecimal.
        name: Its common name; of a person's certificate this is personal data.
        not_before: First moment of validity.
        not_after: Last moment of validity.
        algorithm: Of the signature under the certificate.
        statuses: What is known about its revocation.
    """

    fingerprint: str
    serial_number: str
    not_before: datetime
    not_after: datetime
    algorithm: str
    name: str = attrs.field(default="", repr=False)
    statuses: tuple[StatusFacts, ...] = ()


@attrs.frozen(kw_only=True)
class ChainFacts:
    """The way from a certificate to a trusted root.

    Attributes:
        certificates: From the certificate to the last one found; the trusted root is the last.
        anchored: Whether the last one is trusted by itself.
        problems: Broken rules of RFC 5280 6.1; those of time and of trust are not among them,
            because they depend on the moment of the verdict.
    """

    certificates: tuple[CertificateFacts, ...]
    anchored: bool = False
    problems: tuple[Problem, ...] = ()

    def above(self, certificate: CertificateFacts) -> tuple[CertificateFacts, ...]:
        """Return the authorities over a certificate whose own revocation means something."""
        judged = self.certificates[:-1] if self.anchored else self.certificates
        return judged[self.certificates.index(certificate) + 1 :]


@attrs.frozen(kw_only=True)
class StampFacts:
    """A time stamp of a signature.

    Attributes:
        fingerprint: SHA-256 of the token, hexadecimal.
        layer: What it covers: the signature value, or also the stamp on it and the references to
            evidence (CAdES-X Type 1), or all that is there (CAdES-A).
        algorithms: Identifiers of the digests, of the signature and of the key.
        stamped_at: The moment that the service named; ``None`` when the token cannot be read.
        not_later_than: That moment plus the accuracy that the service promises.
        header_sound: As in `SignatureFacts`.
        problems: What is wrong with the token itself: its form, its imprint, its signature.
        chain: The way from the service's certificate; ``None`` when that was not found.
        covers: Fingerprints of the lists and answers that it proves as old as itself; looked for
            only where an authority was revoked.
    """

    fingerprint: str
    layer: Layer = "signature"
    algorithms: tuple[str, ...] = ()
    stamped_at: datetime | None = None
    not_later_than: datetime | None = None
    header_sound: bool = False
    problems: tuple[Problem, ...] = ()
    chain: ChainFacts | None = None
    covers: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class AccreditationFacts:
    """What a list of accredited authorities says about the issuer of a certificate at a moment.

    Attributes:
        at: The moment.
        as_of: When the list was made.
        source: SHA-256 of the list, hexadecimal.
        authority: Name of the issuer in the list; empty when it is not there.
        status: Its status at the moment, as the list words it; empty when it had none.
        accredited: Whether the status let it issue qualified certificates.
    """

    at: datetime
    as_of: datetime
    source: str
    authority: str = ""
    status: str = ""
    accredited: bool = False

    @property
    def is_outdated(self) -> bool:
        """Whether the list is older than the moment and cannot know what has happened since."""
        return self.as_of < self.at


@attrs.frozen(kw_only=True)
class SignatureFacts:
    """One signature of a message.

    Attributes:
        malformed: Why it is no signature on a document at all, in Russian; ``None`` when it is.
        algorithms: Identifiers of the digest, of the signature and of the key.
        content_present: Whether there was anything to compare the digest with.
        content_intact: Whether the digest is that of the content; ``None``: cannot be computed.
            Not so when the message holds another content than the one that was given.
        signature_valid: Whether the value is a signature by the certificate's key over the signed
            attributes; ``None``: no certificate, or an algorithm that is not implemented.
        signed_attributes: Whether there are any. Without them attributes of another signature can
            be passed off as a content.
        problems: What else is wrong with the signature itself: attributes or algorithms that
            contradict one another.
        header_sound: Whether versions, lists of algorithms and the signer's identifier, which the
            signature does not protect, are as they must be.
        certificate_reference: What the signing-certificate attribute says about the certificate.
        claimed_at: The signing-time attribute: the signer's own word.
        holder: Whose certificate it is; personal data.
        profile: Mandatory rules of приказ ФСБ 795 that the certificate breaks.
        tool_classes: Classes of the signing tool that the whole chain confirms, the lowest first.
        accredited_at_issue: What the list says of the issuer on the day of the certificate;
            ``None`` without a list or an issuer.
        accredited_at_signing: The same at the moments that time stamps name, and at that of the
            collecting; which of them is proved is for `decide` to say.
        key_until: When the private key had to rest, if the certificate says so.
        chain: The way to a trusted root; ``None`` when the signer's certificate was not found.
        stamps: Time stamps on the signature value and on its references.
        countersignatures: Signatures of others on the value of this one; their content is the
            value.
        unjudged: Identifiers of attributes that could prove or restrict something and are not
            understood.
    """

    algorithms: tuple[str, ...]
    content_present: bool
    signed_attributes: bool
    header_sound: bool
    malformed: str | None = None
    content_intact: bool | None = None
    signature_valid: bool | None = None
    problems: tuple[Problem, ...] = ()
    certificate_reference: Reference = "absent"
    claimed_at: datetime | None = None
    holder: Holder | None = attrs.field(default=None, repr=False)
    profile: tuple[str, ...] = ()
    tool_classes: tuple[str, ...] = ()
    accredited_at_issue: AccreditationFacts | None = None
    accredited_at_signing: tuple[AccreditationFacts, ...] = ()
    key_until: datetime | None = None
    chain: ChainFacts | None = None
    stamps: tuple[StampFacts, ...] = ()
    countersignatures: tuple[SignatureFacts, ...] = ()
    unjudged: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Facts:
    """All that is known about a signed message; the input of `decide`.

    Attributes:
        fingerprint: SHA-256 of the file with the signature, hexadecimal.
        malformed: Where and why the file could not be read; ``None`` when it could.
        signatures: The signatures in the order of the file.

    Example:
        >>> facts = Facts(fingerprint="00" * 32, malformed="contentType: not signed data")
        >>> Facts.from_json(facts.to_json()) == facts
        True
    """

    fingerprint: str
    malformed: str | None = None
    signatures: tuple[SignatureFacts, ...] = ()

    def to_json(self) -> bytes:
        """Return the facts as JSON in UTF-8, holder included, to be kept beside the document."""
        return json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Facts:
        """Read facts that `to_json` wrote.

        Raises:
            MalformedError: It is not such JSON.
            BudgetExceeded: It is too large.
        """
        return json.decode(cls, data, what="facts")
