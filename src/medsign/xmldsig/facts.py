"""What was found out about an XML signature, as data."""

from __future__ import annotations

from enum import StrEnum

import attrs

from medsign.codec.asn1 import Certificate
from medsign.identifiers import PowerOfAttorneyNumber


class XmlProblem(StrEnum):
    """Why a signature, or a reference of it, is not good."""

    DIGEST_MISMATCH = "digest-mismatch"
    SIGNATURE_INVALID = "signature-invalid"
    CERTIFICATE_ABSENT = "certificate-absent"
    CERTIFICATE_UNREADABLE = "certificate-unreadable"
    ALGORITHM_UNSUPPORTED = "algorithm-unsupported"
    TRANSFORM_UNSUPPORTED = "transform-unsupported"
    EXTERNAL_REFERENCE = "external-reference"


@attrs.frozen(kw_only=True)
class ReferenceFacts:
    """One reference of a signature: what it points at and whether the digest is that of it.

    Attributes:
        uri: As written: ``#`` and an identifier, or empty for the whole document.
        element: Name of the element, ``{namespace}name``; empty when none was looked for.
        path: Where it stands, as `Element.find` of the document's root takes it.
        octets: The canonical form that was digested; ``None`` unless the digest is right. It is
            well-formed XML and may hold personal data.
        problem: Why not.
    """

    uri: str
    element: str = ""
    path: str = ""
    octets: bytes | None = attrs.field(default=None, repr=False)
    problem: XmlProblem | None = None

    @property
    def digest_matches(self) -> bool:
        """Whether the element is the one whose digest was signed."""
        return self.octets is not None


@attrs.frozen
class PowerOfAttorneyLink:
    """The МЧД that the signer refers to.

    Attributes:
        number: Its number, in the spelling of the message.
        is_signed: Whether the signature covers the link. СФР leaves it outside, so anybody on the
            way could have put it there: look the МЧД up before relying on it.
    """

    number: PowerOfAttorneyNumber
    is_signed: bool


@attrs.frozen(kw_only=True)
class XmlSignatureFacts:
    """One signature of a document.

    Attributes:
        algorithm: URI of the signature algorithm, as written.
        references: What it covers.
        problem: Why the value is not a good signature over the references; ``None``: it is one.
        certificate: The certificate that came along and whose key signed; when none fits, the
            first one. Nothing is known about it yet: build its path with `medsign.pki`.
        actor: The SOAP actor of the header it stands in, which is not signed; else ``None``.
        power_of_attorney: The МЧД that it refers to.
    """

    algorithm: str
    references: tuple[ReferenceFacts, ...]
    problem: XmlProblem | None = None
    certificate: Certificate | None = attrs.field(default=None, repr=False)
    actor: str | None = None
    power_of_attorney: PowerOfAttorneyLink | None = None

    @property
    def is_intact(self) -> bool:
        """Whether the value and every digest are right, by the certificate that came along."""
        return self.problem is None and all(each.digest_matches for each in self.references)

    @property
    def signed(self) -> tuple[bytes, ...]:
        """The signed elements, canonical; none unless the signature is intact.

        Read data from these octets and not from the message: an element of the message with the
        same name may be another one, which nobody signed.
        """
        if not self.is_intact:
            return ()
        return tuple(each.octets for each in self.references if each.octets is not None)
