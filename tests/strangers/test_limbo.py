"""Others judge the cases of GOST-limbo: the same verdict, or a reason why not."""

from __future__ import annotations

import pytest

from .oracle import (
    Question,
    bouncy_castle_verdict,
    limbo,
    path_verdict,
    status_verdict,
    unexplained,
)

STATUS = {"good": "SUCCESS", "revoked": "FAILURE", "unknown": "INDETERMINATE"}

LAZY = "asn1crypto reads leniently and does not look at what nobody asks for"
ANCHOR = "of the anchor the oracle takes the name and the key only, as RFC 5280 §6.1.1 (d) lets it"
NO_PROFILE = "the oracle knows no Russian profile"
NONCE = "the oracle is not told the nonce: comparing it is the caller's there"
HASHES = "the oracle knows CertID by SHA-1 and SHA-256"
# Where the oracle says something else, by pattern of the case's id: the clause and the reason.
CERTVALIDATOR = {
    "path::algorithm::inner-differs": (
        "RFC 5280 §4.1.1.2",
        "the oracle does not compare the two names of the algorithm",
    ),
    "path::validity::root::*": ("63-ФЗ ст. 13; RFC 5280 §6.1.1 (d)", ANCHOR),
    "path::path-length::anchor": ("RFC 5937 §3.2", ANCHOR),
    "path::key-usage::anchor": ("RFC 5937 §3.2", ANCHOR),
    "path::unknown-extension::anchor-critical": ("RFC 5937 §3.2", ANCHOR),
    "path::name-constraints::anchor": ("RFC 5937 §3.2", ANCHOR),
    "path::validity::utc-*": ("RFC 5280 §4.1.2.5", LAZY),
    "path::validity::fraction": ("RFC 5280 §4.1.2.5", LAZY),
    "path::encoding::*": ("RFC 5280 §4.1; X.690 §8.3, §10-11", LAZY),
    "path::duplicate-extension::*": ("RFC 5280 §4.2", LAZY),
    "path::basic-constraints::negative": ("RFC 5280 §4.2.1.9", LAZY),
    "path::basic-constraints::trailing": ("X.690 §11", LAZY),
    "path::basic-constraints::true-as-1": ("X.690 §11.1", "read leniently, as by medsign"),
    "path::key-identifier::*mismatch": (
        "RFC 5280 §4.2.1.1, §6.1",
        "the oracle takes the identifier for a rule, not for a hint",
    ),
    "path::name-constraints::ipv?-*": (
        "RFC 5280 §4.2.1.10",
        "the oracle has no constraints of addresses and refuses all of them",
    ),
    "path::ru-qualified::*": ("приказ ФСБ от 27.12.2011 №795", NO_PROFILE),
    "ocsp::revoked::later": (
        "RFC 6960 §2.2; ETSI EN 319 102-1 §5.2.6",
        "the oracle leaves a later revocation undecided",
    ),
    "ocsp::future::produced": ("RFC 6960 §2.4", "the oracle does not look at producedAt"),
    "ocsp::trailing": ("X.690 §8", LAZY),
    "crl::trailing": ("X.690 §8", LAZY),
    "crl::duplicate-extension": ("RFC 5280 §4.2, §5.2", LAZY),
    "ocsp::good-and-revoked": (
        "RFC 6960 §2.2",
        "the oracle is content with the first answer that says good",
    ),
    "ocsp::cert-id::sha512*": ("RFC 6960 §4.1.1", HASHES),
    "ocsp::cert-id::streebog-*": ("RFC 6960 §4.1.1", HASHES),
    "ocsp::nonce::other": ("RFC 8954 §2", NONCE),
    "ocsp::nonce::longer": ("RFC 8954 §2", NONCE),
    "ocsp::nonce::missing": ("RFC 8954 §2", NONCE),
    "ocsp::responder::key-usage": (
        "RFC 5280 §4.2.1.3",
        "the oracle asks the purpose of a responder, not its keyUsage",
    ),
    "crl::stale-and-revoked": (
        "RFC 5280 §6.3.3",
        "the oracle leaves an old list alone, though a revocation does not grow old",
    ),
    "crl::hold-lifted": (
        "RFC 5280 §5.3.1",
        "the oracle takes the older list too, though a newer one is at hand",
    ),
    "crl::extension::critical-revoked": (
        "RFC 5280 §5.2",
        "the oracle leaves the list alone, though it may be used to reject",
    ),
    "crl::delta::*": (
        "RFC 5280 §5.2.4",
        "the oracle takes a list of changes only where freshestCRL says it is",
    ),
}


BER = "BouncyCastle reads BER and times of other forms"
BOUNCY_CASTLE = {
    "path::signature::*::one-octet-long": (
        "GOST R 34.10-2012 §6.2",
        "BouncyCastle reads the first octets and leaves the rest",
    ),
    "path::validity::root::*": ("63-ФЗ ст. 13; RFC 5280 §6.1.1 (d)", ANCHOR),
    "path::path-length::anchor": ("RFC 5937 §3.2", ANCHOR),
    "path::key-usage::anchor": ("RFC 5937 §3.2", ANCHOR),
    "path::unknown-extension::anchor-critical": ("RFC 5937 §3.2", ANCHOR),
    "path::name-constraints::anchor": ("RFC 5937 §3.2", ANCHOR),
    "path::validity::utc-*": ("RFC 5280 §4.1.2.5", BER),
    "path::validity::fraction": ("RFC 5280 §4.1.2.5", BER),
    "path::encoding::indefinite": ("RFC 5280 §4.1; X.690 §10", BER),
    "path::encoding::long-length": ("RFC 5280 §4.1; X.690 §10", BER),
    "path::basic-constraints::negative": ("RFC 5280 §4.2.1.9", BER),
    "path::basic-constraints::true-as-1": ("X.690 §11.1", "read leniently, as by medsign"),
    "path::names::cyrillic-case": (
        "RFC 5280 §7.1; RFC 4518 §2.2",
        "BouncyCastle folds the case of ASCII only",
    ),
    "path::key-identifier::mismatch": (
        "RFC 5280 §4.2.1.1, §6.1",
        "BouncyCastle takes the identifier for a rule, not for a hint",
    ),
    "path::ru-qualified::*": ("приказ ФСБ от 27.12.2011 №795", NO_PROFILE),
}


def verdict(case: dict, question: Question) -> str:
    if case["kind"] == "path":
        return "SUCCESS" if path_verdict(question) else "FAILURE"
    return STATUS[status_verdict(question)]


def test_certvalidator_agrees_or_the_reason_is_known():
    # stamps are judged by pyHanko itself, not by its library of paths
    cases = limbo("path", "ocsp", "crl")
    odd = {case["id"] for case, asked in cases if verdict(case, asked) != case["expected"]}
    assert unexplained(odd, CERTVALIDATOR) == set()
    # most verdicts are the same, or the oracle is no oracle
    assert len(cases) - len(odd) >= 340


@pytest.mark.interop
def test_bouncy_castle_agrees_or_the_reason_is_known(bouncy_castle, tmp_path):
    cases = limbo("path")
    odd = {
        case["id"]
        for case, asked in cases
        if bouncy_castle_verdict(bouncy_castle, tmp_path, asked) != (case["expected"] == "SUCCESS")
    }
    assert unexplained(odd, BOUNCY_CASTLE) == set()
    assert len(cases) - len(odd) >= 269
