"""Files on their way to and from the registry: exact octets, bounds, no tricks with names."""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.errors import BudgetExceeded, MalformedError
from medsign.mchd import archive
from medsign.mchd.archive import PoaPackage, upload

DER = bytes.fromhex("30030201ff")


def zipped(files: Iterable[tuple[str, bytes]], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", how) as entries:
        for name, content in files:
            entries.writestr(name, content)
    return whole.getvalue()


@given(document=st.binary(max_size=200))
def test_what_is_uploaded_is_found_between_the_boundaries_unchanged(document):
    body, media = upload("poa", "ON_EMCHD_1.xml", document, DER)
    boundary = media.partition("boundary=")[2].encode()
    _, first, second, end = (b"\r\n" + body).split(b"\r\n--" + boundary)
    assert first.partition(b"\r\n\r\n")[2] == document
    assert second.partition(b"\r\n\r\n")[2] == b64encode(DER)
    assert end.startswith(b"--")


def test_the_parts_have_the_names_and_types_of_the_registry():
    body, media = upload("poa", "ON_EMCHD_1.xml", b"<a/>", DER)
    assert media.startswith("multipart/form-data; boundary=")
    assert b'name="poa"; filename="ON_EMCHD_1.xml"\r\nContent-Type: text/xml' in body
    assert (
        b'name="signature"; filename="ON_EMCHD_1.xml.sig"\r\nContent-Type: application/octet-stream'
    ) in body


@pytest.mark.parametrize("signature", [DER, b64encode(DER), b64encode(DER) + b"\r\n"])
def test_a_signature_travels_as_base64_in_one_line_whatever_it_came_as(signature):
    body, _ = upload("poa", "a.xml", b"<a/>", signature)
    assert b"\r\n\r\n" + b64encode(DER) + b"\r\n" in body


def test_the_same_files_make_the_same_octets():
    assert upload("poa", "a.xml", b"<a/>", DER) == upload("poa", "a.xml", b"<a/>", DER)


@given(document=st.binary(max_size=300))
def test_the_document_comes_out_of_the_archive_as_it_went_in(document):
    package = PoaPackage.from_zip(zipped([("a.xml", document), ("a.xml.sig", b64encode(DER))]))
    assert package == PoaPackage(name="a.xml", document=document, signatures=(DER,))


def test_every_signature_is_taken_out():
    files = [("a.xml", b"<a/>"), ("1.sig", DER), ("2.SGN", DER), ("3.p7s", DER), ("t.pdf", b"")]
    assert PoaPackage.from_zip(zipped(files)).signatures == (DER, DER, DER)


@pytest.mark.parametrize(
    "files",
    [
        [],
        [("a.xml", b"<a/>")],
        [("a.sig", DER)],
        [("a.xml", b"<a/>"), ("b.xml", b"<b/>"), ("a.sig", DER)],
        [("a.xml", b"<a/>"), ("in/a.xml", b"<b/>"), ("a.sig", DER)],
        [("../a.xml", b"<a/>"), ("a.sig", DER)],
        [("..\\a.xml", b"<a/>"), ("a.sig", DER)],
        [("/etc/a.xml", b"<a/>"), ("a.sig", DER)],
        [("C:\\a.xml", b"<a/>"), ("a.sig", DER)],
    ],
)
def test_an_archive_of_another_shape_is_refused(files):
    with pytest.raises(MalformedError):
        PoaPackage.from_zip(zipped(files))


def test_an_archive_with_a_file_without_a_name_is_refused():
    hollow = zipped([("x", b"<a/>"), ("a.sig", DER)])
    at = hollow.rindex(b"PK\x01\x02", 0, hollow.rindex(b"PK\x01\x02"))
    hollow = hollow[: at + 28] + b"\0" + hollow[at + 29 : at + 46] + hollow[at + 47 :]
    with pytest.raises(MalformedError):
        PoaPackage.from_zip(hollow)


@pytest.mark.parametrize("how", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_an_unusual_way_of_packing_is_refused(how):
    with pytest.raises(MalformedError):
        PoaPackage.from_zip(zipped([("a.xml", b"<a/>"), ("a.sig", DER)], how))


def test_a_small_archive_of_a_huge_file_is_refused(monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILE_BYTES", 1000)
    bomb = zipped([("a.xml", bytes(10**6)), ("a.sig", DER)])
    assert len(bomb) < 2000
    with pytest.raises(BudgetExceeded):
        PoaPackage.from_zip(bomb)


def test_an_archive_of_very_many_files_is_refused():
    with pytest.raises(BudgetExceeded):
        PoaPackage.from_zip(zipped((f"{number}.sig", DER) for number in range(17)))


@given(cut=st.integers(0, 200), at=st.integers(0, 200), octet=st.integers(0, 255))
def test_a_damaged_archive_is_refused_or_read_and_never_breaks(cut, at, octet):
    whole = bytearray(zipped([("a.xml", b"<a/>" * 9), ("a.xml.sig", DER)]))
    whole[at % len(whole)] = octet
    try:
        package = PoaPackage.from_zip(bytes(whole[: len(whole) - cut]))
    except (MalformedError, BudgetExceeded):
        return
    assert package.signatures
