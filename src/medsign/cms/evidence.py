"""Everything that a verification may look at, gathered before it starts."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from medsign.cms.content import Content
from medsign.codec.asn1 import (
    BasicOcspResponse,
    Certificate,
    RevocationList,
    decode_basic_ocsp_response,
    decode_crl,
    decode_ocsp_response,
    to_binary,
)
from medsign.errors import MalformedError
from medsign.pki.accredited import AccreditedList
from medsign.pki.trust import TrustStore


@attrs.frozen(kw_only=True)
class Evidence:
    """A signature and all there is to judge it by.

    Attributes:
        signature: The file with the signature: DER, BER, PEM or base64.
        content: What is said to be signed; ``None`` to take the content out of the signature.
        trust: Whom to trust; by default nobody.
        certificates: Certificates that may help: the signer's, those of authorities.
        crls: Revocation lists.
        ocsp_responses: OCSP answers.
        accredited: The list of accredited authorities; without it nobody can tell whether a
            signature is a qualified one.

    Example:
        >>> Evidence(signature=b"MAA=").trust.anchors
        frozenset()
    """

    signature: bytes = attrs.field(repr=False)
    content: Content | None = attrs.field(default=None, repr=False)
    trust: TrustStore = attrs.field(factory=TrustStore)
    certificates: tuple[Certificate, ...] = ()
    crls: tuple[RevocationList, ...] = ()
    ocsp_responses: tuple[BasicOcspResponse, ...] = ()
    accredited: AccreditedList | None = attrs.field(default=None, repr=False)

    def with_fetched(
        self, *, crls: Iterable[bytes] = (), ocsp_responses: Iterable[bytes] = ()
    ) -> Evidence:
        """Return the evidence with more, as it came from a network.

        Args:
            crls: Revocation lists in DER, PEM or base64.
            ocsp_responses: Whole OCSP responses or bare answers, in DER; responses that hold no
                answer (``tryLater`` and its like) are left out.

        Raises:
            MalformedError: One of them is something else.
            BudgetExceeded: One of them is too large.
        """
        answers = map(_answer, ocsp_responses)
        return attrs.evolve(
            self,
            crls=(*self.crls, *(decode_crl(to_binary(each)) for each in crls)),
            ocsp_responses=(*self.ocsp_responses, *(each for each in answers if each)),
        )


def _answer(data: bytes) -> BasicOcspResponse | None:
    try:
        return decode_ocsp_response(data).basic
    except MalformedError:
        return decode_basic_ocsp_response(data)
