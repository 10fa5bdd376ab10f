"""The file of a power of attorney: its bytes, its name and its number.

A МЧД is signed over the exact bytes of the file, so bytes that were signed or received are kept
and never written anew: `decode` is for reading only.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable
from datetime import date

from medsign.codec.xml import bind, build, parse, read, serialize
from medsign.errors import InvalidDocument
from medsign.mchd.model import PowerOfAttorney

NAMESPACE = "urn://x-artefacts/EMCHD_1"
ROOT = "Доверенность"
STATUS_PAGE = "https://m4d.nalog.gov.ru/EMCHD/check-status?guid="
TAX_FORM = "1110415"
"""КНД of a power of attorney for the tax service."""

_GUID = "-".join(f"[0-9a-fA-F]{{{size}}}" for size in (8, 4, 4, 4, 12))
FILE_ID = re.compile(rf"ON_EMCHD_(?P<day>[0-9]{{8}})_(?P<number>{_GUID})")
TAX_FILE_ID = re.compile(rf"ON_DOVEL_[0-9]{{4}}_[0-9]{{4}}_[0-9]+_[0-9]{{8}}_(?P<number>{_GUID})")


def encode(poa: PowerOfAttorney) -> bytes:
    """Write a power of attorney as the file to sign.

    Returns:
        The document in UTF-8; its first line is the XML declaration that the registry's checkers
        demand.

    Raises:
        InvalidDocument: A value breaks the structure, with the paths of all such values.
        UsageError: A text holds a character that XML cannot carry.
    """
    root = build(poa, ROOT, namespace=NAMESPACE)
    _, violations = bind(PowerOfAttorney, root, ROOT, namespace=NAMESPACE)
    if violations:
        raise InvalidDocument(ROOT, ((fault.path, fault.message) for fault in violations))
    return serialize(root)


def decode(data: bytes) -> PowerOfAttorney:
    """Read a power of attorney of the unified format 003.

    The structure is checked, conditional rules are not: see `medsign.mchd.validate`.

    Args:
        data: The file, exactly as it was signed.

    Raises:
        MalformedError: Not such a document, with the path of the first fault.
        BudgetExceeded: The document is too large or too deep.
    """
    return read(PowerOfAttorney, parse(data, what=ROOT), ROOT, namespace=NAMESPACE)


def file_id(day: date, number: str) -> str:
    """Return ИдФайл, which is the file name without its extension.

    Args:
        day: The date of the name.
        number: НомДовер; its letter case is kept, because the registry tells the cases apart.

    Example:
        >>> file_id(date(2026, 1, 31), "0a000000-0000-4000-8000-000000000001")
        'ON_EMCHD_20260131_0a000000-0000-4000-8000-000000000001'
    """
    return f"ON_EMCHD_{day:%Y%m%d}_{number}"


def tax_file_id(
    day: date, number: str, *, receiver: str, final: str, inn: str, kpp: str = ""
) -> str:
    """Return ИдФайлНО, the name for the tax service.

    Args:
        day: The date of the name.
        number: НомДовер.
        receiver: Code of the tax office that receives the file, 4 digits.
        final: Code of the tax office that it is meant for, 4 digits.
        inn: ИНН of the principal.
        kpp: КПП of the principal, when an organisation.
    """
    return f"ON_DOVEL_{receiver}_{final}_{inn}{kpp}_{day:%Y%m%d}_{number}"


def new_number(randomness: Callable[[int], bytes] = os.urandom) -> str:
    """Return a fresh НомДовер: a random GUID in lower case.

    Args:
        randomness: A CSPRNG that returns the asked number of bytes.
    """
    return str(uuid.UUID(bytes=randomness(16), version=4))
