"""The fixtures of pyhanko-certvalidator: where it is sure, medsign says the same."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from medsign.codec.asn1 import to_binary

from .oracle import Question, path_verdict, status_verdict
from .test_foreign_chains import path_of, status_of

MOMENTS = [
    datetime(2020, 10, 2, tzinfo=UTC),
    datetime(2020, 11, 30, tzinfo=UTC),
    datetime(2020, 12, 10, 12, tzinfo=UTC),
    datetime(2021, 3, 1, tzinfo=UTC),
]


@pytest.mark.parametrize("name", ["freshness", "ades/time-slide"])
def test_statuses_differ_only_where_the_oracle_is_not_sure(shared_data: Path, name):
    """It leaves old revocations alone, and those that came after the moment (RFC 5280 §6.3.3)."""
    folder = shared_data / "real" / "10_pki_suites" / "pyhanko_certvalidator_fixtures" / name
    if not folder.is_dir():
        pytest.skip("no fixtures of certvalidator among the public samples")
    known = {file.stem: to_binary(file.read_bytes()) for file in (folder / "certs").glob("*.crt")}
    verdicts = Counter()
    for file in (*folder.glob("*.crl"), *folder.glob("*.ors")):
        evidence = {"crls" if file.suffix == ".crl" else "answers": [file.read_bytes()]}
        for peer in ("alice", "interm", "interm-revoked"):
            others = [each for owner, each in known.items() if owner != "root"]
            for at in MOMENTS:
                question = Question(
                    peer=known[peer], trusted=[known["root"]], others=others, at=at, **evidence
                )
                assert path_of(question).is_valid
                assert path_verdict(question)
                verdicts[status_of(question), status_verdict(question)] += 1
    assert {pair for pair in verdicts if pair[0] != pair[1]} <= {
        ("good", "unknown"),
        ("revoked", "unknown"),
    }
    assert {said for _, said in verdicts} == {"good", "revoked", "unknown"}
