"""Keys that sign: in memory, in files, on tokens and far away; and the port for any key."""

from medsign.pki.signing import DigestSigner, Signer
from medsign.signers.audit import AuditedSigner, AuditEntry, AuditHead, AuditLog, AuditReport
from medsign.signers.gateway import (
    Gateway,
    HttpMessage,
    RequestSignature,
    SignedBy,
    sign_message,
    verify_message,
)
from medsign.signers.nonces import NonceMemory
from medsign.signers.openssl import OpenSslSigner
from medsign.signers.passwords import KeyCipher
from medsign.signers.pfx import load_pfx, save_pfx
from medsign.signers.pkcs11 import Pkcs11Key, Pkcs11Signer, Pkcs11Token
from medsign.signers.remote import SESSION_STATUS, SessionDocument, SessionState, SigningSession
from medsign.signers.signed_pfx import SignedPfx, load_signed_pfx, save_signed_pfx
from medsign.signers.software import SoftwareKey, SoftwareSigner, load_key, load_signer, save_key

__all__ = [
    "SESSION_STATUS",
    "AuditEntry",
    "AuditHead",
    "AuditLog",
    "AuditReport",
    "AuditedSigner",
    "DigestSigner",
    "Gateway",
    "HttpMessage",
    "KeyCipher",
    "NonceMemory",
    "OpenSslSigner",
    "Pkcs11Key",
    "Pkcs11Signer",
    "Pkcs11Token",
    "RequestSignature",
    "SessionDocument",
    "SessionState",
    "SignedBy",
    "SignedPfx",
    "Signer",
    "SigningSession",
    "SoftwareKey",
    "SoftwareSigner",
    "load_key",
    "load_pfx",
    "load_signed_pfx",
    "load_signer",
    "save_key",
    "save_pfx",
    "save_signed_pfx",
    "sign_message",
    "verify_message",
]
