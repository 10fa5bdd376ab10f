"""What opens and closes key files: block ciphers, their modes, and keys made of passwords.

For keys and certificates only: Python's tables take time that depends on what is encrypted, and
a megabyte takes many seconds.
"""

from medsign.gost.ciphers.agreement import keg, kexp15, kimp15, vko
from medsign.gost.ciphers.digest94 import gost94
from medsign.gost.ciphers.kuznyechik import Kuznyechik
from medsign.gost.ciphers.magma import Gost28147, Magma
from medsign.gost.ciphers.modes import BlockCipher, cfb_decrypt, cfb_encrypt, ctr_acpkm, omac
from medsign.gost.ciphers.passwords import Hmac, kdf_tree, pbkdf2

__all__ = [
    "BlockCipher",
    "Gost28147",
    "Hmac",
    "Kuznyechik",
    "Magma",
    "cfb_decrypt",
    "cfb_encrypt",
    "ctr_acpkm",
    "gost94",
    "kdf_tree",
    "keg",
    "kexp15",
    "kimp15",
    "omac",
    "pbkdf2",
    "vko",
]
