"""ГОСТ Р 34.11-94, the hash before Streebog (RFC 5831), with the substitution of RFC 4357 §11.2.

Only the key files of CryptoPro still need it: it is broken as a hash and signs nothing here.
"""

from __future__ import annotations

from medsign.gost.ciphers.magma import CRYPTOPRO_HASH, Gost28147

_OCTETS = 32
_WORD = (1 << 64) - 1
# The third of the constants of §5.1; the others are zero.
_C3 = 0xFF00FFFF000000FFFF0000FF00FFFF0000FF00FF00FF00FFFF00FF00FF00FF00


def gost94(message: bytes, *, substitution: str = CRYPTOPRO_HASH) -> bytes:
    """Return the hash of a message: 32 octets.

    Args:
        message: What is hashed; a kilobyte takes about four milliseconds.
        substitution: One of `SUBSTITUTIONS`.

    Example:
        >>> gost94(b"abc").hex()[:16]
        'b285056dbf18d739'
    """
    state = total = 0
    for at in range(0, len(message), _OCTETS):
        block = int.from_bytes(message[at : at + _OCTETS], "little")
        state, total = _step(state, block, substitution), total + block
    state = _step(state, 8 * len(message), substitution)
    state = _step(state, total % (1 << 256), substitution)
    return state.to_bytes(_OCTETS, "little")


def _step(state: int, block: int, substitution: str) -> int:
    """Return χ of §5 of the block and the state."""
    u, v, hidden = state, block, b""
    for number, part in enumerate(_parts(state)):
        if number:
            u, v = _shifted(u) ^ (_C3 if number == 2 else 0), _shifted(_shifted(v))
        octets = (u ^ v).to_bytes(_OCTETS, "little")
        key = bytes(octets[8 * row + column] for column in range(8) for row in range(4))
        hidden += Gost28147(key, substitution).encrypt(part)
    mixed = _mixed(int.from_bytes(hidden, "little"), 12)
    return _mixed(state ^ _mixed(block ^ mixed, 1), 61)


def _parts(state: int) -> list[bytes]:
    octets = state.to_bytes(_OCTETS, "little")
    return [octets[at : at + 8] for at in range(0, _OCTETS, 8)]


def _shifted(word: int) -> int:
    """Return A of §5.1."""
    return word >> 64 | ((word ^ word >> 64) & _WORD) << 192


def _mixed(word: int, times: int) -> int:
    """Return ψ of §5.3, repeated."""
    for _ in range(times):
        fed = word ^ word >> 16 ^ word >> 32 ^ word >> 48 ^ word >> 192 ^ word >> 240
        word = word >> 16 | (fed & 0xFFFF) << 240
    return word
