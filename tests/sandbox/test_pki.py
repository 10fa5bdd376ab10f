from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import attrs
import httpx
import pytest

from medsign.ca.models import Authority
from medsign.clock import ManualClock
from medsign.codec.asn1 import (
    AlgorithmIdentifier,
    MessageImprint,
    decode_crl,
    decode_ocsp_response,
    decode_timestamp_request,
    decode_timestamp_response,
    encode_ocsp_request,
    encode_timestamp_request,
    oids,
)
from medsign.gost import DigestAlgorithm, digest
from medsign.pki.claims import EvidencePolicy
from medsign.pki.ocsp import Responders, claim_of_ocsp, ocsp_cert_id, ocsp_request
from medsign.pki.profile import is_qualified_profile
from medsign.pki.signatures import hash_octets, verify_signature
from medsign.pki.timestamp import check_timestamp_response
from medsign.sandbox import Sandbox
from medsign.sandbox.ca import CaService
from medsign.sandbox.ocsp_tsp import OcspService, TspService
from medsign.sandbox.pki import Pki, serial

NOON = datetime(2026, 7, 1, 9, tzinfo=UTC)
ANNA = {
    "surname": "Тестова",
    "given_names": "Анна Петровна",
    "inn": "999900000160",
    "snils": "99900000115",
    "region": "78 г. Санкт-Петербург",
    "locality": "Санкт-Петербург",
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([CaService, OcspService, TspService], clock=ManualClock(NOON)) as sandbox:
        yield sandbox


@pytest.fixture
def pki(sandbox: Sandbox) -> Pki:
    return sandbox.world.part(Pki)


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(transport=sandbox.transport()) as client:
        yield client


def status_of(http, pki, certificate, now, nonce=b"12345678"):
    issuer = pki.authority(Authority.COMMERCIAL)
    answer = http.post(
        certificate.ocsp_urls[0],
        content=ocsp_request(certificate, issuer, nonce),
        headers={"Content-Type": "application/ocsp-request"},
    )
    basic = decode_ocsp_response(answer.content).basic
    assert basic is not None
    claim = claim_of_ocsp(
        basic,
        certificate,
        Responders(issuer=issuer),
        at=now,
        now=now,
        policy=EvidencePolicy(),
        nonce=nonce,
    )
    assert claim is not None
    return claim


def test_an_enrolled_person_has_a_qualified_certificate_that_chains_to_the_root(pki):
    certificate = pki.enrol(Authority.COMMERCIAL, **ANNA).certificate
    issuer = pki.authority(Authority.COMMERCIAL)
    assert is_qualified_profile(certificate)
    for child, parent in ((certificate, issuer), (issuer, pki.root), (pki.root, pki.root)):
        assert child.issuer.matches(parent.subject)
        assert verify_signature(
            parent.public_key, child.signature_algorithm, child.tbs_der, child.signature
        )


def test_ocsp_knows_a_valid_certificate_as_good(http, pki):
    claim = status_of(http, pki, pki.enrol(Authority.COMMERCIAL, **ANNA).certificate, NOON)
    assert (claim.status, claim.problems) == ("good", ())


def test_ocsp_tells_revocation_with_its_moment_and_reason(http, pki, sandbox):
    certificate = pki.enrol(Authority.COMMERCIAL, **ANNA).certificate
    sandbox.clock.advance(timedelta(hours=1))
    pki.change(serial(certificate), "revoke", "keyCompromise")
    sandbox.clock.advance(timedelta(hours=1))
    claim = status_of(http, pki, certificate, sandbox.clock.now())
    assert (claim.status, claim.reason) == ("revoked", "keyCompromise")
    assert claim.revoked_at == NOON + timedelta(hours=1)


def test_a_held_certificate_is_good_again_when_the_hold_ends(http, pki):
    certificate = pki.enrol(Authority.COMMERCIAL, **ANNA).certificate
    pki.change(serial(certificate), "hold", "certificateHold")
    assert status_of(http, pki, certificate, NOON).reason == "certificateHold"
    pki.change(serial(certificate), "unhold")
    assert status_of(http, pki, certificate, NOON).status == "good"


def test_ocsp_does_not_answer_for_a_foreign_issuer(http, pki, sandbox):
    with Sandbox([CaService], clock=ManualClock(NOON)) as other:
        foreign = other.world.part(Pki)
        certificate = foreign.enrol(Authority.FNS, **ANNA).certificate
        question = ocsp_request(certificate, foreign.authority(Authority.FNS))
    answer = http.post(
        sandbox.endpoint("ocsp").url,
        content=question,
        headers={"Content-Type": "application/ocsp-request"},
    )
    assert decode_ocsp_response(answer.content).status == "unauthorized"


def test_ocsp_calls_noise_malformed(http, sandbox):
    answer = http.post(
        sandbox.endpoint("ocsp").url,
        content=b"noise",
        headers={"Content-Type": "application/ocsp-request"},
    )
    assert decode_ocsp_response(answer.content).status == "malformedRequest"


def test_a_stamp_is_good_and_carries_the_world_s_time(http, pki, sandbox):
    imprint = MessageImprint(
        AlgorithmIdentifier(oids.STREEBOG_256), digest(DigestAlgorithm.STREEBOG_256, b"x")
    )
    question = encode_timestamp_request(imprint, nonce=7)
    answer = http.post(
        sandbox.endpoint("tsp").url,
        content=question,
        headers={"Content-Type": "application/timestamp-query"},
    )
    response = decode_timestamp_response(answer.content)
    facts = check_timestamp_response(
        response, decode_timestamp_request(question), pki.trust, intermediates=pki.intermediates
    )
    assert facts.info is not None
    assert (facts.info.gen_time, facts.problems) == (NOON, ())


def test_a_revoked_certificate_is_in_the_list_at_its_address(http, pki):
    certificate = pki.enrol(Authority.COMMERCIAL, **ANNA).certificate
    (point,) = certificate.crl_distribution_points
    url = point.names[0].value
    before = decode_crl(http.get(url).content)
    pki.change(serial(certificate), "revoke", "superseded")
    after = decode_crl(http.get(url).content)
    assert [entry.serial_number for entry in before.entries] == []
    assert [entry.serial_number for entry in after.entries] == [certificate.serial_number]


def test_the_issuer_is_at_its_address(http, pki):
    certificate = pki.enrol(Authority.FNS, **ANNA).certificate
    (url,) = certificate.ca_issuer_urls
    assert http.get(url).content == pki.authority(Authority.FNS).der


def test_keys_survive_a_restart(tmp_path):
    roots = []
    for _ in range(2):
        with Sandbox([CaService], path=tmp_path / "world") as sandbox:
            roots.append(sandbox.world.part(Pki).root)
    assert roots[0] == roots[1]


@pytest.mark.parametrize("authority", list(Authority))
def test_ocsp_does_not_know_a_certificate_that_the_issuer_never_issued(http, pki, authority):
    other = next(each for each in Authority if each is not authority)
    stranger = pki.enrol(other, **ANNA).certificate
    basic = decode_ocsp_response(
        http.post(
            stranger.ocsp_urls[0],
            content=encode_ocsp_request(
                [
                    attrs.evolve(
                        ocsp_cert_id(pki.authority(authority), pki.authority(authority)),
                        issuer_name_hash=hash_octets(
                            oids.SHA1, pki.authority(authority).subject.der
                        ),
                        serial_number=number,
                    )
                    for number in (stranger.serial_number, 1)
                ]
            ),
            headers={"Content-Type": "application/ocsp-request"},
        ).content
    ).basic
    assert basic is not None
    assert [single.status for single in basic.single_responses] == ["unknown", "unknown"]


@pytest.mark.parametrize("name", ["crl/nobody.crl", "aia/nobody.cer"])
def test_an_unknown_authority_publishes_nothing(http, sandbox, name):
    assert http.get(f"{sandbox.base_url}/ca/{name}").status_code == 404


def test_a_certificate_is_valid_to_its_very_last_moment(pki):
    certificate = pki.enrol(Authority.FNS, **ANNA).certificate
    issued = pki.find(serial(certificate))
    assert issued is not None
    assert issued.state_at(certificate.not_after) == "active"
    assert issued.state_at(certificate.not_after + timedelta(seconds=1)) == "expired"
