"""How medsign judges a case of GOST-limbo: the reading of `expected` in code."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from medsign.codec.asn1 import (
    decode_certificate,
    decode_crl,
    decode_ocsp_response,
    decode_timestamp_request,
    decode_timestamp_response,
    pem_decode,
)
from medsign.errors import BudgetExceeded, MalformedError
from medsign.pki import (
    PathFacts,
    PolicyRules,
    RevocationEvidence,
    TrustStore,
    build_path,
    check_revocation,
    check_timestamp_response,
    is_qualified_profile,
)

VERDICTS = {"good": "SUCCESS", "revoked": "FAILURE", "unknown": "INDETERMINATE"}


def der(pem: str) -> bytes:
    return next(iter(pem_decode(pem.encode())))[1]


def certificates(pems: list[str]):
    return [decode_certificate(der(each)) for each in pems]


def verdict(case: dict[str, Any]) -> str:
    """Return SUCCESS, FAILURE or INDETERMINATE."""
    unreadable = "INDETERMINATE" if case["kind"] in {"ocsp", "crl"} else "FAILURE"
    try:
        return {"path": _path, "ocsp": _status, "crl": _status, "tsp": _stamp}[case["kind"]](case)
    except (MalformedError, BudgetExceeded):
        return unreadable


def _chain(case: dict[str, Any]) -> PathFacts:
    wanted = case.get("policies")
    rules = (
        PolicyRules(
            acceptable=frozenset(wanted["acceptable"]),
            required=wanted["require_explicit"],
            mapping_inhibited=wanted["inhibit_mapping"],
            any_inhibited=wanted["inhibit_any"],
        )
        if wanted
        else None
    )
    return build_path(
        decode_certificate(der(case["peer"])),
        TrustStore(certificates(case["trusted"])),
        certificates(case["intermediates"]),
        at=datetime.fromisoformat(case["validation_time"]),
        rules=rules,
    )


def _path(case: dict[str, Any]) -> str:
    facts = _chain(case)
    good = facts.is_valid and (
        "ru-qualified" not in case["features"] or is_qualified_profile(facts.chain[0])
    )
    return "SUCCESS" if good else "FAILURE"


def _status(case: dict[str, Any]) -> str:
    path = _chain(case)
    assert path.is_valid, "the chain of a case of revocation must be good"
    owner = path.chain[0]
    issuer = path.issuer_of(owner)
    assert issuer
    answers = (
        decode_ocsp_response(base64.b64decode(each)).basic
        for each in case.get("ocsp_responses", ())
    )
    evidence = RevocationEvidence(
        crls=tuple(decode_crl(der(each)) for each in case.get("crls", ())),
        responses=tuple(each for each in answers if each),
    )
    facts = check_revocation(
        owner,
        issuer,
        evidence,
        at=path.at,
        nonce=bytes.fromhex(case["nonce"]) if "nonce" in case else None,
        candidates=certificates(case["intermediates"]),
        trust=TrustStore(certificates(case["trusted"])),
    )
    return VERDICTS[facts.status]


def _stamp(case: dict[str, Any]) -> str:
    facts = check_timestamp_response(
        decode_timestamp_response(base64.b64decode(case["timestamp_response"])),
        decode_timestamp_request(base64.b64decode(case["timestamp_request"])),
        TrustStore(certificates(case["trusted"])),
        intermediates=certificates(case["intermediates"]),
    )
    return "SUCCESS" if facts.is_valid else "FAILURE"
