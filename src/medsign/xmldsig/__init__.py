"""XML signatures with GOST: WS-Security messages for СФР and signatures inside a document.

`sign_message` and `sign_enveloped` make them, at once or in two halves, and `verify` says what is
true about every signature of a document. Whether a certificate may be trusted is decided by
`medsign.pki`: the certificate is handed out for that. The transform of СМЭВ 3 is not implemented:
its public descriptions contradict one another, so a signature with it is reported as unsupported
and never as valid.
"""

from __future__ import annotations

from medsign.xmldsig.accredited import MINISTRY_OGRN, accredited_list
from medsign.xmldsig.actors import commission_actor, doctor_actor, organisation_actor
from medsign.xmldsig.facts import (
    PowerOfAttorneyLink,
    ReferenceFacts,
    XmlProblem,
    XmlSignatureFacts,
)
from medsign.xmldsig.sign import (
    PreparedXml,
    finish,
    prepare_enveloped,
    prepare_message,
    sign_enveloped,
    sign_message,
)
from medsign.xmldsig.verify import verify

__all__ = [
    "MINISTRY_OGRN",
    "PowerOfAttorneyLink",
    "PreparedXml",
    "ReferenceFacts",
    "XmlProblem",
    "XmlSignatureFacts",
    "accredited_list",
    "commission_actor",
    "doctor_actor",
    "finish",
    "organisation_actor",
    "prepare_enveloped",
    "prepare_message",
    "sign_enveloped",
    "sign_message",
    "verify",
]
