"""The service of signatures says whether a signature is qualified, by the list it was given."""

from __future__ import annotations

import anyio
import attrs
import httpx
import pytest

from medsign import cms
from medsign.cms.client import AsyncPki
from medsign.cms.client import Pki as PkiService
from medsign.cms.context import PkiContext
from medsign.codec.asn1 import decode_crl
from medsign.exchange import AsyncDriver, Driver
from medsign.sandbox import Sandbox
from medsign.sandbox.pki import Authority, Pki

DOCUMENT = "Протокол осмотра".encode()
# The classes of the tool are confirmed, and both numbers of a person are there.
PERSON = {
    "surname": "Тестова",
    "given_names": "Анна Петровна",
    "inn": "999900000160",
    "snils": "99900000115",
}


@pytest.fixture
def sandbox():
    with Sandbox() as world:
        yield world


@pytest.fixture
def pki(sandbox):
    return sandbox.world.part(Pki)


@pytest.fixture
def context(sandbox, pki):
    return PkiContext(
        service="pki",
        base_url="https://pki.invalid",
        trust=pki.trust,
        intermediates=pki.intermediates,
        clock=sandbox.clock,
        accredited=pki.accredited,
    )


@pytest.fixture
def verify(sandbox, pki):
    """Return `verify(context, signature, colour)`: the verdict on the only signature."""
    crls = [decode_crl(pki.crl(each)) for each in ("root", *Authority)]

    def verified(context, signature, colour="blocking"):
        how = {"policy": cms.QUALIFIED, "crls": crls, "ask": False}

        async def in_async():
            async with httpx.AsyncClient(transport=sandbox.async_transport()) as http:
                service = AsyncPki(context, AsyncDriver(http))
                return await service.verify(signature, DOCUMENT, **how)

        if colour == "blocking":
            with httpx.Client(transport=sandbox.transport()) as http:
                found = PkiService(context, Driver(http)).verify(signature, DOCUMENT, **how)
        else:
            found = anyio.run(in_async, backend=colour)
        return found.report

    return verified


@pytest.mark.parametrize("colour", ["blocking", "asyncio", "trio"])
def test_a_signature_of_an_accredited_authority_is_qualified(sandbox, pki, context, verify, colour):
    doctor = pki.enrol(Authority.COMMERCIAL, **PERSON)
    signature = cms.sign(DOCUMENT, doctor, at=sandbox.clock.now())
    report = verify(context, signature, colour)
    assert report.passed, report.explain_trust()
    (signer,) = report.signers
    assert signer.qualification is cms.Qualification.QUALIFIED
    assert signer.tool_classes == ("КС1", "КС2")


def test_without_a_list_the_policy_of_qualified_signatures_is_not_satisfied(
    sandbox, pki, context, verify
):
    doctor = pki.enrol(Authority.COMMERCIAL, **PERSON)
    signature = cms.sign(DOCUMENT, doctor, at=sandbox.clock.now())
    report = verify(attrs.evolve(context, accredited=None), signature)
    assert report.sub_indication is cms.SubIndication.GENERIC
    assert report.signers[0].qualification is cms.Qualification.UNKNOWN
    assert "перечн" in report.signers[0].qualification_ru
