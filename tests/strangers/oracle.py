"""Oracles of paths: OpenSSL, BouncyCastle, and pyHanko with the arithmetic of GOST lent to it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from unittest import mock

import attrs
import pytest

pytest.importorskip("pyhanko_certvalidator", minversion="0.33", reason="needs the group test")
from asn1crypto import crl, ocsp, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyhanko_certvalidator import (
    CertificateValidator,
    PKIXValidationParams,
    ValidationContext,
    context,
)
from pyhanko_certvalidator.errors import (
    CRLNoMatchesError,
    CRLValidationError,
    OCSPValidationError,
    PathBuildingError,
    RevokedError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import AcceptAllAlgorithms
from pyhanko_certvalidator.revinfo import archival
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response
from pyhanko_certvalidator.sig_validate import DefaultSignatureValidator

from medsign.codec.asn1 import AlgorithmIdentifier, decode_spki, pem_decode, pem_encode
from medsign.errors import MalformedError
from medsign.pki import PolicyRules, SignatureCheck, verify_signature

GOST = "1.2.643."


class WithGost(DefaultSignatureValidator):
    """Verifies GOST signatures with medsign and all others by itself."""

    def validate_signature(
        self, signature, signed_data, public_key_info, signature_algorithm, context=None
    ):
        algorithm = signature_algorithm["algorithm"].dotted
        if not algorithm.startswith(GOST):
            more = () if context is None else (context,)
            return super().validate_signature(
                signature, signed_data, public_key_info, signature_algorithm, *more
            )
        parameters = signature_algorithm["parameters"]
        try:
            key = decode_spki(public_key_info.dump())
        except MalformedError as error:
            raise InvalidSignature from error
        named = AlgorithmIdentifier(algorithm, parameters.dump() or None)
        if verify_signature(key, named, signed_data, signature) is not SignatureCheck.VALID:
            raise InvalidSignature
        return None


@contextlib.contextmanager
def lent() -> Iterator[None]:
    """Lend the arithmetic, and a day to answers without nextUpdate instead of half an hour.

    The validator is exchanged in its module and not passed: for the certificate of an OCSP service
    the library makes a context of its own and forgets what it was given.
    """
    with (
        mock.patch.object(context, "DefaultSignatureValidator", WithGost),
        mock.patch.object(archival, "FRESHNESS_FALLBACK_VALIDITY_DEFAULT", timedelta(days=1)),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@attrs.frozen(kw_only=True)
class Question:
    """What both are asked: everything in DER."""

    peer: bytes
    trusted: Sequence[bytes]
    others: Sequence[bytes] = ()
    at: datetime
    rules: PolicyRules | None = None
    crls: Sequence[bytes] = ()
    answers: Sequence[bytes] = ()


# What the library raises on certificates that it cannot read or that name what it does not know.
_REFUSED = (
    *(PathBuildingError, ValidationError, UnsupportedAlgorithm, NotImplementedError),
    *(ValueError, TypeError, KeyError, AttributeError),
)


def path_verdict(question: Question) -> bool:
    """Tell whether the oracle finds a good chain; revocation is not asked."""
    try:
        with lent():
            asyncio.run(_path(question))
    except _REFUSED:
        return False
    return True


def status_verdict(question: Question) -> str:
    """Return good, revoked or unknown for the peer itself."""
    try:
        with lent():
            asyncio.run(_status(question))
    except RevokedError:
        return "revoked"
    except (CRLValidationError, OCSPValidationError, *_REFUSED):
        return "unknown"
    return "good"


def openssl_verdict(openssl, folder: Path, question: Question) -> bool:
    """Tell whether `openssl verify` finds a good chain; its files go into a folder."""
    rules = question.rules or PolicyRules()
    options = ["-attime", str(int(question.at.timestamp())), "-policy_check"]
    options += [word for oid in sorted(rules.acceptable) for word in ("-policy", oid)]
    options += ["-explicit_policy"] if rules.required else []
    options += ["-inhibit_map"] if rules.mapping_inhibited else []
    options += ["-inhibit_any"] if rules.any_inhibited else []
    peer, trusted, others = bundles(folder, question)
    options += ["-CAfile", trusted] if question.trusted else []
    options += ["-untrusted", others] if question.others else []
    return openssl("verify", *options, peer, check=False).returncode == 0


def bouncy_castle_verdict(ask, folder: Path, question: Question) -> bool:
    """Tell whether the judge of BouncyCastle finds a good chain."""
    rules = question.rules or PolicyRules()
    said = {
        "explicit": rules.required,
        "unmapped": rules.mapping_inhibited,
        "no-any": rules.any_inhibited,
    }
    words = " ".join(word for word, holds in said.items() if holds) or "-"
    at, files = int(question.at.timestamp()), bundles(folder, question)
    return ask("path", str(at), *files, ",".join(sorted(rules.acceptable)), words) == "yes"


def bundles(folder: Path, question: Question) -> tuple[Path, Path, Path]:
    """Write the peer, the anchors and the others in PEM."""
    named = {"peer": [question.peer], "trusted": question.trusted, "others": question.others}
    for name, certificates in named.items():
        pem = b"".join(pem_encode("CERTIFICATE", each) for each in certificates)
        (folder / name).write_bytes(pem)
    return folder / "peer", folder / "trusted", folder / "others"


def limbo(*kinds: str) -> list[tuple[dict, Question]]:
    """Return the cases of GOST-limbo of these kinds, each with its question."""
    file = Path(__file__).parents[1] / "limbo" / "gost-limbo.json"
    cases = json.loads(file.read_text(encoding="utf-8"))["cases"]
    return [(case, _of_limbo(case)) for case in cases if case["kind"] in kinds]


def _of_limbo(case: dict) -> Question:
    def der(pem: str) -> bytes:
        return next(iter(pem_decode(pem.encode())))[1]

    wanted = case.get("policies")
    return Question(
        peer=der(case["peer"]),
        trusted=[der(each) for each in case["trusted"]],
        others=[der(each) for each in case["intermediates"]],
        at=datetime.fromisoformat(case["validation_time"]),
        rules=PolicyRules(
            acceptable=frozenset(wanted["acceptable"]),
            required=wanted["require_explicit"],
            mapping_inhibited=wanted["inhibit_mapping"],
            any_inhibited=wanted["inhibit_any"],
        )
        if wanted
        else None,
        crls=[der(each) for each in case.get("crls", ())],
        answers=[base64.b64decode(each) for each in case.get("ocsp_responses", ())],
    )


def unexplained(odd: Iterable[str], reasons: Iterable[str]) -> set[str]:
    """Return verdicts that differ without a reason, and reasons for which nothing differs."""
    odd, reasons = set(odd), set(reasons)
    explained = {each for each in odd if any(fnmatchcase(each, key) for key in reasons)}
    needed = {key for key in reasons if any(fnmatchcase(each, key) for each in odd)}
    return (odd - explained) | (reasons - needed)


def _context(question: Question) -> ValidationContext:
    return ValidationContext(
        trust_roots=[x509.Certificate.load(each) for each in question.trusted],
        other_certs=[x509.Certificate.load(each) for each in question.others],
        moment=question.at,
        time_tolerance=timedelta(0),
        algorithm_usage_policy=AcceptAllAlgorithms(),
        crls=[crl.CertificateList.load(each) for each in question.crls],
        ocsps=[ocsp.OCSPResponse.load(each) for each in question.answers],
    )


async def _path(question: Question) -> tuple[x509.Certificate, ValidationPath]:
    peer = x509.Certificate.load(question.peer, strict=True)
    rules = question.rules or PolicyRules()
    parameters = PKIXValidationParams(
        user_initial_policy_set=frozenset(
            "any_policy" if each == "2.5.29.32.0" else each for each in rules.acceptable
        ),
        initial_explicit_policy=rules.required,
        initial_policy_mapping_inhibit=rules.mapping_inhibited,
        initial_any_policy_inhibit=rules.any_inhibited,
    )
    bare = _context(attrs.evolve(question, crls=(), answers=()))
    validator = CertificateValidator(peer, validation_context=bare, pkix_params=parameters)
    return peer, await validator.async_validate_path()


async def _status(question: Question) -> None:
    peer, path = await _path(question)
    if question.crls:
        await verify_crl(peer, path, _context(question))
    elif question.answers:
        await verify_ocsp_response(peer, path, _context(question))
    else:
        raise CRLNoMatchesError
