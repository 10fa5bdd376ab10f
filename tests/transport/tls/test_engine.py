"""Which machines can: every lack is told with what helps."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from medsign.errors import Unavailable
from medsign.transport.tls import GostTls, Way, way_reports
from medsign.transport.tls.engine import load

from .conftest import Ca

OPEN = """
import sys
from medsign.transport.tls import GostTls, Way
try:
    GostTls(trust=sys.stdin.buffer.read(), way=Way(sys.argv[1]) if sys.argv[1] else None).context()
except Exception as error:
    print(type(error).__name__, error, error.diagnostics())
"""


@pytest.mark.interop
def test_a_missing_engine_is_told_with_its_debian_package(way, ca):
    for which in (way, ""):
        done = subprocess.run(
            [sys.executable, "-c", OPEN, which],
            input=ca.trust,
            env={**os.environ, "OPENSSL_ENGINES": os.devnull},
            capture_output=True,
            check=True,
        )
        said = done.stdout.decode()
        assert said.startswith("Unavailable the engine gost")
        assert "её надо установить: apt install libengine-gost-openssl" in said


def test_an_openssl_that_is_built_into_the_program_is_told_as_such():
    pytest.importorskip("cryptography", reason="its extension has OpenSSL inside: medsign[rsa]")
    from cryptography.hazmat.bindings import _rust

    with pytest.raises(Unavailable, match=r"statically.*Python of the distribution"):
        load(_rust.__file__, (3, 5))


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_another_system_is_sent_to_a_gateway_and_not_to_apt(platform, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    for report in way_reports():
        assert not report.works
        assert "only on Linux" in report.reason
        assert report.install == "a GOST gateway"


def test_openssl_4_is_told_to_have_no_engines():
    with pytest.raises(Unavailable, match="no engines"):
        load(None, (4, 0, 0))


@pytest.fixture
def static(tmp_path, program) -> str:
    """Return an extension that has an OpenSSL inside and shows its symbols."""
    extension = tmp_path / "_ssl.so"
    subprocess.run(
        [program("cc", "gcc"), "-shared", "-x", "c", "-o", extension, "-"],
        input=b"unsigned long OpenSSL_version_num(void) { return 0; }"
        b"void *ENGINE_by_id(const char *id) { __builtin_trap(); }",
        check=True,
    )
    return str(extension)


def test_a_static_openssl_whose_symbols_show_gets_no_engine(static):
    """Loading one there ended the process."""
    with pytest.raises(Unavailable, match="statically"):
        load(static, (3, 5))


def test_no_engine_is_loaded_beside_an_openssl_that_the_program_shows(static):
    code = f"""
import ctypes
ctypes.CDLL({static!r}, mode=ctypes.RTLD_GLOBAL)
from medsign.transport.tls import way_reports
print([report.reason for report in way_reports()])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("statically") == 2


def test_an_openssl_without_engines_is_told_as_such(tmp_path, program):
    library = tmp_path / "libcrypto.so"
    subprocess.run(
        [program("cc", "gcc"), "-shared", "-x", "c", "-o", library, "-"],
        input=b"unsigned long OpenSSL_version_num(void) { return 0; }",
        check=True,
    )
    with pytest.raises(Unavailable, match="without engines"):
        load(str(library), (3, 5))


def test_a_library_that_is_not_there_is_told_by_its_name():
    with pytest.raises(Unavailable, match=r"libnosuch\.so"):
        load("libnosuch.so", (3,))


def test_a_machine_that_cannot_is_told_where_the_other_way_leads(ca: Ca, monkeypatch):
    # As on Python of uv: its own OpenSSL is out of reach, the system's may do.
    def no_way(*_: object) -> None:
        raise Unavailable("GOST TLS by the OpenSSL of this Python", "another one")

    monkeypatch.setattr("medsign.transport.tls.python.load_for_python", no_way)
    with pytest.raises(Unavailable):
        GostTls(trust=ca.trust, way=Way.PYTHON).context()
    try:
        assert type(GostTls(trust=ca.trust).context()).__name__ == "SystemContext"
    except Unavailable as missing:
        pytest.skip(str(missing))


@pytest.mark.interop
@pytest.mark.parametrize("first", ["provider", "tls"])
def test_the_provider_of_signatures_and_tls_share_the_engine(first, ca, python_way):
    code = f"""
import sys
from medsign.gost.native.openssl import OpenSslProvider
from medsign.transport.tls import GostTls
from medsign.gost import DigestAlgorithm
trust = sys.stdin.buffer.read()
steps = [OpenSslProvider, lambda: GostTls(trust=trust).context()]
for step in steps if {first == "provider"} else reversed(steps):
    step()
print(len([c for c in GostTls(trust=trust).context().get_ciphers() if "GOST" in c["name"]]))
print(OpenSslProvider().hasher(DigestAlgorithm.STREEBOG_256).digest().hex()[:8])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input=ca.trust, capture_output=True, check=True
    )
    assert done.stdout.split() == [b"4", b"3f539a21"]
