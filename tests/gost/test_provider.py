"""The port: self-test, the default provider, threads and forks."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from medsign.errors import Unavailable
from medsign.gost import (
    DigestAlgorithm,
    PortableProvider,
    Provider,
    default_provider,
    digest,
    param_set,
    self_test,
)
from medsign.gost.streebog import Streebog

A256 = param_set("1.2.643.7.1.2.1.1.1")


class BrokenHash(PortableProvider):
    name = "broken hash"

    def hasher(self, algorithm):
        return ForgetfulHasher(algorithm)


class BrokenShortcut(PortableProvider):
    name = "broken shortcut"

    def hash(self, algorithm, data):
        return super().hash(algorithm, data[:-1])


class ForgetfulHasher(Streebog):
    """Loses a carry, as real libraries did: right on RFC 6986, wrong on 96 octets FF."""

    def _absorb(self, blocks):
        lost = self._sum + int.from_bytes(blocks[:64], "little") >> 512
        super()._absorb(blocks)
        if lost:
            self._sum ^= 1 << 64

    def digest(self):
        last = int.from_bytes(self._tail + b"\1", "little")
        if self._sum + last >> 512:
            self._sum ^= 1 << 64
        return super().digest()


class YesMan(PortableProvider):
    name = "yes-man"

    def verify(self, key, digest, signature):
        return True


class Refuser(PortableProvider):
    name = "refuser"

    def verify(self, key, digest, signature):
        return False


class SwappedHalves(PortableProvider):
    name = "swapped halves"

    def sign(self, key, digest):
        signature = super().sign(key, digest)
        half = len(signature) // 2
        return signature[half:] + signature[:half]


def test_the_portable_provider_passes_its_self_test():
    provider: Provider = PortableProvider()
    self_test(provider)


@pytest.mark.parametrize("broken", [BrokenHash, BrokenShortcut, YesMan, Refuser, SwappedHalves])
def test_a_provider_that_computes_wrong_is_refused(broken):
    with pytest.raises(Unavailable, match=broken.name):
        self_test(broken())


def test_a_lost_carry_is_what_the_self_test_names():
    with pytest.raises(Unavailable, match="96 octets"):
        self_test(BrokenHash())


def test_the_default_provider_is_made_once():
    assert default_provider() is default_provider()


def test_a_named_provider_computes_the_digest():
    answer = digest(DigestAlgorithm.STREEBOG_256, b"\xff" * 96, provider=BrokenHash())
    assert answer != digest(DigestAlgorithm.STREEBOG_256, b"\xff" * 96)


def test_threads_share_a_provider_and_its_tables():
    provider = PortableProvider()
    keys = [provider.generate(A256) for _ in range(3)]

    def work(number: int) -> bool:
        key = keys[number % 3]
        message = secrets.token_bytes(32)
        signature = provider.sign(key, message)
        good = provider.verify(key.public_key(), message, signature)
        return good and not provider.verify(key.public_key(), message[::-1], signature)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(60)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_parent_and_child_draw_different_nonces_after_a_fork():
    provider = PortableProvider()
    key = provider.generate(A256)
    provider.verify(key.public_key(), bytes(32), provider.sign(key, bytes(32)))
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writer, provider.sign(key, bytes(32)))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reader, 64)
    os.close(reader)
    os.close(writer)
    ours = provider.sign(key, bytes(32))
    assert provider.verify(key.public_key(), bytes(32), theirs)
    assert theirs[32:] != ours[32:]


def test_a_table_is_built_only_for_a_key_in_use():
    provider = PortableProvider()
    key = provider.generate(A256)
    signature = provider.sign(key, bytes(32))
    ready = []
    for _ in range(6):
        provider.verify(key.public_key(), bytes(32), signature)
        ready.append(provider._table_of(key.public_key())._comb is not None)
    assert ready == [False] * 4 + [True] * 2


def test_tables_of_many_keys_stay_within_bounds():
    provider = PortableProvider()
    key = provider.generate(A256)
    signature = provider.sign(key, bytes(32))
    for _ in range(80):
        provider.verify(provider.generate(A256).public_key(), bytes(32), signature)
    assert provider._table_of.cache_info().currsize <= 32


def test_import_builds_no_table_and_reads_no_randomness():
    code = (
        "import os, secrets; os.urandom = secrets.token_bytes = None\n"
        "import medsign.gost.curve as c, medsign.gost.streebog as s, medsign.gost\n"
        "print(c.curve_of.cache_info().currsize, s._compression.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "0"]


def test_a_long_message_is_hashed_in_constant_memory():
    hasher = Streebog(DigestAlgorithm.STREEBOG_256)
    chunk = bytes(1 << 12)
    hasher.update(chunk)
    tracemalloc.start()
    for _ in range(4):
        hasher.update(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 12
