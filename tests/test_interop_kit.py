"""The kit itself: without it the interop tests of the rooms would mean nothing."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.interop
def test_openssl_signs_and_verifies_cms_with_a_gost_certificate(openssl, tmp_path: Path):
    key, certificate, signed = (tmp_path / name for name in ("key.pem", "cert.pem", "signed.der"))
    request = "req -x509 -newkey gost2012_256 -pkeyopt paramset:A -nodes -subj /CN=test -days 3"
    openssl(*request.split(), "-md_gost12_256", "-keyout", key, "-out", certificate)
    openssl(
        *("cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-md", "md_gost12_256"),
        *("-signer", certificate, "-inkey", key, "-out", signed),
        input=b"text",
    )
    verified = openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-in", signed, "-CAfile", certificate)
    )
    assert verified.stdout == b"text"
