"""RSA and ECDSA, judged by medsign and by three others: the same verdict, or a reason why not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.x509 import verification

from medsign.codec.asn1 import decode_certificate, decode_crl, decode_ocsp_response
from medsign.pki import (
    EvidencePolicy,
    RevocationEvidence,
    TrustStore,
    build_path,
    check_revocation,
)

from . import foreign
from .foreign import KINDS, Maker
from .oracle import (
    Question,
    bouncy_castle_verdict,
    openssl_verdict,
    path_verdict,
    status_verdict,
    unexplained,
)

# Where the others say something else, by pattern of the case: the clause and the reason.
CERTVALIDATOR = {
    "names::permitted::ip": (
        "RFC 5280 §4.2.1.10",
        "it has no constraints of addresses and refuses all of them",
    ),
    "names::excluded::ip-other": (
        "RFC 5280 §4.2.1.10",
        "it has no constraints of addresses and refuses all of them",
    ),
}
NO_POLICIES = ("RFC 5280 §6.1.3 (d)", "it is for the web, where policies are not processed")
NO_KIND = ("RFC 5280 §4.2.1.10", "it refuses constraints of kinds that the web does not have")
CRYPTOGRAPHY = {
    "path length::0 above itself renewed": (
        "RFC 5280 §4.2.1.9",
        "it counts certificates that an authority issued to itself",
    ),
    "names::permitted::uri-host": NO_KIND,
    "names::permitted::uri-domain": NO_KIND,
    "names::excluded::uri-other": NO_KIND,
    "names::permitted::directory": NO_KIND,
    "names::excluded::directory-other": NO_KIND,
    "names::mail in the subject::b.test": (
        "RFC 5280 §4.2.1.10",
        "it does not look for addresses of mail in the subject",
    ),
    "policies::*": NO_POLICIES,
}


@pytest.fixture(scope="module", params=KINDS)
def make(request: pytest.FixtureRequest) -> Maker:
    return Maker(request.param)


def path_of(question: Question):
    return build_path(
        decode_certificate(question.peer),
        TrustStore(map(decode_certificate, question.trusted)),
        map(decode_certificate, question.others),
        at=question.at,
        rules=question.rules,
    )


def status_of(question: Question) -> str:
    path = path_of(question)
    assert path.is_valid, path.problems
    peer = path.chain[0]
    issuer = path.issuer_of(peer)
    assert issuer
    answers = (decode_ocsp_response(each).basic for each in question.answers)
    return check_revocation(
        peer,
        issuer,
        RevocationEvidence(
            crls=tuple(map(decode_crl, question.crls)),
            responses=tuple(each for each in answers if each),
        ),
        at=question.at,
        policy=EvidencePolicy(nonce_required=False),
        candidates=[decode_certificate(each) for each in question.others],
        trust=TrustStore(map(decode_certificate, question.trusted)),
    ).status


def ask_cryptography(question: Question) -> bool:
    load = x509.load_der_x509_certificate
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store([load(each) for each in question.trusted]))
        .time(question.at)
        .extension_policies(
            ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
            ee_policy=verification.ExtensionPolicy.permit_all(),
        )
        .build_client_verifier()
    )
    try:
        verifier.verify(load(question.peer), [load(each) for each in question.others])
    except verification.VerificationError:
        return False
    return True


def paths_on_which(make: Maker, judge: Callable[[Question], bool]) -> set[str]:
    """Return the chains on which a judge differs from what is expected."""
    return {name for name, asked, good in foreign.paths(make) if judge(asked) is not good}


def test_medsign_judges_every_chain_as_the_clause_says(make):
    assert paths_on_which(make, lambda question: path_of(question).is_valid) == set()


def test_medsign_judges_every_status_as_the_clause_says(make):
    odd = {name for name, asked, said in foreign.statuses(make) if status_of(asked) != said}
    assert odd == set()


def test_certvalidator_agrees_on_chains_or_the_reason_is_known(make):
    assert unexplained(paths_on_which(make, path_verdict), CERTVALIDATOR) == set()


def test_certvalidator_agrees_on_every_status(make):
    odd = {name for name, asked, said in foreign.statuses(make) if status_verdict(asked) != said}
    assert odd == set()


def test_cryptography_agrees_on_chains_or_the_reason_is_known(make):
    assert unexplained(paths_on_which(make, ask_cryptography), CRYPTOGRAPHY) == set()


@pytest.mark.interop
def test_openssl_agrees_on_every_chain(make, openssl, tmp_path):
    def ask(question: Question) -> bool:
        return openssl_verdict(openssl, tmp_path, question)

    assert paths_on_which(make, ask) == set()


@pytest.mark.interop
def test_bouncy_castle_agrees_on_every_chain(make, bouncy_castle, tmp_path):
    def ask(question: Question) -> bool:
        return bouncy_castle_verdict(bouncy_castle, tmp_path, question)

    assert paths_on_which(make, ask) == set()


def test_the_set_is_large(make):
    chains, statuses = list(foreign.paths(make)), list(foreign.statuses(make))
    assert (len(chains), len(statuses)) == (73, 35)
    assert len({name for name, *_ in (*chains, *statuses)}) == 73 + 35
    assert {good for _, _, good in chains} == {True, False}
    assert {said for _, _, said in statuses} == {"good", "revoked", "unknown"}
