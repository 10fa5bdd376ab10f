"""Settings of GOST TLS as people get them wrong, in each way: told by the name of the setting."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from tests.transport.tls.conftest import Ca

from medsign.codec.asn1 import pem_decode
from medsign.errors import ConfigError
from medsign.transport.tls import GostTls, Way

pytestmark = pytest.mark.interop


@pytest.fixture
def good(ca: Ca, way: Way) -> GostTls:
    client = ca.client()
    return GostTls(
        trust=ca.trust, certificate=client.certificate, key=client.key, crls=ca.crl(), way=way
    )


def der(pem: bytes) -> bytes:
    return next(octets for _, octets in pem_decode(pem))


@pytest.mark.parametrize("name", ["trust", "certificate", "key", "crls"])
@pytest.mark.parametrize("spoil", ["der", "other", "text"])
def test_a_file_of_another_kind_is_told_by_the_setting_that_names_it(
    good: GostTls, name: str, spoil: str
) -> None:
    given = getattr(good, name)
    other = good.trust if name in ("key", "crls") else good.key
    wrong = {"der": der(given), "other": other, "text": b"roots.pem"}[spoil]
    with pytest.raises(ConfigError) as refused:
        attrs.evolve(good, **{name: wrong}).context()
    assert refused.value.where == name


def test_a_certificate_without_a_key_is_told_so(good: GostTls) -> None:
    with pytest.raises(ConfigError, match="private key"):
        attrs.evolve(good, key=b"").context()


def test_a_key_without_its_certificate_is_not_dropped_silently(good: GostTls) -> None:
    with pytest.raises(ConfigError, match="without its certificate"):
        attrs.evolve(good, certificate=b"")


def test_the_key_of_somebody_else_is_refused(good: GostTls, ca: Ca) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        attrs.evolve(good, key=ca.client().key).context()


@pytest.mark.parametrize("password", [1234, None, b"tajna"])
def test_a_password_that_is_no_text_is_refused(good: GostTls, password: Any) -> None:
    with pytest.raises(ConfigError, match="no text"):
        attrs.evolve(good, password=password)


def test_a_path_may_be_given_as_text(good: GostTls, ca: Ca, tmp_path: Any) -> None:
    for name, octets in (("roots.pem", ca.trust), ("lists.pem", ca.crl())):
        (tmp_path / name).write_bytes(octets)
    roots, lists = (str(tmp_path / name) for name in ("roots.pem", "lists.pem"))
    tls = attrs.evolve(good, trust=roots, crls=lists)
    assert tls.trust == ca.trust
    assert tls.context()
