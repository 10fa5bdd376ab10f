"""GOST-limbo: medsign judges each case as the clause says, and each disagreement is explained."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from medsign.codec.asn1 import decode_certificate, pem_encode
from medsign.pki import ocsp_request

HERE = Path(__file__).parent
CASES = json.loads((HERE / "gost-limbo.json").read_text(encoding="utf-8"))["cases"]
SCHEMA = json.loads((HERE / "gost-limbo.schema.json").read_text(encoding="utf-8"))

spec = spec_from_file_location("gost_limbo_judge", HERE / "judge.py")
assert spec
assert spec.loader
judge = module_from_spec(spec)
spec.loader.exec_module(judge)

LENIENT = "read as it is meant: the signature is over these very octets, so nothing can be smuggled"
# Where medsign is milder than the clause.
MEDSIGN = {
    "path::basic-constraints::true-as-1": LENIENT,
}
BER = "OpenSSL reads BER, where this is allowed or overlooked"
NO_BACKTRACKING = "OpenSSL takes the first issuer that fits and does not come back for another"
# Where OpenSSL 3.0 with gost-engine says something else, by pattern of the case's id.
OPENSSL = {
    "path::point::order-4::*": "gost-engine looks whether the point is on the curve, not at its "
    "order: it believes a signature that was forged without a key",
    "path::signature::*::one-octet-long": "gost-engine reads the first octets and leaves the rest",
    "path::validity::*::at-notAfter": "OpenSSL ends the validity one second before notAfter",
    "path::validity::one-second": "OpenSSL ends the validity one second before notAfter",
    "path::encoding::version-4": "OpenSSL takes version 4 for version 3",
    "path::encoding::*": BER,
    "path::basic-constraints::trailing": BER,
    "path::basic-constraints::true-as-1": BER,
    "ocsp::trailing": "the program reads the first element of the file",
    "crl::trailing": "the program reads the first element of the file",
    "path::duplicate-extension::*-unknown": "OpenSSL looks for repetition of those it knows only",
    "path::names::cyrillic-case": "OpenSSL folds the case of ASCII only",
    "path::key-identifier::*mismatch": "OpenSSL takes the identifier for a rule, not for a hint",
    "path::cross::by-the-other": NO_BACKTRACKING,
    "path::cross::unfit-and-fit": NO_BACKTRACKING,
    "path::cross::critical-and-fit": NO_BACKTRACKING,
    "ocsp::revoked::later": "the program reports the status without a moment",
    "ocsp::responder::key-usage": "OpenSSL asks the purpose of a responder, not its keyUsage",
    "crl::revoked::later": "OpenSSL takes every line of a list, whatever its date",
    "crl::duplicate-extension": "OpenSSL does not look for repetition in lists",
    "crl::delta::*": "OpenSSL takes a list of changes only where freshestCRL says it is",
    "tsp::attribute-type": "OpenSSL does not compare the signed content type in stamps",
}
# Cases for which the program has no option or clock.
INEXPRESSIBLE = {"ru-qualified", "age"}


def by_id(case):
    return case["id"]


@pytest.mark.parametrize("case", CASES, ids=by_id)
def test_the_verdict_is_that_of_the_clause(case):
    assert (judge.verdict(case) == case["expected"]) == (case["id"] not in MEDSIGN)


def test_every_departure_is_of_a_case():
    assert MEDSIGN.keys() <= {case["id"] for case in CASES}


def test_the_file_is_what_the_generator_writes():
    done = subprocess.run([sys.executable, HERE / "generate.py", "--check"], check=False)
    assert done.returncode == 0, "run tests/limbo/generate.py"


def test_the_set_is_large_and_of_a_reasonable_size():
    kinds = Counter(case["kind"] for case in CASES)
    assert sum(kinds.values()) >= 200
    assert min(kinds[kind] for kind in ("path", "ocsp", "crl", "tsp")) >= 30
    assert (HERE / "gost-limbo.json").stat().st_size < 1_500_000


def test_each_verdict_occurs_in_each_family_that_knows_it():
    found = {(case["kind"], case["expected"]) for case in CASES}
    assert found == {
        *((kind, verdict) for kind in ("path", "tsp") for verdict in ("SUCCESS", "FAILURE")),
        *(
            (kind, verdict)
            for kind in ("ocsp", "crl")
            for verdict in ("SUCCESS", "FAILURE", "INDETERMINATE")
        ),
    }


def test_every_case_has_the_form_of_the_schema():
    form = SCHEMA["$defs"]["case"]
    for case in CASES:
        assert set(form["required"]) <= case.keys() <= form["properties"].keys(), case["id"]
        for name, rule in form["properties"].items():
            value = case.get(name, rule)
            assert value is rule or "enum" not in rule or value in rule["enum"], case["id"]
            assert value is rule or re.search(rule.get("pattern", ""), str(value)), case["id"]


def test_every_feature_is_explained():
    text = (HERE / "README.md").read_text(encoding="utf-8")
    assert {each for case in CASES for each in case["features"] if f"`{each}`" not in text} == set()


@pytest.mark.interop
def test_openssl_agrees_or_the_reason_is_known(openssl, tmp_path):
    """OpenSSL says SUCCESS exactly when it should; its other words are not compared."""
    told = [case for case in CASES if INEXPRESSIBLE.isdisjoint(case["features"])]

    def disagrees(numbered):
        number, case = numbered
        folder = tmp_path / str(number)
        folder.mkdir()
        accepted = ASK[case["kind"]](openssl, folder, case)
        return accepted is not None and accepted != (case["expected"] == "SUCCESS")

    with ThreadPoolExecutor(4) as threads:
        odd = [
            case["id"]
            for case, differs in zip(told, threads.map(disagrees, enumerate(told)), strict=True)
            if differs
        ]
    assert {each for each in odd if not any(map(partial(fnmatchcase, each), OPENSSL))} == set()


def common(folder, case):
    """Return the options that all the programs have in common."""
    moment = datetime.fromisoformat(case["validation_time"])
    options = ["-attime", str(int(moment.timestamp()))]
    for name, option in (("trusted", "-CAfile"), ("intermediates", "-untrusted")):
        if case[name]:
            (folder / name).write_text("".join(case[name]))
            options += [option, folder / name]
    (folder / "peer").write_text(case["peer"] or "")
    return options


def ask_verify(openssl, folder, case):
    options = [*common(folder, case), "-no-CApath", "-partial_chain"]
    options += [] if case["trusted"] else ["-no-CAfile"]
    if case["kind"] == "crl":
        (folder / "crls").write_text("".join(case.get("crls", ())))
        options += ["-crl_check", "-use_deltas", "-extended_crl"]
        options += ["-CRLfile", folder / "crls"] if case.get("crls") else []
    if wanted := case.get("policies"):
        options += [word for oid in wanted["acceptable"] for word in ("-policy", oid)]
        options += ["-policy_check"]
        options += ["-explicit_policy"] if wanted["require_explicit"] else []
        options += ["-inhibit_map"] if wanted["inhibit_mapping"] else []
        options += ["-inhibit_any"] if wanted["inhibit_any"] else []
    elif "policies" in case["features"]:
        options += ["-policy_check", "-policy", "2.5.29.32.0"]
    return openssl("verify", *options, folder / "peer", check=False).returncode == 0


def ask_ocsp(openssl, folder, case):
    if len(case.get("ocsp_responses", ())) != 1:
        return None
    options = ["-verify_other" if each == "-untrusted" else each for each in common(folder, case)]
    issuer = judge._chain(case).chain[1]
    (folder / "issuer").write_bytes(pem_encode("CERTIFICATE", issuer.der))
    (folder / "answer").write_bytes(base64.b64decode(case["ocsp_responses"][0]))
    asked = ["-no_nonce", "-issuer", folder / "issuer", "-cert", folder / "peer"]
    if nonce := case.get("nonce"):
        peer = decode_certificate(judge.der(case["peer"]))
        (folder / "request").write_bytes(ocsp_request(peer, issuer, bytes.fromhex(nonce)))
        asked = ["-reqin", folder / "request"]
    digests = {"sha256", "sha512", "streebog-256", "streebog-512"} & set(
        re.split("::|-revoked", case["id"])
    )
    named = [each.replace("streebog-", "md_gost12_") for each in digests]
    done = openssl(
        *("ocsp", "-respin", folder / "answer", *options, *(f"-{each}" for each in named)),
        *asked,
        check=False,
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    believed = "Response verify OK" in said and "Nonce" not in said and "WARNING" not in said
    return believed and (bool(nonce) or "peer: good" in said)


def ask_ts(openssl, folder, case):
    for name in ("request", "response"):
        (folder / name).write_bytes(base64.b64decode(case[f"timestamp_{name}"]))
    files = ("-in", folder / "response", "-queryfile", folder / "request")
    done = openssl("ts", "-verify", *files, *common(folder, case), check=False)
    return done.returncode == 0


ASK = {"path": ask_verify, "crl": ask_verify, "ocsp": ask_ocsp, "tsp": ask_ts}
