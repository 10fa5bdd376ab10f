"""Which provider is taken, what is said of those that are not, and what a host notices."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import textwrap

import pytest

from medsign.errors import Unavailable, UsageError
from medsign.gost import (
    PARAM_SETS,
    PROVIDERS,
    DigestAlgorithm,
    PortableProvider,
    ProviderRefused,
    choose,
    default_provider,
    digest,
    param_set,
    provider_reports,
)
from medsign.gost.native.gcrypt import GcryptProvider
from medsign.gost.native.nettle import NettleProvider
from medsign.gost.providers import FirstAvailable, _found
from medsign.gost.streebog import Streebog

A256 = param_set("1.2.643.7.1.2.1.1.1")
S256 = DigestAlgorithm.STREEBOG_256


@pytest.fixture
def fresh():
    """Forget what was loaded, before and after."""
    _found.cache_clear()
    yield
    _found.cache_clear()


@pytest.fixture
def bare_machine(fresh, monkeypatch):
    def no_library(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", no_library)


def report(name):
    return next(report for report in provider_reports() if report.name == name)


def test_reports_come_in_the_order_of_preference():
    assert tuple(report.name for report in provider_reports()) == PROVIDERS


def test_the_portable_provider_does_everything_everywhere(bare_machine):
    portable = report("portable")
    assert (portable.ok, portable.reason, portable.install) == (True, "", "")
    assert portable.digests == tuple(DigestAlgorithm)
    assert portable.param_sets == PARAM_SETS


@pytest.mark.parametrize(
    "name, library, package",
    [
        ("nettle", "libnettle", "libhogweed6"),
        ("openssl", "libcrypto", "libengine-gost-openssl"),
        ("gostprov", "libcrypto", "libengine-gost-openssl"),
        ("libgcrypt", "libgcrypt", "libgcrypt20"),
    ],
)
def test_a_missing_library_is_reported_with_its_package(bare_machine, name, library, package):
    missing = report(name)
    assert not missing.ok
    assert library in missing.reason
    assert package in missing.install
    assert missing.digests == missing.param_sets == ()


def test_a_bare_machine_signs_in_python(bare_machine):
    provider = FirstAvailable(PROVIDERS)
    key = provider.generate(A256)
    assert provider.supports(A256)
    assert PortableProvider().verify(key.public_key(), bytes(32), provider.sign(key, bytes(32)))
    assert isinstance(provider.hasher(S256), Streebog)


def test_a_library_that_computes_wrong_is_refused_with_a_warning(fresh, monkeypatch):
    monkeypatch.setattr(NettleProvider, "__init__", lambda self: None)
    monkeypatch.setattr(NettleProvider, "hasher", lambda self, _: Streebog(S256))
    monkeypatch.setattr(NettleProvider, "hash", PortableProvider.hash)
    with pytest.warns(ProviderRefused, match="nettle .*STREEBOG_512"):
        refused = report("nettle")
    assert not refused.ok
    assert "self-test" in refused.reason
    assert "NettleHasher" not in type(FirstAvailable(PROVIDERS).hasher(S256)).__name__


def test_an_odd_library_does_not_take_the_others_down(fresh, monkeypatch):
    def explode(self):
        raise RuntimeError("odd")

    for kind in (NettleProvider, GcryptProvider):
        monkeypatch.setattr(kind, "__init__", explode)
    assert "odd" in report("nettle").reason
    assert digest(S256, b"x", provider=FirstAvailable(PROVIDERS)) == Streebog(S256, b"x").digest()


def test_the_default_asks_all_of_them_and_is_made_once():
    assert default_provider() is default_provider()
    assert default_provider().name == ", ".join(PROVIDERS)
    assert all(map(default_provider().supports, PARAM_SETS))


def test_the_default_signs_on_every_curve():
    for params in PARAM_SETS:
        key = default_provider().generate(params)
        signature = default_provider().sign(key, bytes(params.size))
        assert default_provider().verify(key.public_key(), bytes(params.size), signature)


def test_a_provider_is_pinned_by_its_name():
    assert isinstance(choose("portable"), PortableProvider)
    assert choose("portable") is choose("portable")


def test_of_several_names_the_first_that_can_is_asked(fresh, monkeypatch):
    monkeypatch.setattr(NettleProvider, "__init__", lambda self: None)
    monkeypatch.setattr(NettleProvider, "hasher", lambda self, algorithm: Streebog(algorithm))
    monkeypatch.setattr(NettleProvider, "hash", PortableProvider.hash)
    monkeypatch.setattr(NettleProvider, "supports", lambda self, params: False)
    provider = choose("nettle", "portable")
    assert provider.name == "nettle, portable"
    assert provider._first_that_knows(A256) is choose("portable")


def test_a_pinned_provider_must_be_there(bare_machine):
    with pytest.raises(Unavailable, match="libhogweed6"):
        choose("nettle", "portable")


@pytest.mark.parametrize("names", [(), ("bouncy",), ("portable", "bouncy")])
def test_an_unknown_name_is_a_mistake_of_the_caller(names):
    with pytest.raises(UsageError, match="nettle, openssl"):
        choose(*names)


@pytest.mark.interop
def test_a_curve_that_none_of_the_chosen_knows_is_a_mistake_of_the_caller():
    try:
        provider = choose("nettle", "libgcrypt")
    except Unavailable as error:
        pytest.skip(str(error))
    assert not provider.supports(A256)
    with pytest.raises(UsageError, match="do not know"):
        provider.generate(A256)


def run(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_import_loads_no_library():
    assert (
        run(
            """
        import sys, medsign.gost
        print(*(name for name in sys.modules if name.startswith("medsign.gost.native")))
        """
        )
        == []
    )


needs_openssl = pytest.mark.skipif(
    not report("openssl").ok, reason=f"needs {report('openssl').install}"
)
# Signs and refuses with the engine: the way that might leave traces in the library of `ssl`.
USE = """
        import ctypes, hashlib, ssl, sys
        from medsign.gost import PARAM_SETS, choose
        crypto = ctypes.CDLL("libcrypto.so.3")
        crypto.ERR_peek_error.restype = ctypes.c_ulong
        provider = choose("openssl")
        for params in PARAM_SETS:
            key = provider.generate(params)
            signature = provider.sign(key, bytes(params.size))
            assert provider.verify(key.public_key(), bytes(params.size), signature)
            assert not provider.verify(key.public_key(), bytes(params.size), signature[::-1])
"""


@pytest.mark.interop
@needs_openssl
def test_openssl_of_the_host_stays_as_it_was():
    printed = run(
        """
        import hashlib, ssl
        before = ssl.create_default_context().get_ciphers()
        """
        + USE
        + """
        assert crypto.ERR_peek_error() == 0
        crypto.ENGINE_get_digest_engine.restype = ctypes.c_void_p
        crypto.ENGINE_get_pkey_meth_engine.restype = ctypes.c_void_p
        digest = crypto.OBJ_txt2nid(b"md_gost12_256")
        key = crypto.OBJ_txt2nid(b"1.2.643.7.1.1.1.1")
        print(crypto.ENGINE_get_digest_engine(digest), crypto.ENGINE_get_pkey_meth_engine(key))
        print(before == ssl.create_default_context().get_ciphers())
        try: hashlib.new("md_gost12_256")
        except ValueError: print("unsupported")
        """
    )
    assert printed == ["None", "None", "True", "unsupported"]


@pytest.mark.interop
@needs_openssl
def test_threads_that_load_the_engine_at_once_all_get_it():
    printed = run(
        """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        from medsign.gost.native import openssl
        crypto = openssl.open_library(openssl._SONAME, "", openssl._HASHING | openssl._ENGINE)
        start = threading.Barrier(8)

        def work(_):
            start.wait()
            return openssl._load_engine(crypto)

        with ThreadPoolExecutor(8) as pool:
            print(len(set(pool.map(work, range(8)))))
        """
    )
    assert printed == ["1"]


# What a host does that wants GOST in its `ssl`.
ENGINE_AS_DEFAULT = """
        import ctypes, ssl
        crypto = ctypes.CDLL("libcrypto.so.3")
        crypto.ENGINE_by_id.restype = ctypes.c_void_p
        engine = ctypes.c_void_p(crypto.ENGINE_by_id(b"gost"))
        assert crypto.ENGINE_init(engine) and crypto.ENGINE_set_default(engine, 0xFFFF)
"""
HAS_GOST = """
        context = ssl.create_default_context()
        context.set_ciphers("GOST2012-KUZNYECHIK-KUZNYECHIKOMAC")
        print(any("GOST" in each["name"] for each in context.get_ciphers()))
"""


@pytest.mark.interop
@needs_openssl
@pytest.mark.parametrize(
    "code",
    [USE + ENGINE_AS_DEFAULT + USE + HAS_GOST, ENGINE_AS_DEFAULT + USE + HAS_GOST],
    ids=["after us", "before us"],
)
def test_a_host_may_make_the_engine_its_default(code):
    assert run(code) == ["True"]
