"""How requests leave the house: the httpx clients and the ways to authorise a request."""

from medsign.transport.auth import ApiKey, Authorisation, Token
from medsign.transport.credentials import Credentials, Secret
from medsign.transport.guard import UrlGuard
from medsign.transport.oauth import CertificateCodeGrant, PasswordGrant, RefreshGrant
from medsign.transport.plain import new_async_client, new_client

__all__ = [
    "ApiKey",
    "Authorisation",
    "CertificateCodeGrant",
    "Credentials",
    "PasswordGrant",
    "RefreshGrant",
    "Secret",
    "Token",
    "UrlGuard",
    "new_async_client",
    "new_client",
]
