"""The files of a power of attorney on their way: the form that uploads them, the zip that comes."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from base64 import b64encode
from pathlib import PurePosixPath
from typing import Final

import attrs
import httpx

from medsign.codec.asn1 import to_binary
from medsign.errors import BudgetExceeded, MalformedError

MAX_FILES: Final = 16
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SIGNATURES = frozenset({".sig", ".sgn", ".p7s"})
_WHAT = "archive of a power of attorney"


@attrs.frozen(kw_only=True)
class PoaPackage:
    """A power of attorney with its signatures.

    Attributes:
        name: Name of the XML file.
        document: Its exact octets; they are what is signed.
        signatures: Detached CMS messages in DER.
    """

    name: str
    document: bytes = attrs.field(repr=False)
    signatures: tuple[bytes, ...] = attrs.field(repr=False)

    @classmethod
    def from_zip(cls, data: bytes) -> PoaPackage:
        """Read the archive that the registry gives out; nothing is written to a disk.

        Raises:
            MalformedError: No such archive: not a zip, encrypted, not exactly one XML file, no
                signature, or a name that leads out of the archive.
            BudgetExceeded: More than 16 files, or one above 16 MiB when unpacked.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                inside = [one for one in archive.infolist() if not one.filename.endswith("/")]
                if len(inside) > MAX_FILES:
                    raise BudgetExceeded(_WHAT, MAX_FILES)
                files = [(_plain_name(one.filename), _unpacked(archive, one)) for one in inside]
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError):
            raise MalformedError(_WHAT, "", "not a zip that can be read") from None
        documents = [file for file in files if file[0].lower().endswith(".xml")]
        signatures = tuple(
            to_binary(content)
            for name, content in files
            if PurePosixPath(name).suffix.lower() in _SIGNATURES
        )
        if len(documents) != 1 or not signatures:
            raise MalformedError(_WHAT, "", "must hold one XML file and its signature")
        [(name, document)] = documents
        return cls(name=name, document=document, signatures=signatures)


def _plain_name(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name:
        raise MalformedError(_WHAT, "", "a name leads out of the archive")
    return path.name


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & 1 or entry.compress_type not in _COMPRESSIONS:
        raise MalformedError(_WHAT, "", "encrypted, or packed in an unusual way")
    with archive.open(entry) as file:
        content = file.read(MAX_FILE_BYTES + 1)  # the stated size may lie
    if len(content) > MAX_FILE_BYTES:
        raise BudgetExceeded(_WHAT, MAX_FILE_BYTES)
    return content


def upload(part: str, name: str, document: bytes, signature: bytes) -> tuple[bytes, str]:
    """Return the body of an upload and its ``Content-Type``.

    The same files give the same octets, so that the journal of calls knows them again.

    Args:
        part: Name of the part with the document.
        name: Name of its file with extension.
        document: Its exact octets.
        signature: Detached CMS: DER, PEM or base64; it travels as base64 in one line.
    """
    binary = to_binary(signature)
    boundary = hashlib.sha256(document + binary).hexdigest()
    form = httpx.Request(
        "POST",
        "https://form.invalid",
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        files={
            part: (name, document, "text/xml"),
            "signature": (f"{name}.sig", b64encode(binary), "application/octet-stream"),
        },
    )
    return form.read(), form.headers["Content-Type"]
