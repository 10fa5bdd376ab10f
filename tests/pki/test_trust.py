"""Anchors out of files."""

from __future__ import annotations

import attrs
import pytest

from medsign.codec.asn1 import Extension, pem_encode
from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
from medsign.pki.trust import TrustStore


@pytest.fixture
def quoting(authority, now):
    """Return a root, one of whose extensions quotes another root as PEM."""
    quote = pem_encode("CERTIFICATE", authority.root.certificate.der)
    return issue_root(
        attrs.evolve(ROOT_CA, others=(Extension("1.2.3.4", False, quote),)),
        subject=subject_name(organization="Корень с цитатой"),
        signer=authority.ca,
        not_before=now,
    )


def test_a_root_in_der_is_itself_whatever_it_quotes(quoting):
    assert TrustStore.from_bytes(quoting.der).anchors == {quoting}


def test_a_bundle_with_a_mark_of_its_encoding_and_comments_is_read_whole(authority, quoting):
    both = authority.root.certificate, quoting
    text = "\ufeffКорни\n".encode() + b"\n#\n".join(
        pem_encode("CERTIFICATE", each.der) for each in both
    )
    assert TrustStore.from_bytes(text).anchors == set(both)
