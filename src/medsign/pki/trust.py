"""Certificates that are trusted because somebody decided so."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import attrs

from medsign.codec.asn1 import Certificate, decode_certificate, pem_decode, to_binary
from medsign.codec.asn1.pem import is_pem


def _frozen(certificates: Iterable[Certificate]) -> frozenset[Certificate]:
    return frozenset(certificates)


@attrs.frozen
class TrustStore:
    """Trust anchors: roots, or authorities whose root is of no interest.

    An empty store trusts nobody. Stores are joined by ``|``.

    Args:
        anchors: The trusted certificates.
    """

    anchors: frozenset[Certificate] = attrs.field(
        converter=_frozen, default=frozenset[Certificate]()
    )

    @classmethod
    def from_bytes(cls, *files: bytes) -> TrustStore:
        """Read anchors from the contents of files.

        Args:
            files: Each is a PEM file with any number of certificates (other blocks are skipped),
                DER or bare base64.

        Raises:
            MalformedError: One holds no certificate where one should be.
        """
        return cls(each for data in files for each in read_certificates(data))

    @classmethod
    def load(cls, *paths: Path) -> TrustStore:
        """Read anchors from files; see `from_bytes`."""
        return cls.from_bytes(*(path.read_bytes() for path in paths))

    def __contains__(self, certificate: Certificate) -> bool:
        return certificate in self.anchors

    def __or__(self, other: TrustStore) -> TrustStore:
        return TrustStore(self.anchors | other.anchors)


def read_certificates(data: bytes) -> Iterable[Certificate]:
    """Yield the certificates of a PEM file, or the one in DER or base64.

    Raises:
        MalformedError: What should be a certificate is not.
    """
    if not is_pem(data):
        yield decode_certificate(to_binary(data))
        return
    for label, der in pem_decode(data):
        if label in {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}:
            yield decode_certificate(der)
