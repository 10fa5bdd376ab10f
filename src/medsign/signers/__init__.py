"""Keys that sign: the port, and the key in memory."""

from medsign.pki.signing import DigestSigner, Signer
from medsign.signers.software import SoftwareKey, SoftwareSigner, load_key, load_signer

__all__ = [
    "DigestSigner",
    "Signer",
    "SoftwareKey",
    "SoftwareSigner",
    "load_key",
    "load_signer",
]
