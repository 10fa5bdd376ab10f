"""The sandbox over GOST TLS, with a certificate of its own authority."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import attrs

from medsign.ca.models import Authority
from medsign.codec.asn1 import oids, pem_encode
from medsign.codec.asn1.extension_values import subject_alternative_name
from medsign.codec.asn1.names import GeneralName
from medsign.pki.issuing import QUALIFIED, subject_name
from medsign.pki.keys import private_key_info
from medsign.sandbox.facade import Sandbox
from medsign.sandbox.http import server
from medsign.sandbox.pki import Pki
from medsign.signers import SoftwareKey
from medsign.transport.tls import GostTls

if TYPE_CHECKING:
    import uvicorn

_ISSUER: Final = Authority.COMMERCIAL


def gost_tls(sandbox: Sandbox, *hosts: str) -> GostTls:
    """Return settings with which a server of this sandbox speaks GOST TLS.

    Args:
        sandbox: Whose authority certifies the server; clients trust its root.
        hosts: Names or addresses under which clients know the server.
    """
    pki, key = sandbox.world.part(Pki), SoftwareKey.generate()
    certificate = pki.issue(
        _ISSUER,
        subject_name(organization="Песочница (тестовая)", inn_legal="9999000052"),
        key.public_key,
        template=attrs.evolve(
            QUALIFIED,
            purposes=(oids.SERVER_AUTH,),
            others=(subject_alternative_name(*map(_name, hosts)),),
        ),
    )
    chain = (certificate, pki.authority(_ISSUER))
    return GostTls(
        certificate=b"".join(pem_encode("CERTIFICATE", each.der) for each in chain),
        key=pem_encode("PRIVATE KEY", private_key_info(key.key)),
    )


def root_pem(sandbox: Sandbox) -> bytes:
    """Return the root of a sandbox as PEM, for clients to trust."""
    return pem_encode("CERTIFICATE", sandbox.world.part(Pki).root.der)


def gost_server(sandbox: Sandbox, tls: GostTls, *, host: str = "127.0.0.1") -> uvicorn.Server:
    """Return a server, ready to ``run()``, that speaks GOST TLS only.

    Args:
        sandbox: What answers; its `base_url` should be an ``https`` address of the host.
        tls: Settings of `gost_tls`.
        host: Address to listen on; keep it local.

    Raises:
        Unavailable: This machine has no GOST TLS.
    """
    protected = server(sandbox, host=host)
    protected.config.load()
    protected.config.ssl = tls.server_context()
    return protected


def _name(host: str) -> GeneralName:
    try:
        return GeneralName("ip", ip_address(host).packed)
    except ValueError:
        return GeneralName("dns", host)
