"""PDF in and out of the sandbox: Russian text, additions, hostile files."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from medsign.errors import MalformedError
from medsign.sandbox.paper import new_pdf, text_of, with_pages

LETTERS = "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"
SAMPLE = new_pdf([LETTERS, LETTERS.lower(), "№ 1, форма KAV.0049, «скобки» — тире"])


def test_every_russian_letter_is_read_back():
    assert text_of(SAMPLE).splitlines()[:3] == [
        LETTERS,
        LETTERS.lower(),
        "№ 1, форма KAV.0049, «скобки» — тире",
    ]


@given(st.lists(st.text(LETTERS + LETTERS.lower() + "abc123.,", min_size=1), min_size=1))
def test_words_survive_the_paper(lines: list[str]):
    assert "".join(text_of(new_pdf(lines)).split()) == "".join(lines)


def test_long_texts_take_more_pages():
    pdf = new_pdf(f"строка {number}" for number in range(120))
    assert len(PdfReader(io.BytesIO(pdf)).pages) == 3
    assert "строка 119" in text_of(pdf)


def test_an_addition_keeps_every_octet_before_it():
    once = with_pages(SAMPLE, ["Первая отметка"], {"one.json": b"1"})
    twice = with_pages(once, ["Вторая отметка"], {"two.json": b"2"})
    assert twice.startswith(once)
    assert once.startswith(SAMPLE)
    assert PdfReader(io.BytesIO(twice)).attachments == {"one.json": [b"1"], "two.json": [b"2"]}


def test_an_encrypted_document_is_refused():
    writer = PdfWriter(clone_from=io.BytesIO(SAMPLE))
    writer.encrypt("secret", algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)
    with pytest.raises(MalformedError):
        text_of(target.getvalue())


@given(st.integers(0, len(SAMPLE) - 1), st.binary(max_size=8))
def test_a_spoilt_document_is_read_or_refused_and_nothing_else(place: int, patch: bytes):
    spoilt = SAMPLE[:place] + patch + SAMPLE[place + 2 * len(patch) + 1 :]
    for read in (text_of, lambda pdf: with_pages(pdf, ["отметка"])):
        with suppress(MalformedError):
            read(spoilt)


@given(st.integers(0, len(SAMPLE) - 2))
def test_a_cut_document_is_refused(length: int):
    with suppress(MalformedError):
        assert LETTERS in text_of(SAMPLE[:length])
