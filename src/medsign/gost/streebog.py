"""Streebog, the hash of GOST R 34.11-2012, in pure Python (RFC 6986).

A 512-bit vector is an int here, least significant octet first on the wire. Section numbers are
those of RFC 6986.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any

from medsign.gost.params import DigestAlgorithm, Octets
from medsign.gost.substitution import PI

_BLOCK = 64
_MODULUS = 1 << 512

# The matrix A of the linear transformation l (§6.4), first row first.
_A = struct.unpack(
    ">64Q",
    bytes.fromhex(
        """
    8e20faa72ba0b470 47107ddd9b505a38 ad08b0e0c3282d1c d8045870ef14980e
    6c022c38f90a4c07 3601161cf205268d 1b8e0b0e798c13c8 83478b07b2468764
    a011d380818e8f40 5086e740ce47c920 2843fd2067adea10 14aff010bdd87508
    0ad97808d06cb404 05e23c0468365a02 8c711e02341b2d01 46b60f011a83988e
    90dab52a387ae76f 486dd4151c3dfdb9 24b86a840e90f0d2 125c354207487869
    092e94218d243cba 8a174a9ec8121e5d 4585254f64090fa0 accc9ca9328a8950
    9d4df05d5f661451 c0a878a0a1330aa6 60543c50de970553 302a1e286fc58ca7
    18150f14b9ec46dd 0c84890ad27623e0 0642ca05693b9f70 0321658cba93c138
    86275df09ce8aaa8 439da0784e745554 afc0503c273aa42a d960281e9d1d5215
    e230140fc0802984 71180a8960409a42 b60c05ca30204d21 5b068c651810a89e
    456c34887a3805b9 ac361a443d1c8cd2 561b0d22900e4669 2b838811480723ba
    9bcf4486248d9f5d c3e9224312c8c1a0 effa11af0964ee50 f97d86d98a327728
    e4fa2054a80b329c 727d102a548b194e 39b008152acb8227 9258048415eb419d
    492c024284fbaec0 aa16012142f35760 550b8e9e21f7a530 a48b474f9ef5dc18
    70a6a56e2440598e 3853dc371220a247 1ca76e95091051ad 0edd37c48a08a6d8
    07e095624504536c 8d70c431ac02a736 c83862965601dd1b 641c314b2b8ee083
        """
    ),
)

# The iteration constants C1…C12 (§6.5), two lines each.
_C = [
    int.from_bytes(constant, "big")
    for (constant,) in struct.iter_unpack(
        "64s",
        bytes.fromhex(
            """
            b1085bda1ecadae9ebcb2f81c0657c1f2f6a76432e45d016714eb88d7585c4fc
            4b7ce09192676901a2422a08a460d31505767436cc744d23dd806559f2a64507
            6fa3b58aa99d2f1a4fe39d460f70b5d7f3feea720a232b9861d55e0f16b50131
            9ab5176b12d699585cb561c2db0aa7ca55dda21bd7cbcd56e679047021b19bb7
            f574dcac2bce2fc70a39fc286a3d843506f15e5f529c1f8bf2ea7514b1297b7b
            d3e20fe490359eb1c1c93a376062db09c2b6f443867adb31991e96f50aba0ab2
            ef1fdfb3e81566d2f948e1a05d71e4dd488e857e335c3c7d9d721cad685e353f
            a9d72c82ed03d675d8b71333935203be3453eaa193e837f1220cbebc84e3d12e
            4bea6bacad4747999a3f410c6ca923637f151c1f1686104a359e35d7800fffbd
            bfcd1747253af5a3dfff00b723271a167a56a27ea9ea63f5601758fd7c6cfe57
            ae4faeae1d3ad3d96fa4c33b7a3039c02d66c4f95142a46c187f9ab49af08ec6
            cffaa6b71c9ab7b40af21f66c2bec6b6bf71c57236904f35fa68407a46647d6e
            f4c70e16eeaac5ec51ac86febf240954399ec6c7e6bf87c9d3473e33197a93c9
            0992abc52d822c3706476983284a05043517454ca23c4af38886564d3a14d493
            9b1f5b424d93c9a703e7aa020c6e41414eb7f8719c36de1e89b4443b4ddbc49a
            f4892bcb929b069069d18d2bd1a5c42f36acc2355951a8d9a47f0dd4bf02e71e
            378f5a541631229b944c9ad8ec165fde3a7d3a1b258942243cd955b7e00d0984
            800a440bdbb2ceb17b2b8a9aa6079c540e38dc92cb1f2a607261445183235adb
            abbedea680056f52382ae548b2e4f3f38941e71cff8a78db1fffe18a1b336103
            9fe76702af69334b7a1e6c303b7652f43698fad1153bb6c374b4c7fb98459ced
            7bcd9ed0efc889fb3002c6cd635afe94d8fa6bbbebab07612001802114846679
            8a1d71efea48b9caefbacd1d7d476e98dea2594ac06fd85d6bcaa4cd81f32d1b
            378ee767f11631bad21380b00449b17acda43c32bcdf1d77f82012d430219f9b
            5d80ef9d1891cc86e71da4aa88e12852faf417d5d9b21b9948bc924af11bd720
            """
        ),
    )
]


@functools.cache
def _compression() -> Callable[[int, int, int], int]:
    """Return g_N(h, m) of §8 as one generated function of (h, N, m).

    S, P and L of a vector become 64 table look-ups. Written out, with no call or loop inside a
    round, they run several times faster than as functions, and code of that shape is better
    generated than read. A round of E transforms the state (s ^ k) and the key (k ^ c) at once:
    `w` holds the state in its low 512 bits and the key above them.
    """
    # tables[j][v]: the share of octet v in row j of the transposed vector in a word of L.
    tables: list[list[bytes]] = []
    for j in range(8):
        rows = _A[56 - 8 * j : 64 - 8 * j][::-1]
        table: list[bytes] = []
        for substituted in PI:
            share = 0
            for bit, row in enumerate(rows):
                share ^= row * (substituted >> bit & 1)
            table.append(share.to_bytes(8, "little"))
        tables.append(table)

    def lps(vector: str, halves: int) -> str:
        octets = ",".join(f"b{i}" for i in range(64 * halves))
        words = [64 * half + word for half in range(halves) for word in range(8)]
        columns = (",".join(f"t{j}[b{i + 8 * j}]" for i in words) for j in range(8))
        sums = "^".join(f"unite(join(({column})),'little')" for column in columns)
        return f"{octets} = ({vector}).to_bytes({64 * halves},'little'); w = {sums}"

    namespace: dict[str, Any] = {f"t{j}": table for j, table in enumerate(tables)}
    namespace |= {"unite": int.from_bytes, "join": b"".join, "low": _MODULUS - 1}
    namespace["constants"] = [constant << 512 for constant in _C]
    # Parameters with defaults, because a local name is the fastest that Python has.
    source = f"""
def g(h, n, m, {", ".join(f"{name}={name}" for name in namespace)}):
    {lps("h ^ n", 1)}
    w = m | w << 512
    for c in constants:
        {lps("w ^ w >> 512 ^ c", 2)}
    return (w ^ w >> 512) & low ^ h ^ m
"""
    exec(source, namespace)  # noqa: S102  # nothing but the constants above is in it
    g: Callable[[int, int, int], int] = namespace["g"]
    return g


class Streebog:
    """A running Streebog: a `Hasher`, and a ``digestmod`` for `hmac`.

    Memory is constant: at most 63 octets wait for their block.

    Args:
        algorithm: Which of the two lengths.
        data: The first octets of the message.

    Example:
        >>> hasher = Streebog(DigestAlgorithm.STREEBOG_256)
        >>> hasher.update(b"")
        >>> hasher.digest().hex()
        '3f539a213e97c802cc229d474c6aa32a825a360b2a933a949fd925208d9ce1bb'
    """

    block_size = _BLOCK

    def __init__(self, algorithm: DigestAlgorithm, data: Octets = b"") -> None:
        self.algorithm = algorithm
        self.digest_size = algorithm.size
        self.name = algorithm.name.lower()
        self._compress = _compression()
        self._state = 0 if algorithm.size == 64 else int.from_bytes(b"\1" * 64, "little")
        self._bits = 0
        self._sum = 0
        self._tail = b""
        self.update(data)

    def update(self, data: Octets) -> None:
        """Add octets to the message; the split into calls does not matter."""
        view = memoryview(data)
        view = view.cast("B") if view.contiguous else memoryview(view.tobytes())
        start = 0
        if self._tail:
            start = min(_BLOCK - len(self._tail), len(view))
            self._tail += view[:start]
            if len(self._tail) < _BLOCK:
                return
            self._absorb(memoryview(self._tail))
        end = len(view) - (len(view) - start) % _BLOCK
        self._absorb(view[start:end])
        self._tail = bytes(view[end:])

    def _absorb(self, blocks: memoryview) -> None:
        compress, state, bits, total = self._compress, self._state, self._bits, self._sum
        for offset in range(0, len(blocks), _BLOCK):
            block = int.from_bytes(blocks[offset : offset + _BLOCK], "little")
            state = compress(state, bits, block)
            bits += 8 * _BLOCK
            total += block
        self._state, self._bits, self._sum = state, bits, total

    def digest(self) -> bytes:
        """Return the digest of what was added so far: 32 or 64 octets; more may be added."""
        last = int.from_bytes(self._tail + b"\1", "little")
        bits = self._bits + 8 * len(self._tail)
        state = self._compress(self._state, self._bits, last)
        state = self._compress(state, 0, bits)
        state = self._compress(state, 0, (self._sum + last) % _MODULUS)
        return state.to_bytes(64, "little")[64 - self.algorithm.size :]

    def hexdigest(self) -> str:
        """Return `digest` in hexadecimal."""
        return self.digest().hex()

    def copy(self) -> Streebog:
        """Return an independent hasher of the same octets."""
        twin = Streebog(self.algorithm)
        twin._state, twin._bits, twin._sum = self._state, self._bits, self._sum
        twin._tail = self._tail
        return twin
