"""Keys that sign: the port, the key in memory, and the files that keep it under a password."""

from medsign.pki.signing import DigestSigner, Signer
from medsign.signers.passwords import KeyCipher
from medsign.signers.pfx import load_pfx, save_pfx
from medsign.signers.software import SoftwareKey, SoftwareSigner, load_key, load_signer, save_key

__all__ = [
    "DigestSigner",
    "KeyCipher",
    "Signer",
    "SoftwareKey",
    "SoftwareSigner",
    "load_key",
    "load_pfx",
    "load_signer",
    "save_key",
    "save_pfx",
]
